"""Exercise notebooks, generated from their solutions, and their pages in the book.

`python book/_ext/exercises.py` writes `exercises/*.ipynb` from `exercises/solutions`:
in a cell with the line `# solution`, what follows is taken away, and the function says
that it is not written yet.  A test holds the two to each other.

In the book an exercise notebook is a page.  As an extension of Sphinx, this module
folds the solution of each function below it.
"""

import copy
import re
from pathlib import Path

import nbformat

from manifpt_utils.notebook.exercises import EXERCISES

FOLDER = Path(__file__).parents[2] / "exercises"
SOLUTION = re.compile(r"^( *)# solution\n.*", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"^ *# solution\n", re.MULTILINE)
CHECK = re.compile(r'check\("([\d.]+)"')
STUB = r'\1raise NotImplementedError("write your code here")'
TITLES = "# Solutions: ", "# Exercises: "
PATHS = "](../../", "](../"  # they lie a folder higher
CHAPTERS = "](../notebooks/", "](../book/executed/"  # where the book has them
HOW = (
    "\n\nHere they can be read. To write your own, open this notebook in JupyterLab: "
    "the button at the top downloads it."
)
FOLDED = """\
<details class="{kind}"><summary>{title}</summary>

{text}

</details>"""


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


def as_page(solved):
    """The page of the book: hints and solution stand folded below each exercise.

    Parameters
    ----------
    solved : NotebookNode

    Returns
    -------
    NotebookNode
    """
    page = with_stubs(solved)
    page.cells[0].source = page.cells[0].source.replace(*CHAPTERS) + HOW
    cells, code = [], ""
    for asked, whole in zip(page.cells, solved.cells, strict=True):
        cells.append(asked)
        if MARK.search(whole.source):
            code = MARK.sub("", whole.source)
        elif named := CHECK.match(whole.source):
            cells.append(_folded(named[1], code, whole.id))
    page.cells = cells
    return page


def _folded(name, code, check):
    """A cell with the hints and the solution of an exercise, after its check."""
    hints = EXERCISES[name].hints
    titles = ["Hint", *["Another hint"] * (len(hints) - 1)]
    parts = [("hint", *hint) for hint in zip(titles, hints, strict=False)]
    parts.append(("solution", "Solution", f"```python\n{code}\n```"))
    text = (FOLDED.format(kind=k, title=title, text=text) for k, title, text in parts)
    return nbformat.v4.new_markdown_cell("\n\n".join(text), id=f"after-{check}")


def fold_solutions(app, docname, source):
    """Make a page of an exercise notebook that Sphinx reads."""
    folder, _, name = docname.rpartition("/")
    path = Path(app.srcdir, "exercises", "solutions", f"{name}.ipynb")
    if folder != "exercises" or not path.is_file():
        return
    app.env.note_dependency(str(path))
    source[0] = nbformat.writes(as_page(nbformat.read(path, as_version=4)))


def setup(app):
    """Connect the pages to Sphinx."""
    app.connect("source-read", fold_solutions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    for path in sorted((FOLDER / "solutions").glob("*.ipynb")):
        asked = with_stubs(nbformat.read(path, as_version=4))
        nbformat.write(asked, FOLDER / path.name)
