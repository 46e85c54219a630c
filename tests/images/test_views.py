"""The manifold of up to ten parameters: rendering, nesting, exact projection."""

import numpy as np
import pytest

from manifpt_utils.images.photograph import PHOTOGRAPHS, PhotoManifold
from manifpt_utils.images.views import PARAMETERS, ViewManifold

ROUNDING = 0.5 * np.sqrt(32 * 32 * 3)  # at most half a grey level a value
RENDERERS = 3  # grey levels, root mean square: two ways to reduce a photograph


def distances(a, b):
    a, b = (x.reshape(len(x), -1).astype(np.float32) for x in (a, b))
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))


def neutral(manifold, coordinates):
    """Coordinates of all ten parameters, those that are not given in the middle."""
    whole = np.tile(
        ViewManifold(manifold.photo).bounds.mean(axis=1), (len(coordinates), 1)
    )
    whole[:, : coordinates.shape[1]] = coordinates
    return whole


@pytest.fixture(scope="module")
def hard():
    """Images off the manifold: noise, blends, and noisy views."""
    rng = np.random.default_rng(0)
    views = ViewManifold("coffee", m=10).sample(6, seed=5).astype(float)
    noise = rng.uniform(0, 255, views[:2].shape)
    blends = (views[:2] + views[2:4]) / 2
    noisy = views[4:] + rng.normal(0, 20, views[4:].shape)
    return np.clip(np.concatenate([noise, blends, noisy]), 0, 255)


@pytest.mark.parametrize("photo", PHOTOGRAPHS)
def test_three_parameters_are_those_of_the_known_manifold(photo):
    three, known = ViewManifold(photo, m=3), PhotoManifold(photo)
    assert np.array_equal(three.bounds, known.bounds)
    c = three.coordinates(50, seed=1)
    apart = three.render(c) - known.render(c)
    assert np.sqrt((apart**2).mean(axis=(1, 2, 3))).max() < RENDERERS


def test_closest_views_of_both_manifolds_are_the_same_view():
    three, known = ViewManifold("coffee", m=3), PhotoManifold("coffee")
    noisy = known.sample(8, seed=3) + np.random.default_rng(0).normal(
        0, 8, (8, 32, 32, 3)
    )
    found, wanted = three.project(noisy).coordinates, known.project(noisy).coordinates
    assert np.abs(found - wanted).max() < 0.02 * np.ptp(known.bounds, axis=1).max()


@pytest.mark.parametrize("m", [1, 3, 6, 9])
def test_a_manifold_lies_in_those_of_more_parameters(m):
    small, large = ViewManifold("flower", m=m), ViewManifold("flower", m=10)
    assert np.array_equal(small.coordinates(5), large.coordinates(5)[:, :m])
    c = small.coordinates(5)
    apart = small.render(c) - large.render(neutral(small, c))
    assert np.abs(apart).max() <= 0.5  # where a power would have no slope at black


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_changes_the_view_and_nothing_makes_up_for_it(name):
    manifold = ViewManifold("astronaut")
    at = PARAMETERS.index(name)
    middle = manifold.bounds.mean(axis=1)[None]
    slopes = manifold.jacobian(middle)[0].reshape(10, -1).astype(float)
    others = np.delete(slopes, at, axis=0).T
    rest = slopes[at] - others @ np.linalg.lstsq(others, slopes[at], rcond=None)[0]
    assert np.linalg.norm(rest) > 100 > 5 * ROUNDING / np.sqrt(3)


def test_slopes_are_those_of_central_differences():
    manifold = ViewManifold("china", m=10)
    c, half = manifold.coordinates(3), np.ptp(manifold.bounds, axis=1) / 2
    slopes = manifold.jacobian(c)
    for i in range(10):
        step = 0.01 * half * np.eye(10)[i]
        central = (manifold.render(c + step) - manifold.render(c - step)) / 0.02
        apart = np.linalg.norm(slopes[:, i] - central) / np.linalg.norm(central)
        assert apart < 0.1, PARAMETERS[i]


@pytest.mark.parametrize("m", [1, 4, 10])
def test_views_are_projected_onto_themselves(m):
    manifold = ViewManifold("coffee", m=m)
    c = manifold.coordinates(16, seed=2)
    found = manifold.project(manifold.views(c))
    assert found.coordinates.shape == (16, m)
    assert found.distance.max() < 1.2 * ROUNDING
    assert manifold.project(manifold.render(c), near=c, starts=0).distance.max() < 0.01


@pytest.mark.parametrize("m", [2, 6, 10])
def test_no_view_is_closer_than_the_exact_one(m, hard):
    manifold = ViewManifold("coffee", m=m)
    found = manifold.project(hard)
    nearest = distances(hard, manifold.render(manifold.coordinates(4000))).min(axis=1)
    assert (found.distance <= nearest + 1).all()
    low, high = manifold.bounds.T
    assert ((found.coordinates >= low) & (found.coordinates <= high)).all()
    assert np.allclose(manifold.render(found.coordinates), found.x_star)


def test_more_parameters_never_leave_a_longer_artifact(hard):
    three = ViewManifold("coffee", m=3).project(hard)
    near = neutral(ViewManifold("coffee"), three.coordinates)
    ten = ViewManifold("coffee", m=10).project(hard, near=near)
    assert (ten.distance <= three.distance + 0.01).all()


def test_a_bulge_moves_the_corners_and_leaves_the_middle():
    manifold = ViewManifold("coffee", m=3)
    c = manifold.coordinates(4)
    apart = np.abs(manifold.render(c, bulge=0.1) - manifold.render(c))
    assert apart[:, :4, :4].mean() > 3 * apart[:, 14:18, 14:18].mean()
    mixed = manifold.render(c, bulge=np.array([0, 0.1, 0, 0.1]))
    assert np.array_equal(mixed[::2], manifold.render(c)[::2])


def test_nothing_to_project_is_projected():
    found = ViewManifold("coffee", m=2).project(np.empty((0, 32, 32, 3)))
    assert found.x_star.shape == (0, 32, 32, 3) and found.coordinates.shape == (0, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"m": 0}, "m must be"),
        ({"m": 11}, "a view has 10: x, y, side, rotation"),
        ({"photo": "cofee"}, "did you mean 'coffee'"),
    ],
)
def test_a_manifold_that_there_is_not_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ViewManifold(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"starts": 0}, "give no descent"),
        ({"steps": 0}, "give no descent"),
        ({"near": np.zeros((1, 2))}, "2 coordinates of 3 images"),
    ],
)
def test_a_projection_from_nowhere_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ViewManifold(m=2).project(np.zeros((3, 32, 32, 3)), **options)
