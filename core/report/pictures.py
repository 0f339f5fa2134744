"""Small pictures as data, so that a file can hold them."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from core import images
from core.errors import UnreadableImage
from core.records import Dataset
from core.store import EmbeddingStore

_SIDE = 144


@dataclass(frozen=True)
class Picture:
    """An image of the dataset; ``uri`` is a JPEG, or None where the file can no longer be read."""

    uri: str | None
    label: str
    path: str
    split: str

    @property
    def alt(self) -> str:
        """For those who do not see it."""
        return f"{self.label}, {self.path}"


class Pictures:
    """Pictures of rows of a dataset, each made once."""

    def __init__(self, dataset: Dataset, store: EmbeddingStore) -> None:
        self._dataset, self._store = dataset, store
        self._made: dict[int, Picture] = {}

    def __call__(self, row: int) -> Picture:
        """The picture of a row."""
        if row not in self._made:
            data = self._dataset
            said = (str(column[row]) for column in (data.labels, data.paths, data.splits))
            self._made[row] = Picture(self._uri(row), *said)
        return self._made[row]

    def _uri(self, row: int) -> str | None:
        kept = self._store.thumbnail(str(self._dataset.ids[row]))
        try:
            file = kept if kept.is_file() and kept.stat().st_size else self._dataset.file(row)
            jpeg = images.thumbnail(images.decode(file.read_bytes()), _SIDE)
        except (OSError, UnreadableImage):
            return None
        return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
