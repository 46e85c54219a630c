"""Full precision on a GPU, so that it gives what a CPU gives."""

from contextlib import contextmanager

import torch


@contextmanager
def exact_products():
    """Products and convolutions of a GPU in full single precision.

    By default convolutions round their factors to 10 bits (TF32), by which features
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
