"""Measures of feature sets: separability, agreement with design factors, coverage."""

from .alignment import cluster_artifacts, factor_alignment, factor_collinearity
from .coverage import (
    KernelDistance,
    PrecisionRecall,
    kernel_distance,
    precision_recall,
    wasserstein_distance,
)
from .separability import (
    FrechetRatio,
    frechet_distance,
    frechet_distance_gaussian,
    frechet_distance_ratio,
)

__all__ = [
    "FrechetRatio",
    "KernelDistance",
    "PrecisionRecall",
    "cluster_artifacts",
    "factor_alignment",
    "factor_collinearity",
    "frechet_distance",
    "frechet_distance_gaussian",
    "frechet_distance_ratio",
    "kernel_distance",
    "precision_recall",
    "wasserstein_distance",
]
