"""The table of models: name, recipe, steps.  A new generator is one row."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial

from . import recipes


@dataclass(frozen=True)
class Model:
    """One generator: how to build its recipe and how long to train it."""

    family: str
    build: Callable
    steps: int
    batch: int = 64
    decay: float = 0.998  # of the weight average
    anneal: bool = False  # rate falls linearly to zero over the second half


MODELS = {
    "dcgan": Model("GAN", partial(recipes.Gan, loss="non_saturating"), 5000),
    "lsgan": Model("GAN", partial(recipes.Gan, loss="least_squares"), 5000),
    "wgan_gp": Model(
        "GAN",
        partial(recipes.Gan, loss="wasserstein", critic_steps=5, penalty=10.0),
        1600,
        batch=5 * 64,
    ),
    "beta_vae": Model("VAE", recipes.BetaVae, 3500, anneal=True),
    "glow": Model("Flow", recipes.Glow, 1500, anneal=True),
    "ddpm": Model("Score", recipes.Ddpm, 1500, anneal=True),
}


def find(name):
    """Return the table row of a model.

    Raises
    ------
    ValueError
        If the name is unknown; the nearest known name is suggested.
    """
    if name not in MODELS:
        near = get_close_matches(str(name), MODELS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"unknown model {name!r}.{hint} Known: {', '.join(MODELS)}.")
    return MODELS[name]
