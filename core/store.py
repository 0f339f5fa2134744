"""The embedding store: every vector under its image's content id and its backbone's fingerprint.

Layout, below the cache folder::

    embeddings/<fingerprint>/<part>.safetensors   keys uint8 (n, 16), vectors float32 (n, dim)
    thumbnails/<2 digits>/<content id>.jpg
    <kind>/<key>.safetensors                      results, such as evaluations
    failures.json                                 content ids that cannot be decoded, with reasons

A part is written at once (temporary file, then rename) and carries its own manifest and checksum in its header, so a
part is either whole or it is not there. Parts only ever add; :meth:`EmbeddingStore.compact` joins them.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from core import files
from core.paths import cache_dir

SCHEMA = 1
_LIBRARIES = ("numpy", "onnxruntime", "pillow", "torch")
_STALE_S = 3600.0
_Tensors = dict[str, NDArray[Any]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Vectors:
    """Vectors of one backbone: ``values`` float32 ``(n, dim)``, row ``i`` belongs to content id ``keys[i]``."""

    keys: NDArray[np.str_]
    values: NDArray[np.float32]

    def rows(self, ids: NDArray[np.str_]) -> NDArray[np.intp]:
        """The row of each id, or -1 where it is not stored."""
        if not len(self.keys):
            return np.full(len(ids), -1, np.intp)
        place = np.searchsorted(self.keys, ids, sorter=self._order)
        found: NDArray[np.intp] = self._order[np.minimum(place, len(self.keys) - 1)]
        return np.where(self.keys[found] == ids, found, -1)

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        return np.argsort(self.keys)


class EmbeddingStore:
    """Reads and writes what has been computed about images. Safe to share between processes."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_dir()

    # Embeddings

    def parts(self, fingerprint: str) -> list[Path]:
        """The part files of a backbone, oldest name first."""
        return sorted(self._of(fingerprint).glob("[0-9a-f]*.safetensors"))

    def load(self, fingerprint: str) -> Vectors:
        """Every stored vector of a backbone. Damaged or foreign parts count as absent, with a warning."""
        for _ in range(5):
            paths = self.parts(fingerprint)
            loaded = [_read(path, fingerprint) for path in paths]
            # A part that vanished while we read was joined into another by a second process: look again.
            if all(part is not None or path.exists() for part, path in zip(loaded, paths, strict=True)):
                break
        return _join([part for part in loaded if part is not None])

    def keys(self, fingerprint: str) -> set[str]:
        """Content ids that have a vector of this backbone."""
        return set(self.load(fingerprint).keys.tolist())

    def count(self, fingerprint: str) -> int:
        """How many images have a vector of this backbone. Reads no vectors, so it does not see that one is damaged."""
        return len({key for path in self.parts(fingerprint) for key in _read_keys(path)})

    def append(self, fingerprint: str, keys: list[str], values: NDArray[np.float32]) -> None:
        """Add vectors as one part, on disk when this returns.

        Args:
            fingerprint: of the backbone.
            keys: ``n`` content ids.
            values: float32 ``(n, dim)``.

        Raises:
            LikenessError: the disk is full; parts written before stay valid.
        """
        raw = np.frombuffer(bytes.fromhex("".join(keys)), np.uint8).reshape(len(keys), 16)
        tensors: _Tensors = {"keys": raw, "vectors": np.ascontiguousarray(values, np.float32)}
        manifest = {
            "schema": str(SCHEMA),
            "fingerprint": fingerprint,
            "sha256": _checksum(tensors),
            "libraries": json.dumps({name: importlib.metadata.version(name) for name in _LIBRARIES}),
        }
        path = self._of(fingerprint) / f"{uuid.uuid4().hex}.safetensors"
        files.write_bytes(path, save(tensors, metadata=manifest))

    def compact(self, fingerprint: str) -> None:
        """Join all parts into one. Call it while holding :meth:`lock`."""
        old = self.parts(fingerprint)
        if len(old) > 1:
            whole = self.load(fingerprint)
            self.append(fingerprint, whole.keys.tolist(), whole.values)
            for path in old:
                path.unlink(missing_ok=True)

    def clear_leftovers(self, fingerprint: str) -> None:
        """Remove what killed writers of a backbone's vectors left. Call it while holding :meth:`lock`."""
        files.clear_leftovers(self._of(fingerprint))

    def clear_stale(self) -> None:
        """Remove what killed writers of anything else left, once it is old enough to be nobody's."""
        kinds = ("class_errors", "crops", "evaluations", "fusions", "jobs", "latency", "neighbours", "onnx",
                 "projections", "reports", "scans", "thumbnails", "verifications")  # fmt: skip
        for kind in kinds:
            files.clear_leftovers(self.folder / kind, _STALE_S)

    def lock(self, fingerprint: str) -> FileLock:
        """The lock held while computing this backbone's vectors."""
        return files.lock_for(self._of(fingerprint) / "writer")

    def _of(self, fingerprint: str) -> Path:
        return self.folder / "embeddings" / fingerprint

    # Results computed from embeddings

    def write_arrays(self, kind: str, key: str, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Keep named arrays, checksummed, under a key that covers all they were computed from."""
        tensors: _Tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        manifest = {"schema": str(SCHEMA), "key": key, "sha256": _checksum(tensors)}
        files.write_bytes(self._result(kind, key), save(tensors, metadata=manifest))

    def read_arrays(self, kind: str, key: str) -> dict[str, NDArray[Any]] | None:
        """The arrays kept under a key, or None when there are none or they are damaged."""
        read = _open(self._result(kind, key))
        if read is None:
            return None
        manifest, tensors = read
        wanted = {"schema": str(SCHEMA), "key": key, "sha256": _checksum(tensors)}
        return tensors if manifest == wanted else None

    def _result(self, kind: str, key: str) -> Path:
        return self.folder / kind / f"{key}.safetensors"

    # Thumbnails

    def thumbnail(self, key: str) -> Path:
        """Where the thumbnail of an image is kept, whether or not it has been made."""
        return self.folder / "thumbnails" / key[:2] / f"{key}.jpg"

    def write_thumbnail(self, key: str, jpeg: bytes) -> None:
        """Keep a thumbnail."""
        files.write_bytes(self.thumbnail(key), jpeg, durable=False)

    # Images that cannot be decoded

    def failures(self) -> dict[str, str]:
        """Reasons of the content ids that could not be decoded, by this version of Pillow."""
        known = files.read_json(self._failures)
        if not isinstance(known, dict) or known.get("pillow") != importlib.metadata.version("pillow"):
            return {}
        reasons = known.get("reasons")
        return {str(key): str(reason) for key, reason in reasons.items()} if isinstance(reasons, dict) else {}

    def add_failures(self, reasons: Mapping[str, str]) -> None:
        """Remember images that cannot be decoded, so that they are not tried again."""
        if not reasons:
            return
        with files.locked(self._failures):
            merged = {**self.failures(), **reasons}
            files.write_json(self._failures, {"pillow": importlib.metadata.version("pillow"), "reasons": merged})

    @property
    def _failures(self) -> Path:
        return self.folder / "failures.json"


def _open(path: Path) -> tuple[dict[str, str], _Tensors] | None:
    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError, ValueError) as error:
        _log.warning("%s is damaged and is ignored (%s); what it held will be computed again.", path, error)
        return None


def _read_keys(path: Path) -> list[bytes]:
    try:
        with safe_open(path, framework="numpy") as file:
            raw = file.get_tensor("keys").tobytes()
    except (OSError, SafetensorError, ValueError):
        return []
    return [raw[i : i + 16] for i in range(0, len(raw), 16)]


def _read(path: Path, fingerprint: str) -> Vectors | None:
    read = _open(path)
    if read is None:
        return None
    manifest, tensors = read
    wanted = {"schema": str(SCHEMA), "fingerprint": fingerprint, "sha256": _checksum(tensors)}
    if set(tensors) != {"keys", "vectors"} or any(manifest.get(name) != value for name, value in wanted.items()):
        _log.warning("%s does not match its manifest and is ignored; its images will be embedded again.", path)
        return None
    hexadecimal = tensors["keys"].tobytes().hex()
    keys = np.array([hexadecimal[i : i + 32] for i in range(0, len(hexadecimal), 32)], dtype="U32")
    return Vectors(keys, tensors["vectors"])


def _join(parts: Iterable[Vectors]) -> Vectors:
    parts = list(parts)
    if not parts:
        return Vectors(np.empty(0, "U32"), np.empty((0, 0), np.float32))
    keys = np.concatenate([part.keys for part in parts])
    values = parts[0].values if len(parts) == 1 else np.concatenate([part.values for part in parts])
    first = np.sort(np.unique(keys, return_index=True)[1])
    return Vectors(keys, values) if len(first) == len(keys) else Vectors(keys[first], values[first])


def _checksum(tensors: _Tensors) -> str:
    """Over names, types and shapes too: the same bytes read as another type are other numbers."""
    digest = hashlib.sha256()
    for name, array in sorted(tensors.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
