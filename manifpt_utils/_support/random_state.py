"""Random numbers of torch that do not change those of the caller."""

from contextlib import contextmanager

import torch


@contextmanager
def forked_random_state(seed=None):
    """A block after which the random state of CPU and GPU is what it was before.

    Parameters
    ----------
    seed : int, optional
        The seed with which the block begins; by default it begins with the state
        outside.
    """
    with torch.random.fork_rng(devices=range(min(1, torch.cuda.device_count()))):
        if seed is not None:
            torch.manual_seed(seed)
        yield
