"""Stored grids: complete or not at all, gone on with, and never computed twice."""

from operator import attrgetter, itemgetter
from typing import NamedTuple

import pandas as pd
import pytest

from manifpt_utils.study import grid as module
from manifpt_utils.study.grid import Grid, Store


class Training(NamedTuple):
    method: str
    seed: int


def planned():
    return [Training(method, seed) for method in ("b", "a") for seed in (1, 2)]


def cells(training):
    return {(*training, column) for column in ("closed", "transfer")}


@pytest.fixture
def done():
    return []


@pytest.fixture
def grid(done):
    """A grid whose trainings cost nothing; `done` lists those that took place."""

    def measure(training, score=0.5):
        done.append(training)
        rows = [dict(zip(grid.keys, cell, strict=True)) for cell in cells(training)]
        return [row | {"score": score} for row in rows]

    grid = Grid(
        name="toy",
        keys=("method", "seed", "column"),
        values=("score", "reason"),
        types={"seed": int, "score": float},
        order={"b": 0, "a": 1},
        planned=planned,
        cells=cells,
        measure=measure,
        batch=attrgetter("method"),
        account=itemgetter(0),
        sheets=lambda: {"sheet": "hash"},
    )
    return grid


def test_a_grid_that_stopped_goes_on_and_a_full_one_does_nothing(grid, done, tmp_path):
    module.compute(planned()[:1], Store(grid, tmp_path, "first"))
    assert done == planned()[:1]
    module.compute(planned(), Store(grid, tmp_path, "second"))
    assert done == planned()
    module.compute(planned(), Store(grid, tmp_path, "third"))
    assert done == planned()
    store = Store(grid, tmp_path, "fourth")
    assert len(set(grid.keys_of(store.table))) == len(store.table) == 8
    assert grid.missing(planned(), store.table) == []
    assert [run["command"] for run in store.record["runs"]] == ["first", "second"]
    assert store.record["sheets"] == {"sheet": "hash"}
    assert set(store.record["cpu_seconds"]) == {"a", "b"}
    assert {path.name for path in tmp_path.iterdir()} == {"toy.csv", "toy.json"}


def test_rows_stand_in_the_order_of_the_grid(grid, tmp_path):
    module.compute(planned()[::-1], Store(grid, tmp_path, ""))
    table = pd.read_csv(tmp_path / "toy.csv")
    assert table["method"].tolist() == ["b"] * 4 + ["a"] * 4
    assert table["seed"].tolist() == [1, 1, 2, 2] * 2


def test_what_was_done_stays_when_a_later_training_fails(grid, done, tmp_path):
    def failing(training, **options):
        if training.method == "a":
            raise RuntimeError("the power went")
        return grid.measure(training, **options)

    broken = Grid(**{**vars(grid), "measure": failing})
    with pytest.raises(RuntimeError, match="the power went"):
        module.compute(planned(), Store(broken, tmp_path, "first"))
    module.compute(planned(), Store(grid, tmp_path, "second"))
    assert sorted(done) == sorted(planned())


def test_options_reach_every_training(grid, tmp_path):
    module.compute(planned(), Store(grid, tmp_path, ""), score=0.75)
    assert (pd.read_csv(tmp_path / "toy.csv")["score"] == 0.75).all()


def test_a_training_with_one_lost_cell_is_repeated(grid):
    training = planned()[0]
    rows = grid.measure(training)
    assert grid.missing([training], grid.merge(grid.empty(), rows)) == []
    assert grid.missing([training], grid.merge(grid.empty(), rows[1:])) == [training]


def test_a_new_row_replaces_the_old_one_of_its_cell(grid):
    row = {"method": "a", "seed": 1, "column": "closed"}
    old = grid.merge(grid.empty(), [row | {"reason": "too small"}])
    new = grid.merge(old, [row | {"score": 0.5}, row | {"seed": 2, "score": 0.7}])
    assert new["score"].tolist() == [0.5, 0.7]
    assert new["reason"].tolist() == ["", ""]


def test_cells_that_left_the_grid_are_dropped(grid, tmp_path):
    store = Store(grid, tmp_path, "first")
    module.compute(planned(), store)
    old = store.table.iloc[:1].assign(method="c")
    pd.concat([store.table, old]).to_csv(store.csv, index=False)
    again = Store(grid, tmp_path, "second").table
    assert len(again) == 8 and "c" not in set(again["method"])


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (lambda _: [][1], None),
        (lambda _: int("x"), "error: invalid literal"),
        (lambda _: open("nowhere"), "error: .*nowhere"),
    ],
)
def test_an_error_of_the_user_is_one_line_and_a_bug_is_not(grid, plan, message):
    parser = module.parser(grid, "A toy.")
    if message is None:
        with pytest.raises(IndexError):
            module.run(grid, parser, plan, [])
        return
    with pytest.raises(SystemExit, match=message):
        module.run(grid, parser, plan, [])


def test_the_command_is_noted_down_and_can_be_repeated(grid, tmp_path):
    parser = module.parser(grid, "A toy.")
    given = ["--output", str(tmp_path / "two words")]
    module.run(grid, parser, lambda _: planned(), given)
    (run,) = Store(grid, tmp_path / "two words", "").record["runs"]
    assert run["command"].startswith("python -m manifpt_utils.toy --output '/")
    assert run["command"].endswith("two words'")
