"""Laws of samples, and verdicts on statements, against closed forms and tiny cases."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.spatial.distance import cdist

from manifpt_utils.metrics import precision_recall, wasserstein_distance
from manifpt_utils.metrics.propositions import (
    FAILS,
    HOLDS,
    IN_THE_LIMIT,
    ONE_WAY,
    OPEN,
    ball_radii,
    equivalence,
    expected_nearest_distance,
    exponent,
    implication,
    limit,
    nearest_distances,
    together,
    uncovered_on_a_line,
)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def on_circle(n, seed):
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, n)
    return np.column_stack([np.cos(angle), np.sin(angle)])


class TestNearestDistances:
    @pytest.mark.parametrize("d", [1, 3, 40])
    def test_agrees_with_all_distances(self, d):
        x, reference = normal(30, d), normal(50, d, seed=1)
        found = nearest_distances(x, reference)
        assert found == pytest.approx(cdist(x, reference).min(axis=1))

    @pytest.mark.parametrize("kind", [np.float32, np.float64])
    def test_a_point_of_the_reference_has_distance_zero(self, kind):
        x = (normal(40, 300) + 1000).astype(kind)
        assert (nearest_distances(x[::-1], x) == 0).all()

    def test_growing_parts_in_any_order_are_those_of_single_calls(self):
        x, reference = normal(20, 4), normal(90, 4, seed=1)
        sizes = [90, 1, 30, 30]
        found = nearest_distances(x, reference, sizes=sizes)
        single = [nearest_distances(x, reference[:n]) for n in (90, 2, 30, 30)]
        assert found[[0, 2, 3]] == pytest.approx(np.array(single)[[0, 2, 3]])
        first = np.linalg.norm(x - reference[0], axis=1)
        assert found[1] == pytest.approx(first)

    def test_more_real_points_are_never_farther(self):
        sizes = [5, 20, 80]
        found = nearest_distances(normal(50, 3), normal(80, 3, seed=1), sizes=sizes)
        assert (np.diff(found, axis=0) <= 0).all()

    def test_moving_turning_and_scaling(self):
        x, y = normal(20, 3), normal(30, 3, seed=1)
        turn = np.linalg.qr(normal(3, 3, seed=2))[0]
        expected = 7 * nearest_distances(x, y)
        assert nearest_distances(7 * x @ turn + 5, 7 * y @ turn + 5) == pytest.approx(
            expected
        )

    @pytest.mark.parametrize("sizes", [[0], [3, 6]])
    def test_sizes_that_do_not_exist(self, sizes):
        with pytest.raises(ValueError, match=r"1\.\.5, the rows of the reference"):
            nearest_distances(normal(4, 2), normal(5, 2), sizes=sizes)


class TestBallRadii:
    @pytest.mark.parametrize("k", [1, 3, 9])
    def test_agrees_with_sorted_distances(self, k):
        x = normal(10, 2)
        expected = np.sort(cdist(x, x), axis=1)[:, k]
        assert ball_radii(x, k=k) == pytest.approx(expected)

    @pytest.mark.parametrize("k", [0, 5])
    def test_no_such_neighbour(self, k):
        with pytest.raises(ValueError, match=r"1\.\.4 for 5 points, got"):
            ball_radii(normal(5, 2), k=k)


class TestExpectedNearestDistance:
    def test_is_the_limit_of_the_exact_mean_on_a_circle(self):
        n = 500
        # Shorter arc to the nearest of n points, and the chord that belongs to it.
        chord, _ = quad(
            lambda t: np.cos(t / 2) * (1 - t / np.pi) ** n, 0, np.pi, limit=200
        )
        found = expected_nearest_distance(n, [2 * np.pi], dimension=1)
        assert found == pytest.approx(chord, rel=3 / n)

    def test_is_the_limit_of_the_exact_mean_on_a_sphere(self):
        n = 500
        chord, _ = quad(lambda r: (1 - r**2 / 4) ** n, 0, 2)  # areas of caps
        found = expected_nearest_distance(n, [4 * np.pi], dimension=2)
        assert found == pytest.approx(chord, rel=1 / n)

    def test_samples_on_a_circle_have_this_mean(self):
        n = 200
        found = [
            nearest_distances(on_circle(400, 100 + seed), on_circle(n, seed)).mean()
            for seed in range(30)
        ]
        expected = expected_nearest_distance(n, [2 * np.pi], dimension=1)
        assert np.mean(found) == pytest.approx(expected, rel=0.05)

    @pytest.mark.parametrize("m", [1, 2, 5])
    def test_twice_as_near_takes_two_to_the_m_as_many(self, m):
        far, near = expected_nearest_distance([10, 10 * 2**m], [1.0, 3.0], dimension=m)
        assert far == pytest.approx(2 * near)


@pytest.mark.parametrize("k", [1, 2])
def test_a_share_of_a_line_is_in_no_ball_however_many_points_there_are(k):
    for n in (100, 800):
        missed = [
            1 - precision_recall(on_circle(n, s), on_circle(800, 100 + s), k=k)[0]
            for s in range(12)
        ]
        assert np.mean(missed) == pytest.approx(uncovered_on_a_line(k), rel=0.2)


def test_artifacts_of_the_same_real_points_are_never_longer_than_w1():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n, d = rng.integers(2, 30), rng.integers(1, 6)
        x, y = rng.normal(size=(2, n, d)) * rng.uniform(0.1, 3, size=(2, 1, 1))
        bound = wasserstein_distance(x, y)
        assert nearest_distances(x, y).mean() <= bound * (1 + 1e-12)


def test_small_moves_of_the_real_points_reach_w1():
    real = normal(40, 3)
    step = np.sort(cdist(real, real), axis=1)[:, 1].min() / 2.001
    move = normal(40, 3, seed=1)
    fake = real + step * move / np.linalg.norm(move, axis=1, keepdims=True)
    assert nearest_distances(fake, real).mean() == pytest.approx(
        wasserstein_distance(fake, real)
    )


class TestExponent:
    def test_of_exact_powers(self):
        sizes = np.array([10, 30, 100])
        values = np.outer([1, 5, 9], sizes**-0.5)
        found = exponent(sizes, values)
        assert found.mean == pytest.approx(-0.5) and found.high < -0.49

    def test_a_repetition_that_reaches_zero_has_none(self):
        assert exponent([1, 2], [[1, 0], [4, 2]])[:2] == pytest.approx(
            (-1, np.nan), nan_ok=True
        )

    def test_one_size_has_no_slope(self):
        assert np.isnan(exponent([5], [[1.0], [2.0]]).mean)

    def test_sizes_that_do_not_fit(self):
        with pytest.raises(ValueError, match=r"\(2,\) sizes do not fit.*\(1, 3\)"):
            exponent([1, 2], [[1, 2, 3]])


class TestVerdicts:
    def test_zero_holds_whatever_the_sizes(self):
        assert limit([5], [[0.0]], expected=-1) == HOLDS

    @pytest.mark.parametrize("order", [1, -1])
    def test_a_fall_a_constant_and_a_rise(self, order):
        sizes, noise = np.array([10, 100, 1000]), 0.01 * normal(5, 3)

        def found(power):
            values = sizes**power + noise * sizes**power
            return limit(sizes[::order], values[:, ::order], expected=-0.5)

        assert [found(p) for p in (-0.5, 0.0, 0.2)] == [IN_THE_LIMIT, FAILS, FAILS]

    @pytest.mark.parametrize(
        ("sizes", "values"), [([5, 50], [[2.0, 2.0]]), ([5], [[2.0], [2.1]])]
    )
    def test_too_little_to_tell_is_open(self, sizes, values):
        assert limit(sizes, values, expected=-1) == OPEN

    def test_an_implication_needs_a_case_and_one_counterexample_refutes_it(self):
        assert implication([False, False], [True, False]) == OPEN
        assert implication([True, True], [True, True]) == HOLDS
        assert implication([True, True], [True, False]) == FAILS

    def test_equivalences(self):
        assert equivalence(HOLDS, IN_THE_LIMIT) == IN_THE_LIMIT
        assert equivalence(IN_THE_LIMIT, FAILS) == ONE_WAY
        assert equivalence(FAILS, FAILS) == FAILS
        assert equivalence(OPEN, HOLDS) == equivalence(FAILS, OPEN) == OPEN

    def test_the_worst_manifold_decides(self):
        assert together([HOLDS, OPEN, IN_THE_LIMIT]) == OPEN
        assert together([HOLDS, FAILS, OPEN]) == FAILS
