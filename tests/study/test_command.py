"""`manifpt study`: what it lists, computes, notes down and refuses."""

import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner

from manifpt_utils.study import command as module
from manifpt_utils.study.estimates import ESTIMATES
from manifpt_utils.study.study import Store


def study(*arguments):
    return CliRunner().invoke(module.command, list(map(str, arguments)))


def test_help_names_every_study_and_shows_an_example():
    text = study("--help").output
    assert "comparison" in text and "estimates" in text
    assert "manifpt study comparison --list" in text


def test_what_is_missing_is_listed(tmp_path):
    options = ["--methods", "Dzanic20", "--settings", "coffee", "--seeds", "1"]
    done = study("comparison", *options, "--list", "--output", tmp_path)
    lines = done.output.splitlines()
    assert "coffee, Dzanic20, closed, 100, 1" in lines and len(lines) == 5
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--methods", "Dzanik20"], "Error: unknown 'Dzanik20'; did you mean 'Dzanic"),
        (["--settings", "origin of ldn"], "did you mean 'origin of ldm'"),
        (["--seeds", "9"], "unknown '9'"),
        (["--jobs", "0"], "0 is not in the range"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(options, message):
    done = study("comparison", *options, "--list")
    assert done.exit_code and message in done.output
    assert "Traceback" not in done.output


def test_the_work_is_shared_among_processes_and_the_command_noted_down(tmp_path):
    command = [sys.executable, "-m", "manifpt_utils", "study", "comparison"]
    command += ["--settings", "origin of ldm", "--methods", "McCloskey18,Dzanic20"]
    command += ["--seeds", "1", "--jobs", "2", "--output", str(tmp_path)]
    subprocess.run(command, check=True, stdout=subprocess.PIPE)
    table = pd.read_csv(tmp_path / "comparison.csv")
    assert set(table["method"]) == {"McCloskey18", "Dzanic20"}
    assert table["score"].between(0, 1).all()
    made = pd.read_json(tmp_path / "comparison.json", typ="series")
    assert made["runs"][0]["command"].startswith("manifpt study comparison --settings")


def test_an_interrupt_says_how_to_go_on(tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "compute", interrupted)
    done = study("estimates", "--output", tmp_path)
    assert done.exit_code and "continues with what is missing" in done.output
    assert Store(ESTIMATES, tmp_path, "").read()[0].empty
