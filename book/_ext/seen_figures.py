"""What a reader of this book will see: three figures for the welcome page.

`python book/_ext/seen_figures.py` writes them into `book/seen.html`: images with their
closest real image and their artifact, the mean artifact of each model, and the main
findings of the stored results.  What is said of them comes from the same numbers.
"""

from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from manifpt_utils import DataManifold, load
from manifpt_utils.notebook.drawing import drawn, use_style
from manifpt_utils.notebook.figures import dots, image_rows, signed, symmetric_limit
from manifpt_utils.notebook.findings import count, listing
from manifpt_utils.notebook.renderer import svg_html
from manifpt_utils.study.main_findings import main_findings

PAGE = Path(__file__).parents[1] / "seen.html"
PHOTO = "gm-photo/coffee"
MODELS = {"dcgan": "DCGAN", "glow": "Glow", "ddpm": "DDPM"}
CHOSEN = {"dcgan": 13, "glow": 2, "ddpm": 4}  # samples that show the whole cup
NAMES = {
    "away": "on another photograph",
    "filter": "beside a plain filter",
    "fine": "on fine errors",
    "coarse": "on coarse errors",
    "learned": "learned beside a filter",
    "right images": "learned from the right images",
    "home, many": "at home with many labels",
    "home, few": "at home with few labels",
    "coverage": "more real images",
    "best earlier": "beside earlier methods",
    "origin": "which training data",
}


def artifacts(data):
    """The nearest artifacts of each model, and the indices of the real images."""
    manifold = DataManifold("rgb").fit(data.real)
    found = {model: manifold.project(data.images[model]) for model in MODELS}
    shape = data.real.shape[1:]
    arrows = {m: f.artifact.reshape(-1, *shape) for m, f in found.items()}
    return arrows, {m: f.index[:, 0] for m, f in found.items()}


def grey(images):
    """Signed images on one scale, zero as mid-grey."""
    limit = symmetric_limit(np.stack(images))
    return [signed(image, limit) for image in images]


def one_image_each(data, arrows, index):
    """A sample of each model, its closest real image, and the artifact."""
    shades = grey([arrows[model][CHOSEN[model]] for model in MODELS])
    rows = [
        [data.images[m][CHOSEN[m]], data.real[index[m][CHOSEN[m]]], shade]
        for m, shade in zip(MODELS, shades, strict=True)
    ]
    labels = ["generated", "closest real image", "artifact"]
    figure = image_rows(rows, row_labels=list(MODELS), column_labels=labels, size=1.2)
    alt = (
        f"Three rows, for {listing(MODELS.values())}. Each begins with a small image "
        "of a cup of coffee that the model made, goes on with the real image that is "
        "closest to it, almost the same view, and ends with the difference in grey: "
        "what the model added, and the outline of the cup where the views differ."
    )
    return figure, alt, "An image of each model, its closest real image, its artifact."


def mean_of_each(arrows):
    """The mean artifact of each model on one scale."""
    means = {model: found.mean(axis=0) for model, found in arrows.items()}
    figure = image_rows(
        [grey(list(means.values()))], column_labels=list(MODELS), size=1.2
    )
    sizes = {m: np.linalg.norm(mean) for m, mean in means.items()}
    strong, weak = max(sizes, key=sizes.get), min(sizes, key=sizes.get)
    alt = (
        "Three grey squares, the means of all artifacts of a model. No cup stands out "
        f"as in a single image. The pattern is strongest for {MODELS[strong]} and "
        f"faintest for {MODELS[weak]}, and each model has its own."
    )
    n = count(len(next(iter(arrows.values()))), "sample")
    return figure, alt, f"What is common to the artifacts of {n} of each model."


def findings():
    """The main findings as dots with their intervals."""
    found = main_findings()
    rows = {words: found[name].difference for name, words in NAMES.items()}
    table = pd.DataFrame({"difference": pd.Series(rows, dtype=object)})
    words = "accuracy gained"
    figure = dots(
        table, value="difference", level={"equal": 0}, xlabel=words, percent=True
    )
    sides = {1: [], -1: [], 0: []}
    for name, interval in rows.items():
        sides[interval.sign].append(name)
    alt = (
        f"{len(rows)} differences of accuracy with their intervals. Above zero: "
        f"{listing(sides[1])}. Below zero: {listing(sides[-1])}. Across zero, so that "
        f"nothing is decided: {listing(sides[0])}."
    )
    caption = "The main findings below: how much more often artifacts are right."
    return figure, alt, caption


def pictures():
    """The three figures with their descriptions and captions."""
    data = load(PHOTO, models=list(MODELS))
    arrows, index = artifacts(data)
    return [one_image_each(data, arrows, index), mean_of_each(arrows), findings()]


def html():
    """The figures as a part of the page."""
    use_style()
    parts = [_part(f"seen-{i}", *found) for i, found in enumerate(pictures())]
    return '<div class="seen">\n' + "\n".join(parts) + "\n</div>\n"


def _part(key, figure, alt, caption):
    drawing = svg_html(drawn(figure).svg(), alt=alt, key=key)
    caption = f"<figcaption>{escape(caption)}</figcaption>"
    return f'<figure class="manifpt-figure">{drawing}{caption}</figure>'


if __name__ == "__main__":
    PAGE.write_text(html(), encoding="utf-8")
