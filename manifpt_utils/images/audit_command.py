"""`manifpt audit`: whether the files of a folder give its classes away."""

from pathlib import Path

import click

from .._support.console import Task
from .._support.files import check_replaceable, check_writable, write_whole
from .._support.names import NORMALISATIONS
from .._support.printable import printable

EXAMPLES = """\b
Examples:
  manifpt audit my-images
  manifpt audit my-images --csv files.csv --html report.html
  manifpt audit my-images --normalise jpeg90 --size 64 --output my-images-64

\b
What --normalise does:
  png     keeps all pixels as they are, as 8-bit RGB; removes format, colour
          mode and metadata
  size    also brings all images to the smallest size among them, or to
          --size, by one centred crop and one resizing with a Lanczos filter
  jpeg90  also compresses all images as JPEG of quality 90 and decodes them;
          alone, it hides no earlier compression; with a --size of half the
          smallest size or less, it hides most of it

The copy holds PNG files in the same folders; the source is never changed.  Traces of
the earlier storage can survive in the pixels, so the copy keeps a record of the audit
of its source, which is shown beside every result on it.  No copy is as good as
files that were made anew, in one way, from their originals.
"""
FILE = click.Path(dir_okay=False, path_type=Path)


class Models(click.ParamType):
    """Names with commas between them."""

    name = "NAMES"

    def convert(self, value, param, ctx):
        """A list of names."""
        return [name.strip() for name in value.split(",")]


@click.command(
    name="audit", cls=Task, stopped="stopped; nothing was written", epilog=EXAMPLES
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--models", type=Models(), help="Only these models, with commas.")
@click.option("--csv", type=FILE, help="Write a table with one row per file.")
@click.option("--html", type=FILE, help="Write a report, with pictures of copies.")
@click.option(
    "--normalise",
    type=click.Choice(NORMALISATIONS),
    help="Write a copy of the folder in which all images are stored in one way.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder of that copy."
)
@click.option(
    "--size",
    type=click.IntRange(min=8),
    help="Height and width of the images in the copy.",
)
@click.option("--force", is_flag=True, help="Replace any file by a report.")
def command(folder, models, csv, html, normalise, output, size, force):
    """Tell whether files give the classes away before any pixel is looked at.

    FOLDER holds real/ and one sub-folder per model, or is in another of the layouts
    that can be read, such as train/ and test/ or a CSV file.  The first line is the
    accuracy of a classifier that sees only how files are stored (format, compression,
    size, colour mode, metadata), with its chance level and its null: what permuted
    classes reach.  If the accuracy is above the null, a result on these images may be
    due to their storage as much as to any model.  Copies and near copies within and
    across classes are listed as well.
    """
    from .audit import audit
    from .audit_report import PAGE_STARTS, TABLE_STARTS, file_rows, page
    from .normalised_folder import check_target, write_normalised

    root = folder.expanduser()
    check_together(normalise, output, size)
    for path, start in ((csv, TABLE_STARTS), (html, PAGE_STARTS)):
        check_report(path, start, root, force)
    if csv and html and csv.resolve() == html.resolve():
        raise ValueError(f"--csv and --html are both {csv}; name two files.")
    if output:
        check_target(root, output)
    found = audit(root, models=models)
    click.echo(summary(found))
    if csv:
        write_report(csv, file_rows(found).to_csv())
    if html:
        write_report(html, page(found, root))
    if output:
        write_normalised(root, output, normalise, found, size=size)
        click.echo(f"wrote {printable(output)}")


def check_together(normalise, output, size):
    """Refuse --normalise without --output, and --output or --size without --normalise.

    Raises
    ------
    ValueError
        If one is given without the other.
    """
    if normalise and not output:
        raise ValueError(
            f"--normalise {normalise} writes a copy; say where with --output FOLDER. "
            f"Without a copy, notebooks and load() take normalise={normalise!r}."
        )
    if (output or size) and not normalise:
        raise ValueError(
            "--output and --size are for a normalised copy; say which with --normalise "
            f"{'|'.join(NORMALISATIONS)}."
        )


def check_report(path, start, root, force):
    """Refuse a report that would replace another file, or be taken for an image.

    Parameters
    ----------
    path : Path or None
    start : str
        The text with which a report of this kind begins.
    root : Path
        The folder that is audited.
    force : bool
        Whether to replace any file.

    Raises
    ------
    ValueError
        If the file may not be written.
    """
    if path is None:
        return
    place = path.resolve()
    if not place.parent.is_dir():
        raise ValueError(f"{place.parent} is no folder; make it first.")
    if root.resolve() in place.parent.parents:
        raise ValueError(
            f"{path} lies among the images of {root}; choose a place outside of it."
        )
    check_writable(path)
    if not force:
        remedy = "choose another name, or replace it with --force"
        check_replaceable(path, start, remedy=remedy)


def write_report(path, text):
    """Write a report, whole or not at all, and say so."""
    write_whole(path, text)
    click.echo(f"wrote {printable(path)}")


def summary(found):
    """The text that the console shows of an audit, the headline first.

    Parameters
    ----------
    found : Audit

    Returns
    -------
    str
    """
    from .audit_report import headline, what_to_do

    counts = found.files.groupby(level="class", sort=False).size()
    held = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    scores = found.accuracies.map("{:.2f}".format)
    scores = "" if scores.empty else scores.to_string()
    parts = [headline(found), scores, what_to_do(found), f"Files: {printable(held)}."]
    if not found.differences.empty:
        parts.append(f"What differs:\n{_escaped(found.differences)}")
    said = 0 if found.differences.empty else 1  # the headline says the first
    parts += [f"Warning: {message}" for message in found.warnings[said:]]
    return "\n\n".join(part for part in parts if part)


def _escaped(frame):
    """A table as text, with its names made safe to print."""
    return frame.rename(columns=printable).to_string()
