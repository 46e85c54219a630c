"""Measures of feature sets: separability, design factors, coverage, intervals."""

from .alignment import (
    cluster_artifacts,
    factor_alignment,
    factor_collinearity,
    principal_components,
)
from .conformal import coverage_range, p_values, prediction_sets
from .coverage import (
    KernelDistance,
    PrecisionRecall,
    kernel_distance,
    precision_recall,
    wasserstein_distance,
)
from .detection import auroc, open_set_curve, oscr, tpr_at_fpr
from .effects import (
    Effect,
    beyond_chance,
    energy_distances,
    factor_effects,
    permutation_anova,
    smallest_p_value,
)
from .intervals import (
    Interval,
    chosen_elsewhere,
    holm,
    leaders,
    mean_interval,
    paired_difference,
    share_interval,
    t_test,
)
from .resampled_effects import effect_interval, effect_resamples
from .separability import (
    FrechetRatio,
    frechet_distance,
    frechet_distance_gaussian,
    frechet_distance_ratio,
)

__all__ = [
    "Effect",
    "FrechetRatio",
    "Interval",
    "KernelDistance",
    "PrecisionRecall",
    "auroc",
    "beyond_chance",
    "chosen_elsewhere",
    "cluster_artifacts",
    "coverage_range",
    "effect_interval",
    "effect_resamples",
    "energy_distances",
    "factor_alignment",
    "factor_collinearity",
    "factor_effects",
    "frechet_distance",
    "frechet_distance_gaussian",
    "frechet_distance_ratio",
    "holm",
    "kernel_distance",
    "leaders",
    "mean_interval",
    "open_set_curve",
    "oscr",
    "p_values",
    "paired_difference",
    "permutation_anova",
    "precision_recall",
    "prediction_sets",
    "principal_components",
    "share_interval",
    "smallest_p_value",
    "t_test",
    "tpr_at_fpr",
    "wasserstein_distance",
]
