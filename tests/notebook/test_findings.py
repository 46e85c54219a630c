"""Findings: words chosen by numbers, and nothing unreadable in a sentence."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifpt_utils.metrics.intervals import Interval, mean_interval
from manifpt_utils.notebook import findings
from manifpt_utils.notebook.findings import (
    answer,
    count,
    finding,
    left_out,
    listing,
    number,
    percent,
    points,
    standing,
    tally,
    verdict,
)

NAN = float("nan")
AHEAD = Interval(0.043, 0.012, 0.074, 4, 0.02)


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: a list of (text, metadata)."""
    calls = []

    def keep(data, *, metadata, raw):
        assert raw and data["text/markdown"] == data["text/plain"]
        calls.append((data["text/markdown"], metadata["text/markdown"]))

    monkeypatch.setattr(findings, "display", keep)
    monkeypatch.setattr(findings, "_cautioned", False)  # and what it was comes back
    return calls


def test_paragraphs_are_shown_once_and_nothing_is_returned(shown):
    assert finding("One. ", "Two, $x^*$.") is None
    assert shown == [("One.\n\nTwo, $x^*$.", {"kind": "finding"})]


def test_the_answer_is_a_quotation_of_all_its_lines(shown):
    answer("One\nline.", "Two.")
    assert shown == [("> One\n> line.\n>\n> Two.", {"kind": "answer"})]


def test_several_sections_are_left_out_and_one_is(shown):
    left_out(["A", "B"], "there is no map")
    left_out(["A"], "there is no map")
    assert shown[0][0] == "*A and B are left out: there is no map.*"
    assert shown[1][0] == "*A is left out: there is no map.*"
    with pytest.raises(ValueError, match="which section"):
        left_out([], "there is no map")


def test_a_section_left_out_is_one_line_with_its_reason(shown):
    left_out("The map", "the images have no known manifold.")
    assert shown[0][0] == ("*The map is left out: the images have no known manifold.*")


def test_values_are_kept_as_plain_json(shown):
    finding("Text.", n=np.int64(3), gain=AHEAD, gap=NAN, best="rgb", won=np.bool_(1))
    values = json.loads(json.dumps(shown[0][1]["values"], allow_nan=False))
    assert values["gain"]["low"] == 0.012 and values["gap"] is None
    assert (values["n"], values["best"], values["won"]) == (3, "rgb", True)


@pytest.mark.parametrize("text", ["banana and Nancy", "nano", "information", "in {a}"])
def test_harmless_words_pass(text, shown):
    finding(text)
    assert shown[0][0] == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one sentence"),
        (" \n", "at least one sentence"),
        (f"Gain {NAN}.", "a number is missing"),
        (f"Gain {np.float64('nan')!r}.", "a number is missing"),
        (f"Ratio {float('inf')}.", "infinite"),
        ("By {glue:text}`gain:.1f` points", "only the book understands"),
        ("See {doc}`method`.", "only the book understands"),
        (":::{note}\nText.\n:::", "only the book understands"),
        ("Text.\n\n## Heading", "a heading"),
    ],
)
def test_what_cannot_be_read_everywhere_is_refused(text, message, shown):
    for say in (finding, answer):
        with pytest.raises(ValueError, match=message):
            say("Before.", text)
    assert shown == []


def test_no_sentence_and_no_reason_are_refused():
    with pytest.raises(ValueError, match="at least one sentence"):
        finding()
    with pytest.raises(ValueError, match="which section"):
        left_out("The map", " ")
    with pytest.raises(ValueError, match="scores is a list"):
        finding("Text.", scores=[1])


@pytest.mark.parametrize("write", [percent, points, number])
@pytest.mark.parametrize("missing", [None, NAN, mean_interval([])])
def test_what_is_missing_is_a_dash(write, missing):
    assert write(missing) == "–"


def test_intervals_are_written_with_level_and_number():
    assert points(AHEAD) == "+4.3 points (95 % interval +1.2 to +7.4, n = 4)"
    assert percent(AHEAD) == "4.3 % (95 % interval 1.2 to 7.4, n = 4)"
    assert number(AHEAD) == "0.04 (95 % interval 0.01 to 0.07, n = 4)"
    narrow = AHEAD._replace(confidence=0.9)
    assert "90 % interval" in points(narrow)


def test_an_interval_of_a_share_ends_where_shares_end():
    assert percent(AHEAD._replace(mean=0.97, low=0.9, high=1.04)).endswith(
        "90.0 to 100.0, n = 4)"
    )
    assert percent(AHEAD._replace(mean=0.01, low=-0.02, high=0.04)).startswith(
        "1.0 % (95 % interval 0.0 to 4.0"
    )
    lead = AHEAD._replace(mean=0.47, low=-0.07, high=1.015)
    assert "−7.0 to +100.0" in points(lead)
    growth = AHEAD._replace(mean=1.3, low=0.9, high=1.7)  # no share, nothing to cut
    assert "90.0 to 170.0" in percent(growth)


@pytest.mark.parametrize("low", [-4e-4, 4e-4])
def test_an_end_that_rounds_to_zero_still_shows_its_side(low):
    """An interval that holds zero must not look like one that does not."""
    text = points(AHEAD._replace(low=low))
    assert f"interval {'−' if low < 0 else '+'}0.04 to +7.4" in text
    assert "interval 0.0 to" in percent(AHEAD._replace(low=0.0))


def test_an_interval_of_a_correlation_ends_at_one():
    ranks = AHEAD._replace(mean=0.9, low=0.7, high=1.02)
    assert "0.70 to 1.00" in number(ranks, within=(-1, 1))
    assert "0.70 to 1.02" in number(ranks)


def test_one_repetition_says_that_it_has_no_interval():
    assert points(mean_interval([0.04])) == (
        "+4.0 points (n = 1, too few for an interval)"
    )


@given(st.floats(-2, 2))
def test_signs_are_those_of_what_is_written(x):
    text = points(x).split()[0]
    assert text[0] in "+−"
    value = float(text.replace("−", "-"))
    assert value == pytest.approx(100 * x, abs=0.0501)
    assert text[0] == "+" or value < 0  # no minus before zero


def test_one_point_is_singular_and_nothing_else():
    assert points(0.01, digits=0) == "+1 point"
    assert points(0.01) == "+1.0 points"
    assert points(0.11, digits=0) == "+11 points"


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (AHEAD, "ahead of"),
        (Interval(-0.1, -0.2, -0.05, 3, 0.1), "behind"),
        (Interval(0.1, -0.2, 0.4, 3, 0.1), "not distinguishable from"),
        (mean_interval([0.3]), "not distinguishable from"),
        (0.3, "not distinguishable from"),
    ],
)
def test_words_are_chosen_by_the_interval(interval, words):
    assert verdict(interval) == words


def test_words_can_be_others():
    assert verdict(AHEAD, ahead="wins", behind="loses", same="draws") == "wins"


@given(st.lists(st.sampled_from("abcd")))
def test_every_name_is_listed_once(names):
    assert listing(names).replace(" and ", ", ").split(", ") == (names or ["none"])


@pytest.mark.parametrize(("n", "text"), [(0, "0 cats"), (1, "1 cat"), (2, "2 cats")])
def test_counts_agree_with_their_noun(n, text):
    assert count(n, "cat") == text


def test_a_standing_has_the_words_and_the_numbers_of_one_difference():
    text = standing(AHEAD, "the raw image")
    assert text.startswith(f"{verdict(AHEAD)} the raw image, ")
    assert text.endswith(f"a difference of {points(AHEAD)}")


def test_a_tally_counts_every_interval_once():
    behind, open_ = (Interval(*ends, 3, 0.1) for ends in ((-1, -2, -0.5), (0, -1, 1)))
    found = [AHEAD, behind, open_, AHEAD, mean_interval([0.5])]
    assert tally(found) == "ahead in 2, behind in 1 and undecided in 2"
    assert tally([], ahead="up", behind="down", same="level").count(" in 0") == 3


class Warned:
    def __init__(self, *warnings):
        self.warnings = list(warnings)


def test_a_caution_is_shown_once_and_only_where_there_is_one(shown):
    findings.caution(Warned(), Warned())
    assert shown == []
    findings.caution(Warned("one", "two"), Warned("one"))
    [(text, about)] = shown
    assert text.count("- one") == text.count("- two") == 1
    assert about["kind"] == "finding"


def test_names_in_a_caution_are_not_interpreted(shown):
    findings.caution(Warned("a/<script>*nan*_x_[y](z) & `w`.png"))
    assert "a/&lt;script&gt;\\*nan\\*\\_x\\_\\[y\\](z) &amp; \\`w\\`" in shown[0][0]
