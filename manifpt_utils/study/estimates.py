"""The study of estimates: when do artifacts tell models apart best?

The closest point is exact, or it is estimated from 100 to 50,000 real views: by the
mean of the nearest views or by their affine hull, where one of three distances
(*searches*) says which views are nearest.  "exact" is the closest view in the space
itself; "exact_rgb" is the view whose pixels are closest, which outside RGB is another
one.  A classifier is trained on each kind of artifact, with few and with many images
per model.  It is tested on the photograph of the training (`closed`) and on the other
one of its pair (`transfer`).

Splits, seeds, test images and classifiers are those of `comparison`, so its rows for
raw images and earlier methods can be compared with these.  A further column, `gap`,
says how densely the real views cover the manifold; nothing is trained for it.

`manifpt study estimates` computes what the results lack, and `ESTIMATES.results()`
reads them.  `leads` compares these results with those of `comparison`.
"""

from itertools import product
from typing import NamedTuple

from .._support.names import PAPER_SPACES
from .._support.suggestion import suggestion
from .comparison import PairStudy
from .settings import FEW, OTHER, PHOTOS, SEEDS

NEIGHBOURS = {"nearest": 1, "hull": 33}  # the usual number for each estimate
N_REAL = (100, 1000, 10_000, 50_000)  # real views
N_TRAIN = (min(FEW), 100)  # images per model
EXACT = {"exact": "euclidean", "exact_rgb": "rgb"}  # kinds, and how they search
COLUMNS = ("closed", "transfer")
# Other numbers of neighbours and other searches are tried between pixels, with few
# images.
VARIED_N_REAL = (1000, 10_000)
OTHER_K = {"nearest": (5, 20), "hull": (9,)}
SEARCHES = ("euclidean", "cosine", "imagenet")
PIXEL_SPACES = ("rgb", "frequency")


class Training(NamedTuple):
    """One representation, and the training on it."""

    photo: str
    space: str
    kind: str  # "exact", "exact_rgb", "nearest" or "hull"
    k: int  # neighbours; 0 for exact points
    search: str  # one of `SEARCHES`; "rgb" for "exact_rgb", found among pixels
    n_real: int  # 0 for exact points
    n_train: int  # images per model; 0 if only the gap is measured
    seed: int

    def __str__(self):
        return ", ".join(map(str, self))


class Estimates(PairStudy):
    """The study of all estimates of the closest point."""

    name = "estimates"
    keys = (*Training._fields, "column")
    values = ("score", "reason")
    types = {key: int for key in ("k", "n_real", "n_train", "seed")} | {"score": float}
    names = (*PHOTOS, *PAPER_SPACES, *EXACT, *NEIGHBOURS)
    order = {name: i for i, name in enumerate(names)}

    def planned(self):
        """All trainings, those of the main part first."""
        return planned()

    def cells(self, training):
        """The keys of all rows that one training gives."""
        columns = COLUMNS if training.n_train else ("gap",)
        return {(*training, column) for column in columns}

    def scores(self, training):
        """Train once and test on both photographs of the pair, or measure a gap."""
        from .estimate_training import scores  # imports torch

        return scores(training)

    def batch(self, training):
        """Trainings of one batch share the manifolds of both photographs of a pair."""
        pair = min(training.photo, OTHER[training.photo])
        return pair, training.space, training.search, training.n_real

    def account(self, training):
        """CPU seconds are summed by space."""
        return training.space


ESTIMATES = Estimates()


def planned(photos=PHOTOS, spaces=PAPER_SPACES):
    """All trainings of the study, those of the main part first.

    Raises
    ------
    ValueError
        If a photograph or a space is unknown.
    """
    for given, known in ((photos, PHOTOS), (spaces, PAPER_SPACES)):
        for name in given:
            if name not in known:
                raise ValueError(f"unknown {name!r};{suggestion(str(name), known)}")
    between_pixels = [space for space in spaces if space in PIXEL_SPACES]
    main = product(photos, spaces, _main(), N_TRAIN, SEEDS[:3])
    more = product(photos, between_pixels, _varied(), N_TRAIN[:1], SEEDS[:3])
    trainings = [
        Training(photo, space, *shown, *run)
        for photo, space, shown, *run in [*main, *more]
        if _is_planned(space, shown[0])
    ]
    gaps = product(photos, spaces, ["nearest"], [1], ["euclidean"], N_REAL, [0], [0])
    return sorted([*trainings, *map(Training._make, gaps)], key=_turn)


def _is_planned(space, kind):
    return (space, kind) != ("rgb", "exact_rgb")  # there it would be "exact"


def _main():
    """Kind, neighbours, search and real views of every space and photograph."""
    estimates = product(NEIGHBOURS.items(), N_REAL)
    yield from ((kind, 0, search, 0) for kind, search in EXACT.items())
    yield from ((*estimate, "euclidean", n) for estimate, n in estimates)


def _varied():
    """The same for the variants that are tried only between pixels."""
    for n in VARIED_N_REAL:
        for kind, k in NEIGHBOURS.items():
            yield from ((kind, other, "euclidean", n) for other in OTHER_K[kind])
            yield from ((kind, k, search, n) for search in SEARCHES[1:])


def _turn(training):
    """Place in the queue; trainings that share features or a manifold are together."""
    t = training
    is_late = t.search not in ("euclidean", "rgb")
    order = t.kind, t.k, t.photo, t.n_train, t.seed
    return is_late, t.n_real, *ESTIMATES.batch(t), *order


def is_main(table):
    """Which rows are of the main part: each estimate with its usual neighbours."""
    usual = table["kind"].map(dict.fromkeys(EXACT, 0) | NEIGHBOURS) == table["k"]
    return usual & table["search"].isin(["euclidean", "rgb"])
