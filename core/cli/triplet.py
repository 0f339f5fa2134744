"""``triplet``: whether at least two of three images belong to the same class."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from core.cli.deciding import add_deciding, add_images, deciders, vectors_of
from core.cli.table import clean, table
from core.compare import Decider
from core.fusion import Fusion
from core.policy import Policy
from core.progress import Progress
from core.store import EmbeddingStore
from core.triplets import NAMES, TripletDecision, contradiction, decide, sentence

NAME = "triplet"
HELP = "Say whether at least two of three images belong to the same class, and which."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Three images, and who decides."""
    add_images(parser, NAMES)
    add_deciding(parser)


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """The decision, and that of each model, as JSON and as text."""
    who = deciders(options, EmbeddingStore(), progress)
    vectors = vectors_of(options.images, [one.model for one in who])
    found = [decide(one.model, vectors, one.threshold) for one in who]
    result = found[0].as_json(options.images)
    if isinstance(who[0], Policy):
        for pair, content in zip(found[0].pairs, result["pairs"], strict=True):
            content["answer"] = who[0].judge(pair.score).answer
    models = {one.model: one.as_json(options.images) for one in found}
    lines = [f"{letter}  {clean(path)}" for letter, path in zip(NAMES, options.images, strict=True)]
    lines += ["", sentence(found[0]), *_asides(who[0], found[0]), "", _pairs(found[0])]
    if len(found) > 1:
        lines += ["", _models(found)]
    return {**result, "decided_by": found[0].model, "models": models}, "\n".join(lines)


def _asides(who: Decider, found: TripletDecision) -> list[str]:
    """Why the answers cannot all be true, who decided, and the pairs that a policy leaves to a person."""
    lines = [doubt] if (doubt := contradiction(found)) else []
    policy = ", as the policy says" if isinstance(who, Policy) else ""
    origin = f": {who.model.origin}" if isinstance(who.model, Fusion) and who.model.origin else ""
    lines.append(f"Decided by {found.model}{policy}{origin}.")
    if isinstance(who, Policy):
        open_ = [" and ".join(pair.names) for pair in found.pairs if who.judge(pair.score).answer == "review"]
        lines += [f"It leaves to a person: {', '.join(open_)}."] if open_ else []
    return lines


def _pairs(found: TripletDecision) -> str:
    """The three pairs; without distances where the score is no cosine."""
    far = all(pair.distance is not None for pair in found.pairs)
    rows = [
        [" and ".join(pair.names), f"{pair.score:.4f}", *([f"{pair.distance:.4f}"] if far else []),
         "same" if pair.same else "different"]
        for pair in found.pairs
    ]  # fmt: skip
    return table(["pair", "similarity", *(["distance"] if far else []), "class"], rows)


def _models(found: Sequence[TripletDecision]) -> str:
    """What each model says, a star at the pairs that match."""
    rows = [
        [one.model, f"{one.threshold:.4f}", *(f"{pair.score:.4f}{'*' if pair.same else ' '}" for pair in one.pairs),
         "yes" if one.any_match else "no"]
        for one in found
    ]  # fmt: skip
    return table(
        ["model (* match)", "same from", *("-".join(pair.names) for pair in found[0].pairs), "at least two"], rows
    )
