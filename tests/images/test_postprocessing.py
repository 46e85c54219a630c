"""Postprocessing: what each treatment changes and what it keeps, and bad input."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from manifpt_utils.images.postprocessing import (
    POSTPROCESSINGS,
    blur,
    crop,
    jpeg,
    noise,
    postprocess,
    reduce_bits,
    resize,
)


@pytest.fixture(scope="module")
def images():
    """Smooth pictures with some grain, neither square nor of an even height."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:25, :32]
    phases = rng.uniform(0, 6, (8, 1, 1, 3))
    waves = np.sin(x[..., None] / 5 + y[..., None] / 7 + phases)
    return (128 + 80 * waves + rng.normal(0, 10, waves.shape)).clip(0, 255).astype("u1")


def change(before, after):
    """Root mean square of the difference, in grey levels."""
    return np.sqrt(np.mean((before.astype(float) - after.astype(float)) ** 2))


@pytest.mark.parametrize("name", POSTPROCESSINGS)
def test_shape_and_type_stay_and_the_input_is_left_alone(images, name):
    before = images.copy()
    treated = postprocess(images, name)
    assert treated.dtype == np.uint8 and treated.shape == images.shape
    assert_array_equal(images, before)
    assert (change(images, treated) > 0) == (name != "none")


@pytest.mark.parametrize("name", POSTPROCESSINGS)
def test_an_image_is_treated_the_same_alone_and_in_a_batch(images, name):
    assert_array_equal(postprocess(images[:1], name), postprocess(images, name)[:1])


@pytest.mark.parametrize("name", POSTPROCESSINGS)
def test_a_grey_image_stays_grey_up_to_the_strength(name):
    grey = np.full((2, 32, 32, 3), 128, np.uint8)
    noisy = name.startswith("noise")
    limit = 5 * int(name.split()[1]) if noisy else 4 if "bits" in name else 0
    assert np.abs(postprocess(grey, name).astype(int) - 128).max() <= limit


def test_the_weakest_strength_changes_nothing(images):
    for weakest in (
        blur(images, sd=0),
        resize(images, factor=1),
        crop(images, fraction=1),
        noise(images, sd=0, seed=0),
        reduce_bits(images, bits=8),
    ):
        assert_array_equal(weakest, images)


def test_jpeg_is_worse_with_lower_quality_and_nearly_nothing_at_100(images):
    grey = np.repeat(images[..., :1], 3, axis=-1)  # no colours to be halved
    losses = [change(grey, jpeg(grey, quality=q)) for q in (100, 95, 75, 50, 20, 5)]
    assert losses == sorted(losses) and losses[0] < 1 < losses[-1]


def test_blur_keeps_the_mean_and_takes_variance_away(images):
    blurred = [blur(images, sd=sd) for sd in (0, 0.5, 1, 3)]
    means = [x.mean(axis=(1, 2)) for x in blurred]
    np.testing.assert_allclose(means[1:], [means[0]] * 3, atol=0.1)
    spreads = [x.std() for x in blurred]
    assert spreads == sorted(spreads, reverse=True)


def test_blur_of_a_point_is_a_gaussian():
    point = np.zeros((1, 31, 31, 3), np.uint8)
    point[0, 15, 15] = 255
    profile = blur(point, sd=1.5)[0, 15, :, 0].astype(float)
    x = np.arange(31) - 15
    expected = 255 * np.exp(-(x**2) / (2 * 1.5**2)) / (2 * np.pi * 1.5**2)
    np.testing.assert_allclose(profile, expected, atol=0.75)


def test_colours_do_not_mix_except_in_jpeg(images):
    red = images * np.array([1, 0, 0], np.uint8)
    for treated in (blur(red, sd=2), resize(red, factor=0.5), crop(red, fraction=0.8)):
        assert treated[..., 1:].max() == 0


def test_resizing_loses_more_when_it_goes_further(images):
    losses = [
        change(images, resize(images, factor=f)) for f in (1, 7 / 8, 1 / 2, 1 / 4)
    ]
    assert losses == sorted(losses) and losses[0] == 0


def test_resizing_is_that_of_pillow_up_to_rounding(images):
    size = (16, 12)
    expected = [
        Image.fromarray(x).resize(size, Image.BILINEAR).resize((32, 25), Image.BICUBIC)
        for x in images
    ]
    found = resize(images, factor=0.5).astype(int)
    assert np.abs(found - np.stack(expected)).max() <= 4


def test_crop_enlarges_the_centre():
    framed = np.zeros((1, 32, 32, 3), np.uint8)
    framed[:, 4:28, 4:28] = 200
    assert_array_equal(crop(framed, fraction=0.75), np.full_like(framed, 200))
    assert crop(framed, fraction=7 / 8)[0, 0].max() < 100


def test_noise_has_its_deviation_and_no_bias():
    grey = np.full((20, 32, 32, 3), 128, np.uint8)
    for sd in (2, 8):
        added = noise(grey, sd=sd, seed=1).astype(float) - 128
        # Rounding to whole levels adds a variance of 1/12.
        assert added.std() == pytest.approx(np.hypot(sd, 12**-0.5), rel=0.01)
        assert abs(added.mean()) < 4 * sd / np.sqrt(added.size)
        assert (
            abs(np.corrcoef(added[..., 0].ravel(), added[..., 1].ravel())[0, 1]) < 0.03
        )


def test_noise_follows_its_seed_and_bright_pixels_do_not_wrap_around():
    white = np.full((2, 16, 16, 3), 255, np.uint8)
    first = noise(white, sd=8, seed=0)
    assert_array_equal(first, noise(white, sd=8, seed=0))
    assert (first != noise(white, sd=8, seed=1)).any()
    assert first.min() > 200


@pytest.mark.parametrize("bits", range(1, 9))
def test_reduction_of_bits_is_idempotent_and_has_so_many_values(images, bits):
    once = reduce_bits(images, bits=bits)
    assert_array_equal(reduce_bits(once, bits=bits), once)
    every = np.arange(256, dtype=np.uint8)[None, :, None, None].repeat(3, axis=-1)
    values = reduce_bits(every, bits=bits)[..., 0].ravel()
    assert len(np.unique(values)) == 2**bits
    assert np.abs(values.astype(int) - np.arange(256)).max() == 2 ** (8 - bits) // 2


def test_only_noise_depends_on_the_seed(images):
    for name in POSTPROCESSINGS:
        same = np.array_equal(*(postprocess(images, name, seed=s) for s in (0, 1)))
        assert same == (not name.startswith("noise")), name


@pytest.mark.parametrize(
    ("function", "strength", "message"),
    [
        (jpeg, {"quality": 0}, "quality must be a whole number from 1 to 100, got 0"),
        (jpeg, {"quality": 9.5}, "quality must be a whole number .* got 9.5"),
        (blur, {"sd": -1}, "sd must be a finite number of at least 0, got -1"),
        (noise, {"sd": np.nan, "seed": 0}, "sd must be a finite number .* got nan"),
        (resize, {"factor": 1.5}, "factor must be above 0 and at most 1, got 1.5"),
        (resize, {"factor": 0.01}, "factor=0.01 leaves no pixel of 25 x 32; .* larger"),
        (crop, {"fraction": 0}, "fraction must be above 0 and at most 1, got 0"),
        (reduce_bits, {"bits": 9}, "bits must be a whole number from 1 to 8, got 9"),
    ],
)
def test_impossible_strengths_are_refused(images, function, strength, message):
    with pytest.raises(ValueError, match=message):
        function(images, **strength)


@pytest.mark.parametrize("name", POSTPROCESSINGS)
def test_images_of_another_kind_are_refused(images, name):
    with pytest.raises(ValueError, match="must be uint8, grey levels 0..255"):
        postprocess(images / 255, name)
    with pytest.raises(ValueError, match=r"must be \(n, h, w, 3\), got \(25, 32, 3\)"):
        postprocess(images[0], name)


def test_a_misspelt_name_is_answered_with_the_nearest(images):
    with pytest.raises(ValueError, match="'JPG 75'; did you mean 'JPEG 75'"):
        postprocess(images, "JPG 75")
