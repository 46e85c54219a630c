"""One evaluation for every method: splits, seeds, predictions and separability."""

import math
import warnings
from itertools import takewhile
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import Pipeline

from ..images.copies import digests
from ..metrics import FrechetRatio, frechet_distance_ratio
from ..metrics.separability import LEAST_HALVED
from .classifiers import NetworkClassifier
from .processes import in_processes, n_processes, pixels_per_image
from .streams import are_large, in_parts, streamed, take_rows

HELD_OUT = "held out"  # name of the test set that a split leaves
TRIES = 100  # attempts to divide groups so that both sides have enough of every class


class Evaluation(NamedTuple):
    """Attribution scores, one entry per seed; unseen sets by name."""

    accuracy: np.ndarray  # (s,) in 0..1
    unseen: dict  # name -> (s,) accuracy on sets that took no part in training
    ratio: np.ndarray  # (s,) Frechet distance ratio of test features
    null: np.ndarray  # (s,) the same with labels permuted
    confusion: pd.DataFrame  # rows true, columns predicted, rows sum to 1
    n_train: int  # per class
    n_test: int  # per class
    d: int  # dimension of the penultimate features
    predictions: pd.DataFrame  # one row per seed and image, see `fit_and_test`

    def row(self):
        """Mean and standard deviation as a flat dictionary, one table row."""
        row = {"accuracy": self.accuracy.mean(), "sd": _sd(self.accuracy)}
        for name, values in self.unseen.items():
            row |= {name: values.mean(), f"{name} sd": _sd(values)}
        row |= {"FDR": self.ratio.mean(), "FDR sd": _sd(self.ratio)}
        row |= {"FDR null": self.null.mean(), "d": self.d}
        return row | {"n train": self.n_train, "n test": self.n_test}


def _sd(values):
    return values.std(ddof=1) if len(values) > 1 else np.nan


def evaluate(
    estimator,
    images,
    labels,
    *,
    n_train,
    n_test,
    seeds=(0, 1, 2),
    unseen=None,
    groups=None,
    tested=None,
    n_permutations=5,
):
    """Train and test on several splits, and test on sets that no split touches.

    Parameters
    ----------
    estimator : classifier or pipeline
        Frozen steps at the beginning of a pipeline (`FrozenEstimator`, see
        `attribution_pipeline`) are computed once; all other steps are fitted on the
        training images of each split.
    images : (n, h, w, 3) uint8 array, or (n, d) array
        What the estimator takes: images, or features that are computed already.
    labels : (n,) array
    n_train, n_test : int
        Images per class.
    seeds : sequence of int
        Each gives one split and one initialisation.
    unseen : dict, optional
        name -> (images, labels), scored by the same trained classifiers.
    groups : (n,) array, optional
        Rows of the same group are never on both sides of a split, for instance views of
        one photograph.  Equal images are always put into one group.  Of features it is
        not known which come from equal images: give `groups=copies(images)`.
    tested : (n,) bool array, optional
        Which images are for the test, if the benchmark says so (see its `given_split`);
        training images are then drawn from the others alone.
    n_permutations : int or None
        Number of label permutations that give the null of the FDR.  None leaves the FDR
        out, because for few images it takes longer than the training.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If a class has too few images, or too few that are not copies; if there is only
        one class, or no seed; or if a given split has copies on both sides.

    Warns
    -----
    UserWarning
        If classes share an image, or if an unseen set holds images of the training.
    """
    options = {"n_train": n_train, "n_test": n_test, "seeds": seeds, "unseen": unseen}
    options |= {"groups": groups, "tested": tested, "n_permutations": n_permutations}
    plan = _planned(images, labels, **options)
    return _evaluation(plan, _runs(plan, estimator, seeds))


def evaluate_all(
    estimators, images, labels, *, seeds=(0, 1, 2), n_methods=None, desc=None, **options
):
    """Evaluate several methods on the same splits, with a progress bar.

    Where cores are idle, several trainings run at once, in processes of one thread each
    (see `processes.n_processes`).

    Parameters
    ----------
    estimators : iterable of (name, estimator)
        As for `evaluate`.  The first trainings begin while later pairs are made.
    images : (n, h, w, 3) uint8 array, or (n, d) array
    labels : (n,) array
    seeds : sequence of int
    n_methods : int, optional
        How many pairs there will be, which sets the end of the progress bar.
    desc : str, optional
        Text beside the progress bar.
    **options
        Those of `evaluate`.

    Returns
    -------
    dict of name to Evaluation

    Raises
    ------
    ValueError
        As by `evaluate`, and if a process is killed.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> x, labels = np.arange(24.0).reshape(12, 2), np.array(["a", "b"] * 6)
    >>> options = {"n_train": 3, "n_test": 3, "n_permutations": None}
    >>> found = evaluate_all([("guess", DummyClassifier())], x, labels, **options)
    >>> found["guess"].accuracy.tolist()
    [0.5, 0.5, 0.5]
    """
    plan = _planned(images, labels, seeds=seeds, **options)
    processes = n_processes(pixels_per_image(plan.images))
    names = []

    def calls():
        for name, estimator in estimators:
            parts = [seeds] if processes == 1 else _apart(estimator, seeds)
            names.extend([name] * len(parts))
            yield from ((plan, estimator, part) for part in parts)

    bar = {"desc": desc} | ({"total": n_methods} if processes == 1 else {})
    found = in_processes(_runs, calls(), processes=processes, **bar)
    runs = {name: [] for name in names}
    for name, some in zip(names, found, strict=True):
        runs[name] += some
    return {name: _evaluation(plan, of_name) for name, of_name in runs.items()}


def _apart(estimator, seeds):
    """The seeds one by one, but together if they share features computed once."""
    return [seeds] if _n_frozen(estimator) else [[seed] for seed in seeds]


class _Plan(NamedTuple):
    """What all methods of an evaluation share."""

    images: np.ndarray
    labels: np.ndarray
    unseen: dict  # name -> (images, labels), without copies of images
    rows: dict  # name -> the rows of that set that are left
    splits: dict  # seed -> (train, test)
    counts: dict
    n_permutations: int | None


def _planned(
    images,
    labels,
    *,
    n_train,
    n_test,
    seeds,
    unseen=None,
    groups=None,
    tested=None,
    n_permutations=5,
):
    images, labels = np.asarray(images), np.asarray(labels)
    unseen = {k: (np.asarray(x), np.asarray(y)) for k, (x, y) in (unseen or {}).items()}
    _check(images, labels, n_train, n_test, seeds, unseen, groups)
    tested = _checked_sides(tested, labels, n_train, n_test)
    groups, rows = _kept_apart(images, labels, groups, unseen)
    unseen = {name: (x[rows[name]], y[rows[name]]) for name, (x, y) in unseen.items()}
    counts = {"n_train": n_train, "n_test": n_test}
    options = counts | {"groups": groups, "tested": tested}
    splits = {seed: split(labels, **options, seed=seed) for seed in seeds}
    _check_halves(n_test, n_permutations)
    return _Plan(images, labels, unseen, rows, splits, counts, n_permutations)


def _runs(plan, estimator, seeds):
    """Predictions and separability of a method, for some of the seeds."""
    estimator, x, unseen = _embedded(estimator, plan.images, plan.unseen)
    known = plan.labels, unseen, plan.n_permutations
    return [_run(estimator, x, plan.splits[seed], seed, *known) for seed in seeds]


def _evaluation(plan, runs):
    """Scores from the predictions and separability of every seed."""
    tables, ratios = zip(*runs, strict=True)
    seeds = [int(table["seed"].iloc[0]) for table in tables]
    predictions = pd.concat(tables, ignore_index=True)
    tests = [np.concatenate([plan.splits[s][1], *plan.rows.values()]) for s in seeds]
    predictions["row"] = np.concatenate(tests)
    scores = accuracy(predictions)[seeds]
    return Evaluation(
        accuracy=scores.loc[HELD_OUT].to_numpy(),
        unseen={name: scores.loc[name].to_numpy() for name in plan.unseen},
        ratio=np.array([r.ratio for r in ratios]),
        null=np.array([r.null_mean for r in ratios]),
        confusion=_confusion(predictions, np.unique(plan.labels)),
        **plan.counts,
        d=ratios[0].d,
        predictions=predictions,
    )


def _check(images, labels, n_train, n_test, seeds, unseen, groups):
    names, counts = np.unique(labels, return_counts=True)
    for kind, given in (("labels", labels), ("groups", groups)):
        if given is not None and len(given) != len(images):
            raise ValueError(
                f"there are {len(images)} images, but {len(given)} {kind}; give one "
                "per image."
            )
    if len(names) < 2:
        raise ValueError(
            f"attribution needs at least two classes, got one class: {list(names)}."
        )
    if counts.min() < n_train + n_test:
        smallest = str(names[counts.argmin()])
        raise ValueError(
            f"class {smallest!r} has {counts.min()} images, fewer than {n_train} for "
            f"training and {n_test} for testing."
        )
    if not len(seeds):
        raise ValueError("seeds is empty; give at least one seed.")
    if HELD_OUT in unseen:
        raise ValueError(f"an unseen set cannot be named {HELD_OUT!r}; rename it.")


def _check_halves(n_test, n_permutations):
    """Refuse a ratio of Frechet distances of too few images before any training."""
    if n_permutations is not None and n_test < LEAST_HALVED:
        raise ValueError(
            f"n_test={n_test} images per class cannot be split into halves with a "
            f"covariance, which the FDR needs; give at least {LEAST_HALVED}, or leave "
            "the FDR out by n_permutations=None."
        )


def _checked_sides(tested, labels, n_train, n_test):
    """Which images are for the test: a bool array with enough of every class."""
    if tested is None:
        return None
    tested = np.asarray(tested)
    if tested.shape != labels.shape or tested.dtype != bool:
        raise ValueError(
            f"tested must be True or False for each of the {len(labels)} images, got "
            f"{tested.dtype} {tested.shape}."
        )
    for side, n in ((~tested, n_train), (tested, n_test)):
        counts = pd.Series(side).groupby(labels).sum()
        if counts.min() < n:
            what = "testing" if side is tested else "training"
            raise ValueError(
                f"class {str(counts.idxmin())!r} has {counts.min()} images for {what} "
                f"in the given split, fewer than {n}; ask for at most that many."
            )
    return tested


def copies(images):
    """Number images (n, ...) by content: (n,) int array, the `groups` of `evaluate`.

    >>> copies(np.array([[[7, 7]], [[1, 2]], [[7, 7]]])).tolist()
    [0, 1, 0]
    """
    return pd.factorize(digests(images))[0]


def _kept_apart(images, labels, groups, unseen):
    """Groups that keep copies together, and rows of unseen sets that are no copies."""
    if images.ndim != 4:
        return groups, {name: np.arange(len(y)) for name, (_, y) in unseen.items()}
    equal = copies(images)
    _warn_of_shared(labels, equal)
    rows = {name: _new(name, x, images) for name, (x, _) in unseen.items()}
    return equal if groups is None else _joined(equal, groups), rows


def _new(name, images, known):
    """Rows of an unseen set that are no copies of images that may be trained on."""
    known, found = set(digests(known)), digests(images)
    new = np.flatnonzero([content not in known for content in found])
    if not len(new):
        raise ValueError(
            f"all images of {name!r} are copies of images that may be trained on; give "
            "others."
        )
    if len(new) < len(images):
        warnings.warn(
            f"{len(images) - len(new)} of {len(images)} images of {name!r} are copies "
            "of images that may be trained on; they are left out.",
            stacklevel=5,
        )
    return new


def _warn_of_shared(labels, equal):
    pairs = pd.DataFrame({"group": equal, "label": labels}).drop_duplicates()
    shared = pairs[pairs.duplicated("group", keep=False)]
    if len(shared):
        names = ", ".join(map(str, sorted(shared["label"].unique())))
        warnings.warn(
            f"{shared['group'].nunique()} images are equal in several of the classes "
            f"{names}; nothing can tell these apart.",
            stacklevel=5,
        )


def _joined(one, other):
    """The finest groups that keep together what either of two groupings does."""
    one, other = (pd.factorize(np.asarray(codes))[0] for codes in (one, other))
    n = one.max() + 1
    edges = coo_array(
        (np.ones(len(one)), (one, n + other)), shape=(n + len(other),) * 2
    )
    return connected_components(edges, directed=False)[1][one]


def _embedded(estimator, images, unseen):
    """The steps still to be fitted, and the features that the frozen ones give."""
    n = _n_frozen(estimator)
    if not n:
        return estimator, images, unseen
    prefix, rest = estimator[:n], estimator[n:]
    unseen = {k: (streamed(prefix.transform, x), y) for k, (x, y) in unseen.items()}
    features = streamed(prefix.transform, images)
    return rest[0] if len(rest) == 1 else rest, features, unseen


def _n_frozen(estimator):
    """How many steps at the beginning of a pipeline are frozen."""
    steps = estimator.steps[:-1] if isinstance(estimator, Pipeline) else []
    frozen = takewhile(lambda step: isinstance(step[1], FrozenEstimator), steps)
    return len(list(frozen))


def split(labels, *, n_train, n_test, seed, groups=None, tested=None):
    """Indices of a split with the same number of images of every class.

    Parameters
    ----------
    labels : (n,) array
    n_train, n_test : int
        Images per class.
    seed : int
    groups : (n,) array, optional
        No group is on both sides.
    tested : (n,) bool array, optional
        The images from which the test is drawn; the training is drawn from the others.

    Returns
    -------
    (train, test) : two int arrays

    Raises
    ------
    ValueError
        If the groups cannot be divided so that both sides have enough of every class,
        or if a group is on both sides of the given split.
    """
    rng = np.random.default_rng(seed)
    if tested is not None:
        refuse_straddling(groups, tested)
        train = _drawn(labels, ~tested, n_train, rng)
        return train, _drawn(labels, tested, n_test, rng)
    if groups is not None and len(np.unique(groups)) < len(labels):
        return _split_of_groups(labels, groups, n_train, n_test, rng)
    c = len(np.unique(labels))
    # Equal counts are drawn first, because stratification keeps proportions only.
    keep = np.concatenate(
        [
            rng.choice(np.flatnonzero(labels == name), n_train + n_test, replace=False)
            for name in np.unique(labels)
        ]
    )
    splitter = StratifiedShuffleSplit(
        1, train_size=n_train * c, test_size=n_test * c, random_state=seed
    )
    train, test = next(splitter.split(keep, labels[keep]))
    return keep[train], keep[test]


def refuse_straddling(groups, tested):
    """Refuse a given split that has a group on both sides.

    Parameters
    ----------
    groups : (n,) array or None
    tested : (n,) bool array

    Raises
    ------
    ValueError
        If there is such a group.
    """
    if groups is None:
        return
    groups = np.asarray(groups)
    shared = np.intersect1d(groups[tested], groups[~tested])
    if len(shared):
        raise ValueError(
            f"the given split has {len(shared)} images, or groups of images, on both "
            "sides; leave those out of the test, because they were seen in training."
        )


def _split_of_groups(labels, groups, n_train, n_test, rng):
    codes = np.unique(groups, return_inverse=True)[1]
    sizes = pd.crosstab(codes, labels).to_numpy()  # (groups, classes)
    for _ in range(TRIES):
        tested = _tested_groups(sizes, n_test, rng)
        if (sizes[~tested].sum(axis=0) >= n_train).all():
            is_test = tested[codes]
            train = _drawn(labels, ~is_test, n_train, rng)
            return train, _drawn(labels, is_test, n_test, rng)
    found = dict(
        zip(np.unique(labels).tolist(), (sizes > 0).sum(axis=0).tolist(), strict=True)
    )
    raise ValueError(
        f"{n_train} images per class for training and {n_test} for testing cannot be "
        "kept apart, because copies of one image, or images of one group, must be on "
        f"the same side. Different ones per class: {found}. Give more, or ask for less."
    )


def _tested_groups(sizes, n_test, rng):
    """Draw groups until they hold `n_test` images of every class: (groups,) bool."""
    tested, left = np.zeros(len(sizes), bool), np.full(sizes.shape[1], n_test)
    for group in rng.permutation(len(sizes)):
        if (sizes[group][left > 0] > 0).any():
            tested[group] = True
            left -= sizes[group]
    return tested


def _drawn(labels, allowed, n, rng):
    """Draw n of the allowed rows of every class, in random order."""
    rows = [np.flatnonzero((labels == x) & allowed) for x in np.unique(labels)]
    return rng.permutation(np.concatenate([rng.permutation(r)[:n] for r in rows]))


def _run(estimator, x, part, seed, labels, unseen, n_permutations):
    """Predictions and separability of one split."""
    train, held_out = ((take_rows(x, rows), labels[rows]) for rows in part)
    tests = {HELD_OUT: held_out} | unseen
    fitted, found = fit_and_test(estimator, train, tests, seed=seed)
    return found, _separability(fitted, *held_out, seed, n_permutations)


def fit_and_test(estimator, train, tests, *, seed, with_probability=True):
    """Fit a clone once, and predict every image of any number of test sets.

    Parameters
    ----------
    estimator : classifier or pipeline
    train : (images, labels)
    tests : dict of str to (images, labels)
    seed : int
        Given to every part of the estimator that has one.
    with_probability : bool
        False saves a second pass over the test sets, where it needs one.

    Returns
    -------
    fitted : classifier or pipeline
        The fitted clone.
    predictions : DataFrame
        One row per image of a test set: `seed`, `set`, `row` (its place in that set),
        `true`, `predicted`, and the `probability` of the predicted class, which is NaN
        if the classifier gives none.

    Notes
    -----
    Where the features of a set would take more than a gigabyte, they are computed part
    by part into a file, and a network is trained and asked by batches from there, so
    that nothing needs all images as floats at once.
    """
    fitted = _fitted(with_seed(clone(estimator), seed), *train)
    parts = []
    for name, (x, labels) in tests.items():
        part = {"seed": seed, "set": name, "row": np.arange(len(labels))}
        predicted, probability = _predicted(fitted, x, with_probability)
        part |= {"true": labels, "predicted": predicted, "probability": probability}
        parts.append(pd.DataFrame(part))
    return fitted, pd.concat(parts, ignore_index=True)


def _fitted(estimator, x, y):
    """The estimator after its training, with large features in a file.

    The steps of a pipeline are fitted one after the other, as it does itself.
    """
    if not (isinstance(estimator, Pipeline) and are_large(x)):
        return estimator.fit(x, y)
    for _, step in estimator.steps[:-1]:
        x = streamed(step.fit(x, y).transform, x)
    estimator.steps[-1][1].fit(x, y)
    return estimator


def _predicted(fitted, x, with_probability):
    """The predicted classes (n,), and the probability of each (n,) or NaN."""
    if isinstance(fitted, Pipeline):
        x = streamed(fitted[:-1].transform, x) if len(fitted) > 1 else x
        fitted = fitted[-1]
    if not with_probability or not hasattr(fitted, "predict_proba"):
        return in_parts(fitted.predict, x), np.nan
    shares = in_parts(fitted.predict_proba, x)
    if isinstance(fitted, NetworkClassifier):  # whose answer is the most probable class
        return fitted.classes_[shares.argmax(axis=1)], shares.max(axis=1)
    predicted = in_parts(fitted.predict, x)
    columns = pd.Index(fitted.classes_).get_indexer(predicted)
    return predicted, shares[np.arange(len(x)), columns]


def accuracy(predictions):
    """Share of correct predictions: a row per test set, a column per seed.

    >>> found = {"set": ["a", "a"], "seed": 7, "true": [1, 2], "predicted": [1, 3]}
    >>> accuracy(pd.DataFrame(found)).loc["a", 7]
    np.float64(0.5)
    """
    right = predictions["true"] == predictions["predicted"]
    return right.groupby([predictions["set"], predictions["seed"]]).mean().unstack()


def _confusion(predictions, names):
    held_out = predictions[predictions["set"] == HELD_OUT]
    shares = pd.crosstab(held_out["true"], held_out["predicted"], normalize="index")
    shares = shares.reindex(index=names, columns=names, fill_value=0.0)
    return shares.rename_axis(index=None, columns=None)


def _separability(fitted, x, labels, seed, n_permutations):
    """FDR of the penultimate features, or NaN where it was not asked for."""
    if n_permutations is None:
        d = penultimate(fitted, x[:2]).shape[1]
        return FrechetRatio(*[np.nan] * 5, len(labels), d)
    return frechet_distance_ratio(
        penultimate(fitted, x), labels, seed=seed, n_permutations=n_permutations
    )


def penultimate(fitted, x):
    """The features from which a fitted method decides: (n, d) array.

    They are what the `transform` of the classifier gives, or, if it has none, its
    input.
    """
    if hasattr(fitted, "transform"):
        return in_parts(fitted.transform, x)
    has_steps = isinstance(fitted, Pipeline) and len(fitted) > 1
    return streamed(fitted[:-1].transform, x) if has_steps else x


def with_seed(estimator, seed):
    """Set every parameter named `seed` or `random_state`, nested ones included."""
    names = _nested(estimator, "seed", "random_state")
    return estimator.set_params(**dict.fromkeys(names, seed))


def _nested(estimator, *names):
    """The parameters with these names, those of nested estimators included."""
    parameters = estimator.get_params()
    return {k: v for k, v in parameters.items() if k.rpartition("__")[2] in names}


def with_precision(estimator, precision):
    """Let all networks compute in another precision, nested ones included.

    Parameters
    ----------
    estimator : classifier or pipeline
        Its parameter `precision` is changed in place.
    precision : str
        As for `NetworkClassifier`.

    Returns
    -------
    estimator
        The same object.

    Examples
    --------
    >>> from .classifiers import VectorAttributor
    >>> with_precision(VectorAttributor(), "bfloat16").precision
    'bfloat16'
    """
    names = _nested(estimator, "precision")
    return estimator.set_params(**dict.fromkeys(names, precision))


def with_effort(estimator, effort):
    """Multiply the training steps of all networks, nested ones included.

    Parameters
    ----------
    estimator : classifier or pipeline
        Its parameters `epochs` and `min_steps` are changed in place.
    effort : float
        Above zero; below one for a quick look.

    Returns
    -------
    estimator
        The same object.

    Raises
    ------
    ValueError
        If effort is not a positive number.

    Examples
    --------
    >>> from .classifiers import VectorAttributor
    >>> with_effort(VectorAttributor(epochs=15, min_steps=200), 0.1).epochs
    2
    """
    if not 0 < effort < math.inf:
        raise ValueError(f"effort must be a positive number, got {effort!r}.")
    steps = {
        name: max(1, round(effort * value))
        for name, value in _nested(estimator, "epochs", "min_steps").items()
        if value
    }
    return estimator.set_params(**steps)
