from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from core.backbones import BACKBONES, Backbone, available, choose, weights
from core.backbones.module import Embedder
from core.backbones.runtime import OnnxRunner
from core.backbones.torchvision_loader import build
from core.errors import LikenessError
from core.paths import REPOSITORY
from tests.core.backbones.conftest import TORCHVISION, normalised, pictures, random_network, unit

# The last module before the classifier's own: what goes into the first matrix of the classifier is the feature.
LAST = {"squeezenet1_1": "features", "mobilenet_v3_large": "avgpool"}
SLOW_TO_EXPORT = ("resnet50", "efficientnet_b0", "mobilenet_v3_large", "shufflenet_v2_x1_0", "convnext_tiny", "swin_t")


def penultimate(name: str, network: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The feature by another road: watch the whole network run and note what it hands to its classifier."""
    seen = []
    if name in LAST:
        network.get_submodule(LAST[name]).register_forward_hook(lambda _, __, output: seen.append(output))
    else:
        last = [module for module in network.modules() if isinstance(module, torch.nn.Linear)][-1]
        last.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    with torch.inference_mode():
        network(images)
    [feature] = seen
    return feature.mean((2, 3)) if feature.ndim == 4 else feature


@pytest.mark.parametrize(
    ("spec", "suffix"),
    [(spec, (".pth", ".safetensors")[number % 2]) for number, spec in enumerate(TORCHVISION)],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_local_file_gives_the_penultimate_activation_at_unit_length(spec, suffix, save):
    network = random_network(spec.name)
    path = save(spec.name + suffix, network.state_dict())
    found = weights.find(spec)
    assert found.path == path
    pixels = pictures(spec, 2)
    with torch.inference_mode():
        vectors = Embedder(build(spec, found.path), spec).eval()(torch.from_numpy(pixels)).numpy()
    assert vectors.shape == (2, spec.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors, unit(penultimate(spec.name, network, normalised(spec, pixels))), atol=2e-4)


def exported_like_torch(name: str, save) -> None:
    spec, network = BACKBONES[name], random_network(name)
    save(f"{name}.pth", network.state_dict())
    [backbone] = choose([name], offline=True)
    started = time.perf_counter()
    runner = backbone.load()
    seconds = time.perf_counter() - started
    assert isinstance(runner, OnnxRunner)
    pixels = pictures(spec)
    cosine = (runner(pixels) * unit(penultimate(name, network, normalised(spec, pixels)))).sum(1).min()
    print(f"{name}: cosine {cosine:.7f}, {seconds:.1f} s")
    assert cosine >= 0.9999


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v2", "resnet18"])
def test_the_exported_network_gives_the_same(name, save):
    exported_like_torch(name, save)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW_TO_EXPORT)
def test_the_exported_network_gives_the_same_for_large_networks_too(name, save):
    exported_like_torch(name, save)


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model"])
def test_a_fine_tuned_checkpoint_with_another_head_wrapped_and_prefixed_is_read(wrapper, save, squeezenet_state):
    tuned = random_network("squeezenet1_1", num_classes=7).state_dict()
    features = {name: value for name, value in squeezenet_state.items() if name.startswith("features")}
    state = {f"module.{name}": value for name, value in {**tuned, **features}.items()}
    plain, wrapped = save("plain.pth", squeezenet_state), save("wrapped.pth", {wrapper: state, "epoch": 3})
    spec = BACKBONES["squeezenet1_1"]
    one, other = build(spec, plain).state_dict(), build(spec, wrapped).state_dict()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_weights_of_another_architecture_are_refused(save, squeezenet_state):
    path = save("resnet18.pth", squeezenet_state)
    with pytest.raises(
        LikenessError, match=r"resnet18\.pth as resnet18: \d+ of \d+ tensors are missing, such as conv1"
    ):
        build(BACKBONES["resnet18"], path)


def test_extra_tensors_and_other_shapes_are_refused(save, squeezenet_state):
    spec = BACKBONES["squeezenet1_1"]
    more = save("more.pth", {**squeezenet_state, "features.99.weight": torch.zeros(1)})
    with pytest.raises(LikenessError, match=r"unknown, such as features\.99\.weight"):
        build(spec, more)
    shape = save("shape.pth", {**squeezenet_state, "features.0.bias": torch.zeros(5)})
    with pytest.raises(LikenessError, match=r"another shape, such as features\.0\.bias"):
        build(spec, shape)


class Payload:
    """Pickled, it writes a file when it is loaded."""

    def __init__(self, target) -> None:
        self.target = target

    def __reduce__(self):
        import os

        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_malicious_checkpoint_is_refused_and_not_run(legacy, weights_dir, tmp_path):
    target = tmp_path / "owned"
    path = weights_dir / "resnet18.pth"
    torch.save({"conv1.weight": Payload(target)}, path, _use_new_zipfile_serialization=not legacy)
    assert "resnet18" in available()
    with pytest.raises(LikenessError, match="cannot be read as weights"):
        choose(["resnet18"])[0].load()
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04" + bytes(99)])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_damaged_file_is_refused(suffix, content, weights_dir):
    path = weights_dir / f"resnet18{suffix}"
    path.write_bytes(content)
    with pytest.raises(LikenessError, match="cannot be read as weights"):
        build(BACKBONES["resnet18"], path)


def test_a_whole_pickled_model_or_a_list_is_no_state_dict(save):
    with pytest.raises(LikenessError, match="no state dict"):
        build(BACKBONES["resnet18"], save("resnet18.pth", [torch.zeros(3)]))


def test_real_weights_are_taken_from_a_folder(monkeypatch):
    folder = REPOSITORY.parent / "shared" / "weights"
    if not (folder / "squeezenet1_1.pth").is_file():
        pytest.skip("no real weights beside the repository")
    monkeypatch.setenv("LIKENESS_WEIGHTS", str(folder))
    [backbone] = choose(["squeezenet1_1"], offline=True)
    vectors = backbone.load()(pictures(backbone.spec))
    assert vectors.shape == (3, 512)
    assert isinstance(backbone, Backbone)


def test_torchvision_imports_and_runs_in_a_fresh_interpreter():
    code = (
        "from core.backbones.vision import import_torchvision as tv, import_torchvision as again\n"
        "import torch; model = tv().models.resnet18().eval()\n"
        "print(again() is tv(), tuple(model(torch.zeros(1, 3, 64, 64)).shape))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True (1, 1000)", done.stderr
