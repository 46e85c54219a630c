"""Computing what a study lacks, in several processes, and its command line."""

import argparse
import shlex
import sys
import time
from itertools import groupby
from pathlib import Path

import joblib
from tqdm import tqdm

from .._support.paths import DATA
from .study import FOLDER, Store


def compute(trainings, store, *, jobs=1, **options):
    """Run the trainings that the results lack and add what they give.

    Parameters
    ----------
    trainings : list of tuple
    store : Store
        Is written after every batch, so that an interrupted call goes on.
    jobs : int
        Processes.
    **options
        Of the study's `measure`.
    """
    study = store.study
    todo = study.missing(trainings, store.read()[0])
    run = joblib.delayed(_measure_all)
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    batches = (list(batch) for _, batch in groupby(todo, key=study.batch))
    work = parallel(run(study, batch, options) for batch in batches)
    with tqdm(total=len(todo), unit="training") as bar:
        for done, rows, seconds in work:
            store.add(done, rows, seconds)
            bar.set_postfix_str(study.account(done[0]))
            bar.update(len(done))


def _measure_all(study, trainings, options):
    """Rows and CPU seconds of some trainings, computed on one thread."""
    import torch

    torch.set_num_threads(1)
    begun = time.process_time()
    rows = [row for training in trainings for row in study.measure(training, **options)]
    return trainings, rows, time.process_time() - begun


def parser(study, description):
    """The arguments that the command lines of all studies have."""
    top = argparse.ArgumentParser(
        prog=f"manifpt study {study.name}",
        description=f"{description} Cells that the results hold already are skipped; "
        "delete the file to compute all of them again.",
        epilog="Afterwards `manifpt zoo pack --only-manifest` lists the new files.",
    )
    add = top.add_argument
    add("--jobs", type=_positive, default=1, help="processes; default: %(default)s")
    place = "folder of the results; default: data/results beside the package"
    add("--output", type=Path, default=DATA / FOLDER, help=place)
    add("--list", action="store_true", help="show what would be trained, and stop")
    return top


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def run(study, parser, plan, arguments=None, *, passed=()):
    """Run a command line; an error of the user's is one line and exit status 1.

    Parameters
    ----------
    study : Study
    parser : argparse.ArgumentParser
        From `parser`, with more arguments.
    plan : function of the parsed options
        The trainings that they ask for.
    arguments : list of str, optional
        Those of the process by default.
    passed : sequence of str
        Options that `measure` takes.
    """
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(given)
    try:
        trainings = plan(options)
        store = Store(study, options.output, shlex.join([*parser.prog.split(), *given]))
        if options.list:
            todo = study.missing(trainings, store.read()[0])
            print("\n".join(", ".join(map(str, training)) for training in todo))
            return
        more = {name: getattr(options, name) for name in passed}
        compute(trainings, store, jobs=options.jobs, **more)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on with what is missing")
