"""How long a comparison will take."""

import pytest
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
    assert {name for name, cost in RELATIVE.items() if cost > 1} == networks


def test_it_grows_with_seeds_and_effort():
    one = forecast(["raw"], 6.0, n_trainings=1)
    assert one == pytest.approx(0.1)
    assert forecast(["raw"], 6.0, n_trainings=3, effort=2) == pytest.approx(6 * one)


def test_a_fit_grows_with_its_images_and_with_a_denoiser():
    few, many = (forecast_fit(6.0, n) for n in (100, 9600))
    assert forecast_fit(6.0, 960) == few < many
    assert forecast_fit(6.0, 100, denoiser_steps=1000) == pytest.approx(few + 1.3)
    pieces = {"denoiser_steps": 1000, "n_pixels": 256**2}  # sixteen times 64 x 64
    assert forecast_fit(6.0, 100, **pieces) == pytest.approx(few + 1.3 / 16)
    assert forecast_fit(6.0, 100, n_fits=3) == pytest.approx(few + 0.2)


def test_a_fit_that_has_nothing_to_choose_is_shorter(benchmark, monkeypatch):
    monkeypatch.setattr(module, "seconds_of_a_training", lambda *_: 60.0)
    plain = {"space": "rgb", "estimate": "raw"}
    linear = minutes_of_fit(Attributor(**plain, classifier="linear"), benchmark)
    network = minutes_of_fit(Attributor(**plain, classifier="network"), benchmark)
    quick = minutes_of_fit(Attributor(quick=True), benchmark)
    assert linear == 0 and network == 1
    assert network < quick < minutes_of_fit(Attributor(), benchmark)


@pytest.mark.parametrize("n", [2, 40])
def test_a_training_can_be_timed_on_few_images(n):
    images = pictures("dots", n)
    assert 0 < seconds_of_a_training(images, ["a", "b"] * (n // 2)) < 600
