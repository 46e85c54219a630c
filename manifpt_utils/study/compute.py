"""Computes the missing trainings of a study, in several processes or on a cluster."""

import time
from concurrent.futures.process import BrokenProcessPool
from itertools import groupby

import joblib
from tqdm.auto import tqdm

from .._support.files import check_writable
from .._support.workers import LOST, results_of


def compute(trainings, store, *, jobs=1, workers=None, scheduler=None, device=None):
    """Run the trainings that the results lack, and add their rows.

    Parameters
    ----------
    trainings : list of tuple
    store : Store
        It is written after every batch, so that a call after an interrupt can continue.
    jobs : int
        Processes.
    workers, scheduler
        A Dask cluster instead of processes, see `workers.results_of`.
    device : str, optional
        Device of torch of every process, see `use_device`.

    Raises
    ------
    ValueError
        If the results cannot be written, or a process is killed.
    """
    study = store.study
    todo = study.missing(trainings, store.read()[0])
    if todo:
        check_writable(store.csv)
    batches = (list(batch) for _, batch in groupby(todo, key=study.batch))
    calls = [(study, batch, device) for batch in batches]
    work = _work(calls, jobs, workers, scheduler)
    with tqdm(total=len(todo), unit="training") as bar:
        for done, rows, seconds in work:
            store.add(done, rows, seconds)
            bar.set_postfix_str(study.account(done[0]))
            bar.update(len(done))


def _work(calls, jobs, workers, scheduler):
    """The results of the calls, in the order in which they end."""
    if not calls:
        return ()
    if workers is not None or scheduler is not None:
        return results_of(_measure_all, calls, workers=workers, scheduler=scheduler)
    return _in_processes(calls, jobs)


def _in_processes(calls, jobs):
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    try:
        yield from parallel(joblib.delayed(_measure_all)(*call) for call in calls)
    except BrokenProcessPool as error:
        raise ValueError(LOST) from error


def _measure_all(study, trainings, device):
    """Rows and CPU seconds of some trainings, computed on one thread."""
    from ..method.device import use_device
    from ..method.processes import one_thread

    begun = time.process_time()
    with one_thread(), use_device(device):
        rows = [row for training in trainings for row in study.measure(training)]
    return trainings, rows, time.process_time() - begun
