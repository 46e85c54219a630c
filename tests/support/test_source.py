"""Which code decides a result."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from manifpt_utils._support import source
from manifpt_utils._support.files import write_whole
from manifpt_utils._support.source import code_of, syntax

TEXT = """\
def double(x):
    return 2 * x
"""


def test_comments_layout_and_docstrings_do_not_count(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(TEXT)
    before = syntax(path)
    path.write_text('"""Doc."""\n# why\ndef double(x):\n  "Twice."\n  return (2*x)\n')
    assert syntax(path) == before


@pytest.mark.parametrize(
    "change",
    [("2 * x", "x * 2"), ("2", "2.0"), ("(x)", "(x=1)"), ("double", "twice")],
)
def test_every_change_of_code_counts(tmp_path, change):
    path = tmp_path / "module.py"
    path.write_text(TEXT)
    before = syntax(path)
    path.write_text(TEXT.replace(*change))
    assert syntax(path) != before


def test_the_code_is_that_of_the_modules_of_this_package():
    assert code_of(write_whole) != code_of(syntax)
    assert code_of(syntax, write_whole) == code_of(write_whole, source._hash, Path)
    assert code_of(Path, pytest.raises) == code_of()


def test_a_file_that_was_edited_after_the_start_is_never_found_again(
    tmp_path, monkeypatch
):
    (tmp_path / "edited_late.py").write_text(TEXT)
    monkeypatch.syspath_prepend(tmp_path)
    module = import_module("edited_late")
    monkeypatch.setattr(source, "PACKAGE", "edited_late")
    monkeypatch.setattr(source, "STARTED", 2e10)
    as_imported = code_of(module.double)
    source._hash.cache_clear()
    assert code_of(module.double) == as_imported
    monkeypatch.setattr(source, "STARTED", 0)
    keys = []
    for _ in range(2):  # as in two processes
        source._hash.cache_clear()
        keys.append(code_of(module.double))
    assert len({*keys, as_imported}) == 3
    source._hash.cache_clear()
    del sys.modules["edited_late"]
