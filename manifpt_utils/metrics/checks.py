"""Checks of features that all measures share."""

import numpy as np


def check_features(x, name, *, dtype=np.float64):
    """Return finite features (n, d) with two rows or more, or raise an error."""
    x = np.asarray(x, dtype=dtype)
    if x.ndim != 2 or not x.shape[1]:
        raise ValueError(
            f"{name} must be (n, d), one row per sample, got {x.shape}; flatten images "
            "with .reshape(len(images), -1)."
        )
    if len(x) < 2:
        raise ValueError(f"{name} has {len(x)} rows; at least 2 are needed.")
    if not np.isfinite(x).all():
        bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
        raise ValueError(
            f"{name} holds NaN or infinity in {len(bad)} rows, the first is row "
            f"{bad[0]}; remove them first."
        )
    return x


def check_pair(x, y, *, dtype=np.float64):
    """Return two sets of features that have one dimension."""
    x = check_features(x, "the first set", dtype=dtype)
    y = check_features(y, "the second set", dtype=dtype)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"dimensions differ: {x.shape[1]} and {y.shape[1]}; compare features of "
            "one space."
        )
    return x, y


def check_labelled(features, labels):
    """Return features with their labels, of at least two classes."""
    x, labels = check_features(features, "features"), np.asarray(labels)
    if labels.shape != (len(x),):
        raise ValueError(f"{len(x)} features need as many labels, got {labels.shape}.")
    if len(np.unique(labels)) < 2:
        raise ValueError(
            f"all labels are {str(labels[0])!r}; at least two classes are needed."
        )
    return x, labels


def precision_of(*sets):
    """The type to compute in: single precision is kept, others become double."""
    is_single = all(getattr(x, "dtype", None) == np.float32 for x in sets)
    return np.float32 if is_single else np.float64
