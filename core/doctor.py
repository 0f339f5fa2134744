"""Checks of this machine: what Likeness needs, what is there, and how to get the rest."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from core import files
from core.backbones import all_specs, missing_reason, weights
from core.backbones.detr import DETR
from core.classify import default_classifier
from core.datasets import DATASETS
from core.errors import LikenessError
from core.paths import cache_dir
from core.progress import Progress, silent

_PACKAGES = (
    "streamlit", "torch", "torchvision", "transformers", "onnxruntime", "faiss-cpu", "umap-learn", "lightning-fabric",
    "pytorch-metric-learning", "numpy", "pandas", "plotly", "pillow", "safetensors",
)  # fmt: skip
_GIGABYTE = 10**9


@dataclass(frozen=True)
class Check:
    """One thing looked at; ``remedy`` says what to do where ``ok`` is false."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def examine(progress: Progress = silent) -> list[Check]:
    """Run every check. Uses no network and changes nothing but a probe file in the cache folder."""
    steps: tuple[Callable[[], list[Check]], ...] = (
        _python,
        _packages,
        _torch,
        _drawing,
        _cache,
        _models,
        _what_is_shown,
        _datasets,
    )
    checks = []
    for done, step in enumerate(steps):
        progress("Checking", done, len(steps))
        checks += step()
    progress("Checking", len(steps), len(steps))
    return checks


def _python() -> list[Check]:
    fine = sys.version_info >= (3, 11)
    return [Check("Python", fine, platform.python_version(), "" if fine else "Install Python 3.11 or newer.")]


def _packages() -> list[Check]:
    checks = []
    for package in _PACKAGES:
        try:
            checks.append(Check(package, True, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            checks.append(Check(package, False, "not installed", "pip install -r requirements.txt"))
    return checks


def _torch() -> list[Check]:
    try:
        import torch

        from core.backbones.vision import import_torchvision

        import_torchvision()
    except Exception as error:  # a broken build can raise anything
        return [Check("torch and torchvision", False, str(error), "pip install --force-reinstall -r requirements.txt")]
    engine = f"GPU: {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "CPU, through ONNX Runtime"
    return [Check("engine", True, engine)]


def _drawing() -> list[Check]:
    from PIL import features

    fine = bool(features.check("raqm"))
    remedy = "" if fine else "Install Pillow from its official wheel: pip install --force-reinstall pillow"
    return [Check("demo drawings", fine, f"Pillow {'with' if fine else 'lacks'} raqm", remedy)]


def _cache() -> list[Check]:
    folder = cache_dir()
    try:
        files.write_bytes(folder / ".probe", b"probe")
        (folder / ".probe").unlink()
    except LikenessError as error:
        return [Check("cache folder", False, str(error), "Name a writable folder with --cache or LIKENESS_CACHE.")]
    free = shutil.disk_usage(folder).free
    roomy = free > _GIGABYTE
    detail = f"{folder}, {free / _GIGABYTE:.1f} GB free"
    return [Check("cache folder", roomy, detail, "" if roomy else "Free some space, or name another with --cache.")]


def _models() -> list[Check]:
    found = [(spec, missing_reason(spec)) for spec in all_specs().values()]
    return [Check(f"model {spec.name}", reason is None, "weights here" if reason is None else "no weights here",
                  reason or "") for spec, reason in found]  # fmt: skip


def _what_is_shown() -> list[Check]:
    """What tells labels and finds objects in pair comparison."""
    classifier = default_classifier()
    labels = Check(
        "labels", classifier is not None, "no classifier here" if classifier is None else classifier.name,
        "" if classifier else "pip install -r requirements.txt",
    )  # fmt: skip
    try:
        here = weights.find(DETR) is not None
    except LikenessError:  # damaged
        here = False
    objects = "DETR" if here else "activation maps of the classifier, coarser than DETR"
    return [labels, Check("objects", here, objects, "" if here else weights.how_to_get(DETR))]


def _datasets() -> list[Check]:
    return [
        Check(f"dataset {spec.name}", here, "here" if here else "not here", "" if here else spec.how_to_get())
        for spec in DATASETS.values()
        for here in [spec.available()]
    ]
