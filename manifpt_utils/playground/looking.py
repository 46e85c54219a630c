"""What the playground computes; how it is shown is `widgets`' affair."""

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from .._support.cache import cache_folder, digest
from .._support.printable import printable
from .._support.source import code_of
from ..attribution.answers import SEVERAL, UNKNOWN, UNSURE, answer_images
from ..attribution.attributor import Attributor
from ..attribution.selection import COMPUTES
from ..attribution.storage import load_attributor, save_attributor
from ..images.image_files import read_image, resized
from ..images.postprocessing import blur, jpeg, noise, resize
from ..method.manifold import DataManifold
from ..method.spaces import Frequency
from ..metrics.conformal import prediction_sets
from ..notebook.findings import percent

MOST_BYTES = 5_000_000  # of a file of the reader's own
TOO_LARGE = (
    "{name} has {size} million bytes, and at most "
    f"{MOST_BYTES // 1_000_000} million are accepted here. Reduce the image."
)
LONGEST_NAME = 60  # letters of its name that are shown
OPTIONS = {"space": "frequency", "estimate": "nearest", "classifier": "linear"}
TITLE = "p-value of "  # of the columns of an answer


class Change(NamedTuple):
    """What happens to an image, in this order; as it stands here, nothing does.

    Attributes
    ----------
    factor : float
        Of a reduction of both sides, and the way back.
    blur : float
        Deviation of a Gaussian, in pixels.
    noise : float
        Deviation in grey levels.
    quality : int
        Of a JPEG file; 100 leaves the compression out.
    """

    factor: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    quality: int = 100


def changed(image, change, *, seed=0):
    """An image after a change.

    Parameters
    ----------
    image : (h, w, 3) uint8 array
    change : Change
    seed : int
        Of the noise.

    Returns
    -------
    (h, w, 3) uint8 array

    Examples
    --------
    >>> grey = np.full((8, 8, 3), 99, np.uint8)
    >>> changed(grey, Change(blur=2.0)).mean()
    np.float64(99.0)
    """
    x = resize(image[None], factor=change.factor)
    x = noise(blur(x, sd=change.blur), sd=change.noise, seed=seed)
    return (x if change.quality == 100 else jpeg(x, quality=change.quality))[0]


class Found(NamedTuple):
    """What is found of one image.

    Attributes
    ----------
    image, star : (h, w, 3) uint8 array
        The image, and its closest point.
    artifact : (h, w, 3) int array
        Their difference, in grey levels.
    length : float
        Of the artifact: its root mean square.
    spectrum : (h, w) array
        Difference of the log magnitudes of their spectra, mean of the channels.
    p : Series
        Conformal p-value of every class.
    verdict : str
        A class, "several", "unsure" or "unknown".
    kept : list of str
        The classes that cannot be ruled out.
    """

    image: np.ndarray
    star: np.ndarray
    artifact: np.ndarray
    length: float
    spectrum: np.ndarray
    p: pd.Series
    verdict: str
    kept: list


def look(attributor, image, *, manifold=None):
    """Find the closest point of an image, its artifact, and who may have made it.

    Parameters
    ----------
    attributor : fitted Attributor
    image : (h, w, 3) uint8 array
    manifold : PhotoManifold, optional
        Where it is given the closest point is its; else the nearest real image.

    Returns
    -------
    Found
    """
    star = _closest(attributor, image, manifold)
    artifact = image.astype(int) - star
    answer = answer_images(attributor, image[None]).iloc[0]
    p = answer.filter(like=TITLE).rename(lambda name: name.removeprefix(TITLE))
    return Found(
        image=image,
        star=star,
        artifact=artifact,
        length=float(np.sqrt((artifact**2).mean())),
        spectrum=_spectral(attributor, image, star),
        p=p.astype(float),
        verdict=answer["verdict"],
        kept=p.index[in_the_set(p, attributor.coverage)].tolist(),
    )


def in_the_set(p, coverage):
    """Which classes cannot be ruled out, by their p-values: a bool array."""
    return prediction_sets(p.to_numpy(float)[None], coverage=coverage)[0]


def _closest(attributor, image, manifold):
    if manifold is None:
        return attributor.real_[attributor.nearest_real(image[None]).index[0, 0]]
    return np.rint(manifold.project(image[None]).x_star[0]).clip(0, 255).astype("uint8")


def _spectral(attributor, image, star):
    space = Frequency().fit(attributor.real_[:500])
    a, b = space.transform(np.stack([image, star]))
    return (a - b).reshape(image.shape).mean(axis=-1)


def verdict_words(found, coverage):
    """A sentence about the origin of an image.

    Parameters
    ----------
    found : Found
    coverage : float
        Of the sets.

    Returns
    -------
    str
    """
    sure = percent(coverage, digits=0)
    if found.verdict == UNKNOWN:
        return f"Unknown: all {len(found.p)} classes are ruled out at {sure}."
    names = " or ".join(found.kept) or "no class"
    if found.verdict == SEVERAL:
        return f"Made by {names}: these cannot be ruled out at {sure}."
    if found.verdict == UNSURE:
        return (
            f"Unsure: {names} cannot be ruled out at {sure}, but the most probable "
            "class is another one, or becomes another one by a slight change."
        )
    return f"Made by {names}: the only class that cannot be ruled out at {sure}."


def comparison_words(before, after):
    """A sentence about what a change did to the verdict.

    Parameters
    ----------
    before, after : Found

    Returns
    -------
    str
    """
    lengths = f"The artifact is {after.length:.1f} grey levels long"
    if np.array_equal(before.image, after.image):
        return f"{lengths}; the image is as it came."
    same = before.verdict == after.verdict and before.kept == after.kept
    words = "stays as it was" if same else f"was: {_short(before)}"
    return f"{lengths}, before the change {before.length:.1f}; the verdict {words}."


def _short(found):
    names = ", ".join(found.kept) or "no class"
    return (
        found.verdict if found.verdict in found.kept else f"{found.verdict} ({names})"
    )


def uploaded(name, content, shape):
    """Read an image that someone hands over, without a file on disk.

    Parameters
    ----------
    name : str
        Of the file, for messages.
    content : bytes
    shape : (int, int)
        Height and width to which its centre is brought.

    Returns
    -------
    (*shape, 3) uint8 array

    Raises
    ------
    ValueError
        If it is larger than five million bytes, or not an image that can be read.
    """
    name = printable(Path(str(name).replace("\\", "/")).name)[:LONGEST_NAME]
    if len(content) > MOST_BYTES:
        size = f"{len(content) / 1e6:.1f}"
        raise ValueError(TOO_LARGE.format(name=name, size=size))
    return resized(read_image(name or "the file", bytes(content))[0], shape)


def divided(benchmark, n):
    """The images that an attributor is fitted on, and those that are shown.

    Parameters
    ----------
    benchmark : Benchmark
    n : int
        Images per class that are fitted on.

    Returns
    -------
    fitted : Benchmark
    shown : dict of str to (m, h, w, 3) uint8 array
        The others, the real ones among them.
    """
    images = {name: x[:n] for name, x in benchmark.images.items()}
    part = replace(benchmark, images=images, real_test=benchmark.real_test[:n])
    shown = benchmark.images | {"real": benchmark.real_test}
    return part, {name: x[n:] for name, x in shown.items()}


def prepared(benchmark, *, folder=None):
    """An attributor of a benchmark: read if it was fitted before, else fitted and kept.

    Parameters
    ----------
    benchmark : Benchmark
    folder : Path, optional
        Where it is kept; beside the cached features if none is given.

    Returns
    -------
    Attributor
    """
    place = _place(benchmark, folder)
    if place is not None and place.is_dir():
        try:
            return load_attributor(place)
        except (ValueError, OSError):  # damaged, or of an older version
            pass
    found = Attributor(**OPTIONS, progress=True).fit(benchmark)
    if place is not None:
        shutil.rmtree(place, ignore_errors=True)  # what could not be read
        with suppress(ValueError, OSError):  # it only has to be fitted again
            found.save(place, origin=benchmark.name)
    return found


def _place(benchmark, folder):
    """A folder that is named for all that decides the fit; None without a cache."""
    folder = folder or (cache_folder() and cache_folder() / "playground")
    code = code_of(
        Attributor, load_attributor, save_attributor, DataManifold, *COMPUTES
    )
    arrays = benchmark.real, benchmark.real_test, *benchmark.images.values()
    key = digest(*benchmark.images, *arrays, *OPTIONS.values(), code)
    return folder and Path(folder) / f"attributor-{key[:16]}"
