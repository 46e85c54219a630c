"""The two commands, as a user types them."""

import pandas as pd
import pytest
from click.testing import CliRunner
from patterns import pictures, write
from PIL import Image

from manifpt_utils.attribution.storage import load_attributor
from manifpt_utils.cli import main

CHOICE = ["--space", "rgb", "--estimate", "raw", "--classifier", "linear"]


def run(*words):
    return CliRunner().invoke(main, ["attribute", *map(str, words)])


@pytest.fixture(scope="module")
def fitted(root, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "attributor"
    done = run("fit", root, "-o", output, *CHOICE, "--precision", "bfloat16")
    assert done.exit_code == 0, done.output
    return output, done


def test_fit_tells_what_it_found(fitted):
    output, done = fitted
    assert "sees only how the files are stored, and no pixel, does not tell" in (
        done.output
    )
    assert "Chosen     linear classifier of rgb raw" in done.output
    assert f"manifpt attribute predict {output} IMAGE" in done.output


def test_options_of_fit_reach_the_attributor(fitted):
    assert load_attributor(fitted[0]).precision == "bfloat16"


def test_predict_writes_a_row_per_image_and_a_picture(fitted, tmp_path):
    folder = write(tmp_path / "more", pictures("dots", 3, seed=9))
    csv, png = tmp_path / "new" / "answers.csv", tmp_path / "verdict.png"
    done = run("predict", fitted[0], folder, "--csv", csv, "--explain", png)
    assert done.exit_code == 0, done.output
    table = pd.read_csv(csv)
    assert (table["prediction"] == "dots").all()
    assert {"sha256", "p-value of real", "probability of dots"} <= set(table)
    with Image.open(png) as picture:
        assert picture.size[0] > 1000
    assert "dots" in done.output and "nearest real" in done.output


def test_what_cannot_be_read_is_told_with_the_answers_of_the_rest(fitted, tmp_path):
    folder = write(tmp_path / "more", pictures("dots", 2, seed=9))
    (folder / "letter.txt").write_text("hello")
    done = run("predict", fitted[0], folder, "--csv", tmp_path / "a.csv")
    assert done.exit_code == 1
    assert "letter.txt is empty, damaged" in done.output
    table = pd.read_csv(tmp_path / "a.csv", dtype=str)
    assert table["verdict"].notna().sum() == 2
    assert table["width"].dropna().tolist() == ["12", "12"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "nowhere", "-o", "out"], "nowhere"),
        (["predict", "nowhere", "a.png"], "holds no attributor"),
    ],
)
def test_errors_are_one_line(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.exit_code == 1
    assert message in done.output and "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "manifpt attribute fit faces/"),
        (["fit"], "one fifth calibrates"),
        (["predict"], "unknown    all classes are ruled out"),
    ],
)
def test_help_shows_an_example(words, said):
    done = run(*words, "--help")
    assert done.exit_code == 0 and said in done.output and "manifpt" in done.output
