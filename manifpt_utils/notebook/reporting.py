"""Numbers for the prose: what a notebook reports can be quoted in its text.

A sentence that says `` {glue:text}`accuracy:.1f` `` shows the number of the run.
"""

import numpy as np
from myst_nb import glue


def report(**numbers):
    """Glue numbers and words under their names, without displaying them.

    Parameters
    ----------
    **numbers : number or str
        NumPy scalars become plain ones, which format strings understand.

    Examples
    --------
    >>> report(n_models=np.int64(6), best="frequency raw")
    """
    for name, value in numbers.items():
        plain = value.item() if isinstance(value, np.generic) else value
        glue(name, plain, display=False)
