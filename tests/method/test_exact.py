"""The exact closest point: in each space none of the real views is closer."""

import numpy as np
import pytest
import torch

from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.method import exact as exact_module
from manifpt_utils.method.exact import ExactManifold, differentiable, pushed_forward
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.spaces import SPACES, make_space

GRID = (17, 17, 9)


@pytest.fixture(scope="module", autouse=True)
def shared_features(tmp_path_factory):
    """What two manifolds embed alike is embedded once, in this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANIFPT_CACHE", str(tmp_path_factory.mktemp("features")))
        yield


@pytest.fixture(scope="module")
def photo():
    return PhotoManifold("coffee")


@pytest.fixture(scope="module")
def real(photo):
    return photo.sample(5000, seed=0)


@pytest.fixture(scope="module")
def images(photo):
    """Views with a trace, as upsampling, blur and noise leave it, and a clean one."""
    views = photo.sample(7, seed=5).astype(float)
    views[:2] = views[:2, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2)
    views[2:4] = (views[2:4] + np.roll(views[2:4], 1, axis=2)) / 2
    views[4:6] += np.random.default_rng(0).normal(0, 15, views[4:6].shape)
    return np.clip(np.rint(views), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("space", [s for s in SPACES if s != "imagenet"])
def test_no_real_view_is_closer_than_exact(photo, real, images, space):
    exact = ExactManifold(photo, space, grid=GRID).fit(real).project(images)
    nearest = DataManifold(space).fit(real).project(images)
    # The closest view is rounded to 8 bits once it is found.
    assert (exact.distance <= 1.005 * nearest.distance).all()
    # A view itself is found again, as far as rounding lets its features be the same.
    assert exact.distance[-1] < 0.2 * nearest.distance[-1]


def test_no_real_view_is_closer_in_the_slow_space_of_imagenet(
    photo, real, images, monkeypatch
):
    monkeypatch.setattr(exact_module, "COARSE_GRID", (11, 11, 5))
    few, shown = real[:200], images[[0, 6]]
    exact = ExactManifold(photo, "imagenet").fit(few).project(shown)
    nearest = DataManifold("imagenet").fit(few).project(shown)
    assert (exact.distance <= 1.005 * nearest.distance).all()
    assert exact.distance[-1] < 0.2 * nearest.distance[-1]


def test_sought_in_the_space_is_closer_than_sought_among_pixels(photo, real, images):
    real = real[:1000]
    manifold = ExactManifold(photo, "supervised", grid=GRID).fit(real)
    among = ExactManifold(photo, "supervised", search_space="rgb").fit(real)
    found, other = (m.project(images[:6]).distance for m in (manifold, among))
    assert (found <= 1.005 * other).all()
    assert found.mean() < 0.95 * other.mean()


def test_a_view_of_its_own_is_found_where_the_grid_is_coarse(photo):
    view = photo.sample(1, seed=3)
    exact = ExactManifold(photo, "frequency", grid=(2, 2, 2)).fit(view).project(view)
    # No descent from eight views ends here, so the real one has to be the start.
    assert exact.distance < 0.05 * np.linalg.norm(exact.x_star)


def test_the_result_is_a_view_embedded(photo, images):
    few = photo.sample(50, seed=0)
    manifold = ExactManifold(photo, "rgb").fit(few)
    assert len(manifold.get_feature_names_out()) == images[0].size
    found = manifold.project(images)
    views = photo.views(photo.project(images).coordinates)
    np.testing.assert_array_equal(found.x_star, as_rows(views))
    np.testing.assert_array_equal(found.artifact, as_rows(images) - found.x_star)
    assert found.index.shape == (len(images), 0)


def as_rows(images):
    return images.reshape(len(images), -1) / np.float32(255)


@pytest.mark.parametrize("space", SPACES)
def test_features_of_torch_are_those_of_the_space(photo, images, space):
    fitted = make_space(space).fit(images)
    x = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        found = differentiable(fitted)(x).numpy()
    np.testing.assert_allclose(found, fitted.transform(images), atol=2e-3)


@pytest.mark.parametrize("space", SPACES)
def test_derivatives_of_features_agree_with_those_of_torch(photo, space):
    fitted = make_space(space).fit(photo.sample(20, seed=0))
    if hasattr(fitted, "network_"):
        fitted.network_.double()
    embed = differentiable(fitted)
    torch.manual_seed(0)
    x = torch.rand(2, 3, 32, 32, dtype=torch.double, requires_grad=True)
    slopes = torch.randn(2, 3, 3, 32, 32, dtype=torch.double)
    value, changes = pushed_forward(embed, x.detach(), slopes, step=1e-8)
    np.testing.assert_allclose(value, embed(x).detach())
    direction = torch.randn_like(value)
    (gradient,) = torch.autograd.grad((embed(x) * direction).sum(), x)
    expected = (gradient[:, None] * slopes).sum((2, 3, 4))
    found = (changes * direction[:, None]).sum(2)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_what_cannot_be_sought_is_refused(photo):
    class Doubled(type(make_space("rgb")).__base__):
        """A space without derivatives."""

        def _learn(self, images):
            self.image_shape_ = images.shape[1:]

        def _embed(self, images):
            return images.reshape(len(images), -1) * np.float32(2)

    few = photo.sample(10, seed=0)
    with pytest.raises(ValueError, match="no derivatives; give search_space='rgb'"):
        ExactManifold(photo, Doubled()).fit(few)
    found = ExactManifold(photo, Doubled(), search_space="rgb").fit(few)
    assert np.isfinite(found.transform(few[:2])).all()
    with pytest.raises(ValueError, match="must be None.*or 'rgb', got 'frequency'"):
        ExactManifold(photo, "rgb", search_space="frequency").fit(few)
