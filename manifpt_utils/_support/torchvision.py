"""The one door to torchvision, which fails to import beside some builds of torch.

A CPU build of torch beside the registry's CUDA build of torchvision fails on import
with "operator torchvision::nms does not exist" (pytorch/vision issues 8985, 9077,
9085).  Declaring the two operators first cures it; nothing here ever calls them.
"""

import torch

if torch.version.cuda is None:
    # The library must stay referenced, or the declarations vanish with it.
    _OPERATORS = torch.library.Library("torchvision", "FRAGMENT")
    for _name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, _name):
            _schema = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            _OPERATORS.define(f"{_name}{_schema}")

import torchvision  # noqa: E402

__all__ = ["torchvision"]
