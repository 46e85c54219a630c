"""Photograph every page of the built book: light, dark, and as wide as a phone.

    python tests/book/screenshots.py OUT [page ...]

writes OUT/<page>-<look>.png.  A page is named by a part of its path, for example
`method` or `03_`; without names, all pages are taken.
"""

import argparse
from pathlib import Path

from book_site import HTML, NOT_BUILT, open_browser, pages, serve, visit
from tqdm import tqdm

LOOKS = {
    "light": {"scheme": "light", "width": 1280},
    "dark": {"scheme": "dark", "width": 1280},
    "phone": {"scheme": "light", "width": 390},
    "phone-dark": {"scheme": "dark", "width": 390},
}


def chosen(names):
    """Pages whose path holds one of the names."""
    found = [p for p in pages() if any(name in p for name in names or [""])]
    if not found:
        raise SystemExit(f"no page is named {' or '.join(names)}; pages: {pages()}")
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("page", nargs="*", help="part of a page's path; default: all")
    parser.add_argument("--look", choices=LOOKS, action="append", help="default: all")
    args = parser.parse_args()
    if not HTML.is_dir():
        raise SystemExit(NOT_BUILT)
    args.out.mkdir(parents=True, exist_ok=True)
    todo = [(p, look) for p in chosen(args.page) for look in args.look or LOOKS]
    with serve() as address, open_browser() as browser:
        for path, look in tqdm(todo, unit="picture"):
            page, _ = visit(browser, f"{address}/{path}", **LOOKS[look])
            name = Path(path).stem
            page.screenshot(path=args.out / f"{name}-{look}.png", full_page=True)
            page.close()


if __name__ == "__main__":
    main()
