"""The paper's numbers: whole, consistent, and what is known to be misprinted."""

import pytest

from manifpt_utils.study.paper import TABLES, paper_table

SPACES = ["rgb", "frequency", "supervised", "selfsupervised"]


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
