"""The study behind the big table: every method on every test, over several seeds.

One training serves several *columns*:

===========  ========================================================================
`closed`     accuracy on held-out images of the same classes
`with real`  the same with real images as one more class
`unseen`     accuracy on samples of a model that was trained again, from another
             random start; the columns `model` and `start` say which
`transfer`   accuracy on the same models, trained on the other photograph of the pair
`FDR`        ratio of Frechet distances of the penultimate features (eq. 19)
`FDR PCA`    the same on the first principal components, equally many for all methods
===========  ========================================================================

`manifpt study comparison` computes what the results lack, and `COMPARISON.results()`
reads them.
"""

from functools import lru_cache
from typing import NamedTuple

from .._support.suggestion import suggestion
from ..images.catalogue import records
from ..images.manifest import read_manifest
from .settings import (
    ABLATED,
    ABLATED_ON,
    ABLATIONS,
    BETWEEN_PIXELS,
    EVERY_METHOD,
    FEW,
    FILTERS,
    GENERATORS,
    METHODS,
    N_TRAIN,
    OTHER,
    PHOTOS,
    SATURATION,
    SEEDS,
    SETTINGS,
    SMALL_NETWORK,
    Method,
    Setting,
    shared,
)
from .study import Study

# Numbers of seeds per cell, for methods without and with their own network; expensive
# cells have fewer.  Only coffee has the whole curve of training images.
N_SEEDS = {
    "closed": (5, 5),
    "with real": (5, 5),
    "fewest images": (5, 3),
    "curve": (5, 2),
    "many images": (2, 2),
    "origin": (5, 0),
    "published": (5, 1),
    "good models": (3, 0),
    "small network": (2, 0),
    "ablation": (0, 2),
}
FILTER_SEEDS = 3  # seeds of high-pass and denoiser
COFFEE = shared("coffee")
MOVING = ("shared", "good on both")  # models that both photographs of a pair have


class Fit(NamedTuple):
    """One training, which gives the scores of all columns of its task."""

    setting: Setting
    method: Method
    task: str  # "closed" or "with real"
    n_train: int
    seed: int

    def __str__(self):
        return ", ".join(map(str, self))


class Column(NamedTuple):
    """What is scored; `model` and `start` are empty unless `name` is "unseen"."""

    name: str
    model: str = ""
    start: int = 0


class Comparison(Study):
    """The study of all methods in all settings."""

    name = "comparison"
    keys = (*Setting._fields, "method", "space", "kind")
    keys += ("column", "model", "start", "n_train", "seed")
    values = ("score", "null", "d", "n_test", "reason")
    types = {"start": int, "n_train": int, "seed": int, "score": float, "null": float}
    types |= {"d": "Int64", "n_test": "Int64"}
    names = [m.name for m in METHODS] + [m.space for m in METHODS]
    names += [*PHOTOS, "shared", "listed", *(m.kind for m in METHODS)]
    names += ["published", *ABLATED, "supervised", "good", "good on both"]
    order = {name: i for i, name in enumerate(dict.fromkeys(names))}

    def planned(self):
        """All trainings, the most important first."""
        return planned()

    def cells(self, fit):
        """The keys of all rows that one training gives."""
        return {tuple(self.key(fit, column).values()) for column in columns(fit)}

    def key(self, fit, column):
        """The columns that name one cell, as a dict."""
        values = (*fit.setting, *fit.method, *column, fit.n_train, fit.seed)
        return dict(zip(self.keys, values, strict=True))

    def measure(self, fit):
        """Train once and score all columns.

        Parameters
        ----------
        fit : Fit

        Returns
        -------
        list of dict
            Rows of the results.  If a method cannot work on these images, its row has a
            `reason` in place of a score.
        """
        # Needs torch, which reading results does not.
        from .comparison_training import scores

        found = scores(fit)
        return [self.key(fit, column) | values for column, values in found.items()]

    def batch(self, fit):
        """Trainings of one setting, method and seed share their features."""
        return fit.setting, fit.method, fit.seed

    def account(self, fit):
        """CPU seconds are summed by method."""
        return str(fit.method)

    def sheets(self):
        """The sha256 of every sheet of samples that is used."""
        return sheets()

    def samples(self, fit):
        """Names of the sheets on which it is trained and tested."""
        home = fit.setting
        is_tested_away = Column("transfer") in columns(fit)
        return sheets((home, counterpart(home)) if is_tested_away else (home,)).keys()


COMPARISON = Comparison()


def planned(settings=SETTINGS, methods=EVERY_METHOD, seeds=SEEDS):
    """All trainings of the study, the most important first.

    Raises
    ------
    ValueError
        If a setting or a method is unknown, or a seed is not one of `SEEDS`.
    """
    every = ((settings, SETTINGS), (methods, EVERY_METHOD), (seeds, SEEDS))
    for given, known in every:
        for name in given:
            if name not in known:
                raise ValueError(f"unknown {name!r};{suggestion(str(name), known)}")
    tasks = [("closed", N_TRAIN), ("with real", N_TRAIN)]
    tasks += [("closed", n) for n in FEW]
    fits = [
        Fit(setting, method, task, n, seed)
        for setting in settings
        for method in methods
        for seed in seeds
        for task, n in tasks
        if SEEDS.index(seed) < n_seeds(setting, method, task, n)
    ]
    return sorted(fits, key=_turn)


def n_seeds(setting, method, task, n_train):
    """How many seeds a cell of the table has, from `N_SEEDS`.

    The question of origin is put only to methods without their own network, as in the
    paper: to raw images, to artifacts and to filters.  High-pass and denoiser have
    three seeds, and take part with real images where the models are shared.

    Examples
    --------
    >>> yu = Method("Yu19", "", "earlier")
    >>> [n_seeds(shared(p), yu, "closed", 25) for p in ("coffee", "flower")]
    [2, 0]
    """
    test = _test(setting, method, task, n_train)
    if test is None:
        return 0
    quick, networks = N_SEEDS[test]
    if method.kind in FILTERS:
        is_asked = test != "with real" or setting.models == "shared"
        return min(quick, FILTER_SEEDS) if is_asked else 0
    return networks if method.has_network else quick


def _test(setting, method, task, n_train):
    """The row of `N_SEEDS` to which a cell belongs; None if it is not in the study."""
    is_main = (task, n_train) == ("closed", N_TRAIN)
    is_published = method.kind == "published"
    is_short = task == "closed" and n_train in (min(FEW), N_TRAIN)
    if setting.models in ("good", "good on both"):
        is_asked = method in (*BETWEEN_PIXELS, SATURATION)
        return "good models" if is_short and is_asked else None
    if method in ABLATIONS:
        is_asked = n_train == N_TRAIN or setting.photo in ABLATED_ON
        is_asked &= is_short and setting.models == "shared"
        return "ablation" if is_asked else None
    if method in SMALL_NETWORK:
        return "small network" if is_short and setting.models == "shared" else None
    if setting.question == "origin":
        return "origin" if is_main and not is_published else None
    if setting.models == "listed" and not is_published:
        return task if n_train == N_TRAIN else None
    if is_published:
        return "published" if is_main and setting == COFFEE else None
    if is_main or task == "with real":
        return task
    if n_train == min(FEW):
        return "fewest images"
    if setting != COFFEE:
        return None
    return "curve" if n_train < N_TRAIN else "many images"


def _turn(fit):
    """Place in the queue.

    Trainings for the main table come first, one photograph after the other.  Quick
    methods are ordered by method, because their features are kept in between.  Then
    come the networks, ordered by seed, so that a study that is stopped has some seeds
    of all of them.
    """
    is_network = fit.method.has_network
    is_main = (fit.task, fit.n_train) == ("closed", N_TRAIN)
    is_main &= fit.setting.question == "model"
    is_early = is_main or (fit.n_train < N_TRAIN and not is_network)
    is_last = fit.n_train > N_TRAIN
    is_late = not is_early or fit.method.kind == "published"
    seed = fit.seed if is_network else 0
    return is_last, is_late, SETTINGS.index(fit.setting), is_network, seed


def columns(fit):
    """The columns to which one training gives scores: a list of `Column`."""
    task, transfer = Column(fit.task), Column("transfer")
    ratios = [Column("FDR"), Column("FDR PCA")]
    if fit.task == "closed" and fit.setting.models == "listed":
        return [task, *ratios]
    if fit.task != "closed" or not is_moved(fit.setting, fit.method):
        return [task]
    if fit.n_train != N_TRAIN:
        return [task, transfer] if fit.n_train == min(FEW) else [task]
    if fit.setting.models != "shared":
        return [task, transfer]
    return [task, transfer, *unseen(fit.setting.photo), *ratios]


def is_moved(setting, method):
    """Whether a training is also tested on the other photograph of the pair."""
    return setting.models in MOVING and method not in SMALL_NETWORK


def counterpart(setting):
    """The same models, trained on the other photograph of the pair."""
    return setting._replace(photo=OTHER[setting.photo])


@lru_cache
def unseen(photo):
    """A column for every training of the shared models except the first."""
    stored, taking_part = records(photo).index, GENERATORS[photo]
    starts = [(m, s) for m, s in stored if s and m in taking_part]
    return [Column("unseen", model, start) for model, start in starts]


@lru_cache
def sheets(settings=SETTINGS):
    """The sha256 of every sheet of samples that some settings use."""
    names = tuple(f"gm-photo/{p}/{m}-" for s in settings for p, m in s.trained)
    return {
        name: entry["sha256"]
        for name, entry in read_manifest().items()
        if name.startswith(names) and name.endswith(".webp")
    }


class PairStudy(Study):
    """What studies of the models that both photographs of a pair have in common."""

    def sheets(self):
        """The sha256 of every sheet of samples that is used."""
        return sheets(tuple(map(shared, PHOTOS)))

    def samples(self, training):
        """Names of the sheets of both photographs of the pair."""
        home = shared(training.photo)
        return sheets((home, counterpart(home))).keys()
