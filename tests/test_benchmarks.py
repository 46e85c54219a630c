"""What benchmarks measure is of the process that they measure."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import memory

ROOT = Path(__file__).parents[1]
LARGE = 100_000_000  # bytes
LINUX = pytest.mark.skipif(not memory.STATUS.is_file(), reason="needs /proc")
CODE = f"""if True:
    from benchmarks.memory import peak, reset
    print(peak())
    made = bytearray({LARGE})
    print(peak())
    del made
    reset()
    print(peak())
"""


@LINUX
def test_a_peak_is_neither_inherited_nor_kept_after_a_reset():
    mine = np.ones(LARGE // 8)  # which a child would begin with
    command, paths = [sys.executable, "-c", CODE], {"PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        command, env=os.environ | paths, capture_output=True, text=True, check=True
    )
    start, largest, end = map(int, found.stdout.split())
    assert mine.nbytes <= memory.peak()
    assert start < LARGE / 2 and largest > LARGE and end < LARGE / 2
