"""The built book for the tests: its pages, a local server, and a browser."""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # for those who start a script of this folder

from teaching import browser  # noqa: E402

chromium, open_browser = browser.chromium, browser.open_browser
HTML = ROOT / "book/_build/html"
PATIENCE = 90_000  # milliseconds; a busy machine is no defect of the book
INLINE = re.compile(r"<svg.*?</svg>|data:image/[^\"')]*", re.DOTALL)
NOT_BUILT = "the book is not built: `make book`, or see the head of _config.yml"
LOCAL = ("http://127.0.0.1:", "data:", "blob:")
NO_BROWSER = "no Chromium found: install it or set MANIFPT_CHROMIUM to its path"


def pages():
    """Every page of the table of contents, as a path below HTML."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [c for part in toc["parts"] for c in part["chapters"]]
    names = [n["file"] for c in chapters for n in (c, *c.get("sections", ()))]
    return [f"{name}.html" for name in [toc["root"], *names]]


def serve(folder=HTML):
    """Serve the folder on a free local port; yields the address."""
    return browser.serve(folder)


def weight(path):
    """Bytes of a page without the pictures that lie inside it."""
    text = (HTML / path).read_text(encoding="utf-8")
    return len(INLINE.sub("", text).encode())


def visit(browser, address, *, scheme="light", width=1280, height=900):
    """Open a page with the network cut off.

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
    page.goto(address, wait_until="load")
    settle(page)
    return page, problems


def settle(page):
    """Wait until formulas are typeset and every interactive figure is drawn."""
    page.wait_for_function(
        """() => {
          const figures = [...document.querySelectorAll(".plotly-canvas")];
          const drawn = figures.every((figure) => figure.querySelector("svg"));
          const formulas = document.querySelector(".math.notranslate");
          return drawn && (!formulas || document.querySelector("mjx-container"));
        }"""
    )
