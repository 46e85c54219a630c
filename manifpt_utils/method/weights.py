"""Weights on disk: written whole or not at all, and refused if they do not fit."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from .._support.files import write_whole

# Under these names, training scripts store a state dict among other things.
WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net")
# If a network was wrapped in another one, its keys begin with these names.
PREFIXES = ("module.", "_orig_mod.", "model.")
# The names of last layers, which only fit the classes of their training, begin so.
HEADS = ("fc.", "AuxLogits.")


def read_weights(path):
    """Read a state dict from a safetensors or torch file, without running code in it.

    Raises
    ------
    ValueError
        If there is no such file, or it holds no state dict.
    """
    path = Path(str(path))
    if not path.is_file():
        raise ValueError(f"weights file {path} does not exist; check the path.")
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on garbage, an unpickler can fail in any way
        raise ValueError(
            f"{path} cannot be read as weights ({type(error).__name__}); save a plain "
            "state dict with safetensors, or with torch.save."
        ) from error
    return as_state(content, path)


def as_state(content, origin):
    """The state dict inside the content of a file: wrappings and prefixes are removed.

    Examples
    --------
    >>> list(as_state({"model": {"module.bias": torch.zeros(2)}, "step": 1}, "a.pth"))
    ['bias']
    """
    inner = content
    while isinstance(inner, dict) and not _is_state(inner):
        inner = next((inner[key] for key in WRAPPERS if key in inner), None)
    if not inner or not _is_state(inner):
        keys = f", but {list(content)[:5]}" if isinstance(content, dict) else ""
        raise ValueError(
            f"{origin} holds no state dict of tensors{keys}; save "
            "`network.state_dict()`."
        )
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in inner):
            inner = {key.removeprefix(prefix): inner[key] for key in inner}
    return inner


def _is_state(value):
    return isinstance(value, dict) and all(map(torch.is_tensor, value.values()))


def load_weights(network, state, origin, *, wanted="the network that `backbone` names"):
    """Load weights into a network without a last layer; every weight must fit.

    Parameters
    ----------
    network : torch.nn.Module
        May be on the device "meta", without memory.
    state : dict of str to tensor
        If it has the last layer of a classifier, this layer is left out.
    origin, wanted : str
        For the error message: where the weights are from, and which ones would fit.

    Raises
    ------
    ValueError
        If a weight is missing, left over or of another shape.
    """
    state = {k: _full(v) for k, v in state.items() if not k.startswith(HEADS)}
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ValueError(
            f"{origin} does not hold the weights of this network "
            f"({_first_difference(error)}); give those of {wanted}."
        ) from error


def _full(value):
    """A tensor in single precision; half precision is for the disk only."""
    return value.float() if value.is_floating_point() else value


def _first_difference(error):
    return " ".join(str(error).splitlines()[1].split())[:120]


def write_weights(network, path, record):
    """Write weights in half precision, and a record beside them as JSON.

    Parameters
    ----------
    network : torch.nn.Module
    path : Path
        The safetensors file; its folder is made if it does not exist.
    record : dict
        How the network was trained.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: _half(value) for name, value in network.state_dict().items()}
    metadata = {"architecture": type(network).__name__}
    write_whole(path, save(state, metadata=metadata))
    write_whole(path.with_suffix(".json"), json.dumps(record, indent=2) + "\n")


def _half(value):
    return (value.half() if value.is_floating_point() else value).contiguous()
