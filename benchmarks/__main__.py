"""Print ratios of time and memory, all measured in this run."""

import argparse
import os
import platform
from importlib import import_module
from importlib.metadata import version

import psutil

from manifpt_utils._support.cache import VARIABLE

from .measure import measure

TOPICS = ("projection", "artifacts", "frechet", "coverage", "tsne", "methods")


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
    libraries = ("numpy", "scipy", "scikit-learn", "faiss-cpu", "torch", "openTSNE")
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    load = psutil.getloadavg()[0]
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, "
        f"OMP_NUM_THREADS {threads}\nPython {platform.python_version()}, {versions}"
    )


def main():
    options = parse_arguments()
    os.environ[VARIABLE] = "off"  # what is computed is measured, not what is read
    print(describe_machine())
    if options.quick:
        print("Quick run: the sizes are too small for the ratios to mean much.")
    for topic in options.topics or TOPICS:
        # Imported here so that --help and a misspelt topic are answered at once.
        module = import_module(f".{topic}", package=__package__)
        for task in module.tasks(quick=options.quick):
            table = measure(task, repeats=options.repeats)
            print(f"\n{task.title}\n{table.to_string(float_format='{:.3g}'.format)}")
            if hasattr(module, "verdict") and not options.quick:
                print(module.verdict(table))


if __name__ == "__main__":
    main()
