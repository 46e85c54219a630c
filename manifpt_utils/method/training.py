"""The training of all networks of this package: one subclass of skorch.

What skorch does otherwise: it takes Ctrl-C for the end of a training and returns the
network as if it were trained, it passes on a last batch of one row, on which batch
normalisation fails, and it takes the rows of a batch one by one.
"""

import math
from contextlib import suppress
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from skorch.dataset import Dataset as SkorchDataset
from skorch.dataset import ValidSplit
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    default_collate,
)
from tqdm.auto import tqdm

ROUND_STEPS, ROUND_BATCH = 20, 64  # between two measurements on validation images
VALIDATED = 0.1  # share of the training rows held out if a schedule waits for progress


class Trainer(NeuralNet):
    """A skorch net that Ctrl-C interrupts, with whole batches of at least two rows."""

    def partial_fit(self, X, y=None, classes=None, **options):
        """Train until the last epoch or `Finished`; unlike skorch, catch no Ctrl-C."""
        if not self.initialized_:
            self.initialize()
        self.notify("on_train_begin", X=X, y=y)
        try:
            with suppress(Finished):
                self.fit_loop(X, y, **options)
        finally:
            self.notify("on_train_end", X=X, y=y)
        return self

    def get_dataset(self, X, y=None):
        """Arrays are cut into batches; what else there is is left to skorch."""
        return Rows(X, y) if isinstance(X, np.ndarray) else super().get_dataset(X, y)

    def get_iterator(self, dataset, training=False):
        """Batches, in random order for the training; else in their own."""
        if training:
            batches = Batches(RandomSampler(dataset), self.batch_size, drop_last=False)
        else:
            options = self.get_params_for("iterator_valid")
            size = options.get("batch_size", self.batch_size)
            batches = BatchSampler(SequentialSampler(dataset), size, drop_last=False)
        return DataLoader(dataset, batch_sampler=batches, collate_fn=_collated)


class Rows(SkorchDataset):
    """Arrays of which the rows of a batch are taken at once.

    Examples
    --------
    >>> Rows(np.arange(3.0), np.arange(3)).__getitems__([2, 0])
    (tensor([2., 0.], dtype=torch.float64), tensor([2, 0]))
    """

    def __getitems__(self, rows):
        y = np.zeros(len(self)) if self.y is None else self.y
        return tuple(torch.from_numpy(np.asarray(a)[rows]) for a in (self.X, y))


def _collated(batch):
    """A batch, from rows that were taken at once, or one by one."""
    return batch if isinstance(batch, tuple) else default_collate(batch)


class Finished(Exception):
    """Raised by a callback that ends a training for good."""


class Batches(BatchSampler):
    """Batches in which a single last row joins the batch before it.

    Examples
    --------
    >>> list(Batches(range(5), 2, drop_last=False))
    [[0, 1], [2, 3, 4]]
    """

    def __iter__(self):
        batches = super().__iter__()
        before = next(batches, [])
        for batch in batches:
            if len(batch) == 1:
                before += batch
            else:
                yield before
                before = batch
        yield before

    def __len__(self):
        return n_batches(len(self.sampler), self.batch_size)


def n_batches(n, size):
    """How many batches n rows make.

    >>> n_batches(128, 64), n_batches(129, 64), n_batches(130, 64)
    (2, 2, 3)
    """
    return max(1, math.ceil((n - 1) / size))


def trainer(
    network,
    n,
    criterion,
    *,
    epochs,
    rate,
    batch_size,
    min_steps=0,
    patience=None,
    cycle=True,
    lowest=1.0,
    cycle_momentum=True,
    seed=0,
    device="cpu",
    progress=False,
    **options,
):
    """The skorch net that trains a network on n rows, by one of three schedules.

    Without `patience`, the learning rate follows one cycle, whose largest value is
    `rate`; if `cycle` is false, it is always `rate`.  With `patience`, a tenth of the
    rows is held out, and after that many epochs without progress on them the learning
    rate falls to a tenth, until it is below `lowest` times its first value; the weights
    of the best epoch are kept.  There are `epochs` passes over the rows, and more if
    these would be fewer than `min_steps` steps.  With `progress`, a bar appears after
    five seconds. Further options are those of skorch.

    Raises
    ------
    ValueError
        If `batch_size` is below 2.
    """
    if batch_size < 2:
        raise ValueError(
            f"batch_size must be at least 2, got {batch_size!r}; batch normalisation "
            "needs two rows."
        )
    batch = min(batch_size, n)
    epochs = max(epochs, math.ceil(min_steps / n_batches(n, batch)))
    steps = epochs * n_batches(n, batch)
    if patience is None:
        callbacks = [_one_cycle(rate, steps + 1, cycle_momentum)] if cycle else []
    else:
        # Slightly smaller, because dividing the rate rounds it.
        callbacks = [_valid_accuracy(), Plateau(patience, 0.999 * lowest * rate)]
        options["train_split"] = ValidSplit(
            VALIDATED, stratified=True, random_state=seed
        )
        steps = epochs * n_batches(n - math.ceil(VALIDATED * n), batch)
    if progress:
        callbacks.append(Bar(steps))
    return Trainer(
        network,
        criterion,
        lr=rate,
        batch_size=batch,
        max_epochs=epochs,
        callbacks=callbacks,
        device=device,
        verbose=0,
        **{"train_split": None} | options,
    )


class Rounds(NamedTuple):
    """When a training ends: see `NetworkClassifier.fit_until_settled`."""

    patience: int
    max_steps: int
    validation: tuple  # rows and codes

    def repeated(self, x, codes):
        """The rows repeated in turn until they are as many as one round takes."""
        rows = np.arange(ROUND_STEPS * ROUND_BATCH) % len(x)
        return x[rows], codes[rows]


def settling(network, rounds, *, rate, device="cpu"):
    """The skorch net that trains until validation images improve no more."""
    held_out = Rows(*rounds.validation)
    callbacks = [_valid_accuracy(), Plateau(rounds.patience, 0.05 * rate)]
    return Trainer(
        network,
        nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=rate,
        batch_size=ROUND_BATCH,
        max_epochs=max(1, rounds.max_steps // ROUND_STEPS),
        train_split=predefined_split(held_out),
        callbacks=callbacks,
        device=device,
        verbose=0,
    )


def _one_cycle(rate, steps, momentum):
    return LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        max_lr=rate,
        total_steps=steps,
        cycle_momentum=momentum,
        step_every="batch",
    )


def _valid_accuracy():
    return EpochScoring(_accuracy, lower_is_better=False, name="valid_acc")


def _accuracy(net, x, y):
    return (net.predict_proba(x).argmax(axis=1) == y).mean()


class Plateau(Callback):
    """Without progress, divide the rate by ten; stop below `lowest`; keep the best."""

    def __init__(self, patience, lowest):
        self.patience, self.lowest = patience, lowest

    def on_train_begin(self, net, **kwargs):
        self.best_, self.waited_, self.state_ = -np.inf, 0, None

    def on_epoch_end(self, net, **kwargs):
        score = net.history[-1, "valid_acc"]
        if score > self.best_ + 1e-3:
            self.best_, self.waited_ = score, 0
            self.state_ = deepcopy(net.module_.state_dict())
            return
        self.waited_ += 1
        if self.waited_ >= self.patience:
            self._reduce(net)

    def _reduce(self, net):
        self.waited_ = 0
        for group in net.optimizer_.param_groups:
            group["lr"] /= 10
        if group["lr"] < self.lowest:
            raise Finished

    def on_train_end(self, net, **kwargs):
        if self.state_ is not None:
            net.module_.load_state_dict(self.state_)


class Bar(Callback):
    """A progress bar over all steps of a training, after five seconds."""

    def __init__(self, steps):
        self.steps = steps

    def on_train_begin(self, net, **kwargs):
        options = {"unit": "step", "delay": 5, "leave": False}
        self.bar_ = tqdm(total=self.steps, desc="training", **options)

    def on_batch_end(self, net, training, **kwargs):
        self.bar_.update(training)

    def on_train_end(self, net, **kwargs):
        self.bar_.close()
        del self.bar_  # it cannot be pickled
