"""The learned projection: a denoiser of real images, whose noise is the artifact.

The best guess of a denoiser is the mean of all real images that a noisy one may come
from.  For small noise this mean approaches the closest point of the manifold (Alain and
Bengio 2014), so a network that was trained to remove noise from real images also
removes from a generated image what is not real about it.

::

    manifpt train denoiser --photo coffee
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from skorch.callbacks import LRScheduler
from torch import nn
from torch.utils.data import Subset, TensorDataset

from .._support.cache import cached, digest
from .._support.paths import DATA
from .._support.random_state import forked_random_state
from .._support.source import code_of
from .._support.suggestion import suggestion
from ..images.gm_photo import MANIFOLD_SEED, N_REAL, TEST_SEED
from ..images.manifest import read_manifest, verified
from ..images.photograph import PHOTOGRAPHS, PhotoManifold
from .device import exact_products, torch_device
from .filters import Filter
from .networks import as_input
from .remembered import Remembered
from .training import Bar, Trainer
from .weights import read_weights, write_weights

BATCH = 32  # images of a training step
RATE = 2e-3  # learning rate of the first step; it falls linearly to zero
# Pixels; larger images are trained on in pieces.  Pieces of 64 pixels take three times
# as long, and leave as much of the noise.
CROP = 32
LEVELS = (2, 5, 10)  # noise, in grey levels, by which denoisers are compared
N_HELD_OUT = 500
FOLDER = DATA / "denoisers"
REMEMBERED = Remembered(150_000_000)  # bytes: 3,000 images of 64 x 64 pixels


class Denoiser(Filter):
    """The noise that a network trained on real images predicts in an image.

    Parameters
    ----------
    space : {"rgb", "frequency"}
        Whether the artifact is given as pixels or as log spectrum.
    weights : str or path, optional
        "coffee", "flower", "astronaut" or "china" for the shipped networks, or a
        .safetensors file.  Without it, `fit` trains on its real images.
    steps : int
        Training steps of 32 images each.
    noise : float
        Largest standard deviation of the noise in training, in grey levels.
    width : int
        Channels of the network.
    seed : int
    progress : bool
        Show a bar while training.
    device : str, optional
        Device of torch where the network is trained and computes, by default that of
        `use_device`.

    Attributes
    ----------
    device_ : torch.device
    network_ : torch.nn.Module
        Predicts the noise in pixels (n, 3, h, w) in 0..1, for any h and w.

    Notes
    -----
    On a CPU, all denoisers of a process together remember the artifacts that were asked
    for last, in at most 150 MB (`REMEMBERED.size`); `REMEMBERED.forget()` frees them.

    Examples
    --------
    >>> grey = np.full((40, 8, 8, 3), 128, np.uint8)
    >>> Denoiser(steps=5).fit(grey).project(grey[:2]).artifact.shape
    (2, 192)
    """

    def __init__(
        self,
        space="rgb",
        *,
        weights=None,
        steps=2000,
        noise=20,
        width=32,
        seed=0,
        progress=False,
        device=None,
    ):
        super().__init__(space)
        self.weights = weights
        self.steps = steps
        self.noise = noise
        self.width = width
        self.seed = seed
        self.progress = progress
        self.device = device

    @property
    def _numbers(self):
        return 2 * self.network_.width

    def _learn(self, real):
        self.device_ = torch_device(self.device)
        if self.weights is not None:
            self.network_ = _read(self.weights).to(self.device_)
            return
        for name in ("steps", "noise", "width"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"{name} must be positive, got {getattr(self, name)!r}."
                )
        options = self.steps, self.noise, self.width, self.seed
        how = {"progress": self.progress, "device": str(self.device_)}
        flat = cached(
            lambda: _flat(train(real, *options, **how)),
            *("denoiser", real, *options, str(self.device_)),
            code=code_of(train, Trainer),
        )
        self.network_ = _unflat(flat, self.width).to(self.device_)

    def _artifacts(self, images):
        if self.device_.type != "cpu":  # on which results depend on the whole batch
            return self._predicted(images)
        return REMEMBERED(self._predicted, images, key=digest(_flat(self.network_)))

    def _predicted(self, images):
        with exact_products(), torch.inference_mode():
            # A copy, because torch accepts neither read-only arrays nor reversed ones.
            x = as_input(torch.from_numpy(np.array(images, order="C")).to(self.device_))
            return self.network_(x).permute(0, 2, 3, 1).cpu().numpy()


class Network(nn.Module):
    """Six 3 x 3 convolutions with ReLU, which predict the noise in pixels in 0..1.

    Parameters
    ----------
    width : int
        Channels between the convolutions.
    """

    def __init__(self, width=32):
        super().__init__()
        self.width = width
        layers = [nn.Conv2d(3, width, 3, padding=1), nn.ReLU()]
        for _ in range(4):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 3, 3, padding=1))
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        return 0.1 * self.layers(2 * x - 1)


class _Trainee(nn.Module):
    """Error of the noise that is predicted for (n, h, w, 3) uint8 images."""

    def __init__(self, network, noise):
        super().__init__()
        self.network, self.noise = network, noise

    def forward(self, images):
        x = _piece(as_input(images))
        # Drawn on the CPU, so that a GPU is given the same numbers.
        mirrored = torch.rand(len(x), 1, 1, 1).to(x.device) < 0.5
        x = torch.where(mirrored, x.flip(-1), x)
        sd = self.noise / 255 * torch.rand(len(x), 1, 1, 1).to(x.device)
        noise = sd * torch.randn_like(x, device="cpu").to(x.device)
        # Half the time in bfloat16, which keeps the exponents of float32.
        with torch.autocast(x.device.type, torch.bfloat16):
            predicted = self.network(x + noise)
        return predicted.float() - noise


def _piece(x):
    """The same random piece of every image of a batch."""
    top, left = (int(torch.randint(max(1, s - CROP + 1), ())) for s in x.shape[2:])
    return x[..., top : top + CROP, left : left + CROP]


class _MeanSquare(nn.Module):
    """The loss in the form that skorch calls; there is no target."""

    def forward(self, wrong, _target):
        return wrong.square().mean()


def train(real, steps, noise, width, seed, *, progress=False, device="cpu"):
    """Train a network to predict the noise that was added to real images.

    Parameters
    ----------
    real : (n, h, w, 3) uint8 array
    steps, noise, width, seed
        As for `Denoiser`.
    progress : bool
        Show a bar.
    device : str
        Device of torch.

    Returns
    -------
    Network
    """
    with forked_random_state(seed):
        network = Network(width)
        net = _trainer(_Trainee(network, noise), steps, progress, device)
        net.fit(_repeated(real, steps * BATCH), None)
    if not all(p.isfinite().all() for p in network.parameters()):
        raise FloatingPointError("the denoiser diverged; give less noise or width.")
    return network.eval().requires_grad_(False)


def _repeated(real, n):
    """A data set of n images, in which every image is as frequent, give or take one."""
    images = torch.from_numpy(np.array(real, order="C"))
    whole = TensorDataset(images, torch.zeros(len(images)))
    return Subset(whole, np.arange(n) % len(images))


def _trainer(trainee, steps, progress, device):
    """The net that trains for one epoch of that many steps."""
    schedule = LRScheduler(
        torch.optim.lr_scheduler.LambdaLR,
        lr_lambda=lambda step: max(0, 1 - step / steps),
        step_every="batch",
    )
    return Trainer(
        trainee,
        criterion=_MeanSquare,
        optimizer=torch.optim.Adam,
        lr=RATE,
        batch_size=BATCH,
        device=device,
        max_epochs=1,
        train_split=None,
        callbacks=[schedule] + [Bar(steps)] * progress,
        verbose=0,
    )


def _flat(network):
    return torch.cat([p.flatten() for p in network.parameters()]).cpu().numpy()


def _unflat(flat, width):
    with forked_random_state():  # because a new network draws its first weights
        network = Network(width).requires_grad_(False).eval()
    nn.utils.vector_to_parameters(torch.from_numpy(flat), network.parameters())
    return network


def denoising_error(denoiser, real, *, levels=LEVELS, seed=0):
    """The share of the noise that a denoiser leaves in real images it has not seen.

    Parameters
    ----------
    denoiser : fitted Denoiser
    real : (n, h, w, 3) uint8 array
    levels : sequence of float
        Standard deviations of the noise, in grey levels.
    seed : int

    Returns
    -------
    Series
        For each level, the root mean square of the noise that is left, divided by that
        of the noise; 1 if nothing is removed.
    """
    clean = as_input(torch.from_numpy(np.array(real, order="C")))
    unit = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))
    found = {}
    with torch.inference_mode():
        for level in levels:
            noise = unit * level / 255
            noisy = (clean + noise).to(denoiser.device_)
            left = denoiser.network_(noisy).cpu() - noise
            found[level] = float(left.square().mean().sqrt() / (level / 255))
    return pd.Series(found, name="share left").rename_axis("level")


def compare(candidates, real, *, levels=LEVELS, held_out=0.1, seed=0):
    """Train denoisers on a part of real images, and measure them on the rest.

    Noise level and width are chosen by this rule: the smallest mean error.

    Parameters
    ----------
    candidates : dict of name to Denoiser
    real : (n, h, w, 3) uint8 array
    levels : sequence of float
    held_out : float
        Share of the images on which the denoisers are measured.
    seed : int
        Seed of the choice of those images, and of the noise.

    Returns
    -------
    DataFrame
        A row per candidate, a column per level, and their `mean`.
    """
    order = np.random.default_rng(seed).permutation(len(real))
    cut = max(1, round(held_out * len(real)))
    held, rest = real[order[:cut]], real[np.sort(order[cut:])]
    errors = {
        name: denoising_error(candidate.fit(rest), held, levels=levels, seed=seed)
        for name, candidate in candidates.items()
    }
    table = pd.DataFrame(errors).T
    return table.assign(mean=table.mean(axis=1))


def shipped(benchmark):
    """The name of the weights that are shipped for a benchmark, or None.

    Parameters
    ----------
    benchmark : Benchmark
    """
    photo = getattr(benchmark.manifold, "photo", None)
    return photo if photo and (FOLDER / f"{photo}.safetensors").is_file() else None


def _read(weights):
    """A network from a file, or from the shipped file of a photograph."""
    path = Path(weights)
    if str(weights) in PHOTOGRAPHS:
        path = FOLDER / f"{weights}.safetensors"
        verified(DATA, path.relative_to(DATA).as_posix(), read_manifest(DATA))
    elif path.suffix != ".safetensors":
        raise ValueError(
            f"unknown weights {str(weights)!r}; give a .safetensors file, or a "
            f"photograph:{suggestion(weights, PHOTOGRAPHS)}"
        )
    state = {key: value.float() for key, value in read_weights(path).items()}
    try:
        with forked_random_state():
            network = Network(len(state["layers.0.bias"]))
        network.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise ValueError(
            f"{path} does not hold a denoiser of this package ({error}); train one "
            "with `manifpt train denoiser`."
        ) from error
    return network.eval().requires_grad_(False)


def train_shipped(photo, *, steps, noise, width, seed, folder=FOLDER, progress=False):
    """Train a denoiser on views of a photograph, measure it on others, and write it.

    Parameters
    ----------
    photo : str
        A name of `PHOTOGRAPHS`.
    steps, noise, width, seed, progress
        As for `Denoiser`.
    folder : Path
        Folder for `<photo>.safetensors`, in half precision, and `<photo>.json`.

    Returns
    -------
    dict
        The record: parameters, seconds, and the share of the noise that is left.
    """
    start = time.process_time()
    options = {"steps": steps, "noise": noise, "width": width, "seed": seed}
    views = PhotoManifold(photo)
    denoiser = Denoiser(**options, progress=progress)
    denoiser.fit(views.sample(N_REAL, seed=MANIFOLD_SEED))
    seconds = time.process_time() - start
    errors = denoising_error(denoiser, views.sample(N_HELD_OUT, seed=TEST_SEED))
    record = {
        "photo": photo,
        **options,
        "cpu_seconds": round(seconds, 1),
        "share_left": {str(k): round(v, 4) for k, v in errors.items()},
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
    }
    write_weights(denoiser.network_, Path(folder) / f"{photo}.safetensors", record)
    return record
