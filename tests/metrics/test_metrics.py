"""Distances, ratios and agreements against closed forms, oracles and invariances."""

import tracemalloc
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
import scipy.linalg
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from prdc import compute_prdc
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

from manifpt_utils.metrics import (
    balls,
    bounds,
    cluster_artifacts,
    coverage,
    factor_alignment,
    factor_collinearity,
    frechet_distance,
    frechet_distance_gaussian,
    frechet_distance_ratio,
    kernel_distance,
    precision_recall,
    separability,
    wasserstein_distance,
)

numbers = st.floats(-100, 100, allow_subnormal=False)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def rotation(d, seed=9):
    return np.linalg.qr(normal(d, d, seed=seed))[0]


class TestFrechetDistance:
    @settings(deadline=None)
    @given(*[arrays(float, st.integers(2, 20), elements=numbers)] * 2)
    def test_one_dimension_has_a_closed_form(self, x, y):
        sd = x.std(ddof=1), y.std(ddof=1)
        expected = (x.mean() - y.mean()) ** 2 + (sd[0] - sd[1]) ** 2
        got = frechet_distance(x[:, None], y[:, None])
        # The product of two tiny variances loses half of its digits.
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-3)

    def test_agrees_with_the_matrix_square_root(self):
        x, y = normal(60, 8) @ normal(8, 8, seed=5), normal(70, 8, seed=1) + 0.3
        a, b = np.cov(x.T), np.cov(y.T)
        root = scipy.linalg.sqrtm(a @ b).real
        gap = x.mean(axis=0) - y.mean(axis=0)
        expected = gap @ gap + np.trace(a + b - 2 * root)
        assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)

    def test_more_dimensions_than_rows_gives_the_same_distance(self):
        x, y = normal(30, 20), 2 * normal(40, 20, seed=1) + 1
        embed = rotation(50)[:20]
        tall, wide = frechet_distance(x, y), frechet_distance(x @ embed, y @ embed)
        assert wide == pytest.approx(tall, rel=1e-9)

    def test_one_short_and_one_long_set(self):
        x, y = normal(5, 20), normal(400, 20, seed=1)
        moments = [(z.mean(axis=0), np.cov(z.T)) for z in (x, y)]
        expected = frechet_distance_gaussian(*moments[0], *moments[1])
        assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("n", [10, 100])
    def test_invariances(self, n):
        x, y = normal(n, 30), 3 * normal(n + 3, 30, seed=1) + 2
        reference, turn = frechet_distance(x, y), rotation(30)
        assert frechet_distance(y, x) == pytest.approx(reference)
        assert frechet_distance(x @ turn + 5, y @ turn + 5) == pytest.approx(reference)
        assert frechet_distance(7 * x, 7 * y) == pytest.approx(49 * reference)
        assert frechet_distance(x[::-1], y) == pytest.approx(reference)

    @pytest.mark.parametrize("n", [10, 100])
    def test_equal_sets_have_no_distance_and_a_shift_its_square(self, n):
        x = normal(n, 30)
        assert frechet_distance(x, x) == pytest.approx(0, abs=1e-6)
        assert frechet_distance(x, x + 2) == pytest.approx(4 * 30, rel=1e-7)

    def test_a_large_offset_in_single_precision_does_no_harm(self):
        x = (normal(300, 20) + 100).astype("f4")
        y = (2 * normal(300, 20, seed=1) + 100).astype("f4")
        shifted = frechet_distance(x.astype(float) - 100, y.astype(float) - 100)
        assert frechet_distance(x, y) == pytest.approx(shifted, rel=1e-9)

    @pytest.mark.parametrize("d", [2, 9])
    def test_constant_sets_are_apart_by_their_gap(self, d):
        x, y = np.ones((5, d)), np.full((6, d), 3.0)
        assert frechet_distance(x, y) == pytest.approx(4 * d)

    def test_rank_deficient_covariance(self):
        plane = normal(2, 12, seed=3)
        x, y = normal(50, 2) @ plane, 2 * normal(50, 2, seed=1) @ plane
        turn = scipy.linalg.orth(plane.T)
        expected = frechet_distance(x @ turn, y @ turn)
        assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-6)

    def test_bias_is_the_known_one(self):
        n, d = 500, 16
        values = [
            frechet_distance(normal(n, d, seed=i), normal(n, d, seed=100 + i))
            for i in range(20)
        ]
        expected = d * (d + 1) / (2 * n) + 2 * d / n
        assert np.mean(values) == pytest.approx(expected, rel=0.1)

    def test_gaussians_with_common_axes(self):
        a, b = np.array([1.0, 4.0, 0.0]), np.array([9.0, 4.0, 1.0])
        got = frechet_distance_gaussian([0, 0, 0], np.diag(a), [1, 0, 2], np.diag(b))
        assert got == pytest.approx(5 + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum())

    @pytest.mark.parametrize(
        ("x", "y", "message"),
        [
            (np.ones(5), np.ones((5, 1)), r"must be \(n, d\).*\(5,\)"),
            (np.ones((1, 3)), np.ones((5, 3)), "1 rows; at least 2"),
            (np.ones((5, 3)), np.ones((5, 4)), "dimensions differ: 3 and 4"),
            ([[1.0], [np.nan]], np.ones((5, 1)), "first set.*first is row 1"),
            (np.ones((5, 1)), [[np.inf], [1.0]], "second set.*first is row 0"),
        ],
    )
    def test_bad_input(self, x, y, message):
        for distance in (frechet_distance, precision_recall, kernel_distance):
            with pytest.raises(ValueError, match=message):
                distance(x, y)

    def test_moments_that_do_not_fit(self):
        with pytest.raises(ValueError, match=r"\(2,\), \(3, 3\)"):
            frechet_distance_gaussian([0, 0], np.eye(3), [0, 0], np.eye(2))


class TestFrechetDistanceRatio:
    @pytest.mark.parametrize("d", [4, 15, 60])
    def test_agrees_with_single_distances(self, d):
        classes = [normal(20, d, seed=i) + i for i in range(3)]
        result = frechet_distance_ratio(
            np.concatenate(classes), np.repeat(list("abc"), 20), n_permutations=0
        )
        pairs = [frechet_distance(x, y) for x, y in combinations(classes, 2)]
        assert result.inter == pytest.approx(np.mean(pairs), rel=1e-7)
        assert result.ratio == result.inter / result.intra
        assert np.isnan(result.null_mean)

    def test_intra_is_the_distance_of_disjoint_halves(self):
        # Two points, twice each: a half holds both, or one of them twice.
        x = np.array([[0.0], [0.0], [2.0], [2.0], [50.0], [50.0], [50.0], [50.0]])
        labels = np.repeat(["a", "b"], 4)
        values = {
            round(frechet_distance_ratio(x, labels, seed=s, n_permutations=0).intra, 6)
            for s in range(20)
        }
        assert values == {0.0, 2.0}

    def test_inner_products_give_what_features_give(self, monkeypatch):
        x, labels = normal(60, 40) + 100, np.repeat(list("abc"), 20)
        kept = frechet_distance_ratio(x, labels)
        monkeypatch.setattr(separability, "GRAM_BYTES", 0)
        assert frechet_distance_ratio(x, labels) == pytest.approx(kept, rel=1e-9)

    def test_indistinguishable_classes_give_one_half(self):
        x, labels = normal(2000, 30), np.repeat(np.arange(5), 400)
        result = frechet_distance_ratio(x, labels, n_permutations=10)
        assert result.ratio == pytest.approx(0.5, abs=0.05)
        assert result.null_mean == pytest.approx(0.5, abs=0.05)

    def test_separate_classes_rise_above_the_null(self):
        labels = np.repeat(np.arange(4), 100)
        x = normal(400, 6) + 3 * normal(4, 6, seed=1)[labels]
        result = frechet_distance_ratio(x, labels)
        assert result.ratio > 20 * result.null_mean
        assert result.null_mean == pytest.approx(0.5, abs=0.1)
        shuffled = frechet_distance_ratio(
            x, np.random.default_rng(0).permutation(labels)
        )
        assert abs(shuffled.ratio - shuffled.null_mean) < 5 * shuffled.null_sd

    def test_grows_with_n_for_one_geometry(self):
        labels = np.repeat([0, 1], 2000)
        x = normal(4000, 8) + labels[:, None]
        few, many = (
            frechet_distance_ratio(x, labels, n_per_class=n, n_permutations=0)
            for n in (50, 2000)
        )
        assert many.ratio > 5 * few.ratio
        assert (few.n, many.n) == (50, 2000)

    def test_classes_are_cut_to_equal_size(self):
        x, labels = normal(50, 3), np.repeat(["a", "b", "c"], [10, 15, 25])
        assert frechet_distance_ratio(x, labels).n == 10

    def test_names_and_order_of_labels_do_not_matter(self):
        x, labels = normal(60, 3), np.repeat([0, 1, 2], 20)
        named = np.array(["dcgan", "glow", "real"])[labels]
        assert frechet_distance_ratio(x, labels) == frechet_distance_ratio(x, named)

    def test_principal_components_bring_spaces_to_one_dimension(self):
        labels = np.repeat([0, 1], 100)
        signal = normal(200, 3) + 4 * labels[:, None]
        padded = np.hstack([signal, np.zeros((200, 40))]) @ rotation(43)
        small = frechet_distance_ratio(signal, labels)
        large = frechet_distance_ratio(padded, labels, n_components=3)
        assert large.d == 3
        assert large == pytest.approx(small, rel=1e-6)

    def test_constant_classes(self):
        x, labels = np.repeat([[0.0, 0.0], [1.0, 1.0]], 8, axis=0), np.repeat([0, 1], 8)
        assert frechet_distance_ratio(x, labels, n_permutations=0).ratio == np.inf
        assert np.isnan(frechet_distance_ratio(0 * x, labels, n_permutations=0).ratio)

    @pytest.mark.parametrize(
        ("labels", "options", "message"),
        [
            (np.zeros(12), {}, "at least two classes"),
            (np.zeros(11), {}, "12 features need as many labels"),
            (np.repeat(["a", "b"], [9, 3]), {}, "at least 4.*'b'"),
            (np.repeat(["a", "b"], 6), {"n_per_class": 7}, "'a' has 6.*n_per_class=7"),
            (np.repeat(["a", "b"], 6), {"n_components": 4}, r"1\.\.3.*got 4"),
        ],
    )
    def test_bad_input(self, labels, options, message):
        with pytest.raises(ValueError, match=message):
            frechet_distance_ratio(normal(12, 3), labels, **options)


class TestClusterArtifacts:
    def test_finds_groups_whatever_the_scale_of_the_features(self):
        labels = np.repeat(np.arange(3), 30)
        x = np.hstack([normal(90, 6), 8 * normal(3, 30, seed=1)[labels]])
        x[:, :6] *= 1e4
        found = cluster_artifacts(x, n_clusters=3)
        assert adjusted_mutual_info_score(labels, found) == pytest.approx(1)

    def test_repeats_with_its_seed_and_takes_a_constant_column(self):
        x = np.hstack([normal(40, 4), np.ones((40, 1))])
        first, second = (cluster_artifacts(x, n_clusters=4, seed=3) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert set(first) == {0, 1, 2, 3}

    @pytest.mark.parametrize("n_clusters", [1, 11])
    def test_impossible_number_of_clusters(self, n_clusters):
        with pytest.raises(ValueError, match=rf"2\.\.10.*got {n_clusters}"):
            cluster_artifacts(normal(10, 3), n_clusters=n_clusters)


def table(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=[f"model{i}" for i in range(n)])


class TestFactorAlignment:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10**6), st.sampled_from(["arithmetic", "max"]))
    def test_agrees_with_scikit_learn_on_the_images(self, seed, average):
        rng = np.random.default_rng(seed)
        factors = table(up=list("xyxzz"), loss=list("aabbb"))
        models = rng.choice(factors.index, 80)
        models[:5] = factors.index
        clusters = rng.integers(0, 6, 80)
        got = factor_alignment(
            clusters, models, factors, n_permutations=3, average=average
        )
        for name in factors:
            values = factors.loc[models, name].to_numpy(str)
            for column, kind in (("nmi", "arithmetic"), ("nmi_max", "max")):
                expected = normalized_mutual_info_score(
                    values, clusters, average_method=kind
                )
                assert got.loc[name, column] == pytest.approx(expected)
            expected = adjusted_mutual_info_score(
                values, clusters, average_method=average
            )
            assert got.loc[name, "ami"] == pytest.approx(expected)

    def test_exact_null_is_the_one_of_all_permutations_of_the_models(self):
        factors = table(up=list("xxyyz"))
        models = np.repeat(factors.index, 12)
        clusters = np.random.default_rng(0).integers(0, 3, 60)
        clusters[:24] = 0
        got = factor_alignment(clusters, models, factors).loc["up"]
        null = [
            normalized_mutual_info_score(np.repeat(values, 12), clusters)
            for values in permutations(factors.up)
        ]
        assert got.exact and got.n_assignments == 30
        assert got.null_mean == pytest.approx(np.mean(null))
        assert got.null_sd == pytest.approx(np.std(null))
        assert got.p_value == pytest.approx(np.mean(np.array(null) >= got.nmi - 1e-12))

    def test_clusters_that_are_the_models_prove_nothing(self):
        factors = table(up=list("xxyyzz"), loss=list("abcdef"), skip=list("nnnnnr"))
        models = np.repeat(factors.index, 20)
        got = factor_alignment(np.repeat(np.arange(6), 20), models, factors)
        assert (got.nmi > 0.4).all() and (got.p_value == 1).all()
        np.testing.assert_allclose(got.null_sd, 0, atol=1e-12)
        np.testing.assert_allclose(got.nmi, got.nmi_models)
        assert got.nmi.idxmax() == "loss"  # the factor with most values wins

    def test_clusters_that_are_a_factor_are_found(self):
        factors = table(up=list("xxxxyyyy"), loss=list("abababab"))
        models = np.repeat(factors.index, 10)
        got = factor_alignment(np.repeat([0, 1], 40), models, factors)
        assert got.loc["up", ["nmi", "nmi_max", "ami"]].tolist() == pytest.approx(
            [1] * 3
        )
        assert got.p_value["up"] == pytest.approx(2 / 70)
        assert got.p_value["loss"] == 1

    def test_random_clusters_have_no_adjusted_agreement(self):
        factors = table(up=list("xxyyzz"))
        models = np.repeat(factors.index, 300)
        clusters = np.random.default_rng(0).integers(0, 6, 1800)
        got = factor_alignment(clusters, models, factors).loc["up"]
        assert abs(got.ami) < 0.01 and abs(got.ami_null_mean) < 0.01

    def test_sampled_null_comes_near_the_exact_one(self):
        factors = table(up=list("xxxyyyzzz"))
        models = np.repeat(factors.index, 10)
        clusters = np.repeat([0, 0, 1, 1, 1, 2, 2, 2, 2], 10)
        exact = factor_alignment(clusters, models, factors, n_permutations=2000)
        drawn = factor_alignment(clusters, models, factors, n_permutations=800)
        assert exact.exact["up"] and exact.n_assignments["up"] == 1680
        assert not drawn.exact["up"] and drawn.n_assignments["up"] == 800
        assert drawn.null_mean["up"] == pytest.approx(exact.null_mean["up"], abs=0.02)
        assert drawn.p_value["up"] == pytest.approx(exact.p_value["up"], abs=0.05)

    def test_order_of_images_and_names_of_clusters_do_not_matter(self):
        factors = table(up=list("xxyyz"), loss=list("ababa"))
        rng = np.random.default_rng(0)
        models, clusters = np.repeat(factors.index, 10), rng.integers(0, 3, 50)
        order = rng.permutation(50)
        first = factor_alignment(clusters, models, factors)
        second = factor_alignment(7 - clusters[order], models[order], factors[::-1])
        pd.testing.assert_frame_equal(first, second)

    def test_a_constant_factor_explains_nothing(self):
        factors = table(up=list("xxx"))
        models = np.repeat(factors.index, 4)
        got = factor_alignment(np.arange(12) % 3, models, factors).loc["up"]
        assert (got.n_values, got.nmi, got.ami, got.p_value) == (1, 0, 0, 1)

    def test_average_chooses_the_normalisation_of_the_null(self):
        factors = table(up=list("xxyyz"))
        models = np.repeat(factors.index, 6)
        clusters = np.arange(30) // 5
        arithmetic, largest = (
            factor_alignment(clusters, models, factors, average=average).loc["up"]
            for average in ("arithmetic", "max")
        )
        ratio = arithmetic.nmi_max / arithmetic.nmi
        assert largest.null_mean == pytest.approx(ratio * arithmetic.null_mean)
        assert largest.p_value == arithmetic.p_value

    def test_bad_input(self):
        factors = table(up=list("xxy"))
        models = np.repeat(factors.index, 4)
        clusters = np.arange(12) % 2
        with pytest.raises(ValueError, match="no factors for real"):
            factor_alignment(clusters, np.append(models[1:], "real"), factors)
        with pytest.raises(ValueError, match=r"\(11,\) and \(12,\)"):
            factor_alignment(clusters[1:], models, factors)
        with pytest.raises(ValueError, match="'up' has no value for model2"):
            factor_alignment(clusters, models, table(up=["x", "x", None]))
        with pytest.raises(ValueError, match="several rows for 'model0'"):
            factor_alignment(clusters, models, pd.concat([factors, factors[:1]]))
        with pytest.raises(ValueError, match="got 'min'"):
            factor_alignment(clusters, models, factors, average="min")


class TestFactorCollinearity:
    def test_same_partition_one_and_independent_partition_zero(self):
        got = factor_collinearity(table(a=list("xxyy"), b=list("nnmm"), c=list("pqpq")))
        expected = [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
        np.testing.assert_allclose(got, expected, atol=1e-12)
        assert got.index.tolist() == got.columns.tolist() == ["a", "b", "c"]

    def test_largest_entropy_lowers_the_value(self):
        factors = table(a=list("xxyy"), b=list("pqrs"))
        assert factor_collinearity(factors).loc["a", "b"] == pytest.approx(2 / 3)
        largest = factor_collinearity(factors, average="max")
        assert largest.loc["a", "b"] == pytest.approx(1 / 2)


def brute_force(real, fake, k):
    """Precision, recall, density, coverage by their definitions, in float64."""
    real_radii, fake_radii = (np.sort(cdist(z, z))[:, k] for z in (real, fake))
    gaps = cdist(real, fake)
    inside = gaps < real_radii[:, None]
    recalled = (gaps < fake_radii).any(axis=1)
    precise, covered = inside.any(axis=0), inside.any(axis=1)
    return precise.mean(), recalled.mean(), inside.sum() / k / len(fake), covered.mean()


def lattice(n, d, seed=0):
    """Points with many copies and many equal distances."""
    return np.random.default_rng(seed).integers(0, 3, (n, d)).astype(float)


def near_surface(real, k, gap):
    """A point for every ball: nearly on its surface, inside and outside in turns."""
    radii = np.sort(cdist(real, real))[:, k]
    aside = normal(*real.shape, seed=7)
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    sides = np.where(np.arange(len(real)) % 2, 1 + gap, 1 - gap)
    return real + (radii * sides)[:, None] * aside


PAIRS = {
    "wide": lambda: (normal(70, 9), 0.8 * normal(50, 9, seed=1) + 0.3),
    "many dimensions": lambda: (normal(40, 700), normal(60, 700, seed=1)),
    "lattice": lambda: (lattice(90, 4), lattice(80, 4, seed=1)),
    "offset": lambda: (1e8 + normal(60, 5), 1e8 + normal(50, 5, seed=1)),
    "tiny": lambda: (1e-25 * normal(60, 5), 1e-25 * normal(50, 5, seed=1)),
    "surfaces": lambda: (normal(60, 8), near_surface(normal(60, 8), 3, 1e-7)),
    "near copies": lambda: (
        np.repeat(normal(20, 30), 4, axis=0) + 1e-7 * normal(80, 30, seed=1),
        np.repeat(normal(20, 30), 3, axis=0) + 1e-7 * normal(60, 30, seed=2),
    ),
    "outlier": lambda: (np.vstack([normal(50, 4), [[1e7] * 4]]), normal(60, 4, seed=1)),
    "fewest points": lambda: (normal(4, 3), normal(4, 3, seed=1)),
}
TYPES = [torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize("name", PAIRS)
class TestDecisions:
    """Whatever the numbers of the rough copies, decisions are those of doubles."""

    @pytest.mark.parametrize("dtype", TYPES)
    def test_bounds_enclose_the_distances(self, name, dtype):
        x, y = PAIRS[name]()
        expected = cdist(x, y, "sqeuclidean")
        every = np.arange(expected.size)

        def look(block):
            assert block.lower.shape == expected.shape
            lower, upper = block.between(every)
            exact = expected.ravel()
            assert (lower <= exact).all() and (exact <= upper).all()
            np.testing.assert_allclose(block.exact(every), exact, rtol=1e-12)
            for limit in np.quantile(exact, [0, 0.1, 0.5, 1]) * (1 + 1e-12):
                assert block.near(np.array([[limit]]))[expected < limit].all()

        bounds.over_blocks(look, *bounds.points(x, y, dtype=dtype))

    @pytest.mark.parametrize("dtype", TYPES)
    @pytest.mark.parametrize("share", [0, 1])
    def test_sets_agree_with_the_definition(self, name, dtype, share, monkeypatch):
        monkeypatch.setattr(bounds, "fastest_type", lambda: dtype)
        monkeypatch.setattr(bounds, "BLOCK", 16)
        monkeypatch.setattr(balls, "OPEN", share)  # 0: all by sharper bounds
        real, fake = PAIRS[name]()
        expected = brute_force(real, fake, 3)
        assert precision_recall(real, fake, k=3) == pytest.approx(expected, abs=1e-12)
        radii = np.sort(cdist(real, real, "sqeuclidean"))[:, 3]
        np.testing.assert_allclose(balls.squared_radii(real, 3), radii, rtol=1e-12)


class TestPrecisionRecall:
    @pytest.mark.parametrize(("n", "m", "d", "k"), [(60, 80, 2, 5), (1200, 1100, 3, 3)])
    def test_agrees_with_prdc_and_with_the_definition(self, n, m, d, k, capsys):
        real, fake = normal(n, d) + 10, 0.8 * normal(m, d, seed=1) + 10.5
        got = precision_recall(real, fake, k=k)
        assert got == pytest.approx(brute_force(real, fake, k), abs=1e-12)
        assert got._asdict() == pytest.approx(compute_prdc(real, fake, k), abs=1e-6)

    def test_tight_groups_far_apart_keep_their_neighbours(self):
        place = 1e3 * normal(4, 3, seed=2)
        real = place[np.arange(200) % 4] + 1e-2 * normal(200, 3)
        fake = place[np.arange(160) % 4] + 2e-2 * normal(160, 3, seed=1)
        expected = brute_force(real, fake, 3)
        assert 0.2 < expected[0] < 0.8
        assert precision_recall(real, fake, k=3) == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("spread", [1, 1e-2, 1e-5])
    def test_single_precision_decides_nothing_that_it_cannot(self, spread):
        # A set of fakes that collapses leaves all of its own distances open.
        real = normal(400, 300).astype(np.float32)
        fake = real[0] + np.float32(spread) * normal(300, 300, seed=1).astype("f4")
        got = precision_recall(real, fake, k=5)
        doubles = real.astype(float), fake.astype(float)
        assert got == pytest.approx(brute_force(*doubles, 5), abs=1e-12)
        assert got == precision_recall(*doubles, k=5)

    def test_one_point_far_away_changes_no_other_decision(self):
        real, fake = normal(300, 20), normal(250, 20, seed=1)
        real[7] = 1e7
        expected = brute_force(real, fake, 4)
        assert precision_recall(real, fake, k=4) == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("unit", [1e-25, 1e25])
    def test_units_do_not_matter(self, unit):
        real, fake = normal(200, 5), normal(150, 5, seed=1)
        scaled = precision_recall(unit * real, unit * fake, k=3)
        assert scaled == precision_recall(real, fake, k=3)

    def test_matrices_of_all_distances_are_never_held(self):
        real, fake = (normal(3000, 64, seed=s).astype(np.float32) for s in (0, 1))
        tracemalloc.start()
        precision_recall(real, fake)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 3000 * 3000 * 4 / 2  # bytes: half of one matrix

    @pytest.mark.parametrize("n_fake", [4, 5, 9])
    def test_radii_of_copies_among_other_points_vanish(self, n_fake):
        # Rounding of matrix products depends on their shape, exact radii do not.
        copies = np.repeat(100 * normal(30, 300), 4, axis=0)
        got = precision_recall(copies, copies[:n_fake], k=3)
        assert got.precision == got.density == got.coverage == 0

    def test_a_set_against_itself(self):
        x = normal(200, 6)
        assert precision_recall(x, x, k=4) == (1, 1, 1, 1)

    def test_sets_far_apart(self):
        assert precision_recall(normal(50, 4), normal(40, 4) + 50) == (0, 0, 0, 0)

    def test_collapse_lowers_recall_not_precision_and_exchange_swaps_them(self):
        real, fake = normal(300, 3), 0.2 * normal(300, 3, seed=1)
        got, swapped = precision_recall(real, fake), precision_recall(fake, real)
        assert got.precision > 0.95 and got.recall < 0.3
        assert (swapped.precision, swapped.recall) == (got.recall, got.precision)

    def test_copies_of_one_point_hold_nothing(self):
        x = np.full((20, 3), 7.3)
        assert precision_recall(x, x, k=3) == (0, 0, 0, 0)

    @pytest.mark.parametrize("k", [0, 10])
    def test_impossible_neighbour(self, k):
        with pytest.raises(ValueError, match=rf"1\.\.9.*got {k}"):
            precision_recall(normal(10, 2), normal(30, 2), k=k)


def slow_mmd(x, y):
    def kernel(a, b):
        return (a @ b / len(a) + 1) ** 3

    within = [np.mean([kernel(a, b) for a, b in permutations(z, 2)]) for z in (x, y)]
    return sum(within) - 2 * np.mean([[kernel(a, b) for a in x] for b in y])


class TestKernelDistance:
    def test_agrees_with_the_double_sum(self):
        x, y = normal(12, 3), normal(9, 3, seed=1) + 0.5
        got = kernel_distance(x, y, n_permutations=0)
        assert got.value == pytest.approx(slow_mmd(x, y))
        assert np.isnan(got.p_value)

    def test_more_rows_than_a_block(self, monkeypatch):
        x, y = normal(30, 3), normal(25, 3, seed=1)
        whole = kernel_distance(x, y)
        monkeypatch.setattr(coverage, "BLOCK", 8)
        assert kernel_distance(x, y) == pytest.approx(whole)

    def test_is_unbiased(self):
        results = [
            kernel_distance(normal(40, 4, seed=i), normal(40, 4, seed=500 + i))
            for i in range(60)
        ]
        values = np.array([r.value for r in results])
        assert abs(values.mean()) < 4 * values.std() / np.sqrt(60)
        assert np.mean([r.p_value < 0.2 for r in results]) < 0.45

    def test_finds_a_difference(self):
        got = kernel_distance(normal(100, 4), normal(80, 4, seed=1) + 1)
        assert got.value > got.null_mean + 5 * got.null_sd
        assert got.p_value == pytest.approx(1 / 201)


class TestWassersteinDistance:
    @settings(deadline=None)
    @given(arrays(float, (2, 12), elements=numbers))
    def test_one_dimension(self, z):
        expected = scipy.stats.wasserstein_distance(*z)
        got = wasserstein_distance(z[0][:, None], z[1][:, None])
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-6)

    def test_zero_for_equal_sets_and_the_shift_for_shifted_ones(self):
        x = normal(60, 5)
        assert wasserstein_distance(x, x[::-1]) == 0
        assert wasserstein_distance(x, x + 3) == pytest.approx(3 * np.sqrt(5))

    def test_sizes_must_agree(self):
        with pytest.raises(ValueError, match="3 rows and y 4"):
            wasserstein_distance(normal(3, 2), normal(4, 2))


def test_no_p_value_is_below_what_all_divisions_allow():
    # Two and two points have three divisions, so one of them is at least a third.
    for seed in range(20):
        x, y = np.random.default_rng(seed).normal(size=(2, 2, 3))
        assert kernel_distance(x, y, n_permutations=300, seed=seed).p_value > 0.25


def test_the_frechet_distance_is_biased_as_it_says():
    d, n = 5, 200
    draws = np.random.default_rng(0).normal(size=(60, 2, n, d))
    mean = np.mean([frechet_distance(x, y) for x, y in draws])
    assert mean == pytest.approx(d * (d + 5) / (2 * n), rel=0.1)
