"""Notebooks executed in processes that are forked from one which imported all of them.

A kernel for every case would spend more than half of its time on imports.  What a
kernel does beyond that, with its messages, is tried by the quick run of all notebooks.
"""

import ast
import os
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from joblib import cpu_count
from matrix import NOTEBOOKS, ROOT, given_parameters
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from traitlets.config import Config

from manifpt_utils.images import gm_photo
from manifpt_utils.method import exact

# One thread each, so that as many cases as there are cores do not get in their way.
ENVIRONMENT = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1") | {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline"
}
CONTEXT = get_context("forkserver")
# What libraries import when they are first used.
AT_FIRST_USE = (
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "plotly.graph_objs",
    "skdim.id",
    "skimage.io",
    "torch._dynamo",  # by the first optimizer; it takes more than a second
)


class Outcome(NamedTuple):
    """What a case came to: its findings in Markdown, or an error and where it rose."""

    said: str = ""
    error: str = ""
    where: str = ""


def pool():
    """Threads that `run` cases, on all cores but four at most.

    The environment of the first case is that of all.
    """
    CONTEXT.set_forkserver_preload(sorted(imported()))
    return ThreadPoolExecutor(min(cpu_count(), 4))


def run(case, folder):
    """Run a case in a process of its own: an `Outcome`."""
    received, sent = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_tell, args=(sent, case, folder))
    process.start()
    sent.close()
    try:
        return received.recv()
    except EOFError:
        process.join()
        return Outcome(error=f"the process ended with status {process.exitcode}")
    finally:
        process.join()
        received.close()


def _tell(sent, case, folder):
    sent.send(execute(case, folder))


def imported():
    """The modules that notebooks import, and names that may be modules."""
    trees = [ast.parse(code) for name in NOTEBOOKS for code in _code(_read(name))]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    plain = [n.names for n in nodes if isinstance(n, ast.Import)]
    parts = [n for n in nodes if isinstance(n, ast.ImportFrom)]
    names = {f"{n.module}.{alias.name}" for n in parts for alias in n.names}
    names |= {alias.name for aliases in plain for alias in aliases}
    return names | {n.module for n in parts} | set(AT_FIRST_USE)


def make_small():
    """Set sizes that no parameter sets; the quick run has them whole."""
    gm_photo.N_REAL = 500  # not 8,000 real images
    # Views from which a search for the closest one starts, and its descents and steps.
    exact.GRID = exact.COARSE_GRID = (7, 7, 4)
    exact.STAGES = ((2, 1), (1, 2))


def execute(case, folder):
    """Run a case in the shell of this process, which is its own: an `Outcome`.

    Parameters
    ----------
    case : Case
    folder : Path
        Gets the images of the case's own benchmarks.
    """
    os.chdir(ROOT)
    make_small()
    given = given_parameters(case, folder)
    kernel = {"kernel_name": "python3", "language": "python"}
    notebook = parameterize_notebook(_read(case.notebook), given, **kernel)
    quiet = Config(HistoryManager={"enabled": False})
    shell = InteractiveShell.instance(config=quiet, colors="NoColor")
    said = []
    for code in _code(notebook):
        with capture_output() as found:
            result = shell.run_cell(code, store_history=True)
        if error := result.error_before_exec or result.error_in_exec:
            where = f"{code}\n\n{found.stdout}"
            return Outcome(error=f"{type(error).__name__}: {error}", where=where)
        said += [output.data.get("text/markdown", "") for output in found.outputs]
    return Outcome("\n".join(said))


def _read(name):
    return load_notebook_node(str(ROOT / "notebooks" / f"{name}.ipynb"))


def _code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]
