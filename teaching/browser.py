"""A headless Chromium, which prints pages."""

import os
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from shutil import which

NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_NETWORK = "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
NO_BROWSER = (
    "No PDF was made, because no Chromium was found: install it, or set the "
    "environment variable MANIFPT_CHROMIUM to its path."
)


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing is said about each file."""


def chromium():
    """Path of the browser, None where there is none or nothing that drives it."""
    if find_spec("playwright") is None:
        return None
    return os.environ.get("MANIFPT_CHROMIUM") or next(
        filter(None, map(which, NAMES)), None
    )


@contextmanager
def serve(folder):
    """Serve a folder on a free local port; yields the address.

    Parameters
    ----------
    folder : path
    """
    handler = partial(_QuietHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def open_browser():
    """A headless Chromium, driven by playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", f"--host-resolver-rules={NO_NETWORK}"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=options)
        try:
            yield browser
        finally:
            browser.close()
