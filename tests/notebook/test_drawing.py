"""How figures become outputs: one SVG, the same each time, described and captioned."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go
import pytest
from colours import contrast
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from manifpt_utils.notebook import figures
from manifpt_utils.notebook.drawing import Panels, drawn, use_style
from manifpt_utils.notebook.figures import PLOTLY, PNG, SVG, show
from manifpt_utils.notebook.palette import (
    FAMILY_STYLE,
    KIND_STYLE,
    PALETTE,
    VARIABLES,
    fixed,
    styles,
)

NAME = "{http://www.w3.org/2000/svg}"
CSS = Path(__file__).parents[2] / "book/_static/manifpt.css"


def svg_of(figure):
    return drawn(figure).svg()


def figure(size=(3, 2), title="A title & more"):
    found = Figure(size, layout="constrained")
    axis = found.add_subplot()
    axis.plot([0, 1, 2], [2, 1, 3], "o-")
    axis.set_title(title)
    return found


def legend():
    found = Figure((3, 0.5))
    found.text(0.1, 0.1, "a legend")
    return found


def viewbox(element):
    return [float(v) for v in element.get("viewBox").split()]


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: a list of (data, metadata)."""
    calls = []
    monkeypatch.setattr(
        figures,
        "display",
        lambda data, *, metadata, raw: calls.append((data, metadata)),
    )
    return calls


def test_text_stays_text_and_the_ground_stays_clear():
    svg = ET.fromstring(svg_of(figure()))
    assert "A title & more" in {t.text for t in svg.iter(f"{NAME}text")}
    assert viewbox(svg) == [0, 0, 216, 144]
    fills = [p.get("style", "") for p in svg.iter(f"{NAME}path")]
    assert not any("fill: #ffffff" in style for style in fills)


@pytest.mark.parametrize("part", ["<style", "<metadata", "<!DOCTYPE", "DejaVu"])
def test_nothing_in_a_drawing_concerns_the_page_around_it(part):
    assert part not in svg_of(figure())


def test_the_same_figure_is_the_same_file():
    assert svg_of(figure()) == svg_of(figure())


def test_every_reference_has_its_target_and_every_target_a_reference():
    svg = svg_of(Panels([figure(), figure(title="Other")], legend()))
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    defined = re.findall(r' id="([^"]+)"', svg)
    assert used and used == set(defined) and len(defined) == len(used)


@pytest.mark.parametrize(("n", "columns", "rows"), [(1, 3, 1), (4, 3, 2), (7, 3, 3)])
def test_panels_fill_rows_of_equal_length_without_touching(n, columns, rows):
    svg = ET.fromstring(svg_of(Panels([figure() for _ in range(n)], columns=columns)))
    boxes = [[float(p.get(k)) for k in ("x", "y", "width", "height")] for p in svg]
    assert len({y for _, y, _, _ in boxes}) == rows
    assert len(set(map(tuple, boxes))) == n
    width, height = viewbox(svg)[2:]
    assert max(x + w for x, _, w, _ in boxes) == pytest.approx(width)
    assert max(y + h for _, y, _, h in boxes) == pytest.approx(height)
    assert {(w, h) for _, _, w, h in boxes} == {(216, 144)}


def test_the_legend_of_panels_comes_first():
    svg = ET.fromstring(svg_of(Panels([figure(), figure()], legend())))
    assert [part.get("class") for part in svg] == ["legend", "panel", "panel"]
    assert float(svg[1].get("y")) > float(svg[0].get("height"))


def image_figure(pixels):
    found = Figure((2, 2))
    found.add_axes((0, 0, 1, 1)).imshow(pixels, interpolation="none")
    return found


def rasters(svg):
    return re.findall(r'data:image/(\w+);base64,([^"]+)', svg)


def test_small_pictures_keep_their_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    ((kind, data),) = rasters(svg_of(image_figure(pixels)))
    found = Image.open(io.BytesIO(base64.b64decode(data)))
    assert kind == "png"
    np.testing.assert_array_equal(np.asarray(found)[..., :3], pixels)


def test_photographs_are_stored_small():
    ramp = np.linspace(0, 255, 400)[:, None, None] * np.ones((1, 400, 3))
    noise = np.random.default_rng(0).normal(0, 6, ramp.shape)
    pixels = (ramp + noise).clip(0, 255).astype(np.uint8)
    ((kind, data),) = rasters(svg_of(image_figure(pixels)))
    found = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))), dtype=float)
    assert kind == "webp" and len(data) < 0.5 * pixels.size
    assert np.abs(found[..., :3] - pixels).mean() < 6


def test_show_hands_the_words_to_the_book_and_puts_the_caption_below(shown):
    show(figure(), alt="A line.", caption="Of $x^*$.", name="line")
    (data, metadata), (below, kind) = shown
    assert data[SVG].startswith("<svg") and data["text/plain"] == "A line."
    words = metadata[SVG]
    assert (words["alt"], words["caption"], words["name"]) == (
        *("A line.", "Of $x^*$."),
        "line",
    )
    assert words["needs_background"] == "light"  # JupyterLab cannot lend its colours
    assert below == {"text/markdown": "*Figure.* Of $x^*$."}
    assert kind["text/markdown"] == {"kind": "caption"}


def test_a_drawing_has_pixels_of_the_same_size_for_hosts_that_trust_no_svg(shown):
    show([figure(), figure()], alt="Two lines.", caption="Two.")
    data, metadata = shown[0]
    found = Image.open(io.BytesIO(base64.b64decode(data[PNG])))
    width, height = viewbox(ET.fromstring(data[SVG]))[2:]
    assert metadata[PNG]["width"] == pytest.approx(width * 4 / 3, abs=0.5)
    assert found.width == pytest.approx(2 * metadata[PNG]["width"], abs=2)
    assert found.height / found.width == pytest.approx(height / width, abs=0.01)
    pixels = np.asarray(found.convert("L"))
    left, right = pixels[:, : found.width // 2], pixels[:, found.width // 2 :]
    assert left.min() < 100 and right.min() < 100  # both panels are there
    assert pixels[0, 0] == 255


def test_a_list_of_figures_is_shown_as_panels(shown):
    show([figure(), figure()], alt="Two lines.", caption="Two.")
    assert shown[0][0][SVG].count('class="panel"') == 2


def test_pictures_stay_pictures(shown):
    show(Image.new("RGB", (3, 2), "red"), alt="Red.", caption="Red.")
    data, metadata = shown[0]
    assert Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).size == (3, 2)
    assert metadata["image/png"]["alt"] == "Red."


def test_an_interactive_figure_may_have_a_stand_in(shown):
    show(go.Figure(), alt="A map.", caption="A map.", static=figure())
    data, metadata = shown[0]
    assert data[PLOTLY]["data"] == [] and data[SVG].startswith("<svg")
    assert metadata[PLOTLY]["alt"] == "A map." and "alt" not in metadata[SVG]


@pytest.mark.parametrize(
    "words", [{"alt": " "}, {"caption": ""}, {"caption": "Gain nan."}, {"alt": "nan"}]
)
def test_figures_without_readable_words_are_refused(words, shown):
    with pytest.raises(ValueError, match="sentence|missing"):
        show(figure(), **({"alt": "A line.", "caption": "A line."} | words))
    assert shown == []


@pytest.mark.parametrize("name", PALETTE)
def test_colours_can_be_read_on_white_and_in_the_dark(name):
    dark = dict(re.findall(r"--figure-(\w+): (#[0-9a-f]{6})", CSS.read_text("utf-8")))
    assert contrast(PALETTE[name], "#ffffff") >= 4.5
    assert contrast(dark[name], "#121212") >= 4.5
    both = fixed(PALETTE[name], lighter=0.25)
    assert contrast(both, "#ffffff") >= 3 and contrast(both, "#121212") >= 3


def test_every_colour_of_the_page_has_a_name_of_its_own():
    assert len(set(VARIABLES.values())) == len(VARIABLES)
    assert set(PALETTE.values()) < set(VARIABLES)
    assert not {fixed(colour) for colour in VARIABLES} & set(VARIABLES)


def test_kinds_and_families_differ_from_each_other():
    kinds = {name: look for name, look in KIND_STYLE.items() if name != "affine"}
    assert KIND_STYLE["affine"] == KIND_STYLE["hull"]
    for looks in (kinds, FAMILY_STYLE):
        assert len(set(looks.values())) == len(looks)


def test_any_number_of_classes_can_be_told_apart():
    looks = styles([f"model {i}" for i in range(72)])
    assert len(set(looks.values())) == 72
    assert len(styles([f"model {i}" for i in range(100)])) == 100


def test_the_style_of_a_notebook_is_that_of_the_book():
    with mpl.rc_context():
        use_style()
        first = mpl.rcParams["axes.prop_cycle"].by_key()["color"][0]
        assert to_hex(first) == PALETTE["blue"]
        assert mpl.rcParams["figure.constrained_layout.use"]
