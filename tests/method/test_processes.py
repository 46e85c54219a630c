"""Several trainings at once: the same digits, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial

import numpy as np
import pandas as pd
import psutil
import pytest
import torch
from joblib.externals.loky import ProcessPoolExecutor, process_executor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from manifpt_utils.method import evaluation, processes
from manifpt_utils.method.classifiers import ImageAttributor, attribution_pipeline
from manifpt_utils.method.evaluation import evaluate, evaluate_all
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.processes import in_processes, n_processes
from manifpt_utils.method.spaces import RGB

LONG = """\
import sys
from pathlib import Path
import numpy as np
from manifpt_utils.method import evaluation
from manifpt_utils.method.classifiers import VectorAttributor

evaluation.n_processes = lambda n_pixels: 2

class Slow(VectorAttributor):
    def fit(self, x, y):
        Path(sys.argv[1], str(self.seed)).touch()
        return super().fit(x, y)

x, y = np.random.default_rng(0).random((80, 30), np.float32), ["a", "b"] * 40
slow = [("slow", Slow(min_steps=10**6))]
evaluation.evaluate_all(slow, x, y, n_train=20, n_test=20, n_permutations=None)
"""


@contextmanager
def threads(n):
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def wait_until(condition):
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it never came true")


def test_two_processes_give_the_digits_of_one(easy_images, monkeypatch):
    """Of networks, of features that are computed once, and on unseen images."""
    x, y = easy_images(30)
    network = ImageAttributor(epochs=1, min_steps=12)
    frozen = DataManifold("rgb").fit(easy_images(20, seed=9)[0])
    methods = {
        "pixels": make_pipeline(RGB(), network),
        "artifacts": attribution_pipeline(frozen, min_steps=12),
        "neighbours": make_pipeline(RGB(), KNeighborsClassifier(1)),
    }
    options = {"n_train": 12, "n_test": 8, "seeds": (3, 5)}
    options |= {"unseen": {"other": easy_images(5, seed=3)}, "n_permutations": 2}
    with threads(1):
        alone = evaluate_all(methods.items(), x, y, **options)
        single = evaluate(methods["pixels"], x, y, **options)
    monkeypatch.setattr(evaluation, "n_processes", lambda n_pixels: 2)
    shared = evaluate_all(iter(methods.items()), x, y, **options)
    assert list(shared) == list(methods)
    for one, other in [
        *((alone[k], shared[k]) for k in alone),
        (single, alone["pixels"]),
    ]:
        pd.testing.assert_frame_equal(
            one.predictions, other.predictions, check_exact=True
        )
        pd.testing.assert_frame_equal(one.confusion, other.confusion, check_exact=True)
        np.testing.assert_array_equal(one.accuracy, other.accuracy)
        np.testing.assert_array_equal(one.unseen["other"], other.unseen["other"])
        np.testing.assert_array_equal(one.ratio, other.ratio)
    assert shared["artifacts"].d == 64 and alone["pixels"].accuracy.shape == (2,)


def _told(folder, i):
    (folder / str(i)).touch()
    return i, torch.get_num_threads(), n_processes(1)


def test_results_keep_their_order_and_calls_begin_while_others_are_made(tmp_path):
    def calls():
        for i in range(4):
            yield (i,)
            wait_until((tmp_path / str(i)).exists)

    found = in_processes(partial(_told, tmp_path), calls(), processes=2, disable=True)
    # A process that shares the cores starts no further ones.
    assert found == [(i, 1, 1) for i in range(4)]


def test_a_killed_process_is_an_error_with_a_remedy():
    with pytest.raises(
        ValueError, match="killed, perhaps for lack of memory. With OMP"
    ):
        in_processes(os._exit, [(9,), (9,)], processes=2, disable=True)


KEPT = []  # of the process that is started by the next test


def _pid_after(n_bytes, seconds):
    KEPT.append(np.ones(n_bytes, np.uint8))
    time.sleep(seconds)
    return os.getpid()


@pytest.mark.filterwarnings("ignore:A worker stopped")  # an error would never end
def test_a_process_that_grows_is_not_replaced():
    more = process_executor._MAX_MEMORY_LEAK_SIZE + 10**8
    wait = process_executor._MEMORY_LEAK_CHECK_DELAY + 0.1
    calls = [(0, 0), (more, wait), (0, 0)]  # is measured, grows, and would be another
    start = {"initializer": processes._begin, "initargs": (os.getpid(),)}
    with ProcessPoolExecutor(1, **start) as pool:
        assert len(set(pool.map(_pid_after, *zip(*calls, strict=True)))) == 1


def test_an_error_of_a_call_comes_through():
    with pytest.raises(ValueError, match="invalid literal"):
        in_processes(int, [("1",), ("one",)], processes=2, disable=True)


@pytest.fixture
def training(tmp_path):
    """A process in the middle of two trainings, and those that it started for them."""
    script = tmp_path / "long.py"
    script.write_text(LONG)
    (tmp_path / "fits").mkdir()
    command = [sys.executable, str(script), str(tmp_path / "fits")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: len(list((tmp_path / "fits").iterdir())) == 2)
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) >= 2
    yield process, started
    process.kill()
    process.communicate()


def test_ctrl_c_goes_through_and_leaves_no_process(training):
    process, started = training
    process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=60)[1]
    assert process.returncode == -signal.SIGINT and "KeyboardInterrupt" in text
    assert psutil.wait_procs(started, timeout=30)[1] == []


def test_a_killed_process_takes_those_along_that_it_started(training):
    process, started = training
    process.kill()
    assert psutil.wait_procs(started, timeout=60)[1] == []


def test_there_are_as_many_processes_as_threads_and_memory_allow(monkeypatch):
    monkeypatch.setattr(processes.joblib, "cpu_count", lambda: 8)
    with threads(1):
        assert n_processes(32**2) == 1
    with threads(2):
        assert n_processes(32**2) == n_processes(64**2) == 2
        assert n_processes(256**2) == 1
    with threads(8):
        assert 2 <= n_processes(64**2) <= n_processes(32**2) < 8
    monkeypatch.setattr(processes.joblib, "cpu_count", lambda: 1)
    with threads(8):
        assert n_processes(32**2) == 1


def test_a_gpu_is_used_from_one_process(monkeypatch):
    monkeypatch.setattr(processes, "torch_device", lambda: torch.device("cuda"))
    with threads(2):
        assert n_processes(32**2) == 1
