"""Papermill and its kernel, forked from a process that has imported what chapters use.

A kernel that is started anew works for three seconds before its first cell, nearly all
of them for imports.  Forked from a process that has done them, it begins at once, and
the memory of the imported code is shared.
"""

import logging
import os
import sys
import threading
from contextlib import contextmanager
from multiprocessing import Pipe, connection, get_context, parent_process

from ipykernel.kernelapp import IPKernelApp
from jupyter_client import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

# Left out is what looks for its kernel while it is imported (`tqdm.auto`, plotly, and
# ipywidgets, which seaborn imports), and what starts threads, which a fork would lose
# (papermill).
IMPORTED = ("ipykernel.kernelapp", "pandas", "scipy.stats", "torch", "faiss")
IMPORTED += ("sklearn.discriminant_analysis", "sklearn.linear_model")
IMPORTED += ("sklearn.model_selection", "sklearn.neighbors", "sklearn.pipeline")
IMPORTED += ("skorch", "matplotlib.pyplot", "pydantic")
IMPORTED += ("torch._dynamo",)  # a second, at the first step of an optimizer
# The frameworks of macOS must not be used on both sides of a fork.
PRELOADED = IMPORTED if sys.platform == "linux" else ()


def import_beforehand():
    """Let the process that is forked import what chapters use, when it starts.

    That takes some seconds, and every kernel saves a part of them: it is worth it from
    `execution.SEVERAL` notebooks on.
    """
    get_context("forkserver").set_forkserver_preload(list(PRELOADED))


def start(order, *, folder, environment, log):
    """Start a process that executes a notebook.

    Parameters
    ----------
    order : dict
        Arguments of `papermill.execute_notebook`.
    folder : path
        Working folder of the notebook.
    environment : dict of str to str
        All of its variables.  Those that libraries read while they are imported, such
        as numbers of threads, are those of the first call.
    log : path
        File that gets what papermill and the kernel write.

    Returns
    -------
    multiprocessing.Process
    """
    process = get_context("forkserver").Process(
        target=_papermill, args=(order, folder, environment, log)
    )
    with _variables(environment):  # the process that is forked starts with the first
        process.start()
    return process


@contextmanager
def _variables(environment):
    own = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(own)


def _papermill(order, folder, environment, log):
    os.setsid()  # Ctrl-C reaches only the runner
    with open(log, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    kernel = Kernel()
    kernel.start_waiting()
    threading.Thread(target=_end_with_the_runner, daemon=True).start()
    try:
        _execute(order, type("Manager", (_Manager,), {"kernel": kernel}))
    finally:
        kernel.kill()  # it still waits if papermill failed before it asked for one


def _end_with_the_runner():
    connection.wait([parent_process().sentinel])
    os._exit(1)


def _execute(order, manager):
    from papermill import execute_notebook  # starts threads, so after the fork

    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    execute_notebook(**order, kernel_manager_class=manager)


class Kernel(get_context("fork").Process):
    """A process that waits, and becomes a kernel when papermill asks for one.

    It has what jupyter_client uses of `subprocess.Popen`.
    """

    stdin = stdout = stderr = None

    def start_waiting(self):
        """Fork, and begin to wait in the new process."""
        self._heard, self._told = Pipe(duplex=False)
        self.start()
        os.setpgid(self.pid, self.pid)  # signals to its group spare papermill
        self._heard.close()

    def run(self):
        """Wait for the command line of a kernel, then be that kernel."""
        self._told.close()
        try:
            command, environment, folder = self._heard.recv()
        except EOFError:  # papermill has ended
            return
        os.environ.update(environment)
        os.chdir(folder)
        options = {"argv": command[command.index("-f") :]}
        # It ends with papermill.
        IPKernelApp.launch_instance(parent_handle=os.getppid(), **options)

    def become(self, command, environment, folder):
        """Send the command line of the kernel to the waiting process."""
        self._told.send((command, environment, str(folder)))

    def poll(self):
        """The exit status, or None while it runs."""
        return self.exitcode

    def wait(self):
        """Wait for the end, and return the exit status."""
        self.join()
        return self.exitcode

    def send_signal(self, number):
        """Send a signal to this process."""
        os.kill(self.pid, number)


class _Provisioner(LocalProvisioner):
    """Gives papermill the process that already waits."""

    async def launch_kernel(self, cmd, **options):
        self.process = self.parent.kernel
        self.process.become(cmd, options["env"], options.get("cwd", "."))
        self.pid = self.pgid = self.process.pid
        return self.connection_info


class _Manager(AsyncKernelManager):
    """Manages the kernel that already waits; `kernel` is set by a subclass."""

    kernel = None

    def __init__(self, **options):
        super().__init__(**options)
        self.provisioner = _Provisioner(parent=self, kernel_spec=self.kernel_spec)
