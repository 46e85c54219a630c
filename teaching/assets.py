"""Scripts that slides and documents need, out of installed packages.

Nothing is loaded from a content delivery network, so that a lesson can be given
where there is none.
"""

import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
REVEAL = "sphinx_revealjs/_static/revealjs"
# Name in the folder -> distribution and the file in it.
VENDORED = {
    "reset.css": ("sphinx-revealjs", f"{REVEAL}/dist/reset.css"),
    "reveal.css": ("sphinx-revealjs", f"{REVEAL}/dist/reveal.css"),
    "reveal.js": ("sphinx-revealjs", f"{REVEAL}/dist/reveal.js"),
    "notes.js": ("sphinx-revealjs", f"{REVEAL}/plugin/notes/notes.js"),
    "reveal-LICENSE.txt": ("sphinx-revealjs", f"{REVEAL}/LICENSE"),
    "mathjax.js": (
        "sphinx-mathjax-offline",
        "sphinx-mathjax-offline/static/mathjax/tex-svg.js",
    ),
}
OWN = ("deck.css", "deck.js", "document.css", "math.js")
DOCUMENT = ("document.css", "math.js", "mathjax.js")
DECK = (*VENDORED, *OWN)


def write_assets(folder, names):
    """Put scripts and styles into a folder.

    Parameters
    ----------
    folder : path
    names : sequence of str
        `DECK`, or `DOCUMENT` where no slides lie in the folder beside it.

    Raises
    ------
    ValueError
        If a package that brings one of them is not installed, or is another version.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        source = TEMPLATES / name if name in OWN else _packaged(*VENDORED[name])
        shutil.copyfile(source, folder / name)


def _packaged(package, path):
    try:
        found = Path(distribution(package).locate_file(path))
    except PackageNotFoundError:
        found = None
    if found is None or not found.is_file():
        raise ValueError(
            f"{path} of the package {package} is missing: install the pinned version "
            "(pip install -c constraints.txt -e '.[book]')."
        )
    return found
