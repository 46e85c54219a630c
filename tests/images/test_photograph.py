"""The known manifold: sampling, resampling, and the exact projection."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.optimize import minimize
from scipy.stats import kstest

from manifpt_utils._support.paths import DATA
from manifpt_utils.images import photograph as photos
from manifpt_utils.images.photograph import PHOTOGRAPHS, PhotoManifold

ROUNDING = 0.5 * np.sqrt(32 * 32 * 3)  # at most half a grey level a value


@pytest.fixture(scope="module")
def coffee():
    return PhotoManifold("coffee")


@pytest.fixture(scope="module")
def found(coffee, hard):
    return coffee.project(hard)


@pytest.fixture(scope="module")
def hard(coffee):
    """Images far from the manifold: noise, blends, faded and noisy views."""
    rng = np.random.default_rng(0)
    views = coffee.sample(8, seed=5).astype(float)
    noise = rng.uniform(0, 255, views[:2].shape)
    blends = (views[:2] + views[2:4]) / 2
    faded = 0.6 * views[4:6] + 60 + rng.normal(0, 20, views[4:6].shape)
    return np.clip(np.concatenate([noise, blends, faded]), 0, 255)


def distances(images, views):
    """Distance of each image to each view."""
    a, b = (x.reshape(len(x), -1).astype(float) for x in (images, views))
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))


def test_samples_are_8_bit_colour_and_repeat_with_the_seed(coffee):
    views = coffee.sample(6, seed=3)
    assert views.shape == (6, 32, 32, 3) and views.dtype == np.uint8
    assert np.array_equal(views, coffee.sample(6, seed=3))


def test_a_larger_sample_begins_with_the_smaller(coffee):
    small, large = coffee.sample(5, seed=3), coffee.sample(300, seed=3)
    assert np.array_equal(
        coffee.coordinates(5, seed=3), coffee.coordinates(9, seed=3)[:5]
    )
    assert np.abs(small.astype(int) - large[:5]).max() <= 1


def test_samples_of_different_seeds_share_no_view(coffee):
    a, b = (coffee.sample(300, seed=s).reshape(300, -1) for s in (0, 1))
    assert len(np.unique(np.concatenate([a, b]), axis=0)) == 600


def test_coordinates_are_uniform_and_log_uniform_within_the_bounds(coffee):
    c = coffee.coordinates(2000, seed=0)
    low, high = coffee.bounds.copy().T
    assert np.all((c >= low) & (c <= high))
    for values in (low, high, c.T):
        values[2] = np.log(values[2])
    for column in ((c - low) / (high - low)).T:
        assert kstest(column, "uniform").pvalue > 0.01


@pytest.mark.parametrize("photo", PHOTOGRAPHS)
def test_every_view_lies_inside_the_photograph(photo):
    manifold = PhotoManifold(photo)
    (x0, x1), (y0, y1), (small, large) = manifold.bounds
    height, width = manifold.photograph.shape[:2]
    assert x0 - large / 2 >= 0 and x1 + large / 2 <= width
    assert y0 - large / 2 >= 0 and y1 + large / 2 <= height
    assert small == 0.5 * min(height, width) and large == 0.75 * min(height, width)


@pytest.mark.parametrize("photo", PHOTOGRAPHS)
def test_views_agree_with_the_lanczos_reduction_of_pillow(photo):
    manifold = PhotoManifold(photo)
    height, width = manifold.photograph.shape[:2]
    factor = min(height, width) / photos.SHORT_SIDE
    size = round(width / factor), round(height / factor)
    reduced = Image.fromarray(manifold.photograph).resize(
        size, Image.Resampling.LANCZOS
    )
    coordinates = manifold.coordinates(5, seed=2)
    for (x, y, side), view in zip(
        coordinates, manifold.views(coordinates), strict=True
    ):
        box = (
            np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2]) / factor
        )
        peer = reduced.resize((32, 32), Image.Resampling.LANCZOS, box=tuple(box))
        difference = np.abs(np.asarray(peer).astype(int) - view)
        # Pillow rounds and clips once more, between rows and columns.
        assert difference.max() <= 15 and difference.mean() < 0.5


def test_a_view_shows_its_square_of_the_photograph(coffee):
    x, y, side = 260, 200, 240
    square = coffee.photograph[y - 120 : y + 120, x - 120 : x + 120].astype(float)
    means = square.reshape(8, 30, 8, 30, 3).mean((1, 3))
    view = coffee.render([[x, y, side]])[0].reshape(8, 4, 8, 4, 3).mean((1, 3))
    assert np.abs(means - view).mean() < 2
    shuffled = np.roll(means, 1, axis=1)
    assert np.abs(shuffled - view).mean() > 10


def test_derivatives_agree_with_finite_differences(coffee):
    photo = coffee._reduced.double()
    c = torch.tensor(coffee.coordinates(4, seed=1) / coffee._pixel)
    _, jacobian = photos._render_with_jacobian(photo, c)
    for k, step in enumerate(1e-5 * torch.eye(3, dtype=torch.double)):
        ahead, behind = (photos._render(photo, c + s) for s in (step, -step))
        numeric = ((ahead - behind) / 2e-5).flatten(1)
        # A pixel that is clipped on one side of the difference has no derivative.
        scale = numeric.abs().max()
        wrong = (jacobian[:, k] - numeric).abs() > 1e-4 * scale
        assert wrong.double().mean() < 1e-3


@pytest.mark.parametrize("photo", PHOTOGRAPHS)
def test_projection_returns_a_view_to_itself(photo):
    manifold = PhotoManifold(photo)
    c = manifold.coordinates(16, seed=7)
    found = manifold.project(manifold.views(c))
    error = np.abs(found.coordinates - c) / (c[:, 2:] / 32)
    assert error.max() < 0.05
    assert found.distance.max() < ROUNDING


def test_saturated_views_return_to_themselves_too():
    manifold = PhotoManifold("astronaut")
    c = manifold.coordinates(200, seed=9)
    views = manifold.views(c)
    clipped = np.isin(views, (0, 255)).mean((1, 2, 3))
    most = np.argsort(clipped)[-4:]
    assert clipped[most].min() > 0.01
    assert manifold.project(views[most]).distance.max() < ROUNDING


def test_projection_is_consistent(coffee, hard, found):
    assert found.x_star.dtype == np.float32 and found.x_star.shape == hard.shape
    assert found.x_star.min() >= 0 and found.x_star.max() <= 255
    assert np.array_equal(coffee.render(found.coordinates), found.x_star)
    direct = np.sqrt(((hard - found.x_star.astype(float)) ** 2).sum((1, 2, 3)))
    np.testing.assert_allclose(found.distance, direct, rtol=1e-6)


def test_projection_is_no_worse_than_any_view_at_hand(coffee, hard, found):
    grid = coffee._search[1].view(-1, 32, 3, 32).permute(0, 1, 3, 2).numpy()
    others = np.concatenate([grid, coffee.render(coffee.coordinates(200, seed=8))])
    for image, distance in zip(hard, found.distance, strict=True):
        assert distance <= distances(image[None], others).min() + 1e-2


def test_projection_agrees_with_a_general_optimiser(coffee):
    view = coffee.sample(1, seed=11).astype(float)
    image = np.clip(view + np.random.default_rng(0).normal(0, 30, view.shape), 0, 255)
    found = coffee.project(image)

    def distance(c):
        return np.sqrt(((image - coffee.render(c[None]).astype(float)) ** 2).sum())

    start = coffee.coordinates(1, seed=11)[0] + [4, -4, 5]
    options = {"xatol": 1e-2, "fatol": 1e-4}
    best = minimize(distance, start, method="Nelder-Mead", options=options)
    assert found.distance[0] <= best.fun + 1e-2
    assert np.abs(found.coordinates[0] - best.x).max() < 0.5


def test_projection_stays_within_the_bounds(coffee):
    low, high = coffee.bounds.T
    outside = np.array(
        [low - [20, 10, 20], high + [20, 10, 20], [high[0] + 15, *low[1:]]]
    )
    found = coffee.project(coffee.render(outside))
    assert np.all((found.coordinates >= low) & (found.coordinates <= high))
    assert np.isclose(found.coordinates[2, 0], high[0])
    assert found.distance.min() > ROUNDING


def test_projection_of_an_image_does_not_depend_on_its_company(coffee, hard):
    alone = coffee.project(hard, starts=1, steps=1).distance
    crowd = np.concatenate([coffee.sample(150), hard])  # more than one batch
    together = PhotoManifold("coffee").project(crowd, starts=1, steps=1).distance
    np.testing.assert_allclose(together[150:], alone, rtol=1e-4)


def test_images_that_were_projected_before_are_looked_up(coffee, monkeypatch):
    views = coffee.sample(6, seed=21)
    first = coffee.project(views)
    searched = []
    search = PhotoManifold._project_batch

    def count(manifold, x, *options):
        searched.append(len(x))
        return search(manifold, x, *options)

    monkeypatch.setattr(PhotoManifold, "_project_batch", count)
    again = coffee.project(views)
    assert searched == []
    assert np.array_equal(again.coordinates, first.coordinates)
    coffee.project(views[:1], starts=1, steps=1)
    assert searched == [1]  # other options are another question


def test_more_starts_and_steps_never_do_harm(coffee, hard, found):
    quick = coffee.project(hard, starts=1, steps=1).distance
    assert np.all(found.distance <= quick + 1e-3)


def test_8_bit_and_floating_point_images_project_alike(coffee):
    views = coffee.sample(3, seed=1)
    a = coffee.project(views)
    b = PhotoManifold("coffee").project(views.astype(np.float32))
    assert np.array_equal(a.coordinates, b.coordinates)


def test_no_images_give_empty_results(coffee):
    found = coffee.project(np.empty((0, 32, 32, 3), np.uint8))
    assert found.x_star.shape == (0, 32, 32, 3) and found.x_star.dtype == np.float32
    assert found.coordinates.shape == (0, 3) and found.distance.shape == (0,)
    assert coffee.sample(0).shape == (0, 32, 32, 3)


def test_progress_is_shown_when_asked_for(coffee, capsys):
    views = coffee.sample(2)
    coffee.project(views)
    assert capsys.readouterr().err == ""
    coffee.project(views, progress=True)
    assert "project" in capsys.readouterr().err


def test_errors_name_the_value_and_the_remedy(coffee):
    with pytest.raises(ValueError, match=r"\(n, 32, 32, 3\), got \(2, 16, 16, 3\)"):
        coffee.project(np.zeros((2, 16, 16, 3)))
    with pytest.raises(ValueError, match="NaN or infinity; remove"):
        coffee.project(np.full((1, 32, 32, 3), np.nan))
    with pytest.raises(ValueError, match="at least 1, got 0 and 12"):
        coffee.project(np.zeros((1, 32, 32, 3)), starts=0)
    with pytest.raises(ValueError, match="'cofee'; did you mean 'coffee'"):
        PhotoManifold("cofee")


def test_the_data_card_states_where_the_views_lie():
    card = (DATA / "README.md").read_text(encoding="utf-8")
    for name in PHOTOGRAPHS:
        manifold = PhotoManifold(name)
        height, width = manifold.photograph.shape[:2]
        (x0, x1), (y0, y1), _ = manifold.bounds
        row = f"| {name} | {width} x {height} | {x0:g} to {x1:g} | {y0:g} to {y1:g} |"
        assert row in card
