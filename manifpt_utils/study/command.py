"""`manifpt study`: compute what the stored results of a study lack."""

from importlib import import_module

import click

STUDIES = {
    "comparison": "Every method of the book's big table.",
    "estimation": "Artifacts by the exact closest point and by its estimates.",
}
EXAMPLES = """\b
Examples:
  manifpt study comparison --list
  manifpt study estimation --jobs 2 --spaces rgb
  manifpt study comparison --help
"""
# A study reads its own options.
FORWARDED = {"ignore_unknown_options": True, "help_option_names": []}


class Studies(click.Group):
    """Studies that are imported when they are called."""

    def list_commands(self, ctx):
        """The names of all studies."""
        return list(STUDIES)

    def get_command(self, ctx, name):
        """The command of a study, or None where there is none of that name."""
        if name not in STUDIES:
            return None
        arguments = click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)
        return click.Command(
            name,
            params=[arguments],
            help=STUDIES[name],
            context_settings=FORWARDED,
            callback=lambda arguments: _main(name)(list(arguments)),
        )


def _main(name):
    return import_module(f".{name}", __package__).main


@click.command(name="study", cls=Studies, epilog=EXAMPLES)
def command():
    """Compute the stored results of a study.

    What the results hold already is skipped, so the same command goes on after an
    interrupt.
    """
