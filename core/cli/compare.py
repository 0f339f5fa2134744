"""``compare``: whether two images show the same class."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.cli import options as shared
from core.cli.deciding import add_deciding, add_images, deciders, read
from core.cli.table import clean, table
from core.compare import Comparison, Decider, Look, best_detector, compare, find_subject, look, sentence
from core.detect import Detection
from core.embed import Networks
from core.errors import LikenessError, UnreadableImage
from core.fusion import Fusion
from core.labelling import Labelling, label_words, labelling
from core.policy import Decision
from core.progress import Progress
from core.store import EmbeddingStore

NAME = "compare"
HELP = "Say whether two images show the same class, what is in them, and what each model thinks."
_NAMES = ("a", "b")
_CROPPED = "Only what was detected was compared, by a threshold that was chosen for whole pictures."


@dataclass(frozen=True)
class _Side:
    """One of the two images."""

    name: str
    path: str
    found: Detection
    look: Look


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two images, and who decides."""
    add_images(parser, "AB")
    add_deciding(parser)
    parser.add_argument("--crop", action="store_true", help="compare what was detected instead of the whole pictures")


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """The decision, and all it rests on, as JSON and as text."""
    data = [read(path) for path in options.images]
    store = EmbeddingStore()
    who = deciders(options, store, progress)
    decider = who[0]
    said = labelling(decider.model, None if options.policy else shared.load(options, store, progress), store)
    loaded = _load(who, said, progress)
    sides = _look(options, data, loaded, said)
    judges = {one.model.name: one for one in who[1:] or who}
    pair = compare(sides[0].look, sides[1].look, judges, decider, said.groups)
    notes = [f"{side.name}: {side.found.note}" for side in sides]
    notes += [_CROPPED] * options.crop + [said.missing] * bool(said.missing)
    return _json(pair, sides, notes), _text(options, pair, decider, sides, notes)


def _load(who: Sequence[Decider], said: Labelling, progress: Progress) -> Networks:
    """Every network that is needed, loaded."""
    needed = {network.name: network for one in who for network in one.model.networks}
    if said.classifier is not None:
        needed[said.classifier.name] = said.classifier
    loaded = {}
    for done, (name, network) in enumerate(needed.items()):
        progress(f"Loading {name}", done, len(needed))
        loaded[name] = (network.spec.preprocessing, network.load())
    progress("Loading the detector", len(needed), len(needed))
    return loaded


def _look(options: argparse.Namespace, data: Sequence[bytes], loaded: Networks, said: Labelling) -> list[_Side]:
    """What is detected in each image, and what networks see in it."""
    detector, classifier = best_detector(), said.classifier.name if said.classifier else None
    sides = []
    for name, path, image in zip(_NAMES, options.images, data, strict=True):
        try:
            found = find_subject(image, detector)
            sides.append(_Side(name, path, found, look(image, loaded, classifier, found if options.crop else None)))
        except UnreadableImage as error:
            raise LikenessError(f"{path} cannot be used: {error}.") from error
    return sides


def _json(pair: Comparison, sides: Sequence[_Side], notes: list[str]) -> dict[str, Any]:
    like, match = pair.like_this, pair.label_match
    return {
        **_said(pair.decision),
        "answer": pair.decision.answer,
        "decided_by": pair.decided_by,
        "models": {name: _said(one) for name, one in pair.models.items()},
        "contributions": pair.contributions,
        "pairs_like_this": like and {"same": like.observed, "ci": like.interval, "pairs": like.pairs},
        "labels": [
            {"image": side.name, "label": label.name, "probability": label.probability}
            for side in sides for label in side.look.labels
        ],
        "label_match": match and asdict(match),
        "boxes": [{"image": side.name, **asdict(box)} for side in sides for box in side.found.boxes],
        "crops": {
            side.name: {"method": side.found.method, "box": side.found.crop and asdict(side.found.crop)}
            for side in sides
        },
        "notes": notes,
    }  # fmt: skip


def _said(decision: Decision) -> dict[str, Any]:
    return {key: value for key, value in asdict(decision).items() if key != "answer"}


def _text(
    options: argparse.Namespace, pair: Comparison, decider: Decider, sides: Sequence[_Side], notes: list[str]
) -> str:
    model = decider.model
    by = ", as the policy says" if options.policy else f": {model.origin}" if isinstance(model, Fusion) else ""
    lines = [sentence(pair), f"Decided by {model.name}{by}.", ""]
    for side in sides:
        labels = ", ".join(f"{label.name} {label.probability:.0%}" for label in side.look.labels)
        lines.append(f"{side.name}: {clean(side.path)}{': ' if labels else ''}{labels}")
    if pair.label_match:
        lines.append(label_words(pair.label_match))
    rows = [[name, *_row(one)] for name, one in pair.models.items()]
    lines += ["", table(["model", "similarity", "same from", "class", "P(same)"], rows)]
    if pair.contributions:
        parts = [[name, f"{value:.4f}"] for name, value in pair.contributions.items()]
        lines += ["", table([f"part of {pair.decision.score:.4f}", "adds"], parts)]
    return "\n".join([*lines, "", *notes])


def _row(one: Decision) -> list[str]:
    verdict = "same" if one.same else "different"
    return [f"{one.score:.4f}", f"{one.threshold:.4f}", verdict, f"{one.probability:.3f}"]
