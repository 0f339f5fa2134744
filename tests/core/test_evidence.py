from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.backbones import BACKBONES, Preprocessing, available
from core.errors import LikenessError
from core.evidence import BEST_MATCHES, SHARES, FeatureMap, LocalFeatures, evidence, overlay
from core.preprocess import seen_box, to_pixels
from tests.photos import photo
from tests.pictures import picture

SQUARE = Preprocessing(32, 32)
CENTRE = Preprocessing(64, 48)


def features(seed: int, averages: bool, rows: int = 3, columns: int = 4, dim: int = 6) -> FeatureMap:
    random = np.random.default_rng(seed)
    local = random.normal(0.2, 1, (rows, columns, dim)).astype(np.float32)
    vector = local.mean((0, 1)) if averages else random.normal(size=dim).astype(np.float32)
    return FeatureMap(local, vector, averages)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a.astype(float) @ b.astype(float) / (np.linalg.norm(a) * np.linalg.norm(b)))


seeds = st.integers(0, 2**32 - 1)
sides = st.integers(1, 6)


@settings(max_examples=50, deadline=None)
@given(one=seeds, other=seeds, rows=sides, columns=sides)
def test_the_regions_of_a_network_that_averages_add_up_to_the_score(one, other, rows, columns):
    a, b = (features(seed, True, rows, columns) for seed in (one, other))
    found = evidence(a, b)
    assert found.score == pytest.approx(cosine(a.vector, b.vector), abs=1e-6)
    assert found.a.sum() == pytest.approx(found.score, abs=1e-4)
    assert found.b.sum() == pytest.approx(found.score, abs=1e-4)


def test_a_region_adds_what_the_score_loses_without_its_features():
    a, b = features(1, True), features(2, True)
    found = evidence(a, b)
    length = np.linalg.norm(a.vector) * np.linalg.norm(b.vector)
    for row, column in np.ndindex(3, 4):
        without = a.local.copy()
        without[row, column] = 0
        loss = (a.vector - without.mean((0, 1))) @ b.vector / length
        assert found.a[row, column] == pytest.approx(loss, abs=1e-5)
    assert found.a.dtype == found.b.dtype == np.float32
    assert (found.method, found.a.shape) == (SHARES, (3, 4))


def test_a_region_of_a_network_with_a_class_token_shows_its_best_match():
    a, b = features(1, False), features(2, False)
    found = evidence(a, b)
    assert found.score == pytest.approx(cosine(a.vector, b.vector), abs=1e-6)
    every = [cosine(x, y) for x in a.local.reshape(-1, 6) for y in b.local.reshape(-1, 6)]
    for row, column in np.ndindex(3, 4):
        best_of_a = max(cosine(a.local[row, column], other) for other in b.local.reshape(-1, 6))
        best_of_b = max(cosine(b.local[row, column], other) for other in a.local.reshape(-1, 6))
        assert found.a[row, column] == pytest.approx(best_of_a, abs=1e-6)
        assert found.b[row, column] == pytest.approx(best_of_b, abs=1e-6)
    assert found.limits == pytest.approx((np.mean(every), 1.0), abs=1e-6)
    assert found.method == BEST_MATCHES
    assert "do not add up" in found.method


@pytest.mark.parametrize("averages", [True, False])
def test_the_order_of_a_pair_is_no_matter(averages):
    a, b = features(1, averages), features(2, averages)
    one, other = evidence(a, b), evidence(b, a)
    np.testing.assert_allclose(one.a, other.b, atol=1e-6)
    np.testing.assert_allclose(one.b, other.a, atol=1e-6)
    assert one.limits == pytest.approx(other.limits)


def test_the_average_region_of_an_image_beside_itself_is_half_lit():
    a = FeatureMap(np.ones((3, 4, 6), np.float32), np.ones(6, np.float32), True)
    for heat in evidence(a, a).heats:
        np.testing.assert_allclose(heat, 0.5, atol=1e-6)


@pytest.mark.parametrize("averages", [True, False])
def test_heats_keep_to_their_scale_and_to_the_order_of_the_evidence(averages):
    found = evidence(features(1, averages), features(2, averages))
    low, high = found.limits
    for heat, values in zip(found.heats, (found.a, found.b), strict=True):
        np.testing.assert_allclose(heat, ((values - low) / (high - low)).clip(0, 1), atol=1e-6)
        assert 0 <= heat.min() < heat.max() <= 1


@pytest.mark.parametrize("averages", [True, False])
def test_features_of_nothing_are_evidence_of_nothing(averages):
    nothing = FeatureMap(np.zeros((3, 4, 6), np.float32), np.zeros(6, np.float32), averages)
    found = evidence(nothing, features(1, averages))
    assert found.score == 0
    assert not found.a.any()
    assert not found.heats[0].any()


def test_features_of_different_models_are_refused():
    a = features(1, True)
    for other in (features(1, False), features(1, True, dim=5)):
        with pytest.raises(LikenessError, match=r"\(3, 4, 6\) .* different models"):
            evidence(a, other)


def test_real_features_add_up_and_light_what_is_in_both_pictures():
    look = LocalFeatures.open(available()["efficientnet_lite0"])
    pair = [Image.new("RGB", (320, 240), colour) for colour in ("white", "darkgreen")]
    pair[0].paste(picture("cross", 1, side=120), (50, 10))
    pair[1].paste(picture("cross", 1, side=120), (150, 110))
    found = evidence(*(look(one) for one in pair))
    assert found.a.shape == (7, 7)
    assert (found.a.sum(), found.b.sum()) == pytest.approx((found.score, found.score), abs=1e-4)
    assert found.a[:4, :4].mean() > 4 * found.a[4:, 4:].mean()
    assert found.b[3:, 3:].mean() > 4 * found.b[:3, :3].mean()


def test_the_score_that_is_explained_is_the_models_own(network):
    backbone = available()[network]
    pair = [photo(number) for number in (1, 2)]
    look = LocalFeatures.open(backbone)
    first, second = backbone.load()(np.stack([to_pixels(one, backbone.spec.preprocessing) for one in pair]))
    assert evidence(*(look(one) for one in pair)).score == pytest.approx(float(first @ second), abs=1e-4)


def warmth(drawn: Image.Image) -> np.ndarray:
    """How much redder than blue each pixel is, ``(height, width)``."""
    pixels = np.asarray(drawn).astype(int)
    return pixels[..., 0] - pixels[..., 2]


@pytest.mark.parametrize("size", [(90, 60), (60, 90), (64, 64), (900, 50), (1, 1), (3, 1), (2, 5), (1, 40)])
@pytest.mark.parametrize("wanted", [SQUARE, CENTRE, replace(CENTRE, crop=64, squash=True)], ids=str)
def test_colour_lies_exactly_on_what_the_model_saw(wanted, size):
    photograph = Image.new("RGB", size, (90, 120, 30))
    drawn = overlay(photograph, np.ones((7, 7), np.float32), wanted)
    assert (drawn.size, drawn.mode) == (size, "RGB")
    down, across = np.nonzero(warmth(drawn))
    white = (np.asarray(drawn) == 255).all(2)
    down, across = np.append(down, np.nonzero(white)[0]), np.append(across, np.nonzero(white)[1])
    left, top, right, bottom = seen_box(size, wanted)
    assert across.min() == pytest.approx(left, abs=0.5)
    assert across.max() + 1 == pytest.approx(right, abs=0.5) or right - left < 1
    assert down.min() == pytest.approx(top, abs=0.5)
    assert down.max() + 1 == pytest.approx(bottom, abs=0.5) or bottom - top < 1


def test_only_a_part_has_a_frame_and_the_rest_is_veiled():
    photograph = Image.new("RGB", (90, 60), "black")
    whole = np.asarray(overlay(photograph, np.zeros((2, 2), np.float32), replace(SQUARE, squash=True)))
    part = np.asarray(overlay(photograph, np.zeros((2, 2), np.float32), SQUARE))
    assert whole.max() < 128
    assert [part[place].tolist() for place in ((30, 15), (30, 74), (0, 45), (59, 45))] == [[255] * 3] * 4
    assert (part[:, :15] == part[0, 0]).all()
    assert part[0, 0].mean() > part[30, 45].mean() + 50


def test_each_region_is_drawn_in_its_place():
    photograph = Image.new("RGB", (120, 60), "grey")
    heat = np.zeros((2, 3), np.float32)
    heat[0, 2] = 1
    drawn = warmth(overlay(photograph, heat, Preprocessing(30, 30)))
    hot = np.unravel_index(drawn.argmax(), drawn.shape)
    assert hot[0] < 20
    assert 70 < hot[1] < 90
    assert drawn[45, 60] == 0


def lightness(colour: tuple[int, ...]) -> float:
    """CIE 1976 L* of an sRGB colour."""
    part = np.array(colour) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    y = float(linear @ [0.2126, 0.7152, 0.0722])
    return 116 * y ** (1 / 3) - 16 if y > 216 / 24389 else y * 24389 / 27


@pytest.mark.parametrize("grey", [0, 64, 128, 192, 255])
def test_equal_steps_of_heat_are_equal_steps_of_lightness_on_dark_and_light_photos(grey):
    photograph = Image.new("RGB", (32, 32), (grey, grey, grey))
    drawn = [overlay(photograph, np.full((2, 2), heat, np.float32), SQUARE) for heat in np.linspace(0, 1, 6)]
    steps = np.diff([lightness(one.getpixel((16, 16))) for one in drawn])
    assert steps.min() > 6
    assert steps.max() < 9


def test_the_photo_shows_through_and_is_left_as_it_was():
    photograph = photo(1, 64, 64)
    before = photograph.tobytes()
    grey = np.asarray(photograph.convert("L")).ravel()
    for heat in (0, 1):
        drawn = overlay(photograph, np.full((7, 7), heat, np.float32), BACKBONES["vit_b16"].preprocessing)
        assert np.corrcoef(np.asarray(drawn.convert("L")).ravel(), grey)[0, 1] > 0.99
    assert photograph.tobytes() == before
