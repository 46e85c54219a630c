"""Where torch computes: the device that is meant, and full precision on a GPU."""

from contextlib import ExitStack, contextmanager

import torch

from .._support.devices import devices, named
from .._support.names import PRECISIONS
from .._support.suggestion import suggestion

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


def torch_precision(name):
    """The number type of torch in which the layers of a network compute.

    Parameters
    ----------
    name : {"float32", "bfloat16", "auto"}
        bfloat16 has the exponents of float32, but 8 bits of precision instead of 24.
        "auto" is bfloat16 on a processor that multiplies in it, where it saves a
        quarter of the time of a training; elsewhere it can take longer.

    Returns
    -------
    torch.dtype

    Raises
    ------
    ValueError
        If the name is none of these.

    Examples
    --------
    >>> torch_precision("float32")
    torch.float32
    """
    if name not in PRECISIONS:
        raise ValueError(f"unknown precision {name!r};{suggestion(name, PRECISIONS)}")
    if name == "auto":
        known = torch.cpu.get_capabilities()
        is_fast = known.get("avx512_bf16") or known.get("amx_bf16")
        name = "bfloat16" if is_fast and torch_device().type == "cpu" else "float32"
    return getattr(torch, name)


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
