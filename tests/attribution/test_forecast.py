"""How long a comparison will take."""

import pytest
import torch
from patterns import pictures

from manifpt_utils.attribution import forecast as module
from manifpt_utils.attribution.attributor import Attributor
from manifpt_utils.attribution.forecast import (
    RELATIVE,
    forecast,
    forecast_fit,
    minutes_of_fit,
    seconds_of_a_training,
)
from manifpt_utils.baselines import BASELINES


def test_every_earlier_method_has_a_cost():
    assert set(RELATIVE) == set(BASELINES)
    networks = {name for name in BASELINES if BASELINES[name].has_network}
    assert {name for name, cost in RELATIVE.items() if min(cost) > 1} == networks


def test_it_grows_with_seeds_and_effort():
    one = forecast(["raw"], 6.0, n_trainings=1)
    assert one == pytest.approx(0.1)
    assert forecast(["raw"], 6.0, n_trainings=3, effort=2) == pytest.approx(6 * one)


def test_a_fit_grows_with_its_images_and_with_a_denoiser():
    few, many = (forecast_fit(6.0, n) for n in (100, 9600))
    assert forecast_fit(6.0, 960) == few < many
    assert forecast_fit(6.0, 100, denoiser_steps=1000) == pytest.approx(few + 2.5)
    pieces = {"denoiser_steps": 1000, "n_pixels": 128**2}  # sixteen times 32 x 32
    assert forecast_fit(6.0, 100, **pieces) == pytest.approx(few + 2.5 / 16)
    assert forecast_fit(6.0, 100, n_fits=3) == pytest.approx(few + 0.6)
    assert forecast_fit(6.0, 100, left_out=2) == pytest.approx(few + 0.3)


def test_trainings_at_once_take_their_share_of_the_time():
    one, two = (forecast(["raw"], 6.0, n_trainings=4, processes=n) for n in (1, 2))
    assert two == one / 2
    more = {"compared": 8, "processes": 2}
    together = forecast_fit(6.0, 100, **more)
    assert together < forecast_fit(6.0, 100, compared=8)
    # What cannot be divided among processes takes as long as before.
    assert forecast_fit(6.0, 100, **more, n_fits=2) - together == pytest.approx(0.21)


def test_matrices_of_grey_levels_take_the_same_time_for_any_size():
    options = {"n_trainings": 1, "n_pixels": 64**2}
    small = forecast(["Nataraj19"], 2.0, **options)
    options["n_pixels"] = 128**2  # and steps that are four times as long
    assert forecast(["Nataraj19"], 8.0, **options) == pytest.approx(small)
    assert forecast(["Marra19"], 8.0, **options) > 3 * small


def test_between_two_sizes_a_training_takes_a_share_between_theirs():
    for name, (small, large) in RELATIVE.items():
        costs = [
            forecast([name], 60.0, n_trainings=1, n_pixels=side**2)
            for side in (16, 32, 45, 64)
        ]
        assert costs[:2] == pytest.approx([small, small])
        assert min(small, large) <= costs[2] <= max(small, large)
        assert costs[3] == pytest.approx(large)


@pytest.mark.parametrize(("processes", "threads"), [(1, 2), (2, 1)])
def test_what_is_timed_has_the_threads_of_what_will_run(
    processes, threads, monkeypatch
):
    before, seen = torch.get_num_threads(), []
    monkeypatch.setattr(module, "n_processes", lambda n_pixels: processes)
    monkeypatch.setattr(
        module,
        "_seconds_of_steps",
        lambda *_: seen.append(torch.get_num_threads()) or 1.0,
    )
    torch.set_num_threads(2)
    seconds_of_a_training(pictures("dots", 4), ["a", "b"] * 2)
    assert set(seen) == {threads} and torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_a_fit_that_has_nothing_to_choose_is_shorter(benchmark, monkeypatch):
    monkeypatch.setattr(module, "seconds_of_a_training", lambda *_, **__: 60.0)
    monkeypatch.setattr(module, "n_processes", lambda n_pixels: 1)
    plain = {"space": "rgb", "estimate": "raw"}
    linear = minutes_of_fit(Attributor(**plain, classifier="linear"), benchmark)
    network = minutes_of_fit(Attributor(**plain, classifier="network"), benchmark)
    quick = minutes_of_fit(Attributor(quick=True), benchmark)
    assert linear == 0 and network == 3
    assert network < quick < minutes_of_fit(Attributor(), benchmark)


@pytest.mark.parametrize("n", [2, 40])
def test_a_training_can_be_timed_on_few_images(n):
    images = pictures("dots", n)
    assert 0 < seconds_of_a_training(images, ["a", "b"] * (n // 2)) < 600
