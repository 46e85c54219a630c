"""An estimate, in advance, of how long a comparison of methods will take."""

import time
from contextlib import nullcontext

import numpy as np

from ..method.classifiers import ImageAttributor
from ..method.denoiser import CROP
from ..method.processes import n_processes, one_thread, pixels_per_image
from .selection import ESTIMATES, KEPT, SPACES, candidates

STEPS = 2, 10  # training steps of the two fits that are timed
SMALL = 100  # steps of the training that is the unit of time
LARGE = 960  # rows from which a training has more steps than its least
# Time of a training on features with its test, in units for that many rows.
ON_FEATURES = 1.5
WHOLE = 3  # time of a fit with features, calibration and test, over its training
COMPARED = len(SPACES) * len(ESTIMATES)  # networks of the first round of a choice
DENOISING = 0.025  # units for a step of the training of a denoiser
THREADED = 0.7  # time of a training on all cores, relative to one core
# CPU time of a training with its test, in this unit, on 50 images of each of 6 to 8
# models, for images of 32 x 32 and of 64 x 64 pixels.  Kinds that are not listed take
# one unit.
RELATIVE = {
    "McCloskey18": (0.05, 0.05),
    "Nataraj19": (2.8, 1.1),
    "Durall20": (0.05, 0.05),
    "Dzanic20": (0.05, 0.05),
    "Wang20": (3.7, 3.6),
    "Marra18": (2.6, 3.2),
    "Marra19": (4.3, 6.4),
    "Yu19": (4.0, 2.8),
}
PIXELS = 32 * 32, 64 * 64  # of these images
FIXED = {"Nataraj19"}  # takes the same time for images of any larger size


def seconds_of_a_training(images, labels, *, precision="float32"):
    """Time a few steps of the small network, and scale them to a whole training.

    What a fit takes besides its steps is left out by the difference of two fits.  Where
    several trainings can run at once, this is the time on one core.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    labels : (n,) array
    precision : str
        As for `NetworkClassifier`.

    Returns
    -------
    float
        Seconds of a hundred steps of 64 images.
    """
    x, labels = images.reshape(len(images), -1)[::-1], np.asarray(labels)[::-1]
    shape, (few, more) = images.shape[1:], STEPS
    at_once = n_processes(pixels_per_image(images))
    how = {"image_shape": shape, "precision": precision}
    with one_thread() if at_once > 1 else nullcontext():
        _seconds_of_steps(more, x, labels, how)  # the first of a process are slow
        start, end = (_seconds_of_steps(n, x, labels, how) for n in STEPS)
    # A hiccup of the machine may make the shorter fit the longer one.
    return max(end - start, 0.1 * end) * SMALL / (more - few)


def _seconds_of_steps(n, x, labels, options):
    """Of a fit of so many steps, with all that comes before and after them."""
    size = min(64, len(x))
    few = np.linspace(0, len(x) - 1, size * n).round().astype(int)
    steps = {"epochs": 1, "min_steps": n, "batch_size": size}
    classifier = ImageAttributor(**options, **steps)
    start = time.perf_counter()
    classifier.fit(x[few], labels[few])
    return time.perf_counter() - start


def forecast_fit(
    unit,
    n_rows,
    *,
    compared=COMPARED,
    n_fits=1,
    left_out=0,
    denoiser_steps=0,
    n_pixels=CROP**2,
    effort=1.0,
    processes=1,
):
    """Minutes that the fits of an attributor will take, roughly.

    Parameters
    ----------
    unit : float
        From `seconds_of_a_training`.
    n_rows : int
        Images that each learns from.
    compared : int
        Trainings of networks by which the first fit chooses; linear ones are quick.
    n_fits : int
        How many follow each other.
    left_out : int
        Trainings without a model that follow each other, see `leave_out`; those that
        run at once count once.
    denoiser_steps : int
        Zero where a denoiser is shipped.
    n_pixels : int
        Height times width of an image.  A denoiser is trained on pieces of large
        images, so that its steps do not become longer with these, as the unit does.
    effort : float
    processes : int
        How many of the compared trainings run at once, see `n_processes`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(forecast_fit(6.0, 960), 3)
    1.1
    """
    denoising = denoiser_steps * DENOISING * min(1, CROP**2 / n_pixels)
    size = max(1, n_rows / LARGE) * effort
    alone = WHOLE * n_fits * size + denoising
    alone *= THREADED if processes > 1 else 1
    in_turn = compared * effort / processes + ON_FEATURES * left_out * size
    return (in_turn + alone) * unit / 60


def minutes_of_fit(attributor, benchmark):
    """Minutes that the fit of an attributor will take, roughly.

    Parameters
    ----------
    attributor : Attributor
        Not fitted yet.
    benchmark : Benchmark

    Returns
    -------
    float
    """
    names = attributor.space, attributor.estimate, attributor.classifier
    choices = candidates(benchmark, *names)
    networks = sum(x.classifier == "network" for x in choices)
    again = 0 if attributor.quick else 3 * min(KEPT, networks)
    few = {name: x[:SMALL] for name, x in benchmark.images.items()}
    few |= {"real": benchmark.real[:SMALL]}
    labels = np.repeat(list(few), [len(x) for x in few.values()])
    how = {"precision": attributor.precision}
    unit = seconds_of_a_training(np.concatenate([*few.values()]), labels, **how)
    n_pixels = pixels_per_image(benchmark.real)
    denoises = any(x.estimate == "denoiser" for x in choices)
    return forecast_fit(
        unit,
        0.6 * sum(map(len, benchmark.images.values())),
        compared=networks + again if len(choices) > 1 else 0,
        n_fits=int(networks > 0),
        denoiser_steps=attributor.denoiser_steps if denoises else 0,
        n_pixels=n_pixels,
        effort=attributor.effort,
        processes=n_processes(n_pixels),
    )


def forecast(
    methods, unit, *, n_trainings, n_pixels=PIXELS[0], effort=1.0, processes=1
):
    """Minutes that a comparison will take, roughly.

    Parameters
    ----------
    methods : sequence of str
        Names of earlier methods, and kinds of representations, each once per space.
    unit : float
        From `seconds_of_a_training`.
    n_trainings : int
        Trainings of every method, one per seed.
    n_pixels : int
        Height times width of an image.
    effort : float
    processes : int
        How many trainings run at once, see `n_processes`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(forecast(["Yu19", "raw"], 6.0, n_trainings=2), 3)
    1.0
    """
    parts = [_relative(name, n_pixels) for name in methods]
    return sum(parts) * unit * n_trainings * effort / processes / 60


def _relative(name, n_pixels):
    """Units that a training takes, between those of the sizes that were measured."""
    found = np.interp(np.log(n_pixels), np.log(PIXELS), RELATIVE.get(name, (1, 1)))
    return float(found) * (min(1, PIXELS[1] / n_pixels) if name in FIXED else 1)
