"""Stored studies: complete or not at all, gone on with, and never computed twice."""

from typing import NamedTuple

import pandas as pd
import pytest

from manifpt_utils.method.device import torch_device
from manifpt_utils.study import compute as module
from manifpt_utils.study.study import Store, Study


class Training(NamedTuple):
    method: str
    seed: int


def planned():
    return [Training(method, seed) for method in ("b", "a") for seed in (1, 2)]


def cells(training):
    return {(*training, column) for column in ("closed", "transfer")}


class Toy(Study):
    """A study whose trainings cost nothing; `done` lists those that took place."""

    name = "toy"
    keys = ("method", "seed", "column")
    values = ("score", "reason")
    types = {"seed": int, "score": float}
    order = {"b": 0, "a": 1}

    def __init__(self):
        self.done = []

    def planned(self):
        return planned()

    def cells(self, training):
        return cells(training)

    def measure(self, training):
        self.done.append(training)
        rows = [dict(zip(self.keys, cell, strict=True)) for cell in cells(training)]
        return [row | {"score": 0.5} for row in rows]

    def batch(self, training):
        return training.method

    def account(self, training):
        return training.method

    def sheets(self):
        return {"sheet": "hash"}


class Broken(Toy):
    def measure(self, training):
        if training.method == "a":
            raise RuntimeError("the power went")
        return super().measure(training)


@pytest.fixture
def study():
    return Toy()


def test_a_study_that_stopped_goes_on_and_a_full_one_does_nothing(study, tmp_path):
    module.compute(planned()[:1], Store(study, tmp_path, "first"))
    assert study.done == planned()[:1]
    module.compute(planned(), Store(study, tmp_path, "second"))
    assert study.done == planned()
    module.compute(planned(), Store(study, tmp_path, "third"))
    assert study.done == planned()
    table, record = Store(study, tmp_path, "fourth").read()
    assert len(set(study.keys_of(table))) == len(table) == 8
    assert study.missing(planned(), table) == []
    assert [run["command"] for run in record["runs"]] == ["first", "second"]
    assert record["sheets"] == {"sheet": "hash"}
    assert set(record["cpu_seconds"]) == {"a", "b"}
    visible = {p.name for p in tmp_path.iterdir() if not p.name.startswith(".")}
    assert visible == {"toy.csv", "toy.json"}


def test_two_commands_at_once_lose_no_row(study, tmp_path):
    stores = [Store(study, tmp_path, command) for command in ("first", "second")]
    for store, training in zip(stores, planned(), strict=False):
        store.add([training], study.measure(training), 1.0)
    table, record = stores[0].read()
    assert study.missing(planned()[:2], table) == []
    assert [run["command"] for run in record["runs"]] == ["first", "second"]


def test_an_interrupt_stores_nothing_of_the_training_that_it_hit(tmp_path):
    class Interrupted(Toy):
        def measure(self, training):
            if training.method == "a":
                raise KeyboardInterrupt
            return super().measure(training)

    study = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        module.compute(planned(), Store(study, tmp_path, ""))
    table, _ = Store(study, tmp_path, "").read()
    assert set(table["method"]) == {"b"} and len(table) == 4


def test_rows_stand_in_the_order_of_the_study(study, tmp_path):
    module.compute(planned()[::-1], Store(study, tmp_path, ""))
    table = pd.read_csv(tmp_path / "toy.csv")
    assert table["method"].tolist() == ["b"] * 4 + ["a"] * 4
    assert table["seed"].tolist() == [1, 1, 2, 2] * 2


def test_what_was_done_stays_when_a_later_training_fails(study, tmp_path):
    broken = Broken()
    with pytest.raises(RuntimeError, match="the power went"):
        module.compute(planned(), Store(broken, tmp_path, "first"))
    module.compute(planned(), Store(study, tmp_path, "second"))
    assert sorted(broken.done + study.done) == sorted(planned())


def test_the_device_reaches_every_training(study, tmp_path, monkeypatch):
    seen = []
    measure = Toy.measure

    def spied(self, training):
        seen.append(str(torch_device()))
        return measure(self, training)

    monkeypatch.setattr(Toy, "measure", spied)
    module.compute(planned(), Store(study, tmp_path, ""), device="meta")
    assert seen.count("meta") == len(planned())
    with pytest.raises(ValueError, match="'tpu' cannot be used here"):
        module.compute(planned(), Store(study, tmp_path / "new", ""), device="tpu")


def test_a_training_with_one_lost_cell_is_repeated(study):
    training = planned()[0]
    rows = study.measure(training)
    assert study.missing([training], study.merge(study.empty(), rows)) == []
    assert study.missing([training], study.merge(study.empty(), rows[1:])) == [training]


def test_a_new_row_replaces_the_old_one_of_its_cell(study):
    row = {"method": "a", "seed": 1, "column": "closed"}
    old = study.merge(study.empty(), [row | {"reason": "too small"}])
    new = study.merge(old, [row | {"score": 0.5}, row | {"seed": 2, "score": 0.7}])
    assert new["score"].tolist() == [0.5, 0.7]
    assert new["reason"].tolist() == ["", ""]


class Sampled(Toy):
    """A study whose methods read a sheet each."""

    def __init__(self, **hashes):
        super().__init__()
        self.hashes = hashes

    def sheets(self):
        return self.hashes

    def samples(self, training):
        return {training.method}


def test_rows_of_samples_that_have_changed_are_computed_again(tmp_path):
    before, after = Sampled(a="old", b="old"), Sampled(a="new", b="old")
    module.compute(planned(), Store(before, tmp_path, "first"))
    store = Store(after, tmp_path, "second")
    assert store.n_outdated() == 4
    table, _ = store.read()
    assert set(table["method"]) == {"b"}
    module.compute(planned(), store)
    assert after.done == [t for t in planned() if t.method == "a"]
    table, record = store.read()
    assert store.n_outdated() == 0 and len(table) == 8
    assert record["sheets"] == {"a": "new", "b": "old"}


def test_a_study_that_stops_amid_changed_samples_forgets_none_of_them(tmp_path):
    module.compute(planned(), Store(Sampled(a="old", b="old"), tmp_path, "first"))
    changed = Sampled(a="new", b="new")
    module.compute(planned()[:1], Store(changed, tmp_path, "second"))
    store = Store(changed, tmp_path, "third")
    assert len(store.read()[0]) == 2
    module.compute(planned(), store)
    assert sorted(changed.done) == sorted(planned())


def test_cells_that_left_the_study_are_dropped(study, tmp_path):
    store = Store(study, tmp_path, "first")
    module.compute(planned(), store)
    table, _ = store.read()
    old = table.iloc[:1].assign(method="c")
    pd.concat([table, old]).to_csv(store.csv, index=False)
    again, _ = Store(study, tmp_path, "second").read()
    assert len(again) == 8 and "c" not in set(again["method"])
