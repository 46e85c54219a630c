"""`manifpt run`: execute the notebooks of a run plan.

Every notebook runs in its own processes; by default two notebooks run at a time.  An
executed copy is written under a temporary name and moved into the output folder only
when the whole notebook succeeded, so every copy there is complete; the copy of a
notebook that failed is kept beside it as NAME.failed.ipynb.  A notebook is skipped if
its code, its parameters, this package, the data manifest and the pinned versions are
those of its last run; if only its prose changed, the new prose is put into the executed
copy.  So, after an interrupt or an error, the same command continues where it was.
`runs.json` in the output folder tells about every run (`manifpt_utils.run.record` says
what).

However slow a machine is, no notebook is stopped for its time, except in continuous
integration, where the budgets of the plan hold.

Exit status: 0 if all went well; 1 if a notebook failed; 2 if the plan or the output
folder cannot be used, or the disk is full; 128 + n if signal n stopped the run.
"""

import os
from pathlib import Path

import click

from .execution import run_all
from .plan import PROFILES, check_notebooks, read_plan, select
from .record import Executions, ready_to_write

EXAMPLES = """\b
Examples:
  manifpt run --profile full --list
  manifpt run --profile full --only 03_attribution
One notebook with other parameters:
  papermill notebooks/03_attribution.ipynb out.ipynb -p n_train 50
All features computed anew:
  MANIFPT_CACHE=off manifpt run --profile full --force
"""


class Refused(click.ClickException):
    """The plan or the output folder cannot be used."""

    exit_code = 2


def in_continuous_integration():
    """Whether the environment variable CI is set, as CI services do."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


@click.command(name="run", epilog=EXAMPLES)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="smoke",
    show_default=True,
    help="smoke is a quick check, full makes the published book.",
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    default="runs.yml",
    show_default=True,
    help="The run plan; the folder notebooks/ lies beside it.",
)
@click.option(
    "--only", multiple=True, metavar="NAME", help="Run only this one; may be repeated."
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Notebooks at a time; they share the cores.",
)
@click.option("--force", is_flag=True, help="Also execute what is unchanged.")
@click.option("--list", "listing", is_flag=True, help="Show what would be executed.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the executed copies [default: book/executed beside the plan].",
)
@click.option(
    "--enforce-budget/--no-budget",
    default=in_continuous_integration,
    help="Stop a notebook after the seconds that the plan allows [default: only in "
    "continuous integration, where the environment variable CI is set].",
)
@click.pass_context
def command(
    context, profile, plan_file, only, jobs, force, listing, output, enforce_budget
):
    """Execute the notebooks of a run plan with papermill.

    A notebook that is unchanged since its last run is skipped, so the same command
    continues after an interrupt or an error.
    """
    root = plan_file.resolve().parent
    try:
        plan = read_plan(plan_file)
        runs = select(plan, profile=profile, only=only)
        check_notebooks(runs, root)
        book = Executions(root, output or root / "book" / "executed", plan)
        if listing:
            click.echo("\n".join(book.line(run) for run in runs))
            return
        ready_to_write(book.output)
        options = {"jobs": jobs, "force": force, "enforce_budget": enforce_budget}
        context.exit(run_all(runs, book, **options))
    except ValueError as error:
        raise Refused(str(error)) from None
    except OSError as error:
        rest = "what was executed is kept, and the same command continues"
        raise Refused(f"{error}; {rest}") from None
