"""Kernels are forked from a process that has made their imports."""

import sys

import pytest
from projects import make_notebook, make_project, outputs, start_runner

from manifpt_utils.run import execution

# What must not be imported before the kernel is there, because it looks for one.
LOOKING = ["tqdm.auto", "tqdm.autonotebook", "plotly.io", "ipywidgets"]
TELL = f"""\
import os, random, sys
from pathlib import Path
import psutil
looking = [name for name in {LOOKING} if name in sys.modules]
forked_from = psutil.Process().parents()[1]
tasks = Path("/proc", str(forked_from.pid), "task").glob("*/comm")
import tqdm.auto
bars = tqdm.auto.notebook_tqdm.__module__
print(os.getppid(), os.getpgrp() == os.getpid(), "torch" in sys.modules)
print(os.environ["MANIFPT_PROBE"], os.getcwd(), __name__, bars)
print(*looking)
print(*[task.read_text().strip() for task in tasks])
random.random()"""
# The memory of pyarrow has a thread, which knows how to survive a fork.
HARMLESS = "jemalloc_bg_thd"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What three kernels of one run print of themselves, and the number each draws."""
    folder = tmp_path_factory.mktemp("forked")
    names = [f"{number}_tell" for number in range(execution.SEVERAL)]
    notebooks = {name: make_notebook(TELL) for name in names}
    make_project(folder, notebooks, [{"notebook": name} for name in names])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANIFPT_PROBE", "a value")
        # In its own process: here an earlier test may have forked without imports.
        runner = start_runner(folder, "--plan", "runs.yml")
    said, _ = runner.communicate(timeout=300)
    assert runner.returncode == 0, said
    found = [outputs(folder / f"book/executed/{name}.ipynb") for name in names]
    printed = [one[0].text.splitlines() for one in found]
    return folder, printed, [one[1].data["text/plain"] for one in found]


def test_kernels_have_processes_of_their_own_with_all_imports_made(told):
    parents = {lines[0].split()[0] for lines in told[1]}
    assert len(parents) == execution.SEVERAL
    is_imported = str(sys.platform == "linux")
    assert {lines[0].partition(" ")[2] for lines in told[1]} == {f"True {is_imported}"}


def test_kernels_have_the_environment_of_the_run_and_bars_of_a_notebook(told):
    folder, printed, _ = told
    expected = f"a value {folder} __main__ tqdm.notebook"
    assert {lines[1] for lines in printed} == {expected}


def test_what_is_imported_beforehand_looks_for_no_kernel(told):
    assert {lines[2] for lines in told[1]} == {""}


@pytest.mark.skipif(sys.platform != "linux", reason="threads are read from /proc")
def test_what_is_imported_beforehand_starts_no_thread(told):
    threads = told[1][0][3].split()
    assert len([name for name in threads if name != HARMLESS]) == 1


def test_kernels_draw_different_numbers(told):
    assert len(set(told[2])) == execution.SEVERAL
