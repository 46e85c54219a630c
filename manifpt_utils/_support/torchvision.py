"""The one door to torchvision, which fails to import beside some builds of torch.

A CPU build of torch beside the registry's CUDA build of torchvision fails on import
with "operator torchvision::nms does not exist" (pytorch/vision issues 8985, 9077,
9085).  Declaring the two operators first cures it; nothing here ever calls them.

It is imported when something of it is first used, because that takes longer than torch
itself and most of what this package does never uses it.
"""

from importlib import import_module

import torch

if torch.version.cuda is None:
    # The library must stay referenced, or the declarations vanish with it.
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
