"""What every recipe needs: 16-bit arithmetic, latents, one step of an optimiser.

A recipe defines what a generator optimises and how it samples, but not the training
loop.  It owns its networks and optimisers and has

* `generator` : the network whose averaged weights are shipped,
* `step(x, progress)` : one optimisation step on a batch, returns the losses by name;
  `progress` is the share of the training that is done,
* `calibrate(average, batches)` : recompute batch-norm statistics of averaged weights,
* `sample(average, n)` : images in [-1, 1] from the averaged weights.

Networks and noise are made on torch's default device, so that a recipe runs wherever
the training loop says.  Images are (n, 3, 32, 32) float tensors in [-1, 1].  There is
one module per family: `gan`, `vae`, `flow`, `score`.
"""

import torch
from torch import nn

LATENT = 64


def autocast():
    """Bfloat16 where the processor or GPU has it: twice as fast, same float range."""
    kind = torch.get_default_device().type
    known = kind in ("cpu", "cuda")
    return torch.autocast(kind if known else "cpu", torch.bfloat16, enabled=known)


def full_precision():
    """Leave `autocast` for a block that must not be computed in 16 bits."""
    kind = torch.get_default_device().type
    kind = kind if kind in ("cpu", "cuda") else "cpu"
    return torch.autocast(kind, torch.bfloat16, enabled=False)


def latents(n):
    """Standard normal latent vectors (n, LATENT)."""
    return torch.randn(n, LATENT)


def update(optimiser, loss, *, clip=None):
    """One step of the optimiser, with the gradient norm clipped if asked."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if clip:
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(parameters, clip)
    optimiser.step()
