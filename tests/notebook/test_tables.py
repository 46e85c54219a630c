"""Tables: semantic HTML, marks that every host shows, and no width beyond a page."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from manifpt_utils.metrics.intervals import Interval, mean_interval
from manifpt_utils.notebook import findings, tables
from manifpt_utils.notebook.tables import table

NAN = float("nan")
SCORES = pd.DataFrame(
    {"coffee": [0.5, 0.9, 0.88], "distance": [3.0, 1.0, 2.0], "n": [5, 1200, 7]},
    index=pd.Index(["raw", "nearest", "hull"], name="kind"),
)


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: a list of parsed HTML with the plain text."""
    calls = []

    def keep(data, *, raw):
        assert raw
        soup = BeautifulSoup(data["text/html"], "lxml")
        calls.append(SimpleNamespace(html=soup, plain=data["text/plain"]))

    monkeypatch.setattr(tables, "display", keep)
    return calls


@pytest.mark.parametrize("warnings", [["copies"], []])
def test_every_table_after_a_caution_refers_to_it(shown, monkeypatch, warnings):
    monkeypatch.setattr(findings, "_cautioned", not warnings)  # of an earlier call
    findings.caution(SimpleNamespace(warnings=warnings))
    table(SCORES, caption="Scores.")
    for text in (shown[0].html.caption.get_text(), shown[0].plain):
        assert ("see “Before you believe a number here”" in text) == bool(warnings)


def rows(html):
    """Text of all cells, row by row, without the headings of columns."""
    return [[cell.get_text() for cell in tr(["th", "td"])] for tr in html("tr")[1:]]


def marked(html, name):
    return [tag.get_text() for tag in html.tbody(name)]


def test_numbers_are_aligned_with_fixed_digits(shown):
    table(SCORES, caption="Scores.", digits={"coffee": 2})
    html = shown[0].html
    assert rows(html) == [
        ["raw", "0.50", "3.000", "5"],
        ["nearest", "0.90", "1.000", "1,200"],
        ["hull", "0.88", "2.000", "7"],
    ]
    assert all("text-align: right" in cell["style"] for cell in html("td"))
    assert html.caption.get_text() == "Scores."


def test_every_header_says_what_it_heads(shown):
    table(SCORES, caption="Scores.")
    html = shown[0].html
    assert [th["scope"] for th in html.thead("th")] == ["col"] * 4
    assert [th["scope"] for th in html.tbody("th")] == ["row"] * 3
    assert html.thead.th.get_text() == "kind"


def test_shares_are_shown_in_percent_and_counts_are_not(shown):
    table(SCORES, caption="Scores.", unit={"coffee": "%"})
    assert rows(shown[0].html)[0] == ["raw", "50.0", "3.000", "5"]
    assert shown[0].html("th")[1].get_text() == "coffee, %"
    table(SCORES[["coffee"]], caption="Scores.", unit="%")
    assert "Numbers in percent." in shown[1].html.caption.get_text()


@pytest.mark.parametrize("missing", [NAN, None, pd.NA, pd.NaT, mean_interval([])])
def test_what_is_missing_is_a_dash_with_its_reason(missing, shown):
    frame = pd.DataFrame({"score": pd.Series([0.5, missing], dtype=object)})
    table(frame, caption="Scores.", best="high", missing="not run")
    assert rows(shown[0].html) == [["0.500"], ["–"]]
    assert "–: not run." in shown[0].html.caption.get_text()
    assert "nan" not in str(shown[0].html).lower()


def test_the_best_is_marked_and_so_is_what_is_near_it(shown):
    best = {"coffee": "high", "distance": "low"}
    table(SCORES, caption="Scores.", best=best, within={"coffee": 0.03})
    html = shown[0].html
    assert marked(html, "strong") == ["0.900", "1.000"]
    assert marked(html, "ins") == ["0.880"]
    assert "underlined: not distinguishable" in html.caption.get_text()
    assert "0.900*" in shown[0].plain and "0.880=" in shown[0].plain


def test_ties_can_be_given_by_name(shown):
    table(SCORES, caption="Scores.", best="high", ties={"coffee": ["raw", "nearest"]})
    assert marked(shown[0].html, "ins") == ["0.500"]


def test_the_same_number_is_never_marked_in_one_row_alone(shown):
    frame = pd.DataFrame({"score": [0.5001, 0.5002, 0.4]})
    table(frame, caption="Scores.", best="high")
    assert marked(shown[0].html, "strong") == ["0.500", "0.500"]


def interval(low, high):
    return Interval((low + high) / 2, low, high, 4, 0.1, 0.9)


def test_intervals_show_their_half_width_and_decide_the_ties(shown):
    scores = [interval(0.5, 0.7), interval(0.4, 0.56), interval(0.1, 0.2)]
    frame = pd.DataFrame({"score": [*scores, mean_interval([0.3])]})
    table(frame, caption="Scores.", best="high", digits=2)
    html = shown[0].html
    assert html.td.get_text() == "0.60 ±\xa00.10"
    assert marked(html, "strong") == ["0.60"]
    assert marked(html, "ins") == ["0.48", "0.30"]  # one run alone tells nothing apart
    assert "the 90 % interval" in html.caption.get_text()
    table(frame, caption="Errors.", best="low", digits=2)
    assert marked(shown[1].html, "strong") == ["0.15"]
    assert marked(shown[1].html, "ins") == ["0.30"]


def test_an_interval_with_a_longer_side_shows_its_ends(shown):
    cut = Interval(0.9, 0.7, 1.0, 3, 0.1, 0.95)
    table(pd.DataFrame({"share": [cut, interval(0.5, 0.7)]}), caption="C.", unit="%")
    html = shown[0].html
    texts = [cell.get_text() for cell in html.find_all("td")]
    assert texts == ["90.0 (70.0\xa0to\xa0100.0)", "60.0 ±\xa010.0"]
    notes = html.caption.get_text()
    assert "In brackets: the 90 % or 95 % interval" in notes and "±: half" in notes
    assert "90.0 (70.0 to 100.0)" in shown[0].plain


@pytest.mark.parametrize(
    ("best", "order"), [("high", ["b", "a", "c"]), ("low", ["a", "b", "c"])]
)
def test_rows_are_sorted_by_the_best_and_missing_ones_come_last(best, order, shown):
    frame = pd.DataFrame({"score": [1.0, 2.0, NAN]}, index=list("abc"))
    table(frame, caption="Scores.", best=best, sort="score")
    assert [row[0] for row in rows(shown[0].html)] == order


def test_outer_levels_become_headings_and_keep_their_order(shown):
    index = pd.MultiIndex.from_product([["rgb", "frequency"], ["raw", "hull"]])
    frame = pd.DataFrame({"score": [0.1, 0.2, 0.3, 0.4]}, index=index)
    table(frame, caption="Scores.", sort="score")
    html = shown[0].html
    assert [row[0] for row in rows(html)] == [
        *("rgb", "hull", "raw"),
        *("frequency", "hull", "raw"),
    ]
    assert [th["colspan"] for th in html("th", scope="rowgroup")] == ["2", "2"]
    assert len(html("tbody")) == 2


def test_nothing_in_a_table_is_run_as_html(shown):
    frame = pd.DataFrame({"<b>": ["<script>1</script>"]}, index=["<i>x</i>"])
    table(frame, caption="<u>Caption</u>", fold="<s>Fold</s>")
    html = shown[0].html
    assert not html.find(["script", "b", "i", "u", "s"])
    assert html.tbody.td.get_text() == "<script>1</script>"


def test_nothing_rests_on_a_style_sheet(shown):
    table(SCORES, caption="Scores.", best="high")
    assert not shown[0].html.find(["style", "link"])


def test_long_tables_are_folded_behind_what_they_show(shown):
    long = pd.DataFrame({"score": range(16)})
    table(long, caption="Many scores.")
    table(long[:15], caption="Some scores.")
    table(SCORES, caption="Scores.", fold="The nearest is ahead.")
    summaries = [call.html.summary for call in shown]
    assert summaries[0].get_text() == "Many scores."
    assert summaries[1] is None
    assert summaries[2].get_text() == "The nearest is ahead."
    assert shown[2].html.details.table


def test_tables_wider_than_a_page_are_refused_or_split(shown):
    wide = pd.DataFrame(np.ones((2, 9)), index=["a", "b"])
    with pytest.raises(ValueError, match="10 columns do not fit.*split=True"):
        table(wide, caption="Wide.")
    table(wide, caption="Wide.", split=True)
    assert [len(rows(call.html)[0]) for call in shown] == [8, 3]
    assert shown[1].html.caption.get_text() == "Wide. (2 of 2)"
    table(wide.reset_index(drop=True).iloc[:, :8], caption="Narrow.")
    assert len(rows(shown[2].html)[0]) == 8


@pytest.mark.parametrize(
    "options", [{"sort": "x"}, {"best": {"x": "low"}}, {"ties": {"x": []}}]
)
def test_unknown_columns_are_named(options):
    with pytest.raises(ValueError, match="no column 'x'; the table has .*coffee"):
        table(SCORES, caption="Scores.", **options)


def test_a_table_without_rows_is_shown(shown):
    table(SCORES[:0], caption="Nothing.", best="high", sort="coffee")
    assert rows(shown[0].html) == []


def test_truths_are_words(shown):
    table(pd.DataFrame({"won": [True, False]}), caption="Verdicts.")
    assert rows(shown[0].html) == [["yes"], ["no"]]
