"""The study of the ladder: does the closest real image matter, or would any filter do?

All ways to take an artifact are compared under the same classifier: by the closest
point (estimated, learned or exact), and by controls that do not look for one, such as a
high-pass or the mean real image.  Splits, seeds and test images are those of
`comparison`.

The study has four parts.  The *main* one has every kind between pixels and spectra, at
home and away, with few and many images; between pixels it also shows the raw image and
a filter side by side, and some kinds are shown in a learned space.  *Variants* change
one parameter of a kind.  *Classifiers* sets representations beside classifiers that are
all trained until they no longer improve on images that no test sees.  *Treatments*
compress all images, generated and real, before anything else.  Besides, artifacts
between pixels are measured without any classifier: how far they point the way of the
exact one, how long they are beside it, and how long those of new real images are beside
others.

`manifpt study ladder` computes what the results lack, and `LADDER.results()` reads
them.
"""

from itertools import product
from typing import NamedTuple

from .._support.names import TOGETHER
from .._support.suggestion import suggestion
from .comparison import PairStudy
from .estimates import COLUMNS, PIXEL_SPACES
from .settings import PHOTOS, SEEDS

KINDS = ("raw", "highpass", "denoiser", "nearest", "hull", "tangent")
KINDS += ("pca", "median", "mean", "random", "exact", *TOGETHER)
# In the space of a network, where a filter of pixels has no features: "blur" is
# the embedded image minus its embedded blur.
LEARNED = ("imagenet",)
LEARNED_KINDS = ("raw", "blur", "nearest", "hull", "tangent", "pca", "mean")
EVERY_KIND = (*KINDS, "blur")
# A denoiser that never saw the photographs of a pair.
STRANGER = {"coffee": "astronaut", "flower": "china"}
STRANGER |= {"astronaut": "flower", "china": "coffee"}

FEW, SOME, MANY = 5, 50, 100  # training images per class
N_VALIDATED = 50  # images per class that decide when a training no longer improves
TREATED = ("JPEG 95", "JPEG 75")  # treatments of the test images alone
# Measures of artifacts, without a training: see `ladder_training.measures`.
MEASURES = ("cosine", "length", "real")
NOISE_LEFT = "noise left"  # a measure of denoisers only
TREATMENTS = ("JPEG 75",)  # treatments of all images
USUAL = "usual"  # name of the usual variant, and of the usual short training
NETWORKS = ("small ResNet", "Marra18", "Yu19")
CLASSIFIERS = (*NETWORKS, "logistic regression", "support vectors")
CLASSIFIED = ("raw", "nearest", "hull", "highpass", "denoiser")

SDS = (0.35, 0.7, 1.0, 2.0)  # pixels; the usual value is 0.5
STEPS = (300,)  # shipped denoisers have 1,200
NOISES = (10,)  # grey levels; the usual value is 20
STRANGE = "other photographs"
# For each kind and variant, the parameters that differ from the usual ones.
VARIANTS = {("highpass", f"sd {sd}"): {"sd": sd} for sd in SDS}
VARIANTS |= {("denoiser", STRANGE): {}}
VARIANTS |= {("denoiser", f"{n} steps"): {"steps": n} for n in STEPS}
VARIANTS |= {("denoiser", f"noise to {n}"): {"noise": n} for n in NOISES}


class Rung(NamedTuple):
    """One training: a representation and a classifier."""

    photo: str
    space: str  # "rgb", "frequency", or one of `LEARNED`
    kind: str  # one of `EVERY_KIND`
    variant: str  # of the kind: "usual", or as in `VARIANTS`
    classifier: str  # "usual", or one of `CLASSIFIERS`
    treatment: str  # of all images: "none", or one of `TREATMENTS`
    n_train: int  # images per model; 0, with seed 0, if artifacts are measured
    seed: int

    def __str__(self):
        return ", ".join(map(str, self))


class Ladder(PairStudy):
    """The study of estimates of the closest point, and of controls without one."""

    name = "ladder"
    keys = (*Rung._fields, "column")
    values = ("score", "reason")
    types = {"n_train": int, "seed": int, "score": float}
    names = (*PHOTOS, *PIXEL_SPACES, *LEARNED)
    names += (*EVERY_KIND, USUAL, *CLASSIFIERS, "none")
    order = {name: i for i, name in enumerate(names)}

    def planned(self):
        """All trainings, the main part first."""
        return planned()

    def cells(self, training):
        """The keys of all rows that one training gives."""
        return {(*training, column) for column in columns(training)}

    def scores(self, training):
        """Train and test at home, on the other photograph, and on treated images."""
        from .ladder_training import measures, scores  # they import torch

        return scores(training) if training.n_train else measures(training)

    def batch(self, training):
        """Trainings of one batch share the features of both photographs of a pair."""
        return training[:4] + (training.treatment,)

    def account(self, training):
        """CPU seconds are summed by kind."""
        return training.kind


LADDER = Ladder()


def columns(training):
    """The columns of a training: the images on which it is tested.

    Examples
    --------
    >>> columns(Rung("coffee", "rgb", "raw", "usual", "usual", "none", 5, 1))
    ('closed', 'transfer', 'JPEG 95', 'JPEG 75')
    """
    if not training.n_train:
        return (*MEASURES, *[NOISE_LEFT] * (training.kind == "denoiser"))
    is_plain = training.variant == training.classifier == USUAL
    is_plain &= training.treatment == "none" and training.space == "rgb"
    is_plain &= training.kind != "exact"  # its projections take longest
    return (*COLUMNS, *TREATED) if is_plain else COLUMNS


def planned(photos=PHOTOS, kinds=EVERY_KIND):
    """All trainings of the study, the main part first.

    Parameters
    ----------
    photos, kinds : sequence of str

    Raises
    ------
    ValueError
        If a photograph or a kind is unknown.
    """
    for given, known in ((photos, PHOTOS), (kinds, EVERY_KIND)):
        for name in given:
            if name not in known:
                raise ValueError(f"unknown {name!r};{suggestion(str(name), known)}")
    rungs = dict.fromkeys(rung for part in _parts() for rung in _rungs(part, photos))
    return [rung for rung in rungs if rung.kind in kinds]


def _rungs(part, photos):
    """The trainings of one part; those that share features come together."""
    rungs = [
        Rung(photo, space, *shown, n_train, seed)
        for space, shown, counts, n_seeds in part
        for photo, n_train, seed in product(photos, counts, SEEDS[:n_seeds] or [0])
    ]
    return sorted(rungs, key=LADDER.batch)


def _parts():
    """The parts in their order; exact closest points come last, as they take longest.

    Every part has rows with a space; kind, variant, classifier and treatment; numbers
    of images; and a number of seeds.
    """
    quick = [kind for kind in KINDS if kind != "exact"]
    yield _main("rgb", quick)
    yield _varied()
    yield _measured()
    yield _classified()
    yield _main("frequency", CLASSIFIED, n_seeds=2)
    yield _treated()
    yield _main("rgb", ["exact"])
    for space in LEARNED:
        yield _main(space, LEARNED_KINDS)


def _main(space, kinds, *, n_seeds=3):
    for kind in kinds:
        yield space, (kind, USUAL, USUAL, "none"), (FEW, MANY), n_seeds


def _varied():
    for kind, variant in VARIANTS:
        yield "rgb", (kind, variant, USUAL, "none"), (FEW, MANY), 3


def _measured():
    single = [(kind, USUAL) for kind in KINDS if kind not in TOGETHER]
    for kind, variant in [*single, *VARIANTS]:
        yield "rgb", (kind, variant, USUAL, "none"), (0,), 0


def _classified():
    for kind, name in product(CLASSIFIED, CLASSIFIERS):
        yield "rgb", (kind, USUAL, name, "none"), (FEW, SOME), 1


def _treated():
    for kind, treatment in product(CLASSIFIED, TREATMENTS):
        yield "rgb", (kind, USUAL, USUAL, treatment), (FEW, MANY), 1
