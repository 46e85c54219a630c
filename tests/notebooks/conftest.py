"""Says at the end which cases of the matrix of parameters were run."""

import turns
from matrix import ROOT, cases, chosen

from manifpt_utils._support.provenance import git_commit


def pytest_terminal_summary(terminalreporter):
    commit = git_commit(ROOT)
    every = cases()
    tenth, few = chosen(every, commit)
    some = f"{len(few)} of them, tenth {tenth} by commit {commit}"
    which = "all" if turns.ALL else some
    terminalreporter.write_line(
        f"notebooks and parameters: {len(every)} cases, {which} "
        "(make test-all runs all of them)"
    )
