"""Names that parameters of notebooks may take, for modules that must import no more.

What the names stand for is defined in other rooms; a test keeps both in agreement.
"""

PAPER_SPACES = ("rgb", "frequency", "imagenet", "selfsupervised")  # its Table 4
SPACES = (*PAPER_SPACES, "supervised")
SPACE_ALIASES = {"freq": "frequency", "sl": "imagenet", "ssl": "selfsupervised"}
CONTROLS = ("raw", "highpass", "median", "pca", "mean", "random")
EXACT = ("exact", "exact_rgb")  # they need a known manifold
ESTIMATES = ("nearest", "tangent", "hull", "denoiser", *EXACT)
FILTERS = ("highpass", "median", "denoiser")  # of pixels
FILTERED = ("rgb", "frequency")  # the spaces in which a filter of pixels can be shown
TOGETHER = {f"raw+{kind}": ("raw", kind) for kind in ("highpass", "denoiser")}
KINDS = (*CONTROLS, *ESTIMATES, *TOGETHER)  # of representations
ESTIMATORS = ("nearest", "tangent", "hull")
METRICS = ("euclidean", "cosine")
BASELINES = (
    "McCloskey18",
    "Nataraj19",
    "Durall20",
    "Dzanic20",
    "Wang20",
    "Marra18",
    "Marra19",
    "Yu19",
)
TREATMENTS = (
    "JPEG 95",
    "JPEG 75",
    "JPEG 50",
    "blur 0.5",
    "blur 1",
    "resize 1/2",
    "crop 7/8",
    "noise 2",
    "noise 8",
    "5 bits",
)
PRECISIONS = ("float32", "bfloat16", "auto")  # of networks
NORMALISATIONS = ("png", "size", "jpeg90")
ENCODERS = ("supervised", "selfsupervised")  # small networks that are shipped
PHOTOGRAPHS = ("coffee", "flower", "astronaut", "china")
EXPERIMENTS = ("coffee",)  # photographs with controlled experiments
FACTORS = ("family", "up", "nl_last", "norm", "down", "skip", "loss", "loss_fine")
