"""Grids of trainings whose results are stored: computed once, and read by the book.

A *training* is a tuple that says what is trained; it gives one or several *rows*, each
with a score and the *cell* that it belongs to.  The rows of a grid lie in
`data/results/<name>.csv`, and beside them, in `<name>.json`, the commands, commits,
versions and CPU seconds that made them.  A grid that stopped goes on with what lacks.
"""

import argparse
import io
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from json import dumps, loads
from pathlib import Path

import joblib
import pandas as pd
import torch
from tqdm import tqdm

from .._support.files import write_whole
from .._support.paths import DATA, ROOT
from .._support.provenance import git_commit, versions
from ..images.manifest import read_manifest, verified

FOLDER = "results"


@dataclass(frozen=True)
class Grid:
    """What a grid is made of.

    Parameters
    ----------
    name : str
        Of its two files, and of the module that has its command line.
    keys, values : tuple of str
        Columns that name a cell, and the other columns; the last one is `reason`,
        which says why there is no score.
    types : dict
        Of columns that are no text.
    order : dict of str to int
        Where names stand in the file; other keys are sorted as they are.
    planned : function of nothing
        All trainings.
    cells : function of a training
        Its cells, a set of tuples of `keys`.
    measure : function of a training and options
        Its rows, a list of dict.
    batch : function of a training
        Trainings in a row of one batch share what was computed for them.
    account : function of a training
        The name under which its CPU seconds are summed.
    sheets : function of nothing
        Names and sha256 of the samples that the results are of.
    """

    name: str
    keys: tuple
    values: tuple
    types: dict
    order: dict
    planned: Callable
    cells: Callable
    measure: Callable
    batch: Callable
    account: Callable
    sheets: Callable

    def results(self):
        """The stored rows, as a DataFrame.

        Raises
        ------
        ValueError
            If the file is missing or not the one the manifest lists.
        """
        return self.parse(verified(DATA, f"{FOLDER}/{self.name}.csv", read_manifest()))

    def provenance(self):
        """What made the results: commands, commits, versions, CPU seconds, sheets.

        The seconds are those of all runs together, without features that a run found
        in the cache.
        """
        name = f"{FOLDER}/{self.name}.json"
        return loads(verified(DATA, name, read_manifest()))

    def parse(self, content):
        """Rows from the bytes of a file."""
        table = pd.read_csv(io.BytesIO(content), dtype=self.types)
        return table.assign(reason=table["reason"].astype(object).fillna(""))

    def empty(self):
        """A table without rows."""
        return pd.DataFrame(columns=[*self.keys, *self.values])

    def merge(self, table, rows):
        """The table with new rows, which replace older ones of the same cell."""
        new = pd.DataFrame(rows, columns=[*self.keys, *self.values])
        both = pd.concat([table.astype(object), new])
        both = both.drop_duplicates([*self.keys], keep="last").astype(self.types)
        both["reason"] = both["reason"].fillna("")
        return both.sort_values([*self.keys], key=self._places, ignore_index=True)

    def _places(self, values):
        return values.map(lambda value: self.order.get(value, value))

    def missing(self, trainings, table):
        """The trainings of which at least one cell is not in the table."""
        there = set(self.keys_of(table))
        return [training for training in trainings if self.cells(training) - there]

    def keys_of(self, table):
        """The cells of a table, one tuple a row."""
        return list(table[[*self.keys]].itertuples(index=False, name=None))

    def pruned(self, table):
        """Without the cells of an earlier grid that this one no longer has."""
        cells = set().union(*map(self.cells, self.planned()))
        return table[[key in cells for key in self.keys_of(table)]]


class Store:
    """The two files of a grid, which are there whole or not at all.

    Parameters
    ----------
    grid : Grid
    folder : path
    command : str
        That is noted down.
    """

    def __init__(self, grid, folder, command):
        self.grid = grid
        self.csv = Path(folder) / f"{grid.name}.csv"
        self.json = self.csv.with_suffix(".json")
        self.table = grid.empty()
        self.record = {"runs": [], "cpu_seconds": {}, "sheets": {}}
        if self.csv.is_file():
            self.table = grid.pruned(grid.parse(self.csv.read_bytes()))
            self.record = loads(self.json.read_text(encoding="utf-8"))
        self.run = {
            "command": command,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "git": git_commit(ROOT),
            "versions": versions(),
        }

    def add(self, trainings, rows, seconds):
        """Keep the rows of some trainings of one batch, and what they took."""
        self.table = self.grid.merge(self.table, rows)
        if self.run not in self.record["runs"]:
            self.record["runs"].append(self.run)
        times, account = self.record["cpu_seconds"], self.grid.account(trainings[0])
        times[account] = round(times.get(account, 0) + seconds, 1)
        self.record["sheets"] = self.grid.sheets()
        self.csv.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.csv, self.table.to_csv(index=False, float_format="%.5g"))
        write_whole(self.json, dumps(self.record, indent=1) + "\n")


def compute(trainings, store, *, jobs=1, **options):
    """Run the trainings that the results lack and add what they give.

    Parameters
    ----------
    trainings : list of tuple
    store : Store
        Is written after every batch, so that an interrupted call goes on.
    jobs : int
        Processes.
    **options
        Of the grid's `measure`.
    """
    grid = store.grid
    todo = grid.missing(trainings, store.table)
    run = joblib.delayed(_measure_all)
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    batches = (list(batch) for _, batch in groupby(todo, key=grid.batch))
    work = parallel(run(grid.measure, batch, options) for batch in batches)
    with tqdm(total=len(todo), unit="training") as bar:
        for done, rows, seconds in work:
            store.add(done, rows, seconds)
            bar.set_postfix_str(grid.account(done[0]))
            bar.update(len(done))


def _measure_all(measure, trainings, options):
    """Rows and CPU seconds of some trainings, computed on one thread."""
    torch.set_num_threads(1)
    begun = time.process_time()
    rows = [row for training in trainings for row in measure(training, **options)]
    return trainings, rows, time.process_time() - begun


def parser(grid, description):
    """The arguments that the command lines of all grids have."""
    top = argparse.ArgumentParser(
        prog=f"python -m manifpt_utils.{grid.name}",
        description=f"{description} Cells that the results hold already are skipped; "
        "delete the file to compute all anew.",
        epilog="Afterwards `python -m manifpt_utils.zoo pack --only-manifest` lists "
        "the new files.",
    )
    add = top.add_argument
    add("--jobs", type=_positive, default=1, help="processes; default: %(default)s")
    place = "folder of the results; default: data/results beside the package"
    add("--output", type=Path, default=DATA / FOLDER, help=place)
    add("--list", action="store_true", help="show what would be trained, and stop")
    return top


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def run(grid, parser, plan, arguments=None, *, passed=()):
    """Run a command line; an error of the user's is one line and exit status 1.

    Parameters
    ----------
    grid : Grid
    parser : argparse.ArgumentParser
        From `parser`, with more arguments.
    plan : function of the parsed options
        The trainings that they ask for.
    arguments : list of str, optional
        Those of the process by default.
    passed : sequence of str
        Options that `measure` takes.
    """
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(given)
    try:
        trainings = plan(options)
        store = Store(grid, options.output, shlex.join([*parser.prog.split(), *given]))
        if options.list:
            todo = grid.missing(trainings, store.table)
            print("\n".join(", ".join(map(str, training)) for training in todo))
            return
        more = {name: getattr(options, name) for name in passed}
        compute(trainings, store, jobs=options.jobs, **more)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on with what is missing")
