"""Figures that compute: they answer, stay at home, and agree with the package."""

from contextlib import contextmanager

import book_site
import circle_figure
import numpy as np
import photo_figure
import pytest
from book_site import NO_BROWSER, PATIENCE, ROOT, blank, serve
from bs4 import BeautifulSoup

from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.images.postprocessing import blur
from manifpt_utils.method.known_manifolds import circle
from manifpt_utils.method.local_projection import affine_projection, tangent_projection
from manifpt_utils.method.manifold import DataManifold

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(book_site.chromium() is None, reason=NO_BROWSER)
SCRIPT = ROOT / "book/_static/touch.js"
FIGURES = {"circle": circle_figure.figure, "photo": photo_figure.figure}
each_figure = pytest.mark.parametrize("name", FIGURES)
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with book_site.open_browser() as opened:
        yield opened


def bare_page(content):
    """A page with figures and the book's own style and script."""
    return f"""<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8">
    <title>Touch</title>
    <meta name="viewport" content="width=device-width">
    <link rel="icon" href="_static/logo.svg">
    <link rel="stylesheet" href="_static/manifpt.css">
    <body><main class="bd-content">{content}</main>
    <script src="_static/touch.js"></script>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page for every figure, at an address."""
    folder = tmp_path_factory.mktemp("touch")
    (folder / "_static").symlink_to(ROOT / "book/_static")
    for name, figure in FIGURES.items():
        (folder / f"{name}.html").write_text(bare_page(figure()), encoding="utf-8")
    with serve(folder) as address:
        yield address


@pytest.fixture(scope="module")
def tab(browser):
    """What shows one figure after the other."""
    page, problems = blank(browser)
    yield page, problems
    page.close()


@pytest.fixture
def show(tab, site):
    """Show a figure; at the end nothing was asked of another host, and no error."""
    page, problems = tab
    problems.clear()

    def shown(name):
        page.emulate_media(reduced_motion="no-preference")
        book_site.show(page, f"{site}/{name}.html")
        page.wait_for_selector(".pad[tabindex]")
        return page

    yield shown
    page.mouse.move(0, 0)
    page.goto("about:blank")
    assert problems == []


def press(page, *keys):
    page.locator(".pad").focus()
    for key in keys:
        page.keyboard.press(key)


def announced(page, text):
    """Wait until a screen reader is told something that holds the text."""
    page.locator("[aria-live]").filter(has_text=text).wait_for(state="attached")


def place(page, selector):
    box = page.locator(selector).first.bounding_box()
    return np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])


# --- estimates are those of the package -------------------------------------------


def expected(x, real):
    """Closest points (2,) by the package's own functions, in double precision."""
    order = ((real - x) ** 2).sum(axis=1).argsort()
    near, x = real[order][None], x[None]
    return {
        "exact": circle().closest(x)[0],
        "nearest": near[0, 0],
        "tangent": tangent_projection(x, near[:, :5], 1)[0],
        "hull": affine_projection(x, near[:, :2])[0],
    }


@pytest.mark.parametrize("n", circle_figure.SIZES)
def test_estimates_on_the_circle_agree_with_the_package(show, n):
    page = show("circle")
    xs = np.random.default_rng(n).uniform(-1, 1, (30, 2))
    turns = circle().coordinates(n, seed=n)[:, 0]
    found = page.evaluate(
        "([xs, turns]) => xs.map((x) =>"
        " manifpt.estimates(x, turns.map(manifpt.onCircle)))",
        [xs.tolist(), turns.tolist()],
    )
    for x, estimates in zip(xs, found, strict=True):
        wanted = expected(x, circle().points(turns[:, None]))
        assert list(estimates) == list(wanted)
        for kind, star in wanted.items():
            np.testing.assert_allclose(estimates[kind], star, atol=1e-6, rtol=0)


def test_the_centre_has_no_closest_point(show):
    page = show("circle")
    turns = "[0, 0.1, 0.3, 0.5, 0.7].map(manifpt.onCircle)"
    assert page.evaluate(f"manifpt.estimates([0, 0], {turns}).exact") is None
    pad = page.locator(".pad svg").bounding_box()
    page.mouse.click(pad["x"] + pad["width"] / 2, pad["y"] + pad["height"] / 2)
    announced(page, "the centre has no closest point")
    assert page.locator("tr[data-kind=exact] td").all_inner_texts() == ["–", "–"]


def in_photo(page, expression, *values):
    """Evaluate with `photo`, the photograph of the figure, and `values` at hand."""
    return page.evaluate(
        "async (values) => { const data = JSON.parse(document.querySelector("
        "'.touch-photo script').textContent);"
        " const photo = await manifpt.photoOf(data);"
        f" return {expression}; }}",
        list(values),
    )


def views_of(page, boxes):
    found = in_photo(
        page, "values[0].map((box) => [...manifpt.viewOf(photo, box)])", boxes
    )
    return np.array(found)


def test_views_are_those_of_the_package(show):
    boxes = PhotoManifold("coffee").coordinates(8, seed=5).tolist()
    boxes += PhotoManifold("coffee").bounds.T.tolist()  # the smallest and the largest
    found = views_of(show("photo"), boxes)
    wanted = PhotoManifold("coffee").views(boxes).reshape(len(boxes), -1)
    apart = np.abs(found - wanted)
    assert apart.max() <= 1  # single precision there, double here
    assert (apart > 0).mean() < 0.01


def test_the_nearest_view_and_its_artifact_are_those_of_the_package(show):
    page = show("photo")
    boxes = photo_figure.coordinates()[:60].tolist()
    stored = views_of(page, boxes)
    x = np.clip(stored[7] + np.random.default_rng(0).integers(-30, 30, 3072), 0, 255)
    found = in_photo(
        page, "manifpt.nearestOf(values[0], values[1])", x.tolist(), stored.tolist()
    )
    manifold = DataManifold(None).fit(stored.astype(np.float32))
    wanted = manifold.project(x[None].astype(np.float32))
    assert found["number"] == wanted.index[0, 0]
    assert found["distance"] == pytest.approx(wanted.distance[0], rel=1e-6)


def test_errors_are_those_of_the_package(show):
    page = show("photo")
    (view,) = PhotoManifold("coffee").views([photo_figure.BOX])

    def wrong(kind, strength):
        call = "[...manifpt.withError(values[0], values[1], values[2])]"
        values = view.ravel().tolist(), kind, strength
        return np.array(in_photo(page, call, *values)).reshape(32, 32, 3)

    np.testing.assert_array_equal(
        wrong("checkerboard", photo_figure.STRENGTH),
        photo_figure.with_checkerboard(view),
    )
    blurred = blur(view[None], sd=0.8)[0].astype(int)
    assert np.abs(wrong("blur", 0.4) - blurred).max() <= 1
    noise = wrong("noise", 0.25) - view
    assert noise.std() == pytest.approx(10, rel=0.15)  # some values are clipped
    for kind in photo_figure.ERRORS:
        np.testing.assert_array_equal(wrong(kind, 0), view)


# --- what stands there without the script ------------------------------------------


@contextmanager
def without_script(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    yield page
    context.close()


@each_figure
def test_without_javascript_there_is_a_picture_and_a_word_about_it(browser, site, name):
    with without_script(browser, f"{site}/{name}.html") as page:
        assert page.get_by_text("Without JavaScript").is_visible()
        assert page.locator(".pad svg").is_visible()
        assert page.locator("svg[role=img] title").first.text_content().strip()
        assert page.locator(".controls").is_hidden()
        assert page.locator(".keys").is_hidden()


def written(name, selector):
    """Texts of a figure before its script runs."""
    page = BeautifulSoup(FIGURES[name](), "lxml")
    return [tag.get_text() for tag in page.select(selector)]


def test_the_script_begins_with_the_state_that_stands_on_the_page(show):
    page = show("circle")
    assert page.locator("td").all_text_contents() == written("circle", "td")
    for line in BeautifulSoup(circle_figure.figure(), "lxml").select(".curve-of"):
        kind = line["data-kind"]
        now = page.locator(f".curve-of[data-kind={kind}]").get_attribute("points")
        apart = np.array(numbers(now)) - numbers(line["points"])
        assert np.abs(apart).max() < 0.2
    page = show("photo")
    assert page.locator(".words").all_text_contents() == written("photo", ".words")


def numbers(points):
    return [float(x) for x in points.replace(",", " ").split()]


# --- hands, keys and eyes -----------------------------------------------------------


def test_keys_move_the_point_and_change_the_number_of_real_points(show):
    page = show("circle")
    before = place(page, ".generated circle")
    lengths = page.locator("td").all_text_contents()
    press(page, "ArrowRight", "ArrowDown")
    moved = place(page, ".generated circle") - before
    assert moved[0] > 0 and moved[1] > 0
    x, y = circle_figure.POINT[0] + 0.02, circle_figure.POINT[1] - 0.02
    announced(page, f"Point at {x:.2f}, {y:.2f}, outside the circle; 12 real points")
    assert page.locator("td").all_text_contents() != lengths
    press(page, "+")
    announced(page, "16 real points")
    assert page.locator(".real circle:not(.off)").count() == 16
    press(page, "-", "-")
    assert page.locator("output").text_content() == "8"
    press(page, *["-"] * 9)  # the least stays the least
    assert page.locator("output").text_content() == "6"


def test_keys_move_the_box_and_change_its_side(show):
    page = show("photo")
    words = page.locator(".words").text_content()
    picture = page.locator("img[data-part=generated]").get_attribute("src")
    press(page, "Shift+ArrowLeft")
    announced(page, "Box at 250, 205, side 240.")
    assert page.locator(".words").text_content() != words
    assert page.locator("img[data-part=generated]").get_attribute("src") != picture
    assert "250" in page.locator(".pad svg").get_attribute("aria-label")
    press(page, "+")
    announced(page, "Box at 250, 205, side 245.")
    press(page, *["Shift+ArrowLeft"] * 9)  # as far as the data card says
    announced(page, "Box at 205, 205")


@each_figure
def test_other_keys_are_left_to_the_browser(show, name):
    page = show(name)
    press(page, "Tab")
    focused = "document.activeElement.classList.contains('pad')"
    assert not page.evaluate(focused)


@pytest.mark.parametrize(
    ("name", "handle"), [("circle", ".generated circle"), ("photo", ".box")]
)
def test_a_drag_takes_the_handle_along(show, name, handle):
    page = show(name)
    before = place(page, handle)
    page.mouse.move(*(before + 3))
    page.mouse.down()
    page.mouse.move(*(before + [-9, -9]), steps=3)
    page.mouse.up()
    np.testing.assert_allclose(place(page, handle) - before, -12, atol=1)
    page.mouse.move(*before)  # released
    np.testing.assert_allclose(place(page, handle) - before, -12, atol=1)


@each_figure
def test_a_finger_moves_it_on_a_phone_and_the_page_fits(browser, site, name):
    context = browser.new_context(has_touch=True, viewport=PHONE)
    page = context.new_page()
    page.goto(f"{site}/{name}.html")
    page.wait_for_selector(".pad[tabindex]")
    wide = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(wide) <= 0
    handle = {"circle": ".generated circle", "photo": ".box"}[name]
    before = place(page, handle)
    pad = page.locator(".pad svg").bounding_box()
    page.touchscreen.tap(pad["x"] + 20, pad["y"] + 20)
    assert np.abs(place(page, handle) - before).max() > 10
    context.close()


def test_an_error_of_no_strength_is_none(show):
    page = show("photo")
    page.get_by_label("Strength").fill("0")
    assert "is 0 long. There is no error" in page.locator(".words").text_content()
    page.get_by_label("noise").check()
    page.get_by_label("Strength").fill("50")
    assert "(noise)" in page.locator(".words").text_content()


def test_more_stored_views_bring_the_nearest_one_closer(show):
    page = show("photo")

    def length():
        return int(page.locator(".words").text_content().split(" is ")[1].split()[0])

    page.get_by_label("Strength").fill("0")
    page.get_by_label("Stored views").fill("0")
    few = length()
    page.get_by_label("Stored views").fill(str(len(photo_figure.SIZES) - 1))
    assert length() < few


def test_those_who_want_no_motion_see_the_end_at_once(show):
    page = show("circle")
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button").click()
    assert page.locator("output").text_content() == "128"


def test_an_estimate_can_be_left_out(show):
    page = show("circle")
    page.get_by_role("checkbox", name="tangent").uncheck()
    assert page.locator(".mark[data-kind=tangent]").is_hidden()
    assert page.locator(".mark[data-kind=hull]").is_visible()


def test_figures_are_small():
    assert SCRIPT.stat().st_size < 300_000
    assert len(photo_figure.data()) < 500_000
    assert len(circle_figure.figure()) + len(photo_figure.figure()) < 1_000_000
