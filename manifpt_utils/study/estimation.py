"""The grid of estimates: when does an artifact tell models apart better than anything?

The closest point is exact, or estimated from 100 to 50,000 real views, by the mean of
the nearest ones or by their affine hull, found by one of three distances (*searches*).
Each artifact is trained on with few and with many images a model, and tested on the
photograph of the training (`closed`) and on the other one of its pair (`transfer`).

Splits, seeds, test images and classifiers are those of `comparison`, whose rows for raw
images and earlier methods therefore stand beside these.  One more *kind*, `gap`, says
how densely the real views cover the manifold.

`python -m manifpt_utils.study.estimation` computes what the results lack, and `results`
reads them.  `leads` compares them with those of `comparison`.
"""

from functools import lru_cache, partial
from itertools import product
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from .._support.suggestion import suggestion
from ..images.loading import load
from ..method.classifiers import attributor
from ..method.evaluation import accuracy, fit_and_test
from ..method.manifold import ESTIMATORS, METRICS, DataManifold, ExactManifold
from ..method.spaces import SPACES
from . import grid as grids
from .comparison import FEW, N_TEST, OTHER, SEEDS, generators, parts, room, sheets

N_REAL = (100, 1000, 10_000, 50_000)  # real views
N_TRAIN = (min(FEW), 100)  # images a model
KEYS = ["setting", "space", "kind", "k", "search", "n_real", "n_train", "seed"]
KEYS += ["column"]
COLUMNS = ("closed", "transfer")
# Other numbers of neighbours and other searches: between pixels, with few images.
VARIED_N_REAL = (1000, 10_000)
OTHER_K = {"nearest": (5, 20), "affine": (9,)}
SEARCHES = (*METRICS, "supervised")
PIXEL_SPACES = ("rgb", "frequency")
N_PAIRS = 2000  # of real views, behind their typical distance


class Training(NamedTuple):
    """One representation, and what is trained on it."""

    setting: str  # the photograph
    space: str
    kind: str  # "exact", "nearest", "affine", or "gap", which trains nothing
    k: int  # neighbours; 0 for "exact"
    search: str  # of the neighbours
    n_real: int  # 0 for "exact"
    n_train: int  # images a model; 0 for "gap"
    seed: int


def planned(settings=tuple(OTHER), spaces=tuple(SPACES)):
    """All trainings of the grid, the main ones first.

    Raises
    ------
    ValueError
        If a photograph or a space is unknown.
    """
    for given, known in ((settings, OTHER), (spaces, SPACES)):
        for name in given:
            if name not in known:
                raise ValueError(f"unknown {name!r};{suggestion(str(name), known)}")
    between_pixels = [space for space in spaces if space in PIXEL_SPACES]
    main = product(settings, spaces, _main(), N_TRAIN, SEEDS[:3])
    more = product(settings, between_pixels, _varied(), N_TRAIN[:1], SEEDS[:3])
    trainings = [
        Training(setting, space, *shown, *run)
        for setting, space, shown, *run in [*main, *more]
    ]
    gaps = product(settings, spaces, ["gap"], [1], ["euclidean"], N_REAL, [0], [0])
    return sorted([*trainings, *map(Training._make, gaps)], key=_turn)


def _main():
    """Kind, neighbours, search and real views of every space and photograph."""
    estimates = product(ESTIMATORS.items(), N_REAL)
    yield "exact", 0, "euclidean", 0
    yield from ((*estimator, "euclidean", n) for estimator, n in estimates)


def _varied():
    """The same for what is tried between pixels only."""
    for n in VARIED_N_REAL:
        for kind, k in ESTIMATORS.items():
            yield from ((kind, other, "euclidean", n) for other in OTHER_K[kind])
            yield from ((kind, k, search, n) for search in SEARCHES[1:])


def _turn(training):
    """Place in the queue; what shares features, or a fitted manifold, is together."""
    t = training
    is_late = t.search != "euclidean"
    order = t.kind, t.k, t.setting, t.n_train, t.seed
    return is_late, t.n_real, *batch(t), *order


def batch(training):
    """Trainings of one batch share the manifolds of both photographs of a pair."""
    pair = min(training.setting, OTHER[training.setting])
    return pair, training.space, training.search, training.n_real


def cells(training):
    """The keys of all rows that one training gives."""
    columns = ("gap",) if training.kind == "gap" else COLUMNS
    return {(*training, column) for column in columns}


def measure(training):
    """Train once and test on both photographs of the pair; or measure a gap.

    Parameters
    ----------
    training : Training

    Returns
    -------
    list of dict
        Rows of the results.
    """
    key = training._asdict()
    if training.kind == "gap":
        score = gap(training.setting, training.space, training.n_real)
        return [{**key, "column": "gap", "score": score}]
    scores = zip(COLUMNS, _accuracies(training), strict=True)
    return [{**key, "column": column, "score": score} for column, score in scores]


def _accuracies(training):
    """Shares of images told apart at home and away."""
    representation = training[1:6]
    head, x = _features(training.setting, representation)
    labels = _pool(training.setting)[1]
    train, test = parts(labels, training)
    _, away = _features(OTHER[training.setting], representation)
    others = _pool(OTHER[training.setting])[1]
    first = _first(others)
    pairs = ((x[test], labels[test]), (away[first], others[first]))
    tests = dict(zip(COLUMNS, pairs, strict=True))
    pair, seed = (x[train], labels[train]), training.seed
    _, found = fit_and_test(head, pair, tests, seed=seed, with_probability=False)
    scores = accuracy(found)[seed]
    return [scores[column] for column in COLUMNS]


def _first(labels):
    """Rows of the test images of another photograph: the first of every class."""
    return np.concatenate(
        [np.flatnonzero(labels == name)[:N_TEST] for name in np.unique(labels)]
    )


@lru_cache
def _pool(photo):
    """All generated images that may take part, and their labels."""
    return generators(photo).labelled(room(photo) + N_TEST)


@lru_cache(maxsize=2)
def _features(photo, representation):
    """The classifier of a representation, and all images in it."""
    space, kind, k, search, n_real = representation
    images, _ = _pool(photo)
    if kind == "exact":
        data = generators(photo)
        shown = ExactManifold(data.manifold, space).fit(data.real)
        return attributor(shown), shown.transform(images)
    manifold, index = _manifold(photo, space, search, n_real)
    manifold.set_params(estimator=kind, k=k)
    return attributor(manifold), manifold.project(images, index=index).artifact


@lru_cache(maxsize=2)
def _manifold(photo, space, search, n_real):
    """A manifold with the neighbours of all images, which serve every estimator."""
    is_metric = search in METRICS
    manifold = DataManifold(
        space,
        estimator="affine",
        metric=search if is_metric else "euclidean",
        search_space=None if is_metric else search,
    )
    manifold.fit(_real(photo)[:n_real])
    return manifold, manifold.project(_pool(photo)[0]).index


@lru_cache(maxsize=2)
def _real(photo):
    model = generators(photo).models[0]
    return load(f"gm-photo/{photo}", models=[model], n_real=max(N_REAL)).real


def gap(photo, space, n_real):
    """How far a new real view is from its nearest neighbour among the real views.

    Parameters
    ----------
    photo, space : str
    n_real : int
        Real views that stand for the manifold.

    Returns
    -------
    float
        Median of the distances, over the median distance between two real views: near
        1 where the nearest view is as good as any, towards 0 where views are dense.
    """
    manifold, _ = _manifold(photo, space, "euclidean", n_real)
    manifold.set_params(estimator="nearest", k=1)
    new = generators(photo).real_test[:N_PAIRS]
    near = manifold.project(new).distance
    x = manifold.space_.transform(new).astype(np.float64)
    apart = np.linalg.norm(x[::2] - x[1::2], axis=1)
    return float(np.median(near) / np.median(apart))


def results():
    """Read the stored results.

    Returns
    -------
    DataFrame
        Columns `setting`, `space`, `kind`, `k`, `search`, `n_real`, `n_train`, `seed`
        and `column`, which name a cell; `score`, a share of images or a gap; `reason`.

    Raises
    ------
    ValueError
        If the file is missing or not the one the manifest lists.
    """
    return GRID.results()


def provenance():
    """What made the results: commands, commits, versions, CPU seconds by space."""
    return GRID.provenance()


def is_main(table):
    """Which rows belong to the main part: each estimator with its usual neighbours."""
    usual = table["kind"].map({"exact": 0, **ESTIMATORS}) == table["k"]
    return usual & (table["search"] == "euclidean")


GRID = grids.Grid(
    name="estimation",
    keys=tuple(KEYS),
    values=("score", "reason"),
    types={key: int for key in ("k", "n_real", "n_train", "seed")} | {"score": float},
    order={name: i for i, name in enumerate((*OTHER, *SPACES, "exact", *ESTIMATORS))},
    planned=planned,
    cells=cells,
    measure=measure,
    batch=batch,
    account=attrgetter("space"),
    sheets=partial(sheets, tuple(OTHER)),
)


def main(arguments=None):
    """Run the command line."""
    top = grids.parser(
        GRID, "Train on artifacts by the exact closest point and by all its estimates."
    )
    for name, known in (("settings", OTHER), ("spaces", SPACES)):
        choices = f"some of: {', '.join(known)}; default: all"
        options = {"nargs": "+", "metavar": "NAME", "default": tuple(known)}
        top.add_argument(f"--{name}", **options, help=choices)
    grids.run(GRID, top, lambda o: planned(o.settings, o.spaces), arguments)


if __name__ == "__main__":
    # Other processes can import what belongs to a module, but not to the main script.
    from . import estimation

    estimation.main()
