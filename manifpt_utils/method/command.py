"""`manifpt train`: train the small networks that come with the package."""

import json
from pathlib import Path

import click

from .._support.console import Room, device
from .._support.names import ENCODERS, PHOTOGRAPHS
from .._support.paths import DATA

EXAMPLES = """\b
Examples:
  manifpt train denoiser --photo coffee
  manifpt train encoder --method supervised
"""
EPILOG = "Afterwards, `manifpt zoo pack --only-manifest` lists the new files in data/."


@click.group(
    name="train", cls=Room, stopped="stopped; nothing was written", epilog=EXAMPLES
)
def command():
    """Train the small networks that come with the package."""


def output(folder):
    """The options that every training has: its seed, and the folder it writes to."""

    def add(function):
        for option in (
            click.option(
                "--folder",
                type=click.Path(file_okay=False, path_type=Path),
                default=DATA / folder,
                show_default=f"data/{folder} beside the package",
                help="Folder for the weights and their record.",
            ),
            click.option("--seed", type=int, default=0, show_default=True),
            device,
        ):
            function = option(function)
        return function

    return add


@command.command("denoiser", epilog=EPILOG)
@click.option("--photo", required=True, type=click.Choice(PHOTOGRAPHS))
@click.option(
    "--steps", type=int, default=1200, show_default=True, help="Steps of 32 images."
)
@click.option(
    "--noise", default=20.0, show_default=True, help="Largest noise, in grey levels."
)
@click.option(
    "--width", type=int, default=32, show_default=True, help="Channels of the network."
)
@output("denoisers")
def train_denoiser(device, **options):
    """Train a denoiser on the views of a photograph.

    Example: manifpt train denoiser --photo coffee
    """
    from .denoiser import train_shipped
    from .device import use_device

    use_device(device)
    click.echo(json.dumps(train_shipped(**options, progress=True), indent=2))


@command.command("encoder", epilog=EPILOG)
@click.option("--method", required=True, type=click.Choice(ENCODERS))
@click.option("--crops", type=int, show_default="40000", help="Crops to train on.")
@click.option("--epochs", type=int, show_default="8 or 4", help="Passes over all.")
@output("encoders")
def train_encoder(device, **options):
    """Train an encoder on photographs outside the benchmark.

    Example: manifpt train encoder --method supervised
    """
    from .device import use_device
    from .encoder_training import train

    use_device(device)
    click.echo(json.dumps(train(**options, progress=True)["held_out"], indent=2))
