"""Weights on disk: written whole; what does not fit a network is refused by name."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from .._support.files import write_whole

# Under these names training codes put a state dict beside other things.
WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net")
# With these names begin the keys of networks that were wrapped in another one.
PREFIXES = ("module.", "_orig_mod.", "model.")
# Names of layers that only fit the classes they were trained on begin so.
HEADS = ("fc.", "AuxLogits.")


def read_weights(path):
    """Read a state dict from a file of safetensors or torch, without running its code.

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
    """The state dict in what a file holds: `{"model": ...}` and `module.` are removed.

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
    """Put weights into a network, which has no last layer; every one of them must fit.

    Parameters
    ----------
    network : torch.nn.Module
        May be on the device "meta", without memory.
    state : dict of str to tensor
        The last layer of a classifier in it is left out.
    origin, wanted : str
        Where the weights are from, and whose would fit, for the message.

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
    """Half precision is for the disk."""
    return value.float() if value.is_floating_point() else value


def _first_difference(error):
    return " ".join(str(error).splitlines()[1].split())[:120]


def write_weights(network, path, record):
    """Write weights in half precision, and a record beside them as JSON.

    Parameters
    ----------
    network : torch.nn.Module
    path : Path
        The file of safetensors, in a folder that is made if there is none.
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
