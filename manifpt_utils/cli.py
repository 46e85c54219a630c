"""The console command `manifpt`, with a sub-command for each purpose.

Each sub-command belongs to one part of the package and is imported only when it is
called, so that `manifpt --help` answers at once.
"""

from importlib import import_module

import click

SUBCOMMANDS = {
    "app": ("playground.command", "Open the playground as an app of this computer."),
    "attribute": ("attribution.command", "Tell which model made an image."),
    "audit": ("images.audit_command", "Tell how well files alone give classes away."),
    "project": ("method.project_command", "Project images onto real ones."),
    "run": ("run.command", "Execute the notebooks of the book."),
    "sample": ("images.sample_command", "Draw images from a diffusers pipeline."),
    "study": ("study.command", "Compute the stored results of the large tables."),
    "train": ("method.command", "Train the small networks of the package."),
    "zoo": ("zoo.command", "Train generators and store their samples."),
}
EXAMPLES = """\b
Examples:
  manifpt app
  manifpt attribute fit faces/ -o faces-attributor/
  manifpt audit my-images --html report.html
  manifpt project faces/ -o faces-projected/ --workers 2
  manifpt run --profile full --only 03_attribution
  manifpt sample pipelines/ddpm my-images ddpm -n 1000
  manifpt study comparison --list
  manifpt train denoiser --photo coffee
  manifpt zoo train --model dcgan --photo coffee
"""


class Rooms(click.Group):
    """Sub-commands that are imported when they are called."""

    def list_commands(self, ctx):
        """The names of all sub-commands, without an import."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx, name):
        """The sub-command of this name, or None if there is none."""
        if name not in SUBCOMMANDS:
            return None
        return import_module(f".{SUBCOMMANDS[name][0]}", __package__).command

    def format_commands(self, ctx, formatter):
        """Write the list of sub-commands, without an import."""
        with formatter.section("Commands"):
            formatter.write_dl([(n, text) for n, (_, text) in SUBCOMMANDS.items()])


@click.command(cls=Rooms, epilog=EXAMPLES)
def main():
    """Artifacts and fingerprints of generative models."""
