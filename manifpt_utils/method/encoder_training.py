"""The training of the two small encoders that come with the package.

::

    manifpt train encoder --method supervised
    manifpt train encoder --method selfsupervised

They stand in for the ImageNet networks of Tab. 4 of the paper where nothing may be
downloaded.  `supervised` learns to tell from which photograph, and from which region of
it, a crop was cut; `selfsupervised` learns without labels, with the Barlow Twins loss
(Zbontar et al. 2021).  Their photographs, listed in `SOURCES` with their licences,
share nothing with the four of the benchmark, as ImageNet shares nothing with the
paper's data.
"""

import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from .._support.paths import DATA
from .._support.random_state import forked_random_state
from .._support.suggestion import suggestion
from .device import torch_device
from .networks import N_FEATURES, SIZE, SmallEncoder, as_input, encode
from .training import trainer
from .weights import write_weights

SHORT_SIDE = 128  # photographs are first reduced to this, which makes crops cheap
RELATIVE_SIDE = (0.3, 0.75)  # of the short side
UNSEEN = 1_000_003  # seed of crops that no training uses
ENCODERS = DATA / "encoders"


class Source(NamedTuple):
    """A photograph to train on: where it is, its licence, and its regions per side."""

    location: str
    licence: str
    cells: int  # 1 where all regions look the same


SOURCES = {
    "cat": Source("skimage.data:chelsea", "CC0, S. van der Walt", 3),
    "rocket": Source("skimage.data:rocket", "public domain, SpaceX", 3),
    "galaxies": Source("skimage.data:hubble_deep_field", "public domain, NASA", 1),
    "tissue": Source(
        "skimage.data:immunohistochemistry", "no known copyright restrictions, CMMI", 3
    ),
    "retina": Source("skimage.data:retina", "CC0, M. Haggstrom", 3),
    "motorcycle": Source(
        "skimage.data:stereo_motorcycle",
        "use and publication granted, Middlebury 2014 (Scharstein et al., GCPR 2014)",
        3,
    ),
    "admiral": Source("matplotlib:grace_hopper.jpg", "public domain, US Navy", 3),
    "cameraman": Source("skimage.data:camera", "CC0, L. Varshney", 3),
    "coins": Source(
        "skimage.data:coins", "no known copyright restrictions, Brooklyn Museum", 3
    ),
    "handwriting": Source("skimage.data:text", "public domain, Wikipedia", 1),
    "brick": Source("skimage.data:brick", "CC0, cc0textures.com", 1),
    "grass": Source("skimage.data:grass", "CC0, linolafett", 1),
    "gravel": Source("skimage.data:gravel", "CC0, cc0textures.com", 1),
}


class Crops(NamedTuple):
    """Crops of the sources, one or two overlapping views of each."""

    images: np.ndarray  # (n, views, 32, 32, 3) uint8
    labels: np.ndarray  # (n,) int64: photograph and region


class Recipe(NamedTuple):
    """How an encoder is trained; how long it took is in its record."""

    crops: int
    epochs: int
    batch_size: int
    rate: float
    weight_decay: float


RECIPES = {
    "supervised": Recipe(40_000, 8, 128, 4e-3, 1e-2),
    "selfsupervised": Recipe(40_000, 4, 256, 4e-3, 1e-4),
}


def n_regions():
    """Number of classes of the supervised task: all regions of all photographs."""
    return sum(source.cells**2 for source in SOURCES.values())


@cache
def load_source(name):
    """Read one photograph, in RGB, its short side reduced to `SHORT_SIDE` pixels.

    Parameters
    ----------
    name : str
        A key of `SOURCES`.

    Returns
    -------
    PIL.Image.Image
    """
    library, _, item = SOURCES[name].location.partition(":")
    if library == "matplotlib":
        from matplotlib.cbook import get_sample_data

        photo = Image.open(get_sample_data(item, asfileobj=False))
    else:
        from skimage import data

        array = getattr(data, item)()
        photo = Image.fromarray(array[0] if isinstance(array, tuple) else array)
    factor = SHORT_SIDE / min(photo.size)
    size = [round(side * factor) for side in photo.size]
    return photo.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def draw_crops(n, *, views=1, seed=0):
    """Draw square crops of the sources, reduced to 32 x 32.

    Photograph and position are uniform, the side is log-uniform between 30 % and 75 %
    of the short side.  Further views of a crop are moved by up to a fifth of its side
    and resized by up to a third.

    Parameters
    ----------
    n : int
    views : int
    seed : int

    Returns
    -------
    Crops
        Named tuple of `images` (n, views, 32, 32, 3) uint8 and `labels` (n,) int64.

    Examples
    --------
    >>> draw_crops(5, views=2).images.shape
    (5, 2, 32, 32, 3)
    """
    rng = np.random.default_rng(seed)
    photos = [load_source(name) for name in SOURCES]
    cells = np.array([source.cells for source in SOURCES.values()])
    first_label = np.cumsum(cells**2) - cells**2
    chosen = rng.integers(len(photos), size=n)
    position = rng.random((n, 2))  # x, y from one edge to the other
    side = _log_uniform(rng, RELATIVE_SIDE, n) * SHORT_SIDE
    column, row = np.floor(position * cells[chosen, None]).astype(np.int64).T
    labels = first_label[chosen] + row * cells[chosen] + column
    images = np.empty((n, views, SIZE, SIZE, 3), np.uint8)
    for i, photo in enumerate(chosen):
        box = _box(photos[photo].size, position[i], side[i])
        for view in range(views):
            moved = _move(rng, box, photos[photo].size) if view else box
            images[i, view] = _cut(photos[photo], moved)
    return Crops(images, labels)


def _log_uniform(rng, limits, n=None):
    return np.exp(rng.uniform(*np.log(limits), size=n))


def _box(size, position, side):
    """Corner and side of a crop, from its relative position in a photograph."""
    return *(position * (np.array(size) - side)), side


def _move(rng, box, size):
    x, y, side = box
    new_side = np.clip(side * _log_uniform(rng, (0.75, 1.33)), SIZE, min(size))
    shift = rng.uniform(-0.2, 0.2, 2) * side + (side - new_side) / 2
    corner = np.clip(np.array([x, y]) + shift, 0, np.array(size) - new_side)
    return *corner, new_side


def _cut(photo, box):
    x, y, side = box
    corners = x, y, x + side, y + side
    return photo.resize((SIZE, SIZE), Image.Resampling.LANCZOS, box=corners)


def augment(x):
    """Mirror images and change their brightness, contrast, saturation and tint.

    Nothing blurs or adds noise, because the traces that make a fingerprint must stay
    visible.

    Parameters
    ----------
    x : (n, 3, h, w) float tensor in [0, 1]

    Returns
    -------
    (n, 3, h, w) float tensor in [0, 1]
    """

    def drawn(channels=1):
        # On the CPU, so that a GPU is given the same numbers.
        return torch.rand(len(x), channels, 1, 1).to(x.device)

    def factor(spread, channels=1):
        return 1 + spread * (2 * drawn(channels) - 1)

    x = torch.where(drawn() < 0.5, x.flip(-1), x)
    grey = x.mean(1, keepdim=True)
    colourless = drawn() < 0.1
    x = grey + (x - grey) * factor(0.5) * ~colourless
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (mean + (x - mean) * factor(0.4)) * factor(0.3) * factor(0.15, 3)
    return x.clamp(0, 1)


class _Trainee(nn.Module):
    """Encoder and head on one view (classes) or two views (embeddings) of a crop."""

    def __init__(self, encoder, head):
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, crops):
        """Outputs for each view of (n, views, 32, 32, 3) uint8 crops."""
        views = [self._view(view) for view in crops.unbind(1)]
        return views[0] if len(views) == 1 else tuple(views)

    def _view(self, view):
        x = as_input(view)
        if self.training:
            x = augment(x)
        # Half the time in bfloat16, which keeps the exponents of float32.
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.training):
            return self.head(self.encoder(x)).float()


def barlow_twins_loss(a, b, *, weight=0.0051):
    r"""Make two views agree in every feature and features differ from each other.

    .. math::

        L = \sum_i (1 - C_{ii})^2 + \lambda \sum_i \sum_{j \ne i} C_{ij}^2

    with C the correlation of the features of one view with those of the other
    (Zbontar et al. 2021, eqs. 1 and 2).

    Parameters
    ----------
    a, b : (n, d) tensors
        Embeddings of two views of the same n crops.
    weight : float
        The lambda of the formula.

    Returns
    -------
    Tensor
        One number, 0 where C is the identity.

    Examples
    --------
    >>> x = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> round(barlow_twins_loss(x, x).item(), 6), round(barlow_twins_loss(x, -x).item())
    (0.0, 8)
    """
    a, b = (_standardise(z) for z in (a, b))
    correlation = a.T @ b / len(a)
    agreement = (1 - correlation.diagonal()).square().sum()
    redundancy = correlation.square().sum() - correlation.diagonal().square().sum()
    return agreement + weight * redundancy


def _standardise(z):
    return (z - z.mean(0)) / (z.std(0, correction=0) + 1e-6)


class _BarlowTwins(nn.Module):
    """The loss in the form that skorch calls; there is no target."""

    def forward(self, embeddings, _target):
        return barlow_twins_loss(*embeddings)


def _network(method, recipe, progress):
    """The net that trains one encoder."""
    if method == "supervised":
        head = nn.Linear(N_FEATURES, n_regions())
        trainee, criterion = _Trainee(SmallEncoder(), head), nn.CrossEntropyLoss
    else:
        trainee, criterion = _Trainee(SmallEncoder(), _projector()), _BarlowTwins
    return trainer(
        trainee,
        recipe.crops,
        criterion,
        epochs=recipe.epochs,
        rate=recipe.rate,
        batch_size=recipe.batch_size,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=recipe.weight_decay,
        progress=progress,
        device=str(torch_device()),
    )


def _projector(width=512):
    return nn.Sequential(
        nn.Linear(N_FEATURES, width, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Linear(width, width, bias=False),
    )


def train(method, *, seed=0, crops=None, epochs=None, folder=ENCODERS, progress=False):
    """Train one encoder, measure it on crops it has not seen, and write both.

    Parameters
    ----------
    method : {"supervised", "selfsupervised"}
    seed : int
        Seed of crops, weights, batches and augmentation.
    crops, epochs : int, optional
        They replace the numbers in `RECIPES`.
    folder : path
        Folder for `<method>.safetensors`, in half precision, and `<method>.json`.
    progress : bool
        Show a bar.

    Returns
    -------
    dict
        The record: parameters, seconds, losses, measurements, sources.

    Raises
    ------
    ValueError
        If the method is unknown or a number is not positive.
    FloatingPointError
        If the loss is no longer finite; nothing is written.
    """
    recipe = _check_recipe(method, crops, epochs)
    start = time.process_time()
    network = _fit(method, recipe, seed, progress)
    seconds = time.process_time() - start
    losses = [round(loss, 4) for loss in network.history[:, "train_loss"]]
    if not np.isfinite(losses).all():
        raise FloatingPointError(
            f"the loss of {method} is not finite: {losses}; use a lower rate."
        )
    record = {
        "method": method,
        "seed": seed,
        **recipe._asdict(),
        "cpu_seconds": round(seconds, 1),
        "losses": losses,
        "held_out": measure(network, method),
        "sources": {name: source._asdict() for name, source in SOURCES.items()},
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
    }
    path = Path(folder) / f"{method}.safetensors"
    write_weights(network.module_.encoder, path, record)
    return record


def _fit(method, recipe, seed, progress):
    supervised = method == "supervised"
    data = draw_crops(recipe.crops, views=1 if supervised else 2, seed=seed)
    with forked_random_state(seed):
        network = _network(method, recipe, progress)
        return network.fit(data.images, data.labels if supervised else None)


def _check_recipe(method, crops, epochs):
    if method not in RECIPES:
        raise ValueError(f"unknown method {method!r};{suggestion(method, RECIPES)}")
    recipe = RECIPES[method]
    recipe = recipe._replace(crops=recipe.crops if crops is None else crops)
    recipe = recipe._replace(epochs=recipe.epochs if epochs is None else epochs)
    for name, least in (("crops", 2), ("epochs", 1)):
        value = getattr(recipe, name)
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}.")
    return recipe


def measure(network, method, *, n_train=4000, n_test=2000):
    """Judge an encoder on held-out crops: new positions in the same photographs.

    Parameters
    ----------
    network : fitted skorch network
    method : {"supervised", "selfsupervised"}
    n_train, n_test : int
        Crops on which the linear probes are trained and tested.

    Returns
    -------
    dict
        Accuracy of linear probes for photograph and region, on the features and on raw
        pixels, with chance to compare; and the spread, correlation and effective
        dimension of the features, which would show that the features have collapsed.
    """
    crops = draw_crops(n_train + n_test, seed=UNSEEN)
    images, labels = crops.images[:, 0], crops.labels
    features = encode(network.module_.encoder, images)
    pixels = images.reshape(len(images), -1) / np.float32(255)
    found = {
        "chance": np.bincount(labels[n_train:]).max() / n_test,
        "probe_accuracy": _probe(features, labels, n_train),
        "probe_accuracy_pixels": _probe(pixels, labels, n_train),
        **_collapse(features),
    }
    if method == "supervised":
        with torch.inference_mode():
            head = network.module_.head
            rows = torch.from_numpy(features[n_train:]).to(head.weight.device)
            scores = head(rows).cpu()
        found["accuracy"] = np.mean(scores.numpy().argmax(axis=1) == labels[n_train:])
    return {name: round(float(value), 4) for name, value in found.items()}


def _probe(x, labels, n_train):
    probe = make_pipeline(StandardScaler(), RidgeClassifier(alpha=100.0))
    probe.fit(x[:n_train], labels[:n_train])
    return probe.score(x[n_train:], labels[n_train:])


def _collapse(features):
    """Numbers that show whether features are constant or copies of each other."""
    sd = features.std(axis=0)
    z = (features - features.mean(axis=0)) / (sd + 1e-12)
    correlation = z.T @ z / len(z)
    off_diagonal = correlation[~np.eye(len(correlation), dtype=bool)]
    eigenvalues = np.linalg.eigvalsh(np.cov(features.T))
    return {
        "smallest_feature_sd": sd.min(),
        "mean_feature_sd": sd.mean(),
        "mean_absolute_correlation": np.abs(off_diagonal).mean(),
        "effective_dimension": eigenvalues.sum() ** 2 / (eigenvalues**2).sum(),
    }
