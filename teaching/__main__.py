"""`python -m teaching` writes the teaching kit; `make kit` calls it."""

from pathlib import Path

import click

from .browser import NO_BROWSER, chromium, open_browser
from .kit import QUICK, TITLE, Kit
from .printing import print_book, print_documents

ROOT = Path(__file__).resolve().parents[1]
NOT_RENDERED = (
    "No PDF of the book was made, because it is not rendered: run `make html`."
)


@click.command(name="python -m teaching")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=ROOT / "book" / "kit",
    help="Folder of the kit; default: book/kit.  An older kit there is replaced.",
)
@click.option(
    "--executed",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the executed chapters; default: book/executed.",
)
@click.option("--pdf/--no-pdf", default=True, help="Whether PDFs are made.")
def main(output, executed, pdf):
    """Write slides, handouts, questions and the printed book."""
    kit = Kit(ROOT, output.resolve(), executed)
    try:
        printed = kit.write()
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if kit.is_quick():
        click.echo(QUICK)
    if pdf and chromium() is None:
        click.echo(NO_BROWSER)
    elif pdf:
        with open_browser() as browser:
            print_documents(browser, printed)
            _print_book(browser, kit)
        kit.write_index()
    click.echo(f"Open {output / 'index.html'} in a browser.")


def _print_book(browser, kit):
    pages = kit.book_pages()
    if not pages:
        click.echo(NOT_RENDERED)
        return
    html = kit.root / "book" / "_build" / "html"
    with click.progressbar(length=len(pages), label="Printing the book") as bar:
        print_book(
            browser,
            html,
            pages,
            kit.output / "book.pdf",
            title=TITLE,
            report=lambda name: bar.update(1),
        )


if __name__ == "__main__":
    main()
