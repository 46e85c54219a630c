"""The rendered book: complete, self-contained, accessible, no dead links."""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
import yaml
from book_site import HTML, NOT_BUILT, ROOT, pages, weight
from bs4 import BeautifulSoup
from lxml import html

pytestmark = pytest.mark.skipif(not HTML.is_dir(), reason=NOT_BUILT)

# What a browser fetches by itself; a plain link is followed by the reader only.
FETCHED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "object": "data",
    "link": "href",
}
NOT_FETCHED = {"next", "prev", "index", "search", "author", "canonical", "copyright"}
REMOTE = re.compile(r"^(https?:)?//", re.IGNORECASE)
NETWORKS = re.compile(r"unpkg\.com|jsdelivr|cdnjs|cdn\.plot\.ly|polyfill|googleapis")
HASH = re.compile(r"[0-9a-f]{32}")
MEGABYTE = 1_000_000


@cache
def soup(path):
    """A parsed page."""
    return BeautifulSoup((HTML / path).read_text(encoding="utf-8"), "lxml")


@cache
def anchors(path):
    """Identifiers to which a link can point."""
    if path.suffix != ".html":
        return set()
    page = html.parse(path)  # many times as fast as soup
    return {*page.xpath("//@id"), *page.xpath("//a/@name")}


@pytest.fixture(scope="module", params=pages())
def path(request):
    """Every page; the tests of one follow each other, so that it is parsed once."""
    return request.param


def article(path):
    return soup(path).select_one("article")


def local_files(path, tag, attribute):
    """Files of this site that a page fetches through one kind of tag."""
    for found in soup(path).find_all(tag, **{attribute: True}):
        address = unquote(urldefrag(found[attribute]).url)
        if address and not REMOTE.match(address) and not address.startswith("data:"):
            yield (HTML / path).parent.joinpath(address.split("?")[0]).resolve()


def moved():
    """Pages that only lead from an old address to a new one."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return {f"{name}.html" for name in config["sphinx"]["config"]["redirects"]}


def test_exactly_the_pages_of_the_contents_were_rendered():
    extra = {"index.html", "genindex.html", "search.html", "py-modindex.html"}
    found = {p.relative_to(HTML).as_posix() for p in HTML.rglob("*.html")}
    found = {p for p in found if not p.startswith("_static/")}
    assert found - extra - moved() == set(pages())


def test_no_traceback(path):
    text = article(path).get_text()
    assert "Traceback (most recent call last)" not in text
    assert not article(path).select(".output.traceback, .tag_papermill-error-cell-tag")


def test_page_fetches_nothing_from_elsewhere(path):
    remote = [
        tag[attribute]
        for name, attribute in FETCHED.items()
        for tag in soup(path).find_all(name, **{attribute: True})
        if REMOTE.match(tag[attribute]) and not NOT_FETCHED & set(tag.get("rel", []))
    ]
    assert remote == []
    inline = soup(path).find_all(["script", "style"], src=False)
    assert not [tag for tag in inline if NETWORKS.search(tag.get_text())]


def test_no_font_is_preloaded(path):
    """Opened from disk, a page may not do that, and the console would say so."""
    assert soup(path).select("link[rel=preload][as=font]") == []


def test_style_sheets_fetch_nothing_from_elsewhere():
    pattern = re.compile(r"(url\(|@import)\s*['\"]?\s*(https?:)?//", re.IGNORECASE)
    sheets = list(HTML.rglob("*.css"))
    assert sheets
    remote = [p for p in sheets if pattern.search(p.read_text(encoding="utf-8"))]
    assert remote == []


def test_fetched_files_exist(path):
    files = {f for tag, at in FETCHED.items() for f in local_files(path, tag, at)}
    assert [f for f in files if not f.exists()] == []


def test_pictures_are_described(path):
    for image in article(path).find_all("img"):
        alt = image.get("alt", "")
        assert alt.strip(), f"{image['src']} has no alt text"
        assert not HASH.search(alt), f"the alt text is a file name: {alt}"
        assert Path(image["src"]).name != alt
    # Outside the article a picture may be decoration, but must say so.
    assert all("alt" in image.attrs for image in soup(path).find_all("img"))


def test_interactive_figures_are_described(path):
    for canvas in article(path).select(".plotly-canvas"):
        description = soup(path).find(id=canvas["aria-describedby"])
        assert description.get_text(strip=True)


def test_drawings_are_described(path):
    for drawing in article(path).find_all("svg", role="img"):
        title = drawing.find(id=drawing["aria-labelledby"])
        assert title.get_text(strip=True)


def test_computed_figures_are_described(path):
    for drawing in article(path).select(".drawing"):
        assert drawing["role"] == "img" and drawing["aria-label"].strip()


def test_every_name_on_a_page_is_given_once(path):
    names = Counter(tag["id"] for tag in soup(path).find_all(id=True))
    assert [name for name, n in names.items() if n > 1] == []


def test_internal_links_resolve(path):
    dead = []
    for link in soup(path).select("a[href]"):
        address, anchor = urldefrag(link["href"])
        if REMOTE.match(address) or address.startswith("mailto:"):
            continue
        here = HTML / path
        target = (here.parent / unquote(address)).resolve() if address else here
        if not target.is_file():
            dead.append(link["href"])
        elif anchor and target.suffix == ".html" and anchor not in anchors(target):
            dead.append(link["href"])
    assert dead == []


def test_headings_form_an_outline(path):
    headings = article(path).find_all(re.compile("^h[1-6]$"))
    levels = [int(heading.name[1]) for heading in headings]
    assert levels.count(1) == 1 and levels[0] == 1
    steps = [b - a for a, b in zip(levels, levels[1:], strict=False)]
    assert all(step <= 1 for step in steps), [h.get_text() for h in headings]


def test_page_has_a_language_and_a_title(path):
    assert soup(path).html["lang"] == "en"
    assert soup(path).title.get_text(strip=True)


def test_page_is_light_enough_for_a_phone(path):
    pictures = sum(f.stat().st_size for f in set(local_files(path, "img", "src")))
    assert (HTML / path).stat().st_size < 2 * MEGABYTE
    assert weight(path) < MEGABYTE
    assert pictures < 4 * MEGABYTE


def test_plotly_is_loaded_only_where_it_is_needed(path):
    scripts = {f.name for f in local_files(path, "script", "src")}
    needed = bool(article(path).select(".plotly-canvas"))
    assert ("plotly.min.js" in scripts) == needed


def test_method_keeps_the_equation_numbers_of_the_paper():
    expected = {"projection": 1, "fingerprint": 3, "size": 4, "ipm-zero": 18, "fdr": 19}
    page = soup("book/method.html")
    for name, number in expected.items():
        equation = page.find(id=f"equation-eq-{name}")
        assert equation.select_one(".eqno").get_text().startswith(f"({number})")


def recorded_runs():
    path = ROOT / "book/executed/runs.json"
    return json.loads(path.read_text(encoding="utf-8"))["runs"]


def test_statistics_page_shows_every_run():
    text = article("book/statistics.html").get_text()
    assert recorded_runs()
    for run in recorded_runs():
        assert run["name"] in text
        assert all(name in text for name in run["parameters"])


def test_every_chapter_names_the_run_that_made_it():
    for run in recorded_runs():
        note = soup(f"book/executed/{run['name']}.html").select_one(".execution-note")
        assert run["profile"] in note.get_text()
        assert run["notebook"] in note.get_text()
