"""Riemannian centres: flat space, the sphere, and the paper's estimate as one case."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from manifpt_utils.images.photograph import PhotoManifold
from manifpt_utils.method import riemannian
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.method.riemannian import (
    Identity,
    RiemannianManifold,
    VariationalAutoencoder,
    centres_of_mass,
    curve_lengths,
    geodesic_neighbors,
    geodesics,
    logarithms,
    neighbor_graph,
    straight,
)


class Linear:
    """Codes of the plane that is spanned by two rows."""

    def __init__(self, rows):
        self.rows = torch.as_tensor(rows)

    def encode(self, x):
        return x @ torch.linalg.pinv(self.rows)

    def decode(self, codes):
        return codes @ self.rows


def sphere(angles):
    """From longitude and latitude to the unit sphere."""
    longitude, latitude = angles.unbind(-1)
    parts = latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin()
    return torch.stack([*parts, latitude.sin()], dim=-1)


def arcs(a, b):
    """Lengths of great circles."""
    return torch.arccos((sphere(a) * sphere(b)).sum(-1).clamp(-1, 1))


def angles(n, seed=0):
    """Away from the poles, where longitude means nothing."""
    rng = np.random.default_rng(seed)
    return rng.uniform([-1.2, -0.9], [1.2, 0.9], (n, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def plane():
    rows = np.random.default_rng(1).normal(size=(2, 6)).astype(np.float32)
    return Linear(rows)


@pytest.fixture(scope="module")
def views():
    return PhotoManifold("coffee").sample(140, seed=0)


def test_geodesics_of_a_linear_decoder_are_straight(plane):
    a, b = torch.from_numpy(angles(20)), torch.from_numpy(angles(20, seed=1))
    found = geodesics(plane.decode, a, b)
    torch.testing.assert_close(found, straight(a, b), atol=1e-4, rtol=0)
    lengths = curve_lengths(plane.decode, found)
    torch.testing.assert_close(lengths, plane.decode(b - a).norm(dim=-1))
    torch.testing.assert_close(logarithms(plane.decode, a, b), b - a, atol=1e-3, rtol=0)


def test_centres_of_a_linear_decoder_are_means(plane):
    points = torch.from_numpy(angles(60)).reshape(12, 5, 2)
    found = centres_of_mass(plane.decode, points)
    torch.testing.assert_close(found, points.mean(dim=1), atol=1e-4, rtol=0)


def test_geodesics_of_the_sphere_are_arcs():
    a, b = torch.from_numpy(angles(30)), torch.from_numpy(angles(30, seed=1))
    found = geodesics(sphere, a, b, segments=16, iterations=200)
    expected = arcs(a, b)
    torch.testing.assert_close(
        curve_lengths(sphere, found), expected, atol=2e-3, rtol=2e-3
    )
    # The straight line between the angles is longer, unless it is an arc itself.
    lines = curve_lengths(sphere, straight(a, b, 200))
    assert (lines > expected - 1e-3).all() and (lines > 1.002 * expected).any()


def test_the_centre_of_two_points_of_the_sphere_is_the_middle_of_their_arc():
    a, b = torch.from_numpy(angles(25)), torch.from_numpy(angles(25, seed=2))
    points = torch.stack([a, b], dim=1)
    centre = sphere(centres_of_mass(sphere, points, segments=8, iterations=200))
    middle = sphere(a) + sphere(b)
    middle = middle / middle.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(centre, middle, atol=5e-3, rtol=0)


def test_a_centre_has_the_least_sum_of_squared_distances():
    points = torch.from_numpy(angles(40)).reshape(8, 5, 2)
    centre = centres_of_mass(sphere, points, segments=8, iterations=200)

    def cost(z):
        return arcs(z[:, None].expand_as(points), points).square().sum(dim=1)

    for step in ([0.05, 0], [-0.05, 0], [0, 0.05], [0, -0.05]):
        assert (cost(centre) < cost(centre + torch.tensor(step))).all()


def test_a_logarithm_is_as_long_as_the_distance():
    a, b = torch.from_numpy(angles(20)), torch.from_numpy(angles(20, seed=3))
    velocity = logarithms(sphere, a, b, segments=32, iterations=300)
    speed = (sphere(a + 0.01 * velocity) - sphere(a - 0.01 * velocity)).norm(dim=-1)
    torch.testing.assert_close(speed / 0.02, arcs(a, b), atol=0.03, rtol=0.02)


def test_the_graph_finds_the_codes_nearest_by_arc():
    codes, queries = angles(1500), angles(40, seed=5)
    graph = neighbor_graph(sphere, codes, 12)
    found = geodesic_neighbors(sphere, queries, codes, graph, k=5, links=12)
    away = arcs(torch.from_numpy(queries)[:, None], torch.from_numpy(codes)).numpy()
    true = np.sort(away, axis=1)[:, :5]
    got = np.take_along_axis(away, found, axis=1)
    # The worst of five may be missed where the angles distort most.
    assert (got.mean(axis=1) < 1.1 * true.mean(axis=1)).all()
    assert (found[:, 0] == away.argmin(axis=1)).mean() > 0.9


def test_a_way_round_a_gap_is_as_long_as_the_way():
    """Two ends of a horseshoe are near in the plane, and far along it."""
    turn = np.linspace(0.3, 2 * np.pi - 0.3, 200, dtype=np.float32)
    codes = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    graph = neighbor_graph(lambda z: z, codes, 3)
    away = riemannian._distances(graph, np.array([0]), np.array([0.0]), np.inf)
    assert away[-1] == pytest.approx(turn[-1] - turn[0], rel=1e-3)
    assert np.linalg.norm(codes[0] - codes[-1]) < 0.6


@pytest.mark.parametrize("space", ["rgb", "frequency"])
def test_one_neighbour_in_a_flat_space_is_the_papers_estimate(views, space):
    options = {"k": 1, "autoencoder": Identity()}
    ours = RiemannianManifold(space, **options).fit(views[:100]).project(views[100:])
    theirs = DataManifold(space).fit(views[:100]).project(views[100:])
    np.testing.assert_array_equal(ours.index, theirs.index)
    np.testing.assert_array_equal(ours.x_star, theirs.x_star)
    np.testing.assert_array_equal(ours.artifact, theirs.artifact)


def test_k_neighbours_of_a_linear_decoder_give_their_mean(plane):
    rng = np.random.default_rng(3)
    real = plane.decode(torch.from_numpy(angles(200))).numpy()
    queries = real[:6] + rng.normal(size=(6, 6)).astype(np.float32) / 10
    manifold = RiemannianManifold(None, k=4, autoencoder=plane).fit(real)
    found = manifold.project(queries)
    expected = real[found.index].mean(axis=1)
    np.testing.assert_allclose(found.x_star, expected, atol=1e-3)
    inside = plane.decode(plane.encode(torch.from_numpy(queries))).numpy()
    away = np.linalg.norm(inside[:, None] - real, axis=-1)
    np.testing.assert_array_equal(found.index, away.argsort(axis=1)[:, :4])


def test_a_latent_artifact_leads_from_the_centre_to_the_image(plane):
    real = plane.decode(torch.from_numpy(angles(200))).numpy()
    options = {"k": 3, "artifact": "latent", "autoencoder": plane}
    manifold = RiemannianManifold(None, **options).fit(real)
    found = manifold.project(real[:5] * 1.1)
    code = plane.encode(torch.from_numpy(real[:5] * 1.1)).numpy()
    centre = manifold.codes_[found.index].mean(axis=1)
    np.testing.assert_allclose(found.artifact, code - centre, atol=1e-3)
    assert manifold.get_feature_names_out().shape == (2,)


def test_copies_of_one_image_are_no_obstacle():
    real = np.zeros((30, 4), np.float32)
    real[15:, 0] = 1
    manifold = RiemannianManifold(None, k=2, links=3, autoencoder=Identity()).fit(real)
    found = manifold.project(real[[0, 20]] + np.float32(0.1))
    np.testing.assert_allclose(found.x_star, real[[0, 20]], atol=1e-6)


# --- the autoencoder ----------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(views):
    return RiemannianManifold(latent=3, width=64, epochs=200).fit(views)


def test_the_autoencoder_draws_views_better_than_their_mean(trained, views):
    x = views.reshape(len(views), -1) / 255
    error = np.square(trained.reconstruct(views) - x).mean()
    assert error < 0.5 * np.square(x - x.mean(axis=0)).mean()


def test_the_interface_is_that_of_the_other_estimates(trained, views):
    found = trained.project(views[:4])
    x = views[:4].reshape(4, -1) / np.float32(255)
    np.testing.assert_allclose(found.x_star + found.artifact, x, atol=1e-5)
    np.testing.assert_array_equal(trained.transform(views[:4]), found.artifact)
    assert trained.image_shape_ == (32, 32, 3) and found.index.shape == (4, 5)


def test_the_same_seed_gives_the_same_artifacts_and_leaves_the_random_state(
    trained, views
):
    state = torch.random.get_rng_state()
    again = clone(trained).fit(views).transform(views[:4])
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(again, trained.transform(views[:4]))


def test_lengths_of_the_chart_are_those_of_means_and_deviations(trained):
    network = trained.autoencoder_
    a, b = torch.from_numpy(trained.codes_[:6]), torch.from_numpy(trained.codes_[6:12])
    ends = network.decode(a), network.decode(b)
    sd = [network.precision(z).rsqrt() for z in (a, b)]
    expected = (ends[0] - ends[1]).square().sum(-1) + 3072 * (sd[0] - sd[1]).square()
    found = (network.chart(a) - network.chart(b)).square().sum(-1)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_lengths_of_geodesics_agree_with_stochman(trained):
    manifold = pytest.importorskip("stochman.manifold")
    chart = trained.autoencoder_.chart

    class Drawn(manifold.EmbeddedManifold):
        def embed(self, points, jacobian=False):
            return chart(points)

    a, b = (torch.from_numpy(trained.codes_[rows]) for rows in ([0, 1, 2], [7, 8, 9]))
    theirs, _ = Drawn().connecting_geodesic(a, b)
    found = geodesics(chart, a, b, segments=16, iterations=300)
    fine = torch.linspace(0, 1, 200)
    expected = curve_lengths(chart, theirs(fine).detach())
    lengths = curve_lengths(chart, found)
    assert (lengths < curve_lengths(chart, straight(a, b, 200))).all()
    # Two ways to shorten a curve: they stop a few percent apart.
    torch.testing.assert_close(lengths, expected, rtol=0.06, atol=0)


def test_the_variance_grows_away_from_the_codes(trained):
    network = trained.autoencoder_
    near = network.precision(torch.from_numpy(trained.codes_)).rsqrt()
    far = network.precision(50 + torch.from_numpy(trained.codes_)).rsqrt()
    assert far.min() > 3 * near.median()


def test_weights_survive_the_cache(trained):
    network = trained.autoencoder_
    copy = VariationalAutoencoder(3072, len(network.components), 3, 64)
    riemannian._unflat(riemannian._flat(network), copy)
    x = torch.from_numpy(trained.codes_[:3])
    assert torch.equal(copy.chart(x), network.chart(x))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"k": 11}, "k=11 nearest images are sought among links=10"),
        ({"k": 0}, "k must be a positive integer, got 0"),
        ({"epochs": 1.5}, "epochs must be a positive integer, got 1.5"),
        ({"artifact": "log"}, "unknown artifact 'log'; known: data, latent"),
        ({"links": 200}, "140 real images cannot each have links=200"),
    ],
)
def test_what_cannot_work_is_refused(views, options, message):
    with pytest.raises(ValueError, match=message):
        RiemannianManifold(**options).fit(views)
