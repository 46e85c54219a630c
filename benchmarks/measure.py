"""Time and memory of contenders for one task, side by side.

Every contender lives in a process of its own, so that its peak memory is its own.
The processes take turns, one run each a round: a change in the load of the machine
then meets all of them, and the ratios stay fair.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median
from typing import Any

import pandas as pd
import psutil
from tqdm import tqdm

from .memory import peak, reset

MEGABYTE = 1e6


@dataclass(frozen=True)
class Contender:
    """One way to do the task.

    `prepare` takes the data and returns a function without arguments.  Only that
    function is timed; the memory of both counts, that of libraries and data does not.
    Times are multiplied by `scale` where only a part of the task is run.
    """

    name: str
    prepare: Callable[..., Callable[[], Any]]
    scale: float = 1.0
    once: bool = False
    note: str = ""


@dataclass(frozen=True)
class Task:
    """Contenders for the same data; the first is what the others are compared to."""

    title: str
    data: Callable[[], tuple]
    contenders: tuple[Contender, ...]
    agreement: Callable[[Any, Any], str]
    count: int | None = None  # items of one run, for a column of items per second


def measure(task, *, repeats=5):
    """Run all contenders of a task in turns.

    Parameters
    ----------
    task : Task
    repeats : int
        Timed rounds; a contender marked `once` takes part in the first only.

    Returns
    -------
    pandas.DataFrame
        A row a contender: median wall and CPU seconds, both relative to the first,
        peak memory beyond the data in MB, agreement with the first, note; items per
        second where the task counts any.
    """
    children = [_Child(task.data, contender) for contender in task.contenders]
    try:
        rounds = tqdm(range(repeats), desc=task.title, unit="round", leave=False)
        for number in rounds:
            for child in children:
                if number == 0 or not child.contender.once:
                    child.run()
        return _table(task, children)
    finally:
        for child in children:
            child.stop()


class _Child:
    """A process that holds the data and runs one contender on demand."""

    def __init__(self, data, contender):
        context = get_context("spawn")
        self.contender = contender
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(theirs, data, contender), daemon=True
        )
        self.process.start()
        theirs.close()
        self.seconds = []
        self._receive()

    def run(self):
        self.pipe.send("run")
        wall, cpu = self._receive()
        scale = self.contender.scale
        self.seconds.append((wall * scale, cpu * scale))

    def report(self):
        """The result of the last run, and the peak memory beyond the data in MB."""
        self.pipe.send("report")
        return self._receive()

    def stop(self):
        self.pipe.close()
        self.process.join(timeout=5)
        if self.process.is_alive():
            self.process.terminate()

    def _receive(self):
        try:
            return self.pipe.recv()
        except EOFError:
            self.process.join()
            raise RuntimeError(
                f"{self.contender.name} stopped with exit code "
                f"{self.process.exitcode}; see its message above.  Code -9 means that "
                "memory ran out: try --quick."
            ) from None


def _serve(pipe, data, contender):
    arrays = data()
    reset()  # what made the data is not counted
    before = psutil.Process().memory_info().rss
    run = contender.prepare(*arrays)
    if not contender.once:
        run()  # the first run pays for starting threads and loading libraries
    pipe.send("ready")
    result = None
    while True:
        try:
            order = pipe.recv()
        except EOFError:
            return
        if order == "report":
            pipe.send((result, max(peak() - before, 0) / MEGABYTE))
            continue
        wall, cpu = time.perf_counter(), time.process_time()
        result = run()
        pipe.send((time.perf_counter() - wall, time.process_time() - cpu))


def _table(task, children):
    medians = [
        [median(times) for times in zip(*c.seconds, strict=True)] for c in children
    ]
    reports = [child.report() for child in children]
    first = reports[0][0]
    rows = [
        {
            "contender": child.contender.name,
            "wall s": wall,
            "CPU s": cpu,
            "wall ratio": wall / medians[0][0],
            "CPU ratio": cpu / medians[0][1],
            "extra MB": extra,
            "agreement": task.agreement(first, result),
            "runs": len(child.seconds),
            "note": child.contender.note,
        }
        for child, (wall, cpu), (result, extra) in zip(
            children, medians, reports, strict=True
        )
    ]
    table = pd.DataFrame(rows).set_index("contender")
    if task.count:
        table.insert(2, "items/s", task.count / table["wall s"])
    return table
