"""The answer in a paragraph, for somebody who has one minute.

Sentences come in parts, so that whoever shows them can escape names and mark what matters in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.answer import Answer
from core.datasets.overlap import seen_in_pretraining
from core.evaluate import HEADLINE
from core.leaks import headline_change
from core.metrics import METRICS
from core.metrics.rates import RATES
from core.metrics.verification import Estimate
from core.thresholds import OBJECTIVES, Objective
from core.words import count, interval, listed, share

_MOST_NAMED = 4
_SHOWN = 5  # of HEADLINE
_BASES = (1_000, 10_000, 100_000, 1_000_000)
# From here on the numbers are rough: the width of the 95% interval of P@5, or of a false non-match rate.
_WIDE, _WIDE_RATE = 0.1, 0.2
# A change of P@5 by this much matters to a choice.
_MATTERS = 0.005


@dataclass(frozen=True)
class Strong:
    """A part of a sentence that the eye should find."""

    text: str


Sentence = tuple[str | Strong, ...]


def sentences(found: Answer) -> list[Sentence]:
    """The paragraph: the model, how good it is, the threshold and its errors, the worst mistakes, one caveat."""
    beware = [("Beware. ", *caveat) for caveat in caveats(found)[:1]]
    return [*_choice(found), _quality(found), *_threshold(found), _mistakes(found), *beware]


def as_text(paragraph: Sequence[Sentence]) -> str:
    """Sentences as plain text, names as they are."""
    parts = (part.text if isinstance(part, Strong) else part for sentence in paragraph for part in (*sentence, " "))
    return "".join(parts).rstrip()


def frequency(rate: Estimate) -> tuple[int, str]:
    """A rate as a number of so many: of the first of 1,000, 10,000 … of which the number is at least 1.

    >>> frequency(Estimate(0.0004, 0.0002, 0.0007))[0]
    10000
    """
    leading = rate.value or rate.high
    base = next((base for base in _BASES if leading * base >= 1), _BASES[-1])
    value, low, high = (round(part * base) for part in (rate.value, rate.low, rate.high))
    return base, f"{f'about {value:,}' if value else 'none'} [{low:,}\N{EN DASH}{high:,}]"


def aim(objective: Objective) -> str:
    """An objective in words: best F1; largest false match rate, 0.01.

    >>> aim(Objective("fmr", 0.01))
    'largest false match rate, 0.01'
    """
    title = OBJECTIVES[objective.name].title
    words = title[0].lower() + title[1:]
    if objective.limit is not None:
        return f"{words}, {objective.limit:g}"
    if objective.name == "cost":
        return f"{words}, of {objective.cost_fp:g} a false match and {objective.cost_fn:g} a false non-match"
    return words


def caveats(found: Answer) -> list[Sentence]:
    """What to beware of, the most important first."""
    leaks, matters = _leaks(found)
    return [
        *_trained_on(found),
        *_worse(found),
        *(leaks if matters else []),
        *_seen(found),
        *_few(found),
        *_apart(found),
        *_chosen_by(found),
        *_suspects(found),
        *([] if matters else leaks),
    ]


def _choice(found: Answer) -> Iterator[Sentence]:
    models = len(found.val.models)
    if models == 1:
        yield "Use ", Strong(found.model), ", the only model that was compared."
        return
    yield "Use ", Strong(found.model), f": of {models} models it retrieves best on validation images."
    if not found.tied:
        yield ("The others are measurably worse there.",)
        return
    named = list(found.tied[:_MOST_NAMED])
    if more := len(found.tied) - len(named):
        named.append(f"{more} more")
    told = f"It cannot be told from {listed(named)} there"
    if found.cheaper is None:
        yield (f"{told}, and none of these is clearly faster.",)
        return
    slow, fast = (found.val.models[name].latency.p50 for name in (found.model, found.cheaper))
    yield f"{told}; of these, ", Strong(found.cheaper), f" takes {fast:.1f} ms for an image instead of {slow:.1f} ms."


def _quality(found: Answer) -> Sentence:
    good = found.found
    shown, low, high = (f"{part * _SHOWN:.1f}" for part in (good.value, *good.interval))
    exactly = f"{METRICS[HEADLINE].title} {share(good.value)} {interval(*good.interval)}"
    return (
        "Of the five images that it finds most similar to a test image, ",
        Strong(f"{shown} [{low}\N{EN DASH}{high}]"),
        f" on average are of the right class ({exactly}, {count(len(found.result.results), 'query', 'queries')}).",
    )  # fmt: skip


def _threshold(found: Answer) -> Iterator[Sentence]:
    used = found.threshold
    yield (
        "Two images count as the same from a similarity of ",
        Strong(f"{used.threshold:.4f}"),
        f" on, chosen on validation images ({aim(used.objective)}).",
    )
    (matches, wrong), (misses, missed) = (frequency(used.test.rates[name]) for name in ("fmr", "fnmr"))
    yield (
        f"Of {matches:,} test pairs of different classes, ",
        Strong(wrong),
        f" are then wrongly matched; of {misses:,} of one class, ",
        Strong(missed),
        " are missed.",
    )


def _mistakes(found: Answer) -> Sentence:
    if not found.confused:
        return (f"None of the images that it found for {found.test.protocol.split} images was of a wrong class.",)
    worst, wrong = found.confused[0], sum(pair.count for pair in found.confused)
    return (
        "What goes wrong most: ",
        Strong(worst.a),
        " and ",
        Strong(worst.b),
        f" come back for each other, {worst.count:,} of the {count(wrong, 'wrong image')} found.",
    )


def _trained_on(found: Answer) -> Iterator[Sentence]:
    if number := found.test.trained_on.get(found.model):
        images = f"{number:,} of these test images"
        yield Strong(found.model), f" was trained on {images}, which flatters it. Judge it on images new to it."


def _worse(found: Answer) -> Iterator[Sentence]:
    if better := found.better_on_test:
        yield (
            "On test images ",
            Strong(better),
            " is measurably better, so the choice is not sure.",
        )


def _chosen_by(found: Answer) -> Iterator[Sentence]:
    if number := found.val.trained_on.get(found.model):
        images = f"{number:,} of the validation images"
        yield Strong(found.model), f" was trained with the help of {images}: they flatter it, test images do not."


def _leaks(found: Answer) -> tuple[list[Sentence], bool]:
    """What near duplicates do, and whether it matters to the choice."""
    leaks = found.leaks
    if leaks is None or not leaks.queries:
        return [], False
    said = f"{leaks.queries:,} of {leaks.counted:,} test queries have a near duplicate among the images searched"
    if found.model not in leaks.without:
        return [(f"{said}, so nothing here is sure.",)], True
    change = headline_change(found.test, leaks, found.model)
    left = share(leaks.without[found.model][HEADLINE].value)
    return [(f"{said}; without them {METRICS[HEADLINE].title} is {left}.",)], abs(change) >= _MATTERS


def _seen(found: Answer) -> Iterator[Sentence]:
    if why := seen_in_pretraining(found.dataset, found.result.backbone.spec):
        yield (f"{why} On kinds of images that it has never seen, expect less.",)


def _few(found: Answer) -> Iterator[Sentence]:
    good, missed = found.found, found.threshold.test.rates["fnmr"]
    if good.high - good.low > _WIDE or missed.high - missed.low > _WIDE_RATE:
        images = count(len(found.test_pairs.rows), "test image")
        yield (f"There are {images}, so these numbers are rough, as their intervals show. More images would tell.",)


def _apart(found: Answer) -> Iterator[Sentence]:
    if names := found.threshold.apart:
        rates, verb = listed([RATES[name].title.lower() for name in names]), "differs" if len(names) == 1 else "differ"
        yield (f"The {rates} {verb} between validation and test by more than chance.",)


def _suspects(found: Answer) -> Iterator[Sentence]:
    if found.suspects:
        images = f"{count(found.suspects, 'image')} {'is' if found.suspects == 1 else 'are'}"
        yield (f"{images} more like another class than its own: a wrong label makes a right answer count as wrong.",)
