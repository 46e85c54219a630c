"""What console commands share: some options, and how an error is told."""

import click

from .names import NORMALISATIONS
from .printable import printable


def whole_number(name, default=None, *, least=1, help):
    """An option that takes a whole number, not below the least one."""
    options = {"type": click.IntRange(min=least), "default": default, "help": help}
    return click.option(name, show_default=default is not None, **options)


size = whole_number("--size", help="Resize all images to this height and width.")
n_real = whole_number("--n-real", help="Real images for the manifold [default: all].")
normalise = click.option(
    "--normalise",
    type=click.Choice(NORMALISATIONS),
    help="Store all images alike first, see manifpt audit --help.",
)
workers = whole_number(
    "--workers", help="Start this many Dask workers on this machine."
)
scheduler = click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Use a running Dask cluster, for instance tcp://10.0.0.1:8786.",
)
device = click.option(
    "--device",
    default="cpu",
    show_default=True,
    help="Where torch computes: cpu, cuda, cuda:0 and so on, or auto.",
)


class Stopped(click.ClickException):
    """Ctrl-C, which has the exit status that it has in every shell."""

    exit_code = 130


class _Plain:
    """Reports an error of the user in one line, and ends with exit status 1.

    Parameters
    ----------
    stopped : str
        The message after Ctrl-C.
    """

    def __init__(self, *args, stopped, **options):
        super().__init__(*args, **options)
        self.stopped = stopped

    def invoke(self, ctx):
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (ValueError, FloatingPointError, OSError) as error:
            raise click.ClickException(_shown(error)) from None
        except KeyboardInterrupt:
            raise Stopped(self.stopped) from None


def _shown(error):
    """What an error says, with the names in it fit for a screen."""
    return "\n".join(map(printable, str(error).split("\n")))


class Room(_Plain, click.Group):
    """Sub-commands that report an error of the user in one line, with exit status 1."""


class Task(_Plain, click.Command):
    """A command that reports an error of the user in one line, with exit status 1."""
