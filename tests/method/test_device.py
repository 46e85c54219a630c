"""The device that is named once reaches everything that computes."""

import numpy as np
import pytest
import torch

from manifpt_utils import Attributor, Denoiser, load, make_space, use_device
from manifpt_utils._support import devices
from manifpt_utils.attribution import selection
from manifpt_utils.attribution.parts import Part
from manifpt_utils.baselines import BASELINES, baseline
from manifpt_utils.method import denoiser, manifold, training
from manifpt_utils.method.classifiers import VectorAttributor
from manifpt_utils.method.denoiser import denoising_error
from manifpt_utils.method.device import torch_device, torch_precision
from manifpt_utils.method.exact import ExactManifold
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.representations import representations

NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
PRETENDED = "cpu:0"  # another name of the CPU, by which it is told from the default


def images(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 3), np.uint8)


@pytest.fixture
def pretended():
    with use_device(PRETENDED):
        yield


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize(
    ("known", "expected"),
    [({"avx512_bf16": True}, torch.bfloat16), ({"avx512_bf16": False}, torch.float32)]
    + [({}, torch.float32), ({"amx_bf16": True}, torch.bfloat16)],
)
def test_the_quicker_precision_is_that_of_the_processor(known, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    assert torch_precision("auto") == expected
    assert torch_precision("bfloat16") == torch.bfloat16


def test_a_device_has_the_name_that_torch_knows():
    assert torch_device("cpu:0") == torch.device("cpu", 0)
    with pytest.raises(ValueError, match="'tpu' cannot be used here.*there is cpu"):
        torch_device("tpu")


def test_a_default_holds_until_its_end_and_an_explicit_device_wins():
    with use_device(PRETENDED):
        assert torch_device() == torch.device("cpu", 0)
        assert torch_device("cpu") == torch.device("cpu")
        with use_device("meta"):
            assert torch_device().type == "meta"
        with use_device(None):
            assert torch_device() == torch.device("cpu", 0)
    assert torch_device() == torch.device("cpu")


def test_a_default_ends_with_an_error_too():
    with pytest.raises(KeyError), use_device(PRETENDED):
        raise KeyError
    with pytest.raises(ValueError, match="'tpu' cannot be used"):
        use_device("tpu")
    assert torch_device() == torch.device("cpu")


def test_what_is_here_is_named(two_gpus):
    assert devices.devices() == ["cpu", "cuda:0", "cuda:1"]
    assert [devices.named(x) for x in ("cpu", "cuda", "cuda:1", "auto")] == [
        *("cpu", "cuda", "cuda:1", "cuda:0")
    ]
    with pytest.raises(ValueError, match="here: cpu, cuda:0, cuda:1$"):
        devices.named("cuda:2")


def test_auto_without_a_gpu_is_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert str(torch_device("auto")) == "cpu"
    with pytest.raises(ValueError, match="here: cpu, because torch sees no GPU"):
        devices.named("cuda")


def test_spaces_searches_and_denoisers_take_the_default(pretended):
    real = images(40)
    space = make_space("supervised").fit(real)
    assert str(space.device_) == PRETENDED
    assert str(make_space("supervised", device="cpu").fit(real).device_) == "cpu"
    fitted = DataManifold("rgb", search="certified").fit(real)
    assert fitted._certified.device == PRETENDED
    assert DataManifold("rgb", device="cpu").fit(real).device_ == "cpu"
    assert str(Denoiser(steps=1).fit(real).device_) == PRETENDED


def test_a_search_that_chooses_for_itself_is_certified_elsewhere(pretended):
    real = images(40)
    fitted = DataManifold("rgb").fit(real)
    assert np.isfinite(fitted.project(images(3, 1)) and fitted.certified_share_)
    with use_device("cpu"):
        fitted = DataManifold("rgb").fit(real)
    assert np.isnan(fitted.project(images(3, 1)) and fitted.certified_share_)


@pytest.mark.parametrize("name", [n for n in BASELINES if BASELINES[n].has_network])
def test_networks_of_earlier_methods_are_trained_there(name, pretended, monkeypatch):
    seen = []

    class Seen(Exception):
        pass

    def spied(*args, device, **options):
        seen.append(device)
        raise Seen

    monkeypatch.setattr("manifpt_utils.method.classifiers.trainer", spied)
    x = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    with pytest.raises(Seen):
        baseline(name).fit(x, np.repeat(["a", "b"], 4))
    assert seen == [PRETENDED]


def test_every_network_is_trained_on_the_default(pretended, monkeypatch):
    seen = []

    class Spied(training.Trainer):
        def initialize(self):
            seen.append(self.device)
            return super().initialize()

    for module in (training, denoiser):
        monkeypatch.setattr(module, "Trainer", Spied)
    x, y = np.random.default_rng(0).normal(size=(12, 4)), np.repeat(["a", "b"], 6)
    head = VectorAttributor(epochs=1, min_steps=1).fit(x, y)
    head.fit_until_settled(x, y, (x, y), max_steps=20)
    Denoiser(steps=1, seed=7).fit(images(6, 5))
    assert seen == [PRETENDED] * 3


def test_representations_of_a_benchmark_take_the_default(pretended):
    data = load("gm-photo/coffee", models=["dcgan"], n_real=60)
    shown = representations(data, ["supervised"], ["raw", "nearest"])
    raw, nearest = shown.values()
    assert str(raw.device_) == PRETENDED and nearest.device_ == PRETENDED
    assert str(nearest.space_.device_) == PRETENDED


def test_the_exact_closest_view_is_sought_where_views_are_rendered(pretended):
    data = load("gm-photo/coffee", models=["dcgan"], n_real=20)
    exact = ExactManifold(data.manifold, "supervised", grid=(2, 2, 2)).fit(data.real)
    assert str(exact.space_.device_) == "cpu"


def test_an_attributor_takes_all_it_is_made_of_to_its_device(tmp_path):
    data = load("gm-photo/coffee", models=["dcgan", "ddpm"], n_real=60)
    options = {"space": "supervised", "estimate": "nearest", "classifier": "linear"}
    options |= {"with_real": False, "effort": 0.1}
    found = Attributor(**options, device=PRETENDED).fit(data)
    frozen, head = (step for _, step in found.pipeline_.steps)
    assert str(frozen.estimator.space_.device_) == PRETENDED
    assert head.net_.device == PRETENDED
    assert torch_device() == torch.device("cpu")
    found.nearest_real(data.real[:2])
    assert found._pixels.device_ == PRETENDED
    plain = Attributor(**options).fit(data)
    some = data.images["dcgan"][:5]
    np.testing.assert_array_equal(found.predict_proba(some), plain.predict_proba(some))


def test_scores_of_candidates_are_kept_by_device(monkeypatch):
    keys = []
    monkeypatch.setattr(
        selection,
        "cached",
        lambda compute, *inputs, code: keys.append(inputs) or np.zeros(1),
    )
    space = make_space("rgb").fit(images(4))
    choice = selection.Candidate("rgb", "raw", "linear")
    part = Part(images(8), np.repeat(["a", "b"], 4))
    for device in ("cpu", PRETENDED):
        known = {choice.representation: space}
        selection.select([choice], known, part, quick=True, device=device)
    assert keys[0][-2:] == ("cpu", "float32")
    assert keys[1][-2:] == (PRETENDED, "float32")


# --- on a GPU ---------------------------------------------------------------------


@NEEDS_GPU
@pytest.mark.parametrize("name", ["supervised", "selfsupervised", "imagenet"])
def test_features_of_a_gpu_are_those_of_the_cpu(name):
    x = load("gm-photo/coffee", n_real=64).real
    cpu = make_space(name).fit_transform(x)
    gpu = make_space(name, device="cuda").fit_transform(x)
    np.testing.assert_allclose(gpu, cpu, atol=1e-3)


@NEEDS_GPU
def test_neighbours_and_artifacts_of_a_gpu_are_those_of_the_cpu():
    data = load("gm-photo/coffee", models=["dcgan"], n_real=2000)
    x = data.images["dcgan"][:100]
    options = {"search": "certified"}
    cpu, gpu = (
        DataManifold("rgb", device=device, **options).fit(data.real).project(x)
        for device in ("cpu", "cuda")
    )
    np.testing.assert_array_equal(gpu.index, cpu.index)
    np.testing.assert_array_equal(gpu.artifact, cpu.artifact)


@NEEDS_GPU
def test_a_denoiser_of_a_gpu_is_as_good_as_that_of_the_cpu():
    data = load("gm-photo/coffee", models=["dcgan"], n_real=500)
    cpu, gpu = (
        Denoiser(steps=100, device=device).fit(data.real) for device in ("cpu", "cuda")
    )
    wrong = [denoising_error(x, data.real_test[:50]) for x in (cpu, gpu)]
    np.testing.assert_allclose(wrong[1], wrong[0], atol=0.05)


@NEEDS_GPU
def test_the_default_brings_a_whole_evaluation_to_the_gpu():
    data = load("gm-photo/coffee", models=["dcgan", "ddpm"], n_real=500)
    with use_device("cuda"):
        shown = representations(data, ["supervised"], ["nearest", "exact"])
    assert {x.space_.device_.type for x in shown.values()} == {"cuda", "cpu"}
    assert manifold.torch_device() == torch.device("cpu")
