"""The only import of torchvision, which fails beside some builds of torch.

With a CPU build of torch, the registry's CUDA build of torchvision cannot be imported:
"operator torchvision::nms does not exist" (pytorch/vision issues 8985, 9077, 9085). It
helps to declare the two operators first; nothing here ever calls them.

It is imported when something of it is first used, because that takes longer than torch
itself and most of what this package does never uses it.
"""

from importlib import import_module

import torch

if torch.version.cuda is None:
    # The library must stay referenced, because the declarations vanish with it.
    _OPERATORS = torch.library.Library("torchvision", "FRAGMENT")
    for _name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, _name):
            _schema = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            _OPERATORS.define(f"{_name}{_schema}")


class _Torchvision:
    """Stands for torchvision, and imports it for the first attribute."""

    def __getattr__(self, name):
        return getattr(import_module("torchvision"), name)


torchvision = _Torchvision()
__all__ = ["torchvision"]
