"""Each of eqs. 5 to 18, put to the test on known generators and known manifolds.

Each line of the paper states one implication or two.  On the supports, an implication
fails if its premise is true of some generator and its conclusion is not.  On samples, a
generator for which both are true may violate the conclusion a little, and this
violation has to vanish as the samples grow.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ..metrics.intervals import paired_difference
from ..metrics.propositions import (
    FAILS,
    HOLDS,
    OPEN,
    equivalence,
    implication,
    limit,
    together,
)

ROUNDING = 1e-6


class Direction(NamedTuple):
    """One implication: the cases on the supports, and the verdict of the samples."""

    premise: pd.Series
    conclusion: pd.Series
    on_samples: str
    left: float = (
        np.nan
    )  # what remains of the violation in the largest samples, on the worst manifold


def check_lines(exact, samples, dimensions):
    """The verdict on every line, from numbers alone.

    Parameters
    ----------
    exact, samples : DataFrame
        From `on_supports` and `on_samples`, for the same manifolds.
    dimensions : dict of str to int
        Dimension of each manifold.

    Returns
    -------
    DataFrame
        Indexed by the numbers of the lines.  `says` is the statement of a line;
        `supports` and `samples` are verdicts; `against` names, for each direction (its
        arrow), the generators that refute it on the supports; `left` is what remains of
        a violation in the largest samples.
    """
    evidence = Evidence(exact, samples, dimensions)
    lines = _precision_lines(evidence) | _support_lines(evidence) | _ipm_lines(evidence)
    rows = {name: {"says": says} | _judged(d) for (name, says), d in lines.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("line")


def _judged(directions):
    on_supports = [implication(d.premise, d.conclusion) for d in directions.values()]
    on_samples = [d.on_samples for d in directions.values()]
    return {
        "supports": _overall(on_supports),
        "samples": _overall(on_samples),
        "against": {arrow: _exceptions(d) for arrow, d in directions.items()},
        "left": {arrow: d.left for arrow, d in directions.items()},
    }


def _overall(verdicts):
    return verdicts[0] if len(verdicts) == 1 else equivalence(*verdicts)


def _exceptions(direction):
    against = direction.premise & ~direction.conclusion
    return list(against.index[against].get_level_values("generator").unique())


class Evidence:
    """Facts on the supports and on samples, in the words of the lines.

    Parameters
    ----------
    exact, samples : DataFrame
    dimensions : dict of str to int
    """

    def __init__(self, exact, samples, dimensions):
        self.samples, self.dimensions = samples, dimensions
        self.inside, self.zero = exact["precision"] == 1, exact["d(Q; P)"] == 0
        self.covered, self.zero_back = exact["recall"] == 1, exact["d(P; Q)"] == 0
        self.equal = self.inside & self.covered
        # The distances to the two supports are test functions of an IPM.
        self.apart = (exact["mean length"] > 0) | ~self.zero_back

    def vanishing(self, violation, *, of="perfect"):
        """Verdict on a violation that should vanish, and what is left of it."""
        verdicts, left = [], []
        for name, dimension in self.dimensions.items():
            v = violation.loc[name, of].unstack("n")
            verdicts.append(limit(v.columns, v, expected=-1 / dimension))
            left.append(v[v.columns.max()].mean())
        return together(verdicts), max(left)

    def excess(self, column):
        """By case, how much larger the column is than for a perfect generator."""
        last = self.samples.index.get_level_values("n").max()
        values = self.samples[column].xs(last, level="n").unstack("seed")
        found = [
            paired_difference(values.loc[name, model], values.loc[name, "perfect"])
            for name, model in self.equal.index
        ]
        return pd.Series(found, self.equal.index)

    def seen(self, cases, column):
        """Whether the column is larger in all cases than for a perfect generator."""
        signs = self.excess(column)[cases].map(lambda x: x.sign)
        if (signs == 1).all():
            return HOLDS
        return FAILS if (signs == -1).any() else OPEN


def _precision_lines(e):
    s = e.samples
    missed = 1 - s[["precision", "recall"]]
    blind = (s["mean length"] == 0).astype(float)
    radius = e.vanishing(s["radius"])
    return {
        ("(5–8)", "Q on the manifold ⇔ FPT(Q; P) = {0} ⇔ d(Q; P) = 0"): {
            "⇒": Direction(e.inside, e.zero, *e.vanishing(s["d(Q; P)"])),
            "⇐": Direction(
                e.zero, e.inside, *e.vanishing(blind, of="all a little off")
            ),
        },
        ("(9, 12)", "FPT(Q; P) = {0} ⇔ precision = 1"): {
            "⇒": Direction(e.zero, e.inside, *e.vanishing(missed["precision"])),
            "⇐": Direction(e.inside, e.zero, *radius),
        },
        ("(10, 11, 13)", "FPT(P; Q) = {0} ⇔ recall = 1"): {
            "⇒": Direction(e.zero_back, e.covered, *e.vanishing(missed["recall"])),
            "⇐": Direction(e.covered, e.zero_back, *radius),
        },
    }


def _support_lines(e):
    s = e.samples
    both, either = e.zero & e.zero_back, s[["d(Q; P)", "d(P; Q)"]].max(axis=1)
    return {
        ("(14)", "FPT(Q; P) = FPT(P; Q) = {0} ⇔ equal supports"): {
            # Copies of the real points have both, and leave the rest of the manifold.
            "⇒": Direction(both, e.equal, *e.vanishing(s["mean length"])),
            "⇐": Direction(e.equal, both, *e.vanishing(either)),
        },
        ("(15)", "supports differ ⇔ some artifact in FPT(Q; P) ≠ 0"): {
            "⇒": Direction(~e.equal, ~e.zero, e.seen(~e.equal, "mean length")),
            "⇐": Direction(~e.zero, ~e.equal, *e.vanishing(s["d(Q; P)"])),
        },
    }


def _ipm_lines(e):
    s, excess = e.samples, e.excess("W1")
    bound = (s["mean length"] <= s["W1"] + ROUNDING).all()
    both = e.zero & e.zero_back & excess.map(lambda x: x.n > 1)
    larger = e.apart | excess.map(lambda x: x.sign == 1)
    return {
        ("(16)", "supports differ ⇒ some IPM ≠ 0"): {
            "⇒": Direction(~e.equal, e.apart, e.seen(~e.equal, "W1")),
        },
        ("(17, 18)", "some artifact ≠ 0 ⇒ some IPM ≠ 0"): {
            "⇒": Direction(~e.zero, e.apart, HOLDS if bound else FAILS),
        },
        ("converse of (17)", "both fingerprints {0} ⇒ all IPMs = 0"): {
            "⇒": Direction(both, ~larger, FAILS if (both & larger).any() else OPEN),
        },
    }
