"""Earlier methods: features by definition, networks, pipelines, refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, ShuffleSplit, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from manifpt_utils.baselines import BASELINES, baseline
from manifpt_utils.baselines.colour import CooccurrenceMatrices, SaturationStatistics
from manifpt_utils.baselines.incremental import IncrementalNetwork, herding
from manifpt_utils.baselines.layers import (
    BlurAndJPEG,
    Crop,
    LogSpectrum,
    Mirror,
    compress,
    cooccurrence_layers,
    equalized_layers,
    inception_v3,
    mirror_outwards,
    power_of_two,
    small_xception,
)
from manifpt_utils.baselines.networks import (
    CooccurrenceNetwork,
    FineTunedNetwork,
    RobustResNet,
)
from manifpt_utils.baselines.spectrum import (
    AzimuthalSpectrum,
    SpectrumDecay,
    decay,
    frequency_rings,
    grey,
)
from manifpt_utils.baselines.standardised import StandardisedClassifier
from manifpt_utils.method.evaluation import evaluate
from manifpt_utils.method.networks import headless_resnet50

# Steps and widths that make each method quick; the rest are its defaults.
SMALL = {
    "McCloskey18": {},
    "Nataraj19": {"width": 4, "min_steps": 40, "epochs": 1},
    "Durall20": {},
    "Dzanic20": {},
    "Wang20": {"width": 4, "min_steps": 40, "epochs": 1},
    "Marra18": {"width": 4, "min_steps": 60, "epochs": 1},
    "Marra19": {"width": 4, "min_steps": 60, "epochs": 1},
    "Yu19": {"base": 32, "min_steps": 120, "epochs": 1, "rate": 0.01},
}
HAND_CRAFTED = {"McCloskey18": 16, "Durall20": 9, "Dzanic20": 3}
FEATURES = [
    SaturationStatistics(),
    CooccurrenceMatrices(),
    AzimuthalSpectrum(),
    SpectrumDecay(),
]


def images(n, height=16, width=None, seed=0):
    shape = (n, height, width or height, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def easy_images(n, seed=0, size=16):
    """Noise: bright and fine, dark and coarser, coarsest; and these names."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(["bright", "dark", "smooth"], n)
    x = rng.normal(128, 40, (3 * n, size, size, 3))
    x[labels == "bright"] += 80
    for name, mean, k in (("dark", 48, 2), ("smooth", 128, 4)):
        coarse = rng.normal(mean, 40, (n, size // k, size // k, 3))
        x[labels == name] = coarse.repeat(k, axis=1).repeat(k, axis=2)
    return np.clip(x, 0, 255).astype(np.uint8), labels


# Colours


def test_saturation_is_a_share_of_all_values():
    x = images(3, 5, 7)
    features = SaturationStatistics().fit_transform(x)
    names = list(SaturationStatistics().fit(x).get_feature_names_out())
    assert features.shape == (3, 16) and features.dtype == np.float32
    for i, image in enumerate(x):
        for name, share in zip(names, features[i], strict=True):
            side, _, level = name.partition("_")
            hits = [
                value >= int(level) if side == "over" else value <= int(level)
                for value in image.ravel()
            ]
            assert share == pytest.approx(np.mean(hits), abs=1e-6)


@pytest.mark.parametrize("level, over, under", [(0, 0, 8), (255, 8, 0), (128, 0, 0)])
def test_saturation_of_a_constant_image(level, over, under):
    x = np.full((1, 4, 4, 3), level, np.uint8)
    shares = SaturationStatistics().fit_transform(x)[0]
    assert set(shares) <= {0, 1}
    assert (shares[:8].sum(), shares[8:].sum()) == (over, under)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_saturation_ignores_the_order_of_pixels_and_swaps_in_the_negative(seed):
    x = images(1, 8, seed=seed)
    space = SaturationStatistics().fit(x)
    mixed = np.random.default_rng(seed).permutation(x.reshape(-1)).reshape(x.shape)
    np.testing.assert_array_equal(space.transform(x), space.transform(mixed))
    negative = space.transform(255 - x).reshape(2, 8)
    np.testing.assert_array_equal(space.transform(x)[0, 8:], negative[0, ::-1])


def slow_cooccurrence(image, levels, offset, symmetric):
    counts = np.zeros((levels, levels, 3))
    height, width, _ = image.shape
    for c in range(3):
        for y in range(height):
            for x in range(width - offset):
                i = image[y, x, c] * levels // 256
                j = image[y, x + offset, c] * levels // 256
                counts[i, j, c] += 1
                if symmetric:
                    counts[j, i, c] += 1
    return counts / counts.sum(axis=(0, 1)) * levels**2


@pytest.mark.parametrize("levels", [4, 256])
@pytest.mark.parametrize("offset, symmetric", [(1, False), (5, True)])
def test_cooccurrence_counts_pairs(levels, offset, symmetric):
    x = images(2, 6, 9)
    space = CooccurrenceMatrices(levels=levels, offset=offset, symmetric=symmetric)
    got = space.fit_transform(x).reshape(2, levels, levels, 3)
    want = [
        slow_cooccurrence(image.astype(int), levels, offset, symmetric) for image in x
    ]
    np.testing.assert_allclose(got, want, rtol=1e-5)
    assert space.image_shape_ == (levels, levels, 3)
    space.set_params(log=True)
    np.testing.assert_allclose(
        space.transform(x), np.log1p(got).reshape(2, -1), rtol=1e-5
    )


def test_cooccurrence_of_a_constant_image_is_one_cell_and_names_say_which():
    x = np.full((1, 8, 8, 3), 200, np.uint8)
    space = CooccurrenceMatrices(levels=8).fit(x)
    (cells,) = np.nonzero(space.transform(x)[0])
    names = space.get_feature_names_out()[cells]
    assert list(names) == ["6_6_red", "6_6_green", "6_6_blue"]
    assert space.transform(x).max() == 64


def test_cooccurrence_of_independent_levels_is_flat():
    space = CooccurrenceMatrices(levels=4)
    np.testing.assert_allclose(space.fit_transform(images(1, 300)), 1, atol=0.05)


# Spectra


def slow_azimuthal(image):
    """The published code: sort by radius, and differences of a cumulated sum."""
    channels = image.astype(float)
    luma = (
        0.299 * channels[..., 0] + 0.587 * channels[..., 1] + 0.114 * channels[..., 2]
    )
    spectrum = np.fft.fftshift(np.fft.fft2(np.rint(luma))) + 1e-8
    power = 20 * np.log(np.abs(spectrum))
    height, width = power.shape
    sums, counts = {}, {}
    for y in range(height):
        for x in range(width):
            r = int(np.hypot(y - (height - 1) / 2, x - (width - 1) / 2))
            sums[r] = sums.get(r, 0) + power[y, x]
            counts[r] = counts.get(r, 0) + 1
    return np.array([sums[r] / counts[r] for r in sorted(sums)])[1:-1]


@pytest.mark.parametrize("shape", [(16, 16), (15, 15), (12, 20)])
def test_azimuthal_spectrum_averages_over_rings_of_pixels(shape):
    x = images(2, *shape)
    want = np.array([slow_azimuthal(image) for image in x])
    raw = AzimuthalSpectrum(normalise=False).fit_transform(x)
    np.testing.assert_allclose(raw, want, rtol=1e-5)
    got = AzimuthalSpectrum().fit_transform(x)
    np.testing.assert_allclose(got, want / want[:, :1], rtol=1e-5)


@pytest.mark.parametrize("size, n", [(28, 18), (32, 20), (64, 43), (128, 88)])
def test_number_of_rings(size, n):
    space = AzimuthalSpectrum()
    assert space.fit_transform(images(1, size)).shape == (1, n)
    assert space.n_rings_ == n == len(space.get_feature_names_out())


def test_white_noise_has_a_flat_spectrum():
    spectrum = AzimuthalSpectrum().fit_transform(images(200, 32)).mean(axis=0)
    np.testing.assert_allclose(spectrum, 1, atol=0.02)


def test_spectra_ignore_transposition():
    """Odd sizes: of even ones, the frequency -n/2 is on one side only."""
    x = images(3, 17)
    for space in (AzimuthalSpectrum(), SpectrumDecay()):
        one = space.fit(x).transform(x)
        other = space.transform(x.swapaxes(1, 2))
        np.testing.assert_allclose(one, other, rtol=1e-4)


def test_interpolated_spectra_keep_their_ends():
    x = images(2, 32)
    native = AzimuthalSpectrum().fit_transform(x)
    longer = AzimuthalSpectrum(n_points=39).fit_transform(x)
    np.testing.assert_allclose(longer[:, ::2], native, rtol=1e-5)
    space = AzimuthalSpectrum(n_points=10).fit(x)
    assert space.transform(images(1, 20)).shape == (1, 10)


def power_law_images(exponent, n=4, size=64, seed=0):
    """Grey images with a spectrum of random phases and magnitudes r ** exponent."""
    rng = np.random.default_rng(seed)
    frequency = np.fft.fftfreq(size, 1 / size)
    radius = np.hypot(frequency[:, None], frequency)
    radius[0, 0] = 1
    noise = np.fft.fft2(rng.normal(size=(n, size, size)))
    spectrum = radius**exponent * noise / np.abs(noise)
    spectrum[:, 0, 0] = 0
    x = np.fft.ifft2(spectrum).real
    x = 128 + 30 * x / x.std(axis=(1, 2), keepdims=True)
    return np.rint(x).clip(0, 255).astype(np.uint8)[..., None].repeat(3, axis=3)


@pytest.mark.parametrize("exponent", [0, -0.5, -1.0])
@pytest.mark.parametrize("criterion", ["log", "norm"])
def test_the_exponent_of_a_power_law_is_given_back(exponent, criterion):
    x = power_law_images(exponent)
    got = SpectrumDecay(criterion=criterion).fit_transform(x)
    np.testing.assert_allclose(got[:, 0].mean(), exponent, atol=0.08)


@settings(max_examples=20, deadline=None)
@given(st.floats(-4, 1), st.floats(0.01, 100), st.sampled_from(["log", "norm"]))
def test_decay_of_an_exact_power_law(b, scale, criterion):
    x = np.linspace(0.75, 1, 6)
    got = decay(x, scale * x[None] ** b, criterion)[0]
    want = b, scale * 0.75**b, scale
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-3)


def slow_decay(image, n_rings):
    size = len(image)
    magnitude = np.abs(np.fft.fftshift(np.fft.fft2(grey(image))))
    magnitude = magnitude / magnitude[size // 2, size // 2]
    r_max = np.sqrt(2) * size / 2
    kept = []
    for y in range(size):
        for x in range(size):
            r = np.hypot(y - size // 2, x - size // 2)
            if r > 0.5 * r_max:
                kept.append((r, magnitude[y, x]))
    low, high = min(kept)[0], max(kept)[0]
    rings = [[] for _ in range(n_rings)]
    for r, value in kept:
        where = (r - low) / (high - low) * n_rings
        rings[min(int(where + 1e-9), n_rings - 1)].append((r, value))
    x, y = np.array([np.mean(ring, axis=0) for ring in rings][n_rings // 2 :]).T
    return np.polyfit(np.log(x), np.log(y), 1)[0], y[0], y[-1]


def test_spectrum_decay_follows_its_definition():
    x = images(2, 32)
    want = [slow_decay(image, 8) for image in x]
    np.testing.assert_allclose(SpectrumDecay().fit_transform(x), want, rtol=1e-4)


def test_no_default_ring_is_empty():
    for size in range(16, 130):
        n_rings = max(6, size // 4)
        _, ring = frequency_rings(size, n_rings)
        assert len(np.unique(ring)) == n_rings + 1


def test_the_last_magnitudes_do_not_depend_on_exposure():
    x = images(2, 32) // 2
    one, two = SpectrumDecay().fit_transform(x), SpectrumDecay().fit_transform(2 * x)
    np.testing.assert_allclose(one, two, rtol=0.02, atol=0.02)


def test_the_published_rings_of_a_larger_image_are_finite():
    space = SpectrumDecay(n_rings=200, smooth=5, criterion="norm")
    assert np.isfinite(space.fit_transform(images(1, 128))).all()


# All features


@pytest.mark.parametrize("space", FEATURES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize(
    "x",
    [
        np.zeros((2, 28, 28, 3), np.uint8),
        np.full((2, 28, 28, 3), 255, np.uint8),
        np.full((2, 33, 33, 3), 77, np.uint8),
        images(2, 28),
        np.concatenate([images(1, 32), np.zeros((1, 32, 32, 3), np.uint8)]),
    ],
    ids=["black", "white", "grey", "noise", "half"],
)
def test_features_are_finite_float32_rows(space, x):
    features = clone(space).fit_transform(x)
    assert features.dtype == np.float32 and features.shape[0] == 2
    assert np.isfinite(features).all()
    assert np.abs(features).max() < 1e6


@pytest.mark.parametrize("space", FEATURES, ids=lambda s: type(s).__name__)
def test_features_as_scikit_learn_transformers(space):
    x = images(9, 32)
    space = clone(space)
    with pytest.raises(NotFittedError):
        space.transform(x)
    together = space.fit_transform(x)
    np.testing.assert_allclose(space.transform(x[4:5]), together[4:5], rtol=1e-5)
    table = space.set_output(transform="pandas").transform(x)
    assert list(table.columns) == list(space.get_feature_names_out())
    with pytest.raises(ValueError, match="must be uint8"):
        space.fit(x / 255)
    with pytest.raises(ValueError, match=r"must be \(n, h, w, 3\)"):
        space.fit(x[..., :1])


@pytest.mark.parametrize(
    "space, x, message",
    [
        (SaturationStatistics(over=(256,)), images(1), r"over must hold.*\(256,\)"),
        (CooccurrenceMatrices(levels=100), images(1), "levels must be a power of two"),
        (CooccurrenceMatrices(offset=0), images(1), "offset must be a positive"),
        (CooccurrenceMatrices(offset=8), images(1, 8), "8 pixels wide.*smaller offset"),
        (AzimuthalSpectrum(), images(1, 7), "7 x 7 pixels are too small.*8 x 8"),
        (AzimuthalSpectrum(n_points=1), images(1), "n_points must be an integer above"),
        (SpectrumDecay(), images(1, 12), "12 x 12 pixels are too small.*16 x 16"),
        (SpectrumDecay(), images(1, 16, 20), "16 x 20, but rings.*need square.*crop"),
        (
            SpectrumDecay(n_rings=200),
            images(1, 32),
            "of 200 rings, 1.. are empty.*less",
        ),
        (SpectrumDecay(n_rings=3), images(1), "n_rings must be an integer above 5"),
        (SpectrumDecay(smooth=4), images(1), "smooth must be a positive odd"),
        (SpectrumDecay(start=0.9), images(1), "start must be in"),
        (SpectrumDecay(criterion="l1"), images(1), 'criterion must be "log" or "norm"'),
    ],
)
def test_unfit_images_and_parameters_are_refused(space, x, message):
    with pytest.raises(ValueError, match=message):
        space.fit(x)


def test_images_of_another_size_are_refused_after_the_fit():
    with pytest.raises(
        ValueError, match="have 18 rings, those of the fit 20.*n_points"
    ):
        AzimuthalSpectrum().fit(images(1, 32)).transform(images(1, 28))
    with pytest.raises(ValueError, match="fitted on"):
        SpectrumDecay().fit(images(1, 32)).transform(images(1, 28))


# Networks


@pytest.mark.parametrize("side, millions", [(32, 8.85), (64, 8.90), (128, 8.92)])
def test_the_attribution_network_has_the_published_size(side, millions):
    layers, n_features = equalized_layers(side)
    n = sum(p.numel() for p in layers.parameters()) + 14 * (n_features + 1)
    assert n_features == 512 and n / 1e6 == pytest.approx(millions, abs=0.005)
    widths = [m.weight.shape[0] for m in layers if hasattr(m, "weight")]
    assert widths[:2] == [2048 // side, 4096 // side]


def test_equalised_weights_keep_the_scale_of_the_signal():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers, _ = equalized_layers(32, 256)
        with torch.no_grad():
            out = layers(torch.randn(16, 3, 32, 32))
    weights = [p for name, p in layers.named_parameters() if "weight" in name]
    assert all(w.std().item() == pytest.approx(1, abs=0.1) for w in weights)
    assert 0.05 < out.square().mean().item() < 5


@pytest.mark.parametrize(
    "shape, side", [((28, 28), 32), ((17, 30), 32), ((64, 64), 64)]
)
def test_images_are_mirrored_outwards_to_a_power_of_two(shape, side):
    assert power_of_two(*shape) == side
    x = torch.rand(2, 3, *shape)
    padded = mirror_outwards(*shape, side)(x)
    assert padded.shape == (2, 3, side, side)
    y, x0 = ((side - s) // 2 for s in shape)
    inner = padded[:, :, y : y + shape[0], x0 : x0 + shape[1]]
    assert torch.equal(inner, x)


def test_cooccurrence_layers_of_the_paper_and_of_small_matrices():
    with torch.no_grad():
        assert cooccurrence_layers()(torch.zeros(1, 3, 256, 256)).shape == (1, 12800)
        small = cooccurrence_layers(4, False)(torch.zeros(1, 3, 64, 64))
    assert small.shape == (1, 16 * 4 * 4)
    assert not any(
        "bias" in name for name, _ in cooccurrence_layers().named_parameters()
    )


@pytest.mark.parametrize("layer, share", [(BlurAndJPEG(0.5), 0.75), (Mirror(), 0.5)])
def test_augmentations_change_their_share_of_images_in_training_only(layer, share):
    x = torch.rand(400, 3, 8, 8)
    assert torch.equal(layer.eval()(x), x)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        changed = (layer.train()(x) != x).flatten(1).any(1).float().mean()
    assert changed.item() == pytest.approx(share, abs=0.08)


def test_mirrored_images_keep_their_rows_and_probability_0_changes_nothing():
    x = torch.rand(20, 3, 8, 8)
    assert torch.equal(Mirror().train()(x).sort(-1).values, x.sort(-1).values)
    assert torch.equal(BlurAndJPEG(0.0).train()(x), x)


def test_low_quality_loses_more():
    x = images(1, 16)[0].transpose(2, 0, 1) / np.float32(255)
    losses = [np.abs(compress(x, quality) - x).mean() for quality in (95, 60, 30)]
    assert 0 < losses[0] < losses[1] < losses[2] < 0.5


def test_crops_lie_in_the_image_and_the_last_one_in_its_centre():
    x = torch.arange(100.0).view(1, 1, 10, 10).repeat(50, 3, 1, 1)
    assert torch.equal(Crop(4).eval()(x), x[..., 3:7, 3:7])
    corners = Crop(4).train()(x)[:, 0, 0, 0]
    assert len(corners.unique()) > 10 and corners.max() <= 66


def test_log_spectra_fill_their_range():
    out = LogSpectrum()(torch.rand(2, 3, 8, 8))
    low, high = out.amin((-2, -1)), out.amax((-2, -1))
    assert torch.allclose(low, -torch.ones_like(low))
    assert torch.allclose(high, torch.ones_like(high))
    assert out[0, 0].argmax() == 4 * 8 + 4
    assert torch.isfinite(LogSpectrum()(torch.zeros(1, 3, 8, 8))).all()


def flat(x):
    return x.reshape(len(x), -1).astype(np.float32) / 255


@pytest.mark.parametrize(
    "head",
    [
        RobustResNet(width=2, epochs=1, min_steps=1),
        FineTunedNetwork(width=2, epochs=1, min_steps=1),
        IncrementalNetwork(width=2, epochs=1, min_steps=1),
    ],
    ids=lambda head: type(head).__name__,
)
def test_local_weights_are_the_start_and_the_estimator_says_so(head, tmp_path):
    x, y = flat(images(6, 8)), list("aabbcc")
    head = clone(head).fit(x, y)
    assert head.pretrained_ is False
    path = tmp_path / "start.pth"
    state = head.net_.module_.backbone.state_dict()
    torch.save(state | {"fc.weight": torch.zeros(1)}, path)
    again = clone(head).set_params(weights=path, rate=1e-12).fit(x, y)
    assert again.pretrained_ is True
    for name, value in again.net_.module_.backbone.named_parameters():
        torch.testing.assert_close(value, state[name])
    torch.save({"other": torch.zeros(1)}, path)
    with pytest.raises(
        ValueError, match="start.pth does not hold the weights of this network"
    ):
        clone(again).fit(x, y)
    with pytest.raises(ValueError, match="nowhere.pth does not exist"):
        clone(again).set_params(weights="nowhere.pth").fit(x, y)


def test_published_backbones_end_with_2048_features():
    for network, side in ((headless_resnet50(), 64), (inception_v3(), 75)):
        with torch.no_grad():
            assert network.eval()(torch.zeros(1, 3, side, side)).shape == (1, 2048)


def test_published_backbones_take_small_images():
    """They are resized and cropped inside; nothing is trained here."""
    x, y = flat(images(2, 8)), ["a", "b"]
    robust = baseline("Wang20", paper=True, image_size=8)["classifier"]
    deep = baseline("Marra18", paper=True, image_size=8)["classifier"]
    for head, side in ((robust, 224), (deep, 299)):
        head.classes_, head.shape_ = np.array(y), (8, 8, 3)
        network = head._network(x).eval()
        batch = torch.from_numpy(x).view(-1, 8, 8, 3).permute(0, 3, 1, 2)
        assert network.preparation(batch).shape == (2, 3, side, side)
        assert network.head.out_features == 2


# Increments


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 15))
def test_herding_takes_what_moves_the_mean_closest(seed, m, n):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(m, 4)) + 1
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    found = herding(x, n).tolist()
    assert len(set(found)) == len(found) == min(n, m)
    for k, best in enumerate(found):
        rest = [i for i in range(m) if i not in found[:k]]
        error = {
            i: np.linalg.norm(x.mean(0) - x[[*found[:k], i]].mean(0)) for i in rest
        }
        assert error[best] <= min(error.values()) + 1e-9  # rows may tie


def test_increments_cover_the_classes_and_keep_the_memory():
    x, y = easy_images(20, size=8)
    head = IncrementalNetwork(width=4, memory=12, epochs=1, min_steps=2)
    head.fit(flat(x), y)
    assert sorted(sum(head.order_, [])) == sorted(set(y)) and len(head.order_) == 3
    for code, rows in head.net_.exemplars_.items():
        assert len(rows) == len(set(rows)) == 4
        assert set(y[rows]) == {head.classes_[code]}
    norms = np.linalg.norm(head.transform(flat(x)), axis=1)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(head.net_.means_, axis=1), 1, rtol=1e-5)
    orders = {
        str(clone(head).set_params(seed=s).fit(flat(x), y).order_) for s in range(6)
    }
    assert len(orders) > 1


def test_means_are_those_of_exemplars_and_their_mirror_images():
    x, y = easy_images(10, size=8)
    x[:, :, 4:] //= 2  # or an image and its mirror image would look alike
    head = IncrementalNetwork(width=4, memory=9, epochs=1, min_steps=5).fit(flat(x), y)
    rows = head.net_.exemplars_[1]
    both = head.transform(flat(x[rows])), head.transform(flat(x[rows][:, :, ::-1]))
    want = both[0].mean(axis=0) + both[1].mean(axis=0)
    want /= np.linalg.norm(want)
    np.testing.assert_allclose(head.net_.means_[1], want, atol=1e-5)
    distances = np.linalg.norm(
        head.transform(flat(x))[:, None] - head.net_.means_, axis=2
    )
    nearest = head.classes_[distances.argmin(axis=1)]
    np.testing.assert_array_equal(head.predict(flat(x)), nearest)


def test_old_classes_are_not_forgotten():
    """Without old images, the network would know the last class only."""
    x, y = easy_images(30)
    head = IncrementalNetwork(width=4, memory=30, epochs=1, min_steps=60).fit(
        flat(x), y
    )
    test_x, test_y = easy_images(20, seed=1)
    right = head.predict(flat(test_x)) == test_y
    for (name,) in head.order_:
        assert right[test_y == name].mean() > 0.7
    assert not hasattr(head, "predict_proba")


# Pipelines


@pytest.mark.parametrize("name", BASELINES)
def test_pipelines_learn_what_is_easy_and_nothing_from_arbitrary_labels(name):
    x, y = easy_images(32)
    pipeline = baseline(name, image_size=16, **SMALL[name])
    result = evaluate(pipeline, x, y, n_train=16, n_test=16, seeds=(0,))
    assert result.accuracy.item() > 0.75
    assert result.ratio.item() > 2 * result.null.item()
    assert name not in HAND_CRAFTED or result.d == HAND_CRAFTED[name]
    noise, y = images(192), np.repeat(["a", "b", "c"], 64)
    chance = evaluate(
        pipeline, noise, y, n_train=16, n_test=48, seeds=(0,), n_permutations=None
    )
    assert chance.accuracy.item() < 1 / 3 + 0.16  # four standard deviations of 144


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("paper", [False, True])
def test_pipelines_are_cloned_with_their_parameters(name, paper):
    pipeline = baseline(name, paper=paper, seed=7)
    copy = clone(pipeline)
    assert str(copy.get_params()) == str(pipeline.get_params())
    seeds = {
        key: value
        for key, value in pipeline.get_params().items()
        if key.rpartition("__")[2] in ("seed", "random_state")
    }
    assert set(seeds.values()) <= {7}
    assert bool(seeds) != (name == "Dzanic20")


@pytest.mark.parametrize("name", ["Nataraj19", "Wang20", "Marra19", "Yu19", "Durall20"])
def test_the_seed_decides_everything(name):
    x, y = easy_images(8)
    options = SMALL[name] | ({"min_steps": 3} if SMALL[name] else {})
    state = torch.random.get_rng_state()
    one, same, other = (
        baseline(name, image_size=16, seed=seed, **options).fit(x, y).transform(x)
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(one, same)
    assert (np.abs(one - other).max() > 1e-6) != (name in HAND_CRAFTED)


@pytest.mark.parametrize("name", HAND_CRAFTED)
def test_hand_crafted_methods_are_judged_by_standardised_features(name):
    x, y = easy_images(10)
    pipeline = baseline(name).fit(x, y)
    z = pipeline.transform(x)
    raw = pipeline["features"].transform(x)
    moving = raw.std(axis=0) > 1e-6
    np.testing.assert_allclose(z[:, moving].mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(z[:, moving].std(axis=0), 1, atol=1e-3)


@pytest.mark.parametrize("name", ["Wang20", "Marra18", "Marra19", "Yu19"])
def test_networks_take_images_of_28_pixels_and_wide_ones(name):
    options = SMALL[name] | {"min_steps": 1}
    for size in (28, (12, 16)):
        x = images(6, *((size, size) if size == 28 else size))
        pipeline = baseline(name, image_size=size, **options).fit(x, list("ababab"))
        assert np.isfinite(pipeline.transform(x)).all()
        assert set(pipeline.predict(x)) <= {"a", "b"}


@pytest.mark.parametrize("name", BASELINES)
def test_black_images_among_others_give_finite_features(name):
    x = np.concatenate([images(6, 16), np.zeros((6, 16, 16, 3), np.uint8)])
    options = SMALL[name] | ({"min_steps": 2} if SMALL[name] else {})
    pipeline = baseline(name, image_size=16, **options)
    assert np.isfinite(pipeline.fit(x, ["a"] * 6 + ["b"] * 6).transform(x)).all()


def test_options_reach_their_step():
    pipeline = baseline("Nataraj19", levels=128, epochs=3)
    assert pipeline["features"].levels == 128 and pipeline["classifier"].epochs == 3
    assert baseline("Yu19", image_size=(8, 12))["classifier"].image_shape == (8, 12, 3)
    assert baseline("Wang20", device="cuda", progress=True)[-1].device == "cuda"
    paper = baseline("Nataraj19", paper=True, offset=5)
    assert paper["features"].levels == 256 and paper["features"].offset == 5
    # Published is a constant rate, and no end before the last epoch.
    for name, rate in {"Yu19": 1e-3, "Nataraj19": 1e-4}.items():
        head = baseline(name, paper=True)["classifier"]
        assert head.patience is None and not head.cycle and head.rate == rate


def test_wrong_names_get_the_near_one():
    with pytest.raises(ValueError, match="'Wang2O'; did you mean 'Wang20'"):
        baseline("Wang2O")
    with pytest.raises(ValueError, match=r"unknown baseline \['Yu19'\]"):
        baseline(["Yu19"])
    with pytest.raises(ValueError, match="'epoch'; did you mean 'epochs'"):
        baseline("Yu19", epoch=3)
    with pytest.raises(ValueError, match="unknown option 'patience'"):
        baseline("Marra19", patience=3)
    with pytest.raises(ValueError, match="image_size must be a side.*got 'large'"):
        baseline("Yu19", image_size="large")


@pytest.mark.parametrize(
    "name, options, message",
    [
        ("Wang20", {"image_size": 8}, "768 numbers are not images of .8, 8, 3.*size"),
        ("Wang20", {"backbone": "resnet5"}, "did you mean 'resnet50'"),
        ("Wang20", {"blur_jpeg": 2}, "blur_jpeg must be a probability"),
        ("Marra18", {"backbone": "xception"}, "unknown backbone 'xception'"),
        ("Marra19", {"memory": 2}, "memory=2 leaves.*at least 3"),
        ("Marra19", {"increments": 0}, "increments must be positive"),
        ("Nataraj19", {"levels": 32}, "32 x 32 pixels are too small.*64 x 64"),
        ("Yu19", {"patience": 2}, "has 4 images, and a schedule.*patience to None"),
        ("Dzanic20", {}, "has 4 images, fewer than n_neighbors=5"),
    ],
)
def test_what_cannot_work_is_refused_with_a_remedy(name, options, message):
    x, y = easy_images(4)
    pipeline = baseline(name, **({"image_size": 16} | options))
    with pytest.raises(ValueError, match=message):
        pipeline.fit(x, y)


@pytest.mark.parametrize("name", BASELINES)
def test_one_class_is_not_enough(name):
    with pytest.raises(ValueError, match="at least two classes, got one class: 'a'"):
        baseline(name, image_size=16).fit(images(10), ["a"] * 10)


def test_too_small_or_too_narrow_images_are_refused_by_networks():
    with pytest.raises(ValueError, match="6 x 6 pixels are too small.*8 x 8"):
        baseline("Marra18", image_size=6).fit(images(4, 6), list("abab"))
    with pytest.raises(ValueError, match="8 x 64 pixels are too narrow.*crop them"):
        baseline("Yu19", image_size=(8, 64)).fit(images(4, 8, 64), list("abab"))


def test_folds_need_images_of_every_class():
    x, y = easy_images(2)
    with pytest.raises(ValueError, match="'bright' has 2 images, fewer than cv=3"):
        baseline("Durall20").fit(x, y)


@pytest.mark.parametrize("cv", [None, 3, StratifiedKFold(4), ShuffleSplit(2)])
def test_folds_may_be_given_in_every_way_of_scikit_learn(cv):
    x, y = easy_images(5)
    x = x.reshape(len(x), -1)
    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1, 2]}, cv=cv)
    assert StandardisedClassifier(search).fit(x, y).score(x, y) > 0.9
    if isinstance(cv, ShuffleSplit):
        return  # needs no image of every class in every part
    folds = {None: 5}.get(cv, getattr(cv, "n_splits", cv))
    few = np.concatenate([np.flatnonzero(y == name)[: folds - 1] for name in set(y)])
    with pytest.raises(ValueError, match=f"{folds - 1} images, fewer than cv={folds}"):
        StandardisedClassifier(search).fit(x[few], y[few])


def test_probabilities_are_those_of_the_classifier_where_it_has_them():
    x, y = [[0.0], [1.0], [3.0], [4.0], [10.0], [11.0]], list("ababab")
    head = StandardisedClassifier(KNeighborsClassifier(3)).fit(x, y)
    np.testing.assert_allclose(head.predict_proba([[1.1]]), [[2 / 3, 1 / 3]])
    assert not hasattr(StandardisedClassifier(LinearSVC()).fit(x, y), "predict_proba")
    assert not hasattr(StandardisedClassifier(LinearSVC()), "predict_proba")


def test_ctrl_c_in_a_classifier_leaves_no_fitted_one():
    class Interrupted(KNeighborsClassifier):
        def fit(self, x, y):
            if len(x) > 4:
                raise KeyboardInterrupt
            return super().fit(x, y)

    head = StandardisedClassifier(Interrupted(1)).fit([[0.0], [1.0]], ["a", "b"])
    with pytest.raises(KeyboardInterrupt):
        head.fit([[0.0], [1.0]] * 3, ["a", "b"] * 3)
    with pytest.raises(NotFittedError):
        head.predict([[0.0]])


def test_a_classifier_may_see_the_features_themselves():
    x, y = [[0.0, 0], [0, 0.1], [100, 0], [100, 0.1]], list("abab")
    nearest = KNeighborsClassifier(1)
    query = [[60, 0.02]]
    raw = StandardisedClassifier(nearest, standardise=False).fit(x, y)
    scaled = StandardisedClassifier(nearest).fit(x, y)
    assert raw.predict(query) == scaled.predict(query) == "a"
    query = [[49, 0.09]]
    assert raw.predict(query) == "b" and scaled.predict(query) == "b"
    np.testing.assert_allclose(raw.transform(x), scaled.transform(x))


def test_features_of_the_small_networks():
    head = CooccurrenceNetwork()
    head.classes_, head.shape_ = np.arange(3), (64, 64, 3)
    network = head._network(np.ones((2, 64 * 64 * 3), np.float32))
    assert network.head.in_features == 256
    assert small_xception(8)(torch.zeros(1, 3, 28, 28)).shape == (1, 64)
