"""Full precision on a GPU, so that its results are those of a CPU."""

from contextlib import contextmanager

import torch


@contextmanager
def exact_products():
    """A block in which a GPU computes products and convolutions in full float32.

    By default, convolutions round their factors to 10 bits (TF32), which makes features
    differ from those of a CPU in the third digit.

    Examples
    --------
    >>> with exact_products():
    ...     print(torch.backends.cudnn.conv.fp32_precision)
    ieee
    """
    places = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = [place.fp32_precision for place in places]
    try:
        for place in places:
            place.fp32_precision = "ieee"
        yield
    finally:
        for place, precision in zip(places, before, strict=True):
            place.fp32_precision = precision
