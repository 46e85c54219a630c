"""`manifpt app`: the playground in a browser, for this computer alone.

Voila shows the notebook without its code.  A browser may move its controls and hand
over files, and can run nothing: Voila takes no code from it, there is no terminal, and
the server listens on the loopback address only.
"""

import json
import os
import tempfile
import threading
import webbrowser
from contextlib import contextmanager
from pathlib import Path

import click

from .._support.console import Task
from .._support.extras import extra
from .._support.paths import ROOT

NOTEBOOK = ROOT / "notebooks" / "playground" / "playground.ipynb"
NAME = "manifpt"  # of the template
# Voila's own page, without the icons that it loads from another host.
TEMPLATE = """\
{% extends 'voila/templates/lab/index.html.j2' %}
{% block notebook_css %}
{{ super() | replace('https://cdn.jsdelivr.net/npm/', 'data:text/css,') }}
{% endblock notebook_css %}
"""
LEFT_OUT = "not-in-app"  # tag of cells that are for those who have no kernel
IDLE = 600  # seconds after which a page that nobody looks at gives its memory back


EXAMPLES = """\b
Examples:
  manifpt app
  manifpt app --port 9000 --no-browser
"""


@click.command(cls=Task, stopped="The app has ended.", epilog=EXAMPLES)
@click.option(
    "--port", type=click.IntRange(1024, 65535), default=8866, show_default=True
)
@click.option(
    "--browser/--no-browser", "opens", default=True, help="Open a browser, or none."
)
def command(port, opens):
    """Open the playground as an app of this computer; Ctrl-C ends it."""
    extra("voila", "app")
    if not NOTEBOOK.is_file():
        raise ValueError(f"{NOTEBOOK} is not there; start the app from a checkout.")
    from traitlets.config import Config
    from voila.app import Voila

    address = f"http://127.0.0.1:{port}"
    click.echo(f"The playground opens at {address} in a moment; Ctrl-C ends it.")
    if opens:
        threading.Timer(2, webbrowser.open, [address]).start()
    os.environ["JUPYTER_WIDGETS_ECHO"] = "0"  # a large file is not sent back
    with _template():
        Voila.launch_instance([str(NOTEBOOK)], config=Config(settings(port)))


def settings(port):
    """What Voila is told.

    Parameters
    ----------
    port : int

    Returns
    -------
    dict of dict
    """
    server = {
        "ip": "127.0.0.1",
        "port": port,
        "port_retries": 0,  # the address that was said is the address
        "open_browser": False,
        "tornado_settings": {
            # A page of another host name is not let in through this computer's browser.
            "allow_remote_access": False,
            "local_hostnames": ["localhost"],
        },
    }
    page = {"strip_sources": True, "show_tracebacks": False, "template": NAME}
    page["file_allowlist"] = [r"$^"]  # no file beside the notebook
    return {
        "Voila": server,
        "VoilaConfiguration": page,
        "TagRemovePreprocessor": {"enabled": True, "remove_cell_tags": [LEFT_OUT]},
        "MappingKernelManager": {"cull_idle_timeout": IDLE, "cull_interval": 60},
    }


@contextmanager
def _template():
    """A folder where Voila finds the template, as long as the app runs."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "voila", "templates", NAME)
        place.mkdir(parents=True)
        (place / "index.html.j2").write_text(TEMPLATE, encoding="utf-8")
        base = json.dumps({"base_template": "lab"})
        (place / "conf.json").write_text(base, encoding="utf-8")
        before = os.environ.get("JUPYTER_PATH")
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [folder, before]))
        yield
