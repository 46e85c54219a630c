"""The main findings of the book, with their intervals, from the stored results.

The unit of every interval is the photograph: its score is the mean over spaces and
seeds, so that what is drawn from the same images counts once.
"""

from typing import NamedTuple

from ..metrics.intervals import Interval, mean_interval
from . import leads, tables
from .comparison import COMPARISON
from .estimates import ESTIMATES, N_REAL, is_main
from .settings import ORIGINS, PHOTOS, PLAYS, origin, shared

FEW = 5  # training images per model


class MainFinding(NamedTuple):
    """One difference of accuracies that the book rests on."""

    name: str
    difference: Interval  # of shares
    unit: str  # of which the interval counts n


def main_findings():
    """The six main findings: a dict of name to `MainFinding`, in the book's order.

    ====================  ==========================================================
    `away`                nearest artifact minus raw image, on the other photograph
    `home, few`           the same at home in RGB, with 5 training images per model
    `home, many`          the same at home, with 100, on the paper's lists of models
    `best earlier`        best artifact minus best earlier method, on these lists
    `coverage`            RGB artifact from 50,000 real views minus that from 100
    `origin`              nearest artifact minus raw image, where the question is on
                          which photograph a model was trained
    ====================  ==========================================================

    Examples
    --------
    >>> [found.difference.n for found in main_findings().values()]
    [4, 4, 4, 4, 4, 3]
    """
    found = tables.stored()
    pairs = list(map(shared, PHOTOS))
    lists = list(PLAYS.values())
    origins = list(map(origin, ORIGINS))
    differences = {
        "away": _gains(found, pairs, "transfer"),
        "home, few": _gains(found, pairs, "closed", n_train=FEW, space="rgb"),
        "home, many": _gains(found, lists, "closed"),
        "best earlier": _leads(found, lists),
        "coverage": _coverage(),
        "origin": _gains(found, origins, "closed"),
    }
    units = dict.fromkeys(differences, "photograph") | {"origin": "model"}
    return {
        name: MainFinding(name, mean_interval(values), units[name])
        for name, values in differences.items()
    }


def _gains(found, settings, column, *, n_train=100, space=None):
    """Gain of the nearest artifact over the raw image in every setting."""
    gains = [
        tables.gains(tables.method_table(found, s, column, n_train=n_train)["mean"])
        for s in settings
    ]
    return [gain[space] if space else gain.mean() for gain in gains]


def _leads(found, settings):
    """Lead of the best artifact over the best earlier method in every setting."""
    scores = [tables.method_table(found, s, "closed")["mean"] for s in settings]
    artifacts = [
        max(tables.best(s, kind)[1] for kind in ("nearest", "hull")) for s in scores
    ]
    earlier = [tables.best(s, "earlier")[1] for s in scores]
    return [a - b for a, b in zip(artifacts, earlier, strict=True)]


def _coverage():
    """Gain of the nearest RGB artifact from many real views over that from few."""
    table = ESTIMATES.results()
    gain = leads.lead(table, leads.raw_scores(COMPARISON.results())).reset_index()
    gain = gain[is_main(gain) & (gain["kind"] == "nearest") & (gain["space"] == "rgb")]
    gain = gain[(gain["n_train"] == FEW) & (gain["column"] == "closed")]
    means = gain.pivot(index="photo", columns="n_real", values="mean")
    return (means[max(N_REAL)] - means[min(N_REAL)]).tolist()
