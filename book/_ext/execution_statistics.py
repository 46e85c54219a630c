"""What was run, from runs.json: a page with tables, and a note on every chapter.

`manifpt run` writes the file; the book shows it as it is, so
that a reader sees which profile, parameters and versions produced the chapters.
"""

import json
from datetime import datetime
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOGGER = logging.getLogger(__name__)
EXECUTED = "book/executed"  # docnames of the chapters
RUNS = f"{EXECUTED}/runs.json"
STATISTICS = "book/statistics"
SMOKE = (
    " The smoke profile uses few images: it proves that everything runs, and its "
    "numbers are no results."
)
FAILED = (
    " This last execution failed, so what the page shows comes from an earlier one, "
    "perhaps of other code or parameters."
)


def duration(seconds):
    """Format seconds as '42 s' or '3 min 20 s'."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def memory(peak):
    """Format bytes in MB (10^6 bytes)."""
    return f"{peak / 1e6:.0f} MB"


def parameters(run):
    """The parameters that the run plan gave, as 'name = value' lines."""
    given = run["parameters"].items()
    return [f"{name} = {json.dumps(value)}" for name, value in given]


def started(run):
    """Date and time to the minute, UTC as recorded."""
    return datetime.fromisoformat(run["started"]).strftime("%Y-%m-%d %H:%M")


def summary(runs):
    """One sentence on the whole: how many, how long, which profile."""
    profiles = " and ".join(sorted({run["profile"] for run in runs}))
    total = duration(sum(run["seconds"] for run in runs))
    done = sum(run["status"] == "ok" for run in runs)
    return (
        f"{done} of {len(runs)} notebooks were executed without an error, in the "
        f"profile {profiles}. Their own times add up to {total}."
    )


def text_cell(content):
    """A table cell with plain text on one line."""
    return nodes.entry("", nodes.paragraph("", str(content), classes=["nowrap"]))


def code_cell(lines, *, kind):
    """A table cell with one line of code for each entry; `kind` says how it breaks."""
    body = nodes.line_block(classes=[kind])
    body += [nodes.line("", "", nodes.literal(text=line)) for line in lines]
    return nodes.entry("", body)


def table(head, rows):
    """A docutils table from a header and rows of cells."""
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    top = nodes.row("", *map(text_cell, head))
    group += nodes.thead("", top)
    group += nodes.tbody("", *(nodes.row("", *row) for row in rows))
    return nodes.table("", group)


def state(run):
    """The profile, and what went wrong if anything did."""
    return run["profile"] + ("" if run["status"] == "ok" else f" ({run['status']})")


def runs_table(runs):
    """Notebook, profile, time, memory, parameters."""
    head = ("Chapter", "Profile", "Time", "Peak memory", "Parameters")
    rows = [
        [
            text_cell(run["name"]),
            text_cell(state(run)),
            text_cell(duration(run["seconds"])),
            text_cell(memory(run["peak_memory"])),
            code_cell(parameters(run) or ["defaults"], kind="nowrap"),
        ]
        for run in runs
    ]
    return table(head, rows)


def differing(runs, key):
    """Values of `key` over all runs, each once, in order of appearance."""
    return list(dict.fromkeys(str(run[key]) for run in runs))


def versions(runs):
    """Each package with the version or versions that the runs used."""
    names = sorted({name for run in runs for name in run["versions"]})
    return {
        name: ", ".join(sorted({run["versions"].get(name, "none") for run in runs}))
        for name in names
    }


def provenance_table(runs):
    """Source state, data state and package versions."""
    entries = {
        "git commit": ", ".join(differing(runs, "git")),
        "data manifest (sha256)": ", ".join(differing(runs, "data")),
        **versions(runs),
    }
    rows = [[text_cell(k), code_cell([v], kind="anywhere")] for k, v in entries.items()]
    return table(("What", "Which"), rows)


def read_runs(env):
    """The list of runs, empty where nothing has been run yet."""
    path = Path(env.srcdir, RUNS)
    env.note_dependency(str(path))
    if not path.is_file():
        return []
    return json.loads(path.read_text(encoding="utf-8"))["runs"]


class ExecutionStatistics(SphinxDirective):
    """Insert a part of the record, or a warning where nothing has been run."""

    required_arguments = 1

    def run(self):
        """Read the record and build the part that was asked for."""
        part = directives.choice(self.arguments[0], ("runs", "provenance"))
        runs = read_runs(self.env)
        if not runs:
            LOGGER.warning(
                "%s is missing: run `manifpt run` first",
                RUNS,
                location=self.get_location(),
            )
            return [nodes.paragraph("", "No notebook has been executed yet.")]
        if part == "provenance":
            return [provenance_table(runs)]
        return [nodes.paragraph("", summary(runs)), runs_table(runs)]


def link(text, page):
    """A reference to another page, resolved by Sphinx."""
    target = addnodes.pending_xref(
        "", refdomain="std", reftype="doc", reftarget=page, refexplicit=True
    )
    target += nodes.inline("", text)
    return target


def chapter_note(run):
    """The paragraph below a chapter's title: when and how it was executed."""
    when = f"Executed on {started(run)} UTC with the profile "
    note = nodes.paragraph("", when, classes=["execution-note"])
    note += nodes.strong("", run["profile"])
    note += nodes.Text(f" in {duration(run['seconds'])} (")
    note += link("details", f"/{STATISTICS}")
    note += nodes.Text(f"). Source: {run['notebook']}.")
    if run["status"] != "ok":
        note += nodes.Text(FAILED)
    if run["profile"] == "smoke":
        note += nodes.Text(SMOKE)
    return note


def add_chapter_note(app, doctree):
    """Say on every executed page which run produced it."""
    folder, _, name = app.env.docname.rpartition("/")
    if folder != EXECUTED:
        return
    title = next(doctree.findall(nodes.title), None)
    for run in read_runs(app.env):
        if run["name"] == name and title is not None:
            title.parent.insert(title.parent.index(title) + 1, chapter_note(run))


def setup(app):
    """Register the directive and the note with Sphinx."""
    app.add_directive("execution-statistics", ExecutionStatistics)
    app.connect("doctree-read", add_chapter_note)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
