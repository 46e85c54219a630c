"""Figures: signs, scales, directness, and what the interactive map carries."""

import base64
import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from colours import contrast
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.metrics.intervals import mean_interval
from manifpt_utils.notebook import figures as plots
from manifpt_utils.notebook.charts import _ranges, _short, _spread, legible
from manifpt_utils.notebook.drawing import WIDTH, Panels, drawn, use_style
from manifpt_utils.notebook.layout import fitted, legend
from manifpt_utils.notebook.palette import KIND_STYLE, styles

MANY = [f"model {i}" for i in range(20)]


def svg_of(figure):
    return drawn(figure).svg()


def texts(figure):
    """All words of a figure, ticks included."""
    figure.draw_without_rendering()
    return {t.get_text() for t in figure.findobj(plt.Text) if t.get_text()}


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


def test_fewer_images_than_columns_stand_in_one_row():
    images = np.arange(10 * 12, dtype=np.uint8).reshape(10, 2, 2, 3)
    assert plots.contact_sheet(images, columns=12).shape == (2, 20, 3)
    assert plots.contact_sheet(images[:1], columns=12).shape == (2, 2, 3)
    with pytest.raises(ValueError, match="at least one image"):
        plots.contact_sheet(images[:0])


@pytest.mark.parametrize("n", [1, 10, 11, 12, 24, 25])
def test_sheets_of_any_number_show_full_rows(n):
    images = np.zeros((n, 4, 6, 3), np.uint8)
    found = plots.sheets({"dcgan": images, "glow": images}, n=n)
    assert [f.axes[0].get_title() for f in found.figures] == ["dcgan", "glow"]
    shown = found.figures[0].axes[0].images[0].get_array()
    assert shown.size == images[: n // min(n, 12) * min(n, 12)].size


def test_large_images_shrink_in_sheets_and_keep_their_shape():
    found = plots.sheets({"dcgan": np.zeros((2, 256, 128, 3), np.uint8)}, columns=2)
    shown = found.figures[0].axes[0].images[0].get_array()
    assert shown.shape == (64, 64, 3)


def test_a_grid_leaves_missing_images_empty():
    image = np.zeros((3, 3))
    figure = plots.image_rows([[image, None], [image]], row_labels=["a", "b"])
    assert [len(axis.images) for axis in figure.axes] == [1, 0, 1, 0]


@pytest.mark.parametrize(("columns", "size"), [(1, 0.9), (4, 0.9), (8, 0.45)])
def test_images_of_a_grid_are_as_large_as_a_phone_lets_them_be(columns, size):
    rows = [[np.zeros((8, 8))] * columns] * 2
    figure = plots.image_rows(rows, column_labels=["a"] * columns)
    box = figure.axes[0].get_position()
    width, height = figure.get_size_inches()
    assert box.width * width == pytest.approx(size, abs=0.03)
    assert box.height * height == pytest.approx(size, abs=0.03)


def test_grids_and_matrices_of_a_few_columns_fit_on_a_phone():
    names, kinds = ["frequency", *"bcdefg"], list("abcdefg")
    images = [[np.zeros((8, 8))] * 7] * 2
    rows = plots.image_rows(images, row_labels=names[:2], column_labels=kinds)
    matrix = plots.heatmap(pd.DataFrame(np.eye(7), names, kinds))
    assert max(figure.get_figwidth() for figure in (rows, matrix)) <= WIDTH + 1e-9


@pytest.mark.parametrize("names", [["raw", "hull"], MANY, ["a rather long name"]])
def test_a_legend_is_as_wide_as_its_names(names):
    figure = legend(styles(names))
    assert figure.get_figwidth() < WIDTH + 0.1
    figure.draw_without_rendering()
    (shown,) = figure.legends
    assert shown.get_window_extent().width <= figure.bbox.width


def test_labels_break_between_words_and_else_slant():
    assert fitted(["a nearest artifact"], 0.7)[0] == ["a nearest\nartifact"]
    labels, turn, _ = fitted(["unbreakable_name"], 0.4)
    assert labels == ["unbreakable_name"] and turn["rotation"] > 0


def test_the_interactive_map_carries_each_image_under_its_number():
    images = np.zeros((45, 8, 8, 3), np.uint8)
    images[44] = 255
    labels = np.array(["dcgan"] * 40 + ["glow"] * 5)
    figure = plots.scatter_with_images(np.zeros((45, 2)), labels, images)
    meta = figure.layout.meta
    data = base64.b64decode(meta["sprite"].split(",", 1)[1])
    picture = np.asarray(Image.open(io.BytesIO(data)))
    numbers = figure.data[1].customdata
    row, column = divmod(int(numbers[-1]), meta["columns"])
    assert picture[8 * row + 4, 8 * column + 4].min() > 200
    assert sum(len(trace.x) for trace in figure.data) == 45


def test_the_interactive_map_tells_more_classes_than_markers_apart():
    labels = np.array(MANY)
    images = np.zeros((20, 4, 4, 3), np.uint8)
    figure = plots.scatter_with_images(np.zeros((20, 2)), labels, images)
    looks = {(trace.marker.color, trace.marker.symbol) for trace in figure.data}
    assert len(looks) == 20


def few_shot(names=("raw", "nearest"), spaces=("rgb", "frequency")):
    rows = [(n, 0.1 * n, who, s) for s in spaces for who in names for n in (1, 10)]
    return pd.DataFrame(rows, columns=["n", "error", "who", "space"])


def test_lines_draw_one_line_a_group_and_one_panel_a_space():
    found = plots.lines(few_shot(), x="n", y="error", hue="who", col="space")
    axes = [figure.axes[0] for figure in found.figures]
    assert [axis.get_title() for axis in axes] == ["rgb", "frequency"]
    assert all(len(axis.containers) == 2 for axis in axes)
    assert axes[0].get_xscale() == axes[0].get_yscale() == "log"


def test_panels_share_their_scale():
    table = few_shot()
    table.loc[table["space"] == "rgb", "error"] *= 9
    found = plots.lines(table, x="n", y="error", hue="who", col="space", log=False)
    limits = {figure.axes[0].get_ylim() for figure in found.figures}
    assert len(limits) == 1


def test_few_lines_are_named_where_they_end_and_many_in_a_legend():
    few = plots.lines(few_shot(spaces=["rgb"]), x="n", y="error", hue="who")
    assert {"raw", "nearest"} <= texts(few)
    many = plots.lines(few_shot(MANY), x="n", y="error", hue="who", col="space")
    assert set(MANY) <= texts(many.legend)
    assert not set(MANY) & texts(many.figures[0])


def test_a_line_without_an_end_is_named_where_it_stops_and_one_without_points_not():
    table = few_shot(names=["raw", "nearest", "hull"], spaces=["rgb"])
    table.loc[(table["who"] == "nearest") & (table["n"] == 10), "error"] = np.nan
    table.loc[table["who"] == "hull", "error"] = np.nan
    figure = plots.lines(table, x="n", y="error", hue="who", log=False)
    names = {t.get_text(): t.get_position()[1] for t in figure.axes[0].texts}
    assert set(names) == {"raw", "nearest"}
    assert names["nearest"] < names["raw"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_names_at_line_ends_keep_their_order_and_their_distance(places):
    found = _spread(places, 0.1)
    assert np.diff(np.sort(found)).min(initial=1) >= 0.1 - 1e-9
    order = np.argsort(places, kind="stable")
    assert (np.diff(found[order]) > 0).all()
    assert max(found) <= 1 + 1e-9


def test_places_far_enough_apart_stay():
    np.testing.assert_allclose(_spread([0.9, 0.1, 0.5], 0.1), [0.9, 0.1, 0.5])


def test_intervals_are_drawn_from_cells_from_ends_and_from_half_widths():
    cells = [mean_interval([0.4, 0.5, 0.6]), mean_interval([0.3])]
    table = pd.DataFrame({"score": cells, "mean": [i.mean for i in cells]})
    table = table.assign(low=[i.low for i in cells], high=[i.high for i in cells])
    table["half"] = (table["high"] - table["low"]) / 2
    expected = _ranges(table, "score", None)
    for error in (("low", "high"), "half"):
        for a, b in zip(_ranges(table, "mean", error), expected, strict=True):
            np.testing.assert_allclose(a, b)
    assert expected[1][:, 1].tolist() == [0, 0]  # one run has no bar
    assert not _ranges(table, "mean", None)[1].any()


def scores(groups):
    table = pd.DataFrame({"score": np.linspace(0.2, 0.8, len(groups))})
    return table.set_axis([f"method {i}" for i in range(len(groups))])


def test_rows_of_one_group_stand_below_its_name():
    groups = ["earlier", "earlier", "raw"]
    figure = plots.dots(scores(groups), value="score", groups=groups, chance=0.1)
    labels = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert labels == ["earlier", "method 0", "method 1", "raw", "method 2"]
    assert "chance" in texts(figure)


def test_groups_that_alternate_have_a_legend():
    groups = ["raw", "earlier", "raw"]
    found = plots.dots(scores(groups), value="score", groups=groups)
    assert {"raw", "earlier"} <= texts(found.legend)
    labels = [t.get_text() for t in found.figures[0].axes[0].get_yticklabels()]
    assert labels == ["method 0", "method 1", "method 2"]


def test_dots_stand_in_the_row_of_their_name():
    groups = ["earlier", "earlier", "raw"]
    figure = plots.dots(scores(groups), value="score", groups=groups)
    axis = figure.axes[0]
    names = [t.get_text() for t in axis.get_yticklabels()]
    height = dict(zip(names, axis.get_yticks(), strict=True))
    points = [
        (x, y)
        for bars in axis.containers
        for x, y in zip(*bars.lines[0].get_data(), strict=True)
    ]
    assert sorted(points) == [
        (pytest.approx(x), height[name]) for name, x in scores(groups)["score"].items()
    ]


def test_long_names_leave_the_dots_their_room():
    table = scores(["raw"]).set_axis(["a very long name of a method " * 3])
    svg = svg_of(plots.dots(table, value="score"))  # would warn of a layout that fails
    long = pd.DataFrame({"x": [1, 2], "y": [1, 2], "who": "a long name of a line " * 2})
    assert "very long" in svg and svg_of(plots.lines(long, x="x", y="y", hue="who"))


def test_panels_of_dots_have_the_same_rows_and_a_gap_where_one_is_missing():
    rows = [("a", "home", 0.5), ("b", "home", 0.6), ("b", "away", 0.4)]
    table = pd.DataFrame(rows, columns=["method", "test", "score"])
    found = plots.dot_panels(
        table, value="score", row="method", col="test", chance={"home": 0.1}
    )
    home, away = (figure.axes[0] for figure in found.figures)
    for axis in (home, away):
        assert [t.get_text() for t in axis.get_yticklabels()] == ["a", "b"]
    drawn = away.containers[0].lines[0].get_xdata()
    np.testing.assert_array_equal(drawn, [np.nan, 0.4])
    assert home.get_xlim() == away.get_xlim()
    assert "chance" in texts(found.figures[0])
    assert "chance" not in texts(found.figures[1])


@pytest.mark.parametrize("names", [["a"], ["denoiser, of other photographs"]])
def test_the_whole_title_of_a_panel_is_in_sight_in_a_wide_font(names):
    titles = ["home", "home, 100 images per model, all of the models"]
    cells = [(name, title, 0.5) for name in names for title in titles]
    table = pd.DataFrame(cells, columns=["method", "test", "score"])
    with mpl.rc_context():
        use_style()
        where = {"value": "score", "row": "method", "col": "test"}
        figures = plots.dot_panels(table, **where, chance=0.1).figures
    for figure, title in zip(figures, titles, strict=True):
        figure.draw_without_rendering()  # in DejaVu Sans, wider than most fonts
        (words,) = (t for t in figure.findobj(plt.Text) if t.get_text() == title)
        box, page = words.get_window_extent(), figure.bbox
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and box.y1 <= page.y1
        assert box.y0 >= figure.axes[0].get_window_extent().y1


def test_one_row_may_stand_in_several_groups():
    table = pd.DataFrame(
        [(k, c, 0.1 * i) for c in ("linear", "network") for i, k in enumerate("ab")],
        columns=["kind", "classifier", "score"],
    ).assign(test="home")
    where = {"value": "score", "row": "kind", "col": "test", "group": "classifier"}
    (axis,) = plots.dot_panels(table, **where).figures[0].axes
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert labels == ["linear", "a", "b", "network", "a", "b"]
    dots = [bars.lines[0].get_xdata() for bars in axis.containers]
    np.testing.assert_allclose(dots, [[0, 0.1], [0, 0.1]])


def test_rows_of_panels_with_and_without_chance_are_level():
    cells = [("a", "home", 0.5), ("a", "away", 0.4)]
    table = pd.DataFrame(cells, columns=["method", "test", "score"])
    where = {"value": "score", "row": "method", "col": "test", "chance": {"home": 0.1}}
    with mpl.rc_context():
        use_style()
        figures = plots.dot_panels(table, **where).figures
    for figure in figures:
        figure.draw_without_rendering()
    home, away = (figure.axes[0].get_position().bounds for figure in figures)
    assert home == pytest.approx(away, abs=0.02)  # a pixel


@pytest.mark.parametrize("chance", [0.1, 0.9])
def test_chance_is_in_the_picture_wherever_the_scores_are(chance):
    table = pd.DataFrame({"score": [0.5, 0.7], "n": [5, 9], "who": "raw"})
    named = {"value": "score", "row": "who", "col": "n"}
    curve = plots.lines(table, x="n", y="score", hue="who", level={"chance": chance})
    panels = plots.dot_panels(table, **named, chance=chance)
    for low, high in (
        plots.dots(table, value="score", chance=chance).axes[0].get_xlim(),
        *(panel.axes[0].get_xlim() for panel in panels.figures),
        curve.axes[0].get_ylim(),
    ):
        assert low < chance < high


def test_rows_that_name_their_group_need_neither_headings_nor_a_legend():
    figure = plots.dots(scores(["raw", "hull"]), value="score", groups=["raw", "hull"])
    labels = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert labels == ["method 0", "method 1"]


def test_ticks_in_percent_and_on_logarithmic_axes_are_plain_numbers():
    table = pd.DataFrame({"score": [0.05, 0.2], "n": [10, 100], "who": "raw"})
    where = {"x": "n", "y": "score", "hue": "who"}
    shares = texts(plots.lines(table, **where, log="x", percent=True))
    assert {"5 %", "10 %", "20 %"} <= shares
    short = texts(plots.lines(table, **where))
    assert {"0.05", "0.1", "0.2"} <= short and not any("10^" in t for t in short)
    tall = texts(plots.lines(table.assign(score=[0.001, 10]), **where))
    assert {"0.01", "0.1", "1"} <= tall and "0.2" not in tall


def test_thousands_have_a_comma_below_dots():
    table = pd.DataFrame({"distance": [0.0, 2000.0]}, ["near", "far"])
    assert {"0", "2,000"} <= texts(plots.dots(table, value="distance"))


def test_dots_of_accuracies_leave_no_room_for_impossible_ones():
    table = pd.DataFrame({"score": [0.5, 0.6], "half": [0.9, 0.1]}, list("ab"))
    low, high = plots.dots(table, value="score", error="half").axes[0].get_xlim()
    assert low < -0.3 and high > 1.3
    accuracies = plots.dots(table, value="score", error="half", chance=0.1)
    assert accuracies.axes[0].get_xlim() == (-0.02, 1.02)
    table = table.assign(n=[100, 10_000], kind="raw")
    where = {"x": "n", "y": "score", "hue": "kind", "error": "half", "log": "x"}
    figure = plots.lines(table, **where, level={"chance": 0.1})
    assert figure.axes[0].get_ylim() == (-0.02, 1.02)
    assert {"100", "10k"} <= texts(figure)


@pytest.mark.parametrize("half", [2.0, 0.1])
def test_a_quiet_line_without_a_free_place_is_named_beside_the_panels(half):
    table = pd.DataFrame({"n": [5, 100], "gain": [0.6, 0.7], "kind": "raw"})
    table = table.assign(half=half, where="home")
    options = {"x": "n", "y": "gain", "hue": "kind", "error": "half", "log": "x"}
    both = pd.concat([table, table.assign(where="away", half=0.01)])
    found = plots.lines(both, **options, col="where", level={"no gain": 0})
    places = [
        text.get_verticalalignment()
        for figure in found.figures
        for text in figure.axes[0].texts
        if text.get_text() == "no gain"
    ]
    middle = places == ["center", "center"]  # of the line, beyond its right end
    assert len(places) == 2 and middle == (half > 1)


def test_the_name_of_a_quiet_line_evades_bars_as_well():
    table = pd.DataFrame({"n": [5, 22, 100], "gain": 0.6, "kind": "raw"})
    table["half"] = [0.4, 1, 0.4]
    where = {"x": "n", "y": "gain", "hue": "kind", "error": "half", "log": "x"}
    axis = plots.lines(table, **where, level={"no gain": 0.2}).axes[0]
    (name,) = (text for text in axis.texts if text.get_text() == "no gain")
    assert name.get_verticalalignment() == "top"  # at both ends the bars are above


@pytest.mark.parametrize(
    ("scores", "side"),
    [([0.1, 0.9], "right"), ([0.9, 0.1], "left"), ([np.nan, np.nan], "left")],
)
def test_a_quiet_line_is_named_where_the_curves_are_not(scores, side):
    table = pd.DataFrame({"n": [5, 100], "score": scores, "kind": "raw"})
    where = {"x": "n", "y": "score", "hue": "kind", "log": "x"}
    axis = plots.lines(table, **where, level={"chance": 0.1}).axes[0]
    (name,) = (text for text in axis.texts if text.get_text() == "chance")
    assert name.get_horizontalalignment() == side


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.434, ".43"), (-0.07, "−.07"), (1, "1"), (0.997, "1"), (-0.001, ".00")]
    + [(12.5, "12.50"), (0, ".00"), (np.nan, "–"), (10.0, "10")],
)
def test_numbers_of_a_matrix_are_short(value, text):
    assert _short(value) == text


@example((0.8984375, 0.0, 0.46875))  # where both are nearly equal
@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_text_on_every_colour_has_enough_contrast(colour):
    assert contrast(legible([colour])[0], colour) >= 4.5


@pytest.mark.parametrize("cmap", ["viridis", "RdBu_r"])
def test_numbers_of_a_matrix_can_be_read_on_their_cells(cmap):
    shades = np.linspace(0, 1, 24).reshape(4, 6)
    shades[1, 2] = np.nan
    (axis,) = plots.heatmap(pd.DataFrame(shades), cmap=cmap, limits=(0, 1)).axes
    cells = axis.collections[0].get_facecolors()[~np.isnan(shades).ravel()]
    for text, cell in zip(axis.texts, cells, strict=False):  # the last one is the dash
        assert contrast(text.get_color(), cell[:3]) >= 4.5


def test_a_matrix_shows_a_dash_where_nothing_was_measured():
    table = pd.DataFrame([[0.5, np.nan]], ["raw"], ["home", "away"])
    assert {".50", "–", "raw", "home", "away", "accuracy"} <= texts(
        plots.heatmap(table, label="accuracy")
    )


@pytest.mark.parametrize("names", [["a", "b"], MANY])
def test_maps_draw_any_number_of_classes(names):
    labels = np.repeat(names, 3)
    points = np.random.default_rng(0).normal(size=(len(labels), 2))
    found = plots.scatter_panels({"map": points}, labels)
    drawn = found.figures[0].axes[0].collections
    assert sum(len(c.get_offsets()) for c in drawn) == len(labels)
    assert set(names) <= texts(found.legend)


def test_a_method_looks_the_same_in_every_figure():
    colour = KIND_STYLE["nearest"][0]
    line = plots.lines(few_shot(spaces=["rgb"]), x="n", y="error", hue="who")
    bars = {c.get_label(): c.lines[0] for c in line.axes[0].containers}
    dot = plots.dots(
        scores(["raw", "nearest"]), value="score", groups=["raw", "nearest"]
    )
    dot_bars = {c.get_label(): c.lines[0] for c in dot.axes[0].containers}
    for found in (bars["nearest"], dot_bars["nearest"]):
        assert (found.get_color(), found.get_marker()) == (colour, "s")


def test_one_scale_serves_all_spectra():
    found = plots.spectra({"a": np.full((4, 4), 2.0), "b": np.full((4, 4), -1.0)})
    limits = {figure.axes[0].images[0].get_clim() for figure in found.figures}
    assert limits == {(-2, 2)}
    assert "log magnitude" in texts(found.legend)


def test_no_figure_is_left_for_the_notebook_to_show_unasked():
    before = plt.get_fignums()
    figure = plots.lines(few_shot(), x="n", y="error", hue="who", col="space")
    assert isinstance(figure, Panels)
    svg_of(figure)
    assert plt.get_fignums() == before


def test_maps_on_the_photograph_draw_every_box_and_every_point():
    photo = PhotoManifold("coffee")
    c = photo.coordinates(4, seed=0)
    axis = plots.boxes_on_photograph(photo.photograph, c, labels="abcd").axes[0]
    assert len(axis.patches) == 4
    assert axis.patches[0].get_width() == pytest.approx(c[0, 2])
    found = plots.coverage_maps(photo, {"dcgan": c, "real": c})
    axis = found.figures[0].axes[0]
    assert len(axis.collections[0].get_offsets()) == 4
    h, w = photo.photograph.shape[:2]
    assert tuple(axis.images[0].get_extent()) == (-0.5, w - 0.5, h - 0.5, -0.5)


def test_more_boxes_than_colours_are_drawn():
    photo = PhotoManifold("coffee")
    c = photo.coordinates(11, seed=0)
    figure = plots.boxes_on_photograph(photo.photograph, c)
    assert len(figure.axes[0].patches) == 11


def test_a_stroke_leads_from_the_first_of_a_pair_to_the_second():
    feet, tips = np.zeros((1, 2)), np.array([[3.0, 4.0]])
    found = plots.plane_panels({"one": {"up": (feet, tips)}, "two": {"real": tips}})
    stroke, point = found.figures[0].axes[0].lines
    np.testing.assert_array_equal(stroke.get_xydata(), [[0, 0], [3, 4]])
    np.testing.assert_array_equal(point.get_xydata(), tips)
    assert len(found.figures[1].axes[0].lines) == 1


def test_all_panels_of_a_plane_have_one_square_scale():
    far, near = np.array([[-1.0, 0.0], [5.0, 2.0]]), np.zeros((1, 2))
    found = plots.plane_panels({"far": {"up": far}, "near": {"up": near}}, curve=near)
    limits = {(f.axes[0].get_xlim(), f.axes[0].get_ylim()) for f in found.figures}
    ((x, y),) = limits
    assert x[1] - x[0] == pytest.approx(y[1] - y[0])
    assert x[0] < -1 and x[1] > 5
    assert {"far", "near"} <= texts(found.figures[0]) | texts(found.figures[1])
