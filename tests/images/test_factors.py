"""The table of design factors, as editors and spreadsheets write it."""

import pytest
from pictures import write_folder

from manifpt_utils.images.factors import FACTORS, read_factors
from manifpt_utils.images.folder import from_folder


def table(*models, separator=",", heading=("model", *FACTORS), values="abcdefgh"):
    rows = [heading, *([model, *values] for model in models)]
    return "\n".join(separator.join(row) for row in rows) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        table("a", "b").encode(),
        table("a", "b", separator=";").encode(),
        table("a", "b", separator="\t").encode("utf-16"),
        table("a", "b", separator=", ").encode("utf-8-sig"),
        table("a", "b").replace("\n", "\r\n").encode(),
        ("\n" + table("a", "b").replace("\n", ",,\n") + ",,,,,,,,,\n").encode(),
        table("a", "b").upper().replace("A", "a").replace("B", "b").encode(),
    ],
)
def test_what_spreadsheets_write_is_read_alike(content):
    found = read_factors(content)
    assert list(found.columns) == FACTORS and list(found.index) == ["a", "b"]
    assert "".join(found.loc["b"]).lower() == "abcdefgh"


def test_names_and_values_are_text_and_other_columns_are_ignored():
    heading = ("note", "model", *FACTORS)
    found = read_factors(
        table("x", heading=heading, values=["007", *"12345678"]).encode()
    )
    assert list(found.index) == ["007"] and list(found.loc["007"]) == list("12345678")
    found = read_factors(table("alphé", values=["NA", *"bcdefgh"]).encode("latin-1"))
    assert found.loc["alphé", "family"] == "NA"


def test_factors_come_from_our_table_or_from_the_folder(tmp_path):
    root = write_folder(tmp_path / "mine", models=("dcgan", "glow"))
    assert from_folder(root).factors.loc["glow", "family"] == "Flow"
    (root / "glow").rename(root / "own_model")
    assert from_folder(root).factors is None
    (root / "factors.csv").write_text(table("dcgan"))
    with pytest.raises(ValueError, match=r"no row for \['own_model'\].*It is optional"):
        from_folder(root)
    (root / "factors.csv").write_text(table("dcgan", "own_model"))
    assert from_folder(root).factors.loc["own_model", "loss"] == "g"
    (root / "factors.csv").write_text("model,up\n")
    with pytest.raises(ValueError, match="mine/factors.csv lacks the columns"):
        from_folder(root)


def test_folders_may_be_named_by_numbers(tmp_path):
    root = write_folder(tmp_path, models=("1", "007"))
    (root / "factors.csv").write_text(table("1", "007", separator=";"))
    assert list(from_folder(root).factors.index) == ["007", "1"]
    (root / "factors.csv").write_text(table("1", "7"))
    with pytest.raises(ValueError, match=r"no row for \['007'\].* remove zeros"):
        from_folder(root)
