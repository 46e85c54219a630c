"""The audit of a folder as files: a page to look at, and a table of all files.

Names of files and classes come from outside.  The page escapes all text, allows itself
neither scripts nor requests, and holds its pictures.
"""

import base64
import io

import jinja2
import pandas as pd
from PIL import Image

from .._support.printable import printable
from .advice import advice
from .audit import files_of
from .image_files import read_image

MOST_ROWS = 50  # of pairs and groups that are shown
MOST_FILES = 4  # of a group
SIDE = 64  # pixels of a small picture
PAGE_STARTS = "<!doctype html>\n<!-- manifpt audit -->\n"
TABLE_STARTS = "class,file,format,"


def file_rows(found):
    """One row per file: facts, digest, and which other file it repeats.

    Parameters
    ----------
    found : Audit

    Returns
    -------
    DataFrame
        Indexed by class and file; `copy_of` names the first file with equal pixels,
        `near_copy_of` the nearest near copy and `difference` how far it is, in grey
        levels.
    """
    files = found.files
    names = files.index.map("/".join).to_series(index=files.index)
    first = names.groupby(files["digest"].to_numpy()).transform("first")
    near = _nearest(found.near_copies).reindex(names.to_numpy()).set_axis(files.index)
    return files.assign(copy_of=first.where(first != names, ""), **near)


def _nearest(pairs):
    """The nearest near copy of every file that has one."""
    ends = _ends(pairs)
    both = pd.concat([ends, ends.rename(columns={"one": "other", "other": "one"})])
    first = both.sort_values("difference").drop_duplicates("one").set_index("one")
    return first.set_axis(["near_copy_of", "difference"], axis=1)


def _ends(pairs):
    return pd.DataFrame(
        {
            "one": pairs["class"] + "/" + pairs["file"],
            "other": pairs["other_class"] + "/" + pairs["other_file"],
            "difference": pairs["difference"],
        }
    )


def headline(found):
    """What the files give away, and what to do about it.

    Parameters
    ----------
    found : Audit

    Returns
    -------
    str
    """
    if not found.telling:
        return (
            "A classifier that sees only how the files are stored, and no pixel, does "
            "not tell the classes apart better than chance."
        )
    scores = found.accuracies
    scores = scores[scores["accuracy"] > scores["null"]].iloc[0]
    return (
        "A classifier that sees only how the files are stored, and no pixel, names the "
        f"class of {scores.accuracy:.0%} of the files ({scores.name}). Chance is "
        f"{scores.chance:.0%}, and the best of many random assignments reaches "
        f"{scores.null:.0%}. An accuracy on these images means little unless it is "
        "above that."
    )


def what_to_do(found):
    """The remedy for what differs, or an empty text where nothing does."""
    best = "Make the files of all classes anew, in one way, from their originals."
    if found.differences.empty:
        return ""
    told = advice(found.differences.index)
    if told is None:
        return f"{best} No normalisation reaches what differs here."
    how = f"Where that cannot be done, use --normalise {told.how}:"
    return f"{best} {how} {told.sentence}"


def page(found, root):
    """The report as one HTML file that needs no other.

    Parameters
    ----------
    found : Audit
    root : Path
        Where the files lie, for small pictures of the copies.

    Returns
    -------
    str
    """
    items = files_of(root).items
    places = {(name, x.name): x.place for name, y in items.items() for x in y}
    return PAGE_STARTS + _TEMPLATE.render(
        name=root.resolve().name,
        headline=headline(found),
        remedy=what_to_do(found),
        warnings=found.warnings,
        tables=_tables(found),
        copies=_shown(_groups(found.copies), places),
        pairs=_shown(_pairs(found.near_copies), places),
        n_copies=found.copies["digest"].nunique(),
        n_pairs=len(found.near_copies),
    )


def _tables(found):
    """Title, sentence and table of each section."""
    files = found.files
    by_class = files.groupby(level="class", sort=False)
    counts = by_class.size().to_frame("files")
    counts["different images"] = by_class["digest"].nunique()
    sizes = files["width"].astype(str) + " x " + files["height"].astype(str)
    ways = files.assign(quality=files["quality"].map("{:g}".format))
    ways = ways[["format", "compression", "quality", "mode", "bits"]]
    ways = ways.replace({"nan": "–", "": "–"}).astype(str).agg(", ".join, axis=1)
    return [
        (
            "Accuracies from storage alone",
            "The null is the highest accuracy when the classes are assigned at random.",
            found.accuracies.map("{:.2f}".format),
        ),
        (
            "Facts that differ between classes",
            "The most frequent value of each class with its share, or a range.",
            found.differences,
        ),
        ("Files per class", "", counts),
        ("Sizes", "Width x height, and how many files have it.", _crossed(sizes)),
        (
            "Ways of storage",
            "Format, compression, quality of JPEG, colour mode, bits per sample.",
            _crossed(ways),
        ),
    ]


def _crossed(values):
    """Counts of the most frequent values by class."""
    most = values.value_counts().index[:MOST_ROWS]
    classes = values.index.get_level_values("class")
    counts = pd.crosstab(values.to_numpy(), classes).rename_axis(None, axis=1)
    return counts.loc[most, classes.unique()]


def _groups(copies):
    """Names of the files of every group of equal images, and no number."""
    names = copies.index.to_series(index=copies.index)
    groups = [list(x) for _, x in names.groupby(copies["digest"].to_numpy())]
    groups.sort(key=lambda group: len({name for name, _ in group}) == 1)
    return [(group, None) for group in groups]


def _pairs(pairs):
    """Names of both files of every pair, and how far they are apart."""
    return [
        ([(row[0], row[1]), (row[2], row[3])], row[4])
        for row in pairs.head(MOST_ROWS).itertuples(index=False)
    ]


def _shown(groups, places):
    """Groups with small pictures: lists of (name, picture), number of others, note."""
    return [
        (
            [_figure(places, name) for name in group[:MOST_FILES]],
            len(group) - MOST_FILES,
            "" if number is None else f"{number:.1f} grey levels apart",
        )
        for group, number in groups[:MOST_ROWS]
    ]


def _figure(places, name):
    return printable("/".join(name)), _picture(places.get(name))


def _picture(path):
    """A small picture as a data URI; none if the file is gone."""
    if path is None:
        return ""
    try:
        image = Image.fromarray(read_image(path)[0])
    except ValueError:
        return ""
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


_WRITER = jinja2.Environment(autoescape=True, trim_blocks=True)
_WRITER.filters["shown"] = printable
_TEMPLATE = _WRITER.from_string(
    """\
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Audit of {{ name|shown }}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: auto;
 padding: 1rem; background: Canvas; color: CanvasText; }
.headline { font-size: 1.25rem; border-left: .3rem solid; padding-left: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid GrayText; padding: .2rem .7rem; text-align: left; }
td { font-variant-numeric: tabular-nums; }
ul.copies { list-style: none; padding: 0; }
ul.copies li { border-bottom: 1px solid GrayText; padding: .5rem 0; }
figure { display: inline-block; margin: 0 1rem 0 0; max-width: 16rem;
 overflow-wrap: anywhere; vertical-align: top; }
figure img { image-rendering: pixelated; min-width: 3rem; display: block; }
</style>
</head>
<body>
<main>
<h1>Audit of {{ name|shown }}</h1>
<p class="headline">{{ headline }}</p>
{% if remedy %}
<p><strong>What to do.</strong> {{ remedy|shown }}</p>
{% endif %}
{% if warnings %}
<h2>To be said beside any result on these images</h2>
<ul>
{% for message in warnings %}
<li>{{ message|shown }}</li>
{% endfor %}
</ul>
{% endif %}
{% for title, sentence, table in tables %}
<h2>{{ title }}</h2>
{% if table.empty %}
<p>None.</p>
{% else %}
{% if sentence %}
<p>{{ sentence }}</p>
{% endif %}
<div class="wide" tabindex="0" role="region" aria-label="{{ title }}">
<table>
<thead><tr><td></td>
{% for column in table.columns %}
<th scope="col">{{ column|shown }}</th>
{% endfor %}
</tr></thead>
<tbody>
{% for row in table.itertuples() %}
<tr><th scope="row">{{ row[0]|shown }}</th>
{% for value in row[1:] %}
<td>{{ value|shown }}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}
{% endfor %}
{% macro gallery(groups, total) %}
{% if not groups %}
<p>None.</p>
{% else %}
{% if total > groups|length %}
<p>The first {{ groups|length }} of {{ total }}.</p>
{% endif %}
<ul class="copies">
{% for files, others, note in groups %}
<li>
{% for name, picture in files %}
<figure>
{% if picture %}
<img src="{{ picture }}" alt="">
{% endif %}
<figcaption>{{ name }}</figcaption></figure>
{% endfor %}
{% if others > 0 %}
and {{ others }} more.
{% endif %}
{{ note }}</li>
{% endfor %}
</ul>
{% endif %}
{% endmacro %}
<h2>Copies</h2>
<p>Files with equal pixels, those of several classes first.</p>
{{ gallery(copies, n_copies) }}
<h2>Near copies</h2>
<p>Images that differ in grey, at 16 x 16 pixels, by very little: compressed, resized or
brightened anew, or two views that nearly coincide. Those of two classes come first.</p>
{{ gallery(pairs, n_pairs) }}
</main>
</body>
</html>
"""
)
