"""Certified search: equal to the slowest comparison, to the last index."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifpt_utils.method import manifold as module
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.search import (
    CertifiedSearch,
    Rows,
    nearest_by_torch,
)


def normal(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def curved(n, d, seed=0):
    """Points near a curved surface of three dimensions, as views of a photograph."""
    u = np.random.default_rng(seed).random((n, 3)) * 2
    waves = normal(3, d, seed=99) * 2
    return np.sin(u @ waves).astype(np.float32)


def slow(queries, keys, k):
    """One query at a time, every key, in double precision, by its definition."""
    index = np.empty((len(queries), k), np.int64)
    for i, query in enumerate(queries.astype(np.float64)):
        apart = query - keys.astype(np.float64)
        squares = np.einsum("ij,ij->i", apart, apart)
        index[i] = np.argsort(np.sqrt(squares), kind="stable")[:k]
    return index


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 150),
    d=st.integers(1, 40),
    k=st.integers(1, 5),
    n_directions=st.integers(1, 50),
    n_candidates=st.integers(1, 64),
    kind=st.sampled_from(["normal", "curved", "levels", "far"]),
)
@settings(max_examples=150, deadline=None)
def test_any_points_have_the_neighbours_of_the_slow_comparison(
    seed, n, d, k, n_directions, n_candidates, kind
):
    """Few grey levels make ties and copies; far from the origin, rounding is large."""
    make = curved if kind == "curved" else normal
    keys, queries = make(n, d, seed=seed), make(9, d, seed=seed + 1)
    if kind == "levels":
        keys, queries = np.rint(keys), np.rint(queries)
    if kind == "far":
        keys, queries = keys + 1000, queries + 1000
    queries[:2] = keys[np.array([0, -1])]  # at a distance of exactly zero
    options = {"n_directions": n_directions, "n_candidates": n_candidates}
    k = min(k, n)
    found = CertifiedSearch(keys, **options).query(queries, k)
    np.testing.assert_array_equal(found.index, slow(queries, keys, k))


def test_copies_are_told_by_their_first_row():
    keys = np.repeat(curved(5, 30), 40, axis=0)
    found = CertifiedSearch(keys, n_candidates=8).query(keys[::40] + np.float32(0.01))
    np.testing.assert_array_equal(found.index[:, 0], [0, 40, 80, 120, 160])
    assert not found.certified.any()


def test_equal_rows_give_the_first_ones():
    keys = np.ones((100, 6), np.float32)
    found = CertifiedSearch(keys).query(normal(3, 6), 4)
    np.testing.assert_array_equal(found.index, np.tile(np.arange(4), (3, 1)))
    zero = CertifiedSearch(0 * keys).query(0 * keys[:2])
    assert not zero.distance.any() and not zero.index.any()


def test_a_fitted_row_is_at_a_distance_of_exactly_zero():
    keys = curved(500, 200)
    found = CertifiedSearch(keys, n_directions=20).query(keys[100:110])
    np.testing.assert_array_equal(found.index[:, 0], np.arange(100, 110))
    assert not found.distance.any() and found.certified.all()


def test_a_surface_is_certified_and_noise_of_all_dimensions_is_not():
    keys, near = curved(2_000, 300), curved(50, 300, seed=1)
    search = CertifiedSearch(keys, n_directions=40)
    away = near + np.float32(0.3) * normal(50, 300, seed=2)
    for queries, share in ((near, 0.9), (away, 0.5)):
        found = search.query(queries, 1)
        assert found.certified.mean() >= share
        np.testing.assert_array_equal(found.index, slow(queries, keys, 1))
    noise = CertifiedSearch(normal(2_000, 300), n_directions=40)
    queries = normal(50, 300, seed=3)
    found = noise.query(queries)
    assert not found.certified.any()
    np.testing.assert_array_equal(found.index, slow(queries, noise.keys, 1))


def test_bounds_are_below_all_distances():
    """A bound that was too high would drop the right answer from the candidates."""
    seen = []

    class Watched(CertifiedSearch):
        def _refined(self, x, index, bounds, k):
            rows, columns = np.indices(index.shape).reshape(2, -1)
            true = self._distances(x, rows, index[rows, columns])
            seen.append((bounds.ravel(), true))
            return super()._refined(x, index, bounds, k)

    keys = curved(400, 2_000) + np.float32(3)
    Watched(keys, n_directions=30).query(curved(30, 2_000, seed=1) + np.float32(3), 2)
    for bounds, true in seen:
        assert (bounds <= true).all()


def test_more_directions_than_dimensions_are_not_needed():
    keys, queries = normal(80, 4), normal(10, 4, seed=1)
    search = CertifiedSearch(keys, n_directions=100)
    assert search.directions.shape == (4, 4)
    found = search.query(queries)
    np.testing.assert_array_equal(found.index, slow(queries, keys, 1))
    assert found.certified.all()


def test_one_row_is_nearest_to_everything():
    found = CertifiedSearch(normal(1, 5)).query(normal(7, 5, seed=1))
    assert not found.index.any() and found.certified.all()


def test_too_many_neighbours_are_refused():
    with pytest.raises(ValueError, match="k must be from 1 to 3, the number of rows"):
        CertifiedSearch(normal(3, 5)).query(normal(1, 5), 4)


def test_products_of_torch_find_what_the_slow_comparison_finds():
    keys, queries = normal(700, 1_500), normal(30, 1_500, seed=1)
    squares, index = nearest_by_torch(queries, keys, 10)
    np.testing.assert_array_equal(index, slow(queries, keys, 10))
    expected = ((queries[:, None] - keys[index]) ** 2).sum(axis=2)
    np.testing.assert_allclose(squares, expected, rtol=1e-4)


def test_torch_in_place_of_faiss_gives_the_same_answer():
    """The path of a GPU, on a CPU."""
    keys, queries = curved(900, 200), curved(40, 200, seed=1)
    search = CertifiedSearch(keys, n_directions=30)
    by_faiss = search.query(queries, 3)
    search.device = "cpu:0"
    by_torch = search.query(queries, 3)
    for one, other in zip(by_faiss, by_torch, strict=True):
        np.testing.assert_array_equal(one, other)


def test_rows_that_are_computed_when_asked_for_change_nothing():
    keys, queries = curved(300, 50), curved(20, 50, seed=1)
    lazy = Rows(keys, lambda x: x)
    for k in (1, 4):
        kept = CertifiedSearch(keys).query(queries, k)
        made = CertifiedSearch(lazy).query(queries, k)
        np.testing.assert_array_equal(kept.index, made.index)
    pairs = np.array([[0, 1], [2, 0]])
    np.testing.assert_array_equal(lazy[pairs], keys[pairs])


def images(n, seed=0, size=8):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), np.uint8)


@pytest.mark.parametrize("estimator", ["nearest", "hull", "tangent"])
@pytest.mark.parametrize(
    "options", [{}, {"metric": "cosine"}, {"search_space": "freq"}]
)
def test_a_manifold_projects_as_before(estimator, options):
    real, generated = images(120), images(20, seed=1)
    found = [
        DataManifold("rgb", estimator=estimator, search=search, **options)
        .fit(real)
        .project(generated)
        for search in ("brute", "certified")
    ]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_leaving_one_out_is_as_before():
    real = images(100)
    real[50] = real[3]
    one, other = (
        DataManifold("rgb", search=search).fit_transform(real)
        for search in ("brute", "certified")
    )
    np.testing.assert_array_equal(one, other)
    assert not one[50].any()


@pytest.mark.parametrize("space", ["rgb", "frequency"])
@pytest.mark.parametrize("estimator", ["nearest", "hull", "tangent"])
@pytest.mark.parametrize("search", ["auto", "brute"])
def test_features_that_are_not_kept_change_nothing(
    monkeypatch, space, estimator, search
):
    real, generated = images(90), images(10, seed=1)
    kept = DataManifold(space, estimator=estimator).fit(real).project(generated)
    monkeypatch.setattr(module, "LARGE", 1000)
    manifold = DataManifold(space, estimator=estimator, search=search).fit(real)
    assert isinstance(manifold.features_, Rows) and isinstance(manifold.keys_, Rows)
    np.testing.assert_array_equal(manifold.project(generated).index, kept.index)
    np.testing.assert_allclose(
        manifold.transform(generated), kept.artifact, rtol=1e-4, atol=1e-4
    )


def test_the_share_certified_is_told():
    real, generated = images(100), images(10, seed=1)
    manifold = DataManifold("rgb", search="certified").fit(real)
    manifold.project(generated)
    assert 0 <= manifold.certified_share_ <= 1
    brute = DataManifold("rgb").fit(real)
    brute.project(generated)
    assert np.isnan(brute.certified_share_)


def test_large_work_is_certified_by_itself(monkeypatch):
    monkeypatch.setattr(module, "PAYS", 1000)
    manifold = DataManifold("rgb").fit(images(30))
    manifold.project(images(5, seed=1))
    assert manifold.certified_share_ == 1


def test_an_unknown_search_is_refused():
    with pytest.raises(ValueError, match="unknown search 'exact'; known: auto, brute"):
        DataManifold(search="exact").fit(images(5))
    with pytest.raises(ValueError, match="device 'gpu' cannot be used here"):
        DataManifold(device="gpu").fit(images(5))
