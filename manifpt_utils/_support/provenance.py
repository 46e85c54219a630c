"""The versions and the commit with which a result was made."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = (
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "scikit-image",
    "torch",
    "skorch",
    "faiss-cpu",
    "openTSNE",
    "pillow",
    "matplotlib",
    "plotly",
    "papermill",
    "myst-nb",
    "jupyter-book",
)


def versions():
    """Versions of Python and of important libraries; None for those not installed."""
    python = sys.version.split()[0]
    return {"python": python} | {name: _version(name) for name in LIBRARIES}


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:  # stored results need neither the book nor notebooks
        return None


def git_commit(folder):
    """The commit of a folder, with "-dirty" if files were changed; None outside git."""
    describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    command = ["git", "--no-optional-locks", "-C", str(folder), *describe]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # where git is not installed
        return None
    return done.stdout.strip() or None
