"""The grid behind the big table: every method on every test, over several seeds.

A *setting* says which images are told apart.  In "coffee" and "flower" they come from
the core models of one photograph, in "astronaut" and "china" from the models that these
two share; in "all of coffee" from every model that the paper lists for the data set
that the photograph plays (its Table 1); in "origin of nvae" they come from one model,
and the classes are the photographs that it was trained on (its Table 5).

One training serves several *columns*:

================  ===================================================================
`closed`          accuracy on held-out images of the same classes
`with real`       the same with real images as one more class
`unseen dcgan-1`  accuracy on samples of dcgan, trained again from random start 1
`transfer`        accuracy on the same models, trained on the other photograph
`FDR`             ratio of Frechet distances of the penultimate features (eq. 19)
`FDR PCA`         the same on their first principal components, as many for all
================  ===================================================================

`python -m manifpt_utils.study.comparison` computes what the results lack, and `results`
reads them.
"""

from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student

from .._support.suggestion import suggestion
from ..baselines import BASELINES, baseline
from ..images.benchmark import Benchmark
from ..images.gm_photo import CORE, N_REAL, listed, records
from ..images.loading import load
from ..images.manifest import read_manifest
from ..method.classifiers import attributor
from ..method.evaluation import accuracy, fit_and_test, split
from ..method.representations import representations
from ..method.spaces import SPACES
from ..metrics import frechet_distance_ratio
from . import grid as grids
from .paper import CELL, paper_table

SHARED = ("biggan_deep", "stylegan2", "stylegan3", "vqgan")
SHARED += ("nvae", "eff_vdvae", "ncsnpp", "ldm")
GENERATORS = {"coffee": CORE, "flower": CORE, "astronaut": SHARED, "china": SHARED}
OTHER = {"coffee": "flower", "flower": "coffee"}
OTHER |= {"astronaut": "china", "china": "astronaut"}
SECOND_PAIR = ("astronaut", "china")
# Table 5 of the paper: models, and the photographs that play their training sets.
ORIGINS = {
    "stylegan3": SECOND_PAIR,
    "nvae": ("coffee", *SECOND_PAIR),
    "ldm": SECOND_PAIR,
}
ORIGIN = "origin of "
# Table 1 of the paper: the photographs of which the shared models are only a part.
WHOLE = "all of "
SETTINGS = (*OTHER, *(WHOLE + photo for photo in ("coffee", "flower", "astronaut")))
SETTINGS += tuple(ORIGIN + model for model in ORIGINS)
OURS = tuple(f"{s} {k}" for s in SPACES for k in ("raw", "nearest", "affine"))
METHODS = (*BASELINES, *OURS)
# The earlier methods once more, with all settings as published.
PUBLISHED = tuple(f"{name} published" for name in BASELINES)
NETWORKS = ("Nataraj19", "Wang20", "Marra18", "Marra19", "Yu19")  # have their own
SEEDS = (1, 2, 3, 4, 5)  # the methods were tuned on seed 0
# Seeds of a cell, for methods without and with a network of their own: fewer where
# they are expensive.  Only coffee has the whole curve.
N_SEEDS = {
    "closed": (5, 5),
    "with real": (5, 5),
    "fewest images": (5, 3),
    "curve": (5, 2),
    "many images": (2, 2),
    "origin": (5, 0),
    "published": (5, 1),
}
N_TRAIN, N_TEST = 100, 200  # images a class
FEW = (5, 25, 400)  # training images a class in the few-shot columns, beside N_TRAIN
N_COMPONENTS = 3  # of the common dimension: the shortest features have no more
N_PERMUTATIONS = 5  # behind the null of the ratio
KEYS = ["setting", "method", "column", "n_train", "seed"]
VALUES = ["score", "null", "d", "n_test", "reason"]
# Which setting and column stands beside a column of the paper's tables.
PLAYS = {"GM-CelebA": WHOLE + "coffee", "GM-CIFAR10": WHOLE + "flower"}
PLAYS |= {"GM-CHQ": WHOLE + "astronaut", "GM-FFHQ": "china"}
MOVES = {"CelebA to CIFAR10": "coffee", "CIFAR10 to CelebA": "flower"}
MOVES |= {"CHQ to FFHQ": "astronaut", "FFHQ to CHQ": "china"}
KINDS = {"StyleGAN3": "stylegan3", "NVAE": "nvae", "LDM": "ldm"}
COUNTERPARTS = {
    **{("attribution_accuracy", c): (s, "closed") for c, s in PLAYS.items()},
    **{("attribution_fdr", c): (s, "FDR") for c, s in PLAYS.items()},
    **{("cross_dataset_accuracy", c): (s, "transfer") for c, s in MOVES.items()},
    **{
        ("training_dataset_accuracy", c): (ORIGIN + model, "closed")
        for c, model in KINDS.items()
    },
}
NO_RATIO = "the paper does not say for which n and d its ratios are"


class Fit(NamedTuple):
    """One training, which serves all columns of its task."""

    setting: str
    method: str
    task: str  # "closed" or "with real"
    n_train: int
    seed: int


class Material(NamedTuple):
    """What one method is trained and tested on in one setting."""

    estimator: object
    pool: tuple  # features and labels, the class "real" included
    tests: dict  # column -> features and labels


def chance(setting):
    """Accuracy of guessing, without the class "real".

    Examples
    --------
    >>> chance("coffee"), chance("all of flower"), chance("origin of ldm")
    (0.16666666666666666, 0.08333333333333333, 0.5)
    """
    if setting.startswith(ORIGIN):
        return 1 / len(ORIGINS[setting.removeprefix(ORIGIN)])
    return 1 / len(models(setting))


def models(setting):
    """Names of the models that are told apart on a photograph."""
    if setting in GENERATORS:
        return GENERATORS[setting]
    return listed(setting.removeprefix(WHOLE))


def family(method):
    """The group of a method: "earlier", or the kind of its representation.

    Examples
    --------
    >>> family("Yu19"), family("rgb nearest")
    ('earlier', 'nearest')
    """
    return method.rsplit(" ", 1)[-1] if method in OURS else "earlier"


def n_seeds(setting, method, task, n_train):
    """How many seeds a cell of the table is given, from `N_SEEDS`.

    The origin of an image is asked of methods without a network of their own, as in the
    paper, of raw images and of artifacts.

    Examples
    --------
    >>> [n_seeds(photo, "Yu19", "closed", 25) for photo in ("coffee", "flower")]
    [2, 0]
    """
    test = _test(setting, method, task, n_train)
    if test is None:
        return 0
    quick, networks = N_SEEDS[test]
    return networks if _has_network(method) else quick


def _has_network(method):
    return method.split()[0] in NETWORKS


def _test(setting, method, task, n_train):
    """Which row of `N_SEEDS` a cell belongs to, None if it is not in the grid."""
    is_main = (task, n_train) == ("closed", N_TRAIN)
    if setting.startswith(ORIGIN):
        return "origin" if is_main and method in METHODS else None
    if setting.startswith(WHOLE) and method in METHODS:
        return task if n_train == N_TRAIN else None
    if method in PUBLISHED:
        return "published" if is_main and setting == "coffee" else None
    if is_main or task == "with real":
        return task
    if n_train == min(FEW):
        return "fewest images"
    if setting != "coffee":
        return None
    return "curve" if n_train < N_TRAIN else "many images"


def _turn(fit):
    """Place in the queue.

    What the main table needs comes first, one photograph after the other.  Quick
    methods come method by method, because their features are kept in between, and
    then the networks, seed by seed: a grid that stops has some seeds of all of them.
    """
    is_network = _has_network(fit.method)
    is_main = (fit.task, fit.n_train) == ("closed", N_TRAIN)
    is_main &= not fit.setting.startswith(ORIGIN)
    is_early = is_main or (fit.n_train < N_TRAIN and not is_network)
    is_last = fit.n_train > N_TRAIN
    seed = fit.seed if is_network else 0
    place = SETTINGS.index(fit.setting)
    return is_last, not is_early or fit.method in PUBLISHED, place, is_network, seed


def planned(settings=SETTINGS, methods=(*METHODS, *PUBLISHED), seeds=SEEDS):
    """All trainings of the grid, the most important first.

    Raises
    ------
    ValueError
        If a setting or a method is unknown, or a seed is none of `SEEDS`.
    """
    every = (*METHODS, *PUBLISHED)
    for given, known in ((settings, SETTINGS), (methods, every), (seeds, SEEDS)):
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


def columns(fit):
    """Names of the columns that one training serves."""
    if fit.task != "closed" or fit.setting.startswith(ORIGIN):
        return [fit.task]
    if fit.setting.startswith(WHOLE):
        return ["closed", "FDR", "FDR PCA"]
    if fit.n_train != N_TRAIN:
        return ["closed", "transfer"] if fit.n_train == min(FEW) else ["closed"]
    unseen = [f"unseen {model}-{seed}" for model, seed in _further(fit.setting)]
    return ["closed", "transfer", *unseen, "FDR", "FDR PCA"]


@lru_cache
def _further(photo):
    """Model and seed of all trainings of these models but the first."""
    stored, taking_part = records(photo).index, GENERATORS[photo]
    return [(model, seed) for model, seed in stored if seed and model in taking_part]


def measure(fit, *, device="cpu"):
    """Train once and score all columns.

    Parameters
    ----------
    fit : Fit
    device : str
        Of torch, on which a method with a network of its own is trained.

    Returns
    -------
    list of dict
        Rows of the results, with the keys `KEYS` and some of `VALUES`.  A method that
        cannot work on these images has a `reason` in place of a score.
    """
    try:
        found = _scores(fit, _material(fit.setting, fit.method, device))
    except ValueError as error:
        found = {column: _refusal(error) for column in columns(fit)}
    key = {"setting": fit.setting, "method": fit.method}
    key |= {"n_train": fit.n_train, "seed": fit.seed}
    return [{**key, "column": column, **values} for column, values in found.items()]


def _refusal(error):
    return {"reason": " ".join(str(error).split())}


def _scores(fit, material):
    x, labels = material.pool
    rows = np.arange(len(labels))
    if fit.task == "closed":
        rows = np.flatnonzero(labels != "real")
    train, test = (rows[part] for part in parts(labels[rows], fit))
    more = columns(fit)[1:]
    tests = {fit.task: (x[test], labels[test])}
    tests |= {c: material.tests[c] for c in more if not c.startswith("FDR")}
    pair = x[train], labels[train]
    fitted, predictions = fit_and_test(
        material.estimator, pair, tests, seed=fit.seed, with_probability=False
    )
    scores = accuracy(predictions)[fit.seed]
    found = {
        column: {"score": scores[column], "n_test": _per_class(y)}
        for column, (_, y) in tests.items()
    }
    for column in more[len(tests) - 1 :]:
        found[column] = _separability(column, fitted, x[test], labels[test], fit)
    return found


def parts(labels, fit):
    """Rows to train and to test on; the test is the same for any number of images."""
    options = {"n_train": room(fit.setting), "n_test": N_TEST, "seed": fit.seed}
    train, test = split(labels, **options)
    groups = [train[labels[train] == name] for name in np.unique(labels)]
    return np.concatenate([group[: fit.n_train] for group in groups]), test


def room(setting):
    """The largest number of training images a class that a setting has room for."""
    return max(FEW) if GENERATORS.get(setting) == CORE else N_TRAIN


def _per_class(labels):
    return len(labels) // len(np.unique(labels))


def _separability(column, fitted, x, labels, fit):
    try:
        result = frechet_distance_ratio(
            fitted.transform(x),
            labels,
            seed=fit.seed,
            n_permutations=N_PERMUTATIONS,
            n_components=N_COMPONENTS if column == "FDR PCA" else None,
        )
    except ValueError as error:
        return _refusal(error)
    found = {"score": result.ratio, "null": result.null_mean, "d": result.d}
    return found | {"n_test": _per_class(labels)}


@lru_cache(maxsize=1)
def _material(setting, method, device="cpu"):
    home, tests = _images(setting)
    n = room(setting) + N_TEST
    images, labels = home.labelled(n, with_real=not setting.startswith(ORIGIN))
    if method not in OURS:
        head = _earlier(method, home.real.shape[1:3], device)
        pairs = {column: (x, y) for column, (x, y, _) in tests.items()}
        return Material(head, (images, labels), pairs)
    own = _representation(home, method)
    # Elsewhere an artifact is taken from the real images of that place.
    pairs = {}
    for column, (x, y, where) in tests.items():
        shown = own if where is home else _representation(where, method)
        pairs[column] = shown.transform(x), y
    return Material(attributor(own), (own.transform(images), labels), pairs)


def _earlier(method, image_size, device):
    name, *rest = method.split()
    options = {"device": device} if name in NETWORKS else {}
    return baseline(name, paper=rest == ["published"], image_size=image_size, **options)


def _representation(data, method):
    space, kind = method.rsplit(" ", 1)
    return representations(data, [space], [kind])[method]


@lru_cache(maxsize=1)
def _images(setting):
    """The benchmark of a setting; column -> images, labels and where they belong."""
    if setting.startswith(ORIGIN):
        return _origins(setting.removeprefix(ORIGIN)), {}
    if setting.startswith(WHOLE):
        return generators(setting), {}
    home, away = (generators(photo) for photo in (setting, OTHER[setting]))
    tests = {"transfer": (*away.labelled(N_TEST), away)}
    for model, seed in _further(setting):
        name = f"gm-photo/{setting}"
        again = load(name, models=[model], training_seed=seed, n_real=1)
        x = again.images[model][:N_TEST]
        tests[f"unseen {model}-{seed}"] = x, np.repeat(model, len(x)), home
    return home, tests


@lru_cache(maxsize=2)
def generators(setting):
    """The benchmark of a photograph, with the models that take part on it."""
    photo = setting.removeprefix(WHOLE)
    return load(f"gm-photo/{photo}", models=list(models(setting)))


def _origins(model):
    """A benchmark whose classes are the photographs that one model was trained on.

    Its manifold is that of all these photographs together: taking each artifact from
    the right one would tell the classifier the answer.
    """
    photos = ORIGINS[model]
    parts = {
        photo: load(f"gm-photo/{photo}", models=[model], n_real=N_REAL // len(photos))
        for photo in photos
    }
    return Benchmark(
        name=ORIGIN + model,
        real=np.concatenate([part.real for part in parts.values()]),
        real_test=np.concatenate([part.real_test for part in parts.values()]),
        images={photo: part.images[model] for photo, part in parts.items()},
    )


def results():
    """Read the stored results.

    Returns
    -------
    DataFrame
        Columns `setting`, `method`, `column`, `n_train` and `seed`, which name a
        cell; `score`; for the ratios `null`, their mean with permuted labels, and
        dimension `d`; `n_test`, test images a class; and `reason`, empty where there
        is a score.

    Raises
    ------
    ValueError
        If the file is missing or not the one the manifest lists.
    """
    return GRID.results()


def provenance():
    """What made the results: commands, commits, versions, CPU seconds by method."""
    return GRID.provenance()


def pooled(table):
    """The results with one more column, `unseen`: the mean over all unseen trainings.

    Examples
    --------
    >>> row = {"setting": "coffee", "method": "Yu19", "n_train": 100, "seed": 1}
    >>> rows = [row | {"column": f"unseen dcgan-{i}", "score": i / 2} for i in (1, 2)]
    >>> pooled(pd.DataFrame(rows)).iloc[-1]["score"]
    np.float64(0.75)
    """
    part = table[table["column"].str.startswith("unseen ")]
    keys = [key for key in KEYS if key != "column"]
    values = [name for name in VALUES if name in part and name != "reason"]
    groups = part.groupby(keys, sort=False)
    mean = groups[values].mean().reset_index().assign(column="unseen")
    if "reason" in part:
        mean["reason"] = groups["reason"].first().to_numpy()
    return pd.concat([table, mean], ignore_index=True)


def wide(found, setting, names, *, methods=METHODS):
    """A table for readers: one row a method, its scores as text.

    Parameters
    ----------
    found : DataFrame
        From `summary`.
    setting : str
    names : dict
        Heading -> (column, n_train, field), or (column, n_train) for mean and
        deviation; shares are shown in percent.
    methods : sequence of str
        Rows, in this order; those of which the setting has no cell are left out.

    Returns
    -------
    DataFrame of str
        The reason stands where there is no score, and a dash where the grid has no
        such cell.
    """
    part = found.xs(setting)
    there = set(part.index.get_level_values("method"))
    methods = [method for method in methods if method in there]
    return pd.DataFrame(
        {
            heading: [_text(part, method, *where) for method in methods]
            for heading, where in names.items()
        },
        index=pd.Index(methods, name="method"),
    )


def _text(part, method, column, n_train, field=None):
    if (method, column, n_train) not in part.index:
        return "–"
    row = part.loc[method, column, n_train]
    if row["reason"]:
        return row["reason"]
    if field:
        return f"{row[field]:.3g}"
    scale = 1 if column.startswith("FDR") else 100
    spread = "" if np.isnan(row["sd"]) else f" ± {scale * row['sd']:.1f}"
    return f"{scale * row['mean']:.1f}{spread}"


def summary(table, *, confidence=0.95):
    """Means over the seeds, with deviation and confidence interval.

    Parameters
    ----------
    table : DataFrame
        From `results`.
    confidence : float
        Of the interval, by Student's t: what other seeds of splits and classifiers
        would give, with the same trained generators.

    Returns
    -------
    DataFrame
        Indexed by setting, method, column and n_train: `mean`, `sd`, `low`, `high`,
        `seeds`, `null`, `d`, `n_test`, `reason`.  One seed has no deviation.
    """
    groups = table.groupby(KEYS[:-1], sort=False)
    scores = groups["score"]
    found = pd.DataFrame({"mean": scores.mean(), "sd": scores.std()})
    count = scores.count()
    reach = student.ppf((1 + confidence) / 2, (count - 1).clip(lower=1))
    reach = reach * found["sd"] / np.sqrt(count)
    found["low"], found["high"] = found["mean"] - reach, found["mean"] + reach
    found["seeds"] = count
    rest = groups[["null", "d", "n_test"]].mean()
    return found.join(rest).join(groups["reason"].first())


def counterparts(found):
    """The cells of the grid that correspond to cells of the paper, in its units.

    The mean over seeds of the nearest artifact stands beside the paper's method, and
    `affine` is that of the other estimate.

    Parameters
    ----------
    found : DataFrame
        From `summary`.

    Returns
    -------
    DataFrame
        As `paper.side_by_side` takes it.
    """
    rows = {}
    for (table, column), (setting, ours) in COUNTERPARTS.items():
        for method in paper_table(table).index:
            own = method if method in BASELINES else f"{method} nearest"
            cell = (setting, own, ours, N_TRAIN)
            if cell in found.index:
                rows[table, method, column] = _in_units(found.loc[cell], table)
                other = (setting, f"{method} affine", ours, N_TRAIN)
                means = found["mean"].get(other, np.nan)
                rows[table, method, column]["affine"] = _scale(table) * means
    result = pd.DataFrame.from_dict(rows, orient="index")
    result.index = pd.MultiIndex.from_tuples(rows, names=CELL)
    return result


def _in_units(row, table):
    """Mean and interval, in percent unless they are ratios, and a reason if any."""
    values = row[["mean", "low", "high"]].astype(float) * _scale(table)
    is_ratio = table == "attribution_fdr"
    return {**values, "reason": NO_RATIO if is_ratio else row["reason"]}


def _scale(table):
    return 1 if table == "attribution_fdr" else 100


def cells(fit):
    """The keys of all rows that one training gives."""
    key = fit.n_train, fit.seed
    return {(fit.setting, fit.method, column, *key) for column in columns(fit)}


@lru_cache
def sheets(settings=SETTINGS):
    """The sha256 of every sheet of samples that takes part in some settings."""
    names = tuple(f"gm-photo/{p}/{m}-" for s in settings for p, m in _trained(s))
    return {
        name: entry["sha256"]
        for name, entry in read_manifest().items()
        if name.startswith(names) and name.endswith(".webp")
    }


def _trained(setting):
    """Photograph and model of all generators of a setting."""
    if setting.startswith(ORIGIN):
        model = setting.removeprefix(ORIGIN)
        return [(photo, model) for photo in ORIGINS[model]]
    photo = setting.removeprefix(WHOLE)
    return [(photo, model) for model in models(setting)]


GRID = grids.Grid(
    name="comparison",
    keys=tuple(KEYS),
    values=tuple(VALUES),
    types={"n_train": int, "seed": int, "score": float, "null": float}
    | {"d": "Int64", "n_test": "Int64"},
    order={name: i for i, name in enumerate((*SETTINGS, *METHODS, *PUBLISHED))},
    planned=planned,
    cells=cells,
    measure=measure,
    batch=attrgetter("setting", "method", "seed"),
    account=attrgetter("method"),
    sheets=sheets,
)


def parser():
    """The arguments of `python -m manifpt_utils.study.comparison`."""
    description = "Train and test every method of the book's big table."
    top = grids.parser(GRID, description)
    add = top.add_argument
    several = {"nargs": "+", "metavar": "NAME"}
    choices = f"some of: {', '.join(SETTINGS)}; default: all"
    add("--settings", **several, default=SETTINGS, help=choices)
    methods = (*METHODS, *PUBLISHED)
    choices = f"some of: {', '.join(methods)}; default: all"
    add("--methods", **several, default=methods, help=choices)
    seeds = f"some of {SEEDS}, of splits and networks; default: all"
    add("--seeds", nargs="+", type=int, metavar="N", default=SEEDS, help=seeds)
    place = "cpu or cuda, where networks are trained; default: %(default)s"
    add("--device", default="cpu", metavar="NAME", help=place)
    return top


def main(arguments=None):
    """Run the command line."""

    def plan(options):
        return planned(options.settings, options.methods, options.seeds)

    grids.run(GRID, parser(), plan, arguments, passed=["device"])


if __name__ == "__main__":
    # Other processes can import what belongs to a module, but not to the main script.
    from . import comparison

    comparison.main()
