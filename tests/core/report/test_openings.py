"""The sentences that open the sections agree with the numbers below them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.answer import Answer, answer
from core.answer_words import as_text
from core.evaluate import HEADLINE, Protocol, evaluate
from core.per_class import CLASS_METRICS, class_table
from core.report import openings
from core.store import EmbeddingStore
from tests.core.report.conftest import Made
from tests.evaluations import evaluated
from tests.fakes import fake


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Answer:
    noise = {"good": 1.2, "bad": 3.0}
    val = evaluated(monkeypatch, dict.fromkeys("abc", (30, 20, 20)), noise, Protocol("val"))
    return answer(val, evaluate(val.dataset, [fake(name) for name in noise], EmbeddingStore(), Protocol("test")))


def test_models_says_whether_test_agrees_with_validation(found: Answer) -> None:
    assert as_text([openings.models(found)]) == "On test images too good is best; the others are measurably worse."
    both = replace(found, test=replace(found.test, tied=["good", "bad"]))
    assert as_text([openings.models(both)]) == "On test images too good is best; bad cannot be told from it."
    turned = replace(found.test, models=dict(reversed(found.test.models.items())))
    second = replace(found, test=replace(turned, tied=["bad", "good"]))
    assert "good cannot be told from bad, which is first there" in as_text([openings.models(second)])
    worse = replace(found, test=replace(turned, tied=["bad"]))
    assert "On test images bad is measurably better than good." in as_text([openings.models(worse)])
    one = replace(found, test=replace(found.test, models={"good": found.test.models["good"]}))
    assert as_text([openings.models(one)]) == "Only good was compared."


def test_classes_names_the_hardest_and_the_easiest(found: Answer) -> None:
    table = class_table(found.test, CLASS_METRICS[HEADLINE], EmbeddingStore())
    column = table.values[:, table.models.index("good")]
    text = as_text([openings.classes(table, "good")])
    assert f"Hardest for good is {table.classes[int(column.argmin())]} with P@5 {column.min():.1%} [" in text
    assert f"easiest is {table.classes[int(column.argmax())]} with {column.max():.1%}." in text


def test_threshold_says_what_a_match_is_worth(found: Answer) -> None:
    right = found.threshold.test.rates["precision"].value
    text = as_text([openings.threshold(found)])
    assert text.startswith(f"Where {found.threshold.base_rate:.1%} of all pairs are of one class, {right:.1%} [")


def test_data_says_how_even_the_classes_are(made: Made) -> None:
    assert as_text([openings.data(made.found)]).endswith("in 3 classes, about evenly spread.")
    dataset = made.found.answer.dataset
    kept = np.concatenate([dataset.rows(label="plain")[:4], dataset.rows(label=dataset.classes[-1])])
    fewer = replace(made.found.answer.val, dataset=dataset.take(np.unique(kept)))
    uneven = replace(made.found, answer=replace(made.found.answer, val=fewer))
    assert "unevenly spread" in as_text([openings.data(uneven)])


def test_the_map_says_how_far_it_is_to_be_believed(made: Made) -> None:
    assert "25.0%" in as_text([openings.on_map(made.found)])
