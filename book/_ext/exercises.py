"""Exercise notebooks, generated from the notebooks that hold their solutions.

`python book/_ext/exercises.py` writes `exercises/*.ipynb` from `exercises/solutions`:
in a cell with the line `# solution`, what follows is taken away, and the function says
that it is not written yet.  A test holds the two to each other.
"""

import copy
import re
from pathlib import Path

import nbformat

FOLDER = Path(__file__).parents[2] / "exercises"
SOLUTION = re.compile(r"^( *)# solution\n.*", re.MULTILINE | re.DOTALL)
STUB = r'\1raise NotImplementedError("write your code here")'
TITLES = "# Solutions: ", "# Exercises: "
PATHS = "](../../", "](../"  # they lie a folder higher


def with_stubs(solved):
    """The notebook that asks for what this one solves.

    Parameters
    ----------
    solved : NotebookNode

    Returns
    -------
    NotebookNode
    """
    asked = copy.deepcopy(solved)
    for cell in asked.cells:
        if cell.cell_type == "code":
            cell.source = SOLUTION.sub(STUB, cell.source)
        else:
            cell.source = cell.source.replace(*TITLES).replace(*PATHS)
    return asked


if __name__ == "__main__":
    for path in sorted((FOLDER / "solutions").glob("*.ipynb")):
        asked = with_stubs(nbformat.read(path, as_version=4))
        nbformat.write(asked, FOLDER / path.name)
