"""The fingerprint: eqs. 3-8 of the paper, its relation to precision, and its file."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import save_file

from manifpt_utils.method.fingerprint import Fingerprint
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.metrics import precision_recall

artifact_sets = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2),
    elements=st.floats(-9, 9, width=16),
)


def fingerprint(artifacts, **options):
    return Fingerprint(artifacts, model="glow", space="rgb", **options)


def nearest_artifacts(samples, real):
    """Artifacts by the definition, one sample at a time (eqs. 1 and 2)."""
    return np.array([x - real[((real - x) ** 2).sum(1).argmin()] for x in samples])


@settings(deadline=None)
@given(artifact_sets)
def test_size_is_zero_exactly_when_every_artifact_is(artifacts):
    got = fingerprint(artifacts)
    assert (got.size == 0) == (not artifacts.any())


@settings(deadline=None)
@given(artifact_sets)
def test_size_is_the_least_bound_of_the_norms(artifacts):
    got = fingerprint(artifacts)
    norms = np.sqrt((artifacts.astype(float) ** 2).sum(axis=1))
    np.testing.assert_allclose(got.norms, norms)
    assert got.size == pytest.approx(norms.max())
    assert len(got) == len(artifacts)


@settings(deadline=None)
@given(artifact_sets, st.sampled_from([-4.0, 0.5, 2.0]))
def test_size_scales_and_mean_is_linear(artifacts, factor):
    before, after = fingerprint(artifacts), fingerprint(factor * artifacts)
    assert after.size == pytest.approx(abs(factor) * before.size)
    np.testing.assert_allclose(after.mean, factor * before.mean)


def test_samples_on_the_manifold_have_the_trivial_fingerprint():
    real = np.random.default_rng(0).normal(size=(300, 4))
    got = fingerprint(nearest_artifacts(real[:100], real))
    assert got.size == 0
    assert np.unique(got.artifacts, axis=0).tolist() == [[0, 0, 0, 0]]
    # On finite sets too, a copy lies in the ball of its original (eq. 12, forwards).
    assert precision_recall(real, real[:100]).precision == 1


def test_one_sample_off_the_manifold_is_enough():
    real = np.random.default_rng(0).normal(size=(300, 4))
    samples = np.vstack([real[:100], real[:1] + [0, 0, 0, 99]])
    got = fingerprint(nearest_artifacts(samples, real))
    assert got.size > 90
    assert np.count_nonzero(got.norms) == 1
    assert precision_recall(real, samples).precision < 1


def test_full_precision_on_finite_sets_does_not_make_artifacts_vanish():
    # Eq. 12 holds for the true supports; estimated precision is 1 within wide balls.
    real = np.random.default_rng(0).normal(size=(300, 4))
    samples = real[:100] + 0.01
    assert precision_recall(real, samples).precision == 1
    assert fingerprint(nearest_artifacts(samples, real)).size > 0


def test_agrees_with_the_estimated_manifold():
    rng = np.random.default_rng(0)
    real, samples = rng.normal(size=(50, 6)) + 5, rng.normal(size=(20, 6)) + 5
    manifold = DataManifold(space=None).fit(real.astype(np.float32))
    assert fingerprint(manifold.transform(real[:9].astype(np.float32))).size == 0
    got = fingerprint(manifold.transform(samples.astype(np.float32)))
    np.testing.assert_allclose(
        got.artifacts, nearest_artifacts(samples, real), atol=1e-5
    )


def test_images_keep_their_shape():
    images = np.random.default_rng(0).normal(size=(3, 4, 5, 2)).astype(np.float32)
    got = fingerprint(images)
    assert got.artifacts.shape == (3, 40)
    np.testing.assert_array_equal(got.as_images(), images)
    flat = fingerprint(images.reshape(3, -1), image_shape=(4, 5, 2))
    np.testing.assert_array_equal(flat.as_images(), images)


def test_vectors_are_no_images():
    with pytest.raises(ValueError, match="'rgb' are plain vectors"):
        fingerprint(np.ones((2, 3))).as_images()


def test_is_kept_in_a_file(tmp_path):
    written = fingerprint(
        np.random.default_rng(0).normal(size=(5, 2, 2, 3)),
        benchmark="gm-photo/coffee",
        estimator="affine",
    )
    path = tmp_path / "glow.safetensors"
    fingerprint(np.ones((1, 1))).save(path)
    written.save(path)
    got = Fingerprint.load(path)
    np.testing.assert_array_equal(got.artifacts, written.artifacts)
    assert repr(got) == repr(written)
    assert got.image_shape == (2, 2, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["glow.safetensors"]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "glow.safetensors"
    fingerprint(np.ones((2, 2))).save(path)

    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fingerprint(np.zeros((9, 2))).save(path)
    assert len(Fingerprint.load(path)) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["glow.safetensors"]


def test_files_that_are_no_fingerprint(tmp_path):
    path = tmp_path / "glow.safetensors"
    with pytest.raises(FileNotFoundError):
        Fingerprint.load(path)
    fingerprint(np.ones((50, 50))).save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="glow.safetensors is truncated"):
        Fingerprint.load(path)
    save_file({"weight": np.ones(3)}, path)
    with pytest.raises(ValueError, match="is not a fingerprint"):
        Fingerprint.load(path)


@pytest.mark.parametrize(
    ("artifacts", "options", "message"),
    [
        (np.ones(3), {}, r"got \(3,\)"),
        (np.ones((0, 3)), {}, "not empty"),
        ([[1.0], [np.nan]], {}, "1 rows, the first is row 1"),
        (np.ones((2, 5)), {"image_shape": (2, 2, 3)}, r"\(2, 2, 3\) does not fit.* 5"),
    ],
)
def test_bad_artifacts(artifacts, options, message):
    with pytest.raises(ValueError, match=message):
        fingerprint(artifacts, **options)
