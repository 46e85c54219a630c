"""`manifpt study`: compute the trainings that the stored results of a study lack."""

import shlex
import sys
from pathlib import Path

import click

from .._support.console import (
    Room,
    device,
    n_real,
    normalise,
    scheduler,
    size,
    whole_number,
    workers,
)
from .._support.names import BASELINES, PAPER_SPACES, SPACES
from .._support.paths import DATA
from . import comparison, estimates, folder_study, ladder, regime
from .compute import compute
from .folder_study import QUICK
from .settings import EVERY_METHOD, PHOTOS, SEEDS, SETTINGS
from .study import FOLDER, Store

EXAMPLES = """\b
Examples:
  manifpt study comparison --list
  manifpt study comparison --methods "rgb nearest,Yu19" --settings coffee
  manifpt study estimates --jobs 2 --spaces rgb
  manifpt study regime --dimensions 3
  manifpt study table1 my-images --resnet50 resnet50.pth --barlowtwins barlow.pth
  manifpt study run --benchmark my_images -o my_results.csv --workers 2
"""
STOPPED = "stopped; the same command continues with what is missing"
EPILOG = "Afterwards, `manifpt zoo pack --only-manifest` lists the new files in data/."


@click.group(name="study", cls=Room, stopped=STOPPED, epilog=EXAMPLES)
def command():
    """Compute the stored results of a study.

    Trainings that the results already hold are skipped, so after an interrupt the same
    command continues where it was.  Delete a file of results to compute it again.
    """


class Several(click.ParamType):
    """Known names, separated by commas."""

    name = "NAMES"

    def __init__(self, known):
        self.known = {str(item): item for item in known}

    def convert(self, value, param, ctx):
        """The objects with these names; the plan refuses an unknown name."""
        if not isinstance(value, str):
            return value
        names = [name.strip() for name in value.split(",")]
        return tuple(self.known.get(name, name) for name in names)


def several(option, known, what, *, default=None):
    """An option that takes some of the known objects; the default is all of them."""
    names = ", ".join(map(str, known))
    return click.option(
        option,
        type=Several(known),
        default=tuple(known if default is None else default),
        show_default="all" if default is None else ", ".join(default),
        help=f"{what}, separated by commas: {names}.",
    )


def work(function):
    """The options that say how the work is shared."""
    for option in (
        click.option("--list", "list_only", is_flag=True, help="Show what is missing."),
        whole_number("--jobs", 1, help="Processes at a time."),
        workers,
        scheduler,
        device,
    ):
        function = option(function)
    return function


def common(function):
    """The options that all stored studies have."""
    output = click.option(
        "--output",
        type=click.Path(file_okay=False, path_type=Path),
        default=DATA / FOLDER,
        show_default="data/results beside the package",
        help="Folder of the results.",
    )
    return output(work(function))


@command.command("comparison", epilog=EPILOG)
@several("--settings", SETTINGS, "Settings")
@several("--methods", EVERY_METHOD, "Methods")
@several("--seeds", SEEDS, "Seeds of splits and networks")
@common
def compare(settings, methods, seeds, **options):
    """Train and test all methods in all settings."""
    trainings = comparison.planned(settings, methods, seeds)
    run(comparison.COMPARISON, trainings, **options)


@command.command("estimates", epilog=EPILOG)
@several("--photos", PHOTOS, "Photographs")
@several("--spaces", PAPER_SPACES, "Embedding spaces")
@common
def estimate(photos, spaces, **options):
    """Train on artifacts, exact and estimated."""
    run(estimates.ESTIMATES, estimates.planned(photos, spaces), **options)


@command.command("ladder", epilog=EPILOG)
@several("--photos", PHOTOS, "Photographs")
@several("--kinds", ladder.EVERY_KIND, "Kinds of artifacts and controls")
@common
def ladder_of_controls(photos, kinds, **options):
    """Train on artifacts, and on controls without a closest point."""
    run(ladder.LADDER, ladder.planned(photos, kinds), **options)


@command.command("regime", epilog=EPILOG)
@several("--dimensions", regime.DIMENSIONS, "Numbers of parameters of the views")
@several("--ratios", regime.RATIOS, "Lengths of traces, in units of the spacing")
@common
def map_regime(dimensions, ratios, **options):
    """Train on known traces of several lengths, in several dimensions."""
    run(regime.REGIME, regime.planned(dimensions, ratios), **options)


@command.command("table1")
@click.argument("source")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default="table1.csv",
    show_default=True,
    help="CSV file for the results, one row per method.",
)
@several("--methods", (*BASELINES, *SPACES), "Methods")
@click.option(
    "--resnet50", type=click.Path(path_type=Path), help="File of its ImageNet weights."
)
@click.option(
    "--barlowtwins",
    type=click.Path(path_type=Path),
    help="File of the weights of the Barlow Twins ResNet50.",
)
@click.option(
    "--inception", type=click.Path(path_type=Path), help="File of its ImageNet weights."
)
@click.option("--small", is_flag=True, help="Use small networks, not the paper's.")
@whole_number("--n-train", 700, least=2, help="Training images per class.")
@whole_number("--n-test", 300, least=2, help="Test images per class.")
@n_real
@click.option(
    "--seeds",
    type=int,
    multiple=True,
    default=(0, 1, 2),
    show_default=True,
    help="Seeds of splits and networks; may be repeated.",
)
@click.option(
    "--models", multiple=True, help="One of the models; may be repeated [default: all]."
)
@size
@normalise
@whole_number("--per-class", help="Draw at most this many images of a class.")
@device
def first_table(source, output, **options):
    """Compute Table 1 of the paper on your own images.

    SOURCE is a folder, or any other source of images that `load` can read.
    """
    from ..images.loading import load
    from .table_one import Networks, table_one

    names = ("models", "n_real", "size", "normalise", "per_class")
    loading = {name: options.pop(name) for name in names}
    loading["models"] = list(loading["models"]) or None
    networks = Networks(**{name: options.pop(name) for name in Networks._fields})
    found = table_one(load(source, **loading), output, networks, **options)
    click.echo(found.to_string(index=False))


@command.command("run")
@click.option(
    "--benchmark",
    "folder",
    required=True,
    help="Folder with real/ and one sub-folder per model, or other images of yours "
    "that `load` reads; a split into train and test that they bring is kept.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    default="results.csv",
    show_default=True,
    help="CSV file for the results; a .json file beside it records how they were made.",
)
@size
@normalise
@several("--spaces", SPACES, "Embedding spaces", default=SPACES[:2])
@several("--kinds", folder_study.FOLDER_KINDS, "Representations")
@several("--earlier", BASELINES, "Earlier methods")
@whole_number("--n-train", 100, help="Training images per class.")
@whole_number("--n-test", 100, help="Test images per class.")
@whole_number("--seeds", 3, help="Trainings per method; the intervals are over these.")
@click.option(
    "--quick",
    is_flag=True,
    help="Only one training per method and one space; networks train a fifth as long.",
)
@work
def run_folder(folder, output, quick, list_only, device, **options):
    """Compare all methods on a folder of your own images."""
    chosen = {key: options.pop(key) for key in ("spaces", "kinds", "earlier")}
    counts = {key: options.pop(key) for key in ("n_train", "n_test", "seeds")}
    if quick:
        counts |= {"seeds": QUICK["seeds"], "effort": QUICK["effort"]}
        chosen |= {"spaces": QUICK["spaces"]}
    treated = {key: options.pop(key) for key in folder_study.TREATED}
    study = folder_study.FolderStudy(folder, name=output.stem, **treated)
    trainings = folder_study.planned(folder_study.methods(**chosen), **counts)
    store = Store(study, output.parent, _called())
    study.check(store)
    todo = study.missing(trainings, store.read()[0])
    if list_only:
        click.echo("\n".join(map(str, todo)))
        return
    _checked(study, trainings[0])
    if todo:
        _announced(store, todo, device)
    compute(trainings, store, device=device, **options)
    asked = set().union(*map(study.cells, trainings))
    table = store.read()[0]
    table = table[[key in asked for key in study.keys_of(table)]]
    click.echo(folder_study.summary(table).to_string(float_format="{:.3f}".format))


def _checked(study, training):
    """Read the images, whose errors come first and whose warnings go with the table."""
    # These need torch, which --help does not.
    from .folder_training import benchmark, drawn

    for message in benchmark(study.reading).warnings:
        click.echo(f"Warning: {message}", err=True)
    drawn(study.reading, (training.n_train, training.n_test))


def _announced(store, todo, device):
    """Measure one training, and say how long all trainings will take."""
    study = store.study
    before = store.read()[1]["cpu_seconds"].get(study.account(todo[0]), 0)
    compute(todo[:1], store, device=device)
    seconds = store.read()[1]["cpu_seconds"][study.account(todo[0])] - before
    left = folder_study.expected_seconds(todo[1:], todo[0], seconds)
    minutes = max(1, round(left / 60))
    click.echo(
        f"{len(todo) - 1} trainings are left; they will take about {minutes} min of "
        f"processor time, judged by the first one ({todo[0].method}: {seconds:.0f} s) "
        "and by the times of the methods in the stored comparison."
    )


def _called():
    return shlex.join(["manifpt", *sys.argv[1:]])


def run(study, trainings, *, output, list_only=False, **options):
    """Compute the trainings that the results lack, or list them.

    Parameters
    ----------
    study : Study
    trainings : list of tuple
        The trainings that are wanted.
    output : path
        Folder of the results.
    list_only : bool
        Whether to show only what is missing and to compute nothing.
    **options
        Options of `compute`.
    """
    store = Store(study, output, _called())
    if list_only:
        missing = study.missing(trainings, store.read()[0])
        click.echo("\n".join(map(str, missing)))
        return
    if outdated := store.n_outdated():
        click.echo(
            f"{outdated} rows are of samples or of a plan that have changed since; "
            "they go, and what the plan has is computed again."
        )
    compute(trainings, store, **options)
