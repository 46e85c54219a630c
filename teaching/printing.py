"""The whole book as one PDF: each page printed by Chromium, then joined.

The pages come in the order of the table of contents, behind a title page with that
table, and are numbered throughout.  A link from one page of the book to another leads
to it inside the PDF.
"""

import io
from html import escape
from urllib.parse import urldefrag

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject

from .browser import serve

PAPER = {
    "format": "A4",
    "print_background": True,
    "scale": 0.85,
    "margin": {"top": "16mm", "bottom": "18mm", "left": "15mm", "right": "15mm"},
}
WIDTH = 800  # pixels that the paper holds at this scale
PATIENCE = 180_000  # milliseconds for one page on a busy machine
READY = """() => {
  document.querySelectorAll("details").forEach((part) => { part.open = true; });
  const drawn = [...document.querySelectorAll(".plotly-canvas")]
    .every((figure) => figure.querySelector("svg"));
  const formulas = document.querySelector(".math.notranslate");
  return drawn && (!formulas || document.querySelector("mjx-container"));
}"""
STYLE = """
body { font: 11pt/1.5 system-ui, "Liberation Sans", Arial, sans-serif; }
h1 { font-size: 24pt; margin: 40mm 0 6mm; }
h2 { font-size: 14pt; margin-top: 20mm; }
ol { list-style: none; padding: 0; }
li { display: flex; justify-content: space-between; }
li.part { font-weight: 600; margin-top: 3mm; }
.number { break-after: page; color: #5b6370; font-size: 9pt; height: 284mm;
  padding-right: 15mm; position: relative; text-align: right; }
.number span { position: absolute; bottom: 2mm; right: 15mm; }
"""


def print_page(browser, address):
    """One page as a PDF.

    Parameters
    ----------
    browser : playwright's browser
    address : str

    Returns
    -------
    bytes
    """
    page = browser.new_page(viewport={"width": WIDTH, "height": 1200})
    page.set_default_timeout(PATIENCE)
    page.emulate_media(media="print", color_scheme="light")
    page.goto(address, wait_until="load")
    page.wait_for_function(READY)
    printed = page.pdf(**PAPER)
    page.close()
    return printed


def print_documents(browser, paths):
    """Print pages beside themselves, as files that end with .pdf.

    Parameters
    ----------
    browser : playwright's browser
    paths : list of path of HTML files
    """
    for path in paths:
        pdf = print_page(browser, path.resolve().as_uri())
        path.with_suffix(".pdf").write_bytes(pdf)


def print_book(browser, html, pages, target, *, title, report=lambda text: None):
    """Print the rendered book into one file.

    Parameters
    ----------
    browser : playwright's browser
    html : path
        Folder of the rendered book.
    pages : list of (str, str)
        Title and path, relative to `html`, of each page, in order.
    target : path of the PDF
    title : str
    report : callable
        Told the title of each page that is printed.
    """
    parts = []
    with serve(html) as address:
        for name, path in pages:
            report(name)
            printed = print_page(browser, f"{address}/{path}")
            parts.append(PdfReader(io.BytesIO(printed)))
    counts = [len(part.pages) for part in parts]
    names = [name for name, _ in pages]
    front = _front(browser, title, names, counts)
    numbers = _printed(browser, _numbers(len(front.pages) + sum(counts)))
    addresses = {f"{address}/{path}": i for i, (_, path) in enumerate(pages)}
    writer = _joined(front, parts, names, addresses)
    for page, stamp in zip(writer.pages, numbers.pages, strict=True):
        page.merge_page(stamp)
        page.compress_content_streams()
    writer.compress_identical_objects()
    writer.add_metadata({"/Title": title})
    writer.write(target)


def _printed(browser, html):
    page = browser.new_page()
    page.set_content(f"<!doctype html><style>{STYLE}</style>{html}")
    printed = page.pdf(format="A4", margin=PAPER["margin"] if "<h1>" in html else None)
    page.close()
    return PdfReader(io.BytesIO(printed))


def _front(browser, title, names, counts):
    """Title and contents, printed twice, as their own length moves the numbers."""
    length = 0
    while True:
        starts = _starts(counts, length)
        front = _printed(browser, _contents(title, names, starts))
        if len(front.pages) == length:
            return front
        length = len(front.pages)


def _starts(counts, first):
    """The number of pages before each part."""
    return [first + sum(counts[:i]) for i in range(len(counts))]


def _contents(title, names, starts):
    lines = "".join(
        f"<li><span>{escape(name)}</span><span>{start + 1}</span></li>"
        for name, start in zip(names, starts, strict=True)
    )
    return f"<h1>{escape(title)}</h1><h2>Contents</h2><ol>{lines}</ol>"


def _numbers(total):
    """A sheet for each page, with nothing but its number."""
    return "".join(
        f'<div class="number"><span>{number}</span></div>'
        for number in range(1, total + 1)
    )


def _joined(front, parts, names, addresses):
    writer = PdfWriter()
    writer.append(front, import_outline=False)
    starts = _starts([len(part.pages) for part in parts], len(front.pages))
    for part, name in zip(parts, names, strict=True):
        writer.append(part, outline_item=name, import_outline=False)
    for page in writer.pages:
        _lead_inside(page, addresses, starts, writer)
    return writer


def _lead_inside(page, addresses, starts, writer):
    """Turn links to pages of the book into places of the PDF."""
    for reference in page.get("/Annots") or []:
        link = reference.get_object()
        action = link.get("/A")
        if action is None or "/URI" not in action:
            continue
        part = addresses.get(urldefrag(str(action["/URI"])).url)
        if part is not None:
            place = writer.pages[starts[part]].indirect_reference
            link[NameObject("/Dest")] = ArrayObject([place, NameObject("/Fit")])
            del link["/A"]
