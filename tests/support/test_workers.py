"""Workers of a Dask cluster: the same digits however many, and nothing lost."""

import os
import signal
import socket
import warnings
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from manifpt_utils._support import workers as module
from manifpt_utils._support.workers import results_of
from manifpt_utils.study.compute import compute
from manifpt_utils.study.study import Store, Study

# Dask leaves sockets and event loops to the collector when processes are killed.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Training(NamedTuple):
    method: str
    seed: int


class Numbers(Study):
    """A study of random numbers, whose trainings can kill the worker they run on."""

    name = "numbers"
    keys = ("method", "seed")
    values = ("score", "worker", "reason")
    types = {"seed": int, "score": float, "worker": int}
    order = {}

    def __init__(self, fatal=None):
        self.fatal = fatal  # a file that a worker leaves behind when it dies

    def planned(self):
        return [Training(m, seed) for m in "abc" for seed in (1, 2)]

    def cells(self, training):
        return {tuple(training)}

    def measure(self, training):
        if self.fatal and training.method == "b" and not self.fatal.exists():
            self.fatal.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        score = np.random.default_rng([training.seed, ord(training.method)]).random()
        row = training._asdict() | {"score": score, "worker": os.getpid()}
        return [row]

    def batch(self, training):
        return training.method

    def account(self, training):
        return training.method

    def sheets(self):
        return {}


def table_of(folder, study=None, **options):
    study = study or Numbers()
    compute(study.planned(), Store(study, folder, ""), **options)
    return pd.read_csv(folder / "numbers.csv", dtype=str)


def test_one_and_two_workers_give_the_same_digits(tmp_path):
    alone = table_of(tmp_path / "one", workers=1)
    shared = table_of(tmp_path / "two", workers=2)
    here = table_of(tmp_path / "here")
    digits = ["method", "seed", "score"]
    pd.testing.assert_frame_equal(alone[digits], shared[digits])
    pd.testing.assert_frame_equal(alone[digits], here[digits])
    assert str(os.getpid()) not in set(shared["worker"])
    assert set(here["worker"]) == {str(os.getpid())}


def test_a_killed_worker_loses_nothing(tmp_path):
    study = Numbers(fatal=tmp_path / "died")
    found = table_of(tmp_path / "results", study, workers=1)
    assert study.fatal.exists()
    expected = table_of(tmp_path / "here")
    digits = ["method", "seed", "score"]
    pd.testing.assert_frame_equal(found[digits], expected[digits])


def test_a_running_cluster_is_used_and_its_loss_told(tmp_path):
    options = {"n_workers": 1, "threads_per_worker": 1}
    with LocalCluster(dashboard_address="127.0.0.1:0", **options) as cluster:
        address = cluster.scheduler_address
        found = table_of(tmp_path, scheduler=address)
        with Client(cluster) as client:
            (worker,) = client.run(os.getpid).values()
        results = results_of(_slowly, [(1,), (2,)], scheduler=address)
        assert next(results) == 1
        cluster.close()
        with pytest.raises(ValueError, match="scheduler was lost; what had ended is"):
            next(results)
    assert set(found["worker"]) == {str(worker)}
    assert len(Store(Numbers(), tmp_path, "").read()[0]) == len(found)


def test_another_cluster_on_the_machine_is_no_obstacle(tmp_path):
    with socket.socket() as other:
        with suppress(OSError):  # held already, which is as good
            other.bind(("", 8787))
            other.listen()
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            assert list(results_of(abs, [(-1,)], workers=1)) == [1]


def _slowly(n):
    import time

    time.sleep(0.1 if n == 1 else 60)
    return n


def test_a_full_study_starts_no_cluster(tmp_path, monkeypatch):
    table_of(tmp_path)
    monkeypatch.setattr(module, "_distributed", None)
    table_of(tmp_path, workers=2)


def test_a_worker_that_is_killed_while_it_starts_is_told(monkeypatch):
    def fail(**_):
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr("distributed.LocalCluster", fail)
    reason = "Nanny failed.*was killed.*the same command continues"
    with pytest.raises(ValueError, match=reason):
        next(results_of(abs, [(1,)], workers=1))


def test_both_or_neither_are_refused():
    with pytest.raises(ValueError, match="give workers or a scheduler, got None and"):
        next(results_of(abs, [(1,)]))
    with pytest.raises(ValueError, match="give workers or a scheduler, got 1 and 'tcp"):
        next(results_of(abs, [(1,)], workers=1, scheduler="tcp://127.0.0.1:1"))


def test_an_address_without_a_scheduler_is_named(monkeypatch):
    import dask

    with dask.config.set({"distributed.comm.timeouts.connect": "0.3s"}):
        with pytest.raises(OSError, match=r"tcp://127\.0\.0\.1:1"):
            next(results_of(abs, [(1,)], scheduler="tcp://127.0.0.1:1"))


def test_a_missing_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"pip install manifpt-utils\[scale\]"):
        next(results_of(abs, [(1,)], workers=1))
