"""Choice of representation and classifier, on the images to learn from."""

from collections import ChainMap
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from .._support.cache import cached
from .._support.source import code_of
from .._support.suggestion import suggestion
from ..method.classifiers import ImageAttributor, VectorAttributor
from ..method.evaluation import evaluate, with_effort
from ..method.networks import AttributionNetwork
from ..method.processes import in_processes, n_processes, pixels_per_image
from ..method.representations import Representation, is_possible, representations
from ..method.spaces import ALIASES
from ..method.spaces import SPACES as KNOWN_SPACES
from ..method.training import Trainer
from ..metrics.intervals import mean_interval
from .parts import few

# Splits, classifiers, networks and their training: what decides the score of a choice.
COMPUTES = (evaluate, ImageAttributor, AttributionNetwork, Trainer)

SPACES = ("rgb", "frequency")
ESTIMATES = ("raw", "nearest", "highpass", "denoiser")
# A saved attributor must need nothing but real images, and "exact" needs the known
# manifold.  "random" is no estimate of x* but what one must beat.
KNOWN_ESTIMATES = (*ESTIMATES, "hull", "tangent", "median", "pca", "mean")
CLASSIFIERS = ("linear", "network")
STEPS = 600  # training steps of a denoiser
FIRST, SECOND = 30, 100  # images per class, at most, in the two rounds
KEPT = 3  # candidates that reach the second round


class Candidate(NamedTuple):
    """The parts from which an attributor can be made."""

    space: str
    estimate: str
    classifier: str  # one of `CLASSIFIERS`

    @property
    def representation(self):
        """The representation that the classifier is shown."""
        return Representation(self.space, self.estimate)


def candidates(benchmark, space=None, estimate=None, classifier=None):
    """All candidates: a part that is given is fixed, the others are open.

    Parameters
    ----------
    benchmark : Benchmark
    space, estimate, classifier : str, optional

    Returns
    -------
    list of Candidate

    Raises
    ------
    ValueError
        If a name is unknown, or the combination is impossible.
    """
    _check_name("space", space, [*KNOWN_SPACES, *ALIASES])
    _check_name("estimate", estimate, KNOWN_ESTIMATES)
    _check_name("classifier", classifier, CLASSIFIERS)
    parts = (
        [space] if space else SPACES,
        [estimate] if estimate else ESTIMATES,
        [classifier] if classifier else CLASSIFIERS,
    )
    found = [Candidate(*names) for names in product(*parts)]
    found = [x for x in found if is_possible(x.representation, benchmark)]
    if not found:
        raise ValueError(
            f"the estimate {estimate!r} filters pixels, which {space!r} does not have; "
            "take the space 'rgb' or 'frequency'."
        )
    return found


def _check_name(what, name, known):
    if name is not None and name not in known:
        raise ValueError(f"unknown {what} {name!r};{suggestion(name, known)}")


def fitted(benchmark, names, denoiser_steps=STEPS):
    """The representations of some candidates, fitted on the real images.

    Parameters
    ----------
    benchmark : Benchmark
    names : sequence of Candidate
    denoiser_steps : int

    Returns
    -------
    dict of Representation to fitted transformer
    """
    wanted = dict.fromkeys(x.representation for x in names)
    found = {}
    for space, kind in tqdm(wanted, desc="representations", delay=5, leave=False):
        found |= representations(
            benchmark, [space], [kind], denoiser_steps=denoiser_steps
        )
    return found


def make_classifier(
    name,
    transformer,
    *,
    effort=1.0,
    seed=0,
    device=None,
    precision="float32",
    progress=False,
):
    """A classifier of the features that a transformer gives.

    Parameters
    ----------
    name : {"linear", "network"}
        "linear" is logistic regression, "network" a residual network, or a perceptron
        for features that are not pictures.
    transformer : fitted transformer with `image_shape_`
    effort : float
        Factor on the training steps.
    seed : int
    device : str, optional
    precision : str
        As for `NetworkClassifier`.
    progress : bool

    Returns
    -------
    NetworkClassifier
    """
    options = {"seed": seed, "device": device, "progress": progress}
    options["precision"] = precision
    shape = getattr(transformer, "image_shape_", None)
    if name == "linear":
        found = VectorAttributor(hidden=0, **options)
    elif shape is None:
        found = VectorAttributor(**options)
    else:
        found = ImageAttributor(image_shape=tuple(shape), **options)
    return with_effort(found, effort)


def select(
    choices,
    transformers,
    part,
    *,
    quick=False,
    effort=1.0,
    seed=0,
    device="cpu",
    precision="float32",
):
    """Compare candidates by cross-validation among the images to learn from.

    In a first round every candidate is trained on at most 30 images per class, on one
    split.  The three best go on to a second round with at most 100 images per class and
    three splits, and the best of these is chosen.

    Parameters
    ----------
    choices : list of Candidate
    transformers : dict of Representation to fitted transformer
    part : Part
    quick : bool
        Whether the first round decides.
    effort : float
        Factor on the training steps of networks.
    seed : int
    device : str
    precision : str
        As for `NetworkClassifier`.

    Returns
    -------
    DataFrame
        One row per candidate, the best first: `space`, `estimate`, `classifier`,
        `n_train` per class, `splits`, `accuracy`, and `sd` over the splits.
    """
    options = {"transformers": transformers, "part": part}
    options |= {"effort": effort, "device": device, "precision": precision}
    splits = [seed] if quick else [seed, seed + 1, seed + 2]
    rows = _round(choices, FIRST, [seed], **options)
    if quick or len(choices) == 1:
        return rows
    best = [Candidate(*row) for row in rows[list(Candidate._fields)].head(KEPT).values]
    again = _round(best, SECOND, splits, **options)
    return pd.concat([again, rows.iloc[len(best) :]], ignore_index=True)


def _round(choices, most, seeds, *, transformers, part, **options):
    """One row per candidate, the best first; equals keep their order."""
    part = few(part, 2 * most)
    groups = {choice.representation: [] for choice in choices}
    for choice in choices:
        groups[choice.representation].append(choice)
    calls = [(group, transformers[name]) for name, group in groups.items()]
    scored = partial(_scored, part=part, seeds=seeds, **options)
    bar = {"desc": f"compare, {len(seeds)} split(s)", "delay": 2, "leave": False}
    processes = min(len(calls), n_processes(pixels_per_image(part.images)))
    found = ChainMap(*in_processes(scored, calls, processes=processes, **bar))
    rows = pd.DataFrame([choice._asdict() | found[choice] for choice in choices])
    return rows.sort_values(
        "accuracy", ascending=False, kind="stable", ignore_index=True
    )


def _scored(choices, transformer, *, part, seeds, **options):
    """The scores of candidates with the same features, which are computed once."""
    features = transformer.transform(part.images)
    known = {"transformer": transformer, "labels": part.labels, "seeds": seeds}
    return {choice: _scores(choice, features, **known, **options) for choice in choices}


def _scores(choice, features, *, transformer, labels, seeds, **options):
    smallest = int(np.unique(labels, return_counts=True)[1].min())
    counts = {"n_train": smallest - smallest // 2, "n_test": smallest // 2}

    def accuracies():
        classifier = make_classifier(choice.classifier, transformer, **options)
        splits = {"seeds": seeds, "n_permutations": None, **counts}
        return evaluate(classifier, features, labels, **splits).accuracy

    numbers = *counts.values(), tuple(seeds), *options.values()
    inputs = *choice, features, labels, *numbers
    code = code_of(_scores, *COMPUTES)
    found = cached(accuracies, "choice", *inputs, code=code)
    columns = {"n_train": counts["n_train"], "splits": len(seeds)}
    return columns | {"accuracy": found.mean(), "sd": mean_interval(found).sd}
