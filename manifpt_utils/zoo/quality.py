"""Quality of the samples of a generator: nearness to the manifold, and coverage."""

from functools import cache

import numpy as np

from ..images.gm_photo import TEST_SEED
from ..images.photograph import PhotoManifold
from ..method.spaces import SelfSupervised
from ..metrics import frechet_distance, precision_recall

PROJECTED = 200  # samples whose distance and place on the photograph are measured
# Samples that are compared with as many real views.  Every training has this many;
# precision and recall depend on the number.
COMPARED = 200
CELLS = 4  # per axis of the grid over x, y and log side
NEIGHBORS = 5
LEAST_COVERED = 0.2  # least share of the cells that a training must cover to be stored


def quality(photo, images):
    """Measure samples against the known manifold and against held-out real views.

    Parameters
    ----------
    photo : str
    images : (n, 32, 32, 3) uint8 array

    Returns
    -------
    dict
        For the first `projected` images: `mean_distance`, the mean distance to the
        closest view in grey levels (root of the sum of squares over all 3,072 values),
        and `covered`, the share of 4 x 4 x 4 cells of x, y and log side that hold a
        closest view.  For the first `compared` images and as many views on which no
        generator was trained: `frechet_distance`, `precision`, `recall`, `density` and
        `coverage` with k = 5, in the self-supervised space, whose network no generator
        used in its loss.
    """
    return _on_the_manifold(photo, images[:PROJECTED]) | _in_a_neutral_space(
        photo, images[:COMPARED]
    )


def _on_the_manifold(photo, images):
    manifold = known_manifold(photo)
    found = manifold.project(images)
    low, high = manifold.bounds.copy().T
    place = found.coordinates.copy()
    for values in (low, high, place.T):
        values[2] = np.log(values[2])
    cells = np.clip((place - low) / (high - low) * CELLS, 0, CELLS - 1).astype(int)
    return {
        "mean_distance": round(float(found.distance.mean()), 1),
        "covered": round(len(np.unique(cells, axis=0)) / CELLS**3, 3),
        "projected": len(images),
    }


def _in_a_neutral_space(photo, images):
    space, views = _held_out(photo, COMPARED)
    real, fake = views[: len(images)], space.transform(images)
    scores = precision_recall(real, fake, k=min(NEIGHBORS, len(images) - 1))
    return {
        "frechet_distance": round(frechet_distance(real, fake), 2),
        **{name: round(value, 3) for name, value in scores._asdict().items()},
        "compared": len(images),
        "space": "selfsupervised",
    }


def is_collapsed(found):
    """Whether the closest views lie in too few of the cells.

    Parameters
    ----------
    found : dict
        From `quality`.

    Examples
    --------
    >>> is_collapsed({"covered": 0.17, "projected": 200})
    True
    """
    within_reach = min(CELLS**3, found["projected"])
    return found["covered"] * CELLS**3 < LEAST_COVERED * within_reach


@cache
def known_manifold(photo):
    """The manifold of a photograph, whose dense search is prepared once."""
    return PhotoManifold(photo)


@cache
def _held_out(photo, n):
    views = known_manifold(photo).sample(n, seed=TEST_SEED)
    space = SelfSupervised().fit(views)
    return space, space.transform(views)
