"""What tests of stored results share."""

from contextlib import contextmanager

import torch


@contextmanager
def one_thread():
    """A block in which torch computes as the studies do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
