"""What tests of stored results share."""

from contextlib import contextmanager

import torch

from manifpt_utils._support.paths import ROOT
from manifpt_utils._support.provenance import git_commit


def rotating_seed():
    """A seed that is the same for everyone at one commit, and another at the next."""
    commit = git_commit(ROOT) or "0"
    return int(commit[:8], 16)


@contextmanager
def one_thread():
    """A block in which torch computes as the studies do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
