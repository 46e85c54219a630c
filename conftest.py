"""Tests neither read nor write features that are kept, and share their cores."""

import os

os.environ["MANIFPT_CACHE"] = "off"
# On a busy machine, threads that wait without sleeping slow tests down tenfold.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:  # there is a worker for every core
    os.environ.setdefault("OMP_NUM_THREADS", "1")
