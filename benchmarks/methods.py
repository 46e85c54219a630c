"""Features per second of each method, and one row of Table 1 from end to end."""

from functools import partial

from manifpt_utils.baselines import BASELINES, baseline
from manifpt_utils.images.loading import load
from manifpt_utils.method.classifiers import attribution_pipeline
from manifpt_utils.method.evaluation import evaluate
from manifpt_utils.method.manifold import DataManifold

from .measure import Contender, Task

OURS = "nearest artifact, RGB"
SHORT = {
    "epochs": 1,
    "min_steps": 1,
}  # features take as long after one step of training


def tasks(*, quick=False):
    """Two tasks: features of images, and the evaluation of one row."""
    return [_features(quick), _row(quick)]


def _features(quick):
    n, n_real = (10, 200) if quick else (100, 8_000)
    methods = ["Dzanic20", "Yu19"] if quick else BASELINES
    contenders = [Contender(OURS, _our_features, note="input of its network")]
    contenders += [Contender(name, partial(_layer, name)) for name in methods]
    data = partial(_samples, n, n_real)
    title = f"features of {6 * n:,} images of 32 x 32 pixels"
    return Task(title, data, tuple(contenders), _dimension, count=6 * n)


def _row(quick):
    n, n_real = (10, 200) if quick else (100, 8_000)
    counts = {"n_train": n, "n_test": n, "seeds": (0,) if quick else (0, 1, 2, 3, 4)}
    steps = SHORT if quick else {}
    contenders = (
        Contender(OURS, partial(_our_row, counts, steps), once=not quick),
        Contender("Durall20", partial(_row_of, "Durall20", counts, {}), once=not quick),
        Contender("Wang20", partial(_row_of, "Wang20", counts, steps), once=not quick),
    )
    seeds = len(counts["seeds"])
    title = f"one row of Table 1: 6 models, {n} images to train, {n} to test, {seeds} x"
    return Task(title, partial(_samples, 2 * n, n_real), contenders, _accuracy)


def _samples(n, n_real):
    data = load("gm-photo/coffee", models="core", n_real=n_real)
    return *data.labelled(n), data.real


def _our_features(images, labels, real):
    manifold = DataManifold("rgb").fit(real)
    return lambda: manifold.transform(images).shape[1]


def _layer(name, images, labels, real):
    pipeline = baseline(name, image_size=images.shape[1:3])
    known = {key.rpartition("__")[2] for key in pipeline.get_params()}
    pipeline = baseline(
        name,
        image_size=images.shape[1:3],
        **{key: value for key, value in SHORT.items() if key in known},
    ).fit(images, labels)
    return lambda: pipeline.transform(images).shape[1]


def _our_row(counts, steps, images, labels, real):
    def accuracy():
        manifold = DataManifold("rgb").fit(real)
        pipeline = attribution_pipeline(manifold, **steps)
        return evaluate(pipeline, images, labels, **counts).accuracy.mean()

    return accuracy


def _row_of(name, counts, steps, images, labels, real):
    pipeline = baseline(name, image_size=images.shape[1:3], **steps)
    return lambda: evaluate(pipeline, images, labels, **counts).accuracy.mean()


def _dimension(first, other):
    return f"d = {other}"


def _accuracy(first, other):
    return f"accuracy {other:.3f}"
