"""Where a benchmark lies: how long its artifacts are, and how many dimensions it has.

In the regime of the paper, artifacts are much longer than the spacing of the real
images.  Both lengths can be measured on any images, and so can the dimension of the set
on which the real ones lie.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ..images.copies import digests
from .manifold import DataManifold

N_IMAGES = 500  # images per model, and held-out real images, at most
N_NEIGHBOURS = 4000  # real images among which the dimension is estimated, at most
LEAST = 20  # different images among them


class Location(NamedTuple):
    """Length of artifacts over spacing, per model, and dimension of the real images.

    Attributes
    ----------
    models : DataFrame
        Index `model`.  `length`: median distance to the nearest real image.
        `apparent`: this distance divided by the spacing, which is 1 for real images.
        `ratio`: the part of the distance at right angles to the real images, divided by
        the spacing (see the notes of `locate`).
    spacing : float
        Median distance of a held-out real image to its nearest real one.
    dimension : float
    n_real : int
        Number of real images with which all of this was measured.
    """

    models: pd.DataFrame
    spacing: float
    dimension: float
    n_real: int


def locate(benchmark, *, space="rgb"):
    """Measure where a benchmark lies on the map of the paper's regime.

    Parameters
    ----------
    benchmark : Benchmark
    space : str or transformer
        The embedding space in which distances are measured.

    Returns
    -------
    Location

    Raises
    ------
    ValueError
        If there are too few real images, or all of them are the same.

    Notes
    -----
    The nearest real image is not the closest point: it differs from it by about the
    spacing, along the manifold.  The artifact is at right angles to that error, so that

    .. math:: |x_G - x_{near}|^2 \\approx |a(x_G)|^2 + \\text{spacing}^2,

    which is solved for the length of the artifact.  Where the left side is smaller than
    the squared spacing, the ratio is 0; a ratio below about 0.3 cannot be told from 0.

    Examples
    --------
    >>> from manifpt_utils.images.loading import load
    >>> found = locate(load("gm-photo/coffee", models=["dcgan"], n_real=500))
    >>> list(found.models.columns), found.dimension > 1
    (['length', 'apparent', 'ratio'], True)
    """
    manifold = DataManifold(space).fit(benchmark.real)
    held_out = manifold.project(benchmark.real_test[:N_IMAGES]).distance
    spacing = float(np.median(held_out))
    if not spacing > 0:
        raise ValueError(
            f"the held-out real images of {benchmark.name} are copies of the others, "
            "so the spacing is zero; remove the copies."
        )
    lengths = {
        model: float(np.median(manifold.project(x[:N_IMAGES]).distance))
        for model, x in benchmark.images.items()
    }
    models = pd.DataFrame({"length": lengths}).rename_axis("model")
    models["apparent"] = models["length"] / spacing
    models["ratio"] = across(models["apparent"])
    found = dimension(manifold.features_)
    return Location(models, spacing, found, len(benchmark.real))


def across(apparent):
    """The part of a length at right angles to the real images, in units of spacing.

    Examples
    --------
    >>> across(np.array([0.9, 1.0, 1.25])).tolist()
    [0.0, 0.0, 0.75]
    """
    return np.sqrt(np.maximum(apparent**2 - 1, 0))


def dimension(real):
    """Estimate the intrinsic dimension of a set of images or features.

    The ratio of the distances to the second and the first neighbour tells the
    dimension, whatever the density (TwoNN, Facco et al. 2017).  It is computed by
    scikit-dimension.

    Parameters
    ----------
    real : (n, ...) array

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If fewer than 20 rows differ.

    Examples
    --------
    >>> line = np.random.default_rng(0).random((500, 1)) * np.ones(7)
    >>> round(dimension(line))
    1
    """
    from skdim.id import TwoNN  # it needs numba, which takes seconds to import

    rows = np.asarray(real[:N_NEIGHBOURS], dtype=np.float32)
    rows = rows.reshape(len(rows), -1)
    rows = rows[~pd.Series(digests(rows)).duplicated().to_numpy()]
    if len(rows) < LEAST:
        raise ValueError(
            f"{len(rows)} different images are too few for an estimate of their "
            f"dimension; give at least {LEAST}."
        )
    return float(TwoNN().fit(rows).dimension_)
