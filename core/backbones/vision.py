"""Importing torchvision where its compiled operators are missing.

torchvision's wheels carry operators compiled for one build of torch. Beside another build (a CPU torch with the
CUDA-built torchvision, say) ``import torchvision`` stops with ``operator torchvision::nms does not exist``, although
no classification model needs an operator. Declaring the two that are looked up at import is enough.
"""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType
from typing import Any

_lock = threading.Lock()
_declared: list[Any] = []  # the declarations live as long as the object that made them
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def import_torchvision() -> ModuleType:
    """The torchvision module, with the missing operators declared if the plain import stops for them."""
    with _lock:
        try:
            return importlib.import_module("torchvision")
        except RuntimeError as error:
            if "torchvision::nms does not exist" not in str(error):
                raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]  # half imported
        import torch

        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(name + _SIGNATURE)
        _declared.append(library)
        return importlib.import_module("torchvision")
