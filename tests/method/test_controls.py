"""Controls: closed forms, and what they cannot do."""

import numpy as np
import pytest
from sklearn.base import clone

from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.method.classifiers import classifier_for
from manifpt_utils.method.controls import (
    Blurred,
    MeanReal,
    PrincipalComponents,
    RandomReal,
    SideBySide,
)
from manifpt_utils.method.filters import Highpass, Median
from manifpt_utils.method.spaces import make_space

FILTERS = (Highpass, Median)
STANDINS = (MeanReal, RandomReal, PrincipalComponents)


@pytest.fixture(scope="module")
def views():
    return PhotoManifold("coffee").sample(60, seed=0)


@pytest.mark.parametrize("control", (*FILTERS, *STANDINS))
def test_the_interface_is_that_of_the_manifold(views, control):
    fitted = clone(control("rgb")).fit(views)
    found = fitted.project(views[:4])
    x = views[:4].reshape(4, -1) / np.float32(255)
    np.testing.assert_allclose(found.x_star + found.artifact, x, atol=1e-6)
    np.testing.assert_array_equal(fitted.transform(views[:4]), found.artifact)
    np.testing.assert_allclose(
        found.distance, np.linalg.norm(found.artifact, axis=1), rtol=1e-5
    )
    assert fitted.image_shape_ == (32, 32, 3)
    assert len(fitted.get_feature_names_out()) == 3072


@pytest.mark.parametrize("control", FILTERS)
def test_a_flat_image_has_nothing_to_filter_out(control, views):
    flat = np.full((2, 32, 32, 3), 77, np.uint8)
    assert np.abs(control().fit(views).transform(flat)).max() < 1e-6


def test_a_highpass_takes_out_what_the_blur_of_a_wave_leaves():
    """A Gaussian blur multiplies a wave by exp(-(sd omega)^2 / 2)."""
    omega = 2 * np.pi / 8
    wave = np.rint(128 + 100 * np.sin(omega * np.arange(64)))
    image = np.broadcast_to(wave[None, None, :, None], (1, 64, 64, 3)).astype(np.uint8)
    left = Highpass(sd=1.0).fit(image).transform(image).reshape(64, 64, 3)
    expected = (wave - 128) / 255 * (1 - np.exp(-(omega**2) / 2))
    inner = slice(8, -8)  # the mirrored border is no wave
    np.testing.assert_allclose(left[32, inner, 0], expected[inner], atol=4e-3)


def test_a_median_takes_out_a_single_pixel():
    image = np.full((1, 9, 9, 3), 50, np.uint8)
    image[0, 4, 4] = 200
    left = Median().fit(image).project(image)
    np.testing.assert_allclose(left.x_star, 50 / 255, rtol=1e-6)
    assert np.count_nonzero(np.abs(left.artifact) > 1e-6) == 3


@pytest.mark.parametrize("control", FILTERS)
def test_a_spectrum_shows_the_artifact(control, views):
    fitted = control("freq").fit(views)
    spectrum = fitted.transform(views[:3]).reshape(3, 32, 32, 3)
    artifact = fitted.project(views[:3]).artifact.reshape(3, 32, 32, 3)
    magnitude = np.abs(np.fft.fftshift(np.fft.fft2(artifact, axes=(1, 2)), axes=(1, 2)))
    expected = np.log(magnitude + fitted.offset_)
    np.testing.assert_allclose(spectrum, expected, atol=2e-2)


def test_parts_give_what_the_whole_gives(views, monkeypatch):
    whole = Median("frequency").fit(views).transform(views)
    monkeypatch.setattr(Median, "_numbers", 2**22)  # a few images fit into memory
    parts = Median("frequency").fit(views).transform(views)
    np.testing.assert_allclose(parts, whole, atol=1e-5)


@pytest.mark.parametrize("space", ["rgb", "frequency", "supervised"])
def test_stand_ins_work_in_any_space(views, space):
    x = make_space(space).fit(views).transform(views)
    mean = MeanReal(space).fit(views).transform(views)
    np.testing.assert_allclose(mean, x - x.mean(axis=0), atol=1e-4)
    plane = PrincipalComponents(space, n_components=5).fit(views).project(views)
    u, s, vt = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    expected = (u[:, :5] * s[:5]) @ vt[:5] + x.mean(axis=0)
    np.testing.assert_allclose(plane.x_star, expected, atol=2e-2 * np.abs(x).max())
    drawn = RandomReal(space, seed=3).fit(views).project(views)
    assert (drawn.x_star[:, None] == x[None]).all(axis=2).any(axis=1).all()
    again = RandomReal(space, seed=3).fit(views).project(views)
    np.testing.assert_array_equal(drawn.x_star, again.x_star)
    control = RandomReal(space, seed=3).fit(views)
    alone = np.concatenate([control.project(views[i : i + 1]).x_star for i in range(3)])
    np.testing.assert_array_equal(alone, drawn.x_star[:3])
    other = RandomReal(space, seed=4).fit(views).project(views)
    assert (drawn.x_star != other.x_star).any()


def test_the_blurred_image_stands_for_a_high_pass_in_any_space(views):
    high = Highpass(sd=0.7).fit(views)
    found = Blurred(sd=0.7).fit(views).transform(views)
    np.testing.assert_allclose(found, high.transform(views), atol=0.5 / 255 + 1e-6)
    blurred = np.rint(255 * high.project(views).x_star).astype(np.uint8)
    embed = make_space("supervised").fit(views).transform
    expected = embed(views) - embed(blurred.reshape(views.shape))
    shown = Blurred("supervised", sd=0.7).fit(views).transform(views)
    np.testing.assert_allclose(shown, expected, atol=1e-4)


def test_what_is_side_by_side_has_one_scale_on_real_images(views):
    parts = [make_space("rgb"), Highpass()]
    shown = SideBySide(parts).fit(views)
    pictures = shown.transform(views).reshape(-1, *shown.image_shape_)
    assert pictures.shape[1:] == (32, 32, 6) and pictures.dtype == np.float32
    for part, channels in zip(parts, np.split(pictures, 2, axis=3), strict=True):
        alone = part.fit(views).transform(views)
        expected = ((alone - alone.mean()) / alone.std()).reshape(channels.shape)
        np.testing.assert_allclose(channels, expected, atol=1e-4)


def test_a_part_that_is_always_zero_stays_zero_side_by_side():
    flat = np.full((2, 8, 8, 3), 77, np.uint8)
    shown = SideBySide([make_space("rgb"), MeanReal()]).fit(flat).transform(flat)
    assert np.isfinite(shown).all() and not shown.any()


def test_side_by_side_is_classified_by_what_only_one_part_shows(views):
    """A trace of one grey level, which is seen in the second part alone."""
    marked = views.copy()
    marked[:, ::2, ::2] ^= 1
    images, labels = np.concatenate([views, marked]), np.repeat([*"ab"], len(views))
    shown = SideBySide([make_space("rgb"), Highpass()]).fit(views)
    head = classifier_for(shown).fit(shown.transform(images), labels)
    assert (head.predict(shown.transform(images)) == labels).mean() > 0.9


@pytest.mark.parametrize(
    ("control", "message"),
    [
        (
            SideBySide([make_space("rgb"), make_space("supervised")]),
            "one size.*the parts give .32, 32, 3., None",
        ),
        (Highpass(sd=0), "sd must be positive, got 0"),
        (Blurred(sd=0), "sd must be positive, got 0"),
        (
            Highpass("supervised"),
            "Highpass filters pixels.*no features in 'supervised'",
        ),
        (Median("ssl"), "give one of rgb, frequency"),
        (Median("pixels"), "no features in 'pixels'"),
        (PrincipalComponents(n_components=61), "from 1 to 60.*60 real images.*got 61"),
        (PrincipalComponents(n_components=0.5), "got 0.5"),
    ],
)
def test_what_cannot_work_says_why(views, control, message):
    with pytest.raises(ValueError, match=message):
        control.fit(views)


def test_images_of_another_size_are_refused(views):
    with pytest.raises(ValueError, match="images are .8, 8, 3., but"):
        Highpass().fit(views).transform(np.zeros((1, 8, 8, 3), np.uint8))
