"""The main findings of the book, with their intervals, from the stored results.

The unit of an interval is the photograph: its score is the mean over spaces and seeds,
so that results from the same images count once.  Where the results are of two
photographs, it is the repetition: a seed on one of them.
"""

from typing import NamedTuple

from ..metrics.intervals import Interval
from . import ladder_tables, leads, regime_map
from .comparison import COMPARISON
from .estimates import ESTIMATES, is_main
from .ladder import LADDER
from .questions import (
    FEW_IMAGES,
    FEWEST,
    QUESTIONS,
    lead_of_chosen,
    mean_gain,
    mean_scores,
)
from .regime import REGIME

UNITS = {"origin": "model", "fine": "repetition", "coarse": "repetition"}


class MainFinding(NamedTuple):
    """One difference of accuracies on which the book rests."""

    name: str
    difference: Interval  # of shares
    unit: str  # what the interval counts


def main_findings():
    """The main findings in the book's order: a dict of name to `MainFinding`.

    ====================  ==========================================================
    `away`                nearest artifact minus raw image, on the other photograph
    `filter`              nearest RGB artifact minus high-pass, mean over home and
                          away, with 5 and 100 training images per model
    `fine`                nearest artifact minus the better one of raw image and
                          high-pass, on real images with fine traces: the mean over
                          the map of lengths and dimensions, home and away
    `coarse`              the same with errors of colour, brightness and shape
    `learned`             as `filter`, for the learned projection minus high-pass
    `right images`        the same, for the learned projection minus that of a
                          network that was trained on other photographs
    `home, few`           the same at home in RGB, with 5 training images per model
    `home, many`          the same at home, with 100, on the paper's lists of models
    `best earlier`        one of four nearest artifacts minus one of eight earlier
                          methods, on these lists, each the best on the other lists
    `coverage`            RGB artifact with 50,000 real views minus that with 100
    `origin`              nearest artifact minus raw image, for the question on which
                          photograph a model was trained
    ====================  ==========================================================

    Examples
    --------
    >>> [found.difference.n for found in main_findings().values()]
    [4, 4, 6, 6, 4, 4, 4, 4, 4, 4, 3]
    """
    results = COMPARISON.results()
    means = {name: mean_scores(results, tests) for name, tests in QUESTIONS.items()}
    lists = means["home, all models"]
    differences = {
        "away": mean_gain(means["away"]),
        "filter": _over_filter("nearest"),
        "fine": _on_the_map("fine"),
        "coarse": _on_the_map("coarse"),
        "learned": _over_filter("denoiser"),
        "right images": _lead("denoiser", ladder_tables.STRANGER),
        "home, few": mean_gain(means[f"home, {FEW_IMAGES}"], space="rgb"),
        "home, many": mean_gain(lists),
        "best earlier": lead_of_chosen(lists, ["nearest"], ["earlier"]),
        "coverage": _coverage(results),
        "origin": mean_gain(means["training data"]),
    }
    return {
        name: MainFinding(name, difference, UNITS.get(name, "photograph"))
        for name, difference in differences.items()
    }


def _over_filter(kind):
    """Lead of an RGB artifact over the high-pass chosen on other photographs."""
    return _lead(kind, ladder_tables.TUNED)


def _lead(kind, rival):
    scores = ladder_tables.photo_scores(LADDER.results())
    return ladder_tables.mean_lead(scores, kind, rival)


def _on_the_map(task):
    """Lead of the nearest artifact over what needs no real image, on known traces."""
    results = regime_map.trained(REGIME.results())
    return regime_map.mean_lead(results[results["task"] == task], "nearest")


def _coverage(results):
    """Gain of the nearest RGB artifact with many real views over that with few."""
    gain = leads.lead(ESTIMATES.results(), leads.raw_scores(results)).reset_index()
    gain = gain[is_main(gain) & (gain["kind"] == "nearest") & (gain["space"] == "rgb")]
    is_few_at_home = (gain["n_train"] == FEWEST) & (gain["column"] == "closed")
    return leads.growth(gain[is_few_at_home])
