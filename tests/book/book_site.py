"""The built book for the tests: its pages, a local server, and a browser."""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
sys.path[:0] = map(str, (ROOT, ROOT / "tests"))  # for scripts of this folder

import turns  # noqa: E402

from teaching import browser  # noqa: E402

chromium, open_browser = browser.chromium, browser.open_browser
HTML = ROOT / "book/_build/html"
PATIENCE = 90_000  # milliseconds; a busy machine is no defect of the book
REFERENCE = "book/api/"
THIRDS = 3
INLINE = re.compile(r"<svg.*?</svg>|data:image/[^\"')]*", re.DOTALL)
NOT_BUILT = "the book is not built: `make book`, or see the head of _config.yml"
LOCAL = ("http://127.0.0.1:", "data:", "blob:")
KEPT_OUT = ("serious", "critical")
# Its faults are moderate, so that none keeps anybody out; it takes a tenth of the time.
NOT_ASKED = {"region": {"enabled": False}}
# axe-core reads the colours of every element anew, which takes a third of its time,
# though a page has a few dozen of them.
COLOURS_READ_ONCE = """(() => {
  const { prototype } = axe.commons.color.Color;
  const read = prototype.parseString;
  const known = new Map();
  prototype.parseString = function (text) {
    if (known.has(text)) return Object.assign(this, known.get(text));
    read.call(this, text);
    known.set(text, { r: this.r, g: this.g, b: this.b, alpha: this.alpha });
    return this;
  };
})()"""
NO_BROWSER = "no Chromium found: install it or set MANIFPT_CHROMIUM to its path"


def pages():
    """Every page of the table of contents, as a path below HTML."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [c for part in toc["parts"] for c in part["chapters"]]
    names = [n["file"] for c in chapters for n in (c, *c.get("sections", ()))]
    return [f"{name}.html" for name in [toc["root"], *names]]


def pages_in_turn():
    """Every page but two thirds of the reference, other ones after every commit.

    The pages of the reference are made from docstrings by one template, and take as
    long to look through as all chapters.  With MANIFPT_TESTS=all, as `make test-all`
    sets it, none is left out.
    """
    if turns.ALL:
        return pages()
    reference = [path for path in pages() if path.startswith(REFERENCE)]
    turn = turns.rotating_seed() % THIRDS
    return [
        path
        for path in pages()
        if path not in reference or path in reference[turn::THIRDS]
    ]


def serve(folder=HTML):
    """Serve the folder on a free local port; yields the address."""
    return browser.serve(folder)


def weight(path):
    """Bytes of a page without the pictures that lie inside it."""
    text = (HTML / path).read_text(encoding="utf-8")
    return len(INLINE.sub("", text).encode())


def visit(browser, address, **look):
    """Open a page of its own at an address, with the network cut off.

    Returns
    -------
    page, problems
        As of `blank`.
    """
    page, problems = blank(browser, **look)
    show(page, address)
    return page, problems


def blank(browser, *, scheme="light", width=1280, height=900):
    """An empty page of the browser.

    Returns
    -------
    page, problems
        The page, and a list that collects external requests, failed local ones and
        errors of the console, now and later.
    """
    problems = []
    size = {"width": width, "height": height}
    page = browser.new_page(color_scheme=scheme, viewport=size)
    page.set_default_timeout(PATIENCE)

    def check(request):
        if not request.url.startswith(LOCAL):
            problems.append(f"external request: {request.url}")

    page.on("request", check)
    page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
    page.on("console", lambda m: m.type == "error" and problems.append(m.text))
    page.on(
        "response",
        lambda r: r.status >= 400 and problems.append(f"{r.status}: {r.url}"),
    )
    return page, problems


def barriers(page, **rules):
    """Rules of axe-core whose breach keeps readers out, and the HTML of each place."""
    from axe_playwright_python.base import AXE_SCRIPT

    options = {"resultTypes": ["violations"], "preload": False, "rules": NOT_ASKED}
    if page.evaluate("!window.axe"):
        page.evaluate(AXE_SCRIPT)
        page.evaluate(COLOURS_READ_ONCE)
    found = page.evaluate("(options) => axe.run(options)", options | rules)
    return {
        fault["id"]: [node["html"] for node in fault["nodes"]]
        for fault in found["violations"]
        if fault["impact"] in KEPT_OUT
    }


def show(page, address):
    """Go to an address; wait until formulas are typeset and all figures are drawn."""
    page.goto(address, wait_until="load")
    page.wait_for_function(
        """() => {
          const figures = [...document.querySelectorAll(".plotly-canvas")];
          const drawn = figures.every((figure) => figure.querySelector("svg"));
          const formulas = document.querySelector(".math.notranslate");
          return drawn && (!formulas || document.querySelector("mjx-container"));
        }"""
    )
