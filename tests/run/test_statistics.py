"""What the book says about the execution of a chapter."""

from importlib.util import module_from_spec, spec_from_file_location

import pytest
from projects import ROOT

pytest.importorskip("sphinx", reason="the book's extra is not installed")
FILE = ROOT / "book" / "_ext" / "execution_statistics.py"
RUN = {
    "name": "a",
    "notebook": "notebooks/a.ipynb",
    "profile": "full",
    "status": "ok",
    "seconds": 42.0,
    "started": "2026-11-02T03:04:05+00:00",
}


@pytest.fixture(scope="module")
def extension():
    spec = spec_from_file_location(FILE.stem, FILE)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("changes", "failed", "smoke"),
    [
        ({}, False, False),
        ({"status": "failed"}, True, False),
        ({"profile": "smoke", "status": "timeout"}, True, True),
    ],
)
def test_a_chapter_tells_whether_it_is_what_ran_last(extension, changes, failed, smoke):
    text = extension.chapter_note(RUN | changes).astext()
    assert "Executed on 2026-11-02 03:04 UTC" in text and "42 s" in text
    assert ("last execution failed" in text) == failed
    assert ("no results" in text) == smoke
