"""The kit, as a teacher opens it: decks in a browser, documents, a printed book."""

import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urldefrag

import book_site
import pytest
from bs4 import BeautifulSoup
from chapters import write_chapter
from click.testing import CliRunner

import teaching.__main__ as command
from teaching import browser
from teaching.contents import chapters, pages
from teaching.kit import FOLDERS, LESSON_CHAPTERS, LESSON_EXERCISES, QUICK, Kit
from teaching.printing import print_book

ROOT = Path(__file__).parents[2]

EXECUTED = ROOT / "book" / "executed"
FEWEST = 6  # slides of a chapter
HEIGHT = 720  # pixels of a slide
needs_browser = pytest.mark.skipif(
    browser.chromium() is None, reason=book_site.NO_BROWSER
)
PAGE = """<!doctype html><html lang="en"><title>{0}</title><h1>{0}</h1>
<p>Words of {0}. <a href="two.html">To the second.</a></p>
<details><summary>Fold</summary><p>Folded words of {0}.</p></details>"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """What was executed last; where nothing was, chapters made by hand."""
    folder = tmp_path_factory.mktemp("executed")
    for name in chapters(ROOT):
        if (EXECUTED / f"{name}.ipynb").is_file():
            shutil.copy(EXECUTED / f"{name}.ipynb", folder)
        else:
            write_chapter(folder / f"{name}.ipynb")
    return folder


@pytest.fixture(scope="module")
def kit(executed, tmp_path_factory):
    made = Kit(ROOT, tmp_path_factory.mktemp("kit") / "kit", executed)
    made.write()
    return made.output


def documents(kit):
    return sorted(path for path in kit.rglob("*.html"))


def test_each_chapter_has_a_deck_and_the_lesson_is_complete(kit):
    decks = {path.stem for path in (kit / "slides").glob("*.html")}
    assert decks == set(chapters(ROOT))
    lesson = {path.name for path in (kit / "lesson").iterdir() if path.is_file()}
    pages = {"slides", "plan", "handout", "questions", "answers"}
    assert {f"{name}.html" for name in pages} <= lesson
    assert {f"{name}.ipynb" for name in LESSON_EXERCISES} <= lesson
    assert set(LESSON_CHAPTERS) <= decks


def test_the_index_says_what_each_folder_is_for(kit):
    text = (kit / "index.html").read_text(encoding="utf-8")
    assert {path.name for path in kit.iterdir() if path.is_dir()} == set(FOLDERS)
    assert all(title in text and use in text for title, use in FOLDERS.values())


def listed(folder, heading):
    """Names of the files to which a list of the index leads, in its order."""
    page = BeautifulSoup((folder / "index.html").read_text("utf-8"), "html.parser")
    links = page.find("h2", string=heading).find_next("ul").select("a")
    return [link["href"].rpartition("/")[2] for link in links]


def test_a_lesson_is_listed_in_the_order_of_its_use(kit):
    pages = [f"{x}.html" for x in ("plan", "slides", "handout", "questions", "answers")]
    pages += [f"{name}.ipynb" for name in LESSON_EXERCISES]
    assert listed(kit, FOLDERS["lesson"][0]) == pages
    decks = [f"{name}.html" for name in chapters(ROOT)]
    assert listed(kit, FOLDERS["slides"][0]) == decks


def test_a_folder_of_something_else_is_refused_and_left(tmp_path):
    write_chapter(tmp_path / "00_circle.ipynb")
    (tmp_path / "home" / "thesis").mkdir(parents=True)
    (tmp_path / "home" / "thesis" / "text.tex").write_text("mine")
    with pytest.raises(ValueError, match="holds thesis, which is no part of a kit"):
        Kit(ROOT, tmp_path / "home", tmp_path).write()
    assert (tmp_path / "home" / "thesis" / "text.tex").read_text() == "mine"
    with pytest.raises(ValueError, match="no part of a kit"):
        Kit(ROOT, ROOT, tmp_path).write()


def test_what_cannot_be_read_leaves_the_old_kit(executed, tmp_path, monkeypatch):
    made = Kit(ROOT, tmp_path / "kit", executed)
    made.write()
    before = documents(made.output)

    def unreadable(*, chapters):
        raise ValueError("exam.yml: no questions")

    monkeypatch.setattr("teaching.kit.read_exam", unreadable)
    with pytest.raises(ValueError, match=r"exam\.yml"):
        made.write()
    assert documents(made.output) == before != []


def test_pdfs_are_listed_where_they_were_made(tmp_path):
    write_chapter(tmp_path / "00_circle.ipynb")
    kit = Kit(ROOT, tmp_path / "kit", tmp_path)
    kit.write()
    assert ".pdf" not in (kit.output / "index.html").read_text("utf-8")
    for name in ("book.pdf", "exam/answers.pdf"):
        (kit.output / name).touch()
    kit.write_index()
    named = ["questions.html", "answers.html", "answers.pdf"]
    assert listed(kit.output, FOLDERS["exam"][0]) == named
    assert 'href="book.pdf"' in (kit.output / "index.html").read_text("utf-8")


def test_every_link_and_file_of_the_kit_is_there(kit):
    missing = []
    for path in documents(kit):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for tag in page.select("[href], [src]"):
            address = urldefrag(tag.get("href") or tag["src"]).url
            if address and not re.match(r"[a-z]+:", address):
                if not (path.parent / unquote(address)).is_file():
                    missing.append((path.name, address))
    assert missing == []


def test_nothing_of_the_kit_is_fetched_from_elsewhere(kit):
    for path in documents(kit):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        fetched = [tag.get("src") or tag["href"] for tag in page.select("[src], link")]
        assert not [a for a in fetched if a.startswith(("http", "//"))], path


def test_no_document_shows_what_only_the_book_reads_or_a_missing_number(kit):
    for path in documents(kit):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for tag in page.select("script, style, pre, code"):
            tag.decompose()
        text = page.get_text(" ")
        assert not re.search(r"\{glue|\{doc\}|\{cite|\{term\}|\bnan\b|:::", text), path


def test_the_page_for_teachers_names_every_chapter(kit):
    text = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
    goals = text.partition("## What each chapter teaches")[2]
    assert set(re.findall(r"^\| \[\]\(executed/(\w+)\.ipynb\)", goals, re.M)) == set(
        chapters(ROOT)
    )


def test_the_lesson_is_ninety_minutes_without_a_gap():
    plan = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
    spans = [
        tuple(map(int, m)) for m in re.findall(r"^\| (\d+) to (\d+) \|", plan, re.M)
    ]
    assert spans[0][0] == 0 and spans[-1][1] == 90
    assert all(a[1] == b[0] for a, b in zip(spans, spans[1:], strict=False))


@pytest.fixture(scope="module")
def opened():
    with browser.open_browser() as found:
        yield found


def walk(page):
    """The height of each slide, the whole deck through."""
    heights = []
    for _ in range(page.evaluate("Reveal.getTotalSlides()")):
        heights.append(page.evaluate("Reveal.getCurrentSlide().scrollHeight"))
        page.keyboard.press("Space")
    assert page.evaluate("Reveal.isLastSlide()")
    return heights


@pytest.fixture(scope="module")
def tab(kit, opened):
    """The address of the kit, and what shows one deck after the other."""
    with browser.serve(kit) as address:
        page, problems = book_site.blank(opened, width=1280, height=HEIGHT)
        yield address, page, problems
        page.close()


@needs_browser
@pytest.mark.parametrize("name", [*chapters(ROOT), "lesson"])
def test_a_deck_is_shown_without_a_network_and_every_slide_fits(name, tab):
    path = "lesson/slides.html" if name == "lesson" else f"slides/{name}.html"
    address, page, problems = tab
    problems.clear()
    book_site.show(page, f"{address}/{path}")
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    heights = walk(page)
    assert len(heights) > FEWEST
    assert max(heights) <= HEIGHT
    assert page.locator("img:not([alt]), img[alt='']").count() == 0
    assert page.locator("mjx-merror").count() == 0
    assert problems == []


# --- printing ---------------------------------------------------------------------


@needs_browser
def test_the_printed_book_has_contents_numbers_titles_and_inner_links(tmp_path, opened):
    pypdf = pytest.importorskip("pypdf")
    names = {"one": "Squares", "two": "Circles"}
    for file, title in names.items():
        (tmp_path / f"{file}.html").write_text(PAGE.format(title), encoding="utf-8")
    parts = [(title, f"{file}.html") for file, title in names.items()]
    print_book(opened, tmp_path, parts, tmp_path / "book.pdf", title="A small book")
    found = pypdf.PdfReader(tmp_path / "book.pdf")
    front, *rest = [page.extract_text() for page in found.pages]
    assert "A small book" in front and "Contents" in front
    for number, (title, text) in enumerate(zip(names.values(), rest, strict=True), 2):
        assert re.search(rf"{title}\s*{number}", front)
        assert f"Words of {title}" in text and f"Folded words of {title}" in text
        assert re.search(rf"\b{number}$", text.strip())
    assert [item.title for item in found.outline] == list(names.values())
    (link,) = [a.get_object() for a in found.pages[1]["/Annots"]]
    assert link["/Dest"][0] == found.pages[2].indirect_reference


def test_without_a_browser_one_sentence_says_so_and_the_rest_is_made(
    executed, tmp_path, monkeypatch
):
    monkeypatch.setattr(command, "chromium", lambda: None)
    arguments = ["--output", str(tmp_path / "kit"), "--executed", str(executed)]
    done = CliRunner().invoke(command.main, arguments)
    assert done.exit_code == 0
    assert browser.NO_BROWSER in done.output
    assert (tmp_path / "kit" / "lesson" / "slides.html").is_file()
    assert not list((tmp_path / "kit").rglob("*.pdf"))


@pytest.mark.parametrize(("profile", "is_said"), [("smoke", True), ("full", False)])
def test_a_quick_run_is_called_one(tmp_path, profile, is_said):
    write_chapter(tmp_path / "00_circle.ipynb")
    write_chapter(tmp_path / "03_attribution.ipynb")
    record = {"runs": [{"name": "00_circle", "profile": profile}]}
    (tmp_path / "runs.json").write_text(json.dumps(record))
    arguments = ["--output", str(tmp_path / "kit"), "--executed", str(tmp_path)]
    done = CliRunner().invoke(command.main, [*arguments, "--no-pdf"])
    assert done.exit_code == 0
    assert (QUICK in done.output) == is_said
    index = (tmp_path / "kit" / "index.html").read_text(encoding="utf-8")
    assert ("its numbers are no results" in index) == is_said


def test_without_an_executed_chapter_the_remedy_is_named(tmp_path):
    done = CliRunner().invoke(
        command.main, ["--output", str(tmp_path / "kit"), "--executed", str(tmp_path)]
    )
    assert done.exit_code == 1
    assert "run `make book` first" in done.output


def test_all_pages_of_the_contents_are_known():
    assert set(chapters(ROOT)) <= {name.rpartition("/")[2] for name in pages(ROOT)}
    assert len(chapters(ROOT)) == len(list((ROOT / "notebooks").glob("*.ipynb")))
