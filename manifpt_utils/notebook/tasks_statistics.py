"""Exercises on numbers that mislead: chapters 5, 6, 9 and 11."""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import normalized_mutual_info_score

from .trying import Exercise

_RNG = np.random.default_rng(2)


# --- chapter 5: clusters and factors ----------------------------------------------

_MADE_BY = np.repeat(np.arange(6), 4)  # the model of each image
_CLUSTERS = np.array([*[0] * 7, 1, *[1] * 5, 2, 2, 2, *[2] * 4, *[3] * 4])
_FACTOR = np.array([0, 0, 1, 1, 2, 2])  # the value of each model
_DEALT = np.array([_RNG.permutation(_FACTOR) for _ in range(8)])


def beyond_null():
    """NMI of clusters and a factor, beyond that of values assigned at random."""

    def nmi(values):
        return normalized_mutual_info_score(values[_MADE_BY], _CLUSTERS)

    seen, null = nmi(_FACTOR), np.array([nmi(row) for row in _DEALT])
    return Exercise(
        (_CLUSTERS, _MADE_BY, _FACTOR, _DEALT),
        np.asarray(seen - null.mean()),
        (
            (seen, "This is the NMI itself; a factor of many values has a high one "
             "anyway."),
            (null.mean(), "This is the null; subtract it from the NMI."),
            (seen - null.max(), "This subtracts the highest of the dealings; take "
             "their mean."),
            (np.mean(null >= seen), "This is the share of dealings that do as well, a "
             "p-value."),
        ),
        (
            "`values[made_by]` is the value of every image.",
            "`sklearn.metrics.normalized_mutual_info_score` has the NMI.",
        ),
    )  # fmt: skip


def holm():
    """P-values, corrected for their number."""
    p = np.array([0.012, 0.2, 0.001, 0.013, 0.6])
    order, m = p.argsort(), len(p)
    steps = (m - np.arange(m)) * p[order]
    found, raw = np.empty(m), np.empty(m)
    found[order] = np.minimum(np.maximum.accumulate(steps), 1)
    raw[order] = np.minimum(steps, 1)
    return Exercise(
        (p,),
        found,
        (
            (np.minimum(m * p, 1), "This multiplies all of them by their number "
             "(Bonferroni); the second smallest needs one less."),
            (raw, "One of them is smaller than one that was smaller before; carry the "
             "largest so far along."),
            (np.maximum.accumulate(steps).clip(max=1), "They are in the order of their "
             "size; give them back in the order they came."),
        ),
        (
            "Multiply the smallest by m, the next one by m − 1, and so on.",
            "`np.maximum.accumulate` carries the largest so far along; 1 is the most.",
        ),
    )  # fmt: skip


# --- chapter 6: maps --------------------------------------------------------------

_POINTS = np.random.default_rng(3).normal(size=(14, 2)) + np.repeat(
    [[0, 0], [1.5, 0.5]], 7, axis=0
)
_NAMES = np.repeat([0, 1], 7)


def vote():
    """Share of the points whose nearest others mostly bear their own name."""
    k = 3
    distances = cdist(_POINTS, _POINTS)

    def share(columns):
        near = _NAMES[distances.argsort(axis=1)[:, columns]]
        return np.mean((near == _NAMES[:, None]).mean(axis=1) > 0.5)

    found = share(slice(1, k + 1))
    own = (_NAMES[distances.argsort(axis=1)[:, 1 : k + 1]] == _NAMES[:, None]).mean()
    return Exercise(
        (_POINTS, _NAMES, k),
        np.asarray(found),
        (
            (share(slice(0, k)), "A point votes for itself. Leave it out."),
            (own, "This is the share of the neighbours; each point has one vote, by "
             "their majority."),
            (1 - found, "This is the share of the points that are outvoted."),
        ),
        ("The first column of a sorted row of distances is the point itself.",),
    )  # fmt: skip


def by_angle():
    """For each artifact, the place of the other one in the most similar direction."""
    rows = _RNG.normal(size=(8, 3)) * np.linspace(0.2, 3, 8)[:, None]
    cosine, straight = cdist(rows, rows, "cosine"), cdist(rows, rows)
    products = rows @ rows.T
    for square in (cosine, straight):
        np.fill_diagonal(square, np.inf)
    np.fill_diagonal(products, -np.inf)
    return Exercise(
        (rows,),
        cosine.argmin(axis=1).astype(float),
        (
            (np.arange(8), "Each has found itself."),
            (straight.argmin(axis=1), "This is the nearest by distance, where short "
             "artifacts are everybody's neighbours."),
            (products.argmax(axis=1), "The product grows with the length; divide each "
             "artifact by its length first."),
            (cosine.argsort(axis=1)[:, -2], "This is the most opposite direction."),
        ),
        ("Give all artifacts the length 1, then take products.",),
    )  # fmt: skip


# --- chapter 9: traps -------------------------------------------------------------


def area():
    """Probability that a generated image has the longer artifact."""
    real, generated = np.array([0, 0.1, 0.4, 0.2]), np.array([0.1, 0.5, 0.4, 0.3, 0.05])
    longer = np.mean(generated[:, None] > real)
    equal = np.mean(generated[:, None] == real)
    return Exercise(
        (real, generated),
        np.asarray(longer + equal / 2),
        (
            (longer, "Equal lengths count for nothing here; a coin decides them."),
            (longer + equal, "Equal lengths count in full here; a coin decides them."),
            (1 - longer - equal / 2, "This is the probability that the *real* image "
             "has the longer one."),
        ),
        ("Compare all pairs of a real and a generated image.",),
    )  # fmt: skip


def halves():
    """How well two halves of the same real images seem to be told apart."""
    real = np.random.default_rng(5).normal(size=(12, 2))
    known, fresh = real[:6], real[6:]

    def shorter(own):
        return np.mean(own[:, None] < cdist(fresh, known).min(axis=1))

    with_itself = shorter(cdist(known, known).min(axis=1))
    left_out = shorter(np.sort(cdist(known, known), axis=1)[:, 1])
    return Exercise(
        (known, fresh),
        np.array([with_itself, left_out]),
        (
            ([left_out, with_itself], "The two numbers are swapped."),
            ([with_itself, with_itself], "A known point finds itself in both; leave "
             "it out in the second."),
            ([1 - with_itself, 1 - left_out], "This is how often the *known* point has "
             "the longer artifact."),
        ),
        (
            "Give the known points their artifacts once with themselves in the set, "
            "and once without.",
            "All pairs of a known and a fresh point; how often is the fresh one's "
            "artifact longer?",
        ),
    )  # fmt: skip


# --- chapter 11: side by side -----------------------------------------------------

_PAPER = np.array([0.91, 0.62, 0.75, 0.40, 0.88])
_OURS = np.array([0.60, 0.45, 0.66, 0.30, 0.71])
_ORDERS = np.array([_RNG.permutation(5) for _ in range(19)])


def _agreement(one, other):
    a, b = (np.sign(x[:, None] - x)[np.triu_indices(5, 1)] for x in (one, other))
    return np.mean(a == b)


def same_pairs():
    """Share of the pairs of methods that two studies put in the same order."""
    share = _agreement(_PAPER, _OURS)
    correlation = np.corrcoef(_PAPER, _OURS)[0, 1]
    ranks = np.mean(_PAPER.argsort() == _OURS.argsort())
    diagonal = np.mean(np.sign(_PAPER[:, None] - _PAPER) ==
                       np.sign(_OURS[:, None] - _OURS))  # fmt: skip
    return Exercise(
        (_PAPER, _OURS),
        np.asarray(share),
        (
            (2 * share - 1, "This is Kendall's tau, from −1 to 1; give the share."),
            (correlation, "This compares values; compare orders."),
            (ranks, "This asks whether ranks are equal; compare pairs."),
            (diagonal, "Each method is paired with itself here, which always agrees."),
        ),
        ("Of two methods, which is ahead in one study, and which in the other?",),
    )  # fmt: skip


def by_chance():
    """Probability that a shuffled order agrees as often as ours."""
    seen = _agreement(_PAPER, _OURS)
    null = np.array([_agreement(_PAPER, _OURS[order]) for order in _ORDERS])
    n, as_good = len(null), int((null >= seen - 1e-12).sum())
    return Exercise(
        (_PAPER, _OURS, _ORDERS),
        np.asarray((1 + as_good) / (1 + n)),
        (
            (as_good / n, "Our own order is one of those that chance could have given; "
             "count it above and below."),
            (null.mean(), "This is how often shuffled orders agree on average."),
            ((n - as_good) / n, "This is the share of shuffled orders that do worse."),
        ),
        (
            "`ours[order]` is ours in a shuffled order.",
            "How many of them agree with the paper in at least as many pairs?",
        ),
    )  # fmt: skip


TASKS = {
    "5.1": beyond_null(),
    "5.2": holm(),
    "6.1": vote(),
    "6.2": by_angle(),
    "9.1": area(),
    "9.2": halves(),
    "11.1": same_pairs(),
    "11.2": by_chance(),
}
