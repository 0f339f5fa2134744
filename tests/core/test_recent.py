"""The datasets used lately."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from core.cli.options import add_dataset
from core.recent import DatasetChoice, recent, remember
from core.records import DatasetOptions


def test_the_last_one_used_comes_first_and_only_once(cache: Path) -> None:
    assert recent() == []
    one, two = DatasetChoice("demo"), DatasetChoice("/data/x", DatasetOptions((80, 10, 10), 3, 5, 2))
    for choice in (one, two, one):
        remember(choice)
    assert recent() == [one, two]


def test_the_same_folder_cut_another_way_is_another_choice(cache: Path) -> None:
    remember(DatasetChoice("demo"))
    remember(DatasetChoice("demo", DatasetOptions(seed=1)))
    assert len(recent()) == 2


def test_only_the_last_twenty_are_kept(cache: Path) -> None:
    for number in range(25):
        remember(DatasetChoice(str(number)))
    assert [choice.ref for choice in recent()] == [str(number) for number in range(24, 4, -1)]


@pytest.mark.parametrize(
    "content",
    ["", "{", "{}", "3", '[3, "x", {}, {"ref": "a"}]', '[{"ref": "a", "options": {"shares": [1], "odd": 1}}]'],
)
def test_a_damaged_list_is_an_empty_one(cache: Path, content: str) -> None:
    cache.mkdir()
    (cache / "recent.json").write_text(content)
    assert recent() == []
    remember(DatasetChoice("demo"))
    assert recent() == [DatasetChoice("demo")]


@pytest.mark.parametrize(
    ("choice", "label"),
    [
        (DatasetChoice("demo"), "demo"),
        (DatasetChoice("/a/b/labels.csv", DatasetOptions(top_classes=10)), "b/labels.csv, top 10 classes"),
        (
            DatasetChoice("/x/pets/", DatasetOptions((80, 10, 10), 7, None, 3)),
            "x/pets, 3 per class, split 80/10/10, seed 7",
        ),
    ],
)
def test_a_label_tells_choices_apart(choice: DatasetChoice, label: str) -> None:
    assert choice.label == label


@pytest.mark.parametrize(
    "options", [DatasetOptions(), DatasetOptions((60, 20.5, 20), seed=3, top_classes=7, per_class=12)]
)
def test_the_command_line_understands_a_choice_as_it_is(options: DatasetOptions) -> None:
    parser = argparse.ArgumentParser()
    add_dataset(parser)
    choice = DatasetChoice("/data/my <photos>", options)
    read = parser.parse_args(choice.arguments)
    cut = DatasetOptions(read.shares, read.seed, read.top_classes, read.per_class)
    assert DatasetChoice(read.dataset, cut) == choice
