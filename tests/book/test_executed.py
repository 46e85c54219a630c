"""Executed notebooks outside Sphinx: plain nbconvert, and a real JupyterLab."""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from functools import cache

import book_site
import nbformat
import pytest
from book_site import NO_BROWSER, ROOT
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

EXECUTED = ROOT / "book" / "executed"
CHAPTERS = sorted(EXECUTED.glob("[0-9]*_*.ipynb"))
CHAPTERS = [path for path in CHAPTERS if not path.stem.endswith(".failed")]
NOT_EXECUTED = "no chapter was executed: `make book`"
pytestmark = pytest.mark.skipif(not CHAPTERS, reason=NOT_EXECUTED)
# What only the book understands, and a number that is missing.
BOOK_SYNTAX = re.compile(r"\{glue|\{doc\}|\{cite|\{term\}|\{eq\}|^:::", re.M)
MISSING = re.compile(r"\bnan\b", re.I)


@pytest.fixture(scope="module", params=CHAPTERS, ids=lambda path: path.stem)
def path(request):
    """Every chapter; the tests of one follow each other, so that it is read once."""
    return request.param


@cache
def exporter():
    return HTMLExporter(exclude_input=True)


def prose(path):
    """What a reader of the plain HTML sees, code and tables of numbers left out."""
    html, _ = exporter().from_notebook_node(executed(path))
    page = BeautifulSoup(html, "lxml").body
    for tag in page.select("script, style, pre, svg"):
        tag.decompose()
    return page.get_text("\n")


def test_plain_html_shows_no_syntax_of_the_book_and_no_missing_number(path):
    text = prose(path)
    assert not BOOK_SYNTAX.search(text)
    assert not MISSING.search(text)


@cache
def executed(path):
    return nbformat.read(path, as_version=4)


def outputs(path):
    return [(c, o) for c in executed(path).cells for o in c.get("outputs", [])]


def test_every_chapter_opens_with_an_answer_from_its_run(path):
    kinds = [
        o.get("metadata", {}).get("text/markdown", {}).get("kind")
        for _, o in outputs(path)
    ]
    assert kinds.count("answer") == 1
    assert "finding" not in kinds[: kinds.index("answer")]


def test_a_copy_keeps_one_line_per_bar_and_no_warning(path):
    for cell, output in outputs(path):
        if output.output_type == "stream":
            bars = [line for line in output.text.splitlines() if "%|" in line]
            assert len(bars) <= cell.source.count("tqdm("), output.text
            assert "Warning" not in output.text, output.text
    assert "widgets" not in executed(path).metadata


@contextmanager
def jupyterlab(folder):
    """A JupyterLab on a free local port; yields its address."""
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.token=", "--ServerApp.password=", "--port=0"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = next(
                found.group()
                for line in process.stderr
                if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
            )
            _wait_for(f"{address}/api")
            yield address
        finally:
            process.terminate()


def _wait_for(address, tries=600):
    for _ in range(tries):
        try:
            with urllib.request.urlopen(address):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The folder of a running JupyterLab, its address, and a browser."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if book_site.chromium() is None:
        pytest.skip(NO_BROWSER)
    folder = tmp_path_factory.mktemp("lab")
    with jupyterlab(folder) as address, book_site.open_browser() as browser:
        yield folder, address, browser


def opened_in_lab(lab, name):
    """A page of JupyterLab with a notebook that lies in its folder."""
    _, address, browser = lab
    page = browser.new_page(viewport={"width": 1280, "height": 2400})
    page.set_default_timeout(book_site.PATIENCE)
    page.goto(f"{address}/lab/tree/{name}?reset")
    return page


def test_jupyterlab_shows_the_answer_of_a_chapter(lab):
    folder = lab[0]
    shutil.copy(CHAPTERS[0], folder)
    notebook = json.loads((folder / CHAPTERS[0].name).read_text())
    answers = [
        "".join(o["data"]["text/markdown"])
        for cell in notebook["cells"]
        for o in cell.get("outputs", [])
        if o.get("metadata", {}).get("text/markdown", {}).get("kind") == "answer"
    ]
    words = re.sub(r"[>*`$]", "", answers[0]).split()[:4]
    page = opened_in_lab(lab, CHAPTERS[0].name)
    page.get_by_text(" ".join(words)).first.wait_for()
    text = page.locator(".jp-Notebook").inner_text()
    page.screenshot(path=folder / "lab.png")
    page.close()
    assert text and not BOOK_SYNTAX.search(text)


ATTEMPTS = {  # at exercise 1.1, and what JupyterLab shows of each
    "x_star = real[squared.argmin(axis=1)]\n    return x_star - generated": "Almost. "
    "The sign is the other way round.",
    "return real[squared.argmin(axis=1)]": "Hint: Begin with",  # the second mistake
    "return generated - real[squared.argmin(axis=1)]": "Right.",
}


def test_an_exercise_is_failed_hinted_at_and_solved_in_jupyterlab(lab):
    exercise = ROOT / "exercises" / "01_manifold_estimation.ipynb"
    notebook = nbformat.read(exercise, as_version=4)
    _, imports, _, stub, check, *_ = notebook.cells
    told = ["Nothing yet. The function waits for your code", "Hint. Begin with"]
    cells = [imports, stub, check, nbformat.v4.new_code_cell('check("1.1")')]
    for attempt, words in ATTEMPTS.items():
        head = stub.source.partition("    raise")[0]
        squared = "    squared = ((generated[:, None] - real) ** 2).sum(axis=2)\n"
        cells.append(nbformat.v4.new_code_cell(f"{head}{squared}    {attempt}"))
        cells.append(nbformat.v4.new_code_cell(check.source))
        told.append(words)
    notebook.cells = [
        nbformat.from_dict({**cell, "id": f"c{i}"}) for i, cell in enumerate(cells)
    ]
    nbformat.write(notebook, lab[0] / exercise.name)
    page = opened_in_lab(lab, exercise.name)
    page.get_by_text("(ipykernel) | Idle").wait_for()
    page.locator(".jp-CodeCell .cm-content").first.click()
    for _ in cells:
        page.keyboard.press("Shift+Enter")
    for words in told:
        page.locator(".jp-OutputArea").filter(has_text=words).first.wait_for()
    page.close()
