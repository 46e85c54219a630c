"""Execute the notebooks of a run plan: `python -m manifpt_utils.run.command`.

Every notebook runs in processes of its own, two at a time.  An executed copy is
written under a temporary name and moved into the output folder only when the whole
notebook succeeded, so whatever is found there is complete; a failing copy is kept
beside it as NAME.failed.ipynb.  A notebook is skipped when its code, its parameters,
this package, the data manifest and the pinned versions are those of its last run; if
only its prose changed, the new prose is put into the executed copy.  `runs.json` in
the output folder tells about every run (`manifpt_utils.run.record` says what).

Exit status: 0 all well; 1 a notebook failed or took too long; 2 the plan or the
output folder cannot be used, and nothing ran; 128 + n stopped by signal n.
"""

import argparse
import json
import os
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

from .job import Job
from .plan import PROFILES, check_notebooks, read_plan, select
from .record import Executions, check_writable

POLL = 0.2  # seconds between two looks at the running notebooks
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def parser():
    """The arguments of `python -m manifpt_utils.run.command`."""
    top = argparse.ArgumentParser(
        prog="python -m manifpt_utils.run.command",
        description="Execute the notebooks of a run plan with papermill.",
        epilog="One notebook with other parameters: papermill"
        " notebooks/03_attribution.ipynb out.ipynb -p n_train 50."
        " MANIFPT_CACHE=off computes all features anew.",
    )
    add = top.add_argument
    add("--profile", choices=PROFILES, default="smoke", help="default: %(default)s")
    add("--plan", type=Path, default=Path("runs.yml"), help="default: %(default)s")
    add("--only", nargs="+", action="extend", metavar="NAME", help="only these outputs")
    add("--jobs", type=_positive, default=2, help="at a time; default: %(default)s")
    add("--force", action="store_true", help="run also what is unchanged")
    add("--list", action="store_true", help="show what would run, and run nothing")
    place = "folder of the executed copies; default: book/executed beside the plan"
    add("--output", type=Path, help=place)
    return top


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def main(arguments=None):
    """Run the command line and return the exit status."""
    options = parser().parse_args(arguments)
    root = options.plan.resolve().parent
    try:
        plan = read_plan(options.plan)
        runs = select(plan, profile=options.profile, only=options.only)
        check_notebooks(runs, root)
        book = Executions(root, options.output or root / "book" / "executed", plan)
        if options.list:
            print("\n".join(_line(run, book.state(run)) for run in runs))
            return 0
        check_writable(book.output)
        return run_all(runs, book, jobs=options.jobs, force=options.force)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _line(run, state):
    given = json.dumps(run.parameters)
    return f"{run.name:<28} {run.profile:<6} {run.budget:>6} s  {state:<10} {given}"


def run_all(runs, book, *, jobs=2, force=False):
    """Execute every run that needs it, say so, and return the exit status.

    Parameters
    ----------
    runs : list of Run
    book : Executions
        Where the executed copies go.
    jobs : int
        How many notebooks run at a time; they share the cores.
    force : bool
        Whether to execute what is unchanged, too.
    """
    begun = time.monotonic()
    waiting = [run for run in runs if force or not _up_to_date(run, book)]
    jobs = min(jobs, len(waiting)) or 1
    with caught_signals() as received, scratch_folder(book.output) as folder:
        start = partial(Job, root=book.root, folder=folder, jobs=jobs)
        with closing(execute(waiting, start, jobs=jobs, received=received)) as ended:
            statuses = [_finish(job, status, book) for job, status in ended]
    if received:
        left = len(waiting) - len(statuses)
        say(f"stopped: {left} of {len(waiting)} not done")
        return 128 + received[0]
    good = statuses.count("ok")
    seconds = time.monotonic() - begun
    say(
        f"{good} executed, {len(runs) - len(waiting)} unchanged,"
        f" {len(statuses) - good} failed in {seconds:.0f} s"
    )
    return 0 if good == len(statuses) else 1


def _up_to_date(run, book):
    """Skip what is unchanged; prose alone needs no execution."""
    state = book.state(run)
    if state == "unchanged":
        say(f"{run.name}: unchanged, skipped (--force runs it again)")
    elif state == "new prose":
        book.refresh(run)
        say(f"{run.name}: only its prose changed, not executed again")
    return state != "run"


def say(text):
    """Print a line above the progress bars, at once also into a file or a pipe."""
    tqdm.write(text)
    sys.stdout.flush()


@contextmanager
def caught_signals():
    """Collect signals in a list, so that no step is cut in the middle."""
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


def execute(runs, start, *, jobs, received):
    """Yield (job, status) for each run when it ends; stop all at a signal."""
    waiting, running = list(runs), []
    try:
        while (waiting or running) and not received:
            while waiting and len(running) < jobs:
                run = waiting.pop(0)
                running.append(start(run))
                say(f"{run.name}: started ({run.profile}, at most {run.budget} s)")
            time.sleep(POLL)
            for job in list(running):
                status = job.look()
                if status:
                    running.remove(job)
                    yield job, status
    finally:
        for job in running:
            job.stop()


def _finish(job, status, book):
    """Keep what a job left, tell about it, and return its status."""
    record, notebook = job.outcome(status)
    if status == "ok":
        book.keep(job.run, notebook, record)
    else:
        if notebook:
            os.replace(job.folder / "executed.ipynb", book.path(job.run, failed=True))
        book.record(record)
    memory = record["peak_memory"] / 1e6
    say(f"{job.run.name}: {status}, {record['seconds']} s, {memory:.0f} MB")
    if record["error"]:
        say(record["error"])
    if record["error"] and notebook:
        say(f"  the failing copy: {book.path(job.run, failed=True)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
