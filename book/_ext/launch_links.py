"""Links that start the source of a chapter on Binder, Colab or Codespaces.

They are written below the title of each chapter where the repository is known: from
`repository.url` of _config.yml, or else from the remote "origin", if the book is
rendered in a clone of a repository on GitHub.  They lead to `notebooks/`, not to the
executed copy, which no repository holds.
"""

import re
import subprocess
from html import escape

from docutils import nodes

EXECUTED = "book/executed/"
NAME = r"([\w.-]+/[\w.-]+?)(?:\.git)?/?$"
GITHUB = re.compile(rf"^https://github\.com/{NAME}")
# What git accepts as the address of a repository; a password in it is never copied.
REMOTE = re.compile(rf"^(?:https://(?:[^/]*@)?|ssh://git@|git@)github\.com[/:]{NAME}")


def links(url, branch, notebook):
    """Name and address of each service for one notebook.

    Parameters
    ----------
    url : str
        Of a repository on GitHub.
    branch : str
    notebook : str
        Path of the source in the repository.

    Returns
    -------
    dict of str to str

    Raises
    ------
    ValueError
        If the address is not one of GitHub, the only host that all three know.

    Examples
    --------
    >>> links("https://github.com/a/b", "main", "notebooks/c.ipynb")["Colab"]
    'https://colab.research.google.com/github/a/b/blob/main/notebooks/c.ipynb'
    """
    found = GITHUB.match(url)
    if found is None:
        raise ValueError(
            f"repository.url = {url!r} of _config.yml must be such as "
            "https://github.com/OWNER/NAME, or empty."
        )
    name = found[1]
    return {
        "Binder": f"https://mybinder.org/v2/gh/{name}/{branch}?urlpath=lab/tree/{notebook}",
        "Colab": f"https://colab.research.google.com/github/{name}/blob/{branch}/{notebook}",
        "Codespaces": f"https://codespaces.new/{name}/tree/{branch}",
    }


def origin(folder):
    """Address of the repository on GitHub from which a folder was cloned.

    Parameters
    ----------
    folder : path

    Returns
    -------
    str
        Empty where there is none: no clone, another host, no git.
    """
    command = ["git", "-C", str(folder), "config", "--get", "remote.origin.url"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # where git is not installed
        return ""
    found = REMOTE.match(done.stdout.strip())
    return f"https://github.com/{found[1]}" if found else ""


def before_colab(url):
    """The lines that a notebook needs on Colab, which opens it without the project.

    Parameters
    ----------
    url : str

    Returns
    -------
    str
    """
    return f"!git clone --depth 1 {url} project\n%pip install --quiet -e project"


def note(url, branch, name):
    """What stands below the title of a chapter; the lines for Colab are folded."""
    text = nodes.paragraph("", "Start it on ", classes=["execution-note"])
    found = links(url, branch, f"notebooks/{name}.ipynb")
    for i, (service, address) in enumerate(found.items()):
        text += nodes.Text(", " if i else "")
        text += nodes.reference("", service, refuri=address)
    text += nodes.Text(".")
    lines = escape(before_colab(url))
    fold = (
        '<details class="execution-note"><summary>On Colab, run these two lines '
        f'first</summary><pre tabindex="0">{lines}</pre></details>'
    )
    return [text, nodes.raw("", fold, format="html")]


def add_links(app, doctree):
    """Put the links into a chapter where the repository is known."""
    options = app.config.html_theme_options
    name = app.env.docname
    if not name.startswith(EXECUTED):
        return
    url = options.get("repository_url") or origin(app.srcdir)
    if not url:
        return
    title = next(doctree.findall(nodes.title), None)
    if title is not None:
        branch = options.get("repository_branch", "main")
        place = title.parent.index(title) + 1
        title.parent.insert(place, note(url, branch, name.removeprefix(EXECUTED)))


def setup(app):
    """Register the hook with Sphinx."""
    app.connect("doctree-read", add_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
