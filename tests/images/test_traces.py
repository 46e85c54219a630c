"""Known traces: as long as asked, of the frequencies they claim, in every image."""

import numpy as np
import pytest
from scipy.fft import dctn

from manifpt_utils.images.traces import COARSE, DIRECTIONS, FINE, inject
from manifpt_utils.images.views import ViewManifold

LENGTH = 300  # grey levels; those of rounding are 16


@pytest.fixture(scope="module")
def manifold():
    return ViewManifold("coffee", m=4)


@pytest.fixture(scope="module")
def c(manifold):
    return manifold.coordinates(12, seed=3)


def direction(trace, x):
    return DIRECTIONS[trace](x, np.random.default_rng(0))


@pytest.mark.parametrize("trace", [*FINE, *COARSE])
def test_a_trace_is_as_far_from_the_manifold_as_asked(trace, manifold, c):
    wrong = inject(manifold, c, trace, LENGTH)
    assert wrong.dtype == np.uint8 and wrong.shape == (12, 32, 32, 3)
    found = manifold.project(wrong, near=c, starts=0).distance
    # A bulge is made up for in part where the manifold curves.
    lowest = 0.6 if trace == "warp" else 0.8  # and sharp edges are clipped
    assert lowest < np.median(found) / LENGTH < 1.05


@pytest.mark.parametrize("trace", DIRECTIONS)
def test_smooth_traces_have_few_high_frequencies_and_the_others_have(
    trace, manifold, c
):
    error = direction(trace, manifold.render(c))
    power = dctn(error, axes=(1, 2), norm="ortho") ** 2
    high = np.add.outer(np.arange(32) ** 2, np.arange(32) ** 2) > 16**2
    share = power[:, high].sum() / power.sum()
    assert share < 0.02 if trace in COARSE else share > 0.02


def test_nearest_upsampling_makes_blocks(manifold, c):
    x = manifold.render(c)
    blocks = (x + direction("nearest", x)).reshape(12, 16, 2, 16, 2, 3)
    assert np.allclose(np.ptp(blocks, axis=(2, 4)), 0, atol=1e-3)


@pytest.mark.parametrize("trace", ["nearest", "linear", "cubic", "zeros", "blur"])
def test_nothing_can_be_wrong_with_one_colour(trace):
    flat = np.full((1, 32, 32, 3), 90, np.float32)
    inside = direction(trace, flat)[:, 2:-2, 2:-2]
    if trace == "zeros":  # its phases are weighted unequally
        assert inside.std() > 1 and abs(inside.mean()) < 1
    else:
        assert np.abs(inside).max() < 1e-3


def test_sharpening_is_the_opposite_of_blur(manifold, c):
    x = manifold.render(c)
    assert np.array_equal(direction("sharpening", x), -direction("blur", x))


def test_noise_changes_with_the_seed_alone(manifold, c):
    one, same, other = (inject(manifold, c, "noise", LENGTH, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("trace", "length", "message"),
    [("cubik", 1, "did you mean 'cubic'"), ("cubic", 0, "length must be positive")],
)
def test_what_cannot_be_injected_is_refused(trace, length, message, manifold, c):
    with pytest.raises(ValueError, match=message):
        inject(manifold, c, trace, length)
