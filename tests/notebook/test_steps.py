"""Figures in steps: each step shows and says what it should."""

import base64
import io
import json

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image
from plotly.utils import PlotlyJSONEncoder

from manifpt_utils.notebook import figures as plots
from manifpt_utils.notebook.frames import PIXELS, Step, image_steps, matrix_steps

SIDE = 8
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
STARS = RNG.integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
ARTIFACTS = (IMAGES - STARS.astype(float)) / 255


def shown(figure, step):
    """The images of a step: (rows, columns, h, w, 3)."""
    source = figure.frames[step].data[0].source.split("base64,")[1]
    picture = Image.open(io.BytesIO(base64.b64decode(source))).convert("RGBA")
    sheet = np.pad(np.asarray(picture), [(0, PIXELS), (0, PIXELS), (0, 0)])
    whole = SIDE + PIXELS
    rows, columns = (n // whole for n in sheet.shape[:2])
    tiles = sheet.reshape(rows, whole, columns, whole, 4).swapaxes(1, 2)
    return tiles[:, :, :SIDE, :SIDE, :3]


def said(figure):
    return [step.value for step in figure.layout.sliders[0].steps]


def test_the_way_begins_at_the_image_and_ends_at_its_closest_point():
    figure = plots.projection_steps(IMAGES, ARTIFACTS, ["a", "b"])
    first, last = shown(figure, 0), shown(figure, -1)
    np.testing.assert_array_equal(first[:, 0], IMAGES)
    np.testing.assert_array_equal(first[:, 1], IMAGES)
    assert np.ptp(first[:, 2]) == 0  # nothing is taken away
    np.testing.assert_array_equal(last[:, 1], STARS)
    limit = plots.symmetric_limit(ARTIFACTS)
    grey = np.rint(255 * plots.signed(ARTIFACTS, limit))
    np.testing.assert_array_equal(last[:, 2], grey)
    lengths = np.linalg.norm(ARTIFACTS.reshape(2, -1), axis=1)
    assert said(figure)[-1].endswith(f"{lengths[0]:.1f} (a), {lengths[1]:.1f} (b).")


def test_more_real_images_show_their_nearest_and_say_its_distance():
    image, exact = IMAGES[0], STARS[1].astype(float)
    figure = plots.nearest_steps(image, STARS, [10, 2000], exact)
    for step, count in enumerate(("10", "2,000")):
        above, below = shown(figure, step)
        np.testing.assert_array_equal(above[1], STARS[step])
        np.testing.assert_array_equal(below[1], STARS[1])
        length = np.linalg.norm(image / 255 - STARS[step] / 255)
        text = f"The nearest of {count} real images leaves an artifact of {length:.1f}"
        assert said(figure)[step].startswith(text)
        mark = figure.frames[step].data[1]
        assert list(mark.y) == pytest.approx([length])


def test_an_image_on_the_manifold_is_not_divided_by_its_distance():
    figure = plots.nearest_steps(IMAGES[0], STARS, [1, 2], IMAGES[0])
    assert said(figure)[0].endswith("beside the exact one of 0.0.")


def confusion(rows):
    return pd.DataFrame(rows, ["a", "b"], ["a", "b"])


def test_a_confusion_says_what_is_right_and_the_most_frequent_mistake():
    tables = {"none": confusion(np.eye(2)), "50": confusion([[0.9, 0.1], [0.4, 0.6]])}
    figure = plots.confusion_steps(tables, title="JPEG quality")
    clear, mixed = said(figure)
    assert clear == "JPEG quality none: 100 % of the images are given the right name."
    assert mixed.startswith(
        "JPEG quality 50: 75 % of the images are given the right name"
    )
    assert mixed.endswith("40 % of b are called a.")
    numbers = figure.frames[1].data[1]
    assert [*numbers.y] == ["a", "a", "b", "b"] and [*numbers.x] == ["a", "b"] * 2
    assert [*numbers.text] == ["90", "10", "40", "60"]
    dark, light = "#050505", "#ffffff"
    assert [*numbers.textfont.color] == [dark, light, light, dark]
    assert [*figure.frames[0].data[1].text] == ["100", "100"]


def test_every_step_is_reached_by_the_slider_and_none_glides():
    figure = plots.projection_steps(IMAGES, ARTIFACTS, ["a", "b"])
    names = [step.args[0][0] for step in figure.layout.sliders[0].steps]
    assert names == [frame.name for frame in figure.frames]
    for step in figure.layout.sliders[0].steps:
        assert step.args[1]["transition"]["duration"] == 0
    assert not figure.layout.updatemenus  # nothing that plays by itself


def test_figures_of_six_steps_and_three_rows_are_small():
    images = RNG.integers(0, 256, (3, 32, 32, 3), np.uint8)  # noise: the worst case
    figure = plots.projection_steps(images, images / 255 - 0.5, ["a", "b", "c"])
    assert len(json.dumps(figure.to_plotly_json(), cls=PlotlyJSONEncoder)) < 300_000


@pytest.mark.parametrize("steps", [[], [Step("1", "One."), Step("2", "Two.")]])
def test_a_step_without_a_picture_is_refused(steps):
    words = {"row_labels": ["a"], "column_labels": ["x"], "title": "n"}
    with pytest.raises(ValueError, match=f"one grid: got {len(steps)} steps and 1"):
        image_steps([[[IMAGES[0]]]], steps, **words)
    with pytest.raises(ValueError, match=f"one table: got {len(steps)} steps and 1"):
        matrix_steps([confusion(np.eye(2))], steps, title="n", xlabel="", ylabel="")


def test_a_static_picture_goes_along_for_pages_without_a_script():
    figure = plots.projection_steps(IMAGES, ARTIFACTS, ["a", "b"])
    InteractiveShell.instance()
    with capture_output() as captured:
        words = {"alt": "Two images.", "caption": "From one to the other."}
        plots.show(figure, static=plots.image_rows([list(IMAGES)]), **words)
    InteractiveShell.clear_instance()
    shown, _ = captured.outputs
    assert {plots.PLOTLY, plots.SVG, plots.PNG} <= set(shown.data)
    still = shown.metadata[plots.PLOTLY]["still"]
    picture = Image.open(io.BytesIO(base64.b64decode(still.split("base64,")[1])))
    assert picture.width > picture.height


@pytest.mark.parametrize("shape", [(28, 40), (128, 64)])
def test_images_that_are_not_square_keep_their_proportions(shape):
    images = RNG.integers(0, 256, (1, *shape, 3), np.uint8)
    figure = plots.projection_steps(images, images / 255 - 0.5, ["a"])
    source = figure.frames[0].data[0].source.split("base64,")[1]
    width, height = Image.open(io.BytesIO(base64.b64decode(source))).size
    width = (width - 2 * PIXELS) / 3  # of one of three images in a row
    assert width / height == pytest.approx(shape[1] / shape[0])
    assert max(width, height) <= 64  # larger ones are shrunk
