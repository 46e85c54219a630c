"""The estimate of what is left."""

import io

import pytest

from manifpt_utils.run.progress import Progress, pace, seconds_left, work_done

EXPECTED = {"a": 100.0, "b": 100.0, "c": 200.0}


def test_before_anything_has_run_the_measured_times_are_shared_by_the_jobs():
    assert seconds_left(EXPECTED, {}, {}, jobs=1) == 400
    assert seconds_left(EXPECTED, {}, {}, jobs=2) == 200


def test_no_number_of_jobs_ends_before_the_longest_chapter():
    assert seconds_left(EXPECTED, {}, {}, jobs=9) == 200


def test_nothing_is_left_when_all_have_ended():
    assert seconds_left(EXPECTED, EXPECTED, {}, jobs=2) == 0


@pytest.mark.parametrize("slower", [0.5, 1, 4])
def test_what_has_ended_tells_how_fast_the_machine_is(slower):
    ended = {"a": 100 * slower}
    assert pace(EXPECTED, ended, {"b": 10 * slower}) == slower
    assert seconds_left(EXPECTED, ended, {}, jobs=1) == 300 * slower


def test_a_late_chapter_lengthens_the_estimate_before_any_has_ended():
    lefts = [seconds_left(EXPECTED, {}, {"a": s}, jobs=1) for s in (100, 200, 400)]
    assert lefts == [300, 600, 1200]


def test_a_chapter_in_time_does_not_change_the_pace():
    assert pace(EXPECTED, {"a": 200}, {"b": 150}) == 2


def test_the_bar_never_counts_a_running_chapter_as_done():
    for seconds in (0, 50, 100, 10_000):
        assert 0 <= work_done(EXPECTED, {}, {"a": seconds}) < 100
    assert work_done(EXPECTED, EXPECTED, {}) == 400


def test_words_say_how_many_and_how_long():
    progress = Progress({"a": 100.0, "b": None}, jobs=1)  # b counts as usual
    assert progress.told({}) == "0 of 2 chapters, about 4 min left"
    progress.ended["a"] = 300.0
    assert progress.told({}) == "1 of 2 chapters, about 5 min left"
    progress.ended["b"] = 1.0
    assert progress.told({}) == "2 of 2 chapters"


def test_without_measured_times_the_first_chapter_gives_an_estimate():
    progress = Progress({"a": None, "b": None}, jobs=1)
    assert "time left unknown" in progress.told({})
    progress.ended["a"] = 30.0
    assert progress.told({}) == "1 of 2 chapters, less than a minute left"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_a_bar_is_drawn_for_people_and_not_into_a_log(stream, monkeypatch):
    monkeypatch.setattr("sys.stderr", stream)
    with Progress({"a": 100.0, "b": 100.0}, jobs=1) as progress:
        progress.show({"a": 50.0})
    text = stream.getvalue()
    assert ("25%" in text) == ("running: a" in text) == stream.isatty()
