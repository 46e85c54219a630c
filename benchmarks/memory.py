"""The largest resident memory of a process, and of it alone.

On Linux the number of `getrusage` outlives the start of a program: a child begins with
what its parent had.  `/proc/self/status` counts from the start of the program, and the
count can be reset.
"""

import resource
import sys
from contextlib import suppress
from pathlib import Path

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak():
    """Largest resident memory of this process so far, or since `reset`, in bytes."""
    if STATUS.is_file():
        lines = STATUS.read_text().splitlines()
        (line,) = (line for line in lines if line.startswith("VmHWM:"))
        return 1024 * int(line.split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reset():
    """Count from now on, where the system can."""
    with suppress(OSError):
        RESET.write_text("5")
