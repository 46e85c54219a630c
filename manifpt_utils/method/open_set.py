"""Images from sources that took no part in a training: can a method tell?

`collect` puts together images of known models, of several kinds of unknown sources, and
real ones.  `leave_each_out` makes every model an unknown one in turn, and lists for
each image what a classifier and its conformal sets say about it.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone

from ..images.gm_photo import retrained
from ..metrics.conformal import p_values, prediction_sets
from ..metrics.detection import auroc, open_set_curve, oscr, tpr_at_fpr
from ..metrics.intervals import share_interval
from .evaluation import HELD_OUT, refuse_straddling, split, with_seed
from .representations import Representation

LEFT_OUT, RETRAINED = "model left out", "another training"
OTHER_DATA, REAL = "other training images", "real images"
UNKNOWN = (LEFT_OUT, RETRAINED, OTHER_DATA, REAL)
FEWEST = 3  # models: one is left out, and the other two are told apart
MEASURES = ("AUROC", "TPR", "OSCR")
AGAINST = ("doubt", "distance")  # scores whose high values mean an unknown source


class Pool(NamedTuple):
    """Images of known and of unknown sources.

    Attributes
    ----------
    images : (n, h, w, 3) uint8 array
    table : DataFrame
        One row per image: `set`, the kind of source ("held out" for the models of the
        benchmark, else one of `UNKNOWN`), `source`, the name of the model, and `tested`
        where the images came with a split: whether those of known models are its test.
    """

    images: np.ndarray
    table: pd.DataFrame


def collect(benchmark, n, *, n_unknown, n_test=0, other=None, seed=0):
    """Images of the models of a benchmark, and of sources that resemble them.

    Parameters
    ----------
    benchmark : Benchmark
    n : int
        Images per model.
    n_test : int
        Those of them that are for the test, where a split is given.
    n_unknown : int
        Images of each unknown source, and of each further training of a model; all
        images of those that have fewer.
    other : Benchmark, optional
        A benchmark whose models have the same names but were trained on other images.
    seed : int
        Seed of the draw.

    Returns
    -------
    Pool
        It has no "another training" if no model was trained again, and no "other
        training images" if `other` shares no model.

    Raises
    ------
    ValueError
        If a model has fewer than `n` images, or `other` has images of another size.

    Examples
    --------
    >>> from ..images.loading import load
    >>> pool = collect(load("gm-photo/coffee", n_real=1), 2, n_unknown=1)
    >>> pool.table["set"].unique().tolist()
    ['held out', 'another training', 'real images']
    """
    again = retrained(benchmark, n_unknown)
    real = _few(benchmark.real_test, n_unknown, seed)
    *known, tested = benchmark.for_evaluation(n - n_test, n_test, seed=seed)
    parts = {
        HELD_OUT: known,
        RETRAINED: again,
        OTHER_DATA: _elsewhere(benchmark, other, n_unknown, seed),
        REAL: (real, np.repeat("real", len(real))),
    }
    tables = [pd.DataFrame({"set": k, "source": y}) for k, (_, y) in parts.items()]
    images = np.concatenate([x for x, _ in parts.values()])
    table = pd.concat(tables, ignore_index=True)
    if tested is not None:
        table["tested"] = np.r_[tested, np.zeros(len(table) - len(tested), bool)]
    return Pool(images, table)


def _few(images, n, seed):
    """At most n of the images, drawn at random."""
    return images[np.random.default_rng(seed).permutation(len(images))[:n]]


def _elsewhere(benchmark, other, n, seed):
    """Images of models of the same names that were trained on other images."""
    shape = benchmark.real.shape[1:]
    shared = [] if other is None else [m for m in benchmark.models if m in other.images]
    if not shared:
        return np.empty((0, *shape), np.uint8), np.empty(0, "U1")
    if other.real.shape[1:] != shape:
        raise ValueError(
            f"{other.name} has images of {other.real.shape[1:3]} pixels, "
            f"{benchmark.name} of {shape[:2]}; bring both to one size."
        )
    few = {model: _few(other.images[model], n, seed) for model in shared}
    few = replace(other, images=few).images  # a Benchmark checks its images
    labels = [np.repeat(model, len(x)) for model, x in few.items()]
    return np.concatenate(list(few.values())), np.concatenate(labels)


def predict_open(estimator, train, calibration, tests, *, seed, coverage=0.9):
    """Train, calibrate on other images, and list for each image what it may be.

    Parameters
    ----------
    estimator : classifier or pipeline
        It must have `predict_proba`.
    train, calibration : (x, labels)
        Images or features of the same known classes; the two share no image.
    tests : dict of str to (x, sources)
        Sets of other images, of known and of unknown sources.
    seed : int
        Given to every part of the estimator that has one.
    coverage : float
        Share of the images of a known class whose conformal set is to hold that class.

    Returns
    -------
    DataFrame
        One row per image of a test set: `set`, `row` (its place in that set),
        `source`, the most probable class `predicted` and its `probability`, and

        - `doubt`, the probability of all other classes together, which differs even
          between images whose `probability` is rounded to 1;
        - `typical`, the share of calibration images that are at least as doubtful, the
          image itself included: a p-value of "this is an image of a known source";
        - `p_value`, the largest of the conformal p-values of the classes;
        - `set_size`, the number of classes in the conformal set, and whether it is
          `covered`, that is, whether the source is one of them.

    Raises
    ------
    ValueError
        If the estimator gives no probabilities, or a class has no calibration image.
    """
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{estimator} gives no probabilities; take a classifier with predict_proba."
        )
    fitted = with_seed(clone(estimator), seed).fit(*train)
    known = _calibrated(fitted, *calibration)
    found = {
        name: _judged(_doubts(fitted, x), np.asarray(sources), known, coverage)
        for name, (x, sources) in tests.items()
    }
    table = pd.concat(found, names=["set", "row"]).reset_index()
    return table.astype({"set": str})


class _Calibrated(NamedTuple):
    """Doubts about the calibration images."""

    names: pd.Index  # of the c classes
    codes: np.ndarray  # (m,) int, their true classes
    own: np.ndarray  # (m,) doubt about the true class
    least: np.ndarray  # (m,) doubt about the most probable class


def _calibrated(fitted, x, labels):
    names, doubts = pd.Index(fitted.classes_), _doubts(fitted, x)
    codes = names.get_indexer(labels)
    own = doubts[np.arange(len(codes)), codes]
    return _Calibrated(names, codes, own, doubts.min(axis=1))


def _judged(doubts, sources, known, coverage):
    """The table of one test set."""
    least = doubts.min(axis=1)
    p = p_values(-doubts, -known.own, known.codes)
    accepted = prediction_sets(p, coverage=coverage)
    # Unknown sources have the index -1, and so the last column.
    holds = np.c_[accepted, np.zeros(len(doubts), bool)]
    columns = {
        "source": sources,
        "predicted": known.names[doubts.argmin(axis=1)],
        "probability": 1 - least,
        "doubt": least,
        "typical": _typical(least, known.least),
        "p_value": p.max(axis=1),
        "set_size": accepted.sum(axis=1),
        "covered": holds[np.arange(len(doubts)), known.names.get_indexer(sources)],
    }
    return pd.DataFrame(columns)


def _doubts(fitted, x):
    """The probability of all other classes together: (n, c) float64 array."""
    probability = fitted.predict_proba(x).astype(float)
    # A sum of small numbers, because 1 - probability would be rounded to 0.
    return probability @ (1 - np.eye(probability.shape[1]))


def _typical(doubt, known):
    """Share of known images at least as doubtful, the image itself included."""
    return p_values(-doubt[:, None], -known, np.zeros(len(known), int))[:, 0]


def leave_each_out(
    estimator,
    x,
    table,
    *,
    n_train,
    n_calibration,
    n_test,
    n_left_out=1,
    seeds=(0,),
    groups=None,
    coverage=0.9,
):
    """Leave each known model out, a few at a time, and predict the images of all.

    Parameters
    ----------
    estimator : classifier or pipeline
    x : (n, ...) array
        Images of a pool, or features of them.
    table : DataFrame
        The table of the pool, see `Pool`.
    n_train, n_calibration, n_test : int
        Images per known model, three parts that share none; `n_test` is also the number
        of images of each model that is left out.
    n_left_out : int
        Models that are left out of one training, at most a third of all.  Leaving out
        one at a time is closest to what users meet; leaving out more needs fewer
        trainings.
    seeds : sequence of int
        Each seed divides the models and their images in another way.
    groups : (n,) array, optional
        Equal images, or images of one origin, have the same group.  No group is on both
        sides of a split, and unknown images whose group also has known images are left
        out.
    coverage : float

    Returns
    -------
    DataFrame
        As `predict_open` gives it, one training after another, with `row` as the place
        in `x`.  `split` numbers the trainings from 1, and `left_out` names the models
        that were left out.  If there are only two models, none is left out.

    Raises
    ------
    ValueError
        If a model has too few images, or `n_left_out` is below 1.
    """
    counts = n_train, n_calibration, n_test
    groups = np.arange(len(table)) if groups is None else np.asarray(groups)
    models = _checked_models(table, counts)
    rounds = [(f, seed) for seed in seeds for f in _folds(models, n_left_out, seed)]
    parts = []
    for number, (left_out, seed) in enumerate(rounds, 1):
        rows = _division(table, groups, left_out, counts, seed)
        found = _round(estimator, x, table, rows, seed, coverage)
        parts.append(found.assign(split=number, left_out=", ".join(left_out)))
    return pd.concat(parts, ignore_index=True)


def at_once(n_models, n_left_out):
    """How many models are left out of one training: at most a third of them.

    >>> at_once(15, 3), at_once(6, 3), at_once(2, 3)
    (3, 2, 0)
    """
    if n_left_out < 1:
        raise ValueError(f"n_left_out must be at least 1, got {n_left_out!r}.")
    return min(n_left_out, n_models // FEWEST)


def _folds(models, n_left_out, seed):
    """The models in random parts, each of which is left out in one training."""
    n = at_once(len(models), n_left_out)
    if not n:
        return [[]]
    order = np.random.default_rng(seed).permutation(models)
    return [part.tolist() for part in np.array_split(order, -(-len(models) // n))]


def _round(estimator, x, table, rows_of, seed, coverage):
    """Train without some models, and predict their images and all others."""
    sources = table["source"].to_numpy()
    train, calibration, tests = rows_of
    taught = [(x[rows], sources[rows]) for rows in (train, calibration)]
    shown = {name: (x[rows], sources[rows]) for name, rows in tests.items()}
    found = predict_open(estimator, *taught, shown, seed=seed, coverage=coverage)
    rows = np.concatenate(list(tests.values()))
    return found.assign(row=rows)


def _checked_models(table, counts):
    """The known models, each with enough images."""
    known = table.loc[table["set"] == HELD_OUT, "source"].value_counts(sort=False)
    if len(known) < 2:
        raise ValueError(
            "an unknown source needs two known ones to be told from, got "
            f"{list(known.index)}."
        )
    if known.min() < sum(counts):
        raise ValueError(
            f"model {known.idxmin()!r} has {known.min()} images, fewer than "
            f"{counts[0]} for training, {counts[1]} for calibration and {counts[2]} "
            "for testing."
        )
    return list(known.index)


def _division(table, groups, left_out, counts, seed):
    """Rows to train on, to calibrate on, and of every test set that has some."""
    n_test = counts[2]
    sources = table["source"].to_numpy()
    is_model, is_left_out = table["set"] == HELD_OUT, np.isin(sources, left_out)
    known = np.flatnonzero(is_model & ~is_left_out)
    sides = {"groups": groups[known], "tested": None}
    if "tested" in table:
        sides["tested"] = table["tested"].to_numpy()[known]
    parts = divide(sources[known], counts, seed=seed, **sides)
    train, calibration, test = (known[part] for part in parts)
    own = is_model & table.get("tested", True)
    out = [np.flatnonzero(own & (sources == m))[:n_test] for m in left_out]
    tests = {HELD_OUT: test, LEFT_OUT: np.concatenate([[], *out]).astype(int)}
    for name in UNKNOWN[1:]:
        tests[name] = np.flatnonzero((table["set"] == name) & ~is_left_out)
    for name in UNKNOWN:
        tests[name] = tests[name][~np.isin(groups[tests[name]], groups[known])]
    return train, calibration, {name: rows for name, rows in tests.items() if len(rows)}


def divide(sources, counts, *, seed, groups=None, tested=None):
    """Divide images of known sources into those to train, calibrate and test on.

    Parameters
    ----------
    sources : (n,) array
    counts : (int, int, int)
        Images per source.
    seed : int
    groups : (n,) array, optional
        No group is on two sides.
    tested : (n,) bool array, optional
        Which images are the test, where that is given.

    Returns
    -------
    (train, calibration, test) : three int arrays

    Raises
    ------
    ValueError
        If a source has too few images, or a given split has a group on both sides.

    Examples
    --------
    >>> train, calibration, test = divide(np.repeat([0, 1], 4), (2, 1, 1), seed=0)
    >>> len(train), len(calibration), len(test)
    (4, 2, 2)
    """
    rows, sources = np.arange(len(sources)), np.asarray(sources)
    groups = rows if groups is None else groups
    n_train, n_calibration, n_test = counts
    if tested is not None:
        tested = np.asarray(tested)
        refuse_straddling(groups, tested)
        halves = {"n_train": n_train, "n_test": n_calibration}
        return *_split(rows[~tested], sources, groups, seed, halves), rows[tested]
    halves = {"n_train": n_train, "n_test": n_calibration + n_test}
    train, rest = _split(rows, sources, groups, seed, halves)
    halves = {"n_train": n_calibration, "n_test": n_test}
    return train, *_split(rest, sources, groups, seed, halves)


def _split(rows, sources, groups, seed, counts):
    """Two disjoint parts of some rows."""
    parts = split(sources[rows], **counts, seed=seed, groups=groups[rows])
    return tuple(rows[part] for part in parts)


def open_set_scores(predictions, *, score="doubt", fpr=0.05):
    """How well a score tells known from unknown, in every split.

    Parameters
    ----------
    predictions : DataFrame
        As `leave_each_out` gives it.
    score : {"doubt", "p_value", "distance"} or another column
        High values of "doubt" and "distance" indicate an unknown source; high values of
        all other scores indicate a known one.
    fpr : float
        Share of the unknown images that may be accepted, for the column `TPR`.

    Returns
    -------
    DataFrame
        One row per split, set and source: `AUROC`, `TPR` and `OSCR`.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    rows = []
    for where, known, right, unknown in _pairs(predictions, score):
        row = [auroc(known, unknown), tpr_at_fpr(known, unknown, fpr=fpr)]
        rows.append([*where, *row, oscr(known, right, unknown)])
    return pd.DataFrame(rows, columns=["split", "set", "source", *MEASURES])


def correct_rates(predictions, rates, *, score="doubt"):
    """Share of known images that are named correctly, if few unknown ones are accepted.

    Parameters
    ----------
    predictions : DataFrame
        As `leave_each_out` gives it.
    rates : sequence of float
        Shares of the unknown images that may be accepted at most.
    score : str
        As for `open_set_scores`.

    Returns
    -------
    DataFrame
        One row per split, set and source, one column per rate.
    """
    rows = []
    for where, *scores in _pairs(predictions, score):
        curve = open_set_curve(*scores)
        rows.append([*where, *(curve.correct_at(rate) for rate in rates)])
    return pd.DataFrame(rows, columns=["split", "set", "source", *rates])


def _pairs(predictions, score):
    """Per split: known images, whether they are named correctly, and unknown images."""
    if score not in predictions:
        raise ValueError(
            f"there is no score {score!r}; known: {', '.join(predictions.columns)}."
        )
    sign = -1 if score in AGAINST else 1
    for number, part in predictions.groupby("split", sort=False):
        is_known = part["set"] == HELD_OUT
        known = part[is_known]
        right = (known["predicted"] == known["source"]).to_numpy()
        others = part[~is_known].groupby(["set", "source"], sort=False)
        for name, unknown in others[score]:
            where = [number, *name]
            yield (
                where,
                sign * known[score].to_numpy(),
                right,
                sign * unknown.to_numpy(),
            )


def by_unit(rows, columns):
    """Means within each unit, so that each unit counts once.

    Parameters
    ----------
    rows : DataFrame
        Predictions, or scores of `open_set_scores`.
    columns : list of str
        Columns of which the mean is taken.

    Returns
    -------
    DataFrame
        Indexed by `set` and `unit`.  The unit is the unknown model; for images of no
        unknown model, held out or real, it is the split.

    Examples
    --------
    >>> rows = {"set": "real images", "source": "real", "split": [1, 1, 2]}
    >>> rows = pd.DataFrame(rows | {"AUROC": [0.5, 0.7, 0.8]})
    >>> by_unit(rows, ["AUROC"]).loc["real images", "AUROC"].to_dict()
    {'split 1': 0.6, 'split 2': 0.8}
    """
    has_model = ~rows["set"].isin([HELD_OUT, REAL])
    unit = rows["source"].where(has_model, "split " + rows["split"].astype(str))
    return rows.groupby(["set", unit.rename("unit")], sort=False)[columns].mean()


def intervals(units):
    """Means over the units of every set.

    Parameters
    ----------
    units : DataFrame
        As `by_unit` gives it.

    Returns
    -------
    DataFrame of Interval
        Indexed by set, with the columns of `units`.  The ends are cut at 0 and 1,
        because all these numbers are shares, which Student's interval does not take
        into account.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([["x"], ["a", "b"]], names=["set", "unit"])
    >>> intervals(pd.DataFrame({"AUROC": [0.5, 0.7]}, index)).loc["x", "AUROC"].mean
    0.6
    """
    sets = units.groupby("set", sort=False)
    found = {c: {name: share_interval(x) for name, x in sets[c]} for c in units}
    return pd.DataFrame(found).rename_axis("set")


def ladder_scores(found, *, score="doubt"):
    """Scores of many representations, per unit.

    Parameters
    ----------
    found : dict of Representation to DataFrame
        Predictions of `leave_each_out`.
    score : str
        As for `open_set_scores`.

    Returns
    -------
    DataFrame
        Indexed by `space`, `kind`, `set` and `unit`, with the columns `MEASURES`.
    """
    rows = [
        by_unit(open_set_scores(x, score=score), [*MEASURES]) for x in found.values()
    ]
    return pd.concat(rows, keys=list(found), names=Representation._fields)


def set_rows(predictions):
    """Properties of the conformal set of each image, as numbers that have a mean.

    Returns
    -------
    DataFrame
        The predictions with the columns `empty`, `single` and `several`, 1 if the set
        has no class, one class or more, else 0; `covered` is missing where the source
        is not a known class.

    Examples
    --------
    >>> rows = {"set": "real images", "set_size": [0, 2], "covered": False}
    >>> found = set_rows(pd.DataFrame(rows))
    >>> found["empty"].tolist(), found["covered"].isna().all().item()
    ([1.0, 0.0], True)
    """
    size = predictions["set_size"]
    has_class = ~predictions["set"].isin([LEFT_OUT, REAL])
    return predictions.assign(
        empty=(size == 0).astype(float),
        single=(size == 1).astype(float),
        several=(size > 1).astype(float),
        covered=predictions["covered"].astype(float).where(has_class),
    )
