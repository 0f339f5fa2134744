"""Datasets used lately, so that a command need not repeat them and the dashboard can offer them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from core import files
from core.paths import cache_dir
from core.records import DatasetOptions

_KEEP = 20


@dataclass(frozen=True)
class DatasetChoice:
    """A dataset as the user named it: a reference and options."""

    ref: str
    options: DatasetOptions = field(default_factory=DatasetOptions)

    @property
    def label(self) -> str:
        """One line that tells it from others, such as ``labels.csv, top 10 classes``."""
        short = self.ref.replace("\\", "/").rstrip("/").rsplit("/", 2)
        parts = ["/".join(short[-2:]) if len(short) > 1 else self.ref]
        default = DatasetOptions()
        if self.options.top_classes is not None:
            parts.append(f"top {self.options.top_classes} classes")
        if self.options.per_class is not None:
            parts.append(f"{self.options.per_class} per class")
        if self.options.shares != default.shares:
            parts.append("split " + "/".join(f"{share:g}" for share in self.options.shares))
        if self.options.seed != default.seed:
            parts.append(f"seed {self.options.seed}")
        return ", ".join(parts)

    @property
    def arguments(self) -> list[str]:
        """The command line's options for it."""
        options = self.options
        found = ["--dataset", self.ref, "--seed", str(options.seed)]
        found += ["--split", "/".join(f"{share:g}" for share in options.shares)]
        if options.top_classes is not None:
            found += ["--top-classes", str(options.top_classes)]
        if options.per_class is not None:
            found += ["--per-class", str(options.per_class)]
        return found


def remember(choice: DatasetChoice) -> None:
    """Put a dataset at the head of the list."""
    path = cache_dir() / "recent.json"
    with files.locked(path):
        kept = [choice, *(known for known in recent() if known != choice)][:_KEEP]
        if kept != recent():
            files.write_json(path, [asdict(one) for one in kept])


def recent() -> list[DatasetChoice]:
    """Datasets used lately, the last one first."""
    raw = files.read_json(cache_dir() / "recent.json")
    if not isinstance(raw, list):
        return []
    return [choice for one in raw if (choice := _parse(one)) is not None]


def _parse(raw: Any) -> DatasetChoice | None:
    try:
        options = raw["options"]
        return DatasetChoice(raw["ref"], DatasetOptions(**{**options, "shares": tuple(options["shares"])}))
    except (KeyError, TypeError):
        return None  # written by another version
