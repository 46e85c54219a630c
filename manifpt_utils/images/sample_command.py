"""`manifpt sample`: draw images from a diffusers pipeline."""

from pathlib import Path

import click

from .._support.console import Stopped, device

STOPPED = "stopped; the same command draws the missing images"
EPILOG = """\b
Example:
  manifpt sample pipelines/ddpm-cifar10-32 my-images ddpm -n 1000 --steps 100
"""


@click.command(name="sample", epilog=EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("name")
@click.option(
    "-n",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Number of images in the end.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the first image; the next image has the next seed.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Images drawn at once.",
)
@click.option("--steps", type=click.IntRange(min=1), help="Steps of the sampler.")
@device
def command(pipeline, folder, name, **options):
    """Draw images from a diffusers PIPELINE, a local folder, into FOLDER/NAME.

    After an interrupt, the same command draws the missing images.
    """
    from .sampling import sample

    try:
        click.echo(sample(pipeline, folder, name, **options))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        raise Stopped("stopped; the same command draws the missing images") from None
