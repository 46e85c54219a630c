"""Studies: trainings that are computed once, and whose results the book reads.

A *training* is a tuple that says what is trained.  It gives one or several *rows*, each
with a score and the *cell* of the study to which it belongs.  The rows of a study lie
in `data/results/<name>.csv`; beside them, `<name>.json` records the commands, commits,
versions, samples and CPU seconds that made them.  A study that was stopped continues
with the cells that are missing; those of samples that have changed since are missing,
too.
"""

import io
from datetime import UTC, datetime
from json import dumps, loads
from pathlib import Path

import pandas as pd
from filelock import FileLock

from .._support.files import write_whole
from .._support.paths import DATA, ROOT
from .._support.provenance import git_commit, versions
from ..images.manifest import read_manifest, verified

FOLDER = "results"


class Study:
    """What all studies have in common: a table, and the trainings that it lacks.

    A subclass sets the attributes below and defines `planned`, `cells`, `batch`,
    `account`, `sheets`, and `scores` or, if its rows hold more than a score, `measure`.

    Attributes
    ----------
    name : str
        Name of the study's two files.
    keys, values : tuple of str
        Columns that identify a cell, and the other columns.  The last one is `reason`,
        which says why there is no score.
    types : dict
        Types of the columns that are not text.
    order : dict of str to int
        Order of names in the file; other keys are sorted by their value.
    """

    name: str
    keys: tuple
    values: tuple
    types: dict
    order: dict

    def planned(self):
        """All trainings, the most important first: a list of tuples."""
        raise NotImplementedError

    def cells(self, training):
        """The cells to which a training gives rows: a set of tuples of `keys`."""
        raise NotImplementedError

    def measure(self, training):
        """Train, test and return the rows: a list of dict."""
        key, found = training._asdict(), self.scores(training)
        return [{**key, "column": c, "score": score} for c, score in found.items()]

    def scores(self, training):
        """Train, test and return the scores: a dict of column to float."""
        raise NotImplementedError

    def batch(self, training):
        """The batch of a training; trainings of one batch share computations."""
        raise NotImplementedError

    def account(self, training):
        """The name under which the CPU seconds of a training are summed."""
        raise NotImplementedError

    def sheets(self):
        """Names and sha256 of the samples from which the results are."""
        raise NotImplementedError

    def samples(self, training):
        """Names of the sheets that a training reads; all, unless a study says less."""
        return self.sheets().keys()

    def results(self):
        """Read the stored rows.

        Returns
        -------
        DataFrame
            The columns `keys` and `values`; texts that do not apply are empty.

        Raises
        ------
        ValueError
            If the file is missing or not the one the manifest lists.
        """
        return self.parse(verified(DATA, f"{FOLDER}/{self.name}.csv", read_manifest()))

    def provenance(self):
        """How the results were made: commands, commits, versions, CPU seconds, sheets.

        The seconds are those of all runs together; features that a run found in the
        cache are not counted.
        """
        name = f"{FOLDER}/{self.name}.json"
        return loads(verified(DATA, name, read_manifest()))

    def parse(self, content):
        """Rows from the bytes of a file."""
        return self._typed(pd.read_csv(io.BytesIO(content), dtype=self.types))

    def _typed(self, table):
        texts = [name for name in table if name not in self.types]
        table = table.astype({name: object for name in texts})
        return table.fillna(dict.fromkeys(texts, "")).astype(self.types)

    def empty(self):
        """A table without rows."""
        return pd.DataFrame(columns=[*self.keys, *self.values])

    def merge(self, table, rows):
        """The table with new rows, which replace older rows of the same cells."""
        new = pd.DataFrame(rows, columns=[*self.keys, *self.values])
        both = pd.concat([table.astype(object), new])
        both = self._typed(both.drop_duplicates([*self.keys], keep="last"))
        return both.sort_values([*self.keys], key=self._places, ignore_index=True)

    def _places(self, values):
        return values.map(lambda value: self.order.get(value, value))

    def missing(self, trainings, table):
        """The trainings with at least one cell that is not in the table."""
        there = set(self.keys_of(table))
        return [training for training in trainings if self.cells(training) - there]

    def keys_of(self, table):
        """The cells of a table: one tuple per row."""
        return list(table[[*self.keys]].itertuples(index=False, name=None))

    def pruned(self, table, made_of):
        """The table without cells that the study no longer has, or of other samples.

        Parameters
        ----------
        table : DataFrame
        made_of : dict of str to str
            Names and sha256 of the sheets from which the table was computed.
        """
        now = self.sheets()
        changed = {name for name in now if made_of.get(name) != now[name]}
        kept = (t for t in self.planned() if changed.isdisjoint(self.samples(t)))
        cells = set().union(*map(self.cells, kept))
        return table.loc[[key in cells for key in self.keys_of(table)]]


class Store:
    """The two files of a study, which are written whole or not at all.

    Several commands may write to one store at the same time: under a lock, each adds
    its rows to what is on disk at that moment.

    Parameters
    ----------
    study : Study
    folder : path
    command : str
        The command that is recorded.
    """

    def __init__(self, study, folder, command):
        self.study = study
        self.csv = Path(folder) / f"{study.name}.csv"
        self.json = self.csv.with_suffix(".json")
        self.run = {
            "command": command,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "git": git_commit(ROOT),
            "versions": versions(),
        }

    def read(self):
        """The table and the record on disk, or empty ones if there are none.

        Rows of samples that have changed since are left out, so that they are computed
        again.

        Raises
        ------
        ValueError
            If the files hold something else.
        """
        table, record = self._on_disk()
        return self.study.pruned(table, record["sheets"]), record

    def n_outdated(self):
        """How many rows on disk are of samples, or of a plan, that have changed."""
        table, record = self._on_disk()
        return len(table) - len(self.study.pruned(table, record["sheets"]))

    def _on_disk(self):
        if not self.csv.is_file():
            record = {"runs": [], "cpu_seconds": {}, "sheets": {}}
            return self.study.empty(), record
        try:
            table = self.study.parse(self.csv.read_bytes())
            self.study.keys_of(table)  # its columns
            record = loads(self.json.read_bytes())
            record["runs"], record["cpu_seconds"], record["sheets"]
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ValueError(
                f"{self.csv} with {self.json.name} is damaged, or holds something else "
                "than results of this study; give another file, or move the two away."
            ) from error
        return table, record

    def add(self, trainings, rows, seconds):
        """Store the rows of some trainings of one batch, and the seconds they took."""
        self.csv.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.csv.with_name(f".{self.csv.name}.lock")):
            table, record = self.read()
            if self.run not in record["runs"]:
                record["runs"].append(self.run)
            times, account = record["cpu_seconds"], self.study.account(trainings[0])
            times[account] = round(times.get(account, 0) + seconds, 1)
            record["sheets"] = self.study.sheets()
            table = self.study.merge(table, rows)
            # The record is written first: a recorded training without rows is computed
            # again.
            write_whole(self.json, dumps(record, indent=1) + "\n")
            write_whole(self.csv, table.to_csv(index=False, float_format="%.5g"))
