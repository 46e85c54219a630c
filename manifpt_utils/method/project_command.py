"""`manifpt project`: artifacts of all images of a folder, shard by shard."""

from pathlib import Path

import click

from .._support.console import (
    Task,
    device,
    n_real,
    normalise,
    scheduler,
    size,
    whole_number,
    workers,
)
from .._support.names import ESTIMATORS, SPACES

STOPPED = "stopped; the same command continues with the shards that are missing"
NOTES = """\b
OUT gets a file MODEL/FIRST_ROW.safetensors for each shard, with the numbers of the
nearest real images (index), the distances and the artifacts; files.csv, which names the
file of every row; and summary.csv.
\b
Several machines: start a Dask cluster on a disk that all of them see, set MANIFPT_CACHE
to a folder there, and give its address by --scheduler.
\b
Examples:
  manifpt project faces/ -o faces-projected/ --workers 2
  manifpt project faces/ -o faces-projected/ --scheduler tcp://10.0.0.1:8786
"""


@click.command(name="project", cls=Task, stopped=STOPPED, epilog=NOTES)
@click.argument("folder")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the shards.",
)
@click.option("--models", help="Which generators, with commas; all by default.")
@size
@normalise
@n_real
@click.option("--space", type=click.Choice(SPACES), default="rgb", show_default=True)
@click.option(
    "--estimator",
    type=click.Choice(ESTIMATORS),
    default="nearest",
    show_default=True,
    help="Of the closest point.",
)
@whole_number("--shard", 2000, help="Images of a task.")
@click.option("--without-artifacts", is_flag=True, help="Only neighbours, distances.")
@workers
@scheduler
@device
def command(folder, output, models, without_artifacts, **options):
    """Project the images of all models in FOLDER on its real images.

    FOLDER is whatever `load` reads.  The same command continues where it was stopped.
    """
    import warnings

    from ..images.loading import load
    from .shards import project_benchmark

    loading = {name: options.pop(name) for name in ("n_real", "normalise", "size")}
    loading["models"] = [x.strip() for x in models.split(",")] if models else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        benchmark = load(folder, **loading)
    for message in benchmark.warnings:
        click.echo(f"Warning: {message}", err=True)
    options["with_artifacts"] = not without_artifacts
    found = project_benchmark(benchmark, output, **options)
    click.echo(found.to_string(float_format="{:.3f}".format))
    click.echo(f"Written to {output}.")
