"""`manifpt sample`: draw images from a diffusers pipeline."""

from pathlib import Path

import click

from .._support.console import Task, device, whole_number

STOPPED = "stopped; the same command draws the missing images"
EPILOG = """\b
Example:
  manifpt sample pipelines/ddpm-cifar10-32 my-images ddpm -n 1000 --steps 100
"""


@click.command(name="sample", cls=Task, stopped=STOPPED, epilog=EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("name")
@whole_number("-n", 1000, help="Number of images in the end.")
@whole_number(
    "--seed",
    0,
    least=0,
    help="Seed of the first image; the next image has the next seed.",
)
@whole_number("--batch-size", 8, help="Images drawn at once.")
@whole_number("--steps", help="Steps of the sampler.")
@device
def command(pipeline, folder, name, **options):
    """Draw images from a diffusers PIPELINE, a local folder, into FOLDER/NAME.

    After an interrupt, the same command draws the missing images.
    """
    from .sampling import sample

    click.echo(sample(pipeline, folder, name, **options))
