"""The folder of executed notebooks, and `runs.json`, the record of their runs.

`runs.json` holds `{"schema": 1, "runs": [...]}`: the last run of each output, sorted by
name, with these entries::

    name        output, NAME.ipynb in the same folder
    notebook    source, relative to the plan
    profile     "smoke" or "full"
    parameters  what the plan sets; everything else is the notebook's default
    budget      seconds allowed where budgets are enforced
    status      "ok", "failed" or "timeout"
    seconds     wall-clock time
    peak_memory bytes, largest sum of the resident memory of the kernel and its
                children (sampled; shared pages count in each)
    started     time in UTC, ISO 8601
    versions    of Python and of important libraries
    git         commit, with "-dirty" if files were changed; null outside git
    data        sha256 of data/manifest.json; null if there is none
    key         sha256 of everything that decides the result
    text        sha256 of the whole source notebook, prose included
    output      sha256 of the executed copy; null unless status is "ok"
    error       null, or the last lines of the traceback
"""

import hashlib
import json
import os
import sys
import tempfile
from functools import cache
from pathlib import Path

import nbformat
from filelock import FileLock

from .._support.files import write_whole
from .._support.paths import PACKAGE
from .._support.source import syntax
from .copies import as_kept, tags, with_new_prose
from .progress import roughly

PINNED = ("data/manifest.json", "constraints.txt")


class Executions:
    """An output folder, and which copies in it are complete and up to date.

    Parameters
    ----------
    root : path
        Folder of the plan, with `notebooks`, `data` and `constraints.txt`.
    output : path
        Folder of the executed copies.
    plan : list of Run
        Records of outputs that are no longer in the plan are dropped.
    """

    def __init__(self, root, output, plan):
        self.root, self.output = Path(root), Path(output)
        self._names = {run.name for run in plan}
        self.records = self._read()

    def _read(self):
        records = _read_records(self.output / "runs.json")
        return {r["name"]: r for r in records if r["name"] in self._names}

    def path(self, run, *, failed=False):
        """The path of the executed copy, or of the one that failed."""
        return self.output / f"{run.name}{'.failed' if failed else ''}.ipynb"

    def state(self, run):
        """What has to be done: "run", "new prose" only, or nothing ("unchanged")."""
        record = self.records.get(run.name, {"status": None})
        copy = file_hash(self.path(run))  # the copy may have been removed or changed
        if record["status"] != "ok" or record["output"] != copy:
            return "run"
        source = read_notebook(self.root / run.source)
        if record["key"] != result_key(source, run.parameters, self.root):
            return "run"
        old = (record["text"], record["profile"])
        return "unchanged" if old == (text_key(source), run.profile) else "new prose"

    def expected_seconds(self, run):
        """Seconds of the run when it was last measured, None if it never was."""
        record = self.records.get(run.name, {"status": None})
        was_here = (record["status"], record.get("profile")) == ("ok", run.profile)
        return record["seconds"] if was_here else run.seconds

    def line(self, run):
        """What has to be done for a run, in one line."""
        seconds = self.expected_seconds(run)
        time = roughly(seconds) if seconds else ""
        given = json.dumps(run.parameters)
        return (
            f"{run.name:<28} {run.profile:<6} {self.state(run):<10} {time:<18} {given}"
        )

    def refresh(self, run):
        """Put a notebook's new prose into its executed copy."""
        source = read_notebook(self.root / run.source)
        notebook = with_new_prose(source, read_notebook(self.path(run)))
        new = {"text": text_key(source), "profile": run.profile, "budget": run.budget}
        self.keep(run, notebook, self.records[run.name] | new)

    def keep(self, run, notebook, record):
        """Move a complete executed copy into place, then record the run."""
        write_whole(self.path(run), nbformat.writes(as_kept(notebook)))
        self.path(run, failed=True).unlink(missing_ok=True)
        self.record(record | {"output": file_hash(self.path(run))})

    def keep_failed(self, run, copy, record):
        """Move the notebook of a run that failed into place; `copy` may be None."""
        self.path(run, failed=True).unlink(missing_ok=True)
        if copy:
            os.replace(copy, self.path(run, failed=True))
        self.record(record)

    def record(self, record):
        """Write `runs.json` with a new or changed record in it."""
        with FileLock(self.output / ".runs.lock"):
            # Meanwhile another runner may have recorded other notebooks.
            self.records = self._read() | {record["name"]: record}
            runs = [self.records[name] for name in sorted(self.records)]
            text = json.dumps({"schema": 1, "runs": runs}, indent=1)
            write_whole(self.output / "runs.json", text + "\n")


def ready_to_write(folder):
    """Create the output folder and try to write into it.

    Raises
    ------
    ValueError
        If that is impossible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"cannot write to the output folder {folder}: {error.strerror or error}."
            " Choose another one with --output."
        ) from None


def read_notebook(path):
    """Read a notebook as notebook format 4."""
    return nbformat.read(path, as_version=4)


def result_key(notebook, parameters, root):
    """Hash of everything that decides what a run computes.

    That is the notebook's code and quiz, the parameters and the images in the folders
    they name, this package, the data manifest, the pinned versions, and the version of
    Python.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code = [[cell.source, tags(cell)] for cell in cells]
    files = [file_hash(Path(root, name)) for name in PINNED]
    files += map(file_hash, _quizzes(cells, root))
    images = [_folder_state(Path(root, text)) for text in _texts(parameters)]
    return _hash([code, parameters, images, files, _package_hash(), sys.version])


def _quizzes(cells, root):
    """The quiz files that the code names."""
    code = "\n".join(cell.source for cell in cells)
    there = sorted(Path(root, "notebooks", "quizzes").glob("*.yml"))
    return [path for path in there if f'"{path.stem}"' in code]


def text_key(notebook):
    """Hash of a whole source notebook: prose, layout and code."""
    return _hash([[c.cell_type, c.source, c.metadata] for c in notebook.cells])


def file_hash(path):
    """The sha256 of a file, or None where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _read_records(path):
    """Records of an earlier call; a file that cannot be read only costs new runs."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["runs"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _hash(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@cache
def _package_hash():
    # No notebook uses the zoo, and none depends on comments: neither counts here.
    files = [f for f in sorted(PACKAGE.rglob("*.py")) if "zoo" not in f.parts]
    return _hash([[str(f.relative_to(PACKAGE)), syntax(f)] for f in files])


def _texts(parameters):
    """All texts among the parameters; some may name folders."""
    for value in parameters.values():
        items = value if isinstance(value, list) else [value]
        yield from (item for item in items if isinstance(item, str) and item)


def _folder_state(path):
    """Names, sizes and times of the files in a folder of the reader's own images."""
    files = sorted(path.rglob("*")) if path.is_dir() else []
    states = [(file, file.stat()) for file in files]
    return [[str(file), state.st_size, state.st_mtime_ns] for file, state in states]
