"""The table of models: name, recipe, steps.  A new generator is a new row."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .._support.suggestion import suggestion
from . import (
    alae,
    biggan,
    ddgan,
    factorial,
    flow,
    gan,
    ldm,
    lsgm,
    macow,
    ncsn,
    nvae,
    residual_flow,
    score,
    stylegan,
    stylegan3,
    styleswin,
    vae,
    vae_bm,
    vdvae,
    vqgan,
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
        "GAN",
        partial(gan.Gan, loss="non_saturating", dense=True, rate=4e-4),
        30000,
        anneal=True,
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
    "ddgan": Model("GAN", ddgan.DenoisingDiffusionGan, 2000, batch=16, anneal=True),
    "vqgan": Model("GAN", vqgan.VqGan, 2300, batch=32),
    "stylegan3": Model("GAN", stylegan3.StyleGan3, 4000, batch=16, anneal=True),
    "styleswin": Model("GAN", styleswin.StyleSwin, 4000, batch=16, anneal=True),
    "beta_vae": Model("VAE", vae.BetaVae, 3500, anneal=True),
    "dfc_vae": Model("VAE", vae.DfcVae, 3500, anneal=True),
    "nvae": Model("VAE", nvae.Nvae, 3000, batch=32, anneal=True),
    "eff_vdvae": Model("VAE", vdvae.EfficientVdvae, 8000, batch=32, anneal=True),
    "style_alae": Model("VAE", alae.StyleAlae, 4000, batch=16, anneal=True),
    "vae_bm": Model("VAE", vae_bm.VaeBm, 1000, batch=32, decay=0.98),
    "glow": Model("Flow", flow.Glow, 9000, batch=16, anneal=True),
    "macow": Model("Flow", macow.MaCow, 2200, batch=16, anneal=True),
    "residual_flow": Model(
        "Flow", residual_flow.ResidualFlow, 5000, batch=16, anneal=True
    ),
    "ddpm": Model("Score", score.Ddpm, 1500, anneal=True),
    "ldm": Model("Score", ldm.LatentDiffusion, 2300, batch=32),
    "ncsnpp": Model("Score", ncsn.ScoreMatching, 1300, batch=32, anneal=True),
    "lsgm": Model("Score", lsgm.Lsgm, 8000, batch=32, anneal=True),
    "rve": Model(
        "Score",
        partial(ncsn.ScoreMatching, soft_truncation=True),
        1600,
        anneal=True,
    ),
}

# Steps on photographs on which those of the table leave no picture that a person knows.
LONGER = {
    ("beta_vae", "flower"): 10_000,
    ("vae_bm", "flower"): 3000,
    ("stylegan2", "china"): 6000,
    ("ddgan", "astronaut"): 4000,
    ("macow", "astronaut"): 5000,
}

# The controlled experiments; see `factorial`.
EXPERIMENTS = {
    name: Model(
        "GAN",
        partial(factorial.recipe, design),
        factorial.STEPS[design.loss],
        batch=factorial.BATCHES[design.loss],
        decay=0.995,
        anneal=True,
    )
    for name, design in factorial.designs().items()
}


def find(name):
    """Return the table row of a model or of a controlled experiment.

    Raises
    ------
    ValueError
        If the name is unknown; the nearest known name is suggested.
    """
    table = MODELS | EXPERIMENTS
    if name not in table:
        raise ValueError(f"unknown model {name!r};{suggestion(name, table)}")
    return table[name]


def steps_of(model, photo):
    """The number of steps for which a model is trained on a photograph.

    Examples
    --------
    >>> steps_of("beta_vae", "coffee"), steps_of("beta_vae", "flower")
    (3500, 10000)
    """
    return LONGER.get((model, photo), find(model).steps)
