"""One notebook in its own processes: papermill, watched from outside."""

import os
import re
import shutil
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime

import joblib
import psutil
from ipykernel.kernelspec import write_kernel_spec

from .._support.environment import MEMORY, THREADS
from .._support.provenance import git_commit, versions
from .forked import start
from .plan import literal_path
from .record import file_hash, read_notebook, result_key, text_key

TAIL, WIDTH = 12, 400  # lines of a traceback that are kept, and characters of each
# Seconds for a kernel to start, or for late outputs to arrive.  For these, papermill
# waits four, which is too short for a large figure on a busy machine.
PATIENCE = 3600


class Job:
    """One papermill process, and what is measured of it while it runs.

    Parameters
    ----------
    run : Run
    root : path
        Working folder of the notebook.
    folder : path
        Temporary folder of all jobs.
    jobs : int
        How many jobs share the cores.
    enforce_budget : bool
        Whether it is stopped after the seconds that the plan allows.
    """

    def __init__(self, run, *, root, folder, jobs, enforce_budget=False):
        self.run, self.folder, self.peak_memory = run, folder / run.name, 0
        self.copy = self.folder / "executed.ipynb"
        self.limit = run.budget if enforce_budget else float("inf")
        source = self._prepare(root)
        self.record = _first_record(run, source, root)
        self.begun = time.monotonic()
        self.process = self._launch(root, jobs)

    @property
    def seconds(self):
        """Seconds since the job began."""
        return time.monotonic() - self.begun

    def _prepare(self, root):
        """Copy the source as it is now; a later edit must not count as executed."""
        kernel = self.folder / "jupyter" / "kernels" / "python3"
        kernel.parent.mkdir(parents=True)
        # A kernel that runs this interpreter, whatever "python3" means on this machine.
        write_kernel_spec(kernel)
        shutil.copyfile(root / self.run.source, self.folder / "source.ipynb")
        return read_notebook(self.folder / "source.ipynb")

    def _launch(self, root, jobs):
        log, variables = self.folder / "log", _environment(self.folder, jobs)
        return start(self._order(), folder=root, environment=variables, log=log)

    def _order(self):
        folder = literal_path(self.folder)
        return {
            "input_path": f"{folder}/source.ipynb",
            "output_path": f"{folder}/executed.ipynb",
            "parameters": self.run.parameters,
            "kernel_name": "python3",
            "language": "python",
            "log_output": True,
            "progress_bar": False,
            "start_timeout": PATIENCE,
            "iopub_timeout": PATIENCE,
        }

    def look(self):
        """Measure; return "ok", "failed" or "timeout" when the job has ended."""
        self.peak_memory = max(self.peak_memory, _memory(self.process.pid))
        if self.process.exitcode is not None:
            return "failed" if self.process.exitcode else "ok"
        if self.seconds > self.limit:
            self.stop()
            return "timeout"
        return None

    def stop(self):
        """Kill papermill, its kernel and whatever they started."""
        _kill_tree(self.process.pid)
        self.process.join()

    def outcome(self, status):
        """The record of this run, and its executed notebook if there is one."""
        notebook = None
        with suppress(OSError, ValueError):  # if it was killed before writing
            notebook = read_notebook(self.copy)
        known = {
            "status": status,
            "seconds": round(self.seconds, 1),
            "peak_memory": self.peak_memory,
            "error": None if status == "ok" else self._error(status, notebook),
        }
        return self.record | known, notebook

    def _error(self, status, notebook):
        if status == "timeout":
            return f"it took longer than its budget of {self.run.budget:g} s"
        if self.process.exitcode < 0:
            name = signal.Signals(-self.process.exitcode).name
            return f"papermill was ended by {name}, which happens when memory runs out"
        cells = notebook.cells if notebook else []
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        raised = [output for output in outputs if output.output_type == "error"]
        text = "\n".join(raised[-1].traceback) if raised else self._log()
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)  # colours
        return "\n".join(line[:WIDTH] for line in text.rstrip().splitlines()[-TAIL:])

    def _log(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")


def _first_record(run, source, root):
    return {
        "name": run.name,
        "notebook": run.source.as_posix(),
        "profile": run.profile,
        "parameters": run.parameters,
        "budget": run.budget,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "git": git_commit(root),
        "data": file_hash(root / "data" / "manifest.json"),
        "key": result_key(source, run.parameters, root),
        "text": text_key(source),
        "output": None,
    }


def _environment(folder, jobs):
    """Environment of a notebook: its share of the cores, this Python, no startup files.

    A number of threads that is set outside is kept.  Threads that wait are made to
    sleep: by default they would keep their core busy, and on a machine that also does
    other work, a projection would take ten times as long.
    """
    share = str(max(1, joblib.cpu_count() // jobs))
    search = [str(folder / "jupyter"), os.environ.get("JUPYTER_PATH", "")]
    return {
        **dict.fromkeys(THREADS, share),
        **MEMORY,
        "OMP_WAIT_POLICY": "PASSIVE",
        **os.environ,
        "JUPYTER_PATH": os.pathsep.join(filter(None, search)),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
    }


def _tree(pid):
    """A process and all its descendants, if they are still running."""
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def _memory(pid):
    """Bytes of the kernel and of what it started; papermill shares theirs."""
    total = 0
    for process in _tree(pid)[1:]:
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def _kill_tree(pid):
    with suppress(psutil.Error):
        psutil.Process(pid).suspend()  # it must not start another process meanwhile
    processes = _tree(pid)
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes[1:], timeout=10)
