"""The paper's numbers: whole, consistent, and what is known to be misprinted."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from manifpt_utils.study import tables
from manifpt_utils.study.paper import (
    TABLES,
    VERDICTS,
    agreement,
    best_leads,
    own_cells,
    paper_table,
    side_by_side,
    side_table,
)

SPACES = ["rgb", "frequency", "imagenet", "selfsupervised"]


def test_every_table_is_complete():
    for name in TABLES:
        table = paper_table(name)
        assert not table.isna().any(axis=None), name
        assert set(SPACES) <= set(table.index), name


def test_the_mean_nmi_of_the_rows_is_not_what_the_paper_prints_for_three_factors():
    """Printed: .643 .434 .465 .532 .571 .611."""
    mean = paper_table("layer_type_nmi").mean().round(3)
    expected = {"up": 0.643, "nl_last": 0.434, "norm": 0.532, "down": 0.571}
    assert mean.to_dict() == pytest.approx(expected | {"skip": 0.412, "loss": 0.611})


def test_the_best_method_of_the_paper_is_its_own_on_every_data_set():
    table = paper_table("attribution_accuracy")
    assert table.shape == (12, 4)
    assert set(table.idxmax()) <= set(SPACES)
    assert (paper_table("attribution_accuracy", sd=True) > 0).any(axis=None)


def test_an_unknown_table_is_named_with_the_nearest():
    with pytest.raises(ValueError, match="'layer_type_nmj'; did you mean 'layer_type"):
        paper_table("layer_type_nmj")


# --- ours beside the paper's ------------------------------------------------------

TABLE, COLUMN = "attribution_accuracy", "GM-CelebA"
METHODS = list(paper_table(TABLE).index)


def ours(values, *, table=TABLE, column=COLUMN, reach=1.0, reason=""):
    """Cells of ours by method, with intervals of one width."""
    rows = {
        (table, method, column): {"mean": v, "low": v - reach, "high": v + reach}
        for method, v in values.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").assign(n=3, reason=reason)


def printed(column=COLUMN):
    return paper_table(TABLE)[column]


def test_an_order_agrees_whatever_the_values_are():
    found = side_by_side(ours((printed() / 2).to_dict()))
    part = found.xs(COLUMN, level="column").loc[TABLE]
    assert part["verdict"].eq("agrees in order").all()
    assert part["pairs"].eq(11).all() and part["in order"].eq(11).all()
    rest = found.drop(index=[(TABLE, method, COLUMN) for method in METHODS])
    assert rest["verdict"].eq("not comparable").all() and rest["pairs"].eq(0).all()


def test_what_cannot_be_compared_cannot_agree_in_order():
    found = side_by_side(ours(printed().to_dict(), reason="another unit"))
    part = found.xs(COLUMN, level="column").loc[TABLE]
    assert part["verdict"].eq("not comparable").all()
    assert part["pairs"].eq(0).all() and part["reason"].eq("another unit").all()


def test_a_cell_that_cannot_be_compared_is_no_pair_of_others():
    cells = ours(printed().to_dict())
    cells.loc[(TABLE, "rgb", COLUMN), "reason"] = "broken"
    part = side_by_side(cells).xs(COLUMN, level="column").loc[TABLE]
    assert part.loc["rgb", "pairs"] == 0
    assert part.drop(index="rgb")["pairs"].eq(10).all()


def test_values_out_of_order_are_compared_by_their_intervals():
    cells = ours((100 - printed()).to_dict())
    for method, shift in {"rgb": 0, "Yu19": -5, "Wang20": 5}.items():
        # A pair of the reversed order stays out of order for a shift that is small.
        cells.loc[(TABLE, method, COLUMN), ["low", "high"]] = (
            printed()[method] + shift - 1,
            printed()[method] + shift + 1,
        )
    verdicts = side_by_side(cells)["verdict"].xs(COLUMN, level="column").loc[TABLE]
    assert verdicts[["rgb", "Yu19", "Wang20"]].tolist() == ["inside", "lower", "higher"]


def test_a_cell_that_the_paper_has_not_is_refused():
    with pytest.raises(ValueError, match="'GM-Celeb'.*not a cell of the paper"):
        side_by_side(ours({"rgb": 1.0}, column="GM-Celeb"))


def test_own_cells_have_an_interval_over_the_seeds():
    cells = own_cells({("layer_type_nmi", "rgb", "up"): [0.5, 0.7]}, confidence=0.9)
    row = cells.iloc[0]
    assert row["n"] == 2 and row["low"] < 0.6 < row["high"] and row["reason"] == ""
    missing = own_cells({("layer_type_nmi", "rgb", "up"): [np.nan]})
    found = side_by_side(missing).loc["layer_type_nmi", "rgb", "up"]
    assert found["verdict"] == "not comparable" and "measured" in found["reason"]


def test_the_chance_of_agreement_is_that_of_shuffled_orders():
    rng = np.random.default_rng(1)
    whole = pd.concat(
        [ours(printed(c).to_dict(), column=c) for c in paper_table(TABLE)]
    )
    same = agreement(side_by_side(whole), n_shuffles=300).loc[TABLE]
    assert same["in order"] == same["comparable"] == 48 and same["p"] < 0.01
    assert same["rank correlation"] == pytest.approx(1)
    assert same["low"] <= same["by chance"] <= same["high"] < 48
    order = rng.permutation(METHODS)
    shuffled = pd.concat(
        [
            ours(dict(zip(order, printed(c), strict=True)), column=c)
            for c in paper_table(TABLE)
        ]
    )
    other = agreement(side_by_side(shuffled), n_shuffles=300).loc[TABLE]
    assert other["in order"] <= same["high"] and other["p"] > 0.05
    # The shuffles are the same orders, so their mean is as well.
    assert other["by chance"] == pytest.approx(same["by chance"], rel=0.3)


def test_the_chance_of_one_column_is_that_of_all_its_orders():
    cells = ours({m: v for m, v in printed().items() if m in METHODS[:4]})
    found = agreement(side_by_side(cells), n_shuffles=4000).loc[TABLE]
    paper, counts = printed()[METHODS[:4]].to_numpy(), []
    for order in permutations(paper):
        signs = [np.sign(np.subtract.outer(v, v)) for v in (paper, np.array(order))]
        alike = (signs[0] == signs[1]).sum(axis=1) - 1
        counts.append((alike >= 0.8 * 3).sum())
    assert found["by chance"] == pytest.approx(np.mean(counts), abs=0.06)


def test_nothing_comparable_has_no_chance():
    found = agreement(side_by_side(ours({"rgb": 1.0})), n_shuffles=10)
    assert found["by chance"].isna().all() and found.loc[TABLE, "comparable"] == 1


def test_leads_of_the_best_are_shares_of_methods_that_both_have():
    cells = ours({"rgb": 90.0, "frequency": 80.0, "Yu19": 70.0, "Wang20": 95.0})
    lead = best_leads(side_by_side(cells), TABLE).loc[COLUMN]
    names = {True: ["Yu19", "Wang20"], False: ["rgb", "frequency"]}
    best = {side: printed()[m].max() for side, m in names.items()}
    assert lead["ours"] == pytest.approx(-0.05)
    assert lead["paper"] == pytest.approx((best[False] - best[True]) / 100)


@pytest.mark.parametrize("table", TABLES)
def test_tables_for_readers_have_every_number_below_its_group(table):
    found = side_by_side(tables.counterparts(tables.stored()))
    shown = side_table(found, table)
    assert len(shown) == len(found.loc[table]) and shown.shape[1] <= 6
    groups = shown.index.get_level_values(0)
    assert (groups == groups.unique().repeat(len(shown) // groups.nunique())).all()


def test_ratios_of_another_dimension_never_agree():
    found = side_by_side(tables.counterparts(tables.stored()))
    verdicts = found["verdict"].xs("attribution_fdr")
    assert verdicts.eq("not comparable").all()
    assert set(found["verdict"]) <= set(VERDICTS)
