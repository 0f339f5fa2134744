from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.backbones import BACKBONES, Backbone, BackboneSpec, WeightsFile, weights
from core.backbones.module import Embedder
from core.backbones.text import TextEncoder, has_words
from core.backbones.transformers_loader import build
from core.backbones.vision import import_torchvision
from core.errors import LikenessError
from tests.core.backbones.conftest import normalised, pictures, unit

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
NAMES = ("vit_b16", "dinov2_small", "clip_vit_b32")
WORDS = ["<|startoftext|>", "<|endoftext|>", *"catdog", *(f"{letter}</w>" for letter in "catdog")]


@pytest.fixture(scope="module")
def transformers():
    import_torchvision()
    import transformers

    return transformers


def tiny(transformers, name: str) -> tuple[torch.nn.Module, BackboneSpec]:
    """A whole published-style network of the family, and its record at the small size."""
    torch.manual_seed(1)
    spec = BACKBONES[name]
    spec = replace(spec, dim=32, preprocessing=replace(spec.preprocessing, resize=32, crop=32))
    picture = {"image_size": 32, "patch_size": 8}
    if name == "vit_b16":
        return transformers.ViTForImageClassification(transformers.ViTConfig(**TINY, **picture)).eval(), spec
    if name == "dinov2_small":
        small = {key: value for key, value in TINY.items() if key != "intermediate_size"}
        return transformers.Dinov2Model(transformers.Dinov2Config(**small, **picture)).eval(), spec
    config = transformers.CLIPConfig(
        text_config={**TINY, "vocab_size": len(WORDS), "max_position_embeddings": 16, "projection_dim": 24,
                     "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1},
        vision_config={**TINY, **picture, "projection_dim": 24},
        projection_dim=24,
    )  # fmt: skip
    return transformers.CLIPModel(config).eval(), replace(spec, dim=24)


def feature(name: str, model, images: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        if name == "vit_b16":
            return model.vit(images).last_hidden_state[:, 0]
        if name == "dinov2_small":
            return model(images).pooler_output
        return model.visual_projection(model.vision_model(images).pooler_output)


def embed(spec: BackboneSpec, path: Path, pixels: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return Embedder(build(spec, path), spec).eval()(torch.from_numpy(pixels)).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_folder_gives_the_networks_own_feature(name, transformers, weights_dir):
    model, spec = tiny(transformers, name)
    model.save_pretrained(weights_dir / name)
    pixels = pictures(spec)
    vectors = embed(spec, weights.find(spec).path, pixels)
    assert vectors.shape == (3, spec.dim)
    np.testing.assert_allclose(vectors, unit(feature(name, model, normalised(spec, pixels))), atol=2e-5)


def test_the_file_that_is_fingerprinted_is_the_one_that_is_loaded(transformers, weights_dir, save):
    model, spec = tiny(transformers, "dinov2_small")
    model.save_pretrained(weights_dir)  # model.safetensors and config.json in the weights folder itself
    other = {name: value + 0.1 for name, value in model.state_dict().items()}
    path = save("dinov2_small.safetensors", other)
    pixels = pictures(spec)
    model.load_state_dict(other)
    expected = unit(feature("dinov2_small", model, normalised(spec, pixels)))
    np.testing.assert_allclose(embed(spec, path, pixels), expected, atol=2e-5)


def test_half_precision_weights_run(transformers, weights_dir):
    model, spec = tiny(transformers, "dinov2_small")
    model.half().save_pretrained(weights_dir / spec.name)
    vectors = embed(spec, weights.find(spec).path, pictures(spec))
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()


def test_a_single_file_is_read_with_the_published_configuration(transformers, save):
    spec = BACKBONES["dinov2_small"]
    config = transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14)
    model = transformers.Dinov2Model(config).eval()
    save("dinov2_small.safetensors", model.state_dict())
    pixels = pictures(spec, 1)
    expected = unit(feature(spec.name, model, normalised(spec, pixels)))
    np.testing.assert_allclose(embed(spec, weights.find(spec).path, pixels), expected, atol=2e-4)


def test_weights_of_another_architecture_are_refused(save, squeezenet_state):
    path = save("dinov2_small.pth", squeezenet_state)
    with pytest.raises(LikenessError, match="tensors are missing"):
        build(BACKBONES["dinov2_small"], path)


def test_tensors_of_another_size_or_a_broken_configuration_are_refused(transformers, weights_dir, save):
    model, spec = tiny(transformers, "dinov2_small")
    path = save("dinov2_small.safetensors", model.state_dict())
    with pytest.raises(LikenessError, match="does not fit facebook/dinov2-small"):
        build(spec, path)
    (weights_dir / "config.json").write_text("{")
    with pytest.raises(LikenessError, match="does not fit facebook/dinov2-small"):
        build(spec, path)


@pytest.fixture
def clip(transformers, weights_dir) -> Backbone:
    """A tiny CLIP with its tokenizer beside it."""
    model, spec = tiny(transformers, "clip_vit_b32")
    folder = weights_dir / spec.name
    model.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(dict.fromkeys(WORDS))}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({
            "tokenizer_class": "CLIPTokenizer", "model_max_length": 16, "unk_token": "<|endoftext|>",
            "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
        })
    )  # fmt: skip
    return Backbone(spec, WeightsFile(folder / "model.safetensors", "0" * 64))


def test_words_become_unit_vectors_of_the_images_length(clip):
    encode = TextEncoder(clip)
    cat, dog, long = encode("cat"), encode("dog"), encode("cat " * 200)
    assert cat.shape == dog.shape == (clip.spec.dim,)
    assert embed(clip.spec, clip.weights.path, pictures(clip.spec)).shape[1] == clip.spec.dim
    assert [float(np.linalg.norm(vector)) for vector in (cat, dog, long)] == pytest.approx([1, 1, 1], abs=1e-5)
    assert not np.allclose(cat, dog)


def test_a_missing_tokenizer_is_explained(clip):
    (clip.weights.path.parent / "tokenizer_config.json").unlink()
    assert not has_words(clip)
    with pytest.raises(LikenessError, match=r"needs config\.json and tokenizer_config\.json"):
        TextEncoder(clip)


def test_a_damaged_tokenizer_is_explained(clip):
    (clip.weights.path.parent / "tokenizer_config.json").write_text("{")
    with pytest.raises(LikenessError, match=r"cannot search by words: .* is incomplete"):
        TextEncoder(clip)


def test_a_model_without_text_has_no_words(clip):
    assert not has_words(replace(clip, spec=replace(clip.spec, family="ViT")))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_exported_network_gives_the_same(name, transformers, weights_dir):
    import time

    from core.backbones.runtime import OnnxRunner

    model, spec = tiny(transformers, name)
    model.save_pretrained(weights_dir / name)
    started = time.perf_counter()
    runner = Backbone(spec, weights.find(spec)).load()
    seconds = time.perf_counter() - started
    pixels = pictures(spec)
    cosine = (runner(pixels) * unit(feature(name, model, normalised(spec, pixels)))).sum(1).min()
    print(f"{name}: cosine {cosine:.7f}, {seconds:.1f} s")
    assert isinstance(runner, OnnxRunner)
    assert cosine >= 0.9999
