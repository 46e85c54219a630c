"""A page on paper: its text alone, black on white, whole, with all folds open."""

import book_site
import pytest
from book_site import HTML, NO_BROWSER, NOT_BUILT, serve, visit

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.skipif(book_site.chromium() is None, reason=NO_BROWSER),
    pytest.mark.skipif(not HTML.is_dir(), reason=NOT_BUILT),
]
WIDTH = 800  # pixels that the paper of the teaching kit holds
CHAPTER = "book/executed/03_attribution.html"
NAVIGATION = [
    ".bd-sidebar-primary",
    ".bd-sidebar-secondary",
    ".bd-header-article",
    ".prev-next-footer",
    ".headerlink",
    ".copybtn",
]


@pytest.fixture(scope="module")
def paper():
    with serve() as address, book_site.open_browser() as browser:
        page, problems = visit(
            browser, f"{address}/{CHAPTER}", scheme="dark", width=WIDTH
        )
        page.emulate_media(media="print")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        yield page
        assert problems == []


@pytest.mark.parametrize("selector", NAVIGATION)
def test_navigation_stays_on_the_screen(paper, selector):
    shown = paper.locator(selector).filter(visible=True)
    assert shown.count() == 0


def test_what_is_folded_is_open(paper):
    folds = paper.locator("details")
    assert folds.count() > 0
    assert paper.locator("details:not([open])").count() == 0
    hidden = paper.evaluate(
        """() => [...document.querySelectorAll("details pre")].filter(
             (text) => !text.checkVisibility({ opacityProperty: true })).length"""
    )
    assert hidden == 0


def test_paper_is_white_also_in_the_dark(paper):
    ground = "getComputedStyle(document.body).backgroundColor"
    assert paper.evaluate(ground) == "rgb(255, 255, 255)"


def test_nothing_is_wider_than_the_paper(paper):
    wide = paper.evaluate(
        """(width) => [...document.querySelectorAll("article *")].filter((part) =>
             part.getBoundingClientRect().right > width + 1).map((part) =>
             part.outerHTML.slice(0, 80))""",
        WIDTH,
    )
    assert wide == []


def test_figures_are_not_cut(paper):
    for figure in paper.locator("figure").all():
        assert figure.evaluate("(f) => getComputedStyle(f).breakInside") == "avoid"


def test_after_printing_the_page_is_as_it_was(paper):
    paper.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert paper.locator("details:not([open])").count() > 0
