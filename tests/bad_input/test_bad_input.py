"""Bad and hostile input: one clear error or warning with the remedy, nothing lost."""

import hashlib
import os
import re
import shutil
import warnings
from pathlib import Path

import pytest
from cases import CASES, World
from click import ClickException
from hostile_files import READ, write_class

from manifpt_utils import Attributor, load
from manifpt_utils.images.audit import audit
from manifpt_utils.images.image_files import read_image

PLAIN = {"space": "rgb", "estimate": "raw", "classifier": "linear"}
LEVELS = {"real": 60, "a": 120, "b": 180}  # the mean grey of each class


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A folder of images, and an attributor of more of the same."""
    place = tmp_path_factory.mktemp("originals")
    for name, level in LEVELS.items():
        write_class(place / "mine" / name, level, 6)
        n = 100 if name == "real" else 20
        write_class(place / "many" / name, level, n, seed=1)
    attributor = Attributor(**PLAIN, coverage=0.5).fit(load(place / "many"))
    attributor.save(place / "attributor")
    return place


@pytest.fixture
def world(originals, tmp_path, monkeypatch):
    for name in ("mine", "attributor"):
        shutil.copytree(originals / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return World(tmp_path, tmp_path / "mine", tmp_path / "attributor", monkeypatch)


def state_of(place):
    """Every path with what it holds."""
    return {path: _content(path) for path in sorted(Path(place).rglob("*"))}


def _content(path):
    if path.is_symlink():
        return os.readlink(path)
    if not path.is_file():
        return "no file"
    if path.stat().st_size > 2**28:
        return path.stat().st_size
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lost(before, after, place, changes):
    """Paths that are other than before, without those that the case changed."""
    named = [place / name for name in changes]
    others = {path for path, _ in set(before.items()) ^ set(after.items())}
    return [p for p in others if not any(p.is_relative_to(name) for name in named)]


def said(case, world):
    """What comes of a case: the one error, or the warnings."""
    if issubclass(case.kind, Warning):
        with pytest.warns(case.kind) as seen:
            case.act(world)
        return [str(x.message) for x in seen]
    with warnings.catch_warnings(action="ignore"), pytest.raises(case.kind) as error:
        case.act(world)
    told = error.value
    return [told.format_message() if isinstance(told, ClickException) else str(told)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_told_with_its_remedy_and_nothing_is_lost(case, world):
    case.make(world)
    before = state_of(world.place)
    messages = said(case, world)
    world.patch.undo()
    fitting = [x for x in messages if re.search(case.wrong, x, re.DOTALL)]
    assert len(fitting) == 1, messages
    assert re.search(case.remedy, fitting[0], re.DOTALL), fitting[0]
    assert "Errno" not in fitting[0] and fitting[0][-1] not in ",;:"
    after = state_of(world.place)
    assert not lost(before, after, world.place, case.changes)


def test_every_case_has_a_name_of_its_own():
    assert len({case.name for case in CASES}) == len(CASES) > 60


@pytest.mark.parametrize("name", READ)
def test_odd_files_that_hold_an_image_are_read_in_silence(world, name):
    path = world.root / "a" / name
    path.write_bytes(READ[name]())
    with warnings.catch_warnings(action="error"):
        found, facts = read_image(path)
        files = audit(world.root).files
    assert found.shape == (8, 8, 3) and (facts.width, facts.height) == (8, 8)
    assert len(files) == 19
