"""The playground as an app: it draws, answers, and refuses with one sentence."""

import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection

import book_site
import pytest
from book_site import NO_BROWSER, ROOT, visit

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("voila", reason="voila is not installed")
pytestmark = pytest.mark.skipif(book_site.chromium() is None, reason=NO_BROWSER)
STARTS = 120  # seconds, at most; a busy machine is no defect of the app


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(port, process):
    """Until something listens."""
    end = time.monotonic() + STARTS
    while time.monotonic() < end:
        assert process.poll() is None, process.stdout.read()
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the app does not listen")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """Address of a running app, whose kernel is this Python."""
    port = free_port()
    command = [sys.executable, "-m", "manifpt_utils", "app", "--no-browser"]
    tools = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env=os.environ | {"PATH": tools, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=STARTS)


@pytest.fixture(scope="module")
def opened(app):
    """The page when it is drawn, and what went wrong on the way."""
    with book_site.open_browser() as browser:
        page, problems = visit(browser, app)
        page.wait_for_selector("[role=status]:not(.file-refused)")
        yield page, problems
        page.close()
    assert problems == []


def status(page, text):
    """What is said once it holds a text."""
    found = page.locator("[role=status]").filter(has_text=text)
    found.wait_for()
    return found.inner_text()


def choose(page, file):
    """Choose a file of one's own."""
    page.get_by_label("Image by").select_option(label="an image of my own")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files([file])


def hand_over(page, name, content):
    """Choose a file with this content."""
    choose(page, {"name": name, "mimeType": "image/png", "buffer": content})


def test_it_says_who_made_an_image_and_shows_it(opened):
    page, _ = opened
    assert "grey levels long; the image is as it came." in status(page, "artifact")
    assert page.get_by_role("img", name="its closest point").count() == 1
    assert page.locator(".jp-InputArea-editor").count() == 0  # no code


def test_a_control_changes_what_is_said(opened):
    page, _ = opened
    page.get_by_label("Image by").select_option(index=0)
    slider = page.locator(".widget-slider").filter(has_text="Blur, pixels")
    slider.locator(".noUi-handle").focus()
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    status(page, "before the change")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.png", b"some text", "notes.png is empty, damaged, or of a format"),
        ("large.png", bytes(6_000_000), "large.png has 6.0 million bytes, and at most"),
    ],
)
def test_a_bad_file_gets_one_sentence(opened, name, content, words):
    page, _ = opened
    hand_over(page, name, content)
    said = status(page, words)
    assert said.startswith(words) and "Traceback" not in page.content()


def test_a_file_of_any_size_gets_a_sentence(opened, tmp_path):
    page, _ = opened
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(150_000_000)  # more than a message may have
    choose(page, path)
    assert "150.0 million bytes, and at most 5 million" in status(page, "huge.png has")
    hand_over(page, "notes.png", b"some text")  # the line still stands
    status(page, "notes.png is empty")


def test_an_image_of_ones_own_is_looked_at(opened):
    page, _ = opened
    sheet = ROOT / "notebooks" / "playground" / "playground.webp"
    hand_over(page, "mine.webp", sheet.read_bytes())
    status(page, "grey levels long")


def refusal(app, path, **headers):
    """The status of an answer, at the end of the way to it."""
    with closing(HTTPConnection(app.removeprefix("http://"))) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        target = answer.getheader("Location")
    return refusal(app, target, **headers) if target else answer.status


@pytest.mark.parametrize(
    "path", ["/api/terminals", "/voila/files/playground.ipynb", "/api/contents"]
)
def test_nothing_but_the_page_is_served(app, path):
    assert refusal(app, path) == 403


def test_a_page_of_another_host_is_not_let_in(app):
    assert refusal(app, "/", Host="elsewhere.example") == 403


def test_it_listens_on_this_computer_alone(app):
    port = int(app.rpartition(":")[2])
    for family, *_, address in socket.getaddrinfo(socket.gethostname(), port):
        if address[0] not in ("127.0.0.1", "::1") and family == socket.AF_INET:
            with socket.socket(family) as other:
                assert other.connect_ex(address) != 0
