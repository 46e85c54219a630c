"""Whatever ends a run early leaves nothing that is later taken as whole."""

import os
import resource
import signal
import time
from functools import partial

import nbformat
import psutil
import pytest
from projects import (
    make_notebook,
    make_project,
    records,
    start_runner,
)

from manifpt_utils.run import record as records_module
from manifpt_utils.run.execution import scratch_folder
from manifpt_utils.run.plan import read_plan
from manifpt_utils.run.record import Executions

SLEEP = """\
import os, pathlib, time
pathlib.Path("started.tmp").write_text(f"{os.getppid()} {os.getpid()}")
os.rename("started.tmp", "started")
time.sleep(600)"""
EARLIER = "the copy of an earlier run"


def has_ended(pid):
    """Whether a process is gone; nobody may have collected it yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition, process=None):
    for _ in range(3000):
        if condition():
            return
        assert process is None or process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    raise AssertionError("it never came true")


@pytest.fixture
def sleeping(tmp_path):
    """A runner in the middle of a notebook, after one that was executed."""
    notebooks = {"quick": make_notebook("1 + 1"), "slow": make_notebook(SLEEP)}
    # Outside continuous integration, nothing is stopped for its time.
    runs = [{"notebook": "quick"}, {"notebook": "slow", "budget": 1}]
    make_project(tmp_path, notebooks, runs)
    executed = tmp_path / "book" / "executed"
    executed.mkdir(parents=True)
    (executed / "slow.ipynb").write_text(EARLIER)
    process = start_runner(tmp_path, "--jobs", "1")
    wait_until((tmp_path / "started").exists, process)
    papermill, kernel = map(int, (tmp_path / "started").read_text().split())
    yield tmp_path, process, papermill, kernel
    process.kill()
    process.communicate()


def states(folder):
    """What the next call would do with each notebook."""
    plan = read_plan(folder / "runs.yml")
    book = Executions(folder, folder / "book" / "executed", plan)
    return {one.name: book.state(one) for one in plan}


def visible(folder):
    paths = (folder / "book" / "executed").iterdir()
    return {path.name for path in paths if not path.name.startswith(".")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_where_it_was(sleeping, number):
    folder, process, papermill, kernel = sleeping
    process.send_signal(number)
    text = process.communicate(timeout=300)[0]
    assert process.returncode == 128 + number
    assert "1 executed, 0 unchanged, 0 failed, 1 not done" in text
    assert "the same command continues" in text
    assert has_ended(papermill) and has_ended(kernel)
    assert visible(folder) == {"quick.ipynb", "slow.ipynb", "runs.json"}
    assert (folder / "book" / "executed" / "slow.ipynb").read_text() == EARLIER
    assert states(folder) == {"quick": "unchanged", "slow": "run"}


def test_a_killed_runner_takes_its_notebooks_along(sleeping):
    folder, process, papermill, kernel = sleeping
    process.kill()
    wait_until(lambda: has_ended(papermill) and has_ended(kernel))
    assert visible(folder) == {"quick.ipynb", "slow.ipynb", "runs.json"}
    assert (folder / "book" / "executed" / "slow.ipynb").read_text() == EARLIER
    assert states(folder) == {"quick": "unchanged", "slow": "run"}


@pytest.mark.parametrize(
    ("victim", "message"),
    [("papermill", "papermill was ended by SIGKILL"), ("kernel", "Kernel died")],
)
def test_a_killed_notebook_has_failed(sleeping, victim, message):
    folder, process, papermill, kernel = sleeping
    os.kill({"papermill": papermill, "kernel": kernel}[victim], signal.SIGKILL)
    text = process.communicate(timeout=300)[0]
    assert process.returncode == 1
    assert "1 executed, 0 unchanged, 1 failed" in text
    assert message in records(folder)["slow"]["error"]
    wait_until(lambda: has_ended(papermill) and has_ended(kernel))
    assert states(folder) == {"quick": "unchanged", "slow": "run"}


def test_folder_of_a_killed_runner_is_removed_and_of_a_living_one_kept(tmp_path):
    dead, living = tmp_path / ".run-99999999-x", tmp_path / f".run-{os.getppid()}-x"
    dead.mkdir(), living.mkdir()
    with scratch_folder(tmp_path) as own:
        assert own.is_dir() and own.parent == tmp_path
        assert not dead.exists() and living.exists()
    assert list(tmp_path.iterdir()) == [living]


# --- a full disk ------------------------------------------------------------------


def full_at(write, number, path, content):
    """Write, but have no space left the given time."""
    number.pop() if number else None
    if not number:
        raise OSError(28, "No space left on device", str(path))
    write(path, content)


@pytest.mark.parametrize("fails", [1, 2])
@pytest.mark.parametrize("has_earlier", [True, False])
def test_a_disk_that_is_full_at_any_write_leaves_no_copy_that_is_taken(
    tmp_path, monkeypatch, fails, has_earlier
):
    make_project(tmp_path, {"a": make_notebook("1 + 1")}, [{"notebook": "a"}])
    (plan,) = read_plan(tmp_path / "runs.yml")
    output = tmp_path / "book" / "executed"
    output.mkdir(parents=True)
    source = nbformat.read(tmp_path / "notebooks" / "a.ipynb", 4)
    record = {"name": "a", "profile": "smoke", "status": "ok", "seconds": 1.0}
    record["text"] = records_module.text_key(source)
    record["key"] = records_module.result_key(source, {}, tmp_path)
    if has_earlier:
        old = record | {"key": "of other code"}
        Executions(tmp_path, output, [plan]).keep(plan, source, old)
    full = partial(full_at, records_module.write_whole, [0] * fails)
    monkeypatch.setattr(records_module, "write_whole", full)
    with pytest.raises(OSError, match="No space left"):
        Executions(tmp_path, output, [plan]).keep(plan, source, record)
    assert Executions(tmp_path, output, [plan]).state(plan) == "run"


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))


def test_a_notebook_that_could_not_be_written_has_failed(tmp_path):
    code = "from IPython.display import HTML\nHTML('x' * 10**6)"
    make_project(tmp_path, {"large": make_notebook(code)}, [{"notebook": "large"}])
    process = start_runner(tmp_path, preexec_fn=limit_files)
    text = process.communicate(timeout=300)[0]
    assert process.returncode == 1, text
    assert "File too large" in records(tmp_path)["large"]["error"]
    assert visible(tmp_path) == {"runs.json"}
    assert states(tmp_path) == {"large": "run"}
