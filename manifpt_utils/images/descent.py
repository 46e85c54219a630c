"""Least squares within bounds, for many small problems at once."""

import torch

SETTLED = 1e-3  # a descent whose step is shorter in every coordinate has arrived


def descend(evaluate, c, box, steps):
    """The Levenberg-Marquardt method within bounds, for one problem per row.

    Parameters
    ----------
    evaluate : callable
        Takes coordinates (b, m) and the numbers (b,) of their problems.  Returns
        squared distances (b,), half their gradients (b, m) and normal matrices
        (b, m, m).
    c : (n, m) float32 tensor
        Where the problems start.
    box : (low, high) of (m,) tensors
    steps : int
        Largest number of steps.

    Returns
    -------
    c : (n, m) tensor
    loss : (n,) tensor
        The squared distances there.
    """
    damping = torch.full((len(c),), 1e-2)
    c = c.clone()
    state = loss, gradient, normal = evaluate(c, torch.arange(len(c)))
    for _ in range(steps):
        step = _newton_step(gradient, normal, damping, c, box)
        tried = torch.clamp(c + step, *box)
        on = ((tried - c).abs().amax(1) > SETTLED).nonzero()[:, 0]
        if not len(on):
            break
        new = evaluate(tried[on], on)
        better = new[0] < loss[on]
        accepted = on[better]
        c[accepted] = tried[accepted]
        for old, now in zip(state, new, strict=True):
            old[accepted] = now[better]
        damping[on] *= torch.where(better, 0.3, 10.0)
    return c, loss


def _newton_step(gradient, normal, damping, c, box):
    low, high = box
    # A coordinate that is pushed against its bound must not influence the others.
    free = ~(((c <= low) & (gradient > 0)) | ((c >= high) & (gradient < 0)))
    normal = normal * (free[:, :, None] & free[:, None, :])
    diagonal = torch.diagonal(normal, dim1=-2, dim2=-1)
    extra = damping[:, None] * diagonal + ~free + 1e-6
    return -torch.linalg.solve(normal + torch.diag_embed(extra), gradient * free)
