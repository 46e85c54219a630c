"""Pictures of an attributor and of one answer."""

import io

import matplotlib.pyplot as plt
import numpy as np
import seaborn
from matplotlib.figure import Figure

from ..metrics.conformal import prediction_sets

LONGEST = 12  # classes that get a bar, at most
MARK = "manifpt attribute"  # in the files, to tell them from other pictures


def confusion_picture(confusion):
    """Draw which class is mistaken for which: a PNG, as bytes.

    Parameters
    ----------
    confusion : (c, c) DataFrame
        Counts; rows are true classes, columns predicted ones.
    """
    shares = confusion.div(confusion.sum(axis=1).clip(lower=1), axis=0)
    side = 1.8 + 0.45 * len(shares)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axis = figure.subplots()
    seaborn.heatmap(
        shares,
        ax=axis,
        vmin=0,
        vmax=1,
        cmap="viridis",
        annot=len(shares) <= LONGEST,
        fmt=".2f",
        square=True,
        cbar_kws={"label": "share of the row", "shrink": 0.7},
    )
    axis.set(title="Test images: true class and most probable class")
    return _png(figure)


def _png(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150, metadata={"Title": MARK})
    plt.close(figure)
    return file.getvalue()


def explanation(attributor, image, answer):
    """Draw one answer: the image, the nearest real one, the artifact, the classes.

    Parameters
    ----------
    attributor : fitted Attributor
    image : (h, w, 3) uint8 array
    answer : Series
        Its row of `answer_images`.

    Returns
    -------
    bytes
        PNG.
    """
    nearest = attributor.real_[attributor.nearest_real(image[None]).index[0, 0]]
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    axes = figure.subplots(1, 4, width_ratios=[1, 1, 1, 1.5])
    artifact = image.astype(int) - nearest
    limit = max(1, np.quantile(np.abs(artifact), 0.995))
    titles = "the image", "nearest real image x*", f"artifact, ±{limit:.0f} grey levels"
    shown = image, nearest, np.clip(0.5 + artifact / (2 * limit), 0, 1)
    for axis, title, picture in zip(axes, titles, shown, strict=False):
        axis.imshow(picture, interpolation="nearest")
        axis.set_title(title, fontsize=9)
        axis.axis("off")
    _bars(axes[3], attributor, attributor.predict_proba(image[None]))
    figure.suptitle(f"{_short(answer)}: {answer['verdict']}", fontsize=11)
    return _png(figure)


def _short(answer):
    name = str(answer.get("file", "image")).replace("\\", "/").rpartition("/")[2]
    return name if len(name) <= 60 else f"{name[:57]}..."


def _bars(axis, attributor, probability):
    """Probability and p-value of the most probable classes; filled if in the set."""
    p = attributor.p_values(probability)
    inside = prediction_sets(p, coverage=attributor.coverage)[0]
    order = np.argsort(probability[0])[-LONGEST:]
    colours = ["C0" if inside[k] else "lightgrey" for k in order]
    names = [f"{attributor.classes_[k]}  (p = {p[0, k]:.2f})" for k in order]
    axis.barh(names, probability[0, order], color=colours)
    axis.set(xlim=(0, 1), xlabel="probability")
    share = f"{attributor.coverage:.0%}"
    axis.set_title(f"blue: cannot be ruled out at {share}", fontsize=9)
    axis.tick_params(labelsize=8)
