"""The console command: quick to answer, and a thin face of each room."""

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from manifpt_utils.cli import SUBCOMMANDS, main

ROOT = Path(__file__).parents[1]


def called(*arguments):
    return CliRunner().invoke(main, arguments, prog_name="manifpt")


def test_help_is_shown_without_heavy_imports():
    code = """if True:
        import sys
        from manifpt_utils.cli import main
        for line in ("--help", "run --help", "study", "train encoder"):
            try:
                main(line.split(), prog_name="manifpt")
            except SystemExit:
                pass
            heavy = {"torch", "faiss", "skorch", "sklearn"} & set(sys.modules)
            assert not heavy, f"{line} imports {heavy}"
    """
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [(), *((name,) for name in SUBCOMMANDS)])
def test_every_help_shows_an_example(arguments):
    done = called(*arguments, "--help")
    assert done.exit_code == 0
    assert f"  {' '.join(['manifpt', *arguments])} " in done.output.partition("Exa")[2]


@pytest.mark.parametrize("name", ["denoiser", "encoder"])
def test_a_training_shows_an_example_and_its_defaults(name):
    text = called("train", name, "--help").output
    assert f"Example: manifpt train {name} --" in text
    assert text.count("[default:") >= 4


def test_all_sub_commands_are_listed():
    names = [line.split()[0] for line in called("--help").output.splitlines() if line]
    assert set(SUBCOMMANDS) <= set(names)


def test_an_unknown_sub_command_is_a_usage_error():
    assert called("paint").exit_code == called("study", "paint").exit_code == 2


def test_the_command_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, _, name = project["scripts"]["manifpt"].partition(":")
    assert getattr(import_module(module), name) is main


COMPUTING = ["attribute fit", "attribute predict", "project", "sample", "study run"]
COMPUTING += [f"study {x}" for x in ("comparison", "estimates", "ladder", "regime")]
COMPUTING += ["study table1", "train denoiser", "train encoder"]
COMPUTING += ["zoo train", "zoo train-all"]


@pytest.mark.parametrize("command", COMPUTING)
def test_what_computes_takes_a_device(command):
    assert "--device" in called(*command.split(), "--help").output
