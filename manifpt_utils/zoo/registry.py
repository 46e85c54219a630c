"""The table of models: name, recipe, steps.  A new generator is one row."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..parameters import suggestion
from . import (
    alae,
    biggan,
    flow,
    gan,
    macow,
    ncsn,
    residual_flow,
    score,
    stylegan,
    vae,
    vdvae,
)


@dataclass(frozen=True)
class Model:
    """One generator: how to build its recipe and how long to train it."""

    family: str
    build: Callable
    steps: int
    batch: int = 64
    decay: float = 0.998  # of the weight average
    anneal: bool = False  # rate falls linearly to zero over the second half


DRAGAN = {"loss": "non_saturating", "penalty": 10.0, "around_real": True}

MODELS = {
    "plain_gan": Model(
        "GAN", partial(gan.Gan, loss="non_saturating", dense=True), 5000
    ),
    "dcgan": Model("GAN", partial(gan.Gan, loss="non_saturating"), 5000),
    "lsgan": Model("GAN", partial(gan.Gan, loss="least_squares"), 5000),
    "wgan_gp": Model(
        "GAN",
        partial(gan.Gan, loss="wasserstein", critic_steps=5, penalty=10.0),
        1600,
        batch=5 * 64,
    ),
    "wgan_lp": Model(
        "GAN",
        partial(
            gan.Gan, loss="wasserstein", critic_steps=5, penalty=10.0, one_sided=True
        ),
        1600,
        batch=5 * 64,
    ),
    "dragan_gp": Model("GAN", partial(gan.Gan, **DRAGAN), 3000),
    "dragan_lp": Model("GAN", partial(gan.Gan, **DRAGAN, one_sided=True), 3000),
    "biggan_deep": Model("GAN", biggan.BigGan, 2200, batch=32, anneal=True),
    "stylegan2": Model("GAN", stylegan.StyleGan2, 2800, batch=16, anneal=True),
    "beta_vae": Model("VAE", vae.BetaVae, 3500, anneal=True),
    "dfc_vae": Model("VAE", vae.DfcVae, 3500, anneal=True),
    "eff_vdvae": Model("VAE", vdvae.EfficientVdvae, 3000, batch=32, anneal=True),
    "style_alae": Model("VAE", alae.StyleAlae, 1400, batch=16, anneal=True),
    "glow": Model("Flow", flow.Glow, 9000, batch=16, anneal=True),
    "macow": Model("Flow", macow.MaCow, 2200, batch=16, anneal=True),
    "residual_flow": Model(
        "Flow", residual_flow.ResidualFlow, 1500, batch=16, anneal=True
    ),
    "ddpm": Model("Score", score.Ddpm, 1500, anneal=True),
    "rve": Model(
        "Score",
        partial(ncsn.ScoreMatching, soft_truncation=True),
        1600,
        anneal=True,
    ),
}


def find(name):
    """Return the table row of a model.

    Raises
    ------
    ValueError
        If the name is unknown; the nearest known name is suggested.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r};{suggestion(name, MODELS)}")
    return MODELS[name]
