"""The two attribution classifiers: they learn, repeat, and refuse by name."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from manifpt_utils.method.classifiers import (
    ImageAttributor,
    VectorAttributor,
    attribution_pipeline,
    classifier_for,
    picture_shape,
)
from manifpt_utils.method.networks import headless_resnet50, small_resnet
from manifpt_utils.method.spaces import RGB

NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@pytest.mark.parametrize("head", [ImageAttributor(min_steps=60), VectorAttributor()])
def test_an_easy_pattern_is_learnt(head, easy_rows):
    x, y = easy_rows(40)
    test_x, test_y = easy_rows(20, seed=1)
    fitted = head.fit(x, y)
    assert fitted.score(test_x, test_y) > 0.9
    assert fitted.predict_proba(test_x).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert list(fitted.classes_) == ["dcgan", "ddpm", "glow"]


@pytest.mark.parametrize("noise", [0, 1e-6])
def test_a_feature_that_hardly_varies_in_training_does_not_outweigh_all_others(
    easy_rows, noise
):
    """As in the features of large networks, of which many are nearly always zero."""
    (x, y), (test_x, test_y) = easy_rows(40), easy_rows(20, seed=1)
    rng = np.random.default_rng(0)
    quiet = noise * rng.random((len(x), 20), dtype=np.float32)
    loud = rng.random((len(test_x), 20), dtype=np.float32)
    head = VectorAttributor().fit(np.hstack([x, quiet]), y)
    assert head.score(np.hstack([test_x, 0.5 * loud]), test_y) > 0.9


def test_the_seed_decides_everything(easy_rows):
    x, y = easy_rows(15)
    heads = [VectorAttributor(seed=s, min_steps=20).fit(x, y) for s in (0, 0, 1)]
    one, same, other = (head.predict_proba(x) for head in heads)
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-6


@pytest.mark.parametrize("kind", [ImageAttributor, VectorAttributor])
def test_in_less_precision_the_same_is_learnt_with_whole_weights(kind, easy_rows):
    x, y = easy_rows(40)
    test_x, test_y = easy_rows(20, seed=1)
    less = kind(precision="bfloat16", min_steps=60).fit(x, y)
    assert less.score(test_x, test_y) > 0.9
    assert {w.dtype for w in less.weights_of().values() if w.ndim} == {torch.float32}
    assert less.transform(x).dtype == np.float32
    whole = clone(less).set_params(precision="float32")
    whole.restore(less.weights_of(), less.classes_, x.shape[1])
    gap = np.abs(whole.predict_proba(test_x) - less.predict_proba(test_x)).max()
    assert 0 < gap < 0.1


def test_full_precision_is_what_it_is_without_the_choice(easy_rows):
    x, y = easy_rows(10)
    head = ImageAttributor(epochs=1, min_steps=5).fit(x, y)
    net = head.net_.module_.eval()
    with torch.no_grad():
        rows = torch.from_numpy(x).view(-1, *net.shape).permute(0, 3, 1, 2)
        plain = net.head(net.backbone(net.preparation(rows)))
        assert torch.equal(net(torch.from_numpy(x)), plain)


def test_an_unknown_precision_gets_the_near_one(easy_rows):
    with pytest.raises(ValueError, match=r"unknown precision 'bfloat'.*bfloat16"):
        VectorAttributor(precision="bfloat").fit(*easy_rows(5))


def test_a_training_that_improves_no_longer_ends_and_keeps_its_best_round(easy_rows):
    x, y = easy_rows(5)
    validation = easy_rows(20, seed=1)
    head = VectorAttributor().fit_until_settled(x, y, validation, max_steps=2000)
    rounds = head.net_.history[:, "valid_acc"]
    assert len(rounds) < 100 and max(rounds) > 0.9
    assert head.score(*validation) == pytest.approx(max(rounds))
    again = VectorAttributor().fit_until_settled(x, y, validation, max_steps=2000)
    np.testing.assert_array_equal(head.predict_proba(x), again.predict_proba(x))


@pytest.mark.parametrize("kind", [ImageAttributor, VectorAttributor])
def test_parameters_are_those_of_a_scikit_learn_estimator(kind):
    head = kind(epochs=3, seed=5)
    assert clone(head).get_params() == head.get_params()
    assert "epochs=3" in repr(head)
    assert {"device", "progress", "min_steps"} <= set(head.get_params())
    with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
        head.set_params(epoch=3)
    assert head != clone(head)  # estimators are compared by identity


def test_a_fitted_classifier_can_be_stored(easy_rows):
    x, y = easy_rows(10)
    head = VectorAttributor(min_steps=5).fit(x, y)
    again = pickle.loads(pickle.dumps(head))
    np.testing.assert_array_equal(again.predict_proba(x), head.predict_proba(x))


def test_large_images_pass_through_the_network_in_smaller_batches():
    """Rows at once: bounded by numbers, and the usual 512 at 32 x 32 pixels."""
    counts = []
    for side in (8, 32, 256, 4096):
        head = ImageAttributor()
        head.n_features_in_ = 3 * side * side
        counts.append(head._at_once())
    assert counts == [512, 512, 8, 2]


def test_the_head_follows_the_shape_of_the_space():
    class Space:
        image_shape_ = (8, 8, 3)

    assert isinstance(classifier_for(Space()), ImageAttributor)
    Space.image_shape_ = None
    assert isinstance(classifier_for(Space(), augment="colour"), VectorAttributor)


def test_wrong_input_is_named(easy_rows):
    x, y = easy_rows(5)
    with pytest.raises(
        ValueError, match="at least two classes, got one class: 'dcgan'"
    ):
        VectorAttributor().fit(x[:5], y[:5])
    with pytest.raises(ValueError, match="rows of 190 numbers are not square RGB"):
        ImageAttributor().fit(x[:, :190], y)
    with pytest.raises(ValueError, match=r"192 numbers are not images of \(8, 9, 3\)"):
        ImageAttributor(image_shape=(8, 9, 3)).fit(x, y)
    with pytest.raises(ValueError, match="unknown backbone 'smal'; did you mean 'sm"):
        ImageAttributor(backbone="smal").fit(x, y)
    with pytest.raises(ValueError, match="augment must be None or 'colour', got 'x'"):
        ImageAttributor(augment="x").fit(x, y)
    for option in ({"augment": "colour"}, {"backbone": "resnet50"}):
        with pytest.raises(ValueError, match="need 3 channels, got 12"):
            ImageAttributor(image_shape=(4, 4, 12), **option).fit(x, y)
    with pytest.raises(ValueError, match="NaN"):
        VectorAttributor().fit(np.full((15, 4), np.nan), y)


def test_pictures_may_be_wide_and_not_too_small():
    assert picture_shape(8 * 4 * 3, (8, 4, 3)) == (8, 4, 3)
    with pytest.raises(ValueError, match="4 x 8 pixels are too small.*at least 5 x 5"):
        picture_shape(96, (4, 8, 3), smallest=5)


# Weights


@pytest.mark.parametrize(
    ("backbone", "build"), [("small", small_resnet), ("resnet50", headless_resnet50)]
)
def test_training_starts_from_the_weights(backbone, build, easy_rows, tmp_path):
    x, y = easy_rows(2)
    with torch.random.fork_rng():
        torch.manual_seed(11)
        state = build().state_dict()
    torch.save({"model": state | {"fc.weight": torch.zeros(1)}}, tmp_path / "a.pth")
    head = ImageAttributor(backbone=backbone, epochs=1, min_steps=1, rate=1e-12)
    head.set_params(weights=tmp_path / "a.pth", weight_decay=0).fit(x, y)
    for name, value in head.net_.module_.backbone.named_parameters():
        torch.testing.assert_close(value, state[name])


@pytest.mark.parametrize("backbone", ["small", "resnet50"])
def test_weights_that_do_not_fit_are_refused(backbone, easy_rows, tmp_path):
    x, y = easy_rows(2)
    head = ImageAttributor(backbone=backbone, weights="nowhere.pth")
    with pytest.raises(ValueError, match="nowhere.pth does not exist"):
        head.fit(x, y)
    torch.save(small_resnet(4).state_dict(), tmp_path / "narrow.pth")
    with pytest.raises(ValueError, match="narrow.pth does not hold the weights"):
        head.set_params(weights=tmp_path / "narrow.pth").fit(x, y)


# Devices and unknown options


@pytest.mark.parametrize("kind", [ImageAttributor, VectorAttributor])
def test_a_device_is_passed_on(kind, easy_rows):
    x, y = easy_rows(4)
    head = kind(device="cpu:0", epochs=1, min_steps=1).fit(x, y)
    assert head.net_.device == "cpu:0"


@pytest.mark.parametrize(
    "device", ["gpu", "cdua", 3.5, pytest.param("cuda", marks=NO_GPU)]
)
def test_a_device_that_is_not_there_is_refused(device, easy_rows):
    with pytest.raises(ValueError, match=f"device {device!r} cannot be used here"):
        VectorAttributor(device=device).fit(*easy_rows(4))


@pytest.mark.parametrize("build", [classifier_for, attribution_pipeline])
def test_unknown_options_get_the_near_one(build, easy_images):
    space = RGB().fit(easy_images(1)[0])
    with pytest.raises(ValueError, match="option 'devise'; did you mean 'device'"):
        build(space, devise="cuda")
    space.image_shape_ = None
    with pytest.raises(ValueError, match="unknown option 'backbone'.*hidden"):
        build(space, backbone="small")
