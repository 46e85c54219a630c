"""Riemannian fingerprints, our reading of Song and Itti (2025).

Their abstract says two things.  The distance is learned from data: it is the length of
curves in the code space of a variational autoencoder.  And the nearest real image is
replaced by the Riemannian centre of mass of the k nearest ones, found by gradients.
Everything else here is our choice and not known to be theirs: the form of the metric
(Arvanitidis et al. 2018), the graph (Chen et al. 2018), the sizes and the training.

The length of a curve of codes is the Euclidean length of its image under one map, the
*chart*, which thereby holds the whole metric.
"""

from numbers import Integral

import faiss
import numpy as np
import torch
from scipy.optimize import nnls
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from .._support.cache import cached
from .._support.random_state import forked_random_state
from .._support.source import code_of
from .manifold import unknown
from .projection import Projector, displacement, rows_within
from .spaces import make_space
from .training import Trainer, trainer

ARTIFACTS = ("data", "latent")
SEGMENTS = 4  # of a curve
ITERATIONS = 30  # steps of L-BFGS, for all curves of a batch together
BATCH, RATE = 128, 4e-3
COMPONENTS = 256  # principal components of the features, on which the autoencoder works
CLUSTERS = 64  # clusters of codes, each with its own precision
FAR = 1e-2  # precision far from all codes, relative to the smallest one near them
NO_EDGE = 1e-12  # added to lengths, because scipy takes an edge of length 0 for no edge


class RiemannianManifold(Projector):
    """The centre of mass of the real images that are nearest along a curved space.

    .. math::

        z^* = \\arg\\min_z \\sum_{j \\in N_k(x_G)} d_g(z, z_j)^2, \\qquad
        a(x_G) = x_G - f(z^*)

    with codes :math:`z_j` of real images, the decoder f, the geodesic distance
    :math:`d_g` of its pull-back metric, and the k codes :math:`N_k` that are nearest by
    this distance.

    Parameters
    ----------
    space : str, transformer or None
        As for `DataManifold`.
    k : int
        Number of real images whose centre is taken; 1 takes the nearest one itself.
    artifact : {"data", "latent"}
        "data": the difference of the features.  "latent": minus the logarithm map at
        the code of the image, that is, minus the velocity with which a geodesic leaves
        this code for `z*`.
    latent : int
        Numbers in a code.
    width : int
        Hidden units of the autoencoder.
    epochs : int
        Passes of its training over the real images.
    links : int
        Neighbours to which each code is joined in the graph, at least k.
    autoencoder : object, optional
        Used instead of a trained one.  It has `encode` and `decode`, from (n, d)
        tensors to (n, q) and back.  It may have a `chart` from (..., q) to (..., c);
        without one, lengths are measured on what `decode` returns.
    seed : int
    progress : bool
        Show a bar while training.

    Attributes
    ----------
    autoencoder_ : object
    codes_ : (n, q) float32 array
        Codes of the real images.
    image_shape_ : tuple or None
        (h, w, 3) where artifacts are images, None where they are plain vectors.

    Notes
    -----
    Geodesic distances to the real images are those along the graph of their codes; only
    the centre of mass is found in the continuous space.  The decoder draws smooth
    images, so fine detail that it cannot draw remains in the artifact, as it does after
    a blur: compare with `reconstruct`.

    Examples
    --------
    >>> real = np.eye(3, dtype=np.float32)
    >>> manifold = RiemannianManifold(None, k=1, links=2, autoencoder=Identity())
    >>> manifold.fit(real).transform(real + [0, 0, 0.25]).round(2)[0].tolist()
    [0.0, 0.0, 0.25]
    """

    def __init__(
        self,
        space="rgb",
        *,
        k=5,
        artifact="data",
        latent=8,
        width=256,
        epochs=30,
        links=10,
        autoencoder=None,
        seed=0,
        progress=False,
    ):
        self.space = space
        self.k = k
        self.artifact = artifact
        self.latent = latent
        self.width = width
        self.epochs = epochs
        self.links = links
        self.autoencoder = autoencoder
        self.seed = seed
        self.progress = progress

    def fit(self, real, y=None):
        """Train the autoencoder on real images, and join their codes in a graph.

        Parameters
        ----------
        real : (n, h, w, 3) uint8 array, or (n, d) array where `space` is None
        y : ignored

        Returns
        -------
        RiemannianManifold

        Raises
        ------
        ValueError
            If a parameter has an impossible value, or there are too few real images for
            the links.
        """
        self._check_parameters()
        self.space_ = None if self.space is None else make_space(self.space).fit(real)
        x = self._embed(real, reset=True)
        if len(x) <= self.links:
            raise ValueError(
                f"{len(x)} real images cannot each have links={self.links} others; "
                "give more images, or fewer links."
            )
        self.autoencoder_ = self.autoencoder or self._trained(x)
        self._chart = getattr(self.autoencoder_, "chart", self.autoencoder_.decode)
        self.codes_ = self._encoded(x)
        self._graph = neighbor_graph(self._chart, self.codes_, self.links)
        is_data = self.artifact == "data"
        self.image_shape_ = getattr(self.space_, "image_shape_", None)
        self.image_shape_ = self.image_shape_ if is_data else None
        self._n_features_out = x.shape[1] if is_data else self.codes_.shape[1]
        return self

    def project(self, images):
        """Centres of mass near the images, and the artifacts of the images.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array, or (n, d) array where `space` is None

        Returns
        -------
        EstimatedProjection
            Named tuple of `x_star`, `artifact`, `distance`, `index`.  For "latent"
            artifacts `x_star` is minus the artifact: coordinates start at the code of
            the image.
        """
        check_is_fitted(self)
        x = self._embed(images)
        codes = self._encoded(x)
        index = geodesic_neighbors(
            self._chart, codes, self.codes_, self._graph, k=self.k, links=self.links
        )
        centres = self._in_parts(
            lambda near: centres_of_mass(self._chart, near), self.codes_[index]
        )
        if self.artifact == "data":
            return displacement(x, self._decoded(centres), index)
        log = self._in_parts(
            lambda ends: logarithms(self._chart, ends[:, 0], ends[:, 1]),
            np.stack([codes, centres], axis=1),
        )
        return displacement(codes, codes + log, index)

    def reconstruct(self, images):
        """The images as the autoencoder draws them, without any real image: (n, d)."""
        check_is_fitted(self)
        return self._decoded(self._encoded(self._embed(images)))

    def _check_parameters(self):
        for name in ("k", "latent", "width", "epochs", "links"):
            value = getattr(self, name)
            is_whole = isinstance(value, Integral) and not isinstance(value, bool)
            if not (is_whole and value > 0):
                raise ValueError(f"{name} must be a positive integer, got {value!r}.")
        if self.k > self.links:
            raise ValueError(
                f"k={self.k} nearest images are sought among links={self.links}; give "
                "more links, or a smaller k."
            )
        if self.artifact not in ARTIFACTS:
            raise ValueError(unknown("artifact", self.artifact, ARTIFACTS))

    def _embed(self, images, *, reset=False):
        features = images if self.space_ is None else self.space_.transform(images)
        return validate_data(self, features, reset=reset, dtype=np.float32, order="C")

    def _trained(self, x):
        options = self.latent, self.width, self.epochs, self.seed
        flat = cached(
            lambda: _flat(train(x, *options, progress=self.progress)),
            *("riemannian", x, *options),
            code=code_of(train, Trainer),
        )
        n = _n_components(x)
        with forked_random_state():  # because a new network draws its first weights
            network = VariationalAutoencoder(x.shape[1], n, self.latent, self.width)
        return _unflat(flat, network.eval().requires_grad_(False))

    def _encoded(self, x):
        with torch.no_grad():
            return self.autoencoder_.encode(torch.from_numpy(x)).numpy()

    def _decoded(self, codes):
        with torch.no_grad():
            found = self.autoencoder_.decode(torch.from_numpy(codes)).numpy()
        return found.astype(np.float32, copy=False)

    def _in_parts(self, compute, rows):
        """What `compute` returns for codes (n, ..., q), some rows at a time."""
        step = rows_within(64 * SEGMENTS * self.k * self.width)
        parts = [
            compute(torch.from_numpy(rows[i : i + step])).numpy()
            for i in range(0, len(rows), step)
        ]
        return np.concatenate(parts)


class Identity:
    """The autoencoder for which the curved space is the flat one."""

    def encode(self, x):
        """The codes of features: themselves."""
        return x

    def decode(self, codes):
        """The features of codes: themselves."""
        return codes


# --- the metric: lengths, geodesics, centres -----------------------------------------


def curve_lengths(chart, curves):
    """Lengths of curves of codes, those of their images under the chart.

    Parameters
    ----------
    chart : callable
        From (..., q) to (..., c) tensors.
    curves : (..., t, q) tensor
        t points of each curve.

    Returns
    -------
    (...) tensor

    Examples
    --------
    >>> round_trip = torch.tensor([[0.0], [2.0], [0.0]])
    >>> curve_lengths(lambda z: 3 * z, round_trip).item()
    12.0
    """
    return chart(curves).diff(dim=-2).norm(dim=-1).sum(dim=-1)


def straight(a, b, segments=SEGMENTS):
    """Points of straight lines from a to b, both (..., q): (..., segments + 1, q)."""
    t = torch.linspace(0, 1, segments + 1, dtype=a.dtype)[:, None]
    return a[..., None, :] * (1 - t) + b[..., None, :] * t


def geodesics(chart, a, b, *, segments=SEGMENTS, iterations=ITERATIONS):
    """Curves of least energy from a to b, which are locally the shortest.

    Parameters
    ----------
    chart : callable
    a, b : (n, q) tensors
    segments, iterations : int

    Returns
    -------
    (n, segments + 1, q) tensor
    """
    lines = straight(a, b, segments)
    scale = (b - a).norm(dim=-1)[:, None, None]
    moved = torch.zeros_like(lines[:, 1:-1], requires_grad=True)

    def curves():
        inner = lines[:, 1:-1] + scale * moved
        return torch.cat([lines[:, :1], inner, lines[:, -1:]], dim=1)

    _relax(lambda: _energies(chart, curves()), [moved], iterations)
    return curves().detach()


def logarithms(chart, a, b, *, segments=SEGMENTS, iterations=ITERATIONS):
    """Velocities with which geodesics leave a so that they reach b after unit time.

    Parameters
    ----------
    chart : callable
    a, b : (n, q) tensors
    segments, iterations : int

    Returns
    -------
    (n, q) tensor
        In coordinates of the codes, where the metric is not the Euclidean one.
    """
    found = geodesics(chart, a, b, segments=segments, iterations=iterations)
    return segments * (found[:, 1] - found[:, 0])


def centres_of_mass(chart, points, *, segments=SEGMENTS, iterations=ITERATIONS):
    """Riemannian centres of mass of sets of codes.

    The centre and the curves to it are moved together: at the least total energy every
    curve is a geodesic, and its energy the squared distance.

    Parameters
    ----------
    chart : callable
    points : (n, k, q) tensor
        One set in each row.
    segments, iterations : int

    Returns
    -------
    (n, q) tensor
    """
    start = points.mean(dim=1)
    scale = (points - start[:, None]).square().sum(-1).mean(-1).sqrt()[:, None]
    lines = straight(start[:, None].expand_as(points), points, segments)
    centre = torch.zeros_like(start, requires_grad=True)
    moved = torch.zeros_like(lines[:, :, 1:-1], requires_grad=True)

    def curves():
        first = (start + scale * centre)[:, None, None].expand_as(lines[:, :, :1])
        inner = lines[:, :, 1:-1] + scale[..., None, None] * moved
        return torch.cat([first, inner, lines[:, :, -1:]], dim=2)

    _relax(lambda: _energies(chart, curves()).sum(1), [centre, moved], iterations)
    return (start + scale * centre).detach()


def _energies(chart, curves):
    """Energies of curves: their squared lengths, if their speed is constant."""
    steps = chart(curves).diff(dim=-2)
    return steps.shape[-2] * steps.square().sum(dim=(-1, -2))


def _relax(energies, variables, iterations):
    """Minimise energies, one per row, each relative to its value at the start."""
    with torch.no_grad():
        before = energies().clamp_min(1e-20)
    optimizer = torch.optim.LBFGS(
        variables, max_iter=iterations, line_search_fn="strong_wolfe"
    )

    def total():
        optimizer.zero_grad()
        value = (energies() / before).sum()
        value.backward()
        return value

    optimizer.step(total)


# --- the graph -----------------------------------------------------------------------


def neighbor_graph(chart, codes, links):
    """Codes joined to their neighbours, by the lengths of the lines between them.

    Parameters
    ----------
    chart : callable
    codes : (n, q) float32 array
    links : int
        Neighbours of each, fewer than n.

    Returns
    -------
    (n, n) sparse array
        Symmetric.
    """
    near = faiss.knn(codes, codes, links + 1)[1]
    itself = near == np.arange(len(codes))[:, None]
    itself[~itself.any(axis=1), -1] = True  # where a code has more copies than links
    near = near[~itself].reshape(len(codes), links)
    lengths = _line_lengths(chart, codes, codes[near])
    rows = np.repeat(np.arange(len(codes)), links)
    graph = csr_array((lengths.ravel(), (rows, near.ravel())), (len(codes),) * 2)
    return graph.maximum(graph.T)


def geodesic_neighbors(chart, queries, codes, graph, *, k, links):
    """The k codes that are nearest to each query along the graph.

    Parameters
    ----------
    chart : callable
    queries : (n, q) float32 array
    codes : (m, q) float32 array
    graph : (m, m) sparse array
        As `neighbor_graph` makes it.
    k, links : int
        A query is joined to `links` codes; k is at most as large.

    Returns
    -------
    (n, k) int64 array
        Nearest first.
    """
    near = faiss.knn(queries, codes, links)[1]
    direct = _line_lengths(chart, queries, codes[near])
    # This many codes are near enough already: what is farther is not among the k
    # nearest.
    limits = np.partition(direct, k - 1, axis=1)[:, k - 1] * (1 + 1e-9)
    found = np.empty((len(queries), k), dtype=np.int64)
    for i, limit in enumerate(limits):
        away = _distances(graph, near[i], direct[i], limit)
        reached = np.flatnonzero(np.isfinite(away))
        found[i] = reached[np.argsort(away[reached], kind="stable")[:k]]
    return found


def _distances(graph, near, direct, limit):
    """Distances to all codes from a point that is joined to some of them."""
    joined = direct <= limit
    ways = dijkstra(graph, indices=near[joined], limit=limit)
    away = (ways + direct[joined, None]).min(axis=0)
    return np.where(away <= limit, away, np.inf)


def _line_lengths(chart, ends, others):
    """Lengths of straight lines from (n, q) to (n, k, q) codes: (n, k) float64."""
    with torch.no_grad():
        a, b = torch.from_numpy(ends)[:, None], torch.from_numpy(others)
        parts = [
            curve_lengths(chart, straight(x.expand_as(y), y))
            for x, y in zip(a.split(2000), b.split(2000), strict=True)
        ]
    return torch.cat(parts).numpy().astype(np.float64) + NO_EDGE


# --- the autoencoder -----------------------------------------------------------------


class VariationalAutoencoder(nn.Module):
    """An autoencoder of principal components; its variance grows far from the codes.

    Parameters
    ----------
    d, n_components, latent, width : int
        Numbers of features, of their principal components, of values in a code, and of
        units in each of two hidden layers.
    """

    def __init__(self, d, n_components, latent, width):
        super().__init__()
        self.encoder = _layers(n_components, width, 2 * latent)
        self.decoder = _layers(latent, width, n_components)
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("components", torch.zeros(n_components, d))
        self.register_buffer("scale", torch.ones(()))
        # Parts of the precision: centres, their reach and weights, and its value far
        # away.
        self.register_buffer("centres", torch.zeros(CLUSTERS, latent))
        self.register_buffer("reach", torch.ones(CLUSTERS))
        self.register_buffer("weights", torch.zeros(CLUSTERS))
        self.register_buffer("rest", torch.ones(()))

    def forward(self, y):
        """The terms of the loss: the mean squared error and the divergence."""
        mean, log_sd = self.encoder(y).chunk(2, dim=-1)
        codes = mean + log_sd.exp() * torch.randn_like(mean)
        error = (self.decoder(codes) - y).square().mean()
        divergence = (mean.square() + (2 * log_sd).exp() - 1) / 2 - log_sd
        return error, divergence.sum(dim=-1).mean() / y.shape[1]

    def inputs(self, x):
        """Principal components of (n, d) features, in units of their deviation."""
        return (x - self.mean) @ self.components.T / self.scale

    def encode(self, x):
        """Means of the codes of (n, d) features: (n, q)."""
        return self.encoder(self.inputs(x)).chunk(2, dim=-1)[0]

    def decode(self, codes):
        """Features of (..., q) codes, the means of their distributions: (..., d)."""
        return self.mean + self.scale * self.decoder(codes) @ self.components

    def chart(self, codes):
        """Means and deviations of (..., q) codes: (..., n_components + 1).

        Components are orthonormal, so their distances are those of the features.
        """
        sd = self.precision(codes).rsqrt() * self.mean.numel() ** 0.5
        return torch.cat([self.scale * self.decoder(codes), sd[..., None]], dim=-1)

    def precision(self, codes):
        """One over the variance of a value of the features, at (..., q) codes."""
        apart = (codes[..., None, :] - self.centres).square().sum(dim=-1)
        return torch.exp(-self.reach * apart) @ self.weights + self.rest


def _layers(before, width, after):
    return nn.Sequential(
        *(nn.Linear(before, width), nn.SiLU()),
        *(nn.Linear(width, width), nn.SiLU()),
        nn.Linear(width, after),
    )


class _Bound(nn.Module):
    """Minus the evidence bound per number, at the best variance of the errors."""

    def forward(self, found, _target):
        error, divergence = found
        return torch.log(error + 1e-12) / 2 + divergence


def train(x, latent, width, epochs, seed, *, progress=False):
    """Train an autoencoder on features of real images, then fit its variance.

    Parameters
    ----------
    x : (n, d) float32 array
    latent, width, epochs, seed
        As for `RiemannianManifold`.
    progress : bool
        Show a bar.

    Returns
    -------
    VariationalAutoencoder
    """
    parts = PCA(_n_components(x), svd_solver="randomized", random_state=seed).fit(x)
    with forked_random_state(seed):
        network = VariationalAutoencoder(*parts.components_.T.shape, latent, width)
        network.mean.copy_(torch.from_numpy(parts.mean_))
        network.components.copy_(torch.from_numpy(parts.components_))
        y = network.inputs(torch.from_numpy(x))
        network.scale.fill_(float(y.std()) or 1.0)
        net = trainer(
            network,
            len(x),
            _Bound,
            epochs=epochs,
            rate=RATE,
            batch_size=BATCH,
            optimizer=torch.optim.Adam,
            cycle_momentum=False,
            progress=progress,
        )
        net.fit((y / network.scale).numpy(), np.zeros(len(x), np.float32))
    network = net.module_.eval().requires_grad_(False)
    if not all(p.isfinite().all() for p in network.parameters()):
        raise FloatingPointError("the autoencoder diverged; give less width or epochs.")
    _fit_precision(network, torch.from_numpy(x), seed)
    return network


def _n_components(x):
    return min(COMPONENTS, *x.shape)


def _fit_precision(network, x, seed):
    """Make the precision that of the errors near the codes, and small elsewhere.

    The precision is a sum of bumps at the centres of clusters (Arvanitidis et al.
    2018). Their weights are not negative and give every centre the precision of its
    cluster.
    """
    with torch.no_grad():
        codes = network.encode(x)
        errors = (network.decode(codes) - x).square().mean(dim=-1).numpy()
    n = min(CLUSTERS, len(x))
    found = KMeans(n, n_init=1, random_state=seed).fit(codes.numpy())
    kept = np.unique(found.labels_)  # clusters are empty where codes coincide
    n, groups = len(kept), [found.labels_ == i for i in kept]
    wanted = np.array([1 / (errors[group].mean() + 1e-8) for group in groups])
    spread = codes.numpy() - found.cluster_centers_[found.labels_]
    spread = np.linalg.norm(spread, axis=1)
    size = np.array([spread[group].mean() for group in groups])
    reach = 0.5 / (2 * np.maximum(size, size.mean() + 1e-8)) ** 2
    centres = found.cluster_centers_[kept]
    apart = np.square(centres[:, None] - centres).sum(axis=-1)
    rest = FAR * wanted.min()
    weights = nnls(np.exp(-reach * apart), wanted - rest)[0]
    network.centres[:n] = torch.from_numpy(centres)
    network.reach[:n] = torch.from_numpy(reach)
    network.weights[:n] = torch.from_numpy(weights)
    network.rest.fill_(rest)


def _flat(network):
    """All numbers of a network, its buffers included, in one array."""
    return torch.cat([v.flatten() for v in network.state_dict().values()]).numpy()


def _unflat(flat, network):
    """The network with the numbers of an array."""
    state, numbers = network.state_dict(), torch.from_numpy(flat)
    sizes = [value.numel() for value in state.values()]
    parts = zip(state.values(), numbers.split(sizes), strict=True)
    for value, part in parts:
        value.copy_(part.view_as(value))
    return network
