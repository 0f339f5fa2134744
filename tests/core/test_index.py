"""Nearest neighbours: equal to brute force, and rebuilt rather than wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import LikenessError
from core.index import SimilarityIndex
from core.store import EmbeddingStore

PRINT = "ab" * 16


def _keys(*numbers: int) -> list[str]:
    return [f"{number:032x}" for number in numbers]


def _unit(count: int, dim: int = 24, seed: int = 0) -> NDArray[np.float32]:
    values = np.random.default_rng(seed).standard_normal((count, dim))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def store(cache: Path) -> EmbeddingStore:
    store = EmbeddingStore(cache)
    values = _unit(300)
    store.append(PRINT, _keys(*range(200)), values[:200])
    store.append(PRINT, _keys(*range(200, 300)), values[200:])
    return store


def _file(store: EmbeddingStore) -> Path:
    return store.folder / "embeddings" / PRINT / "index.faiss"


def _brute(
    store: EmbeddingStore, query: NDArray[np.float32], k: int, among: NDArray[np.str_]
) -> list[tuple[str, float]]:
    vectors = store.load(PRINT)
    scores = vectors.values.astype(np.float64) @ query.astype(np.float64)
    allowed = set(among.tolist())
    pairs = [(key, score) for key, score in zip(vectors.keys.tolist(), scores.tolist(), strict=True) if key in allowed]
    return sorted(pairs, key=lambda pair: -pair[1])[:k]


@pytest.mark.parametrize("k", [1, 5, 100, 300, 1000])
@pytest.mark.parametrize("step", [1, 7, 299])
def test_search_equals_brute_force_whatever_it_is_restricted_to(store: EmbeddingStore, k: int, step: int) -> None:
    index = SimilarityIndex.open(store, PRINT)
    among = np.array(_keys(*range(0, 300, step)))
    for query in _unit(5, seed=1):
        keys, scores = index.search(query, k, among)
        wanted = _brute(store, query, k, among)
        assert keys.tolist() == [key for key, _ in wanted]
        assert np.allclose(scores, [score for _, score in wanted], atol=1e-6)
        assert len(keys) == min(k, len(among))


def test_ids_without_a_vector_are_passed_over(store: EmbeddingStore) -> None:
    index = SimilarityIndex.open(store, PRINT)
    keys, _ = index.search(_unit(1)[0], 5, np.array(_keys(3, 5000, 4)))
    assert set(keys.tolist()) == set(_keys(3, 4))


@pytest.mark.parametrize(("k", "among"), [(5, []), (5, _keys(7777)), (0, _keys(1))])
def test_nothing_to_find_is_an_empty_result(store: EmbeddingStore, k: int, among: list[str]) -> None:
    keys, scores = SimilarityIndex.open(store, PRINT).search(_unit(1)[0], k, np.array(among, "U32"))
    assert (len(keys), len(scores)) == (0, 0)


@pytest.mark.parametrize("k", [3, 10, 150])
def test_equal_scores_come_in_the_order_of_the_store(cache: Path, k: int) -> None:
    store = EmbeddingStore(cache)
    same = np.repeat(_unit(1), 200, axis=0)
    store.append(PRINT, _keys(*range(200)), same)
    index = SimilarityIndex.open(store, PRINT)
    answers = [index.search(same[0], k, np.array(_keys(*order)))[0] for order in (range(200), range(199, -1, -1))]
    assert answers[0].tolist() == answers[1].tolist() == _keys(*range(k))


def test_an_image_finds_itself_with_a_score_of_one(store: EmbeddingStore) -> None:
    index = SimilarityIndex.open(store, PRINT)
    vector = index.vector(_keys(42)[0])
    assert vector is not None
    keys, scores = index.search(vector, 1, np.array(_keys(*range(300))))
    assert keys.tolist() == _keys(42)
    assert scores[0] == pytest.approx(1, abs=1e-6)
    assert index.vector(_keys(5000)[0]) is None


def test_the_index_is_kept_beside_the_vectors_and_mapped(
    store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    SimilarityIndex.open(store, PRINT)
    assert _file(store).is_file()
    flags: list[int] = []
    read = faiss.read_index
    monkeypatch.setattr(faiss, "read_index", lambda path, flag: (flags.append(flag), read(path, flag))[1])
    monkeypatch.setattr(faiss, "write_index", lambda *_: pytest.fail("built again for nothing"))
    SimilarityIndex.open(store, PRINT)
    assert flags == [faiss.IO_FLAG_MMAP_IFC]


def test_new_vectors_are_found_at_once(store: EmbeddingStore) -> None:
    SimilarityIndex.open(store, PRINT)
    new = _unit(1, seed=9)
    store.append(PRINT, _keys(999), new)
    keys, _ = SimilarityIndex.open(store, PRINT).search(new[0], 1, np.array(_keys(*range(300), 999)))
    assert keys.tolist() == _keys(999)


def test_joining_parts_leaves_the_answers_as_they_are(store: EmbeddingStore) -> None:
    query, among = _unit(1, seed=3)[0], np.array(_keys(*range(300)))
    before = SimilarityIndex.open(store, PRINT).search(query, 20, among)[0]
    store.compact(PRINT)
    assert SimilarityIndex.open(store, PRINT).search(query, 20, among)[0].tolist() == before.tolist()


def test_a_damaged_index_file_is_built_again(store: EmbeddingStore) -> None:
    query, among = _unit(1, seed=3)[0], np.array(_keys(*range(300)))
    wanted = SimilarityIndex.open(store, PRINT).search(query, 300, among)
    good = _file(store).read_bytes()
    places = [*range(0, 60, 5), len(good) // 2, len(good) - 1]
    spoilt = [good[:p] + bytes([good[p] ^ 0x55]) + good[p + 1 :] for p in places]
    for data in (*spoilt, b"", good[:-100], b"junk" * 50):
        _file(store).write_bytes(data)
        keys, scores = SimilarityIndex.open(store, PRINT).search(query, 300, among)
        assert keys.tolist() == wanted[0].tolist()
        assert scores.tobytes() == wanted[1].tobytes()
        assert len(_file(store).read_bytes()) == len(good)


@pytest.mark.parametrize(
    "note", [None, "", "{", "[]", {"schema": 0}, {"keys": "0" * 64}, {"faiss": "0.1"}, {"sha256": ""}]
)
def test_an_index_that_does_not_fit_its_manifest_is_built_again(
    store: EmbeddingStore, note: dict[str, str] | str | None
) -> None:
    SimilarityIndex.open(store, PRINT)
    manifest = _file(store).with_suffix(".json")
    real = json.loads(manifest.read_text())
    if note is None:
        manifest.unlink()
    else:
        manifest.write_text(note if isinstance(note, str) else json.dumps({**real, **note}))
    stranger = faiss.IndexFlatIP(24)
    stranger.add(_unit(300, seed=5))
    faiss.write_index(stranger, str(_file(store)))
    query, among = _unit(1, seed=3)[0], np.array(_keys(*range(300)))
    keys, _ = SimilarityIndex.open(store, PRINT).search(query, 5, among)
    assert keys.tolist() == [key for key, _ in _brute(store, query, 5, among)]
    assert set(json.loads(manifest.read_text())) == set(real)


def test_a_disk_that_takes_no_index_is_explained(store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("write error in index.faiss")

    monkeypatch.setattr(faiss, "write_index", full)
    with pytest.raises(LikenessError, match="could not be written"):
        SimilarityIndex.open(store, PRINT)
    assert not list(_file(store).parent.glob(".*.tmp*"))


def test_no_vectors_at_all_says_what_to_do(cache: Path) -> None:
    with pytest.raises(LikenessError, match="Embed a dataset"):
        SimilarityIndex.open(EmbeddingStore(cache), PRINT)


def test_filters_survive_libraries_that_replace_faiss_search(tmp_path: Path) -> None:
    """In a process of its own: the replacement stays for good."""
    code = f"""
import numpy as np
from pathlib import Path
from core.index import SimilarityIndex
from core.store import EmbeddingStore
import faiss.contrib.torch_utils
store = EmbeddingStore(Path({str(tmp_path)!r}))
keys = [f"{{number:032x}}" for number in range(4)]
store.append("ab", keys, np.eye(4, dtype=np.float32))
found, _ = SimilarityIndex.open(store, "ab").search(np.eye(4, dtype=np.float32)[0], 2, np.array(keys[2:]))
assert sorted(found) == keys[2:], found
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
