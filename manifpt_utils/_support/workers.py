"""Calls of functions on the workers of a Dask cluster, on one machine or several.

A task holds a function and a few names, never images or features, which a worker reads
from its own disk.  If a worker dies, its task is given to another one.
"""

from concurrent.futures import CancelledError
from contextlib import contextmanager

LOST = (
    "a process was killed, perhaps for lack of memory; what had ended is kept, and the "
    "same command continues with what is missing. Fewer processes need less memory."
)


def results_of(function, calls, *, workers=None, scheduler=None):
    """Call a function on workers, and yield its results as they come.

    Parameters
    ----------
    function : callable
        A function that the workers can import.
    calls : list of tuple
        The arguments of each call, a few names.
    workers : int, optional
        Processes of a cluster on this machine.
    scheduler : str, optional
        Address of a running cluster, such as ``tcp://10.0.0.1:8786``.

    Yields
    ------
    object
        The result of a call, in the order in which the calls end.

    Raises
    ------
    ValueError
        If the extra `scale` is not installed, both or neither of `workers` and
        `scheduler` are given, the scheduler is lost, or one task kills every worker
        that it is given to.
    OSError
        If there is no scheduler at the address.
    """
    if (workers is None) == (scheduler is None):
        raise ValueError(
            f"give workers or a scheduler, got {workers!r} and {scheduler!r}: workers "
            "are started here, those of a scheduler are running already."
        )
    distributed = _distributed()
    with _client(distributed, workers, scheduler) as client:
        tasks = [client.submit(function, *call, pure=False) for call in calls]
        try:
            for task in distributed.as_completed(tasks):
                yield task.result()
        except distributed.KilledWorker as error:
            raise ValueError(LOST) from error
        except CancelledError as error:
            raise ValueError(
                "the scheduler was lost; what had ended is kept, and the same command "
                "continues with what is missing."
            ) from error


def _distributed():
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise ValueError(
            "workers need Dask; install it by pip install manifpt-utils[scale], or "
            "give jobs, which need nothing more."
        ) from error
    return distributed


@contextmanager
def _client(distributed, workers, scheduler):
    if scheduler is not None:
        with distributed.Client(scheduler) as client:
            yield client
        return
    try:
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,  # so that results do not depend on their number
            dashboard_address=None,
            # Without an address, even the cluster with no dashboard wants port 8787,
            # which another cluster on this machine may hold.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        )
    except RuntimeError as error:
        raise ValueError(
            f"the processes could not be started ({error}). If one was killed, perhaps "
            "for lack of memory, fewer processes need less; the same command continues "
            "with what is missing."
        ) from error
    with cluster, distributed.Client(cluster) as client:
        yield client
