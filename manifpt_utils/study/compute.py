"""Computing what a study lacks, in several processes or on a cluster."""

import time
from concurrent.futures.process import BrokenProcessPool
from itertools import groupby

import joblib
from tqdm.auto import tqdm

from .._support.files import check_writable
from .workers import LOST, results_of


def compute(trainings, store, *, jobs=1, workers=None, scheduler=None, **options):
    """Run the trainings that the results lack and add what they give.

    Parameters
    ----------
    trainings : list of tuple
    store : Store
        Is written after every batch, so that an interrupted call goes on.
    jobs : int
        Processes.
    workers, scheduler
        A Dask cluster in place of the processes, see `workers.results_of`.
    **options
        Options of the study's `measure`.

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
    calls = [(study, batch, options) for batch in batches]
    work = _work(calls, jobs, workers, scheduler)
    with tqdm(total=len(todo), unit="training") as bar:
        for done, rows, seconds in work:
            store.add(done, rows, seconds)
            bar.set_postfix_str(study.account(done[0]))
            bar.update(len(done))


def _work(calls, jobs, workers, scheduler):
    """What the calls give, in the order in which they end."""
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


def _measure_all(study, trainings, options):
    """Rows and CPU seconds of some trainings, computed on one thread."""
    import torch

    torch.set_num_threads(1)
    begun = time.process_time()
    rows = [row for training in trainings for row in study.measure(training, **options)]
    return trainings, rows, time.process_time() - begun
