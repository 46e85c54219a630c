"""Attribution: the classifiers and the one function that evaluates every method."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from manifpt_utils.method.classifiers import (
    ImageAttributor,
    VectorAttributor,
    attribution_pipeline,
    attributor,
)
from manifpt_utils.method.evaluation import (
    evaluate,
    evaluate_features,
    split,
    with_effort,
)
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.networks import ColourAugmentation, EveryOtherPixel, resnet50

torch = pytest.importorskip("torch")
MODELS = np.array(["dcgan", "ddpm", "glow"])


def easy_images(n, seed=0, size=8):
    """Noise with a pattern of its own for every model, and the model names."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(MODELS, n)
    x = rng.normal(128, 20, (3 * n, size, size, 3))
    x[labels == "ddpm", ::2] += 40
    x[labels == "glow", :, ::2] += 40
    return np.clip(x, 0, 255).astype(np.uint8), labels


def flat(images):
    return images.reshape(len(images), -1).astype(np.float32) / 255


@pytest.mark.parametrize("head", [ImageAttributor(min_steps=60), VectorAttributor()])
def test_an_easy_pattern_is_learnt(head):
    x, y = easy_images(40)
    test_x, test_y = easy_images(20, seed=1)
    fitted = head.fit(flat(x), y)
    assert fitted.score(flat(test_x), test_y) > 0.9
    assert fitted.predict_proba(flat(test_x)).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert list(fitted.classes_) == list(MODELS)


@pytest.mark.parametrize("head", [ImageAttributor(min_steps=20), VectorAttributor()])
def test_shuffled_labels_stay_at_chance(head):
    x, y = easy_images(40)
    shuffled = np.random.default_rng(0).permutation(y)
    result = evaluate_features(head, flat(x), shuffled, n_train=25, n_test=15)
    assert result.accuracy.mean() < 1 / 3 + 0.15


def test_the_seed_decides_everything():
    x, y = easy_images(15)
    heads = [VectorAttributor(seed=s, min_steps=20).fit(flat(x), y) for s in (0, 0, 1)]
    one, same, other = (head.predict_proba(flat(x)) for head in heads)
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-6


def test_clone_keeps_parameters_and_forgets_the_fit():
    head = ImageAttributor(epochs=3, augment="colour")
    assert clone(head).get_params() == head.get_params()


def test_colour_augmentation_only_while_training():
    layer, x = ColourAugmentation(), torch.randn(4, 3, 5, 5)
    assert torch.equal(layer.eval()(x), x)
    changed = layer.train()(x)
    assert changed.shape == x.shape and not torch.allclose(changed, x)
    # Shapes survive: every channel is an affine function of some channel before.
    before = x[0].flatten(1) - x[0].flatten(1).mean(1, keepdim=True)
    after = changed[0].flatten(1) - changed[0].flatten(1).mean(1, keepdim=True)
    cosine = (
        torch.nn.functional.normalize(before) @ torch.nn.functional.normalize(after).T
    )
    assert torch.allclose(cosine.abs().max(0).values, torch.ones(3), atol=1e-4)


def test_resnet50_backbone_keeps_the_resolution_of_small_images():
    network = resnet50().eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 2048)


def test_evaluation_of_a_pipeline_from_images_on():
    """A frozen manifold and a scikit-learn head, with an unseen set."""
    x, y = easy_images(40)
    real = easy_images(40, seed=9)[0][:40]
    pipeline = attribution_pipeline(DataManifold("rgb").fit(real), min_steps=40)
    unseen = {"other": easy_images(10, seed=3)}
    result = evaluate(
        pipeline, x, y, n_train=20, n_test=15, seeds=(0, 1), unseen=unseen
    )
    assert result.accuracy.shape == result.unseen["other"].shape == (2,)
    assert result.accuracy.mean() > 0.6
    np.testing.assert_allclose(result.confusion.sum(axis=1), 1)
    assert result.row()["n train"] == 20 and result.d == 64


def test_the_frechet_ratio_is_left_out_on_request():
    x, y = easy_images(12)
    head = LogisticRegression(max_iter=200)
    counts = {"n_train": 6, "n_test": 6, "seeds": (0,)}
    without = evaluate_features(head, flat(x), y, n_permutations=None, **counts)
    asked = evaluate_features(head, flat(x), y, **counts)
    assert np.isnan(without.ratio).all() and np.isfinite(asked.ratio).all()
    np.testing.assert_array_equal(without.accuracy, asked.accuracy)
    assert without.d == asked.d == x[0].size


def test_a_method_that_learns_features_is_fitted_on_each_split():
    x, y = easy_images(30)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    result = evaluate_features(pipeline, flat(x), y, n_train=15, n_test=15)
    assert result.accuracy.mean() > 0.9
    assert result.row()["sd"] == pytest.approx(result.accuracy.std(ddof=1))


def test_every_other_pixel_is_a_strided_convolution():
    torch.manual_seed(0)
    x = torch.randn(3, 4, 7, 8)
    halve = EveryOtherPixel(4, 6)
    expected = torch.nn.functional.conv2d(x, halve.weight, stride=2)
    torch.testing.assert_close(halve(x), expected)


def test_effort_scales_every_network_inside_and_nothing_else():
    head = ImageAttributor(epochs=8, min_steps=100, seed=3)
    pipeline = with_effort(make_pipeline(StandardScaler(), head), 0.25)
    found = pipeline[-1].get_params()
    assert (found["epochs"], found["min_steps"], found["seed"]) == (2, 25, 3)
    assert with_effort(VectorAttributor(epochs=2), 1e-9).epochs == 1
    plain = LogisticRegression().get_params()
    assert with_effort(LogisticRegression(), 0.5).get_params() == plain
    for bad in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"effort must be a positive number, got"):
            with_effort(head, bad)


def test_splits_are_balanced_disjoint_and_repeatable():
    labels = np.repeat(MODELS, [30, 50, 40])
    train, test = split(labels, n_train=12, n_test=8, seed=4)
    assert not set(train) & set(test)
    assert set(np.unique(labels[train], return_counts=True)[1]) == {12}
    assert set(np.unique(labels[test], return_counts=True)[1]) == {8}
    np.testing.assert_array_equal(train, split(labels, n_train=12, n_test=8, seed=4)[0])


def test_the_head_follows_the_shape_of_the_space():
    class Space:
        image_shape_ = (8, 8, 3)

    assert isinstance(attributor(Space()), ImageAttributor)
    Space.image_shape_ = None
    assert isinstance(attributor(Space(), augment="colour"), VectorAttributor)


def test_wrong_input_is_named():
    x, y = easy_images(5)
    with pytest.raises(
        ValueError, match="at least two classes, got one class: 'dcgan'"
    ):
        VectorAttributor().fit(flat(x)[:5], y[:5])
    with pytest.raises(ValueError, match="at least two classes"):
        evaluate_features(VectorAttributor(), flat(x)[:5], y[:5], n_train=2, n_test=2)
    with pytest.raises(ValueError, match="'dcgan' has 5 images, fewer than 9"):
        evaluate_features(VectorAttributor(), flat(x), y, n_train=9, n_test=2)
    with pytest.raises(ValueError, match="rows of 190 numbers are no square RGB image"):
        ImageAttributor().fit(flat(x)[:, :190], y)
    with pytest.raises(ValueError, match="unknown backbone 'vgg'; known: small"):
        ImageAttributor(backbone="vgg").fit(flat(x), y)
    with pytest.raises(ValueError, match="NaN"):
        VectorAttributor().fit(np.full((15, 4), np.nan), y)
