"""Figures: signs, scales, descriptions, and what the interactive map carries."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.notebook import figures as plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_zero_is_mid_grey_and_signs_are_kept():
    a = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(plots.signed(a, 2), [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(plots.signed(-a, 2), 1 - plots.signed(a, 2))


def test_one_limit_serves_all_and_zero_artifacts_have_one():
    assert plots.symmetric_limit([np.array([-3.0, 1.0])], 1.0) == 3
    assert plots.symmetric_limit(np.zeros(4)) == 1


def test_contact_sheet_keeps_every_pixel_in_reading_order():
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), np.uint8)
    sheet = plots.contact_sheet(images, columns=3)
    assert sheet.shape == (8, 15, 3)
    np.testing.assert_array_equal(sheet[4:, 5:10], images[4])


def test_a_picture_keeps_its_pixels_where_256_colours_are_enough(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 5, 3), np.uint8)
    found = plots.picture(images, columns=2)
    sheet = plots.contact_sheet(images, 2)
    np.testing.assert_array_equal(np.asarray(found.convert("RGB")), sheet)
    calls = captured(monkeypatch)
    plots.show(found, alt="noise", caption="Noise.")
    (bundle,), options = calls[0]
    assert options["metadata"]["image/png"]["alt"] == bundle["text/plain"] == "noise"
    shown = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    np.testing.assert_array_equal(np.asarray(shown.convert("RGB")), sheet)


def captured(monkeypatch):
    calls = []
    monkeypatch.setattr(plots, "display", lambda *a, **k: calls.append((a, k)))
    return calls


def test_show_hands_the_description_to_the_book(monkeypatch):
    calls = captured(monkeypatch)
    plots.show(plots.image_rows([[np.zeros((3, 3))]]), alt="black", caption="Nothing.")
    words = calls[0][1]["metadata"]["image/png"]
    assert words == {"alt": "black", "caption": "Nothing."}


def test_the_interactive_map_carries_each_image_under_its_number(monkeypatch):
    calls = captured(monkeypatch)
    images = np.zeros((45, 8, 8, 3), np.uint8)
    images[44] = 255
    labels = np.array(["dcgan"] * 40 + ["glow"] * 5)
    figure = plots.scatter_with_images(np.zeros((45, 2)), labels, images)
    plots.show(figure, alt="a map", caption="A map.")
    (bundle,), options = calls[0][0], calls[0][1]
    kind = "application/vnd.plotly.v1+json"
    assert options["metadata"][kind]["alt"] == bundle["text/plain"] == "a map"
    sprite = bundle[kind]["layout"]["meta"]["sprite"]
    data = base64.b64decode(sprite["source"].split(",", 1)[1])
    picture = np.asarray(Image.open(io.BytesIO(data)))
    numbers = figure.data[1].customdata
    row, column = divmod(int(numbers[-1]), sprite["columns"])
    assert picture[8 * row + 4, 8 * column + 4].min() > 200
    assert sum(len(trace.x) for trace in figure.data) == 45


def test_lines_draw_one_line_a_group_and_one_panel_a_space():
    table = pd.DataFrame(
        {"n": [1, 10] * 4, "error": [1, 0.1] * 4}
        | {"who": ["a", "a", "b", "b"] * 2, "space": ["rgb"] * 4 + ["frequency"] * 4}
    )
    figure = plots.lines(table, x="n", y="error", hue="who", col="space")
    assert [axis.get_title() for axis in figure.axes] == ["rgb", "frequency"]
    assert all(len(axis.containers) == 2 for axis in figure.axes)
    assert figure.axes[0].get_xscale() == "log"


@pytest.mark.parametrize(("n", "shape"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 2))])
def test_four_panels_stand_two_by_two(n, shape):
    _, axes = plots._panels(n)
    assert axes.shape == shape and all(axis.axison for axis in axes.flat)


def test_a_panel_without_content_is_left_blank():
    _, axes = plots._panels(5)
    assert [axis.axison for axis in axes.flat] == [True] * 5 + [False]


def test_maps_on_the_photograph_draw_every_box_and_every_point():
    photo = PhotoManifold("coffee")
    c = photo.coordinates(4, seed=0)
    axis = plots.boxes_on_photograph(photo.photograph, c, labels="abcd").axes[0]
    assert len(axis.patches) == 4
    assert axis.patches[0].get_width() == pytest.approx(c[0, 2])
    figure = plots.coverage_maps(photo, {"dcgan": c, "real": c})
    assert len(figure.axes[0].collections[0].get_offsets()) == 4
