"""Trainings at the same time: as many processes as there are idle cores and memory.

A small network keeps one thread busy, but not two: two threads of torch use about one
and a half cores, and two processes of one thread use both.  A training has the same
digits in a process of its own as it has here on one thread.
"""

import os
import threading
import time
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

import joblib
import numpy as np
import torch
from joblib.externals.loky import get_reusable_executor, process_executor
from tqdm.auto import tqdm

from .._support import environment
from .device import torch_device

MEMORY = 3_000_000_000  # bytes that all processes together may take
PROCESS = 450_000_000  # bytes of a process that has not yet seen an image
PER_PIXEL = 100_000  # bytes of the largest training, for each pixel of an image
# loky replaces a process that has grown by this many bytes.  By default they are fewer
# than torch keeps for its next batch, and a new process takes seconds to start.
LEAK = 3_000_000_000
IDLE = 300  # seconds after which a process without work ends
ONE_THREAD = dict.fromkeys(environment.THREADS, "1") | environment.MEMORY
KILLED = (
    "a process was killed, perhaps for lack of memory. With OMP_NUM_THREADS=1 in the "
    "environment, all is computed in one process, which needs less."
)


def n_processes(n_pixels):
    """How many trainings on such images can run at once.

    Parameters
    ----------
    n_pixels : int
        Height times width of an image, see `pixels_per_image`.

    Returns
    -------
    int
        At most the number of threads that torch may use, which OMP_NUM_THREADS sets,
        and at most what the memory allows; 1 on a GPU.

    Examples
    --------
    >>> n_processes(256**2)
    1
    """
    if torch_device().type != "cpu":
        return 1
    cores = min(joblib.cpu_count(), torch.get_num_threads())
    return max(1, min(cores, MEMORY // (PROCESS + PER_PIXEL * n_pixels)))


def pixels_per_image(images):
    """Height times width; of rows of features, that of an image of as many numbers.

    Parameters
    ----------
    images : (n, h, w, 3) array, or (n, d) array

    Returns
    -------
    int

    Examples
    --------
    >>> pixels_per_image(np.zeros((5, 4, 6, 3))), pixels_per_image(np.zeros((5, 72)))
    (24, 24)
    """
    return int(np.prod(images.shape[1:])) // 3


def in_processes(function, calls, *, processes, **bar):
    """Call a function in several processes at once, each of which has one thread.

    Parameters
    ----------
    function : callable
    calls : iterable of tuple
        The arguments of each call.  The first calls begin while later ones are made.
    processes : int
        With 1, everything is done here, on as many threads as torch has.
    **bar
        Options of the progress bar, such as `total` and `desc`.

    Returns
    -------
    list
        The results in the order of the calls.

    Raises
    ------
    ValueError
        If a process is killed.
    """
    if processes == 1:
        return [function(*call) for call in tqdm(calls, **bar)]
    # joblib.Parallel loses errors of calls that are still being made.
    known = {"initializer": _begin, "initargs": (os.getpid(),)}
    pool = get_reusable_executor(processes, timeout=IDLE, env=ONE_THREAD, **known)
    try:
        with one_thread():
            tasks = [pool.submit(_alone, function, call) for call in calls]
        for task in tqdm(as_completed(tasks), **{"total": len(tasks)} | bar):
            task.result()
    except BrokenProcessPool as error:
        raise ValueError(KILLED) from error
    except BaseException:
        pool.shutdown(kill_workers=True)
        raise
    return [task.result() for task in tasks]


@contextmanager
def one_thread():
    """A block in which torch computes on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _begin(parent):
    """Let this process end when the one that started it was killed, and only then."""
    process_executor._MAX_MEMORY_LEAK_SIZE = LEAK

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _alone(function, call):
    """The result of a call, computed on one thread."""
    torch.set_num_threads(1)
    return function(*call)
