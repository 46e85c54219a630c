"""Command line of the zoo: train generators, look at them, store them in `data/`."""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from .._support.paths import DATA
from ..images.photograph import PHOTOGRAPHS
from .packing import pack, write_manifest
from .plan import planned, state, stored, train_all
from .registry import EXPERIMENTS, MODELS
from .training import run_folder, train


def parser():
    """The arguments of `python -m manifpt_utils.zoo`."""
    top = argparse.ArgumentParser(
        prog="python -m manifpt_utils.zoo", description=__doc__
    )
    commands = top.add_subparsers(dest="command", required=True)
    for add in (_add_train, _add_sheet, _add_status, _add_train_all, _add_pack):
        command = add(commands)
        command.add_argument(
            "--root", default="zoo_runs", help="folder of all trainings"
        )
    return top


def _add_train(commands):
    command = commands.add_parser(
        "train", help="train, or go on training, one generator"
    )
    command.add_argument("--steps", type=int, help="instead of the number in the table")
    _add_training(command)
    _add_device(command)
    return command


def _add_sheet(commands):
    command = commands.add_parser("sheet", help="a PNG with 64 samples of one training")
    command.add_argument("--out", type=Path, default=Path("sheet.png"))
    _add_training(command)
    return command


def _add_status(commands):
    return commands.add_parser("status", help="what is trained, and how far")


def _add_train_all(commands):
    command = commands.add_parser(
        "train-all", help="train all that the benchmark needs and data/ lacks"
    )
    command.add_argument(
        "--jobs", type=int, default=1, help="trainings at a time, one core each"
    )
    command.add_argument(
        "--only",
        nargs="+",
        choices=[*MODELS, *EXPERIMENTS],
        metavar="NAME",
        help="these models, or controlled experiments, only",
    )
    _add_device(command)
    return command


def _add_pack(commands):
    command = commands.add_parser("pack", help="store finished trainings in data/")
    command.add_argument(
        "--data", type=Path, default=DATA, help="folder to write to, data/ by default"
    )
    command.add_argument(
        "--only-manifest",
        action="store_true",
        help="list what data/ holds now, after a change on purpose",
    )
    return command


def _add_training(command):
    """Which training: model, photograph and seed."""
    models, photos = _names([*MODELS, *EXPERIMENTS]), _names(PHOTOGRAPHS)
    command.add_argument("--model", required=True, metavar="NAME", help=models)
    command.add_argument("--photo", default="coffee", metavar="NAME", help=photos)
    command.add_argument("--seed", type=int, default=0, help="default 0")


def _add_device(command):
    command.add_argument(
        "--device",
        choices=("cpu", "cuda"),
        default="cpu",
        help="where to train, cpu by default",
    )


def _names(table):
    return "one of " + ", ".join(table)


def write_sheet(arguments):
    """Arrange the first 64 samples in a square and enlarge them four times."""
    folder = run_folder(
        arguments.root, arguments.photo, arguments.model, arguments.seed
    )
    samples = np.load(folder / "samples.npy", allow_pickle=False)[:64]
    sheet = samples.reshape(8, 8, 32, 32, 3).swapaxes(1, 2).reshape(256, 256, 3)
    Image.fromarray(sheet).resize((1024, 1024), Image.Resampling.NEAREST).save(
        arguments.out
    )


def print_status(arguments):
    """One line a planned training: stored, trained, how far, or not begun."""
    for training in planned():
        model, photo, seed = training
        print(f"{photo}/{model}-{seed}: {state(training, root=arguments.root)}")


def train_missing(arguments):
    """Train what the plan lists and `data/` lacks; exit with 1 if any of it failed."""
    missing = [t for t in planned() if not stored(t)]
    if arguments.only:
        missing = [t for t in missing if t.model in arguments.only]
    failed = train_all(
        missing, root=arguments.root, jobs=arguments.jobs, device=arguments.device
    )
    if failed:
        names = ", ".join(f"{photo}/{model}-{seed}" for model, photo, seed in failed)
        raise ValueError(f"failed: {names}; each has a .log beside its folder.")


def train_one(arguments):
    """Train, and say where the result lies."""
    folder = train(
        arguments.model,
        photo=arguments.photo,
        seed=arguments.seed,
        root=arguments.root,
        steps=arguments.steps,
        device=arguments.device,
    )
    print(f"trained: {folder}")


def store_all(arguments):
    """Pack, and say what was written."""
    if arguments.only_manifest:
        print(f"written: {write_manifest(arguments.data)}")
        return
    for sheet in pack(arguments.root, data=arguments.data, progress=True):
        print(f"packed: {sheet}")


def main(arguments=None):
    """Run one command; an error of the user's is one line and exit status 1."""
    arguments = parser().parse_args(arguments)
    commands = {
        "train": train_one,
        "train-all": train_missing,
        "sheet": write_sheet,
        "status": print_status,
        "pack": store_all,
    }
    try:
        commands[arguments.command](arguments)
    except (ValueError, FloatingPointError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from the last complete state")


if __name__ == "__main__":
    main()
