"""Weight and barriers of every page of the built book, as a table in Markdown.

    python tests/book/pages_report.py [page ...]

A page is named by a part of its path.  Barriers are what axe-core calls serious or
critical, in light and in dark; weights are in kilobytes, with and without the pictures
that lie inside a page.
"""

import argparse

from book_site import HTML, barriers, open_browser, pages, serve, visit, weight


def rules_broken(page):
    """Names of the rules that a page breaks, and how often."""
    found = barriers(page)
    return ", ".join(f"{rule} ({len(at)})" for rule, at in found.items()) or "none"


def row(browser, address, path):
    """One line of the table."""
    found = {}
    for scheme in ("light", "dark"):
        page, problems = visit(browser, f"{address}/{path}", scheme=scheme)
        page.add_style_tag(content="* { transition: none !important }")
        page.wait_for_selector(f"html[data-theme={scheme}]")
        found[scheme] = rules_broken(page)
        page.close()
    size = (HTML / path).stat().st_size
    sizes = f"{size / 1000:.0f} | {weight(path) / 1000:.0f}"
    loud = "; ".join(problems) or "none"
    return f"| {path} | {sizes} | {found['light']} | {found['dark']} | {loud} |"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", nargs="*", help="part of a page's path; default: all")
    names = parser.parse_args().page
    chosen = [p for p in pages() if any(name in p for name in names or [""])]
    print("| page | kB | kB without pictures | light | dark | console and network |")
    print("|---|---:|---:|---|---|---|")
    with serve() as address, open_browser() as browser:
        for path in chosen:
            print(row(browser, address, path), flush=True)


if __name__ == "__main__":
    main()
