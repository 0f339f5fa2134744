"""Fashion Product Images, small: photographs of products for sale.

From https://huggingface.co/datasets/ashraq/fashion-product-images-small, or the files of Kaggle's
https://www.kaggle.com/datasets/paramaggarwal/fashion-product-images-small.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.datasets.fetching import downloading, not_here, preparing
from core.errors import LikenessError
from core.files import write_bytes
from core.paths import source_dir
from core.progress import Progress

TITLE = "Fashion Product Images"
_HUB = "ashraq/fashion-product-images-small"
_LABEL = "subCategory"
_METADATA = (
    "gender", "masterCategory", "articleType", "baseColour", "season", "year", "usage", "productDisplayName",
)  # fmt: skip
_STAGE = "Unpacking"


def available() -> bool:
    """Whether its table or files to make it from are here."""
    folder = source_dir("fashion")
    return any((folder / name).is_file() for name in ("labels.csv", "styles.csv")) or bool(_parquet(folder))


def how_to_get() -> str:
    """What to fetch and where to put it."""
    return (
        f"Fetch the *.parquet files (270 MB) from https://huggingface.co/datasets/{_HUB}, or Kaggle's styles.csv and "
        f"images folder, and put them into {source_dir('fashion')}."
    )


def prepare(offline: bool, progress: Progress) -> Path:
    """Make the table and its image files, downloading them with Hugging Face's datasets where needed; return the CSV.

    The label is the product's sub-category; article type, gender and the like become metadata.

    Raises:
        LikenessError: it is not here and cannot be downloaded, or its files are not what they should be.
    """
    folder = source_dir("fashion")
    table, styles = folder / "labels.csv", folder / "styles.csv"
    if table.is_file() and not (styles.is_file() and styles.stat().st_mtime > table.stat().st_mtime):
        return table
    if offline and not available():
        raise not_here(TITLE, how_to_get())
    with preparing(folder):
        by_hand = styles.is_file()
        rows = _kaggle_rows(styles) if by_hand else _materialise(_open(folder, progress), folder, progress)
        write_bytes(table, _csv(rows))  # last: a table that is here is complete
        shutil.rmtree(folder / ".huggingface", ignore_errors=True)
    return table


def _parquet(folder: Path) -> list[str]:
    return [str(path) for path in sorted([*folder.glob("*.parquet"), *folder.glob("data/*.parquet")])]


def _open(folder: Path, progress: Progress) -> Any:
    """The rows as a Hugging Face dataset, the images as encoded bytes."""
    files = _parquet(folder)
    cache = str(folder / ".huggingface")
    progress("Downloading" if not files else "Reading", 0, 1)
    if files:
        try:
            return _load("parquet", cache_dir=cache, data_files=files)
        except Exception as error:  # pyarrow and datasets raise many kinds on a damaged file
            reason = " ".join(str(error.__cause__ or error).split())[:300]
            raise LikenessError(f"cannot read {', '.join(files)}: {reason}. {how_to_get()}") from error
    with downloading(TITLE, how_to_get()):
        return _load(_HUB, cache_dir=cache)


def _load(name: str, **options: Any) -> Any:
    import datasets

    rows = datasets.load_dataset(name, split="train", **options)
    missing = {"id", "image", _LABEL} - set(rows.column_names)
    if missing:
        raise LikenessError(f"no columns {', '.join(sorted(missing))}; found {', '.join(rows.column_names)}")
    return rows.cast_column("image", datasets.Image(decode=False))


def _materialise(rows: Any, folder: Path, progress: Progress) -> Iterable[Mapping[str, Any]]:
    """Write every image as it is, byte for byte, and yield the table's rows."""
    for done, row in enumerate(rows):
        if done % 200 == 0:
            progress(_STAGE, done, len(rows))
        name = str(row["id"])
        if not re.fullmatch(r"[\w-]{1,64}", name):
            name = f"row-{done}"  # an id is not trusted to be a file name
        path = f"images/{name}.jpg"
        data = (row["image"] or {}).get("bytes")
        # What a killed run has written is whole; a row without bytes is listed when its file is found missing.
        if data and not (folder / path).exists():
            write_bytes(folder / path, data, durable=False)
        yield {"path": path, "label": row[_LABEL], **{name: row.get(name) for name in _METADATA}}
    progress(_STAGE, len(rows), len(rows))


def _kaggle_rows(styles: Path) -> Iterable[Mapping[str, Any]]:
    # Some product names hold commas without quotes; the name is the last column, so nothing else shifts.
    with styles.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = csv.DictReader(stream)
        if not {"id", _LABEL} <= set(rows.fieldnames or ()):
            found = ", ".join(rows.fieldnames or ())
            raise LikenessError(f"{styles} has the columns {found}; expected id and {_LABEL}. {how_to_get()}")
        for row in rows:
            yield {
                "path": f"images/{row['id']}.jpg",
                "label": row[_LABEL],
                **{name: row.get(name) for name in _METADATA},
            }


def _csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, ("path", "label", *_METADATA), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
