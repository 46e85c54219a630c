"""Pages that are written from data: they say what the data say."""

import io
import re
from base64 import b64decode

import bibliography
import chapter_times
import main_findings
import numpy as np
import pipeline_figure
import pytest
import typography
from book_site import ROOT, pages
from docutils import nodes
from docutils.core import publish_doctree
from PIL import Image

PICTURE = re.compile('(?<=base64,)[^"]+')
REFERENCE = sorted((ROOT / "book" / "api").glob("*.md"))
PROSE = [*(ROOT / "book").glob("*.md"), *REFERENCE]
PAGES = [*PROSE, *(ROOT / "notebooks").glob("*.ipynb")]


def test_the_list_of_the_bibliography_is_that_of_the_bibtex_file():
    page = (ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")
    expected = bibliography.with_entries(page, bibliography.entries())
    assert page == expected, "run: python book/_ext/bibliography.py"


def test_the_findings_of_the_welcome_page_are_those_of_the_stored_results():
    page = main_findings.PAGE.read_text(encoding="utf-8")
    expected = main_findings.with_findings(page)
    assert page == expected, "run: python book/_ext/main_findings.py"


def test_the_picture_of_the_method_is_what_its_script_draws():
    page = pipeline_figure.PAGE.read_text(encoding="utf-8")
    drawn = pipeline_figure.figure()
    assert PICTURE.sub("", page) == PICTURE.sub("", drawn), (
        "run: python book/_ext/pipeline_figure.py"
    )
    # Pixel by pixel, because other versions may compress them in another way.
    stored, new = (map(pixels, PICTURE.findall(text)) for text in (page, drawn))
    assert all(map(np.array_equal, stored, new))


def pixels(picture):
    file = io.BytesIO(b64decode(picture))
    return np.asarray(Image.open(file).convert("RGB"))


@pytest.fixture(scope="module")
def keys():
    return set(bibliography.ANCHOR.findall(bibliography.entries()))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_citation_has_an_entry(path, keys):
    text = path.read_text(encoding="utf-8")
    cited = set(re.findall(r"bibliography\.md#(\w+)\)", text))
    assert cited <= keys


def test_every_page_of_prose_is_in_the_contents():
    written = {path.relative_to(ROOT).with_suffix(".html") for path in PROSE}
    assert {path.as_posix() for path in written} <= set(pages())


def test_the_reference_lists_each_of_its_pages():
    text = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[([^]]+)\]\(api/(\w+)\.md\)", text, re.M)
    titles = [(path.read_text().splitlines()[0][2:], path.stem) for path in REFERENCE]
    assert sorted(listed) == sorted(titles)


def test_numbers_keep_their_sign_and_code_keeps_its_spaces():
    tree = publish_doctree("It is 95 % (n = 4), not ``n = 4`` or ``5 %`` or 3 of n.")
    typography.keep_together(None, tree)
    prose, *_ = tree.findall(nodes.paragraph)
    assert prose.astext().replace("\u00a0", "_") == (
        "It is 95_% (n_=_4), not n = 4 or 5 % or 3 of n."
    )


HTML = """
.. raw:: html

   <p title="5 % off">95 % (n = 4)<code>n = 4</code>
   <svg><text>5 %</text></svg></p>
"""


def test_numbers_of_a_table_keep_their_sign_and_its_drawings_stay_as_they_are():
    tree = publish_doctree(HTML)
    typography.keep_together(None, tree)
    assert tree.astext().replace("\u00a0", "_") == (
        '<p title="5 % off">95_% (n_=_4)<code>n = 4</code>\n'
        "<svg><text>5 %</text></svg></p>"
    )


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


def chapter(text, *code):
    cells = [{"cell_type": "markdown", "source": [text]}]
    cells += [{"cell_type": "code", "source": [source]} for source in code]
    return {"cells": cells}


@pytest.mark.parametrize(
    ("found", "minutes"),
    [
        (chapter("word " * 400), 2),
        (chapter("word " * 401), 3),
        (chapter("word " * 400 + "*Time to read:* 2 minutes, or so"), 2),
        (chapter("word " * 200, 'finding("' + "word " * 200 + '")'), 2),
        (chapter("word " * 150, "plots.show(figure)"), 1),
        (chapter("word " * 151, "plots.show(figure)"), 2),
        (chapter("word", 'x = {"a name": "another", "name": 3}'), 1),
    ],
)
def test_time_to_read_is_that_of_words_and_pictures(found, minutes):
    assert chapter_times.minutes_to_read(found) == minutes


def test_time_to_run_is_what_was_measured(tmp_path):
    plan = tmp_path / "runs.yml"
    plan.write_text(
        "runs:\n- {notebook: a, profile: smoke, budget: 9}\n"
        "- {notebook: a, profile: full, budget: 9, seconds: 61}\n"
    )
    assert chapter_times.seconds_to_run("a", plan) == 61
