"""The main contrasts between pixels once more, on models whose samples are good.

What looks wrong is trivially told, so a gain could be due to weak generators alone.
Here the models are those of `settings.GOOD_MODELS`, chosen by the precision of their
samples before any classifier was trained on them.  At home all good models of a
photograph are told apart, away those that are good on both photographs of a pair.
"""

from itertools import product

import pandas as pd

from .ladder_tables import PANELS, leads_over
from .leads import PLACES
from .questions import FEWEST, Test, mean_scores
from .settings import BETWEEN_PIXELS, N_TRAIN, PHOTOS, SEEDS, good, good_on_both, shared

COMPARED = SEEDS[:3]  # as many as high-pass and denoiser have
SHARED, GOOD = "shared models", "good models"
# Which models are told apart at home and away.
GROUPS = {SHARED: (shared, shared), GOOD: (good, good_on_both)}
CONTRASTS = (("nearest", "raw"), ("nearest", "highpass"), ("hull", "highpass"))
CONTRASTS += (("denoiser", "highpass"),)


def photo_scores(results, group):
    """Scores of every kind on every photograph, means over three seeds.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.
    group : str
        One of `GROUPS`.

    Returns
    -------
    DataFrame
        As from `ladder_tables.photo_scores`, whose tables take it: indexed by `kind`,
        with columns of `panel` and `photo`.
    """
    results = results[results["seed"].isin(COMPARED)]
    found = {
        panel: mean_scores(results, tests, methods=BETWEEN_PIXELS)
        for panel, tests in tests_of(group).items()
    }
    table = pd.concat(found, axis=1, names=["panel", "photo"])
    return table.droplevel(["method", "space"])


def tests_of(group):
    """The tests of a group by panel: a dict of panel to a dict of photo to `Test`.

    Examples
    --------
    >>> [str(t) for t in tests_of(GOOD)["away, 5 images per model"].values()][0]
    "good models of coffee and flower 'transfer' with 5 images per class"
    """
    tests = product(zip(PLACES, GROUPS[group], strict=True), (FEWEST, N_TRAIN))
    return {
        panel: {photo: Test(make(photo), column, n) for photo in PHOTOS}
        for panel, ((column, make), n) in zip(PANELS, tests, strict=True)
    }


def contrasts(results):
    """What kinds are ahead of, on all shared models and on the good ones.

    Parameters
    ----------
    results : DataFrame
        From `COMPARISON.results`.

    Returns
    -------
    DataFrame of Interval
        Indexed by `contrast` and `models`, one column per panel; over photographs.
    """
    scores = {group: photo_scores(results, group) for group in GROUPS}
    rows = {
        (f"{kind} − {rival}", group): leads_over(found, rival).loc[kind]
        for (kind, rival), (group, found) in product(CONTRASTS, scores.items())
    }
    table = pd.DataFrame(rows).T[PANELS]
    return table.rename_axis(["contrast", "models"])


def changed(table):
    """Which contrasts have another sign on the good models than on the shared ones.

    Parameters
    ----------
    table : DataFrame of Interval
        From `contrasts`.

    Returns
    -------
    Series
        Indexed by contrast and panel; pairs of signs, 0 for undecided, of those that
        differ.
    """
    signs = table.map(lambda lead: lead.sign).unstack("models")
    pairs = {
        (contrast, panel): (row[panel, SHARED], row[panel, GOOD])
        for (contrast, row), panel in product(signs.iterrows(), PANELS)
    }
    return pd.Series({key: pair for key, pair in pairs.items() if len({*pair}) > 1})
