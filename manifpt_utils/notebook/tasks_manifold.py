"""Exercises on the manifold: chapters 0 to 2, 12, 14 and 15."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

from .trying import Exercise

_RNG = np.random.default_rng(0)
_GENERATED, _REAL = _RNG.normal(size=(5, 3)), _RNG.normal(size=(9, 3))
_IMAGE, _CLOSEST = _RNG.uniform(size=(6, 8)), _RNG.uniform(size=(6, 8))
_ARTIFACTS = _RNG.normal(loc=0.4, size=(8, 3))


def nearest():
    """Artifacts from the nearest real point."""
    star = _REAL[cdist(_GENERATED, _REAL).argmin(axis=1)]
    away = np.linalg.norm(_GENERATED - star, axis=1)
    return Exercise(
        (_GENERATED, _REAL),
        _GENERATED - star,
        (
            (star, "These are the closest points; an artifact is the difference."),
            (away, "These are the lengths of the artifacts; keep the differences."),
            (
                _GENERATED - _REAL.mean(axis=0),
                "These are differences from the mean real point; each generated point "
                "has a closest point of its own.",
            ),
        ),
        (
            "Begin with the distances of all pairs, an array of shape (5, 9).",
            "The closest real point of a row is where its distance is smallest.",
        ),
    )


def left_out():
    """Lengths of the artifacts of real points, each left out while it is projected."""
    lengths = np.sort(cdist(_REAL, _REAL), axis=1)[:, 1]
    return Exercise(
        (_REAL,),
        lengths,
        (
            (
                np.zeros(len(_REAL)),
                "Every point has found itself. Leave it out while it is projected.",
            ),
            (lengths**2, "These are the squares of the lengths."),
        ),
        (
            "A point must not be among those that it is compared with.",
            "An infinite distance to itself keeps a point from being found.",
        ),
    )


def _spectrum(image):
    return np.fft.fftshift(np.log(np.abs(np.fft.fft2(image))))


def spectral():
    """The artifact of an image in the frequency space."""
    found = _spectrum(_IMAGE) - _spectrum(_CLOSEST)
    plain = np.abs(np.fft.fft2(_IMAGE)) - np.abs(np.fft.fft2(_CLOSEST))
    return Exercise(
        (_IMAGE, _CLOSEST),
        found,
        (
            (
                _spectrum(_IMAGE - _CLOSEST),
                "This is the spectrum of a difference between pixels. The space of "
                "the artifact is that of the spectra: subtract there.",
            ),
            (np.fft.ifftshift(found), "The mean of the image belongs in the centre."),
            (np.fft.fftshift(plain), "The logarithm of the magnitudes is missing."),
            (plain, "The logarithm of the magnitudes and the shift are missing."),
        ),
        (
            "Take each image into the frequency space by itself.",
            "`fft2`, absolute value, logarithm, `fftshift`; then the difference.",
        ),
    )


def shared():
    """The part of the artifacts that a whole model shares."""
    lengths = np.linalg.norm(_ARTIFACTS, axis=1)
    of_mean = np.linalg.norm(_ARTIFACTS.mean(axis=0))
    return Exercise(
        (_ARTIFACTS,),
        np.asarray(of_mean / np.median(lengths)),
        (
            (of_mean / lengths.mean(), "It is divided by the mean length; take the "
             "median, which one bad image does not move."),
            (of_mean, "This is the length of the mean; divide by the median length."),
            (1 - of_mean / np.median(lengths), "This is the part that is not shared."),
        ),
        ("The length of a mean is not the mean of the lengths.",),
    )  # fmt: skip


# --- chapter 0: a circle, and the theory ------------------------------------------

_PLANE = _RNG.normal(size=(6, 2))
_ON_CIRCLE = np.array([[np.cos(a), np.sin(a)] for a in (0.1, 1.0, 1.8, 3.0, 4.4, 5.3)])


def circle():
    """Artifacts of points of the plane, the real data being a circle."""
    radius = 0.5
    star = radius * _PLANE / np.linalg.norm(_PLANE, axis=1, keepdims=True)
    lengths = np.linalg.norm(_PLANE - star, axis=1)
    return Exercise(
        (_PLANE, radius),
        _PLANE - star,
        (
            (star, "These are the closest points; an artifact is the difference."),
            (star / radius, "These are points of the circle of radius 1."),
            (_PLANE - star / radius, "The circle has another radius than 1 here."),
            (lengths, "These are the lengths; a direction belongs to an artifact."),
        ),
        (
            "Walk straight towards the circle, along the line through the centre.",
            "A point over its own length lies on the circle of radius 1.",
        ),
    )


def through_two():
    """Artifacts with the line through the two nearest real points."""
    order = cdist(_PLANE, _ON_CIRCLE).argsort(axis=1)
    first, second = (_ON_CIRCLE[row] for row in order[:, :2].T)
    along = second - first
    share = ((_PLANE - first) * along).sum(axis=1) / (along**2).sum(axis=1)
    star = first + share[:, None] * along
    inside = first + np.clip(share, 0, 1)[:, None] * along
    return Exercise(
        (_PLANE, _ON_CIRCLE),
        _PLANE - star,
        (
            (star, "These are the closest points; an artifact is the difference."),
            (_PLANE - first, "This is the nearest real point alone."),
            (_PLANE - (first + second) / 2, "This is the middle between the two."),
            (_PLANE - inside, "The line does not end at the two points."),
        ),
        (
            "Write a point of the line as the first real point plus a share of the way "
            "to the second one.",
            "The artifact stands at a right angle on the line. Which share does that "
            "ask for?",
        ),
    )


_SAMPLE = _RNG.normal(size=(25, 2))
_HELD_OUT = 1.6 * np.random.default_rng(7).normal(size=(20, 2))


def in_no_ball():
    """Share of generated points that lie in no ball around a real point."""
    k = 3

    def share(points, centres, n):
        radii = np.sort(cdist(centres, centres), axis=1)[:, n]
        return np.mean((cdist(points, centres) > radii).all(axis=1))

    missed = share(_HELD_OUT, _SAMPLE, k)
    return Exercise(
        (_HELD_OUT, _SAMPLE, k),
        np.asarray(missed),
        (
            (share(_HELD_OUT, _SAMPLE, k - 1), "A real point has found itself as its "
             "first neighbour. Leave it out."),
            (share(_SAMPLE, _HELD_OUT, k), "The balls are around the generated points; "
             "that is the recall."),
            (1 - missed, "This is the share that lies in a ball, the precision."),
        ),
        (
            "The radius of a ball is the distance from its real point to neighbour k "
            "among the *other* real points.",
            "A point is missed if it is outside of *every* ball.",
        ),
    )  # fmt: skip


_SOME, _OTHERS = _RNG.normal(size=(7, 2)), 0.5 + _RNG.normal(size=(7, 2))


def mean_and_w1():
    """Mean artifact and W1 distance of two sets of as many points."""
    distances = cdist(_SOME, _OTHERS)
    rows, columns = linear_sum_assignment(distances)
    mean, w1 = distances.min(axis=1).mean(), distances[rows, columns].mean()
    squared = distances**2
    rows, columns = linear_sum_assignment(squared)
    w2 = np.sqrt(squared[rows, columns].mean())
    both = np.array([mean, w1])
    return Exercise(
        (_SOME, _OTHERS),
        both,
        (
            (both[::-1], "The two are swapped; the first is never the "
             "larger one."),
            (both * len(_SOME), "These are sums over the points; take means."),
            (np.array([mean, w2]), "The second is W2, with squared distances; W1 takes "
             "them as they are."),
            (np.array([mean, distances.mean()]), "The second is the mean over all "
             "pairs. W1 gives each point one partner of its own."),
        ),
        (
            "For the mean artifact length, several points may have the same closest "
            "point; for W1 they may not.",
            "`scipy.optimize.linear_sum_assignment` finds the cheapest partners.",
        ),
    )  # fmt: skip


# --- chapter 12: the generators ---------------------------------------------------


def coverage():
    """Share of real points with a generated point in their ball."""
    k = 2
    radii = np.sort(cdist(_SAMPLE, _SAMPLE), axis=1)
    few = _HELD_OUT[:6]
    near = cdist(_SAMPLE, few)

    def share(column):
        return np.mean((near <= radii[:, column, None]).any(axis=1))

    precise = np.mean((near <= radii[:, k, None]).any(axis=0))
    density = np.mean((near <= radii[:, k, None]).sum(axis=0)) / k
    return Exercise(
        (few, _SAMPLE, k),
        np.asarray(share(k)),
        (
            (share(k - 1), "A real point has found itself as its first neighbour. "
             "Leave it out."),
            (precise, "This is the share of the *generated* points in a ball."),
            (density, "This is the density: it counts balls, not real points."),
            (1 - share(k), "This is the share of the real points that are missed."),
        ),
        ("The balls are around the real points, and so is the mean.",),
    )  # fmt: skip


def same_order():
    """Spearman's rank correlation of two measures."""
    one = np.array([0.2, 1.4, 0.9, 8.0, 0.3, 2.0])
    other = np.array([3.0, 9.0, 4.0, 10.0, 1.0, 8.0])
    ranks = spearmanr(one, other).statistic
    plain = np.corrcoef(one, other)[0, 1]
    return Exercise(
        (one, other),
        np.asarray(ranks),
        (
            (plain, "This is the correlation of the values, which one large value "
             "decides; correlate their ranks."),
            (1 - ranks, "The same order is to give 1, not 0."),
        ),
        ("The rank of a value is its place in the order; `argsort` twice gives it.",),
    )  # fmt: skip


# --- chapter 14: curved spaces ----------------------------------------------------

_TURNS = np.linspace(0, 5, 12)
_SPIRAL = np.stack([_TURNS * np.cos(_TURNS), _TURNS * np.sin(_TURNS)], axis=1)


def centre():
    """Artifacts from the centre of the k nearest real points."""
    k = 3
    order = cdist(_GENERATED, _REAL).argsort(axis=1)
    means = _REAL[order[:, :k]].mean(axis=1)
    return Exercise(
        (_GENERATED, _REAL, k),
        _GENERATED - means,
        (
            (means, "These are the centres; an artifact is the difference."),
            (_GENERATED - _REAL[order[:, 0]], "This is the nearest one alone."),
            (_GENERATED - _REAL.mean(axis=0), "This is the centre of all real points."),
            (_GENERATED - _REAL[order[:, -k:]].mean(axis=1), "These are the farthest "
             "ones."),
        ),
        ("The first k of a sorted row of distances are the nearest ones.",),
    )  # fmt: skip


def along():
    """Lengths of the shortest ways along a graph of near points."""
    k = 2
    straight = cdist(_SPIRAL, _SPIRAL)
    near = straight.argsort(axis=1)[:, 1 : k + 1]
    edges = np.zeros_like(straight)
    np.put_along_axis(edges, near, np.take_along_axis(straight, near, axis=1), axis=1)
    found = shortest_path(edges, directed=False)
    steps = shortest_path(edges > 0, directed=False)
    directed = shortest_path(edges, directed=True)
    mistakes = (
        (straight, "These are the straight distances, across the space between."),
        (steps, "These are numbers of steps; a step is as long as its edge."),
        (edges, "These are the edges; a way may have several of them."),
    )
    if not np.allclose(directed, found):
        why = "An edge may be walked in both directions, whichever end found the other."
        mistakes += ((directed, why),)
    return Exercise(
        (_SPIRAL, k),
        found,
        mistakes,
        (
            "Join each point to its k nearest others, by an edge as long as their "
            "distance, and leave all other entries zero.",
            "`scipy.sparse.csgraph.shortest_path` finds the ways.",
        ),
    )


# --- chapter 15: length against spacing -------------------------------------------


def length_over_spacing():
    """Median length of the artifacts over the median spacing of the real points."""
    lengths = cdist(_GENERATED, _REAL).min(axis=1)
    spacing = np.sort(cdist(_REAL, _REAL), axis=1)[:, 1]
    ratio = np.median(lengths) / np.median(spacing)
    return Exercise(
        (_GENERATED, _REAL),
        np.asarray(ratio),
        (
            (1 / ratio, "This is spacing over length."),
            (lengths.mean() / spacing.mean(), "These are means; take medians, which "
             "one bad image does not move."),
            (np.median(lengths), "This is the length; divide by the spacing."),
            (np.inf, "Every real point has found itself, so the spacing is zero."),
        ),
        ("The spacing is the distance of a real point to the nearest *other* one.",),
    )  # fmt: skip


def two_neighbours():
    """Dimension of real points from their two nearest neighbours."""
    near = np.sort(cdist(_SAMPLE, _SAMPLE), axis=1)
    logs = np.log(near[:, 2] / near[:, 1])
    found = 1 / logs.mean()
    return Exercise(
        (_SAMPLE,),
        np.asarray(found),
        (
            (logs.mean(), "This is one over the dimension."),
            (np.log(10) * found, "Take the natural logarithm."),
            (np.mean(1 / logs), "Take the mean of the logarithms first, then one over "
             "it."),
            (1 / np.log(near[:, 3] / near[:, 2]).mean(), "These are the second and the "
             "third neighbour."),
        ),
        (
            "For each point, the second neighbour's distance over the first one's.",
            "A point is not its own neighbour.",
        ),
    )  # fmt: skip


TASKS = {
    "0.1": circle(),
    "0.2": through_two(),
    "0.3": in_no_ball(),
    "0.4": mean_and_w1(),
    "1.1": nearest(),
    "1.2": left_out(),
    "2.1": spectral(),
    "2.2": shared(),
    "12.1": coverage(),
    "12.2": same_order(),
    "14.1": centre(),
    "14.2": along(),
    "15.1": length_over_spacing(),
    "15.2": two_neighbours(),
}
