"""`manifpt attribute`: fit on a folder of images, and ask about new ones."""

import sys
from pathlib import Path

import click

from .._support.console import Room, device, normalise, size, whole_number
from .._support.files import check_replaceable, check_writable, write_whole
from .._support.names import PRECISIONS
from .._support.printable import printable

EXAMPLES = """\b
Examples:
  manifpt attribute fit faces/ -o faces-attributor/
  manifpt attribute predict faces-attributor/ suspect.png more/ --csv answers.csv
"""
FIT_NOTES = """\b
FOLDER holds real/ and one sub-folder of images per model, all of one size, or of any
size with --size.  The other layouts that can be read are in book/own_images.md.  The
attributor learns from three fifths of the images of every class; one fifth calibrates
the p-values, and one fifth tests the result.  If FOLDER comes with a split into train
and test, its test images are the test.  Options that are not given are chosen by
cross-validation: the space from rgb and frequency, the estimate from raw, nearest,
highpass and denoiser, the classifier from linear and network.
\b
After an interrupt, the same command continues: features are kept in the cache.
\b
Example:
  manifpt attribute fit faces/ -o faces-attributor/ --size 64 --quick
"""
PREDICT_NOTES = """\b
How to read an answer.  Every class has a p-value: the share of calibration images of
that class which look no more typical of it than this image.  At a coverage of 0.9,
classes with a p-value of 0.1 or less are ruled out, and those that remain are the set.
For nine in ten new images, made as those of the fit were, it holds the true class.
A larger coverage rules out fewer classes.  The verdict is one of these:
\b
  a class    only this class cannot be ruled out, and the answer is stable
  several    more than one class cannot be ruled out
  unknown    all classes are ruled out: the image is like none of them
  unsure     the most probable class changes when the image is stored as JPEG 90 or
             resized by 0.9 and back, or it is not the one class that remains
\b
Example:
  manifpt attribute predict faces-attributor/ suspect.png --explain verdict.png
"""
LEGEND = """
distance: from the nearest real image, in grey levels. How to read a verdict and a set:
manifpt attribute predict --help"""
STOPPED = "stopped; nothing was written; the next call continues from the cache"


@click.group(name="attribute", cls=Room, stopped=STOPPED, epilog=EXAMPLES)
def command():
    """Tell which model made an image, how sure that is, and when it is none of them."""


@command.command("fit", epilog=FIT_NOTES)
@click.argument("folder")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the attributor; an attributor that is already there is replaced.",
)
@click.option("--models", help="Models to learn, separated by commas [default: all].")
@size
@normalise
@whole_number("--per-class", help="Read at most this many images of a class.")
@click.option("--space", help="rgb, frequency, supervised or selfsupervised.")
@click.option(
    "--estimate",
    help="What is classified: raw, nearest, highpass, denoiser or another one.",
)
@click.option(
    "--classifier",
    type=click.Choice(["linear", "network"]),
    help="Logistic regression, or a residual network.",
)
@click.option(
    "--coverage",
    default=0.9,
    show_default=True,
    help="Share of images whose set is to hold the true class, see predict --help.",
)
@click.option("--without-real", is_flag=True, help="Leave real out of the classes.")
@click.option("--quick", is_flag=True, help="Only one round of cross-validation.")
@device
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="float32",
    show_default=True,
    help="In which networks compute. auto is bfloat16 where the processor multiplies "
    "in it, which is faster; the last digits then depend on the processor.",
)
@whole_number("--seed", 0, least=0, help="Seed of everything random.")
def fit(folder, output, models, size, normalise, per_class, without_real, **options):
    """Learn to attribute images to the models of FOLDER.

    FOLDER may also be a benchmark that is shipped, such as gm-photo/coffee.
    """
    from .attributor import Attributor
    from .forecast import minutes_of_fit
    from .storage import check_free, save_attributor

    check_free(output)
    _check_outside(output, [folder])
    read_as = {"size": size, "normalise": normalise, "per_class": per_class}
    benchmark = _load(folder, models, **read_as)
    attributor = Attributor(with_real=not without_real, progress=True, **options)
    minutes = max(1, round(minutes_of_fit(attributor, benchmark)))
    shorter = "a smaller --size takes" if attributor.quick else "--quick or --size take"
    click.echo(
        f"This will take about {minutes} min on this machine, without what an "
        f"earlier call left in the cache; {shorter} less.",
        err=True,
    )
    attributor.fit(benchmark)
    save_attributor(attributor, output, origin=folder)
    click.echo(summary(attributor, said=benchmark.warnings))
    click.echo(
        f"\nWritten to {output}. Next: manifpt attribute predict {output} IMAGE ..."
    )


def _load(folder, models, **options):
    """Load the benchmark, and print the warnings of its audit."""
    import warnings

    from ..images.audit_report import headline
    from ..images.loading import load

    names = [name.strip() for name in models.split(",")] if models else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        benchmark = load(folder, models=names, **options)
    if benchmark.audit is not None:
        click.echo(headline(benchmark.audit), err=True)
    for message in benchmark.warnings:
        click.echo(f"Warning: {message}", err=True)
    return benchmark


def summary(attributor, *, said=()):
    """What was chosen and how well it does, in a few lines.

    Parameters
    ----------
    attributor : fitted Attributor
    said : sequence of str
        Warnings that were shown already.

    Returns
    -------
    str
    """
    choice, found = attributor.choice_, attributor.quality_
    accuracy, coverage = found.accuracy, found.coverage
    lines = [
        f"Classes    {', '.join(attributor.classes_)}",
        f"Chosen     {choice.classifier} classifier of {choice.representation}",
        f"Accuracy   {accuracy.mean:.1%} of {accuracy.n} test images (95 % interval "
        f"{accuracy.low:.1%} to {accuracy.high:.1%}; chance {found.chance:.1%})",
        f"Sets       hold the true class for {coverage.mean:.1%} ({coverage.low:.1%} "
        f"to {coverage.high:.1%}; asked for: {attributor.coverage:.0%}), with "
        f"{found.set_size:.1f} classes on average; {found.unknown:.1%} are empty",
    ]
    new = [x for x in attributor.warnings_ if x not in said]
    return "\n".join(lines + [f"Warning    {x}" for x in new])


@command.command("predict", epilog=PREDICT_NOTES)
@click.argument("attributor", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True)
@click.option(
    "--csv",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all columns to this file, with hash, probabilities and p-values.",
)
@click.option(
    "--explain",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the answer about the first image into this PNG file.",
)
@click.option("--coverage", type=float, help="As for fit [default: as fitted].")
@device
def predict(attributor, images, csv, explain, coverage, device):
    """Say which model made each of IMAGES (files or folders), by ATTRIBUTOR."""
    import pandas as pd

    from ..metrics.conformal import check_coverage
    from .answers import answer_files
    from .pictures import MARK
    from .storage import load_attributor

    for path, mark in ((csv, "file,sha256,"), (explain, MARK)):
        _check_target(path, mark, images)
    attributor = load_attributor(attributor, device=device)
    if coverage is not None:
        check_coverage(coverage)
        attributor.set_params(coverage=coverage)
    parts = answer_files(attributor, images, progress=True)
    table = pd.concat(parts, ignore_index=True)
    _show(table)  # first, for the files may fail
    if csv:
        _write(csv, table.to_csv(index=False, lineterminator="\n"))
    if explain:
        _explain(attributor, table, explain)
    if (table["error"] != "").any():
        sys.exit(1)


def _check_target(path, mark, images):
    """Refuse, before the work, a file that may not be written there."""
    if path is None:
        return
    check_writable(path)
    _check_outside(path, images)
    check_replaceable(path, mark)


def _check_outside(path, sources):
    """Refuse a place among the images that are read."""
    place = path.expanduser().resolve()
    for source in map(Path, sources):
        home = source.expanduser().resolve()
        if place == home or (home.is_dir() and home in place.parents):
            raise ValueError(
                f"{path} lies among the images of {source}; choose a place outside of "
                "it."
            )


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def _explain(attributor, table, path):
    from .answers import image_of
    from .pictures import explanation

    answered = table[table["error"] == ""]
    if answered.empty:
        raise ValueError(f"no image could be read, so {path} was not drawn.")
    row = answered.iloc[0]
    _write(path, explanation(attributor, image_of(row["file"], attributor), row))


def _show(table):
    """Print the answers in short form, and at the end what could not be read."""
    answered = table[table["error"] == ""]
    if len(answered):
        columns = ["file", "verdict", "set", "prediction", "probability"]
        columns += ["nearest real", "distance"]
        shown = answered[columns].map(
            lambda value: printable(value) if isinstance(value, str) else value
        )
        click.echo(shown.to_string(index=False, float_format="{:.3f}".format))
        click.echo(LEGEND)
    for message in table.loc[table["error"] != "", "error"]:
        click.echo(f"Error: {printable(message)}", err=True)
