"""What is compared: settings, methods, and the numbers of images and seeds.

A `Setting` says which images are told apart, and by which question.  A `Method` says
what a classifier is shown of them.  Every table of results has a column for each of
their fields.
"""

from typing import NamedTuple

from .._support.names import BASELINES, PAPER_SPACES
from ..images.catalogue import CORE, listed

NETWORKS = ("Nataraj19", "Wang20", "Marra18", "Marra19", "Yu19")  # have their own
FINE_TUNED = ("Wang20", "Marra18", "Marra19")  # as published, from ImageNet weights
# As published, half an hour of a processor core per training and more.
SLOW = ("Nataraj19", "Yu19")
KINDS = ("raw", "nearest", "hull")
FILTERS = ("highpass", "denoiser")  # they need pixels or their spectra

SHARED = ("biggan_deep", "stylegan2", "stylegan3", "vqgan")
SHARED += ("nvae", "eff_vdvae", "ncsnpp", "ldm")
GENERATORS = {"coffee": CORE, "flower": CORE, "astronaut": SHARED, "china": SHARED}
PHOTOS = tuple(GENERATORS)
OTHER = {"coffee": "flower", "flower": "coffee"}
OTHER |= {"astronaut": "china", "china": "astronaut"}
SECOND_PAIR = ("astronaut", "china")
# All models of a photograph with a precision of at least `PRECISE` (see the data card).
# They were written down before any classifier was trained on them; a test measures them
# again.
PRECISE = 0.5
GOOD_MODELS = {
    "coffee": ("dcgan", "dragan_gp", "dragan_lp", "dfc_vae", "eff_vdvae", "vae_bm")
    + ("glow", "ddpm", "rve"),
    "flower": ("biggan_deep", "glow", "ddpm", "lsgm"),
    "astronaut": ("biggan_deep", "ddgan", "vqgan", "stylegan3", "styleswin")
    + ("style_alae", "ddpm", "ldm", "ncsnpp", "lsgm", "rve"),
    "china": ("biggan_deep", "stylegan2", "vqgan", "stylegan3", "eff_vdvae", "ldm"),
}
# Table 5 of the paper: models, and the photographs that stand for their training sets.
ORIGINS = {
    "stylegan3": SECOND_PAIR,
    "nvae": ("coffee", *SECOND_PAIR),
    "ldm": SECOND_PAIR,
}

SEEDS = (1, 2, 3, 4, 5)  # the methods were tuned on seed 0
N_TRAIN, N_TEST = 100, 200  # images per class
FEW = (5, 25, 400)  # training images per class in the few-shot columns


class Setting(NamedTuple):
    """Which images are told apart.

    Attributes
    ----------
    question : {"model", "origin"}
        Which model made an image, or on which photograph its model was trained.
    photo : str
        The photograph on which the models were trained; empty if that is the question.
    models : str
        "shared": the models that both photographs of a pair have.  "listed": all models
        that the paper lists for the data set for which the photograph stands (its Table
        1).  "good": those of `GOOD_MODELS`.  "good on both": those that are good on
        both photographs of a pair.  Else the name of the one model whose origin is
        asked for (Table 5 of the paper).

    Examples
    --------
    >>> [str(s) for s in (shared("coffee"), every("coffee"), origin("nvae"))]
    ['coffee', 'all models of coffee', 'origin of nvae']
    >>> str(good("coffee")), good_on_both("coffee").names
    ('good models of coffee', ('glow', 'ddpm'))
    """

    question: str
    photo: str
    models: str

    def __str__(self):
        if self.question == "origin":
            return f"origin of {self.models}"
        if self.models == "good on both":
            return f"good models of {self.photo} and {OTHER[self.photo]}"
        named = {"shared": "", "listed": "all models of ", "good": "good models of "}
        return named[self.models] + self.photo

    @property
    def names(self):
        """The classes, which are models or the photographs that images may show."""
        if self.question == "origin":
            return ORIGINS[self.models]
        if self.models == "listed":
            return listed(self.photo)
        if self.models == "good on both":
            there = GOOD_MODELS[OTHER[self.photo]]
            return tuple(model for model in GOOD_MODELS[self.photo] if model in there)
        return (GENERATORS if self.models == "shared" else GOOD_MODELS)[self.photo]

    @property
    def trained(self):
        """Photograph and model of all generators in the setting."""
        if self.question == "origin":
            return [(photo, self.models) for photo in self.names]
        return [(self.photo, model) for model in self.names]

    @property
    def chance(self):
        """Accuracy of guessing, without the class "real"."""
        return 1 / len(self.names)

    @property
    def room(self):
        """The largest number of training images per class that is used."""
        has_more = self.models == "shared" and self.names == CORE
        return max(FEW) if has_more else N_TRAIN


def shared(photo):
    """The setting of the models that both photographs of a pair have."""
    return Setting("model", photo, "shared")


def every(photo):
    """The setting of all models that the paper lists for a photograph's data set."""
    return Setting("model", photo, "listed")


def good(photo):
    """The setting of the good models of a photograph, those in `GOOD_MODELS`.

    If all of them are good on the other photograph as well, it is `good_on_both`.
    """
    both = good_on_both(photo)
    is_same = set(both.names) == set(GOOD_MODELS[photo])
    return both if is_same else Setting("model", photo, "good")


def good_on_both(photo):
    """The setting of the models that are good on both photographs of a pair."""
    return Setting("model", photo, "good on both")


def origin(model):
    """The setting that asks where one model was trained."""
    return Setting("origin", "", model)


class Method(NamedTuple):
    """What a classifier is shown of an image.

    Attributes
    ----------
    name : str
        An earlier method, or "ours".
    space : str
        Embedding space, for "ours"; empty for an earlier method.
    kind : str
        For ours, what is shown of the space: "raw" for the embedded image, or the
        estimate that its artifact is taken with; else "earlier", "published" for an
        earlier method with the sizes and the schedule that were published, or one of
        `ABLATED`.

    Examples
    --------
    >>> str(ours("rgb", "nearest")), str(Method("Yu19", "", "published"))
    ('rgb nearest', 'Yu19 published')
    """

    name: str
    space: str
    kind: str

    def __str__(self):
        if self.name == "ours":
            return f"{self.space} {self.kind}"
        return self.name if self.kind == "earlier" else f"{self.name} {self.kind}"

    @property
    def has_network(self):
        """Whether the method has its own network, which is slow to train."""
        return self.name in NETWORKS


def ours(space, kind):
    """The image itself ("raw"), or its artifact, in one of the spaces."""
    return Method("ours", space, kind)


SETTINGS = (
    *map(shared, PHOTOS),
    *map(every, ("coffee", "flower", "astronaut")),
    *map(origin, ORIGINS),
    *dict.fromkeys((*map(good, PHOTOS), *map(good_on_both, PHOTOS))),
)
METHODS = (
    *(Method(name, "", "earlier") for name in BASELINES),
    *(ours(space, kind) for space in PAPER_SPACES for kind in KINDS),
    *(ours(space, kind) for space in PAPER_SPACES[:2] for kind in FILTERS),
)
PUBLISHED = tuple(
    Method(name, "", "published")
    for name in BASELINES
    if name not in (*FINE_TUNED, *SLOW)
)
# Wang20 blurs and compresses training images, and spectra are said to feed it: what it
# is without the one and with the other.
ABLATED = {
    "without blur and JPEG": {"blur_jpeg": 0.0},
    "on spectra": {"spectrum": True},
    "on spectra without blur and JPEG": {"blur_jpeg": 0.0, "spectrum": True},
}
ABLATED_ON = ("coffee", "flower", "astronaut")  # with few images
ABLATIONS = tuple(Method("Wang20", "", kind) for kind in ABLATED)
# In the space of a small network, to see what a large one brings.
SMALL_NETWORK = tuple(ours("supervised", kind) for kind in ("raw", "nearest"))
EVERY_METHOD = (*METHODS, *PUBLISHED, *SMALL_NETWORK, *ABLATIONS)
# The methods with which good models are told apart, beside a few numbers that tell what
# looks wrong.
BETWEEN_PIXELS = tuple(ours("rgb", kind) for kind in ("raw", "nearest", *FILTERS))
SATURATION = Method("McCloskey18", "", "earlier")
# The settings that correspond to the paper's Table 1.  The shared models of china are
# all models that the paper lists for FFHQ.
PLAYS = {"GM-CelebA": every("coffee"), "GM-CIFAR10": every("flower")}
PLAYS |= {"GM-CHQ": every("astronaut"), "GM-FFHQ": shared("china")}
