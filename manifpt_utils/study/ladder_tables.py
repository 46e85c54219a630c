"""Tables of the stored results of the ladder, with intervals over photographs.

The unit is the photograph: its score is the mean over seeds, and the difference of two
kinds is the mean of four differences.
"""

from itertools import product

import numpy as np
import pandas as pd

from .._support.names import TOGETHER
from ..metrics.intervals import (
    chosen_elsewhere,
    holm,
    mean_interval,
    paired_difference,
    share_interval,
    t_test,
)
from .ladder import (
    CLASSIFIERS,
    COLUMNS,
    FEW,
    MANY,
    STRANGE,
    USUAL,
    VARIANTS,
)
from .leads import PLACES

ESTIMATES = ("nearest", "tangent", "hull", "denoiser", "exact")
TUNED = "highpass, tuned"
STRANGER = "denoiser, other photographs"
PANELS = [
    f"{place}, {n} images per model"
    for place, n in product(PLACES.values(), (FEW, MANY))
]


def photo_scores(results, *, space="rgb", treatment="none"):
    """Scores of every kind on every photograph, as means over seeds.

    Parameters
    ----------
    results : DataFrame
        From `LADDER.results`.
    space : str
    treatment : str
        Treatment of all images.

    Returns
    -------
    DataFrame
        Indexed by `kind`; columns are pairs of `panel` and `photo`.  "highpass, tuned"
        is the high-pass whose blur was chosen on the other photographs; "denoiser,
        other photographs" is the denoiser that never saw a view of the pair.
    """
    part = _trained(results)
    part = part[(part["space"] == space) & (part["treatment"] == treatment)]
    usual = part[part["variant"] == USUAL].assign(shown=lambda t: t["kind"])
    strange = part[part["variant"] == STRANGE].assign(shown=STRANGER)
    table = _wide(pd.concat([usual, strange]), "shown").rename_axis("kind")
    widths = _wide(part[part["kind"] == "highpass"], "variant")
    if len(widths) > 1:
        table.loc[TUNED] = tuned(widths)
    return table


def _trained(results):
    """Rows of trainings with the usual classifier, at home and away."""
    is_usual = results["classifier"] == USUAL
    part = results[is_usual & (results["n_train"] > 0)]
    part = part[part["column"].isin(COLUMNS)]
    return part.assign(panel=_panel(part))


def _panel(part):
    images = part["n_train"].astype(str) + " images per model"
    return part["column"].map(PLACES) + ", " + images


def _wide(part, rows):
    """Means over seeds: one row per value of a column, (panel, photo) as columns."""
    return part.pivot_table("score", rows, ["panel", "photo"], sort=False)


def tuned(widths):
    """Scores of the variant that is best on the other photographs of the same panel.

    Parameters
    ----------
    widths : DataFrame
        One row per variant; columns are pairs of panel and photo.

    Returns
    -------
    Series
        One score per column; images of a column take no part in the choice for it.

    Examples
    --------
    >>> columns = pd.MultiIndex.from_product([["home"], ["coffee", "flower", "china"]])
    >>> rows = [[0.5, 0.6, 0.7], [0.7, 0.5, 0.9]]
    >>> tuned(pd.DataFrame(rows, ["a", "b"], columns)).tolist()
    [0.7, 0.5, 0.9]
    """
    panels = widths.columns.unique(0)
    parts = {panel: chosen_elsewhere(widths[panel]) for panel in panels}
    return pd.concat(parts).reindex(widths.columns)


def accuracy_panels(scores):
    """Accuracy by kind and panel, for a figure.

    Parameters
    ----------
    scores : DataFrame
        From `photo_scores`.

    Returns
    -------
    DataFrame
        `panel`, `kind`, `group` ("estimate of x*", "control" or "side by side") and
        `accuracy`, an Interval over photographs.
    """
    rows = [
        (panel, kind, _group(kind), share_interval(scores.loc[kind, panel]))
        for panel, kind in product(PANELS, scores.index)
    ]
    return pd.DataFrame(rows, columns=["panel", "kind", "group", "accuracy"])


def intervals(scores):
    """Means over photographs: one row per kind, one column of Interval per panel."""
    return pd.DataFrame(
        {p: [share_interval(row) for row in scores[p].to_numpy()] for p in PANELS},
        index=scores.index,
    )


def _group(kind):
    if kind in TOGETHER:
        return "side by side"
    return "estimate of x*" if kind.startswith(ESTIMATES) else "control"


def leads_over(scores, rival):
    """The lead of every kind over one rival, paired by photograph.

    Parameters
    ----------
    scores : DataFrame
        From `photo_scores`.
    rival : str
        A row of `scores`.

    Returns
    -------
    DataFrame
        Indexed by kind, one column of Interval per panel.
    """
    others = scores.drop(index=rival)
    return pd.DataFrame(
        {
            panel: [_lead(scores, kind, rival, panel) for kind in others.index]
            for panel in PANELS
        },
        index=others.index,
    )


def _lead(scores, kind, rival, panel):
    return paired_difference(scores.loc[kind, panel], scores.loc[rival, panel])


def mean_lead(scores, kind, rival):
    """The mean lead over all panels: an Interval over photographs."""
    gaps = (scores.loc[kind] - scores.loc[rival]).unstack("photo").mean()
    return mean_interval(gaps.to_numpy())


def corrected(scores, pairs):
    """P-values of leads, corrected by Holm's method for all pairs and panels together.

    Parameters
    ----------
    scores : DataFrame
        From `photo_scores`.
    pairs : sequence of (str, str)
        Kind and rival.

    Returns
    -------
    Series
        Indexed by kind, rival and panel.
    """
    keys = [(*pair, panel) for pair, panel in product(pairs, PANELS)]
    p_values = [
        t_test(scores.loc[kind, panel] - scores.loc[rival, panel])
        for kind, rival, panel in keys
    ]
    names = ["kind", "rival", "panel"]
    return pd.Series(holm(p_values), pd.MultiIndex.from_tuples(keys, names=names))


def classifier_grids(results):
    """Accuracy by representation and classifier, after training until no improvement.

    Parameters
    ----------
    results : DataFrame
        From `LADDER.results`.

    Returns
    -------
    dict of str to DataFrame
        For each panel, a table of means over photographs: rows are kinds, columns
        classifiers.
    """
    part = _classified(results)
    return {
        panel: rows.pivot_table("score", "kind", "classifier", sort=False)[
            [*CLASSIFIERS]
        ]
        for panel, rows in part.groupby("panel", sort=False)
    }


def _classified(results):
    part = results[results["classifier"] != USUAL]
    means = part.groupby(
        ["column", "n_train", "kind", "classifier", "photo"], sort=False, as_index=False
    )["score"].mean()
    return means.assign(panel=_panel(means)).sort_values(
        ["column", "n_train"], kind="stable"
    )


def shares_of_variance(results):
    """Shares of the variance of accuracies due to representation and to classifier.

    They are the sums of squares of a two-way table, per photograph: of representation,
    of classifier, and of both together.

    Parameters
    ----------
    results : DataFrame
        From `LADDER.results`.

    Returns
    -------
    DataFrame of Interval
        One row per panel; intervals are over photographs.
    """
    groups = _classified(results).groupby(["panel", "photo"], sort=False)
    shares = {key: eta_squared(_grid(part)) for key, part in groups}
    by_photo = pd.DataFrame(shares).T
    by_panel = by_photo.groupby(level=0, sort=False)
    return pd.DataFrame(
        {name: by_panel[name].apply(share_interval) for name in by_photo}
    )


def _grid(part):
    return part.pivot_table("score", "kind", "classifier")


def eta_squared(grid):
    """Shares of the variance of a table that its rows, its columns and both explain.

    Parameters
    ----------
    grid : (r, c) DataFrame

    Returns
    -------
    dict of str to float
        "representation", "classifier" and "both together"; they add up to 1, and are
        NaN if nothing varies.

    Examples
    --------
    >>> eta_squared(pd.DataFrame([[0.0, 0.0], [1.0, 1.0]]))["representation"]
    1.0
    """
    x = grid.to_numpy(float)
    whole = float(((x - x.mean()) ** 2).mean()) or np.nan
    by_row = float(((x.mean(axis=1) - x.mean()) ** 2).mean()) / whole
    by_column = float(((x.mean(axis=0) - x.mean()) ** 2).mean()) / whole
    return {
        "representation": by_row,
        "classifier": by_column,
        "both together": 1 - by_row - by_column,
    }


def variant_table(results):
    """Accuracy of every variant of the high-pass and the denoiser.

    Parameters
    ----------
    results : DataFrame
        From `LADDER.results`.

    Returns
    -------
    DataFrame of Interval
        Indexed by kind and variant, one column per panel.  Intervals are over
        photographs; scores are means over the seeds that all variants share.
    """
    part = _trained(results)
    part = part[(part["space"] == "rgb") & (part["treatment"] == "none")]
    keys = pd.MultiIndex.from_frame(part[["kind", "variant"]])
    with_usual = [*VARIANTS, ("highpass", USUAL), ("denoiser", USUAL)]
    part = part[keys.isin(with_usual)]
    part = part[part["seed"].isin(part.loc[part["variant"] != USUAL, "seed"])]
    return intervals(_wide(part, ["kind", "variant"]))


def measured(results):
    """Measures of artifacts in RGB, without any classifier.

    Parameters
    ----------
    results : DataFrame
        From `LADDER.results`.

    Returns
    -------
    DataFrame of Interval
        Indexed by kind and variant; columns as in `MEASURES`.  Intervals are over
        photographs.
    """
    part = results[results["n_train"] == 0]
    groups = part.groupby(["kind", "variant", "column"], sort=False)["score"]
    return groups.apply(mean_interval).unstack("column", sort=False)


def by_photograph(results, kind, column):
    """One measure of one kind: a Series by photograph."""
    part = results[(results["kind"] == kind) & (results["column"] == column)]
    part = part[(part["variant"] == USUAL) & (part["n_train"] == 0)]
    return part.set_index("photo")["score"].sort_index()


def under_compression(results):
    """Accuracy at home if test images are compressed and training images are not.

    Parameters
    ----------
    results : DataFrame
        From `LADDER.results`.

    Returns
    -------
    DataFrame of Interval
        Indexed by kind; columns are pairs of number of training images and treatment.
        Intervals are over photographs.
    """
    part = results[(results["space"] == "rgb") & (results["variant"] == USUAL)]
    part = part[(part["classifier"] == USUAL) & (part["treatment"] == "none")]
    part = part[(part["n_train"] > 0) & (part["column"] != "transfer")]
    names = part["column"].replace("closed", "as they are")
    part = part.assign(test=names + ", " + part["n_train"].astype(str))
    means = part.groupby(["kind", "test", "photo"], sort=False)["score"].mean()
    found = means.groupby(["kind", "test"], sort=False).apply(share_interval)
    return found.unstack("test", sort=False)
