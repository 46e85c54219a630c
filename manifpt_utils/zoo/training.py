"""The training loop: progress, checkpoints, resuming, weight averaging, the record."""

import json
import os
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from .._support.random_state import forked_random_state
from ..images.photograph import PhotoManifold
from .registry import find, steps_of

TRAINING_VIEWS, TRAINING_SEED = 8000, 0
CHECKPOINT_VERSION = 1


def run_folder(root, photo, model, seed):
    """The folder in which a training keeps its files."""
    return Path(root) / photo / f"{model}-{seed}"


def train(
    model, *, photo, seed=0, root="zoo_runs", steps=None, every=250, device="cpu"
):
    """Train one generator, resuming from its last checkpoint, and write its samples.

    Parameters
    ----------
    model : str
        A name of `registry.MODELS`.
    photo : str
        The photograph whose views are the training data.
    seed : int
        Seed of weights, batches and noise.
    root : path
        Folder of all trainings; this one gets `root/<photo>/<model>-<seed>`.
    steps : int, optional
        Number of training steps; by default those of `steps_of`.
    every : int
        Steps between checkpoints.
    device : {"cpu", "cuda"}
        Where to train.  Random numbers differ between the two.

    Returns
    -------
    Path
        The folder, with `weights.safetensors`, `samples.npy` and `record.json`.

    Raises
    ------
    ValueError
        If the model or photograph is unknown, a checkpoint does not fit, or there is no
        such device.
    OSError
        If a checkpoint cannot be written; the last complete one is kept.
    FloatingPointError
        If a loss is no longer finite; the last good checkpoint is kept.
    """
    row = find(model)
    folder = run_folder(root, photo, model, seed)
    if (folder / "record.json").exists():
        return folder
    _check_device(device)
    images = training_images(photo).to(device)
    folder.mkdir(parents=True, exist_ok=True)
    with torch.device(device):
        state = State(row, seed, folder, model)
        state.resume()
        steps = steps or steps_of(model, photo)
        _loop(state, images, steps, every, f"{photo}/{model}-{seed}")
        _finish(state, images, photo)
    return folder


def _check_device(device):
    if device not in ("cpu", "cuda"):
        raise ValueError(f'device must be "cpu" or "cuda", got {device!r}.')
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "torch sees no CUDA device; leave device at cpu, or install a torch that "
            "is built for your GPU."
        )


def training_images(photo):
    """The 8,000 views from which generators of a photograph learn: (n, 3, 32, 32)."""
    views = PhotoManifold(photo).sample(TRAINING_VIEWS, seed=TRAINING_SEED)
    return torch.from_numpy(views).permute(0, 3, 1, 2).contiguous()


@contextmanager
def seeded(*numbers):
    """A block with its own random state, which is derived from the numbers."""
    mixed = np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]
    with forked_random_state(int(mixed >> 1)):
        yield


class State:
    """Everything that a training needs to continue after it was killed."""

    def __init__(self, row, seed, folder, model):
        self.row, self.seed, self.folder, self.model = row, seed, folder, model
        with seeded(seed):
            self.recipe = row.build()
        average = get_ema_multi_avg_fn(row.decay)
        self.average = AveragedModel(
            self.recipe.generator, multi_avg_fn=average, use_buffers=True
        )
        self.step, self.seconds, self.losses = 0, 0.0, []

    @property
    def path(self):
        """The checkpoint file."""
        return self.folder / "checkpoint.pt"

    def save(self):
        """Write the checkpoint under a temporary name, then move it into place."""
        content = {
            "version": CHECKPOINT_VERSION,
            "model": self.model,
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
            "networks": self.recipe.networks.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [o.state_dict() for o in self.recipe.optimisers],
        }
        temporary = self.path.with_suffix(".part")
        try:
            torch.save(content, temporary)
        except (OSError, RuntimeError) as error:  # torch raises either on a full disk
            raise OSError(
                f"{temporary} cannot be written; free some space and start again: the "
                f"last complete state, if any, is kept in {self.path}."
            ) from error
        os.replace(temporary, self.path)

    def resume(self):
        """Load the checkpoint if there is one; refuse one of another architecture."""
        if not self.path.exists():
            return
        content = torch.load(
            self.path, weights_only=True, map_location=torch.get_default_device()
        )
        found = content.get("version"), content.get("model")
        if found != (CHECKPOINT_VERSION, self.model):
            raise ValueError(
                f"{self.path} is a checkpoint of version and model {found}, not "
                f"{(CHECKPOINT_VERSION, self.model)}; delete it to train from scratch."
            )
        try:
            self.recipe.networks.load_state_dict(content["networks"])
        except RuntimeError as error:
            raise ValueError(
                f"{self.path} holds another architecture of {self.model}; delete it "
                "to train from scratch."
            ) from error
        self.average.load_state_dict(content["average"])
        for optimiser, saved in zip(
            self.recipe.optimisers, content["optimisers"], strict=True
        ):
            optimiser.load_state_dict(saved)
        self.step, self.seconds = content["step"], content["seconds"]
        self.losses = content["losses"]


def _loop(state, images, steps, every, title):
    bar = tqdm(range(state.step, steps), initial=state.step, total=steps, desc=title)
    for step in bar:
        start = time.process_time()
        with seeded(state.seed, step + 1):
            batch = images[torch.randint(len(images), (state.row.batch,))]
            if state.row.anneal:
                _anneal(state.recipe.optimisers, step / steps)
            losses = state.recipe.step(batch / 127.5 - 1, step / steps)
        state.average.update_parameters(state.recipe.generator)
        _check_finite(losses, step, state)
        state.step, state.seconds = (
            step + 1,
            state.seconds + time.process_time() - start,
        )
        if step % 50 == 0:
            bar.set_postfix({k: f"{v:.3g}" for k, v in losses.items()}, refresh=False)
            state.losses.append({"step": step, **losses})
        if state.step % every == 0 or state.step == steps:
            state.save()


def _anneal(optimisers, progress):
    """Set the rates: constant for the first half, then down to zero."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group.setdefault("initial_lr", group["lr"])
            group["lr"] = group["initial_lr"] * min(1.0, 2 * (1 - progress))


def _check_finite(losses, step, state):
    good = all(np.isfinite(v) for v in losses.values())
    # The loss can be finite although the last update has broken the weights.
    norm = nn.utils.get_total_norm(state.recipe.networks.parameters())
    if not (good and norm.isfinite()):
        raise FloatingPointError(
            f"{state.model}, seed {state.seed}: loss {losses} at step {step}. The last "
            f"good checkpoint is kept in {state.path}."
        )


def _finish(state, images, photo, n=1000):
    """Write averaged weights in half precision, and the samples that they draw."""
    network = state.average.module
    with seeded(state.seed, 0), torch.no_grad():
        batches = [images[i * 64 : i * 64 + 64] / 127.5 - 1 for i in range(100)]
        state.recipe.calibrate(network, batches)
    save_weights(network, state.folder / "weights.safetensors")
    load_weights(network, state.folder / "weights.safetensors")
    start = time.process_time()
    samples = draw(state.recipe, network, n, seed=state.seed)
    np.save(state.folder / "samples.npy", samples, allow_pickle=False)
    record = _record(state, photo, time.process_time() - start)
    temporary = state.folder / "record.part"
    temporary.write_text(json.dumps(record, indent=1))
    os.replace(temporary, state.folder / "record.json")


def _record(state, photo, sampling_seconds):
    return {
        "model": state.model,
        "family": state.row.family,
        "photo": photo,
        "seed": state.seed,
        "steps": state.step,
        "batch": state.row.batch,
        "parameters": sum(p.numel() for p in state.recipe.generator.parameters()),
        "device": torch.get_default_device().type,
        "training_cpu_seconds": round(state.seconds, 1),
        "sampling_cpu_seconds": round(sampling_seconds, 1),
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
        "losses": state.losses,
    }


def save_weights(network, path):
    """Write a network's state in half precision (integers as they are)."""
    state = {
        k: (v.half() if v.is_floating_point() else v).contiguous().clone()
        for k, v in network.state_dict().items()
    }
    temporary = Path(path).with_suffix(".part")
    save_file(state, temporary)
    os.replace(temporary, path)


def load_weights(network, path):
    """Load weights from `save_weights` into a network of the same architecture."""
    saved = load_file(path)
    current = network.state_dict()
    network.load_state_dict({k: v.to(current[k].dtype) for k, v in saved.items()})
    return network


def draw(recipe, network, n, *, seed=0, batch=250):
    """Draw images from a trained network, rounded to 8 bits like the real ones.

    Returns
    -------
    (n, 32, 32, 3) uint8 array
    """
    network.eval()
    parts = []
    with torch.no_grad(), seeded(seed, 1, 0):
        for start in range(0, n, batch):
            images = recipe.sample(network, min(batch, n - start))
            images = (images.clamp(-1, 1) * 127.5 + 127.5).round().byte()
            parts.append(images.permute(0, 2, 3, 1).cpu().numpy())
    return np.concatenate(parts)
