"""Maps: openTSNE, which the chapters use, against the t-SNE of scikit-learn."""

from functools import partial

import numpy as np
import openTSNE
from sklearn.manifold import TSNE

from .measure import Contender, Task

PERPLEXITY = 30


def tasks(*, quick=False):
    """The task: 50 principal components of six classes, as in the chapter on maps."""
    n = 200 if quick else 3_000
    contenders = (
        Contender("openTSNE", _open, note="as in the chapter"),
        Contender("sklearn.manifold.TSNE", _sklearn),
    )
    return [Task(f"t-SNE of {n:,} points", partial(_classes, n), contenders, _loss)]


def _classes(n):
    rng = np.random.default_rng(0)
    centers = 4 * rng.standard_normal((6, 50))
    return (centers[np.arange(n) % 6] + rng.standard_normal((n, 50)),)


def _open(x):
    tsne = openTSNE.TSNE(perplexity=PERPLEXITY, random_state=0)
    return lambda: float(tsne.fit(x).kl_divergence)


def _sklearn(x):
    def loss():
        return float(TSNE(perplexity=PERPLEXITY, random_state=0).fit(x).kl_divergence_)

    return loss


def _loss(first, other):
    return f"divergence {other:.3f}"
