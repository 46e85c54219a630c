"""Print ratios of time and memory, all measured in this run."""

import argparse
import os
import platform
from importlib import import_module
from importlib.metadata import version

import psutil

from .measure import measure

TOPICS = ("projection", "frechet")
TARGET = 1.1


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="Wall ratios are the fairer the less the machine does besides; CPU "
        "seconds add up all threads (limit them with OMP_NUM_THREADS).",
    )
    parser.add_argument(
        "topics",
        nargs="*",
        metavar="topic",
        help=f"what to measure: {', '.join(TOPICS)} (default: all)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, seconds instead of minutes"
    )
    parser.add_argument(
        "--repeats", type=int, default=5, help="timed rounds (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    unknown = [topic for topic in options.topics if topic not in TOPICS]
    if unknown:
        parser.error(f"unknown topic {unknown[0]!r}; known: {', '.join(TOPICS)}")
    if options.repeats < 1:
        parser.error(f"--repeats must be at least 1, got {options.repeats}")
    return options


def describe_machine():
    libraries = ("numpy", "scipy", "scikit-learn", "faiss-cpu")
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    load = psutil.getloadavg()[0]
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, "
        f"OMP_NUM_THREADS {threads}\nPython {platform.python_version()}, {versions}"
    )


def main():
    options = parse_arguments()
    print(describe_machine())
    if options.quick:
        print("Quick run: the sizes are too small for the ratios to mean much.")
    for topic in options.topics or TOPICS:
        # Imported here so that --help and a misspelt topic are answered at once.
        tasks = import_module(f".{topic}", package=__package__).tasks
        for task in tasks(quick=options.quick):
            table = measure(task, repeats=options.repeats)
            print(f"\n{task.title}\n{table.to_string(float_format='{:.3g}'.format)}")
            if topic == "projection" and not options.quick:
                print(verdict(table))


def verdict(table):
    """Compare the projection with the bare search, which is part of it."""
    wall, cpu = table.loc["DataManifold.project", ["wall ratio", "CPU ratio"]]
    outcome = "met" if wall <= TARGET else "missed"
    return (
        f"project / faiss.knn: {wall:.2f} in wall time, {cpu:.2f} in CPU time; "
        f"target at most {TARGET}: {outcome}"
    )


if __name__ == "__main__":
    main()
