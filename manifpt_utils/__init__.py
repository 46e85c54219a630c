"""Artifacts and fingerprints of generative models.

    from manifpt_utils import DataManifold, load

    benchmark = load("gm-photo/coffee")
    manifold = DataManifold("rgb").fit(benchmark.real)
    artifacts = manifold.transform(benchmark.images["dcgan"])

A name is imported from its room when it is first used, so that reading a table needs
neither torch nor faiss.
"""

import os
from importlib import import_module

# Waiting threads of torch and faiss are to sleep, because otherwise they keep cores
# busy that other programs need.  This must be set before either is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOMES = {
    "load": "images.loading",
    "from_folder": "images.folder",
    "audit": "images.audit",
    "sample": "images.sampling",
    "normalise": "images.normalise",
    "Benchmark": "images.benchmark",
    "PhotoManifold": "images.photograph",
    "ViewManifold": "images.views",
    "load_experiments": "images.experiments",
    "make_space": "method.spaces",
    "SPACES": "method.spaces",
    "DataManifold": "method.manifold",
    "Denoiser": "method.denoiser",
    "ExactManifold": "method.exact",
    "RiemannianManifold": "method.riemannian",
    "Fingerprint": "method.fingerprint",
    "Representation": "method.representations",
    "representations": "method.representations",
    "gain": "method.scores",
    "locate": "method.location",
    "classifier_for": "method.classifiers",
    "attribution_pipeline": "method.classifiers",
    "ImageAttributor": "method.classifiers",
    "VectorAttributor": "method.classifiers",
    "use_device": "method.device",
    "evaluate": "method.evaluation",
    "Attributor": "attribution.attributor",
    "load_attributor": "attribution.storage",
    "baseline": "baselines",
    "BASELINES": "baselines",
    "frechet_distance": "metrics",
    "frechet_distance_ratio": "metrics",
    "precision_recall": "metrics",
    "paper_table": "study.paper",
}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__():
    return __all__
