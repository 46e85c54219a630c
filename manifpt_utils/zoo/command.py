"""`manifpt zoo`: train generators, look at them, store them in `data/`."""

from pathlib import Path

import click
import numpy as np
from PIL import Image

from .._support.console import Room, whole_number
from .._support.paths import DATA
from ..images.photograph import PHOTOGRAPHS
from .packing import pack, write_manifest
from .plan import planned, state, stored, train_all
from .registry import EXPERIMENTS, MODELS
from .training import run_folder, train

EXAMPLES = """\b
Examples:
  manifpt zoo train --model dcgan --photo coffee --seed 0
  manifpt zoo sheet --model dcgan --photo coffee --seed 0
  manifpt zoo train-all --jobs 2 --only base --only up_fir
  manifpt zoo pack
"""
STOPPED = "stopped; the same command continues from the last complete state"
RECIPES = (*MODELS, *EXPERIMENTS)


root = click.option(
    "--root", default="zoo_runs", show_default=True, help="Folder of all trainings."
)
device = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where to train.",
)


def training(command):
    """The options that identify a training: model, photograph and seed."""
    photo = f"One of {', '.join(PHOTOGRAPHS)}."
    for option in (
        click.option("--seed", type=int, default=0, show_default=True),
        click.option("--photo", default="coffee", metavar="NAME", help=photo),
        click.option(
            "--model",
            required=True,
            metavar="NAME",
            help=f"One of {', '.join(RECIPES)}.",
        ),
        root,
    ):
        command = option(command)
    return command


@click.group(name="zoo", cls=Room, stopped=STOPPED, epilog=EXAMPLES)
def command():
    """Train the generators of the benchmark, look at them, store their samples."""


@command.command("train")
@training
@click.option("--steps", type=int, help="Steps, if not those of the table.")
@device
def train_one(root, model, photo, seed, steps, device):
    """Train one generator, or continue its training."""
    options = {"root": root, "steps": steps, "device": device}
    folder = train(model, photo=photo, seed=seed, **options)
    click.echo(f"trained: {folder}")


@command.command("sheet")
@training
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="sheet.png",
    show_default=True,
    help="The file to write.",
)
def write_sheet(root, model, photo, seed, out):
    """Write a PNG file of 64 samples of one training."""
    folder = run_folder(root, photo, model, seed)
    samples = np.load(folder / "samples.npy", allow_pickle=False)[:64]
    sheet = samples.reshape(8, 8, 32, 32, 3).swapaxes(1, 2).reshape(256, 256, 3)
    Image.fromarray(sheet).resize((1024, 1024), Image.Resampling.NEAREST).save(out)


@command.command("status")
@root
def show_status(root):
    """Show how far every training of the benchmark is."""
    for one in planned():
        click.echo(f"{one.photo}/{one.model}-{one.seed}: {state(one, root=root)}")


@command.command("train-all")
@root
@whole_number("--jobs", 1, help="Trainings at a time; each uses one core.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(RECIPES),
    metavar="NAME",
    help="Only this model or controlled experiment; may be repeated.",
)
@device
def train_missing(root, jobs, only, device):
    """Train all generators of the benchmark that are not in data/."""
    missing = [t for t in planned() if not stored(t) and (not only or t.model in only)]
    failed = train_all(missing, root=root, jobs=jobs, device=device)
    if failed:
        names = ", ".join(f"{photo}/{model}-{seed}" for model, photo, seed in failed)
        raise ValueError(f"failed: {names}; each has a .log beside its folder.")


@command.command("pack")
@root
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=DATA,
    help="Folder to write to [default: data/ beside the package].",
)
@click.option(
    "--only-manifest",
    is_flag=True,
    help="Only update the list of files in data/, after an intended change.",
)
def store_all(root, data, only_manifest):
    """Store finished trainings in data/."""
    if only_manifest:
        click.echo(f"written: {write_manifest(data)}")
        return
    for sheet in pack(root, data=data, progress=True):
        click.echo(f"packed: {sheet}")
