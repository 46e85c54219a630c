"""What console commands share: the option of a device, and how an error is told."""

import click

from .printable import printable

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
