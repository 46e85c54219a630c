"""The study of the regime: how long must traces be for a closest point to help?

The real images are views of a photograph with m parameters.  The classes are held-out
views with known traces (`images.traces`): *fine* traces of upsamplers and filters in
one task, *coarse* errors of colour, brightness and shape in the other.  The study
varies three things: the `ratio` of the length of a trace to the *spacing*, which is the
median distance of a new real view from the nearest other one; the dimension m; and the
kind of representation that a classifier is shown.  The classifier is trained on one
photograph, and tested on held-out images of it (`home`) and on another photograph with
its own manifold (`away`).

Rows with `n_train` 0 hold measurements of a cell: the `length` of the exact artifacts
divided by the spacing, the same for the nearest artifacts (`apparent`), the `spacing`
in grey levels, and an estimate of the `dimension` of the real views.

`manifpt study regime` computes what the results lack, and `REGIME.results()` reads
them; `regime_map` says who leads where.
"""

from itertools import product
from typing import NamedTuple

from .._support.suggestion import suggestion
from .study import Study

PHOTOS = ("coffee", "flower")
AWAY = {"coffee": "flower", "flower": "coffee"}
DIMENSIONS = (2, 3, 6, 10)
RATIOS = (0.1, 0.3, 1.0, 3.0)
TASKS = ("fine", "coarse")
KINDS = ("raw", "highpass", "pca", "nearest", "tangent", "hull", "denoiser", "exact")
N_TRAIN = (5, 100)  # images per class
SEEDS = (1, 2, 3)  # the classifier was tuned on seed 0
COLUMNS = ("home", "away")
FACTS = ("length", "apparent", "spacing", "dimension")
# The residual network takes thirty times as long, and is tried in one cell only.
NETWORK_CELL = (3, 0.3)  # m and ratio
NETWORK_KINDS = ("raw", "highpass", "hull", "denoiser", "exact")
NETWORK_N_TRAIN = 5
FIRST = (3, 10, 6, 2)  # dimensions, in the order in which they are computed


class Training(NamedTuple):
    """A representation of the images of one cell, and the training on it."""

    photo: str
    m: int  # parameters of the views
    ratio: float  # length of the traces over the spacing
    task: str  # "fine" or "coarse"
    kind: str  # one of `KINDS`
    classifier: str  # "linear" or "network"; empty if nothing is trained
    n_train: int  # images per class; 0 if nothing is trained
    seed: int

    def __str__(self):
        return ", ".join(map(str, self))


class Regime(Study):
    """The study of the length of traces over the spacing, and of the dimension."""

    name = "regime"
    keys = (*Training._fields, "column")
    values = ("score", "reason")
    types = {key: int for key in ("m", "n_train", "seed")}
    types |= {"ratio": float, "score": float}
    names = (*PHOTOS, *TASKS, *KINDS, "", "linear", "network", *COLUMNS, *FACTS)
    order = {name: i for i, name in enumerate(names)}

    def planned(self):
        """All trainings, those of the linear classifier first."""
        return planned()

    def cells(self, training):
        """The keys of all rows that one training gives."""
        columns = COLUMNS if training.n_train else FACTS
        return {(*training, column) for column in columns}

    def scores(self, training):
        """Train once and test on both photographs, or measure the images themselves."""
        from .regime_training import scores  # imports torch

        return scores(training)

    def batch(self, training):
        """Trainings of one batch share the images of both photographs."""
        return training.m, training.ratio, training.task, training.classifier

    def account(self, training):
        """CPU seconds are summed by classifier."""
        return training.classifier or "images"

    def sheets(self):
        """No stored samples are used, because the images are made from photographs."""
        return {}


REGIME = Regime()


def planned(dimensions=DIMENSIONS, ratios=RATIOS):
    """All trainings of the study, those of the linear classifier first.

    Raises
    ------
    ValueError
        If a dimension or a ratio is unknown.
    """
    for given, known in ((dimensions, DIMENSIONS), (ratios, RATIOS)):
        for value in given:
            if value not in known:
                hint = suggestion(str(value), [*map(str, known)])
                raise ValueError(f"unknown {value!r};{hint}")
    dimensions = sorted(dimensions, key=FIRST.index)
    cells = [*product(dimensions, ratios, TASKS)]
    whole = product(cells, _shown("linear", KINDS, N_TRAIN))
    some = [cell for cell in cells if cell[:2] == NETWORK_CELL]
    part = product(some, _shown("network", NETWORK_KINDS, [NETWORK_N_TRAIN]))
    return [Training(s[0], *cell, *s[1:]) for cell, s in [*whole, *part]]


def _shown(classifier, kinds, counts):
    """All fields but the cell: photograph, kind, classifier, training images, seed."""
    if classifier == "linear":
        yield from ((photo, "exact", "", 0, 0) for photo in PHOTOS)
    for kind, photo in product(kinds, PHOTOS):
        yield from product([photo], [kind], [classifier], counts, SEEDS)
