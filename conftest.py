"""Tests neither read nor write features that are kept, and share their cores."""

import os
import signal
import sys

os.environ["MANIFPT_CACHE"] = "off"
# On a busy machine, threads that wait without sleeping slow tests down tenfold.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# What is freed is kept for the next batch (see `_support.environment`); it reaches the
# processes that are started from here, those of xdist among them.
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "268435456")
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "33554432")
if "PYTEST_XDIST_WORKER" in os.environ:  # there is a worker for every core
    os.environ.setdefault("OMP_NUM_THREADS", "1")
# A shell that starts the tests in its background has Ctrl-C ignored, and processes
# inherit that; the tests of Ctrl-C need Python's own handler.
signal.signal(signal.SIGINT, signal.default_int_handler)
# jsonschema imports it for international addresses, which no notebook has; every worker
# would take more than a second for that.
sys.modules.setdefault("rfc3987_syntax", None)
