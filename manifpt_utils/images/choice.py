"""Choosing models by name, and images by chance."""

import zlib
from collections.abc import Iterable

import numpy as np

from .._support.suggestion import suggestion


def choose(models, known, where="", core=()):
    """The models that were asked for, in the order of `known`."""
    if models is None:
        return list(known)
    if isinstance(models, str) or not isinstance(models, Iterable):
        models = [models]
    models = list(models)
    if not models:
        raise ValueError(f"models= is empty; leave it out, or name some of {known}.")
    has_core = core and set(core) <= set(known)
    groups = {"all": known, "core": core if has_core else known}
    names = [model if isinstance(model, str) else repr(model) for model in models]
    chosen = [m for name in names for m in groups.get(name, [name])]
    for model in chosen:
        if model not in known:
            raise ValueError(
                f"unknown model {model!r}{where};{suggestion(model, known)}"
            )
    return [m for m in known if m in chosen]


def shuffled(name, n, seed):
    """A permutation for one class, independent of which other classes there are."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(n)
