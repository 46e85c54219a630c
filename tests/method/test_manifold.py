"""The estimated manifold: definitions, invariances, degenerate input."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.method.local_projection import (
    affine_projection,
    knee,
    tangent_projection,
    tangent_residuals,
)
from manifpt_utils.method.manifold import ESTIMATORS, DataManifold
from manifpt_utils.method.projection import BYTES


def images(n, seed=0, size=8):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), np.uint8)


def rows(n, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_definitions_hold_for_any_points(seed, n, m):
    """Eqs. 1 and 2 against the slowest possible oracle."""
    real, generated = rows(n, seed=seed), rows(m, seed=seed + 1)
    found = DataManifold(space=None).fit(real).project(generated)
    for i, x in enumerate(generated):
        distances = [np.linalg.norm(x - r) for r in real]
        np.testing.assert_allclose(found.distance[i], min(distances), rtol=1e-5)
        np.testing.assert_array_equal(found.artifact[i], x - found.x_star[i])
    np.testing.assert_array_equal(found.x_star, real[found.index[:, 0]])


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_rotation_turns_artifacts_along(seed):
    real, generated = rows(40, seed=seed), rows(10, seed=seed + 1)
    rotation = np.linalg.qr(rows(6, seed=seed + 2))[0]
    for estimator in ESTIMATORS:
        manifold = DataManifold(space=None, estimator=estimator, k=5, m=2)
        before = manifold.fit(real).transform(generated)
        after = manifold.fit(real @ rotation).transform(generated @ rotation)
        np.testing.assert_allclose(before @ rotation, after, atol=2e-4)


def test_a_point_of_the_manifold_has_an_artifact_of_exactly_zero():
    real = images(50)
    found = DataManifold("rgb").fit(real).project(real[7:9])
    assert not found.artifact.any() and not found.distance.any()


def test_copies_of_one_image_leave_zero_and_stay_finite():
    real = np.repeat(images(1), 40, axis=0)
    for estimator in ESTIMATORS:
        manifold = DataManifold("rgb", estimator=estimator).fit(real)
        assert not manifold.transform(real[:3]).any()
        assert np.isfinite(manifold.transform(images(3, seed=5))).all()


def test_the_order_of_real_images_does_not_matter():
    real, generated = rows(60), rows(10, seed=1)
    order = np.random.default_rng(2).permutation(60)
    for estimator in ESTIMATORS:
        manifold = DataManifold(space=None, estimator=estimator, k=4, m=2)
        one = manifold.fit(real).transform(generated)
        other = manifold.fit(real[order]).transform(generated)
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_cosine_neighbours_are_those_of_scikit_learn():
    real, generated = rows(60) + 2, rows(10, seed=1) + 2
    manifold = DataManifold(space=None, k=3, metric="cosine").fit(real)
    peer = NearestNeighbors(n_neighbors=3, metric="cosine", algorithm="brute")
    expected = peer.fit(real).kneighbors(generated, return_distance=False)
    np.testing.assert_array_equal(manifold.project(generated).index, expected)
    one = DataManifold(space=None, metric="cosine").fit(real)
    scaled = one.project(3 * real[:5])
    np.testing.assert_array_equal(scaled.index[:, 0], range(5))
    np.testing.assert_allclose(scaled.artifact, 2 * real[:5], rtol=1e-5)


def test_neighbours_sought_in_one_space_give_artifacts_in_another():
    real, generated = images(40), images(6, seed=1)
    found = DataManifold("rgb", search_space="frequency").fit(real).project(generated)
    sought = DataManifold("frequency").fit(real).project(generated)
    np.testing.assert_array_equal(found.index, sought.index)
    expected = generated / 255 - real[found.index[:, 0]] / 255
    np.testing.assert_allclose(found.artifact, expected.reshape(6, -1), atol=1e-6)


def test_affine_projection_is_exact_on_a_plane():
    """Points above a plane fall back on it, their artifact is the height."""
    rng = np.random.default_rng(0)
    plane = np.column_stack([rng.normal(size=(200, 2)), np.zeros((200, 3))])
    above = np.column_stack([rng.normal(size=(9, 2)), rng.normal(size=(9, 3))])
    manifold = DataManifold(space=None, estimator="hull", k=20, ridge=1e-6).fit(plane)
    artifact = manifold.transform(above)
    np.testing.assert_allclose(artifact[:, 2:], above[:, 2:], atol=1e-5)
    assert np.abs(artifact[:, :2]).max() < 0.02
    assert (
        np.abs(DataManifold(space=None).fit(plane).transform(above)[:, :2]).max() > 0.1
    )


def test_affine_projection_against_least_squares():
    x, neighbors = rows(5, d=8), rows(20, d=8, seed=3).reshape(5, 4, 8)
    found = affine_projection(x, neighbors, ridge=1e-9)
    for i in range(5):
        basis = (neighbors[i, 1:] - neighbors[i, 0]).T
        weights = np.linalg.lstsq(basis, x[i] - neighbors[i, 0], rcond=None)[0]
        expected = neighbors[i, 0] + basis @ weights
        np.testing.assert_allclose(found[i], expected, atol=1e-3)


def test_a_large_ridge_gives_the_mean_of_the_neighbours():
    real, generated = rows(30), rows(4, seed=1)
    mean = DataManifold(space=None, estimator="nearest", k=5).fit(real)
    affine = DataManifold(space=None, estimator="hull", k=5, ridge=1e9).fit(real)
    one, other = mean.project(generated).x_star, affine.project(generated).x_star
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_hull_is_closer_to_a_known_manifold_than_nearest():
    photo = PhotoManifold("coffee")
    real, held_out = photo.sample(1000, seed=0), photo.sample(40, seed=1)
    error = {
        name: DataManifold("rgb", estimator=name).fit(real).project(held_out).distance
        for name in ESTIMATORS
    }
    assert error["hull"].mean() < 0.9 * error["nearest"].mean()


def test_leave_one_out_never_returns_the_image_itself():
    real = images(30)
    real[3] = real[4]
    manifold = DataManifold("rgb").fit(real)
    index = manifold.project(real, exclude_self=True).index[:, 0]
    assert (index != np.arange(30)).all()
    artifacts = DataManifold("rgb").fit_transform(real)
    assert not artifacts[[3, 4]].any()
    assert artifacts[[0, 1, 2]].any(axis=1).all()


def test_scikit_learn_estimator_checks_on_features():
    """On rows of features every applicable check of scikit-learn must pass."""
    skipped = {
        # transform(X) is the artifact of new images, fit_transform leaves one out.
        "check_transformer_general": "fit_transform is leave-one-out by definition",
        "check_transformer_data_not_an_array": "as above",
    }
    check_estimator(
        DataManifold(space=None), expected_failed_checks=skipped, on_skip=None
    )


def test_clone_pipeline_and_cross_validation():
    real, x = images(40), images(24, seed=1)
    y = np.repeat(["dcgan", "glow"], 12)
    manifold = clone(DataManifold("rgb", estimator="hull", k=5))
    assert manifold.get_params()["k"] == 5
    pipeline = make_pipeline(manifold.fit(real), LogisticRegression(max_iter=50))
    scores = cross_validate(pipeline, x, y, cv=2)["test_score"]
    assert scores.shape == (2,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": "nearst"}, "unknown estimator 'nearst'; known: nearest, tang"),
        ({"estimator": "affine"}, "'affine', which was renamed 'hull'; known: near"),
        ({"k": 0}, "k must be a positive integer or None, got 0"),
        ({"k": True}, "k must be a positive integer or None, got True"),
        ({"k": 5.0}, "k must be a positive integer or None, got 5.0"),
        ({"m": 0}, "m must be a positive integer or None, got 0"),
        ({"estimator": "tangent", "k": 5, "m": 5}, "k=5 neighbours span 4 directions"),
        ({"estimator": "tangent", "k": 1}, "k=1 neighbours span 0 directions"),
        ({"estimator": "tangent", "k": 20}, "k=20 needs one more"),
        ({"ridge": 0}, "ridge must be positive, got 0"),
        ({"metric": "l1"}, "unknown metric .l1.; known: euclidean, cosine"),
        ({"estimator": "hull"}, "20 real images .* 33 neighbours, 13 are missing"),
    ],
)
def test_wrong_parameters_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        DataManifold(space=None, **options).fit(rows(20))


def test_wrong_input_is_named():
    manifold = DataManifold(space=None).fit(rows(20))
    with pytest.raises(ValueError, match="search_space needs images"):
        DataManifold(space=None, search_space="rgb").fit(rows(20))
    with pytest.raises(ValueError, match="NaN"):
        manifold.transform(np.full((2, 6), np.nan))
    with pytest.raises(ValueError, match="4 features"):
        manifold.transform(rows(2, d=4))
    with pytest.raises(ValueError, match="needs the 20 fitted images"):
        manifold.project(rows(3), exclude_self=True)
    with pytest.raises(ValueError, match="with one left out, 1 real images"):
        DataManifold(space=None).fit_transform(rows(1))


def test_neighbours_found_once_serve_every_estimator_and_smaller_k():
    rng = np.random.default_rng(0)
    real, x = rng.normal(size=(50, 6)), rng.normal(size=(9, 6))
    manifold = DataManifold(None, estimator="hull", k=20, m=3).fit(real)
    index = manifold.project(x).index
    for estimator, k in (
        ("nearest", 1),
        ("nearest", 7),
        ("hull", 5),
        ("tangent", 9),
        ("hull", 20),
    ):
        fresh = DataManifold(None, estimator=estimator, k=k, m=3).fit(real).project(x)
        again = manifold.set_params(estimator=estimator, k=k).project(x, index=index)
        assert (again.index == fresh.index).all()
        np.testing.assert_allclose(again.artifact, fresh.artifact, atol=1e-6)


def test_an_index_that_does_not_fit_is_refused():
    manifold = DataManifold(None, k=3).fit(np.eye(8))
    with pytest.raises(
        ValueError, match="holds 2 neighbours for 4 images, but 3 for 5"
    ):
        manifold.project(np.eye(8)[:5], index=np.zeros((4, 2), int))


def test_a_whole_number_of_numpy_is_a_number_of_neighbours():
    real, x = rows(30), rows(4, seed=1)
    one = DataManifold(None, estimator="hull", k=np.int64(5)).fit(real).transform(x)
    other = DataManifold(None, estimator="hull", k=5).fit(real).transform(x)
    np.testing.assert_array_equal(one, other)


def test_leaving_out_holds_for_neighbours_found_before():
    real = rows(40)
    manifold = DataManifold(None, k=4).fit(real)
    index = manifold.project(real, index=None).index  # each image is its own first
    wide = DataManifold(None, k=9).fit(real).project(real).index
    expected = manifold.project(real, exclude_self=True)
    found = manifold.project(real, exclude_self=True, index=wide)
    np.testing.assert_array_equal(found.index, expected.index)
    assert (found.distance > 0).all()
    with pytest.raises(
        ValueError, match="holds 4 neighbours .* besides the image itse"
    ):
        manifold.project(real, exclude_self=True, index=index)


def test_the_tangent_estimate_against_principal_components_of_scikit_learn():
    x, neighbors = rows(5, d=8), rows(35, d=8, seed=3).reshape(5, 7, 8)
    found = tangent_projection(x, neighbors, 3)
    left = tangent_residuals(x, neighbors)
    for i in range(5):
        pca = PCA(3).fit(neighbors[i])
        expected = pca.inverse_transform(pca.transform(x[i : i + 1]))[0]
        np.testing.assert_allclose(found[i], expected, atol=1e-4)
        distance = np.linalg.norm(x[i] - expected)
        np.testing.assert_allclose(left[i, 3], distance, rtol=1e-4)
    assert (np.diff(left, axis=1) <= 0).all()


def test_all_directions_of_the_tangent_estimate_are_the_hull():
    x, neighbors = rows(5, d=8), rows(20, d=8, seed=3).reshape(5, 4, 8)
    hull = affine_projection(x, neighbors, ridge=1e-9)
    np.testing.assert_allclose(tangent_projection(x, neighbors, 3), hull, atol=1e-3)


def test_directions_are_chosen_on_real_images_alone():
    """On a plane bent into a third direction the knee is at two or three."""
    rng = np.random.default_rng(0)
    flat = rng.uniform(-1, 1, (2000, 2))
    bent = np.column_stack([flat, 0.2 * (flat**2).sum(1)])
    noise = 1e-3 * rng.normal(size=(2000, 20))
    real = np.concatenate([bent, np.zeros((2000, 17))], axis=1) + noise
    manifold = DataManifold(None, estimator="tangent", k=15).fit(real)
    assert manifold.m_ in (2, 3)
    assert DataManifold(None, estimator="tangent", k=15, m=7).fit(real).m_ == 7
    assert knee(np.array([9.0, 3.0, 2.9, 2.8])) == 1


def test_the_tangent_estimate_needs_its_directions():
    real = rows(50)
    manifold = DataManifold(None).fit(real).set_params(estimator="tangent")
    with pytest.raises(ValueError, match="m was not chosen.*fit it again, or give m"):
        manifold.project(real[:2])
    assert np.isfinite(manifold.set_params(m=2).project(real[:2]).artifact).all()


def test_parts_give_what_the_whole_gives():
    real, x = rows(60), rows(11, seed=1)
    manifold = DataManifold(None, estimator="hull", k=5).fit(real)
    whole = manifold.project(x)
    parts = list(manifold.project_in_parts(x, memory=4 * 4 * 6 * 3))
    assert [len(part.index) for part in parts] == [3, 3, 3, 2]
    for name in whole._fields:
        together = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_allclose(together, getattr(whole, name), rtol=1e-6)
    np.testing.assert_array_equal(manifold.transform(x), whole.artifact)


LARGE = """
import resource
import numpy as np
from manifpt_utils.method.manifold import DataManifold
side, n_real, n = 128, 40, {n}
rng = np.random.default_rng(0)
real = rng.integers(0, 256, (n_real, side, side, 3), np.uint8)
images = rng.integers(0, 256, (n, side, side, 3), np.uint8)
manifold = DataManifold("rgb", estimator="hull").fit(real)
manifold.project(images[:1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for part in manifold.project_in_parts(images):
    assert np.isfinite(part.distance).all()
print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""


def test_memory_of_the_hull_does_not_grow_with_the_images():
    """33 neighbours of 200 images of 128 pixels would take 2.6 GB at once."""
    used = subprocess.check_output([sys.executable, "-c", LARGE.format(n=200)])
    assert int(used) < 3 * BYTES
