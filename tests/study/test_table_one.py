"""Table 1 of the paper on images of one's own."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from manifpt_utils import load
from manifpt_utils.study import table_one as module
from manifpt_utils.study.command import command
from manifpt_utils.study.table_one import Networks, table_one


def write_shades(root, seed=0):
    """Models that differ in their brightness alone, and real images in between."""
    rng = np.random.default_rng(seed)
    for name, low in {"real": 90, "dark": 0, "light": 180}.items():
        (root / name).mkdir(parents=True)
        for i, x in enumerate(rng.integers(low, low + 76, (40, 8, 8, 3), np.uint8)):
            Image.fromarray(x).save(root / name / f"{i:03}.png")
    return root


@pytest.fixture(scope="module")
def shades(tmp_path_factory):
    return write_shades(tmp_path_factory.mktemp("shades") / "shades")


OPTIONS = {"n_train": 4, "n_test": 4, "seeds": (0,), "small": True}


def test_methods_are_trained_once_and_told_apart_by_chance_or_better(shades, tmp_path):
    path = tmp_path / "table.csv"
    methods = ["McCloskey18", "supervised"]
    first = table_one(load(shades), path, Networks(), methods=methods[:1], **OPTIONS)
    assert list(first["method"]) == ["McCloskey18"]
    content = pd.read_csv(path)
    content.loc[0, "accuracy"] = 0.123  # which a second training would not give
    content.to_csv(path, index=False)
    both = table_one(load(shades), path, Networks(), methods=methods, **OPTIONS)
    assert list(both["method"]) == methods
    assert both["accuracy"][0] == 0.123 and both["accuracy"][1] > 1 / 3
    assert pd.read_csv(path)["method"].tolist() == methods
    with pytest.raises(ValueError, match="rows with another n_test; choose another"):
        table_one(load(shades), path, Networks(), **OPTIONS | {"n_test": 3})


def test_a_method_that_failed_is_tried_again(shades, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ValueError("out of luck")

    path, options = tmp_path / "table.csv", OPTIONS | {"methods": ["McCloskey18"]}
    with monkeypatch.context() as patch:
        patch.setattr(module, "evaluate", fail)
        found = table_one(load(shades), path, Networks(), **options)
    assert found["reason"].tolist() == ["out of luck"]
    again = table_one(load(shades), path, Networks(), **options)
    assert again["reason"].isna().all() and again["accuracy"].notna().all()


@pytest.mark.parametrize(
    ("options", "differs"),
    [({"n_real": 9}, "images"), ({"normalise": "jpeg90"}, "normalise")],
)
def test_rows_of_other_images_are_not_gone_on_with(shades, tmp_path, options, differs):
    path = tmp_path / "table.csv"
    table_one(load(shades), path, Networks(), methods=["McCloskey18"], **OPTIONS)
    with pytest.raises(ValueError, match=f"rows with another {differs}; choose"):
        table_one(load(shades, **options), path, Networks(), **OPTIONS)


def test_rows_from_other_weights_are_not_gone_on_with(shades, tmp_path):
    path, options = tmp_path / "table.csv", OPTIONS | {"small": False}
    of_one, of_another = (Networks(resnet50=tmp_path / x) for x in ("a.pth", "b.pth"))
    with pytest.raises(ValueError, match="a.pth does not exist; give the file"):
        table_one(load(shades), path, of_one, methods=["supervised"], **options)
    assert not path.exists()
    for networks in (of_one, of_another):
        networks.resnet50.write_bytes(b"no weights")
    table_one(load(shades), path, of_one, methods=["supervised"], **options)
    with pytest.raises(ValueError, match="rows with another weights; choose"):
        table_one(load(shades), path, of_another, methods=["supervised"], **options)


def test_a_given_split_is_kept(tmp_path, monkeypatch):
    write_shades(tmp_path / "train")
    write_shades(tmp_path / "test", seed=1)
    seen = {}

    def remember(*args, **options):
        seen.update(options)
        raise ValueError("far enough")

    monkeypatch.setattr(module, "evaluate", remember)
    found = table_one(
        load(tmp_path),
        tmp_path / "t.csv",
        Networks(),
        methods=["McCloskey18"],
        **OPTIONS,
    )
    assert seen["tested"].sum() == 3 * 4
    assert found["reason"].tolist() == ["far enough"]


def test_the_networks_are_those_of_the_paper(shades, tmp_path):
    benchmark, weights = load(shades), tmp_path / "resnet50.pth"
    networks = Networks(resnet50=weights)
    head = module._pipeline(benchmark, "rgb", networks, False)[-1]
    assert head.backbone == "resnet50" and head.weights == str(weights)
    wang = module._pipeline(benchmark, "Wang20", networks, False)[-1]
    assert wang.backbone == "resnet50" and wang.weights == str(weights)
    with pytest.raises(ValueError, match="resnet50.pth does not exist"):
        module._pipeline(benchmark, "supervised", networks, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Wang20 starts from the weights resnet50; give their file by --resnet50"),
        (["--methods", "selfsupervised"], "by --barlowtwins, leave selfsupervised out"),
        (["--methods", "Marra17"], "unknown method 'Marra17'; did you mean 'Marra1"),
    ],
)
def test_the_command_refuses_in_one_line(shades, tmp_path, options, message):
    arguments = ["table1", str(shades), "--output", str(tmp_path / "t.csv"), *options]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 1 and message in done.output
    assert "Traceback" not in done.output and not (tmp_path / "t.csv").exists()


def test_the_command_writes_the_table(shades, tmp_path):
    path = tmp_path / "t.csv"
    arguments = ["table1", str(shades), "--output", str(path), "--small"]
    arguments += ["--methods", "McCloskey18", "--n-train", "4", "--n-test", "4"]
    done = CliRunner().invoke(command, [*arguments, "--seeds", "0", "--seeds", "1"])
    assert done.exit_code == 0, done.output
    assert pd.read_csv(path)["accuracy"].between(0, 1).all()
