"""Where torch computes: the device that is meant, and full precision on a GPU."""

from contextlib import ExitStack, contextmanager

import torch

from .._support.devices import devices, named

_usual = ["cpu"]  # of a process; the one of `use_device`


def use_device(device):
    """Let all that is built or fitted from now on compute on a device.

    Spaces, searches, denoisers and classifiers that are given a device of their own
    keep to it.  In a ``with`` statement, what was before returns at its end.

    Parameters
    ----------
    device : str or None
        "cpu", "cuda", "cuda:0" and so on, or "auto" for a GPU where there is one.  None
        changes nothing.

    Returns
    -------
    context manager

    Raises
    ------
    ValueError
        If there is no such device.

    Examples
    --------
    >>> with use_device("cpu"):
    ...     torch_device()
    device(type='cpu')
    """
    before, _usual[0] = _usual[0], str(torch_device(device))
    undo = ExitStack()
    undo.callback(_usual.__setitem__, 0, before)
    return undo


def torch_device(name=None):
    """The device of torch with this name, or a ValueError if it cannot be used.

    Parameters
    ----------
    name : str or None
        As for `use_device`; None is the device that `use_device` named, else the CPU.

    Returns
    -------
    torch.device

    Examples
    --------
    >>> torch_device()
    device(type='cpu')
    """
    name = _usual[0] if name is None else name
    try:
        device = torch.device(named(name) if name == "auto" else name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        raise ValueError(
            f"device {name!r} cannot be used here ({str(error).splitlines()[0]}); "
            f"there is {', '.join(devices())}."
        ) from error
    return device


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
