"""Pages that are written from data: they say what the data say."""

import re
import sys

import pytest
from book_site import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))

import bibliography  # noqa: E402
import main_findings  # noqa: E402

PAGES = [*(ROOT / "book").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]


def test_the_list_of_the_bibliography_is_that_of_the_bibtex_file():
    page = (ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")
    expected = bibliography.with_entries(page, bibliography.entries())
    assert page == expected, "run: python book/_ext/bibliography.py"


def test_the_findings_of_the_welcome_page_are_those_of_the_stored_results():
    page = main_findings.PAGE.read_text(encoding="utf-8")
    expected = main_findings.with_findings(page)
    assert page == expected, "run: python book/_ext/main_findings.py"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_citation_has_an_entry(path):
    keys = set(bibliography.ANCHOR.findall(bibliography.entries()))
    text = path.read_text(encoding="utf-8")
    cited = set(re.findall(r"bibliography\.md#(\w+)\)", text))
    assert cited <= keys


def test_an_entry_is_readable_without_tex(tmp_path):
    source = tmp_path / "one.bib"
    source.write_text(
        r"@article{a1, author = {M{\"u}ller, A. B. and van {\v{C}}apek, C},"
        r" title = {On {GAN}s \& {S}{\o}n},"
        " journal = {J. X}, pages = {1--2}, year = {1999}, note = {arXiv:1234.5678}}"
    )
    (line,) = bibliography.entries(source).splitlines()
    assert line.startswith('- <a id="a1"></a>Müller, A. B. and van Čapek, C. (1999).')
    assert "*On GANs & Søn*. J. X, 1–2." in line and "arxiv.org/abs/1234.5678" in line
