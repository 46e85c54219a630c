"""Questions to the comparison: a test in several settings, with intervals.

Within one setting, the unit of an interval is the seed of split and classifier.  Over
several settings, the unit is the setting (a photograph or a model), because the seeds
of one setting draw from the same images.
"""

from functools import partial
from typing import NamedTuple

import pandas as pd

from ..metrics.intervals import (
    chosen_elsewhere,
    leaders,
    mean_interval,
    share_interval,
)
from .settings import (
    FEW,
    FILTERS,
    METHODS,
    N_TRAIN,
    ORIGINS,
    OTHER,
    PHOTOS,
    PLAYS,
    PUBLISHED,
    Setting,
    origin,
    shared,
)
from .tables import METHOD, SETTING, best, gains, labels, method_table

FEWEST = min(FEW)
SIZED_HERE = tuple(method._replace(kind="earlier") for method in PUBLISHED)


class Test(NamedTuple):
    """One test of the comparison.

    Attributes
    ----------
    setting : Setting
    column : str
        What is tested: "closed", "transfer", "with real", "unseen", ...
    n_train : int
        Training images per class.
    """

    setting: Setting
    column: str = "closed"
    n_train: int = N_TRAIN

    def __str__(self):
        return f"{self.setting} {self.column!r} with {self.n_train} images per class"

    @property
    def chance(self):
        """Accuracy of guessing.

        Examples
        --------
        >>> Test(shared("coffee")).chance, Test(shared("coffee"), "with real").chance
        (0.16666666666666666, 0.14285714285714285)
        """
        return 1 / (len(self.setting.names) + (self.column == "with real"))


def _everywhere(column, n_train=N_TRAIN):
    """The same test on the shared models of every photograph."""
    return {photo: Test(shared(photo), column, n_train) for photo in PHOTOS}


def _moves(n_train=N_TRAIN):
    """Training on each photograph, and the test on the other one of its pair."""
    tests = _everywhere("transfer", n_train)
    return {f"{photo} to {OTHER[photo]}": test for photo, test in tests.items()}


FEW_IMAGES = f"{FEWEST} images per model"
_LISTED = {setting.photo: Test(setting) for setting in PLAYS.values()}
LISTS = {photo: _LISTED[photo] for photo in PHOTOS}
# What is asked, and in which settings; all tests have the same methods.
QUESTIONS = {
    "home, all models": LISTS,
    "home": _everywhere("closed"),
    f"home, {FEW_IMAGES}": _everywhere("closed", FEWEST),
    "home, with real images": _everywhere("with real"),
    "away": _moves(),
    f"away, {FEW_IMAGES}": _moves(FEWEST),
    "new training": {"coffee": Test(shared("coffee"), "unseen")},
    "training data": {model: Test(origin(model)) for model in ORIGINS},
}
# The tests in which earlier methods with the published sizes took part.
SIZED = {"home": QUESTIONS["home"]["coffee"]}
SIZED |= {"away": QUESTIONS["away"]["coffee to flower"]}
SIZED |= {"new training": QUESTIONS["new training"]["coffee"]}
# The questions for which artifacts are meant to help.
ASKED = tuple(name for name in QUESTIONS if name != "training data")


def seed_scores(results, test, *, methods=METHODS):
    """Scores of one test, per seed.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.
    test : Test
    methods : sequence of Method

    Returns
    -------
    (methods, seeds) DataFrame
        Scores on several trainings of one model are averaged; NaN where the study has
        no score.

    Raises
    ------
    ValueError
        If the study has no such test.
    """
    names = [*SETTING, "column", "n_train"]
    key = pd.Series((*test.setting, test.column, test.n_train), names)
    part = results[(results[names] == key).all(axis=1)]
    if part.empty:
        raise ValueError(f"the study does not test {test}; see QUESTIONS.")
    scores = part.groupby([*METHOD, "seed"])["score"].mean().unstack()
    return scores.reindex(pd.MultiIndex.from_tuples(methods, names=METHOD))


def mean_scores(results, tests, *, methods=METHODS):
    """Mean over the seeds: one row per method, one column per test.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.
    tests : dict of str to Test
    methods : sequence of Method

    Returns
    -------
    (methods, tests) DataFrame
    """
    found = {
        name: seed_scores(results, test, methods=methods).mean(axis=1)
        for name, test in tests.items()
    }
    return pd.DataFrame(found)


def filter_scores(results, tests):
    """Mean scores over the seeds that filters have, for comparisons with a filter.

    Other methods have more seeds, and a difference of two means over different splits
    would hold the difference of the splits as well.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.
    tests : dict of str to Test

    Returns
    -------
    (methods, tests) DataFrame
    """
    seeds = results.loc[results["kind"].isin(FILTERS), "seed"]
    return mean_scores(results[results["seed"].isin(seeds)], tests)


def mean_intervals(results, questions, *, methods=METHODS):
    """Mean scores over the tests of each question, for figures.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.
    questions : dict of str to dict of str to Test

    Returns
    -------
    DataFrame
        One row per question and method: `test`, the name of the question; `method` and
        `kind`, with names for readers; and `score`, an `Interval` over the tests.
    """
    index = pd.MultiIndex.from_tuples(methods, names=METHOD)
    parts = [
        _lines(name, index, mean_scores(results, tests, methods=methods))
        for name, tests in questions.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _lines(test, index, scores):
    """One row per method: intervals over the columns of its scores."""
    table = pd.DataFrame({"test": test, "method": labels(index)})
    kinds = index.get_level_values("kind")
    return table.assign(kind=kinds, score=_intervals(scores))


def _intervals(scores):
    return [share_interval(row) for row in scores.to_numpy(dtype=float)]


def score_table(results, tests, *, methods=METHODS):
    """Scores for readers, one row per method, the one with the best mean first.

    Returns
    -------
    table : (methods, tests and "mean") DataFrame of Interval
        Intervals are over the seeds; in the column "mean", which exists if there are
        several tests, they are over the tests.
    ties : dict of str to list of str
        For every test, the methods that are not distinguishable from its best.
    """
    scores = {
        name: seed_scores(results, test, methods=methods).set_axis(labels(methods))
        for name, test in tests.items()
    }
    ties = {name: leaders(part) for name, part in scores.items()}
    means = pd.DataFrame({name: part.mean(axis=1) for name, part in scores.items()})
    table = pd.DataFrame(
        {name: _intervals(part) for name, part in scores.items()}, means.index
    )
    if len(tests) > 1:
        table["mean"] = _intervals(means)
        ties["mean"] = leaders(means)
    order = means.mean(axis=1).sort_values(ascending=False, kind="stable").index
    return table.loc[order].rename_axis("method"), ties


def mean_gain(means, kind="nearest", *, over="raw", space=None):
    """The gain of an artifact over the raw image of its space, or over another kind.

    Parameters
    ----------
    means : (methods, tests) DataFrame
        From `mean_scores`, or from `filter_scores` if it is compared with a filter.
    kind : str
        Kind of the artifact.
    over : str
        The kind with which it is compared.
    space : str, optional
        One space, instead of the mean over all spaces that have both kinds.

    Returns
    -------
    Interval
        Over the tests.
    """
    found = means.apply(gains, kind=kind, over=over)
    return mean_interval(found.loc[space] if space else found.mean())


def lead_of_chosen(means, kinds, rivals):
    """A method of some kinds against one of others, each chosen on the other tests.

    Parameters
    ----------
    means : (methods, tests) DataFrame
        From `mean_scores`.
    kinds, rivals : sequence of str
        "earlier", "raw", "nearest", "hull".

    Returns
    -------
    Interval
        Over the tests, of the differences; without any where there is one test only.
    """
    return mean_interval(leads_of_chosen(means, kinds, rivals))


def leads_of_chosen(means, kinds, rivals):
    """The differences of `lead_of_chosen`: a Series, one entry per test."""
    kind = means.index.get_level_values("kind")
    first, second = (
        chosen_elsewhere(means[kind.isin(chosen)]) for chosen in (kinds, rivals)
    )
    return first - second


def contrasts(results, questions=ASKED):
    """The leads of artifacts over other methods, for each question.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.
    questions : sequence of str
        Some of `QUESTIONS`.

    Returns
    -------
    DataFrame
        `question`, `contrast` and `difference`, an `Interval` over the tests of a
        question.  Raw images and high-passes are compared within each space; in the
        other contrasts one of four nearest artifacts, or of the eight by both
        estimates, is compared with one of eight earlier methods, and each is the best
        on the other tests of the question.
    """
    rows = []
    for question in questions:
        found = _contrasts(results, QUESTIONS[question])
        rows += [(question, name, lead) for name, lead in found.items()]
    return pd.DataFrame(rows, columns=["question", "contrast", "difference"])


def _contrasts(results, tests):
    means, with_filters = mean_scores(results, tests), filter_scores(results, tests)
    parts = (means, OVER_RAW), (with_filters, OVER_FILTER), (means, OVER_EARLIER)
    return {name: ahead(part) for part, leads in parts for name, ahead in leads.items()}


OVER_RAW = {
    "nearest − raw": partial(mean_gain, kind="nearest"),
    "hull − raw": partial(mean_gain, kind="hull"),
}
OVER_FILTER = {
    "nearest − highpass": partial(mean_gain, kind="nearest", over="highpass"),
    "denoiser − highpass": partial(mean_gain, kind="denoiser", over="highpass"),
}
OVER_EARLIER = {
    "nearest − earlier": partial(lead_of_chosen, kinds=["nearest"], rivals=["earlier"]),
    "both − earlier": partial(
        lead_of_chosen, kinds=["nearest", "hull"], rivals=["earlier"]
    ),
}


def new_trainings(results):
    """Share of images of new trainings that are attributed to the right model.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    (methods, models) DataFrame
        Means over seeds and over the new trainings of a model.
    """
    part = results[(results["column"] == "unseen") & (results["kind"] != "published")]
    shares = part.groupby([*METHOD, "model"], sort=False)["score"].mean().unstack()
    rows = pd.MultiIndex.from_tuples(METHODS, names=METHOD)
    return shares.reindex(rows).set_axis(labels(METHODS))


def separability(found, *, methods=METHODS):
    """Ratios of Frechet distances, each with its null.

    Parameters
    ----------
    found : DataFrame
        From `tables.summary`.
    methods : sequence of Method

    Returns
    -------
    DataFrame
        Indexed by photograph and method.  Columns: `ratio`, `null`, and `d`, the number
        of features of a method; `ratio of 3` and `null of 3`, on three principal
        components.
    """
    return pd.concat({photo: _ratios(found, photo, methods) for photo in PHOTOS})


def _ratios(found, photo, methods):
    own, common = (
        method_table(found, shared(photo), column, methods=methods)
        for column in ("FDR", "FDR PCA")
    )
    columns = {"ratio": own["mean"], "null": own["null"], "d": own["d"]}
    columns |= {"ratio of 3": common["mean"], "null of 3": common["null"]}
    return pd.DataFrame(columns).set_axis(labels(methods))


def published_sizes(results, tests=SIZED):
    """Earlier methods with the sizes used here, and with the published ones.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.
    tests : dict of str to Test

    Returns
    -------
    table : DataFrame of Interval
        One row per method, two columns per test; intervals are over the seeds.
    changes : (methods, tests) DataFrame
        Accuracy with published size minus accuracy with our size, as means over the
        seeds that both have; NaN for a method that cannot work with the published size.
    """
    columns, changes = {}, {}
    for name, test in tests.items():
        here, published = (
            seed_scores(results, test, methods=chosen).droplevel(["space", "kind"])
            for chosen in (SIZED_HERE, PUBLISHED)
        )
        columns[name] = _intervals(here)
        columns[f"{name}, published"] = _intervals(published)
        changes[name] = (published - here).mean(axis=1)
    changes = pd.DataFrame(changes)
    return pd.DataFrame(columns, changes.index), changes


def learning_curves(results, *, photo="coffee", counts=(*FEW[:-1], N_TRAIN, FEW[-1])):
    """Accuracy at home as a function of the number of training images.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.
    photo : str
    counts : sequence of int
        Training images per model.

    Returns
    -------
    DataFrame
        `space`, `kind`, `images` and `score`, an `Interval` over the seeds.  The kind
        "earlier" is the earlier method with the best mean at this number of images; it
        is the same in every space.
    """
    parts = [_at_count(results, photo, count) for count in counts]
    return pd.concat(parts, ignore_index=True)


def _at_count(results, photo, count):
    scores = seed_scores(results, Test(shared(photo), n_train=count))
    best_earlier = best(scores.mean(axis=1), "earlier")[0]
    spaces = dict.fromkeys(m.space for m in METHODS if m.name == "ours")
    rows = [m for m in METHODS if m.name == "ours"]
    shown = [(m.space, m.kind, m) for m in rows]
    shown += [(space, "earlier", best_earlier) for space in spaces]
    table = pd.DataFrame(shown, columns=["space", "kind", "method"])
    score = [share_interval(scores.loc[m].to_numpy(float)) for m in table["method"]]
    return table.assign(images=count, score=score).drop(columns="method")
