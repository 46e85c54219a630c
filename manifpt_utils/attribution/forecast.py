"""An estimate, in advance, of how long a comparison of methods will take."""

import time

import numpy as np

from ..method.classifiers import ImageAttributor
from .selection import ESTIMATES, SPACES

STEPS = 5  # training steps that are timed
SMALL = 100  # steps of the training that is the unit of time
LARGE = 960  # rows from which a training has more steps than its least
DENOISING = 0.013  # units for a step of the training of a denoiser
# CPU time of a training with its test, in this unit, on GM-Photo (32 x 32 pixels, 50
# images of each of 6 models).  Kinds that are not listed take one unit.
RELATIVE = {
    "McCloskey18": 0.05,
    "Nataraj19": 2.8,
    "Durall20": 0.05,
    "Dzanic20": 0.05,
    "Wang20": 3.7,
    "Marra18": 2.6,
    "Marra19": 4.3,
    "Yu19": 4.0,
}


def seconds_of_a_training(images, labels):
    """Time a few steps of the small network, and scale them to a whole training.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    labels : (n,) array

    Returns
    -------
    float
        Seconds of a hundred steps of 64 images.
    """
    x = images.reshape(len(images), -1)[::-1]
    options = {"image_shape": images.shape[1:], "epochs": 1, "min_steps": STEPS}
    few = slice(None, None, max(1, len(x) // (64 * STEPS)))
    classifier = ImageAttributor(**options, batch_size=min(64, len(x)))
    start = time.perf_counter()
    classifier.fit(x[few], np.asarray(labels)[::-1][few])
    done = max(STEPS, len(x[few]) / 64)
    return (time.perf_counter() - start) * SMALL / done


def forecast_fit(unit, n_rows, *, n_fits=1, denoiser_steps=0, effort=1.0):
    """Minutes that the fits of an attributor will take, roughly.

    Parameters
    ----------
    unit : float
        From `seconds_of_a_training`.
    n_rows : int
        Images that each learns from.
    n_fits : int
        The first chooses by one round of cross-validation, the others have its choice.
    denoiser_steps : int
        Zero where a denoiser is shipped.
    effort : float

    Returns
    -------
    float

    Examples
    --------
    >>> round(forecast_fit(6.0, 960), 3)
    0.9
    """
    compared = len(SPACES) * len(ESTIMATES)  # with a network; the linear ones are quick
    trainings = compared + n_fits * max(1, n_rows / LARGE)
    return (trainings * effort + denoiser_steps * DENOISING) * unit / 60


def forecast(methods, unit, *, n_trainings, effort=1.0):
    """Minutes that a comparison will take, roughly.

    Parameters
    ----------
    methods : sequence of str
        Names of earlier methods, and kinds of representations, each once per space.
    unit : float
        From `seconds_of_a_training`.
    n_trainings : int
        Trainings of every method, one per seed.
    effort : float

    Returns
    -------
    float

    Examples
    --------
    >>> round(forecast(["Yu19", "raw"], 6.0, n_trainings=2), 3)
    1.0
    """
    parts = [RELATIVE.get(name, 1.0) for name in methods]
    return sum(parts) * unit * n_trainings * effort / 60
