"""A chapter that runs with other parameters keeps its quiz right."""

import nbformat
import numpy as np
import pytest
from matrix import ROOT
from papermill import execute_notebook

from manifpt_utils.metrics import frechet_distance_ratio
from manifpt_utils.notebook.judging import judged
from manifpt_utils.notebook.questions import Question

PARAMETERS = {
    "models": ["glow", "ddpm"],
    "n_samples": 22,
    "n_features": [9, 16],
    "dimensions": [3, 5],
    "seeds": [4, 7],
}


def outputs(notebook, kind):
    """Metadata of the outputs of one kind."""
    found = [o.metadata for cell in notebook.cells for o in cell.get("outputs", [])]
    words = [metadata.get("text/markdown", {}) for metadata in found]
    return [word for word in words if word.get("kind") == kind]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The chapter on traps with parameters that no profile has."""
    copy = tmp_path_factory.mktemp("run") / "09_traps.ipynb"
    source = ROOT / "notebooks" / "09_traps.ipynb"
    execute_notebook(source, copy, PARAMETERS, cwd=ROOT, progress_bar=False)
    return nbformat.read(copy, as_version=4)


@pytest.fixture
def questions(executed):
    (words,) = outputs(executed, "quiz")
    return {question["id"]: Question(**question) for question in words["questions"]}


def ratio(n, d):
    """FDR of five classes whose means lie 2 apart, mean over the seeds."""
    found = []
    for seed in PARAMETERS["seeds"]:
        x = np.random.default_rng(seed).normal(size=(5 * n, d))
        labels = np.repeat(np.arange(5), n)
        x[:, 0] += 2 * labels
        run = frechet_distance_ratio(x, labels, seed=seed, n_permutations=0)
        found.append(run.ratio)
    return np.mean(found)


def test_a_number_is_that_of_this_run(executed, questions):
    (answer,) = outputs(executed, "answer")
    areas = answer["values"]
    question = questions["q1"]
    bookkeeping = areas["in_the_set"] - areas["others"]
    assert judged(question, bookkeeping, name="9.q1").state == "right"
    assert judged(question, bookkeeping + 0.03, name="9.q1").state != "right"
    assert f"{areas['others']:.2f} if they are not" in question.ask


def test_an_order_is_that_of_this_run(questions):
    question = questions["q3"]
    corners = {
        "16 points per class in 5 dimensions": ratio(16, 5),
        "9 points per class in 3 dimensions": ratio(9, 3),
        "16 points per class in 3 dimensions": ratio(16, 3),
    }
    letters = dict(zip((o.text for o in question.options), "abc", strict=True))
    order = [letters[text] for text in sorted(corners, key=corners.get)]
    assert judged(question, order, name="9.q3").state == "right"
    assert judged(question, order[::-1], name="9.q3").state != "right"


def test_the_text_speaks_of_this_run(executed, questions):
    (words,) = outputs(executed, "quiz")
    clue = words["values"]["clue"]
    assert words["values"]["treatment"] in questions["q5"].ask
    assert f"{100 * clue:.1f} %" in questions["q5"].ask


def test_what_a_reader_expects_is_set_beside_a_number_of_this_run(executed):
    (asked,), (found,) = (
        outputs(executed, kind) for kind in ("prediction", "prediction-found")
    )
    (answer,) = outputs(executed, "answer")
    assert found["name"] == asked["name"] == "09_traps"
    assert found["prediction"]["id"] == asked["prediction"]["id"]
    assert found["values"]["result"] == pytest.approx(answer["values"]["in_the_set"])
