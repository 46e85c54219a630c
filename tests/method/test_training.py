"""The one training: Ctrl-C goes through, no batch of one, two schedules, a bar."""

import os
import pickle
import signal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from torch import nn

from manifpt_utils.baselines.incremental import IncrementalNetwork
from manifpt_utils.baselines.networks import (
    CooccurrenceNetwork,
    EqualizedNetwork,
    FineTunedNetwork,
    RobustResNet,
)
from manifpt_utils.method import training
from manifpt_utils.method.classifiers import ImageAttributor, VectorAttributor
from manifpt_utils.method.evaluation import evaluate
from manifpt_utils.method.networks import AttributionNetwork
from manifpt_utils.method.training import Batches, Plateau, n_batches, trainer

SMALL = {"epochs": 1, "min_steps": 1}
HEADS = [
    VectorAttributor(**SMALL),
    ImageAttributor(**SMALL),
    CooccurrenceNetwork(width=2, batch_size=64, **SMALL),
    RobustResNet(width=2, blur_jpeg=0, **SMALL),
    FineTunedNetwork(width=2, **SMALL),
    EqualizedNetwork(base=8, batch_size=64, **SMALL),
    IncrementalNetwork(width=2, increments=1, **SMALL),
]


def named(head):
    return type(head).__name__


def rows(head, n, classes=3, seed=0):
    side = 64 if isinstance(head, CooccurrenceNetwork) else 8
    rng = np.random.default_rng(seed)
    x = rng.random((n, side * side * 3), np.float32)
    return x, np.resize(np.arange(classes), n)


# Ctrl-C


@pytest.fixture
def interrupted(monkeypatch):
    """The user presses Ctrl-C in the second step of every training."""
    steps = iter(range(10**6))
    forward = AttributionNetwork.forward

    def pressed(network, x):
        if next(steps) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return forward(network, x)

    monkeypatch.setattr(AttributionNetwork, "forward", pressed)


@pytest.mark.parametrize(
    "head", [*HEADS, clone(HEADS[3]).set_params(patience=3)], ids=named
)
def test_ctrl_c_goes_through_and_leaves_no_fitted_classifier(head, interrupted):
    head = clone(head).set_params(epochs=4)
    x, y = rows(head, 60)
    with pytest.raises(KeyboardInterrupt):
        head.fit(x, y)
    with pytest.raises(NotFittedError):
        check_is_fitted(head)
    with pytest.raises(NotFittedError):
        head.predict(x)
    assert head.fit(x, y).predict(x).shape == y.shape


def test_ctrl_c_while_fitting_anew_forgets_the_fit_before(interrupted):
    head = VectorAttributor(epochs=1, min_steps=1)
    x, y = rows(head, 60)
    head.fit(x, y)  # a single step
    with pytest.raises(KeyboardInterrupt):
        head.set_params(epochs=9).fit(x, y)
    with pytest.raises(NotFittedError):
        head.predict(x)


def test_ctrl_c_ends_an_evaluation(interrupted):
    head = VectorAttributor(min_steps=5)
    x, y = rows(head, 60)
    with pytest.raises(KeyboardInterrupt):
        evaluate(head, x, y, n_train=10, n_test=5)


# Batches


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 200), st.integers(2, 70))
def test_batches_hold_every_row_once_and_never_a_single_one(n, size):
    batches = list(Batches(range(n), size, drop_last=False))
    assert sum(batches, []) == list(range(n))
    assert n == 1 or min(map(len, batches)) > 1
    assert max(map(len, batches)) <= size + 1
    assert len(batches) == n_batches(n, size)
    if n % size != 1:
        assert {len(batch) for batch in batches[:-1]} <= {size}


@pytest.mark.parametrize("head", HEADS, ids=named)
@pytest.mark.parametrize("n", [65, 129])
def test_a_last_batch_of_one_is_trained_on(head, n):
    x, y = rows(head, n)
    found = clone(head).set_params(epochs=2).fit(x, y).predict(x)
    assert set(found) <= set(y)


def test_one_row_too_many_in_the_part_that_is_not_held_out():
    """Of 73 rows, 65 are trained on."""
    head = RobustResNet(width=2, blur_jpeg=0, patience=1, **SMALL)
    x, y = rows(head, 73, classes=2)
    history = head.fit(x, y).net_.history
    assert history[-1, "batches", 0, "train_batch_size"] == 65


@pytest.mark.parametrize("n", [60, 64, 66, 128, 190])
def test_other_trainings_are_those_of_skorch_to_the_last_digit(n):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, 5)).astype("f"), np.resize([0, 1, 2], n)

    def network():
        torch.manual_seed(7)
        hidden = [nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.2)]
        return nn.Sequential(*hidden, nn.Linear(4, 3))

    batch = min(64, n)
    schedule = LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        max_lr=0.01,
        total_steps=3 * -(-n // batch) + 1,
        step_every="batch",
    )
    with torch.random.fork_rng():
        plain = NeuralNetClassifier(
            network(),
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.AdamW,
            lr=0.01,
            batch_size=batch,
            max_epochs=3,
            iterator_train__shuffle=True,
            train_split=None,
            callbacks=[schedule],
            verbose=0,
        ).fit(x, y)
        options = {"epochs": 3, "rate": 0.01, "batch_size": 64}
        options["optimizer"] = torch.optim.AdamW
        ours = trainer(network(), n, nn.CrossEntropyLoss, **options).fit(x, y)
    np.testing.assert_array_equal(ours.predict_proba(x), plain.predict_proba(x))


@pytest.mark.parametrize("batch_size", [1, 0, -3])
def test_batches_of_one_are_refused(batch_size):
    head = VectorAttributor(batch_size=batch_size)
    with pytest.raises(ValueError, match=f"at least 2, got {batch_size}"):
        head.fit(*rows(head, 9))


# Schedules


@pytest.mark.parametrize(("epochs", "min_steps", "steps"), [(3, 1, 6), (1, 7, 8)])
def test_few_rows_are_passed_over_more_often(epochs, min_steps, steps):
    head = VectorAttributor(epochs=epochs, min_steps=min_steps)
    history = head.fit(*rows(head, 129)).net_.history
    assert sum(history[:, "train_batch_count"]) == steps


def test_a_schedule_without_progress_ends_and_keeps_the_best_network():
    head = EqualizedNetwork(base=8, epochs=50, min_steps=1, patience=2)
    x, y = rows(head, 60)
    y = np.random.default_rng(0).permutation(y)
    history = head.fit(x, y).net_.history[:, "valid_acc"]
    assert len(history) < 50
    assert len(history) == np.argmax(history) + 3
    robust = RobustResNet(width=2, epochs=100, min_steps=1, patience=2, blur_jpeg=0)
    history = robust.fit(x, y).net_.history[:, "valid_acc"]
    assert len(history) >= 6
    last = robust.net_.optimizer_.param_groups[0]["lr"]
    assert last == pytest.approx(robust.rate * 1e-3)


def test_without_a_cycle_the_rate_stays_and_all_rows_are_trained_on():
    head = EqualizedNetwork(base=8, epochs=3, min_steps=1, cycle=False)
    net = head.fit(*rows(head, 60)).net_
    assert len(net.history) == 3 and net.train_split is None
    assert net.optimizer_.param_groups[0]["lr"] == head.rate
    cycled = EqualizedNetwork(base=8, epochs=3, min_steps=1).fit(*rows(head, 60)).net_
    assert cycled.optimizer_.param_groups[0]["lr"] < head.rate / 10


def test_the_accuracy_that_a_schedule_waits_for_is_that_of_the_held_out_rows():
    head = RobustResNet(width=2, epochs=1, min_steps=1, patience=5, blur_jpeg=0)
    x, y = rows(head, 60)
    net = head.fit(x, y).net_
    _, valid = net.train_split(net.get_dataset(x, y), y)
    held_out = np.array(valid.indices)
    expected = (head.predict(x[held_out]) == y[held_out]).mean()
    assert net.history[-1, "valid_acc"] == pytest.approx(expected)


def test_the_best_network_is_the_one_that_stays():
    class Net:
        module_ = torch.nn.Linear(1, 1)
        optimizer_ = torch.optim.Adam(module_.parameters(), lr=1.0)

        class history:
            values = iter([0.2, 0.9, 0.5])

            def __class_getitem__(cls, key):
                return next(cls.values)

    plateau = Plateau(patience=5, lowest=0.1)
    plateau.on_train_begin(Net)
    for weight in (1.0, 2.0, 3.0):
        torch.nn.init.constant_(Net.module_.weight, weight)
        plateau.on_epoch_end(Net)
    plateau.on_train_end(Net)
    assert Net.module_.weight.item() == 2


# The bar


class Recorder:
    """Stands in for tqdm."""

    bars = []

    def __init__(self, total, **options):
        self.total, self.options, self.n, self.closed = total, options, 0, False
        self.bars.append(self)

    def update(self, n):
        self.n += n

    def close(self):
        self.closed = True


@pytest.fixture
def bars(monkeypatch):
    monkeypatch.setattr(training, "tqdm", Recorder)
    Recorder.bars = []
    return Recorder.bars


@pytest.mark.parametrize("head", [HEADS[0], HEADS[-1]], ids=named)
def test_a_bar_counts_all_steps_where_it_is_asked_for(head, bars):
    x, y = rows(head, 129)
    clone(head).set_params(epochs=3).fit(x, y)
    assert not bars
    fitted = clone(head).set_params(epochs=3, progress=True).fit(x, y)
    (bar,) = bars
    assert bar.n == bar.total == 6 and bar.closed
    assert bar.options["delay"] == 5 and bar.options["leave"] is False
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(fitted)).predict(x), fitted.predict(x)
    )


def test_the_bar_goes_away_on_ctrl_c(bars, interrupted):
    head = VectorAttributor(progress=True)
    with pytest.raises(KeyboardInterrupt):
        head.fit(*rows(head, 60))
    assert bars[0].closed and bars[0].n < bars[0].total


def test_steps_on_held_out_rows_are_not_counted(bars):
    head = RobustResNet(width=2, epochs=2, min_steps=1, patience=9, progress=True)
    head.set_params(blur_jpeg=0).fit(*rows(head, 71))  # 63 are trained on
    assert bars[0].n == bars[0].total == 2
