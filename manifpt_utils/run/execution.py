"""Executes notebooks, a few at a time, until all have ended or a signal comes."""

import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import psutil
from tqdm import tqdm

from .forked import import_beforehand
from .job import Job
from .progress import Progress, duration

SEVERAL = 3  # notebooks from which on imports are made once for all of them
POLL = 0.2  # seconds between two checks of the running notebooks
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_all(runs, book, *, jobs=2, force=False, enforce_budget=False):
    """Execute every run that needs it, report on it, and return the exit status.

    Parameters
    ----------
    runs : list of Run
    book : Executions
        Where the executed copies go.
    jobs : int
        How many notebooks run at a time; they share the cores.
    force : bool
        Whether to execute unchanged notebooks, too.
    enforce_budget : bool
        Whether to stop a notebook that takes longer than its budget.

    Returns
    -------
    int
        0 if all went well, 1 if a notebook failed, 128 + n if signal n stopped the run.
    """
    begun = time.monotonic()
    with caught_signals() as received:
        waiting = [run for run in runs if force or not _up_to_date(run, book)]
        start = partial(Job, root=book.root, enforce_budget=enforce_budget)
        statuses = _execute(waiting, start, book, jobs=jobs, received=received)
    seconds = time.monotonic() - begun
    say(*_summary(runs, waiting, statuses, book, seconds))
    if received:
        return 128 + received[0]
    return 1 if any(status != "ok" for status in statuses.values()) else 0


def _up_to_date(run, book):
    """Whether a run can be skipped; a change of prose alone needs no execution."""
    state = book.state(run)
    if state == "new prose":
        book.refresh(run)
        say(f"{run.name}: only its prose changed, not executed again")
    return state != "run"


def _execute(runs, start, book, *, jobs, received):
    """The status of each run that ended, by name."""
    jobs = min(jobs, len(runs)) or 1
    if len(runs) >= SEVERAL:
        import_beforehand()
    expected = {run.name: book.expected_seconds(run) for run in runs}
    statuses = {}
    with scratch_folder(book.output) as folder, Progress(expected, jobs=jobs) as bar:
        start = partial(start, folder=folder, jobs=jobs)
        with closing(_ended(runs, start, bar, jobs=jobs, received=received)) as ended:
            for job, status, running in ended:
                statuses[job.run.name] = status
                bar.ended[job.run.name] = job.seconds
                _keep(job, status, book)
                say(f"  {bar.told(running)}")
    return statuses


def _ended(runs, start, bar, *, jobs, received):
    """Yield each job when it ends, with its status and the times of the others."""
    waiting, running = list(runs), []
    try:
        while (waiting or running) and not received:
            while waiting and len(running) < jobs:
                running.append(start(waiting.pop(0)))
                say(f"{running[-1].run.name}: started")
            time.sleep(POLL)
            for job in list(running):
                status = job.look()
                if status:
                    running.remove(job)
                    yield job, status, _seconds(running)
            bar.show(_seconds(running))
    finally:
        for job in running:
            job.stop()


def _seconds(jobs):
    return {job.run.name: job.seconds for job in jobs}


def _keep(job, status, book):
    """Keep the results of a job, and report on it."""
    record, notebook = job.outcome(status)
    if status == "ok":
        book.keep(job.run, notebook, record)
    else:
        book.keep_failed(job.run, job.copy if notebook else None, record)
    memory = record["peak_memory"] / 1e6
    say(f"{job.run.name}: {status}, {duration(record['seconds'])}, {memory:.0f} MB")
    if record["error"]:
        say(record["error"])


def _summary(runs, waiting, statuses, book, seconds):
    """Lines that say what was executed, was skipped or failed, and where to look."""
    good = [name for name, status in statuses.items() if status == "ok"]
    failed = [name for name in statuses if name not in good]
    unchanged = [run.name for run in runs if run not in waiting]
    left = len(waiting) - len(statuses)
    counts = [f"{len(good)} executed", f"{len(unchanged)} unchanged"]
    counts += [f"{len(failed)} failed"] + [f"{left} not done"] * bool(left)
    yield f"{', '.join(counts)} in {duration(seconds)}"
    if unchanged:
        yield f"unchanged (--force executes them again): {', '.join(unchanged)}"
    for name in failed:
        yield f"failed: {name}: {_last_line(book.records[name]['error'])}"
        copy = book.output / f"{name}.failed.ipynb"
        if copy.is_file():
            yield f"  where it stopped: jupyter lab {shlex.quote(_short(copy))}"
    if failed or left:
        yield "the same command continues with what failed or was not done"


def _last_line(text):
    return text.rstrip().rpartition("\n")[2]


def _short(path):
    """The path as text, relative to the working folder if it lies inside."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def say(*lines):
    """Print lines above the progress bar, without delay also into a file or a pipe."""
    tqdm.write("\n".join(lines))
    sys.stdout.flush()


@contextmanager
def caught_signals():
    """Collect signals in a list, so that no step is interrupted half-way."""
    received = []

    def receive(number, _frame):
        received.append(number)

    old = {number: signal.signal(number, receive) for number in SIGNALS}
    try:
        yield received
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


@contextmanager
def scratch_folder(output):
    """A temporary folder inside the output folder, so that moving is atomic."""
    # A runner that was killed outright could not remove its own.
    for old in output.glob(".run-[0-9]*-*"):
        if not psutil.pid_exists(int(old.name.split("-")[1])):
            shutil.rmtree(old, ignore_errors=True)
    prefix = f".run-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=output) as folder:
        yield Path(folder)
