"""Random numbers of torch that leave those of the caller alone."""

from contextlib import contextmanager

import torch


@contextmanager
def forked_random_state(seed=None):
    """A block that leaves the random state outside, CPU and GPU, as it was.

    Parameters
    ----------
    seed : int, optional
        What the block begins with; the state outside if not given.
    """
    with torch.random.fork_rng(devices=range(min(1, torch.cuda.device_count()))):
        if seed is not None:
            torch.manual_seed(seed)
        yield
