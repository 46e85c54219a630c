"""Exercises on telling models apart: chapters 3, 4, 7, 8, 10, 13, 16 and 17."""

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.spatial.distance import cdist
from scipy.stats import t as student

from .trying import Exercise

_RNG = np.random.default_rng(1)
_MODELS = ["a", "b", "c"]
_MADE_BY = np.array([*"aaaabbbbcc"])
_TAKEN_FOR = np.array([*"aabcbbbacc"])
_WITH, _WITHOUT = np.array([0.71, 0.66, 0.69, 0.75]), np.array([0.65, 0.61, 0.66, 0.68])


def confusion():
    """Shares of what the images of a model are taken for."""
    counts = np.array(
        [
            [np.sum((_MADE_BY == row) & (_TAKEN_FOR == column)) for column in _MODELS]
            for row in _MODELS
        ]
    )
    shares = counts / counts.sum(axis=1, keepdims=True)
    by_column = counts / counts.sum(axis=0)
    return Exercise(
        (_MADE_BY, _TAKEN_FOR, _MODELS),
        shares,
        (
            (counts, "These are counts; divide each row by its sum."),
            (shares.T, "Rows and columns are swapped."),
            (by_column.T, "Rows and columns are swapped."),
            (by_column, "Each column adds up to 1; each row should."),
            (counts / counts.sum(), "These are shares of all images, not of a row."),
        ),
        ("A row is the model that made an image, a column what it was taken for.",),
    )


def gain():
    """The mean of paired differences, with its interval."""
    difference = _WITH - _WITHOUT
    n = len(difference)
    mean, error = difference.mean(), difference.std(ddof=1) / n**0.5
    spread = np.hypot(_WITH.std(ddof=1), _WITHOUT.std(ddof=1)) / n**0.5

    def interval(half):
        return np.array([mean, mean - half, mean + half])

    half = student.ppf(0.975, n - 1)
    return Exercise(
        (_WITH, _WITHOUT),
        interval(half * error),
        (
            (interval(1.96 * error), "The factor of the normal distribution is too "
             "small for so few seeds; take that of Student's t."),
            (interval(half * error * n**0.5), "Divide the standard deviation by the "
             "root of the number of seeds."),
            (interval(half * spread), "Both have the same seeds: take the differences "
             "within each seed first."),
            (
                interval(half * error) - [2 * mean] * 3,
                "The sign is the other way round: it is what the artifact gains.",
            ),
        ),
        ("Work with the differences within each seed.",
         "The factor is `scipy.stats.t.ppf(0.975, n - 1)`."),
    )  # fmt: skip


# --- chapter 4: across data sets --------------------------------------------------

_PHOTO, _NEAR = _RNG.uniform(size=(4, 5, 3)), _RNG.uniform(size=(4, 5, 3))
_ORDER, _GAIN = [2, 0, 1], np.array([0.9, 1.1, 0.7])
_OFFSET = np.array([0.1, -0.2, 0.05])


def recoloured():
    """Artifact of an image whose colours were changed with those of the real one."""

    def changed(image):
        return image[..., _ORDER] * _GAIN + _OFFSET

    plain = _PHOTO - _NEAR
    return Exercise(
        (_PHOTO, _NEAR, _ORDER, _GAIN, _OFFSET),
        changed(_PHOTO) - changed(_NEAR),
        (
            (changed(plain), "The offset is in both images, and cancels in the "
             "difference."),
            (changed(_PHOTO) - _NEAR, "The real image keeps its old colours; change "
             "those as well."),
            (plain * _GAIN, "The channels keep their old order."),
            (plain[..., _ORDER], "The gain is missing."),
            ((plain * _GAIN)[..., _ORDER], "Order first, then the gain of the new "
             "channel."),
            (plain, "This is the artifact of the images as they were."),
        ),
        ("Change both images in the same way, then subtract.",),
    )  # fmt: skip


def _two_sides():
    rng, made_by = np.random.default_rng(9), np.repeat([0, 1, 2], 6)
    traces = np.array([[0.0, 0.0], [1.2, 0.3], [0.4, 1.3]])[made_by]
    home = traces + 0.25 * rng.normal(size=(18, 2))
    away = traces + 0.25 * rng.normal(size=(18, 2)) + [1.1, -0.9]
    return home, away, made_by


def without_means():
    """Accuracy on the other side without and with each side's mean subtracted."""
    home, away, made_by = _two_sides()

    def accuracy(known, new):
        means = np.stack([known[made_by == c].mean(axis=0) for c in range(3)])
        return np.mean(cdist(new, means).argmin(axis=1) == made_by)

    raw = accuracy(home, away)
    both = accuracy(home - home.mean(axis=0), away - away.mean(axis=0))
    at_home = accuracy(home, home)
    return Exercise(
        (home, away, made_by),
        np.array([raw, both]),
        (
            ([both, raw], "The two numbers are swapped."),
            ([raw, raw], "One mean is subtracted from both sides, which changes "
             "nothing; each side has its own."),
            ([at_home, at_home], "This is tested at home, on the images of the "
             "training."),
            ([raw, accuracy(home - home.mean(axis=0), away)], "The other side keeps "
             "its mean."),
        ),
        (
            "An image goes to the class whose mean is nearest.",
            "The mean of a side needs no label.",
        ),
    )  # fmt: skip


# --- chapter 7: when artifacts help -----------------------------------------------

_SIZES = np.array([100, 400, 1600, 6400, 25600])
_GAINS = np.array(
    [
        [0.01, -0.03, 0.03, 0.02],
        [0.05, 0.06, 0.05, 0.07],
        [0.09, -0.04, 0.12, 0.03],
        [0.08, 0.10, 0.07, 0.11],
        [0.12, 0.15, 0.10, 0.14],
    ]
)


def from_how_many():
    """Fewest real images from which on a gain stays above zero."""
    means = _GAINS.mean(axis=1)
    error = _GAINS.std(axis=1, ddof=1) / _GAINS.shape[1] ** 0.5
    low = means - student.ppf(0.975, _GAINS.shape[1] - 1) * error
    return Exercise(
        (_SIZES, _GAINS),
        np.asarray(_SIZES[3]),
        (
            (_SIZES[np.argmax(low > 0)], "There it is above zero for the first time, "
             "and does not stay so."),
            (_SIZES[np.argmax(means > 0)], "The mean is above zero there; the lower "
             "end of the interval decides."),
            (3, "This is a place in the list; give the number of real images."),
        ),
        (
            "Take the lower end of the 95 % interval of each row, by Student's t.",
            "Look from the largest number of real images downwards.",
        ),
    )  # fmt: skip


def closed_gap():
    """Share of the gap between raw image and exact artifact that an estimate closes."""
    raw, exact = np.array([0.50, 0.56, 0.52]), np.array([0.82, 0.75, 0.90])
    near = np.array([0.60, 0.66, 0.58])
    share = (near - raw).mean() / (exact - raw).mean()
    return Exercise(
        (raw, near, exact),
        np.asarray(share),
        (
            (np.mean((near - raw) / (exact - raw)), "This is a mean of shares, to "
             "which a seed with a small gap adds most; divide the means."),
            (1 - share, "This is the share that stays open."),
            (1 / share, "This is the gap over the gain."),
            ((near.mean() / exact.mean()), "The raw image is the zero of the scale; "
             "subtract it from both."),
        ),
        ("What does the estimate gain, and what would the exact one gain?",),
    )  # fmt: skip


# --- chapter 8: earlier methods ---------------------------------------------------

_OURS = np.array([[0.80, 0.62, 0.71, 0.66], [0.70, 0.70, 0.69, 0.79]])
_EARLIER = np.array(
    [[0.75, 0.60, 0.74, 0.61], [0.40, 0.81, 0.55, 0.60], [0.66, 0.68, 0.66, 0.71]]
)


def lead_of_best():
    """Lead of the best artifact over the best earlier method, per photograph."""
    ours, theirs = (x[x.mean(axis=1).argmax()] for x in (_OURS, _EARLIER))
    return Exercise(
        (_OURS, _EARLIER),
        ours - theirs,
        (
            (_OURS.max(axis=0) - _EARLIER.max(axis=0), "Another method is the best on "
             "each photograph here; one method has to be chosen for all of them."),
            ((ours - theirs).mean(), "This is the mean lead; give one lead for each "
             "photograph."),
            (_OURS.mean(axis=0) - _EARLIER.mean(axis=0), "These are means over the "
             "methods; choose one on each side."),
        ),
        ("Choose by the mean over the photographs, once for each side.",),
    )  # fmt: skip


_SQUARE = _RNG.uniform(size=(8, 8))


def rings():
    """Mean of the log power spectrum over rings around its centre."""
    power = np.fft.fftshift(np.abs(np.fft.fft2(_SQUARE)) ** 2)
    y, x = np.indices(power.shape) - 4
    ring = np.hypot(y, x).astype(int)

    def means(values):
        return np.array([values[ring == r].mean() for r in range(5)])

    found = means(np.log(power))
    unshifted = means(np.log(np.fft.ifftshift(power)))
    return Exercise(
        (_SQUARE,),
        found,
        (
            (means(power), "The logarithm is missing."),
            (np.log(means(power)), "Take the logarithm first, and the mean of a ring "
             "after it."),
            (found / 2, "This is the magnitude; the power is its square."),
            (unshifted, "The mean of the image belongs in the centre: fftshift."),
        ),
        (
            "The distance of a frequency from the centre, cut down to a whole number, "
            "is its ring.",
            "`fft2`, absolute value, square, `fftshift`, logarithm; a mean per ring.",
        ),
    )  # fmt: skip


# --- chapter 10: robustness -------------------------------------------------------


def left_by_treatment():
    """What a treatment adds to an artifact, the closest real image sought anew."""
    real = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    x = np.array([[0.2, 0.1], [0.45, 0.2], [0.9, 0.8]])
    treated = x + [[0.05, 0.1], [0.2, 0.1], [-0.1, 0.1]]
    stars = [real[cdist(rows, real).argmin(axis=1)] for rows in (x, treated)]
    found = (treated - stars[1]) - (x - stars[0])
    return Exercise(
        (x, treated, real),
        found,
        (
            (treated - x, "This is the whole change of the image. One image has "
             "another nearest real image after the treatment."),
            (treated - stars[1], "This is the artifact of the treated image; subtract "
             "the one it had before."),
            (stars[1] - stars[0], "This is the change of the closest real image."),
        ),
        ("Take both artifacts, each with its own nearest real image, then subtract.",),
    )  # fmt: skip


def break_even():
    """Share of treated images from which on treated training images pay."""
    plain, mixed = (
        np.array([[0.9, 0.5], [0.8, 0.4]]),
        np.array([[0.8, 0.6], [0.7, 0.6]]),
    )
    (price, regained) = (mixed - plain).mean(axis=0)
    share = -price / (regained - price)
    return Exercise(
        (plain, mixed),
        np.asarray(share),
        (
            (1 - share, "This is the share of *untreated* images."),
            (-price / regained, "This is the price over what is regained; the shares "
             "of both kinds add up to 1."),
            (regained / (regained - price), "This is the share of *untreated* images."),
        ),
        (
            "At a share s, what is gained is s times one change plus (1 − s) times the "
            "other.",
            "Where is that zero?",
        ),
    )  # fmt: skip


# --- chapter 13: controls that know no real image ---------------------------------


def high_pass():
    """A grey image minus its blur by the mean of 3 x 3 pixels."""
    blur = uniform_filter(_SQUARE, size=3, mode="nearest")
    dark = uniform_filter(_SQUARE, size=3, mode="constant")
    return Exercise(
        (_SQUARE,),
        _SQUARE - blur,
        (
            (blur, "This is the blur; the high-pass is what it leaves out."),
            (_SQUARE - dark, "Beyond the border everything is black here, so the "
             "border of the image stays in it; repeat the last pixels."),
            (_SQUARE - uniform_filter(_SQUARE, 3, mode="wrap"), "The border is "
             "mixed with the opposite side; repeat the last pixels."),
        ),
        (
            "`np.pad(image, 1, mode=\"edge\")` repeats the last pixels.",
            "The blur is the mean of nine shifted copies.",
        ),
    )  # fmt: skip


def off_the_plane():
    """What the leading directions of the real images leave of generated ones."""
    m, mean = 2, _KNOWN.mean(axis=0)

    def projected(rows, around, centre):
        directions = np.linalg.svd(around - centre, full_matrices=False)[2][:m]
        return (rows - centre) @ directions.T @ directions + centre

    star = projected(_NEW, _KNOWN, mean)
    return Exercise(
        (_NEW, _KNOWN, m),
        _NEW - star,
        (
            (star, "These are the closest points; subtract them from the images."),
            (_NEW - projected(_NEW, _KNOWN, np.zeros(4)), "The plane goes through the "
             "mean of the real images, not through zero."),
            (_NEW - projected(_NEW, _NEW, _NEW.mean(axis=0)), "These are the "
             "directions of the generated images; they must not be seen."),
            (_NEW - mean, "This subtracts the mean alone."),
        ),
        (
            "`np.linalg.svd` of the centred real images has the directions in the rows "
            "of its last part.",
            "Project what an image has beyond the mean on the first m of them.",
        ),
    )  # fmt: skip


_KNOWN = _RNG.normal(loc=1.0, size=(12, 4)) * [3.0, 2.0, 0.5, 0.3]
_NEW = _RNG.normal(loc=1.0, size=(5, 4)) * [2.0, 2.0, 1.5, 0.8]


# --- chapters 16 and 17: sets of models -------------------------------------------

_P_VALUES = np.array(
    [[0.5, 0.02, 0.1], [0.3, 0.2, 0.05], [0.1, 0.09, 0.04], [0.08, 0.6, 0.01]]
)


def verdicts():
    """One model, several or none, from the p-values of all models."""
    coverage = 0.9

    def told(sets):
        sizes = sets.sum(axis=1)
        one = sets.argmax(axis=1)
        return np.where(sizes == 1, one, np.where(sizes == 0, -1, -2)).astype(float)

    found = told(_P_VALUES > 1 - coverage + 1e-9)
    at_least = told(_P_VALUES >= 0.1)
    largest = _P_VALUES.argmax(axis=1).astype(float)
    swapped = np.where(found == -1, -2, np.where(found == -2, -1, found))
    return Exercise(
        (_P_VALUES, coverage),
        found,
        (
            (at_least, "A model is in the set if its p-value is *greater* than one "
             "minus the coverage. Mind the rounding of 1 − 0.9, too."),
            (largest, "This names the largest p-value always; a set may be empty, or "
             "hold several."),
            (swapped, "−1 is for none, and −2 for several."),
        ),
        (
            "First the sets, True or False for every image and model; then their "
            "sizes.",
            "1 − 0.9 is 0.09999999999999998 to a computer; round it.",
        ),
    )  # fmt: skip


def copies():
    """For each image, the place of the first one with equal pixels."""
    pixels = np.random.default_rng(3).integers(0, 256, (6, 2, 2, 3))
    images = pixels[[0, 1, 0, 2, 1, 3]].astype(np.uint8)
    return Exercise(
        (images,),
        np.array([0.0, 1, 0, 3, 1, 5]),
        (
            (np.arange(6), "Two images are equal here, and have got different places."),
            ([0, 1, 0, 2, 1, 3], "These are numbers of groups; give the place of the "
             "first image of each."),
        ),
        (
            "Compare every image with all of them, over all pixels at once.",
            "`argmax` of a row of True and False is the place of the first True.",
        ),
    )  # fmt: skip


_CALIBRATION = np.array([0.31, 0.52, 0.52, 0.64, 0.77, 0.85, 0.91, 0.95, 0.98])
_TYPICAL = np.array([0.10, 0.52, 0.80, 0.99])


def p_values():
    """P-values of new images, given how typical calibration images are of a model."""
    n = len(_CALIBRATION)
    as_low = (_CALIBRATION[:, None] <= _TYPICAL).sum(axis=0)
    below = (_CALIBRATION[:, None] < _TYPICAL).sum(axis=0)
    as_high = (_CALIBRATION[:, None] >= _TYPICAL).sum(axis=0)
    return Exercise(
        (_CALIBRATION, _TYPICAL),
        (1 + as_low) / (1 + n),
        (
            (as_low / n, "The new image counts as one more; without it a p-value can "
             "be zero, and the promise is broken."),
            ((1 + as_low) / n, "The new image is counted above, and not below."),
            ((1 + below) / (1 + n), "*At least* as untypical: equal ones count."),
            ((1 + as_high) / (1 + n), "These are the calibration images that are more "
             "typical; count the less typical ones."),
        ),
        ("How many calibration images are at most as typical as the new one?",),
    )  # fmt: skip


def one_threshold():
    """Unknown images accepted, and known ones accepted and named correctly."""
    known, unknown = (
        np.array([0.9, 0.4, 0.8, 0.7, 0.95]),
        np.array([0.3, 0.75, 0.6, 0.9, 0.1]),
    )
    right, least = np.array([True, True, False, True, True]), 0.7
    false, kept = np.mean(unknown >= least), known >= least
    found = np.array([false, np.mean(kept & right)])
    return Exercise(
        (known, right, unknown, least),
        found,
        (
            ([false, kept.mean()], "The second number counts known images that are "
             "named wrongly, too."),
            ([false, right[kept].mean()], "The second number is a share of the known "
             "images that are accepted; take the share of all known ones."),
            (found[::-1], "The two numbers are swapped."),
            ([1 - false, found[1]], "The first number counts what is refused."),
        ),
        ("Accepted is what has at least the score of the threshold.",),
    )  # fmt: skip


TASKS = {
    "3.1": confusion(),
    "3.2": gain(),
    "4.1": recoloured(),
    "4.2": without_means(),
    "7.1": from_how_many(),
    "7.2": closed_gap(),
    "8.1": lead_of_best(),
    "8.2": rings(),
    "10.1": left_by_treatment(),
    "10.2": break_even(),
    "13.1": high_pass(),
    "13.2": off_the_plane(),
    "16.1": verdicts(),
    "16.2": copies(),
    "17.1": p_values(),
    "17.2": one_threshold(),
}
