"""The bibliography as plain Markdown, and citations as plain links to it.

`python book/_ext/bibliography.py` writes the list into `book/bibliography.md` from
`book/references.bib`.  Every entry has an anchor, so that a link such as
`[Song et al. 2024](bibliography.md#song2024manifpt)` works in the book, in JupyterLab
and on a code host.
"""

import codecs
import re
from pathlib import Path

import latexcodec  # noqa: F401, which registers the codec "ulatex"
from pybtex.database import parse_file

BOOK = Path(__file__).parents[1]
PAGE = "book/bibliography"
START, END = "<!-- entries -->", "<!-- end of entries -->"
ANCHOR = re.compile(r'<a id="(\w+)"></a>')
PLACES = ("journal", "booktitle", "publisher", "howpublished")


def entries(source=BOOK / "references.bib"):
    """The list in Markdown, in the order of authors and years.

    Parameters
    ----------
    source : path
        A BibTeX file.

    Returns
    -------
    str
    """
    found = parse_file(source).entries
    order = sorted(found, key=lambda key: _place(found[key]))
    return "\n".join(f'- <a id="{key}"></a>{_entry(found[key])}' for key in order)


def _place(entry):
    """What the list is sorted by."""
    names = [_plain(" ".join(p.last_names)) for p in entry.persons["author"]]
    return names, entry.fields["year"]


def _entry(entry):
    fields = entry.fields
    parts = [f"{_authors(entry)} ({fields['year']}).", f"*{_plain(fields['title'])}*."]
    place = next((_plain(fields[name]) for name in PLACES if name in fields), None)
    numbers = [_plain(fields[name]) for name in ("volume", "pages") if name in fields]
    if place:
        parts.append(", ".join([place, *numbers]) + ".")
    if "doi" in fields:
        parts.append(f"[doi:{fields['doi']}](https://doi.org/{fields['doi']}).")
    if "note" in fields:
        parts.append(_linked(_plain(fields["note"])) + ".")
    return " ".join(parts)


def _linked(note):
    """An arXiv number with its address."""
    return re.sub(r"arXiv:([\d.]+\d)", r"[arXiv:\1](https://arxiv.org/abs/\1)", note)


def _authors(entry):
    names = [
        f"{_plain(' '.join(p.prelast_names + p.last_names))}, {_initials(p)}"
        for p in entry.persons["author"]
    ]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _initials(person):
    names = " ".join(person.first_names + person.middle_names)
    return " ".join(f"{_plain(name)[0]}." for name in names.split())


def _plain(text):
    """Text without the accents, the braces and the dashes of TeX."""
    return codecs.decode(text, "ulatex").replace("{", "").replace("}", "")


def with_entries(page, listed):
    """The page with its list replaced."""
    before, _, rest = page.partition(START)
    after = rest.partition(END)[2]
    return f"{before}{START}\n{listed}\n{END}{after}"


def register_anchors(app, doctree):
    """Tell MyST which anchors the page has, so that links to others are errors."""
    if app.env.docname != PAGE:
        return
    keys = ANCHOR.findall(Path(app.env.doc2path(PAGE)).read_text(encoding="utf-8"))
    slugs = app.env.metadata[PAGE].setdefault("myst_slugs", {})
    slugs.update({key: (0, key, key) for key in keys})


def setup(app):
    """Register the hook with Sphinx."""
    app.connect("doctree-read", register_anchors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    page = BOOK / "bibliography.md"
    page.write_text(with_entries(page.read_text(encoding="utf-8"), entries()))
