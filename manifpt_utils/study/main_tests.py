"""The four main tests (home and away, few and many images), and what they depend on.

Images that look wrong are easy to tell apart, so a gain could be due to weak generators
alone.  The group of good models is `settings.GOOD_MODELS`, chosen by the precision of
their samples before any classifier was trained on them.  At home, all good models of a
photograph are told apart; away, those that are good on both photographs of a pair.
"""

from itertools import product

import pandas as pd

from .comparison import N_SEEDS
from .ladder_tables import PANELS, corrected, intervals, leads_over
from .leads import PLACES
from .questions import FEWEST, Test, mean_scores
from .settings import (
    ABLATIONS,
    BETWEEN_PIXELS,
    N_TRAIN,
    PHOTOS,
    SATURATION,
    SEEDS,
    SMALL_NETWORK,
    Method,
    good,
    good_on_both,
    ours,
    shared,
)
from .tables import labels

SHARED, GOOD = "shared models", "good models"
AT_HOME = PANELS[:2]  # with few and with many images
# Which models are told apart at home and away.
GROUPS = {SHARED: (shared, shared), GOOD: (good, good_on_both)}
CONTRASTS = (("nearest", "raw"), ("nearest", "highpass"), ("denoiser", "highpass"))
LARGE_NETWORK = tuple(ours("imagenet", method.kind) for method in SMALL_NETWORK)
# Both sides of a comparison use the seeds that both have.
ON_GOOD = SEEDS[: N_SEEDS["good models"][0]]
ON_NETWORKS = SEEDS[: N_SEEDS["small network"][0]]
ON_ABLATIONS = SEEDS[: N_SEEDS["ablation"][1]]
WANG = Method("Wang20", "", "earlier")
# One thing at a time: without blur and compression, and on spectra.
_PLAIN, _ON_SPECTRA, _PLAIN_ON_SPECTRA = map(str, ABLATIONS)
WANG_PAIRS = [(_PLAIN, str(WANG)), (_PLAIN_ON_SPECTRA, _ON_SPECTRA)]
WANG_PAIRS += [(_ON_SPECTRA, str(WANG)), (_PLAIN_ON_SPECTRA, _PLAIN)]


def scores_of(results, group, *, methods=BETWEEN_PIXELS, seeds=ON_GOOD):
    """Scores of some methods on every photograph, as means over some seeds.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.
    group : str
        One of `GROUPS`.
    methods : sequence of Method
    seeds : sequence of int

    Returns
    -------
    DataFrame
        Indexed by the names of the methods; columns are pairs of `panel` and `photo`,
        as the functions of `ladder_tables` need them.
    """
    results = results[results["seed"].isin(seeds)]
    found = {
        panel: mean_scores(results, tests, methods=methods)
        for panel, tests in tests_of(group).items()
    }
    table = pd.concat(found, axis=1, names=["panel", "photo"])
    return table.set_axis(labels(methods)).rename_axis("method")


def tests_of(group):
    """The tests of a group by panel: a dict of panel to a dict of photo to `Test`.

    Examples
    --------
    >>> str(tests_of(GOOD)["away, 5 images per model"]["coffee"])
    "good models of coffee and flower 'transfer' with 5 images per class"
    """
    tests = product(zip(PLACES, GROUPS[group], strict=True), (FEWEST, N_TRAIN))
    return {
        panel: {photo: Test(make(photo), column, n) for photo in PHOTOS}
        for panel, ((column, make), n) in zip(PANELS, tests, strict=True)
    }


def sizes(group):
    """How many models are told apart on each photograph: a dict of panel to list.

    Examples
    --------
    >>> sizes(GOOD)["home, 5 images per model"]
    [9, 4, 11, 6]
    """
    found = tests_of(group)
    return {p: [len(t.setting.names) for t in found[p].values()] for p in found}


def chance(group):
    """Accuracy of guessing in the mean over the photographs: a dict by panel.

    Examples
    --------
    >>> round(chance(SHARED)["home, 5 images per model"], 3)
    0.146
    """
    found = tests_of(group)
    return {p: sum(t.chance for t in found[p].values()) / len(PHOTOS) for p in found}


def contrasts(results):
    """Leads of kinds in RGB, on shared models and on good ones.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    DataFrame of Interval
        Indexed by `contrast` and `models`, one column per panel; intervals are over
        photographs.
    """
    scores = {group: scores_of(results, group) for group in GROUPS}
    rows = {
        (f"{kind} − {rival}", group): _leads(found, "rgb", kind, rival)
        for (kind, rival), (group, found) in product(CONTRASTS, scores.items())
    }
    return pd.DataFrame(rows).T[PANELS].rename_axis(["contrast", "models"])


def _leads(scores, space, kind, rival):
    return leads_over(scores, f"{space} {rival}").loc[f"{space} {kind}"]


def corrected_on_good(results):
    """P-values of all contrasts on good models, corrected for all of them.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    Series
        Indexed by kind, rival and panel; by t-tests over the photographs.
    """
    pairs = [(f"rgb {kind}", f"rgb {rival}") for kind, rival in CONTRASTS]
    return corrected(scores_of(results, GOOD), pairs)


def by_saturation(results):
    """Accuracy of counts of saturated values alone, on shared models and on good ones.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    DataFrame of Interval
        One row per group of models, one column per panel; over photographs.
    """
    rows = [
        intervals(scores_of(results, group, methods=[SATURATION])) for group in GROUPS
    ]
    return pd.concat(rows).set_axis(pd.Index(GROUPS, name="models"))


def over_saturation(results):
    """What kinds are ahead of counts of saturated values by, on good models.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    DataFrame of Interval
        One row per kind between pixels, one column per panel; over photographs.
    """
    scores = scores_of(results, GOOD, methods=(*BETWEEN_PIXELS, SATURATION))
    return leads_over(scores, str(SATURATION))


def changed(table):
    """The contrasts whose verdict on the good models differs from that on shared ones.

    Parameters
    ----------
    table : DataFrame of Interval
        From `contrasts`.

    Returns
    -------
    Series
        Indexed by contrast and panel: both signs, where they differ; 0 means undecided.
    """
    signs = table.map(lambda lead: lead.sign).unstack("models")
    pairs = {
        (contrast, panel): (row[panel, SHARED], row[panel, GOOD])
        for (contrast, row), panel in product(signs.iterrows(), PANELS)
    }
    return pd.Series({key: pair for key, pair in pairs.items() if len({*pair}) > 1})


def networks_compared(results):
    """Raw image and nearest artifact in the spaces of a small and a large network.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    DataFrame of Interval
        One row per method, one for the gain in each space, and one for raw images in
        one space minus those in the other; one column per panel at home.  Intervals are
        over photographs.
    """
    methods = (*SMALL_NETWORK, *LARGE_NETWORK)
    scores = scores_of(results, SHARED, methods=methods, seeds=ON_NETWORKS)
    gains = {
        f"{space}: nearest − raw": _leads(scores, space, "nearest", "raw")
        for space in ("supervised", "imagenet")
    }
    over_small = leads_over(scores, "supervised raw").loc["imagenet raw"]
    gains["raw: imagenet − supervised"] = over_small
    return pd.concat([intervals(scores), pd.DataFrame(gains).T])[AT_HOME]


def parts_of_wang(results):
    """What blur and compression of training images, and spectra, do to Wang20.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    accuracies : DataFrame of Interval
        One row per version of the method, one column per panel; over photographs.
    differences : DataFrame of Interval
        One row per pair of `WANG_PAIRS`, which differ in one thing.
    p_values : Series
        Of these differences, corrected by Holm's method for all of them.
    """
    methods = (WANG, *ABLATIONS)
    scores = scores_of(results, SHARED, methods=methods, seeds=ON_ABLATIONS)
    scores = scores.dropna(axis="columns")  # few images were not tried everywhere
    differences = {
        f"{kind} − {rival}": leads_over(scores, rival).loc[kind]
        for kind, rival in WANG_PAIRS
    }
    rows = pd.DataFrame(differences).T[PANELS]
    return intervals(scores), rows, corrected(scores, WANG_PAIRS)
