"""The book in a real browser, without a network: drawn, quiet, and of fitting width."""

import json

import book_site
import numpy as np
import pandas as pd
import pytest
from book_site import (
    HTML,
    KEPT_OUT,
    NO_BROWSER,
    NOT_ASKED,
    NOT_BUILT,
    ROOT,
    barriers,
    blank,
    pages,
    pages_in_turn,
    serve,
    show,
    visit,
)
from matplotlib.figure import Figure
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

from manifpt_utils.notebook.drawing import Panels, drawn
from manifpt_utils.notebook.maps import scatter_with_images
from manifpt_utils.notebook.palette import INK
from manifpt_utils.notebook.prediction_form import found_html, prediction_html
from manifpt_utils.notebook.questions import Option, Prediction, Question, Slip
from manifpt_utils.notebook.quiz_form import quiz_html
from manifpt_utils.notebook.renderer import plotly_html, svg_html, table_html
from manifpt_utils.notebook.steps import (
    confusion_steps,
    nearest_steps,
    projection_steps,
)

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed"
)
pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is missing")
pytestmark = pytest.mark.skipif(book_site.chromium() is None, reason=NO_BROWSER)
built = pytest.mark.skipif(not HTML.is_dir(), reason=NOT_BUILT)
LAPTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
MOST_HEIGHT = 12_000  # pixels of a page at a width of 1,280; longer ones are split
COLOURS = {  # of the page that stands in for the book: text, background
    "light": ("rgb(34, 40, 50)", "rgb(255, 255, 255)"),
    "dark": ("rgb(206, 214, 221)", "rgb(18, 18, 18)"),
}


@pytest.fixture(scope="module")
def browser():
    with book_site.open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def site():
    with serve() as address:
        yield address


def overflow(page):
    """Pixels by which the page is wider than the window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def count(page, selector):
    return page.locator(selector).count()


def smallest_text(page):
    """Height in pixels of the smallest letters in drawings, infinite without any."""
    return page.evaluate(
        """() => Math.min(
          ...[...document.querySelectorAll(".drawing svg text")].map((text) => {
            const svg = text.ownerSVGElement;
            const scale = svg.clientWidth / svg.viewBox.baseVal.width;
            return parseFloat(getComputedStyle(text).fontSize) * scale;
          })
        )"""
    )


def contrast(page, selector):
    """Lowest contrast ratio (WCAG) of the fill of some SVG texts to the page."""
    return page.evaluate(
        """(selector) => {
          const luminance = (colour) => {
            const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((c) => {
              const v = c / 255;
              return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ground = luminance(getComputedStyle(document.body).backgroundColor);
          const ratios = [...document.querySelectorAll(selector)].map((text) => {
            const light = luminance(getComputedStyle(text).fill);
            const [high, low] = [Math.max(light, ground), Math.min(light, ground)];
            return (high + 0.05) / (low + 0.05);
          });
          return Math.min(...ratios);
        }""",
        selector,
    )


def height(page):
    return page.evaluate("document.documentElement.scrollHeight")


# --- pages of the book, each opened once for all its tests --------------------------

CHAPTERS = [path for path in pages() if path.startswith("book/executed/")]
EXERCISES = [path for path in pages() if path.startswith("exercises/")]


@pytest.fixture(scope="module")
def tab(browser):
    """What shows one page of the book after the other."""
    page, problems = blank(browser)
    yield page, problems
    page.close()


# Nobody sees the colours of folded code, and axe-core would take a fifth of its time to
# pass over all their elements.
FOLDED_CODE_AS_TEXT = """document.querySelectorAll("details:not([open]) pre").forEach(
  (code) => code.replaceChildren(code.textContent))"""


@pytest.fixture(scope="module")
def opened(request, tab, site):
    """A page of the book; what its tests do to it, they do to that one page."""
    page, problems = tab
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(LAPTOP)
    problems.clear()
    show(page, f"{site}/{request.param}")
    page.add_style_tag(content="* { transition: none !important }")  # final colours
    page.evaluate(FOLDED_CODE_AS_TEXT)
    yield page, problems
    page.evaluate("localStorage.clear()")
    page.goto("about:blank")


def on_each(paths):
    """A test of the book that is built, once for each of some pages."""
    each = pytest.mark.parametrize("opened", paths, indirect=True, scope="module")
    return lambda test: built(each(test))


@on_each(pages_in_turn())
def test_page_is_complete_quiet_and_open_to_all_in_light_and_dark(opened):
    page, problems = opened
    assert height(page) <= MOST_HEIGHT
    assert barriers(page) == {}
    formulas = count(page, ".math.notranslate")
    assert count(page, ".math.notranslate mjx-container") == formulas
    assert count(page, ".plotly-canvas .main-svg") >= count(page, ".plotly-canvas")
    assert overflow(page) <= 0
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    # Nothing else that axe-core looks at depends on the colours.
    assert barriers(page, runOnly=["color-contrast"]) == {}
    assert problems == []


@built
def test_no_page_of_the_reference_is_longer_whichever_turn_it_is(browser, site):
    page, _ = blank(browser, **LAPTOP)
    too_long = {}
    for path in set(pages()) - set(pages_in_turn()):
        show(page, f"{site}/{path}")
        if height(page) > MOST_HEIGHT:
            too_long[path] = height(page)
    page.close()
    assert too_long == {}


@on_each(pages_in_turn())
def test_every_interactive_figure_of_the_book_answers_to_a_key(opened):
    page, problems = opened
    if not count(page, ".plotly-canvas"):
        pytest.skip("the page has no interactive figure")
    for figure in page.locator(".plotly-figure").all():
        live = figure.locator("[aria-live]")
        before = live.inner_text()
        figure.locator(".plotly-canvas").press("ArrowRight")
        page.wait_for_function(
            "([box, text]) => box.innerText !== text",
            arg=[live.element_handle(), before],
        )
    assert problems == []


def beside_result(page, name):
    return page.locator(f'.prediction-found[data-prediction="{name}"]').inner_text()


@on_each(CHAPTERS)
def test_a_chapter_takes_up_what_is_expected_by_keyboard(opened):
    page, problems = opened
    for section in page.locator("section.prediction").all():
        section.locator("input").first.focus()
        is_number = section.locator("form").get_attribute("data-kind") == "number"
        page.keyboard.type("1.5" if is_number else " ")
        page.keyboard.press("Enter")
        name = section.get_attribute("data-prediction")
        assert "You expected: " in beside_result(page, name)
    assert count(page, "section.prediction") >= 1
    assert problems == []


def progress(page):
    return page.locator(".quiz-progress").inner_text()


def finish(page, form):
    """Answer a question of a chapter by keyboard, with what its answer says."""
    answer = form.locator(".quiz-answer")
    rights = answer.locator("[data-right='1']").evaluate_all(
        "(items) => items.map((item) => item.dataset.letter)"
    )
    if form.get_attribute("data-kind") == "number":
        form.locator("input").focus()
        page.keyboard.type(answer.locator("[data-answer]").get_attribute("data-answer"))
    elif form.get_attribute("data-kind") == "order":
        by = answer.locator("[data-by]").evaluate_all(
            "(items) => items.map((item) => Number(item.dataset.by))"
        )
        is_falling = answer.locator("ul").get_attribute("data-first") == "largest"
        places = np.argsort(np.argsort(by, kind="stable"), kind="stable")
        for place, select in zip(places, form.locator("select").all(), strict=True):
            select.focus()
            page.keyboard.type(str(len(by) - place if is_falling else place + 1))
    for letter in rights:
        form.locator(f"input[value={letter}]").focus()
        page.keyboard.press("Space")
    form.locator("[type=submit]").focus()
    page.keyboard.press("Enter")


@on_each(CHAPTERS)
def test_each_quiz_is_finished_by_keyboard(opened):
    page, problems = opened
    page.locator(".quiz-fold > summary").focus()
    page.keyboard.press("Enter")
    forms = page.locator(".quiz form").all()
    for form in forms:
        finish(page, form)
    assert 1 <= len(forms) <= 6
    assert progress(page) == f"{len(forms)} of {len(forms)} right"
    assert problems == []


@on_each(EXERCISES)
def test_solutions_unfold_by_keyboard(opened):
    page, problems = opened
    page.set_viewport_size(PHONE)
    assert 2 <= count(page, "details.solution") <= 3
    for box in page.locator("details.solution").all():
        code = box.locator("pre")
        assert code.is_hidden()
        box.locator("summary").focus()
        page.keyboard.press("Enter")
        code.wait_for(state="visible")
        assert "NotImplementedError" not in code.inner_text()
    assert problems == []


@on_each(CHAPTERS)
def test_all_columns_of_a_table_are_in_sight(opened):
    page, _ = opened
    cut = page.evaluate(
        """() => {
          const outputs = document.querySelectorAll(".cell_output details");
          for (const folded of outputs) folded.open = true;
          return [...document.querySelectorAll(".table-scroll")]
            .filter((box) => box.scrollWidth > 1.02 * box.clientWidth) // of other fonts
            .filter((box) => !box.closest("details.hide"))
            .map((box) => box.previousElementSibling?.textContent);
        }"""
    )
    assert cut == []


@on_each(pages_in_turn())
def test_page_fits_a_phone(opened):
    """The last test of a page, with all open that the others have opened."""
    page, problems = opened
    page.set_viewport_size(PHONE)
    if count(page, ".plotly-canvas"):
        page.wait_for_timeout(300)  # figures follow the new width
    assert overflow(page) <= 0
    assert smallest_text(page) >= 9.5  # widths are whole pixels
    assert problems == []


@built
def test_search_works_without_a_network(browser, site):
    page, problems = visit(browser, f"{site}/search.html?q=fingerprint")
    page.wait_for_selector("#search-results li a")
    page.close()
    assert problems == []


def test_what_cannot_be_read_is_found_in_light_and_in_dark(figure_page):
    pale = COLOURS["dark"][0]
    page = figure_page(f'<p>Dark.</p><p style="color: {pale}">Pale.</p>')
    found = barriers(page)
    assert list(found) == ["color-contrast"]
    assert "Pale" in " ".join(found["color-contrast"])
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert "Dark" in " ".join(barriers(page)["color-contrast"])


# --- parts of pages, outside the book -----------------------------------------------


def colour_sheet():
    """The theme's variables that interactive.js reads, for both modes."""
    rules = []
    for theme, (text, ground) in COLOURS.items():
        names = {"text-base": text, "text-muted": text, "surface": ground}
        names["border"] = "grey"
        variables = "".join(f"--pst-color-{k}: {v};" for k, v in names.items())
        rules.append(f"html[data-theme={theme}] {{{variables}}}")
        rules.append(f"html[data-theme={theme}] body {{background: {ground}}}")
    return "".join(rules)


def test_what_is_not_asked_would_keep_nobody_out(figure_page):
    page = figure_page("<p>Inside.</p>")
    assert barriers(page) == {}
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p>Outside.</p>')")
    asked = {"runOnly": [*NOT_ASKED]}
    found = page.evaluate("(options) => axe.run(options)", asked)["violations"]
    impacts = {fault["id"]: fault["impact"] for fault in found}
    assert set(impacts) == set(NOT_ASKED) and not set(impacts.values()) & set(KEPT_OUT)


def bare_page(content):
    """A page with something of the book and the book's own style and script."""
    drawing = '<script src="plotly.js"></script>' if "plotly-canvas" in content else ""
    return f"""<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8">
    <title>A page</title>
    <meta name="viewport" content="width=device-width"><style>{colour_sheet()}</style>
    <link rel="icon" href="_static/logo.svg">
    <link rel="stylesheet" href="_static/manifpt.css">
    <body><main class="bd-content">{content}</main>
    {drawing}<script src="_static/interactive.js"></script>
    <script src="_static/kept.js"></script>
    <script src="_static/quiz.js"></script>
    <script src="_static/prediction.js"></script>"""


@pytest.fixture(scope="module")
def bare_site(tmp_path_factory):
    """A folder with the book's own style and script, and its address."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "_static").symlink_to(ROOT / "book/_static")
    (folder / "plotly.js").write_text(get_plotlyjs(), encoding="utf-8")
    with serve(folder) as address:
        yield folder, address


@pytest.fixture(scope="module")
def figure_tab(browser):
    """What shows one figure after the other; a new one would read Plotly anew."""
    page, problems = blank(browser)
    yield page, problems
    page.close()


@pytest.fixture
def figure_page(bare_site, figure_tab):
    """Show a figure outside the book; at the end nothing may have gone wrong."""
    folder, address = bare_site
    page, problems = figure_tab
    problems.clear()

    def shown(figure, *, scheme="light", **size):
        html = figure
        if isinstance(figure, dict):
            figure = json.loads(json.dumps(figure, cls=PlotlyJSONEncoder))
            html = plotly_html(figure, alt="A figure.", key="f")
        # A name of its own, because the browser keeps what it has read.
        name = f"{len(list(folder.glob('*.html')))}.html"
        (folder / name).write_text(bare_page(html), encoding="utf-8")
        page.emulate_media(color_scheme=scheme, reduced_motion="no-preference")
        page.set_viewport_size(LAPTOP | size)
        show(page, f"{address}/{name}")
        return page

    yield shown
    page.evaluate("localStorage.clear()")
    page.mouse.move(0, 0)
    page.goto("about:blank")
    assert problems == []


def scatter(**layout):
    points = {"type": "scatter", "mode": "markers", "x": [1, 2], "y": [3, 4]}
    return {"data": [points | {"customdata": [0, 41]}], "layout": layout}


def wait_for_announcement(page, text):
    """Wait until a screen reader is told something that holds the text."""
    page.locator("[aria-live]").filter(has_text=text).wait_for(state="attached")


def press(page, key):
    page.locator(".plotly-canvas").focus()
    page.keyboard.press(key)


def test_figure_follows_the_light_and_dark_switch(figure_page):
    page = figure_page(scatter())
    assert contrast(page, ".xtick text") > 4.5
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    dark_text = COLOURS["dark"][0]
    page.wait_for_function(
        "(colour) => getComputedStyle(document.querySelector('.xtick text')).fill"
        " === colour",
        arg=dark_text,
    )
    assert contrast(page, ".xtick text") > 4.5


def test_figure_fits_a_phone(figure_page):
    figure = scatter(width=1200, showlegend=True)
    figure["data"][0]["name"] = "a rather long name of a model " * 2
    page = figure_page(figure, **PHONE)
    assert overflow(page) <= 0
    assert page.locator(".main-svg").first.bounding_box()["width"] <= PHONE["width"]


def slider_figure():
    steps = [
        {"label": f"step {i}", "method": "restyle", "args": [{"marker.size": 10 * i}]}
        for i in (1, 2)
    ]
    menu = [{"label": f"choice {i}", "method": "skip"} for i in (1, 2)]
    return scatter(
        sliders=[{"active": 0, "steps": steps}],
        updatemenus=[{"active": 0, "buttons": menu}],
    )


def test_arrow_keys_move_the_slider(figure_page):
    page = figure_page(slider_figure())
    press(page, "ArrowRight")
    wait_for_announcement(page, "step 2")
    size = "document.querySelector('.plotly-canvas').data[0].marker.size"
    assert page.evaluate(size) == 20
    press(page, "ArrowRight")  # the end stays the end
    assert page.evaluate(size) == 20
    press(page, "ArrowLeft")
    assert page.evaluate(size) == 10


def test_arrow_keys_change_the_menu(figure_page):
    page = figure_page(slider_figure())
    press(page, "ArrowDown")
    wait_for_announcement(page, "choice 2")


def test_arrow_keys_walk_through_points(figure_page):
    page = figure_page(scatter())
    press(page, "ArrowRight")
    wait_for_announcement(page, "(1, 3)")
    press(page, "ArrowRight")
    wait_for_announcement(page, "(2, 4)")


def test_other_keys_are_left_to_the_browser(figure_page):
    page = figure_page(scatter())
    press(page, "Tab")
    focused = page.evaluate("document.activeElement.className")
    assert "plotly-canvas" not in focused


def walk_to_second_point(page):
    press(page, "ArrowRight")
    press(page, "ArrowRight")


def point_at_second_point(page):
    page.locator(".points .point").nth(1).hover(force=True)


@pytest.mark.parametrize("reach", [walk_to_second_point, point_at_second_point])
def test_image_of_a_point_appears_beside_it(figure_page, reach):
    sprite = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>"
    page = figure_page(scatter(meta={"sprite": sprite, "columns": 40, "tile": 32}))
    thumbnail = page.locator(".plotly-thumbnail")
    assert thumbnail.is_hidden()
    reach(page)
    thumbnail.wait_for(state="visible")
    # Tile 41 of rows of 40: second row, second column.  On a busy machine the keys show
    # the tile of the first point before that.
    playwright.expect(thumbnail).to_have_css("background-position", "-96px -96px")


def test_a_map_of_images_shows_each_image_whole_beside_its_point(figure_page):
    images = np.zeros((2, 20, 40, 3), np.uint8)
    figure = scatter_with_images(np.eye(2), np.array(["a", "a"]), images)
    page = figure_page(figure.to_plotly_json())
    press(page, "ArrowRight")
    thumbnail = page.locator(".plotly-thumbnail")
    thumbnail.wait_for(state="visible")
    picture = thumbnail.evaluate("(tile) => tile.style.backgroundImage")
    assert picture.startswith('url("data:image/webp;base64,')
    box = thumbnail.evaluate("(tile) => [tile.style.width, tile.style.height]")
    assert box == ["96px", "48px"]


def test_text_in_a_figure_is_never_run(figure_page):
    figure = scatter()
    figure["data"][0]["name"] = "</script><script>throw 1</script>"
    page = figure_page(figure)
    name = page.evaluate("document.querySelector('.plotly-canvas').data[0].name")
    assert name == figure["data"][0]["name"]


# --- figures in steps -------------------------------------------------------------


def stepping():
    """One small figure of every form, by its name."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 8, 8, 3), np.uint8)
    shares = [np.eye(2), np.full((2, 2), 0.5)]
    tables = [pd.DataFrame(x, ["a", "b"], ["a", "b"]) for x in shares]
    named = dict(zip(("none", "50"), tables, strict=True))
    return {
        "projection": projection_steps(images, images / 255 - 0.5, ["a", "b"]),
        "nearest": nearest_steps(images[0], images[::-1], [10, 500], images[1]),
        "confusion": confusion_steps(named, title="JPEG quality"),
    }


COLOUR_OF_TEXT = "getComputedStyle(document.querySelector('.xtick text')).fill"
each_form = pytest.mark.parametrize("form", stepping())


@pytest.fixture
def step_page(figure_page):
    def show(form="projection", **options):
        return figure_page(stepping()[form].to_plotly_json(), **options)

    return show


def step_shown(page):
    """What Plotly draws: the address of a picture, or the numbers of a matrix."""
    return page.evaluate(
        """() => {
          const [first] = document.querySelector(".plotly-canvas").data;
          return first.source || JSON.stringify(first.z);
        }"""
    )


def words_of(page):
    return page.locator(".plotly-said").inner_text()


@each_form
def test_a_key_moves_to_the_next_step_and_back(step_page, form):
    page = step_page(form)
    first = step_shown(page), words_of(page)
    press(page, "ArrowRight")
    wait_for_announcement(page, stepping()[form].layout.sliders[0].steps[1].value)
    assert step_shown(page) != first[0]
    press(page, "ArrowLeft")
    wait_for_announcement(page, first[1])
    assert step_shown(page) == first[0]


@each_form
def test_steps_fit_a_phone_and_are_open_to_all(step_page, form):
    page = step_page(form, **PHONE)
    assert overflow(page) <= 0
    for button in page.locator(".plotly-steps button").all():
        assert button.bounding_box()["height"] >= 24  # for a finger
    assert not set(barriers(page)) - {"document-title"}  # which this page has not


def test_a_button_moves_to_the_next_step_and_the_colours_stay_in_it(step_page):
    page = step_page()
    page.get_by_role("button", name="Next").click()
    wait_for_announcement(page, "20 % of the artifact")
    second = step_shown(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    dark = f"(colour) => {COLOUR_OF_TEXT} === colour"
    page.wait_for_function(dark, arg=COLOURS["dark"][0])
    assert step_shown(page) == second


def test_a_switch_to_dark_while_pictures_load_is_not_missed(figure_page):
    figure = json.loads(stepping()["projection"].to_json())
    switch = "document.documentElement.dataset.theme = 'dark'"
    late = f"addEventListener('DOMContentLoaded', () => {{ {switch} }})"
    html = plotly_html(figure, alt="A figure.", key="f")
    page = figure_page(f"{html}<script>{late}</script>")
    dark = f"(colour) => {COLOUR_OF_TEXT} === colour"
    page.wait_for_function(dark, arg=COLOURS["dark"][0])


def test_steps_play_only_when_they_are_asked_to(step_page):
    page = step_page()
    first = words_of(page)
    page.wait_for_timeout(1500)
    assert words_of(page) == first
    page.get_by_role("button", name="Play").click()
    wait_for_announcement(page, "At the closest point")
    page.get_by_role("button", name="Play").wait_for()  # it has ended


def test_nothing_plays_for_those_who_want_no_motion(browser, step_page):
    page = step_page()
    page.emulate_media(reduced_motion="reduce")
    page.reload()
    page.get_by_role("button", name="Next").click()
    wait_for_announcement(page, "20 % of the artifact")
    assert page.get_by_role("button", name="Play").count() == 0


def test_without_a_script_a_picture_stands_in(browser, tmp_path):
    picture = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>"
    html = plotly_html(scatter(), alt="A line that falls.", key="f", still=picture)
    (tmp_path / "index.html").write_text(bare_page(html), encoding="utf-8")
    with serve(tmp_path) as address:
        page = browser.new_page(java_script_enabled=False)
        page.goto(address)
        assert page.get_by_role("img", name="A line that falls.").count() == 1
        page.close()


def panels():
    """Three panels with some text and a legend, as the book shows them."""
    figures = [Figure((3.5, 2)) for _ in range(4)]
    for figure in figures:
        figure.text(0.1, 0.5, "text of nine points", fontsize=9, color=INK)
    drawing = drawn(Panels(figures[:3], figures[3]))
    return svg_html(drawing.svg(), alt="Three panels.", key="f")


def places(page):
    """Left edges of the panels, and the width of each."""
    boxes = [box.bounding_box() for box in page.locator(".panels > svg").all()]
    return {round(box["x"]) for box in boxes}, {round(box["width"]) for box in boxes}


def test_panels_stand_side_by_side_and_stack_on_a_phone(figure_page):
    page = figure_page(panels())
    left, widths = places(page)
    assert len(left) > 1 and len(widths) == 1
    page.set_viewport_size(PHONE)
    assert len(places(page)[0]) == 1
    assert overflow(page) <= 0
    assert smallest_text(page) >= 9.5


def test_drawings_follow_the_light_and_dark_switch(figure_page):
    page = figure_page(panels())
    assert contrast(page, ".drawing text") > 4.5
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert contrast(page, ".drawing text") > 4.5


def folded(name, output=""):
    """A cell of a chapter whose code is folded."""
    code = f"<summary>{name}</summary><pre>the code</pre>"
    below = output and f'<div class="cell_output">{output}</div>'
    return f'<div class="cell"><details class="hide">{code}</details>{below}</div>'


def tops(page, selector):
    return [box.bounding_box()["y"] for box in page.locator(selector).all()]


@pytest.mark.parametrize("look", [{}, PHONE])
def test_folded_cells_share_a_row_with_the_cell_that_follows(figure_page, look):
    cells = [folded("one"), folded("two"), folded("three", "<p>A figure.</p>")]
    page = figure_page("<section>" + "".join(cells) + "</section>", **look)
    switches = tops(page, "summary")
    assert switches == pytest.approx([switches[0]] * 3, abs=1)
    assert tops(page, ".cell_output")[0] > switches[0] + 10
    page.locator("summary").last.click()
    assert page.locator("pre").last.is_visible()
    assert tops(page, ".cell_output")[0] > tops(page, "pre")[2]
    assert overflow(page) <= 0


def test_the_link_of_a_heading_takes_no_line_of_its_own(figure_page):
    words = "Does another one give the same?"
    page = figure_page(f'<h2 id="plain">{words}</h2><h2 id="linked">{words}</h2>')
    link = '<a class="headerlink" href="#linked">a long link of a heading</a>'
    page.locator("#linked").evaluate(
        "(h, link) => h.insertAdjacentHTML('beforeend', link)", link
    )
    for width in (300, 330, 360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        heights = [
            page.locator(n).bounding_box()["height"] for n in ("#plain", "#linked")
        ]
        assert heights[0] == heights[1]


def test_a_wide_table_scrolls_inside_itself_and_keeps_its_first_column(figure_page):
    cells = "".join(f"<td>a rather long cell {i}</td>" for i in range(20))
    row = f'<tr><th scope="row">name</th>{cells}</tr>'
    table = f'<table class="dataframe"><tbody>{row}</tbody></table>'
    page = figure_page(table_html(table, key="t"), **PHONE)
    assert overflow(page) <= 0
    page.locator(".table-scroll").evaluate("(box) => { box.scrollLeft = 300; }")
    assert page.locator(".table-scroll").evaluate("(box) => box.scrollLeft") == 300
    box = page.locator(".table-scroll").bounding_box()
    assert page.locator("th").bounding_box()["x"] == pytest.approx(box["x"], abs=1)


# --- quizzes ----------------------------------------------------------------------


def options(*rows, field="right"):
    """Options from (text, right or place); their feedback names them."""
    return [
        Option(text=text, feedback=f"Because of {text}.", **{field: value})
        for text, value in rows
    ]


QUIZ = [
    Question(
        **{"id": "q1", "kind": "single", "ask": "Which one?", "hints": ["Not *a*."]},
        options=options(("apple", False), ("pear", True)),
    ),
    Question(
        **{"id": "q2", "kind": "multiple", "ask": "Which ones?"},
        options=options(("apple", True), ("pear", False), ("plum", True)),
    ),
    Question(
        **{"id": "q3", "kind": "number", "ask": "How many?", "unit": "%"},
        **{"answer": 42.5, "tolerance": 1.0, "if_right": "So it is."},
        if_wrong="Count again.",
        slips=[Slip(answer=50.0, feedback="That is a coin.")],
    ),
    Question(
        **{"id": "q4", "kind": "order", "ask": "In which order?"},
        options=options(("long", 3.0), ("short", 1.0), ("medium", 2.0), field="by"),
    ),
]


@pytest.fixture
def quiz_page(figure_page):
    def show(**options):
        return figure_page(quiz_html("03_test", QUIZ), **options)

    return show


def reach(page, selector):
    """Press the tabulator until something is reached."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached")


def send(page, place):
    """Go on to the button of a question and press it."""
    reach(page, f"[data-id={place}] [type=submit]")
    page.keyboard.press("Enter")


def told(page, place):
    return page.locator(f"[data-id={place}] [aria-live=polite]").inner_text()


def test_a_quiz_is_finished_by_keyboard_alone(quiz_page):
    page = quiz_page()
    reach(page, "[data-id=q1] input")
    page.keyboard.press("ArrowDown")  # to the second option
    send(page, "q1")
    assert told(page, "q1") == "Right. Because of pear."
    for value in "ac":
        reach(page, f"[data-id=q2] [value={value}]")
        page.keyboard.press("Space")
    send(page, "q2")
    reach(page, "[data-id=q3] input")
    page.keyboard.type("42,9 %")
    page.keyboard.press("Enter")
    assert told(page, "q3") == "Right. So it is."
    for letter, place in zip("abc", "312", strict=True):
        reach(page, f"[data-id=q4] [name={letter}]")
        page.keyboard.type(place)
    send(page, "q4")
    assert progress(page) == "4 of 4 right"


def test_hints_unfold_by_keyboard(quiz_page):
    page = quiz_page()
    hint = page.get_by_text("Not a.")
    assert hint.is_hidden()
    reach(page, "[data-id=q1] .quiz-hint summary")
    page.keyboard.press("Enter")
    hint.wait_for(state="visible")


def choose(page, place, *letters):
    for box in page.locator(f"[data-id={place}] [name=answer]").all():
        box.set_checked(box.get_attribute("value") in letters)
    page.locator(f"[data-id={place}] [type=submit]").click()
    return told(page, place)


def test_a_wrong_option_gets_its_own_reason(quiz_page):
    page = quiz_page()
    page.locator("[data-id=q1] [value=a]").check()
    page.locator("[data-id=q1] [type=submit]").click()
    assert told(page, "q1") == "Not yet. Because of apple."
    assert choose(page, "q2", "a") == "Almost. Because of apple. But 1 more to find."
    assert choose(page, "q2", "a", "b") == "Not yet. Because of pear."
    assert choose(page, "q2", "a", "b", "c") == "Almost. Because of pear."
    assert choose(page, "q2") == "Choose one or more."
    assert progress(page) == "0 of 4 right"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("50", "Almost. That is a coin."),
        ("0.425", "Almost. It is asked for in percent."),
        ("−42.5", "Almost. The sign is the other way round."),
        ("7", "Not yet. Count again."),
        ("many", "Write a number, such as 12.5."),
        ("", "Write a number, such as 12.5."),
    ],
)
def test_a_number_gets_its_reason(quiz_page, number, words):
    page = quiz_page()
    page.locator("[data-id=q3] input").fill(number)
    page.locator("[data-id=q3] [type=submit]").click()
    assert told(page, "q3") == words


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ("312", "Right. Because of short. Because of medium. Because of long."),
        ("213", "Almost. Because of long."),
        ("123", "Not yet. Because of long."),
        ("112", "Give each a place of its own."),
    ],
)
def test_an_order_gets_its_reason(quiz_page, places, words):
    page = quiz_page()
    for letter, place in zip("abc", places, strict=True):
        page.locator(f"[data-id=q4] [name={letter}]").select_option(place)
    page.locator("[data-id=q4] [type=submit]").click()
    assert told(page, "q4") == words


def test_progress_is_kept_until_the_reader_starts_again(quiz_page):
    page = quiz_page()
    assert page.get_by_text("Start again").is_hidden()
    choose(page, "q2", "a", "c")
    page.locator("[data-id=q3] input").fill("42")
    page.locator("[data-id=q3] [type=submit]").click()
    page.reload()
    assert progress(page) == "2 of 4 right"
    assert page.locator("[data-id=q2] [value=c]").is_checked()
    assert page.locator("[data-id=q3] input").input_value() == "42"
    assert told(page, "q3") == "Right. So it is."
    page.get_by_text("Start again").click()
    page.reload()
    assert progress(page) == "0 of 4 right" and told(page, "q3") == ""


def test_a_browser_that_keeps_nothing_can_ask_all_the_same(quiz_page):
    page = quiz_page()
    refuse = "Storage.prototype.setItem = () => { throw new Error('full'); }"
    page.evaluate(f"() => {{ {refuse} }}")
    assert choose(page, "q2", "a", "c").startswith("Right.")


def test_a_quiz_fits_a_phone_and_is_legible_in_the_dark(quiz_page):
    page = quiz_page(scheme="dark", **PHONE)
    assert overflow(page) <= 0
    wide = page.locator(".quiz-question").first.bounding_box()["width"]
    assert 250 < wide <= PHONE["width"]
    for control in page.locator(".quiz [type=submit], .quiz .quiz-option").all():
        assert control.bounding_box()["height"] >= 24  # for a finger


def test_a_quiz_can_be_read_without_a_script(browser, tmp_path):
    (tmp_path / "_static").symlink_to(ROOT / "book/_static")
    html = bare_page(quiz_html("03_test", QUIZ))
    (tmp_path / "index.html").write_text(html, encoding="utf-8")
    with serve(tmp_path) as address:
        page = browser.new_page(java_script_enabled=False)
        page.goto(address)
        assert page.locator("button:visible").count() == 0
        page.get_by_text("Answer", exact=True).nth(2).click()
        page.get_by_text("42.5 % (± 1 is near enough).").wait_for()
        page.close()


# --- what a reader expects --------------------------------------------------------


LEAD = Prediction(
    **{"id": "lead", "kind": "choice", "ask": "Where will it stand?"},
    about="The paper",
    options=[
        {"value": "ahead", "text": "ahead of it"},
        {"value": "behind", "text": "behind it"},
    ],
)
SHARE = Prediction(
    **{"id": "share", "kind": "number", "ask": "How many?", "unit": "%"},
    about="A share",
)
EXPECTED = (
    prediction_html("03_test", LEAD)
    + prediction_html("03_test", SHARE)
    + found_html("03_test", LEAD, result="ahead", words="ahead of it (+4 points)")
    + found_html("03_test", SHARE, result=40.0, words="40.0 %")
)


@pytest.fixture
def prediction_page(figure_page):
    def show(**options):
        return figure_page(EXPECTED, **options)

    return show


def test_an_expectation_is_entered_by_keyboard_and_taken_up(prediction_page):
    page = prediction_page()
    found = "This run found: ahead of it (+4 points)."
    assert beside_result(page, "03_test lead") == f"The paper. {found}"
    reach(page, "section.prediction input[type=radio]")
    page.keyboard.press("ArrowDown")  # to the second option
    reach(page, "section.prediction [type=submit]")
    page.keyboard.press("Enter")
    told = f"The paper. You expected: behind it. {found} The result is another one."
    assert beside_result(page, "03_test lead") == told
    assert page.get_by_text("It stands beside the result").count() == 1


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("42,5 %", "You expected: 42.5 %. This run found: 40.0 %. You were within"),
        ("−3", "You expected: −3 %. This run found: 40.0 %. It is more than that."),
        ("90", "You expected: 90 %. This run found: 40.0 %. It is less than that."),
    ],
)
def test_a_number_is_taken_up_in_its_unit(prediction_page, number, words):
    page = prediction_page()
    page.locator("input[name=number]").fill(number)
    page.keyboard.press("Enter")
    assert beside_result(page, "03_test share").startswith(f"A share. {words}")


def test_what_is_no_expectation_is_not_taken_up(prediction_page):
    page = prediction_page()
    for form, words in (("lead", "Choose one."), ("share", "Write a number")):
        section = page.locator(f'section[data-prediction="03_test {form}"]')
        section.locator("[type=submit]").click()
        assert section.locator("[aria-live]").inner_text().startswith(words)
        assert "You expected" not in beside_result(page, f"03_test {form}")


def test_an_expectation_is_kept(prediction_page):
    page = prediction_page()
    page.get_by_label("ahead of it").check()
    page.get_by_role("button").first.click()
    page.reload()
    assert page.get_by_label("ahead of it").is_checked()
    told = beside_result(page, "03_test lead")
    assert "You expected: ahead" in told and told.endswith("what you expected.")


def test_an_expectation_fits_a_phone_and_bars_nobody(prediction_page):
    page = prediction_page(scheme="dark", **PHONE)
    assert overflow(page) <= 0
    assert barriers(page) == {}
    for control in page.locator(".prediction :is(label, button)").all():
        assert control.bounding_box()["height"] >= 24  # for a finger


def test_an_expectation_can_be_read_without_a_script(browser, tmp_path):
    (tmp_path / "_static").symlink_to(ROOT / "book/_static")
    (tmp_path / "index.html").write_text(bare_page(EXPECTED), encoding="utf-8")
    with serve(tmp_path) as address:
        page = browser.new_page(java_script_enabled=False)
        page.goto(address)
        assert page.locator("button:visible").count() == 0
        text = page.locator("main").inner_text()
        page.close()
    assert "Where will it stand?" in text and "This run found: 40.0 %" in text
