"""Known manifolds and generators, and the paper's lines on tiny cases."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.datasets import make_swiss_roll

from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.method.checked_lines import check_lines
from manifpt_utils.method.checked_theory import (
    approach,
    compare,
    on_samples,
    on_supports,
)
from manifpt_utils.method.known_generators import (
    FAR,
    KNOWN_GENERATORS,
    MEMORY,
    OFF,
    RARE,
)
from manifpt_utils.method.known_manifolds import (
    STEP,
    circle,
    known_manifolds,
    photograph,
    sphere,
    swiss_roll,
)
from manifpt_utils.metrics.propositions import FAILS, HOLDS, ONE_WAY

PHOTO = PhotoManifold("coffee")
MANIFOLDS = known_manifolds(PHOTO)
each_manifold = pytest.mark.parametrize("name", MANIFOLDS)


@each_manifold
def test_real_points_are_their_own_closest_points(name):
    manifold = MANIFOLDS[name]
    artifacts = manifold.artifacts(manifold.sample(8, seed=3))
    assert np.linalg.norm(artifacts, axis=1).max() < 1e-3


@each_manifold
def test_points_moved_straight_off_have_the_move_as_artifact(name):
    manifold = MANIFOLDS[name]
    u = manifold.coordinates(8, seed=3)
    move = OFF * manifold.normals(u)
    found = manifold.artifacts(manifold.points(u) + move)
    assert found == pytest.approx(move, abs=1e-3)


@each_manifold
def test_normals_have_length_one_and_are_perpendicular(name):
    manifold = MANIFOLDS[name]
    u = manifold.coordinates(5)
    normals, tangents = manifold.normals(u), manifold.tangents(u)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1)
    tangents = tangents / np.linalg.norm(tangents, axis=2, keepdims=True)
    assert np.einsum("nmd,nd->nm", tangents, normals) == pytest.approx(0, abs=1e-5)


@each_manifold
def test_random_points_are_one_apart_in_the_mean_square(name):
    x = MANIFOLDS[name].sample(1500, seed=3).astype(float)
    assert np.sqrt(2 * x.var(axis=0).sum()) == pytest.approx(1, rel=0.03)


@each_manifold
def test_more_points_begin_with_the_same_ones(name):
    manifold = MANIFOLDS[name]
    few, many = (manifold.sample(n, seed=5) for n in (3, 7))
    assert many[:3] == pytest.approx(few, abs=1e-6)


def test_the_swiss_roll_is_that_of_scikit_learn():
    rng = np.random.RandomState(4)
    u = rng.uniform(size=(2, 50)).T
    x, _ = make_swiss_roll(50, random_state=4)
    ours = swiss_roll().points(u)
    ours, theirs = cdist(ours, ours), cdist(x, x)
    assert ours / ours.max() == pytest.approx(theirs / theirs.max())


def test_the_closest_point_of_the_swiss_roll_agrees_with_a_dense_search():
    roll = swiss_roll()
    grid = np.stack(
        np.meshgrid(np.linspace(0, 1, 1500), np.linspace(0, 1, 60)), axis=-1
    )
    points = roll.points(grid.reshape(-1, 2))
    x = roll.sample(20) + 0.2 * np.random.default_rng(1).normal(size=(20, 3))
    exact = np.linalg.norm(roll.artifacts(x), axis=1)
    searched = cdist(x, points).min(axis=1)
    assert (exact <= searched + 1e-9).all()
    assert exact == pytest.approx(searched, abs=5e-3)


def test_views_are_those_of_the_photograph():
    manifold = photograph(PHOTO)
    expected = PHOTO.render(PHOTO.coordinates(3, seed=8)).reshape(3, -1)
    found = manifold.points(np.random.default_rng(8).random((3, 3)))
    assert found / found.max() == pytest.approx(expected / expected.max(), abs=1e-5)


@pytest.mark.parametrize(
    ("manifold", "volume"), [(circle(), np.pi * 2**0.5), (sphere(), 2 * np.pi)]
)
def test_volumes_of_circle_and_sphere(manifold, volume):
    inner = 0.1 + 0.8 * manifold.coordinates(50)  # not at the poles
    assert manifold.volumes(inner) == pytest.approx(volume, rel=10 * STEP)


# --- generators -------------------------------------------------------------------


def lengths(model, n=100):
    line = circle()
    x = KNOWN_GENERATORS[model].draw(line, n, 1)
    return np.linalg.norm(line.artifacts(x), axis=1)


@pytest.mark.parametrize("model", KNOWN_GENERATORS)
def test_artifacts_of_generators_are_as_announced(model):
    expected = np.zeros(100)
    if model == "all a little off":
        expected += OFF
    if model == "few far off":
        expected[: round(100 * RARE)] = FAR
    assert np.sort(lengths(model))[::-1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("model", KNOWN_GENERATORS)
def test_a_support_comes_near_to_exactly_the_real_points_that_it_holds(model):
    line, generator = circle(), KNOWN_GENERATORS[model]
    u = line.coordinates(200, seed=7)
    x = generator.draw(line, 20_000, 1)
    gap = cdist(line.points(u), x).min(axis=1)
    held = generator.reaches(u)
    assert (gap[held] < 0.01).all()
    assert not held.all() or (gap < 0.01).all()
    if not held.all():
        assert np.median(gap[~held]) > 0.01


def test_memorised_points_are_the_first_real_ones():
    line = circle()
    x = KNOWN_GENERATORS["memorised"].draw(line, 300, 5)
    assert cdist(x, line.sample(500, seed=5)[:MEMORY]).min(axis=1).max() == 0
    assert len(np.unique(x, axis=0)) == MEMORY


def test_no_generator_but_the_memorising_one_repeats_a_real_point():
    line = circle()
    real = line.sample(50, seed=0)
    for model, generator in KNOWN_GENERATORS.items():
        gap = cdist(generator.draw(line, 50, 0), real).min()
        assert (gap == 0) == (model == "memorised")


# --- quantities and verdicts ------------------------------------------------------


def test_equal_samples_have_nothing_between_them():
    x = np.random.default_rng(0).normal(size=(20, 2))
    found = compare(x, x)
    zero = ["mean length", "d(Q; P)", "d(P; Q)", "W1"]
    assert [found[name] for name in zero] == pytest.approx([0] * 4, abs=1e-12)
    assert found["precision"] == found["recall"] == 1


def test_exchange_of_roles_exchanges_sizes_and_keeps_w1():
    x, y = np.random.default_rng(0).normal(size=(2, 20, 2))
    one, other = compare(x, y), compare(y, x)
    assert one["d(Q; P)"] == other["d(P; Q)"] and one["recall"] == other["precision"]
    assert one["W1"] == pytest.approx(other["W1"])


def test_approach_is_the_nearest_distance_of_each_size():
    line = circle()
    mean, longest = approach(line, sizes=[10, 40], n_queries=5, seeds=[0, 1])
    assert mean.shape == longest.shape == (2, 2)
    assert (mean <= longest).all() and (np.diff(longest, axis=1) <= 0).all()


@pytest.fixture(scope="module")
def flat():
    return {name: MANIFOLDS[name] for name in ("circle", "sphere")}


@pytest.fixture(scope="module")
def evidence(flat):
    samples = on_samples(flat, sizes=[30, 240], seeds=range(5), k=1)
    return on_supports(flat, n=50), samples


def test_true_precision_and_recall_are_those_of_the_generators(evidence):
    exact, _ = evidence
    for manifold in ("circle", "sphere"):
        found = exact.loc[manifold]
        assert found.loc["half of the modes", "recall"] == pytest.approx(0.5, abs=0.02)
        assert found.loc["few far off", "precision"] == pytest.approx(1 - RARE)
        assert found.loc["memorised", ["precision", "recall"]].tolist() == [1, 0]
        assert found.loc["all a little off", "d(Q; P)"] == pytest.approx(OFF)


def test_artifacts_stay_below_w1_in_all_pairs(evidence):
    _, samples = evidence
    assert (samples["mean length"] <= samples["W1"] * (1 + 1e-9)).all()


def test_verdicts_on_the_supports(evidence, flat):
    lines = check_lines(*evidence, {n: m.dimension for n, m in flat.items()})
    found = lines["supports"].to_dict()
    assert found.pop("(15)") == ONE_WAY
    assert found.pop("converse of (17)") == FAILS
    assert set(found.values()) == {HOLDS}
    against = {"half of the modes", "memorised", "one point"}
    assert set(lines.loc["(15)", "against"]["⇒"]) == against
    assert lines.loc["(15)", "against"]["⇐"] == []
    assert lines.loc["converse of (17)", "against"]["⇒"] == ["other frequencies"]


def test_verdicts_on_samples(evidence, flat):
    lines = check_lines(*evidence, {n: m.dimension for n, m in flat.items()})
    # On the left a perfect generator, on the right points within a ball.
    assert lines.loc["(9, 12)", "samples"] == ONE_WAY
    assert lines.loc["(9, 12)", "left"]["⇒"] > 0.1
    assert lines.loc["(17, 18)", "samples"] == HOLDS


def test_a_generator_that_is_wrong_turns_a_verdict(evidence, flat):
    exact, samples = evidence
    wrong = exact.copy()
    wrong.loc[("circle", "perfect"), "d(Q; P)"] = 0.1  # precise, and yet with artifacts
    lines = check_lines(wrong, samples, {n: m.dimension for n, m in flat.items()})
    assert lines.loc["(9, 12)", "supports"] == ONE_WAY
    assert lines.loc["(9, 12)", "against"] == {"⇒": [], "⇐": ["perfect"]}
