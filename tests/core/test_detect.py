from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from core import detect
from core.backbones import CLASSIFIERS, Backbone, WeightsFile, classifiers, weights
from core.backbones.detr import DETR, Detr, pixels, without_timm
from core.backbones.runtime import TorchRunner, build_module
from core.backbones.vision import import_torchvision
from core.boxes import Box
from core.detect import Detection, DetrDetector, MapDetector, brightest_region, load_detector
from core.errors import LikenessError

DOG = Box(0.2, 0.2, 0.6, 0.6, "dog", 0.8)
SOFA = Box(0.0, 0.2, 1.0, 1.0, "couch", 0.99)
PICTURE = Image.new("RGB", (60, 40), "white")
ODD = [(1, 1), (1, 2000), (2000, 1), (3, 2)]
LITE = CLASSIFIERS["efficientnet_lite0_classes"]


@pytest.fixture(scope="module")
def transformers():
    import_torchvision()
    import transformers

    return transformers


@pytest.fixture
def weights_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("LIKENESS_WEIGHTS", str(folder))
    return folder


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Networks run in torch: exporting them takes longer than all of these tests."""
    monkeypatch.setattr(Backbone, "load", lambda self: TorchRunner(build_module(self.spec, self.weights), "cpu"))


def tiny(transformers, labels: int = 91) -> torch.nn.Module:
    """A DETR of the published layout at a small size; its opinions differ from query to query."""
    torch.manual_seed(0)
    trunk = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1], out_features=["stage4"]
    )
    made = transformers.DetrForObjectDetection(
        transformers.DetrConfig(
            use_timm_backbone=False, backbone_config=trunk, d_model=16, num_queries=12, encoder_layers=1,
            decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
            decoder_ffn_dim=16, id2label={number: f"thing {number}" for number in range(labels)},
        )
    ).eval()  # fmt: skip
    for part in (made.class_labels_classifier, made.bbox_predictor.layers[-1], made.model.query_position_embeddings):
        torch.nn.init.normal_(part.weight)
    return made


def drawn() -> Image.Image:
    picture = Image.new("RGB", (160, 120), "skyblue")
    ImageDraw.Draw(picture).ellipse((60, 40, 110, 90), fill="brown", outline="black")
    return picture


# The rule


def with_boxes(*boxes: Box, min_confidence: float = 0.7, margin: float = 0.05) -> Detection:
    return DetrDetector(lambda _: boxes, "0" * 64, min_confidence, margin)(PICTURE)


def test_the_crop_is_the_subject_with_a_margin():
    found = with_boxes(SOFA, DOG)
    assert (found.method, found.boxes) == ("detr", (SOFA, DOG))
    assert found.crop == DOG.widened(0.05)
    assert found.note == "The subject is the dog, found with a confidence of 80%."


def test_unsure_objects_are_passed_over():
    assert with_boxes(SOFA, DOG, min_confidence=0.9).crop == SOFA.widened(0.05)
    assert with_boxes(SOFA, DOG, min_confidence=0.8, margin=0.0).crop == DOG


def test_where_nothing_is_found_the_whole_picture_is_taken_and_said_so():
    found = with_boxes(replace(DOG, confidence=0.69))
    assert (found.boxes, found.crop, found.method) == ((), None, "none")
    assert found.note == "No object was found with a confidence of 70% or more: the whole picture."


# DETR


def test_a_saved_folder_is_loaded_and_gives_the_networks_own_boxes(transformers, weights_dir):
    made = tiny(transformers)
    made.save_pretrained(weights_dir / DETR.name)
    detector = load_detector(min_confidence=0.0)
    assert isinstance(detector, DetrDetector)
    boxes = detector(drawn()).boxes
    with torch.inference_mode():
        output = made(pixel_values=torch.from_numpy(pixels(drawn())))
    processor = transformers.DetrImageProcessor()
    [expected] = processor.post_process_object_detection(output, threshold=0.0, target_sizes=[(1, 1)])
    order = expected["scores"].argsort(descending=True)
    assert [box.label for box in boxes] == [f"thing {label}" for label in expected["labels"][order].tolist()]
    found = [[box.left, box.top, box.right, box.bottom, box.confidence] for box in boxes]
    wanted = torch.cat([expected["boxes"][order].clamp(0, 1), expected["scores"][order, None]], 1)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)


@pytest.mark.parametrize("size", [(640, 480), (224, 224), (375, 500), (1200, 400)])
def test_pictures_are_prepared_as_the_library_does(size, transformers):
    picture = drawn().resize(size)
    expected = transformers.DetrImageProcessor()(picture, return_tensors="pt").pixel_values.numpy()
    assert pixels(picture).shape == expected.shape
    np.testing.assert_allclose(pixels(picture), expected, atol=0.018)  # one of 255 levels


@pytest.mark.parametrize("size", ODD)
def test_odd_sizes_survive_detr(size, transformers, weights_dir):
    tiny(transformers).save_pretrained(weights_dir / DETR.name)
    assert max(pixels(Image.new("RGB", size)).shape) <= DETR.long
    detector = load_detector(min_confidence=0.0)
    assert detector(Image.new("RGB", size)).method == "detr"


def test_published_names_of_the_trunk_mean_torchvisions_layers(transformers):
    """The published weights name their ResNet as torchvision does: by another road, the same feature map."""
    resnet = import_torchvision().models.resnet
    torch.manual_seed(1)
    trunk = resnet.ResNet(resnet.Bottleneck, [2, 1, 2, 1]).eval()
    for part in trunk.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            for tensor in (part.weight, part.bias, part.running_mean, part.running_var):
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
    prefix = "model.backbone.conv_encoder.model."
    renamed = without_timm({prefix + name: tensor for name, tensor in trunk.state_dict().items()})
    other = transformers.ResNetBackbone(
        transformers.ResNetConfig(depths=[2, 1, 2, 1], out_features=["stage4"])
    ).eval()  # fmt: skip
    other.load_state_dict({name.removeprefix(prefix): tensor for name, tensor in renamed.items() if ".fc." not in name})
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        expected = torch.nn.Sequential(*list(trunk.children())[:-2])(images)
        torch.testing.assert_close(other(images).feature_maps[0], expected)


def test_a_single_file_is_read_with_the_published_configuration(transformers, weights_dir):
    from safetensors.torch import save_file

    trunk = transformers.ResNetConfig(out_features=["stage4"])
    config = transformers.DetrConfig(use_timm_backbone=False, backbone_config=trunk, num_labels=91)
    made = transformers.DetrForObjectDetection(config)
    made.save_pretrained(weights_dir / "saved")  # under the names of the published file
    (weights_dir / "saved" / "model.safetensors").rename(weights_dir / f"{DETR.name}.safetensors")
    loaded = Detr(weights.find(DETR))._model
    assert [loaded.config.id2label[number] for number in (0, 1, 18, 90)] == ["N/A", "person", "dog", "toothbrush"]
    for name, tensor in made.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    save_file({"x": torch.zeros(1)}, weights_dir / f"{DETR.name}.safetensors")
    with pytest.raises(LikenessError, match="tensors are missing"):
        Detr(weights.find(DETR))


def test_published_settings_that_ask_for_timm_are_met_without_it(transformers, weights_dir):
    from core.backbones.detr import _config

    (weights_dir / "config.json").write_text('{"backbone": "resnet50", "use_timm_backbone": true, "d_model": 128}')
    config = _config(transformers, weights_dir)
    assert (config.backbone_config.model_type, config.d_model, config.num_labels) == ("resnet", 128, 91)


# Without DETR


@pytest.fixture(scope="module")
def maps() -> MapDetector:
    spec, file = classifiers.localiser(LITE), weights.find(LITE)
    return MapDetector(Backbone(spec, file), TorchRunner(build_module(spec, file), "cpu"), 0.05, "Get DETR.")


def ball(x: int, y: int) -> Image.Image:
    """A football of 80 pixels on a lawn of 240 x 240, its centre at a place."""
    random = np.random.default_rng(0)
    lawn = np.array([60, 130, 50]) + random.integers(-25, 25, (240, 240, 1))
    picture = Image.fromarray(lawn.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((x - 40, y - 40, x + 40, y + 40), fill="white", outline="black")
    draw.regular_polygon((x, y, 14), 5, fill="black")
    for turn in np.arange(5) * 2 * np.pi / 5 - np.pi / 2:
        at = (x + 33 * np.cos(turn), y + 33 * np.sin(turn))
        draw.line((x, y, *at), fill="black", width=2)
        draw.regular_polygon((*at, 8), 5, fill="black")
    return picture


@pytest.mark.parametrize(("x", "y"), [(60, 60), (180, 60), (60, 180), (180, 180), (120, 120)])
def test_the_box_of_a_drawn_object_lies_on_it(x, y, maps):
    found = maps(ball(x, y))
    [box] = found.boxes
    assert found.method == "activation map"
    assert box.label in ("soccer ball", "golf ball")
    assert (240 * (box.left + box.right) / 2, 240 * (box.top + box.bottom) / 2) == pytest.approx((x, y), abs=24)
    assert box.area < 0.5
    assert found.crop == box.widened(0.05)
    assert found.note == f"The box is where {box.label} ({box.confidence:.0%}) is seen, by an activation map. Get DETR."


@pytest.mark.parametrize("size", ODD)
def test_odd_sizes_survive_activation_maps(size, maps):
    assert maps(Image.new("RGB", size, "red")).method in ("activation map", "none")


def test_a_picture_of_nothing_is_taken_whole(maps):
    found = maps(Image.new("RGB", (224, 224), "gray"))
    assert (found.boxes, found.crop, found.method) == ((), None, "none")
    assert found.note == "Nothing was recognised: the whole picture. Get DETR."


def slow_region(fine: np.ndarray) -> tuple[int, int, int, int]:
    """The bounding box of the largest region, by flooding from every place."""
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(fine), strict=True)}
    best: set[tuple[int, int]] = set()
    while left:
        region, edge = set(), {left.pop()}
        while edge:
            y, x = edge.pop()
            region.add((y, x))
            edge |= {(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)} & left
            left -= edge
        best = max(best, region, key=len)
    ys, xs = zip(*best, strict=True)
    return min(xs), min(ys), max(xs) + 1, max(ys) + 1


@pytest.mark.parametrize("seed", range(5))
def test_the_brightest_region_is_found_as_by_flooding(seed):
    brightness = np.random.default_rng(seed).random((8, 8)).astype(np.float32) ** 6
    fine = np.asarray(Image.fromarray(brightness).resize((96, 96), Image.Resampling.BILINEAR))
    expected = slow_region(fine >= detect._CUT * fine.max())
    assert brightest_region(brightness) == pytest.approx([side / 96 for side in expected])
    assert brightest_region(np.ones((8, 8), np.float32)) == (0, 0, 1, 1)


# Which detector


def test_without_detr_activation_maps_say_what_to_get():
    detector = load_detector()
    assert isinstance(detector, MapDetector)
    assert detector.localiser.name == "efficientnet_lite2_places"
    assert detector.because.startswith("detr_resnet50 has no weights on this machine. Get model.safetensors of")


def test_damaged_weights_are_not_passed_over_in_silence(weights_dir):
    (weights_dir / f"{DETR.name}.safetensors").write_bytes(b"no weights")
    detector = load_detector()
    assert isinstance(detector, MapDetector)
    assert "cannot be read as weights" in detector(PICTURE).note


def test_weights_are_downloaded_unless_offline(transformers, tmp_path, monkeypatch):
    def download(spec):
        tiny(transformers).save_pretrained(tmp_path / "hub")
        return tmp_path / "hub" / spec.files[0]

    monkeypatch.setattr(weights, "_download_hub", download)
    assert isinstance(load_detector(offline=True), MapDetector)
    assert isinstance(load_detector(offline=False), DetrDetector)


def test_a_classifier_that_has_no_places_is_followed_by_one_that_has(monkeypatch):
    [vit, lite] = (Backbone(CLASSIFIERS[name], weights.find(LITE)) for name in ("vit_b16_classes", LITE.name))
    monkeypatch.setattr(detect, "classifiers", lambda: iter([vit, lite]))
    assert load_detector().localiser.name == "efficientnet_lite0_places"


def test_with_nothing_at_all_the_error_says_what_to_get(monkeypatch):
    monkeypatch.setattr(detect, "classifiers", lambda: iter(()))
    with pytest.raises(LikenessError, match=r"nothing to detect objects with.*detr_resnet50.*pip install"):
        load_detector()


def test_a_fingerprint_covers_weights_and_parameters(maps):
    base = DetrDetector(lambda _: (), "0" * 64, 0.7, 0.05)
    others = [replace(base, sha256="1" * 64), replace(base, min_confidence=0.8), replace(base, margin=0.1)]
    other_file = replace(maps.localiser, weights=WeightsFile(Path("/x"), "2" * 64))
    others += [maps, replace(maps, margin=0.1), replace(maps, localiser=other_file)]
    assert len({one.fingerprint for one in [base, *others]}) == len(others) + 1
    assert replace(maps, because="").fingerprint == maps.fingerprint
