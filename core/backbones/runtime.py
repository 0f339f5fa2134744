"""Running a backbone: ONNX Runtime on the CPU, torch on a GPU.

On the CPU each network is exported once, checked against eager torch, kept in the cache and run one image at a time
on one thread; several images run side by side on several threads. On mobile-class networks this is both faster than
batches and makes a vector depend on its image alone: the same bits whether embedded first, last, after a crash or in
the dashboard.
"""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core import files
from core.backbones.spec import BackboneSpec
from core.backbones.weights import WeightsFile
from core.errors import LikenessError
from core.paths import cache_dir

if TYPE_CHECKING:
    import torch

_log = logging.getLogger(__name__)
# Largest angle between an exported and an eager vector that counts as the same network.
MIN_COSINE = 0.9999


class Runner(Protocol):
    """A loaded backbone. Safe to call from several threads."""

    engine: str

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 ``(n, height, width, 3)`` to unit vectors float32 ``(n, dim)``."""
        ...


class OnnxRunner:
    """ONNX Runtime on the CPU, one image at a time, one thread a call."""

    engine = "onnxruntime"

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        run = self._session.run
        return np.concatenate([run(None, {"pixels": pixels[i : i + 1]})[0] for i in range(len(pixels))])


class TorchRunner:
    """Eager torch, in batches: on a GPU, or on the CPU where an export does not match."""

    engine = "torch"

    def __init__(self, module: torch.nn.Module, device: str) -> None:
        self._module = module.to(device).eval()
        self._device = device

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            vectors = self._module(torch.from_numpy(np.ascontiguousarray(pixels)).to(self._device))
            return np.asarray(vectors.float().cpu().numpy(), np.float32)


def load_runner(spec: BackboneSpec, weights: WeightsFile, fingerprint: str) -> Runner:
    """The backbone, ready to run; the first call on a CPU exports it, which takes some seconds.

    Raises:
        LikenessError: the weights do not fit the architecture.
    """
    if _cuda():
        return TorchRunner(build_module(spec, weights), "cuda")
    path = cache_dir() / "onnx" / f"{fingerprint}.onnx"
    with files.locked(path):
        note = files.read_json(path.with_suffix(".json"))
        if not (
            isinstance(note, dict)
            and note.get("sha256") == files.sha256(path)
            and note.get("libraries") == _libraries()
        ):
            note = _export(spec, weights, path)
    if note["cosine"] < MIN_COSINE:
        _log.warning("%s: its export strays from torch (cosine %.6f); torch runs it.", spec.name, note["cosine"])
        return TorchRunner(build_module(spec, weights), "cpu")
    return OnnxRunner(path)


def _cuda() -> bool:
    # Asking torch would import it, which a machine without an NVIDIA driver can be spared.
    if not any(Path(node).exists() for node in ("/dev/nvidiactl", "/dev/dxg")):
        return False
    import torch

    return torch.cuda.is_available()


def build_module(spec: BackboneSpec, weights: WeightsFile) -> torch.nn.Module:
    """The network in eager torch, as a :class:`core.backbones.module.Embedder` in evaluation mode."""
    from core.backbones.module import Embedder

    return Embedder(_loader(spec)(spec, weights.path), spec).eval()


def _loader(spec: BackboneSpec) -> Callable[..., Any]:
    if spec.source == "torchvision":
        from core.backbones.torchvision_loader import build
    elif spec.source == "transformers":
        from core.backbones.transformers_loader import build
    elif spec.source == "bundled":
        from core.backbones.bundled_loader import build
    else:
        from core.backbones.checkpoint import build as build_checkpoint

        return build_checkpoint
    return build


def _export(spec: BackboneSpec, weights: WeightsFile, path: Path) -> dict[str, Any]:
    import torch

    module = build_module(spec, weights)
    size = spec.preprocessing.crop
    pictures = _test_pictures(size)
    with torch.inference_mode():
        expected = module(torch.from_numpy(pictures)).numpy()
    if expected.shape[1] != spec.dim:
        raise LikenessError(f"{weights.path} gives vectors of {expected.shape[1]}, but {spec.name} has {spec.dim}.")
    try:
        with files.replacing(path) as temporary:
            _quiet_export(module, torch.from_numpy(pictures[:1]), temporary)
            cosine = float((OnnxRunner(temporary)(pictures) * expected).sum(1).min())
    except LikenessError:  # the disk
        raise
    except Exception as error:  # whatever an exporter or a runtime has not learned yet
        _log.warning("%s could not be exported (%s).", spec.name, " ".join(str(error).split())[:200])
        cosine = 0.0
    note = {
        "backbone": spec.name,
        "cosine": min(cosine, 1.0) if np.isfinite(cosine) else 0.0,
        "libraries": _libraries(),
        "sha256": files.sha256(path),
    }
    files.write_json(path.with_suffix(".json"), note)
    return note


def _quiet_export(module: torch.nn.Module, sample: torch.Tensor, path: Path) -> None:
    import contextlib
    import io
    import warnings

    import torch

    # The exporter narrates its steps on stdout, where --json may be printing.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (sample,), str(path), dynamo=True, verbose=False, external_data=False,
            input_names=["pixels"], output_names=["vectors"],
        )  # fmt: skip


def _test_pictures(size: int) -> NDArray[np.uint8]:
    """Four smooth coloured pictures and noise: enough to set every channel to work."""
    random = np.random.default_rng(0)
    across, down = np.meshgrid(np.linspace(0, 3, size), np.linspace(0, 3, size))
    waves = [np.sin(across * a + down * b + c) for a, b, c in random.uniform(-3, 3, (12, 3))]
    smooth = (np.stack(waves, -1).reshape(size, size, 4, 3).transpose(2, 0, 1, 3) * 110 + 127).astype(np.uint8)
    return np.concatenate([smooth, random.integers(0, 256, (1, size, size, 3), dtype=np.uint8)])


def _libraries() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("torch", "onnxruntime")}
