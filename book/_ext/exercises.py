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

FOLDER = Path(__file__).parents[2] / "exercises"
SOLUTION = re.compile(r"^( *)# solution\n.*", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"^ *# solution\n", re.MULTILINE)
STUB = r'\1raise NotImplementedError("write your code here")'
TITLES = "# Solutions: ", "# Exercises: "
PATHS = "](../../", "](../"  # they lie a folder higher
CHAPTERS = "](../notebooks/", "](../book/executed/"  # where the book has them
HOW = (
    "\n\nHere they can be read. To write your own, open this notebook in JupyterLab: "
    "the button at the top downloads it."
)
FOLDED = """\
<details class="solution"><summary>Solution of {name}</summary>

```python
{code}
```

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
    """The page of the book: the exercises, each with its solution folded below it.

    Parameters
    ----------
    solved : NotebookNode

    Returns
    -------
    NotebookNode
    """
    page = with_stubs(solved)
    page.cells[0].source = page.cells[0].source.replace(*CHAPTERS) + HOW
    cells = []
    for asked, whole in zip(page.cells, solved.cells, strict=True):
        cells.append(asked)
        if whole.cell_type == "code" and MARK.search(whole.source):
            cells.append(_folded(whole))
    page.cells = cells
    return page


def _folded(cell):
    code = MARK.sub("", cell.source)
    text = FOLDED.format(name=cell.source.split("def ")[1].split("(")[0], code=code)
    return nbformat.v4.new_markdown_cell(text, id=f"solution-of-{cell.id}")


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
