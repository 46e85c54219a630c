"""The audit of a folder as files: a page to look at, and a table of all files.

Names of files and classes come from outside.  Therefore the page escapes all text,
forbids scripts and requests, and contains its pictures.
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

MOST_ROWS = 50  # pairs and groups that are shown
MOST_FILES = 4  # files of a group that are shown
SIDE = 64  # pixels of a small picture
PAGE_STARTS = "<!doctype html>\n<!-- manifpt audit -->\n"
TABLE_STARTS = "class,file,format,"


def file_rows(found):
    """One row per file: facts, digest, and the file of which it is a copy.

    Parameters
    ----------
    found : Audit

    Returns
    -------
    DataFrame
        Indexed by class and file.  `copy_of` names the first file with equal pixels,
        `near_copy_of` the nearest near copy, and `difference` is the distance from
        that, in grey levels.
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
    """How well the files alone give the classes away, in one or two sentences.

    Parameters
    ----------
    found : Audit

    Returns
    -------
    str
    """
    if found.accuracies.empty:
        return (
            "There are too few files to say how well their storage gives the classes "
            "away; two classes need two files each."
        )
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
    """The remedy for what differs, or an empty text if nothing does."""
    best = "Make the files of all classes anew, in one way, from their originals."
    if found.differences.empty:
        return ""
    told = advice(found.differences.index)
    if told is None:
        return f"{best} No normalisation removes what differs here."
    how = f"If that cannot be done, use --normalise {told.how}:"
    return f"{best} {how} {told.sentence}"


def page(found, root):
    """The report as one HTML file that needs no other file.

    Parameters
    ----------
    found : Audit
    root : Path
        The folder of the files, from which small pictures of copies are made.

    Returns
    -------
    str
    """
    models = found.files.index.unique("class").drop("real", errors="ignore")
    items = files_of(root, list(models)).items
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
            "The null is the highest accuracy among random permutations of classes.",
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
            "Format, compression, JPEG quality, colour mode, bits per sample.",
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
    """Names of the files in every group of equal images, without a distance."""
    names = copies.index.to_series(index=copies.index)
    groups = [list(x) for _, x in names.groupby(copies["digest"].to_numpy())]
    groups.sort(key=lambda group: len({name for name, _ in group}) == 1)
    return [(group, None) for group in groups]


def _pairs(pairs):
    """Names of both files of every pair, and their distance."""
    return [
        ([(row[0], row[1]), (row[2], row[3])], row[4])
        for row in pairs.head(MOST_ROWS).itertuples(index=False)
    ]


def _shown(groups, places):
    """Groups with pictures: a list of (name, picture), the number of others, a note."""
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
<h2>Warnings that belong beside any result on these images</h2>
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
<p>Files with equal pixels; those in several classes come first.</p>
{{ gallery(copies, n_copies) }}
<h2>Near copies</h2>
<p>Images that hardly differ once they are reduced to 16 x 16 grey pixels: they were
compressed, resized or brightened, or are two views that nearly coincide. Pairs of two
classes come first.</p>
{{ gallery(pairs, n_pairs) }}
</main>
</body>
</html>
"""
)
