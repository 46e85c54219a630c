"""What the sliders of the chapters show: a way, a number of images, a compression."""

import numpy as np

from .findings import percent
from .frames import Curves, Step, image_steps, matrix_steps
from .pictures import signed, symmetric_limit

SHARES = (0, 0.2, 0.4, 0.6, 0.8, 1)  # of an artifact that are taken away


def projection_steps(images, artifacts, names):
    """From generated images to their closest points, a share of the artifact at a time.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    artifacts : (n, h, w, 3) float array
        Of images from 0 to 1.
    names : list of str
        Of the models.

    Returns
    -------
    plotly Figure
        Rows of the image, what is left of it, and what was taken away.

    Examples
    --------
    >>> images = np.zeros((1, 4, 4, 3), np.uint8)
    >>> len(projection_steps(images, images + 0.5, ["vae"]).frames)
    6
    """
    limit = symmetric_limit(artifacts)
    x = np.asarray(images) / 255.0

    def grid(share):
        left = (x - share * artifacts).clip(0, 1)
        return list(zip(x, left, signed(share * artifacts, limit), strict=True))

    return image_steps(
        list(map(grid, SHARES)),
        [_on_the_way(share, artifacts, names) for share in SHARES],
        row_labels=names,
        column_labels=["generated", "on the way", "taken away"],
        title="Artifact taken away",
    )


def _on_the_way(share, artifacts, names):
    lengths = share * np.linalg.norm(artifacts.reshape(len(names), -1), axis=1)
    taken = ", ".join(f"{x:.1f} ({n})" for x, n in zip(lengths, names, strict=True))
    label = percent(share, digits=0)
    if not share:
        return Step(label, "At the generated image. Nothing is taken away yet.")
    if share < 1:
        said = f"On the way, with {label} of the artifact taken away: a length of"
        return Step(label, f"{said} {taken}.")
    said = "At the closest point, x*. The whole artifact is taken away: a length of"
    return Step(label, f"{said} {taken}.")


def nearest_steps(image, closest, counts, exact):
    """The nearest of more and more real images, beside the exact closest point.

    Parameters
    ----------
    image : (h, w, 3) uint8 array
        A generated one.
    closest : (n, h, w, 3) array
        The nearest real image of each number of them.
    counts : list of int
        The numbers.
    exact : (h, w, 3) array
        The closest point of the manifold itself, in grey levels.

    Returns
    -------
    plotly Figure

    Examples
    --------
    >>> grey = np.full((1, 4, 4, 3), 99, np.uint8)
    >>> closest = np.concatenate([grey + 2, grey + 1])
    >>> len(nearest_steps(grey[0] + 9, closest, [1, 2], grey[0]).frames)
    2
    """
    gaps = [(image - np.asarray(star, float)) / 255 for star in (*closest, exact)]
    limit = symmetric_limit(gaps)
    *lengths, least = (float(np.linalg.norm(gap)) for gap in gaps)
    below = [image, np.asarray(exact).clip(0, 255).astype(np.uint8)]
    below.append(signed(gaps[-1], limit))
    grids = [
        [[image, star, signed(gap, limit)], below]
        for star, gap in zip(closest, gaps[:-1], strict=True)
    ]
    steps = [_of_many(*x, least) for x in zip(counts, lengths, strict=True)]
    lines = {"nearest": lengths, "exact": [least] * len(counts)}
    return image_steps(
        grids,
        steps,
        row_labels=["nearest", "exact"],
        column_labels=["generated", "closest", "artifact"],
        title="Real images",
        curves=Curves(counts, lines, counts, "real images", "artifact"),
    )


def _of_many(count, length, least):
    said = f"The nearest of {count:,} real images leaves an artifact of {length:.1f}"
    longer = f", {length / least:.1f} times" if least else ", beside"
    return Step(f"{count:,}", f"{said}{longer} the exact one of {least:.1f}.")


def confusion_steps(tables, *, title):
    """A confusion matrix that changes with a treatment.

    Parameters
    ----------
    tables : dict of str to DataFrame
        For every strength, shares of the images of a row's model that are given the
        name of a column.
    title : str
        What the treatment is.

    Returns
    -------
    plotly Figure

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(np.eye(2), ["vae", "gan"], ["vae", "gan"])
    >>> len(confusion_steps({"none": table, "50": table}, title="JPEG").frames)
    2
    """
    steps = [
        Step(label, f"{title} {label}: {_confused(table)}")
        for label, table in tables.items()
    ]
    names = {"title": title, "xlabel": "named", "ylabel": "made by"}
    return matrix_steps(list(tables.values()), steps, **names)


def _confused(table):
    """The share that is right, and the most frequent mistake."""
    shares = table.to_numpy(float)
    right = percent(np.diag(shares).mean(), digits=0)
    said = f"{right} of the images are given the right name"
    wrong = shares - np.diag(np.diag(shares))
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    if not wrong.max():
        return f"{said}."
    share = percent(wrong.max(), digits=0)
    mistake = f"{share} of {table.index[row]} are called {table.columns[column]}"
    return f"{said}; the most frequent mistake: {mistake}."
