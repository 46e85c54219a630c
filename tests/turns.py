"""What is tested in turns: a part at every commit, all of it with `make test-all`."""

import os
from pathlib import Path

from manifpt_utils._support.provenance import git_commit

ROOT = Path(__file__).parents[1]
ALL = os.environ.get("MANIFPT_TESTS") == "all"


def rotating_seed():
    """A seed that is the same for everyone at one commit, and another at the next."""
    return int((git_commit(ROOT) or "0")[:8], 16)
