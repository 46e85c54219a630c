"""Notebook outputs become described, numbered, self-contained HTML."""

import base64
import io
import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from manifpt_utils.notebook.drawing import Panels, drawn
from manifpt_utils.notebook.palette import PALETTE, VARIABLES
from manifpt_utils.notebook.renderer import (
    CONTROLS,
    MARKDOWN,
    PLOTLY,
    SVG,
    Renderer,
    plotly_html,
    svg_html,
    table_html,
)

ALT = 'A "falling" curve & a <flat> one'
FIGURE = {
    "data": [{"type": "scatter", "y": [3, 1], "name": "</script><b>"}],
    "layout": {"width": 700, "height": 321},
}
FINDINGS = {
    "finding": "Found: $x^*$, see [the other page](bad.ipynb).",
    "answer": "> The **answer**.",
}
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


def png():
    """A picture in base64, as notebooks store it."""
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def line(size=(3, 2), colour=PALETTE["blue"]):
    """A figure with a clipped line and a marker, which SVG refers to."""
    figure = Figure(size)
    figure.add_axes((0, 0, 1, 1)).plot([0, 1], [0, 1], "o-", color=colour)
    return figure


def svg(figure):
    return drawn(figure).svg()


def output_cell(data, metadata=None):
    """A code cell with one output."""
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata or {})
    return nbformat.v4.new_code_cell("show()", outputs=[output], execution_count=1)


def described(kind, **more):
    return {kind: {"alt": ALT, "caption": "Error of $x^*$, measured.", **more}}


def notebook(*cells):
    title = nbformat.v4.new_markdown_cell("# Title\n\nSee {numref}`curve`.")
    metadata = {"language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(cells=[title, *cells], metadata=metadata)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Two notebooks rendered by Sphinx with the installed plugin, and the log."""
    source = tmp_path_factory.mktemp("book")
    good = notebook(
        output_cell({"image/png": png()}, described("image/png", name="curve")),
        output_cell({PLOTLY: FIGURE, "text/plain": ALT}, described(PLOTLY)),
        output_cell({"text/html": "<table><tr><td>7</td></tr></table>"}),
        output_cell({"text/html": "<p>plain</p>"}),
        output_cell({SVG: svg(line()), "image/png": png()}, described(SVG)),
        output_cell({MARKDOWN: "*Figure.* Twice."}, {MARKDOWN: {"kind": "caption"}}),
        output_cell({SVG: svg(Panels([line(), line()], line()))}, described(SVG)),
        output_cell({PLOTLY: FIGURE, SVG: svg(line())}, described(PLOTLY)),
        output_cell({CONTROLS: {"model_id": "m"}, "text/html": "<p>No kernel.</p>"}),
        *(
            output_cell(
                {MARKDOWN: text, "text/plain": text}, {MARKDOWN: {"kind": kind}}
            )
            for kind, text in FINDINGS.items()
        ),
    )
    bad = notebook(output_cell({"image/png": png()}))
    bad.cells[0].source = "# Bad"
    nbformat.write(good, source / "index.ipynb")
    nbformat.write(bad, source / "bad.ipynb")
    (source / "conf.py").write_text(
        "extensions = ['myst_nb']\nnb_execution_mode = 'off'\nnumfig = True\n"
        "myst_enable_extensions = ['dollarmath']\nsuppress_warnings = ['toc']\n"
        "nb_render_markdown_format = 'myst'\n"
    )
    command = [sys.executable, "-m", "sphinx", "-q", "-n", str(source)]
    out = source / "_html"
    done = subprocess.run([*command, str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out, done.stderr


@pytest.fixture(scope="module")
def page(built):
    html = (built[0] / "index.html").read_text(encoding="utf-8")
    return BeautifulSoup(html, "lxml")


def test_plugin_is_registered():
    (entry,) = entry_points(group="myst_nb.mime_renderers", name="manifpt")
    assert entry.load() is Renderer


def test_image_keeps_its_description(page):
    assert page.select_one("figure img")["alt"] == ALT


def test_caption_is_numbered_and_parsed(page):
    caption = page.select_one("figure figcaption")
    assert caption.get_text(strip=True).startswith("Fig. 1")
    assert caption.select_one(".math")


def test_label_can_be_cited(page):
    assert page.select_one("a[href='#curve']").get_text() == "Fig. 1"


def test_controls_give_way_to_what_stands_in_for_them(page):
    assert page.find("p", string="No kernel.")
    assert not page.find("script", type=CONTROLS)


def test_plotly_figure_is_numbered_next(page):
    figure = page.select_one(".plotly-figure").find_parent("figure")
    assert figure.figcaption.get_text(strip=True).startswith("Fig. 2")


def test_plotly_json_survives_without_width(page):
    found = json.loads(page.select_one(".plotly-figure script").string)
    assert found["data"] == FIGURE["data"]
    assert "width" not in found["layout"] and found["layout"]["height"] == 321


def test_plotly_figure_is_described_and_reachable(page):
    canvas = page.select_one(".plotly-canvas")
    assert page.find(id=canvas["aria-describedby"]).get_text() == ALT
    assert canvas["tabindex"] == "0"
    assert canvas["role"] != "img"  # an image may not hold buttons
    assert ALT in page.select_one(".plotly-figure noscript").get_text()


def test_identifiers_are_unique(page):
    identifiers = [tag["id"] for tag in page.select("[id]")]
    assert len(identifiers) == len(set(identifiers))


def test_table_scrolls_in_its_own_box(page):
    box = page.find("td", string="7").find_parent(class_="table-scroll")
    assert box["tabindex"] == "0" and box["aria-label"]


def test_other_html_is_left_alone(page):
    assert not page.find("p", string="plain").find_parent(class_="table-scroll")


def test_missing_description_is_reported_with_the_remedy(built):
    log = built[1]
    assert "bad.ipynb" in log
    assert "has no description: show it with manifpt_utils.notebook.figures.show" in log
    assert "index.ipynb" not in log


def test_a_drawing_is_part_of_the_page_and_described(page):
    box = page.select_one("figure .drawing")
    assert (box["role"], box["aria-label"]) == ("img", ALT)
    svg = box.svg
    assert svg["viewbox"] and not svg.get("width")
    assert box.find_parent("figure").figcaption


def test_a_caption_for_other_hosts_is_no_second_one(page):
    assert "Twice" not in page.get_text()


def test_panels_come_apart_with_their_legend_first(page):
    box = page.select(".drawing")[1]
    assert [part["class"] for part in box.find_all("div")] == [["legend"], ["panels"]]
    assert len(box.select(".panels > svg")) == 2 and box.select_one(".legend > svg")


def test_references_inside_drawings_stay_inside(page):
    for svg in page.select(".drawing svg"):
        text = str(svg)
        used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
        assert used and all(svg.find(id=name) for name in used)


def test_a_stand_in_is_shown_only_where_the_figure_is_not(page):
    assert len(page.select(".plotly-figure")) == 2
    assert len(page.select(".drawing")) == 2


def test_figures_are_numbered_without_gaps(page):
    captions = [c.get_text(strip=True) for c in page.select("figcaption")]
    numbers = [int(re.match(r"Fig. (\d+)", text)[1]) for text in captions]
    assert numbers == list(range(1, len(numbers) + 1))


def test_findings_have_formulas_and_links(page):
    box = page.select_one(".finding")
    assert box.select_one(".math") and box.a["href"] == "bad.html"


def test_the_answer_stands_in_a_box(page):
    assert page.select_one(".answer blockquote strong").get_text() == "answer"


def test_drawings_take_the_colours_of_the_page():
    for colour, name in VARIABLES.items():
        html = svg_html(svg(line(colour=colour)), alt="A line.", key="f")
        assert f"var(--figure-{name}, {colour})" in html
        assert f": {colour}" not in html
    assert "currentColor" in svg_html(svg(line(colour="black")), alt="a", key="f")


@given(alt=TEXT)
@settings(deadline=None)
def test_no_description_of_a_drawing_breaks_out(alt):
    html = svg_html('<svg viewBox="0 0 3 2"></svg>', alt=alt, key="f")
    (box,) = BeautifulSoup(html, "html.parser").find_all("div")
    assert box["aria-label"] == alt


@pytest.mark.parametrize("inches", [1.7, 4.8, 9])
def test_text_of_nine_points_never_has_less_than_nine_and_a_half_pixels(inches):
    html = svg_html(svg(line((inches, 2))), alt="A line.", key="f")
    least = float(re.search(r"min-width: (\d+)px", html)[1])
    assert 9 * least / (72 * inches) == pytest.approx(9.6, abs=0.05)


def test_the_caption_of_a_table_stays_in_sight_and_names_it():
    table = "<table><caption>Scores.</caption><tr><td>1</td></tr></table>"
    soup = BeautifulSoup(table_html(2 * table, key="k"), "html.parser")
    for box in soup.select(".table-scroll"):
        assert soup.find(id=box["aria-labelledby"]).get_text() == "Scores."
        assert not box.caption
    assert len({box["aria-labelledby"] for box in soup.select(".table-scroll")}) == 2


def test_a_folded_table_scrolls_inside_its_fold():
    html = "<details><summary>All.</summary><table><tr></tr></table></details>"
    soup = BeautifulSoup(table_html(html, key="k"), "html.parser")
    assert soup.select_one("details > .table-scroll > table")


@pytest.mark.parametrize("kind", [PLOTLY, SVG, MARKDOWN, "image/png", "text/html"])
def test_outputs_inside_a_line_of_text_are_declined(kind):
    data = SimpleNamespace(mime_type=kind)
    assert Renderer.handle_mime(None, data, True) is None


def test_unknown_kinds_are_declined():
    data = SimpleNamespace(mime_type="text/plain")
    assert Renderer.handle_mime(None, data, False) is None


@settings(deadline=None)
@given(alt=TEXT, name=TEXT)
def test_no_text_breaks_out_of_its_place(alt, name):
    figure = {"data": [{"name": name}]}
    soup = BeautifulSoup(plotly_html(figure, alt=alt, key="f"), "html.parser")
    assert soup.find(id="f-description").get_text() == alt
    assert json.loads(soup.script.string)["data"] == figure["data"]


@pytest.mark.parametrize("height, expected", [(300, "300px"), (None, "450px")])
def test_space_is_reserved_before_the_figure_is_drawn(height, expected):
    figure = {"data": [], "layout": {"height": height}}
    soup = BeautifulSoup(plotly_html(figure, alt="a", key="f"), "html.parser")
    assert expected in soup.select_one(".plotly-canvas")["style"]
