"""What pages load, kept between reruns. The only module that uses Streamlit's caches.

Everything is keyed by names and fingerprints, never by arrays, and shared read-only between sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from core import backbones as catalogue
from core import images
from core.backbones import Backbone, Runner
from core.backbones.text import TextEncoder
from core.datasets import load_dataset
from core.errors import LikenessError
from core.evaluate import Evaluation, Protocol, compare_models
from core.evaluate import evaluate as evaluate_models
from core.index import SimilarityIndex
from core.metrics import Difference
from core.pair_errors import PairErrors, find_pair_errors
from core.paths import cache_dir
from core.recent import DatasetChoice
from core.records import Dataset
from core.search import Searcher
from core.store import EmbeddingStore
from core.verify import SplitPairs, verify


def store() -> EmbeddingStore:
    """The embedding store."""
    return EmbeddingStore()


def forget() -> None:
    """Look at the disk again: after a job, or when the user asks."""
    _dataset.clear()
    available_backbones.clear()
    unavailable_models.clear()


@st.cache_resource(ttl=60, show_spinner=False)
def available_backbones() -> dict[str, Backbone]:
    """The models whose weights are here."""
    return catalogue.available()


@st.cache_resource(ttl=60, show_spinner=False)
def unavailable_models() -> dict[str, str]:
    """What to do for each model whose weights are not here."""
    reasons = {name: catalogue.missing_reason(spec) for name, spec in catalogue.all_specs().items()}
    return {name: reason for name, reason in reasons.items() if reason}


def dataset(choice: DatasetChoice) -> Dataset:
    """A dataset, scanned once a session of the server or until :func:`forget`."""
    return _dataset(repr(choice), str(cache_dir()), choice)


@st.cache_resource(max_entries=8, show_spinner="Reading the dataset")
def _dataset(key: str, cache: str, _choice: DatasetChoice) -> Dataset:
    return load_dataset(_choice.ref, _choice.options, offline=True, known_failures=store().failures())


def without(data: Dataset, ids: Sequence[str]) -> Dataset:
    """A dataset less some of its images."""
    return _without(data.fingerprint, str(data.paths[0]), " ".join(ids), data, ids)


@st.cache_resource(max_entries=4, show_spinner=False)
def _without(data: str, first: str, left_out: str, _data: Dataset, _ids: Sequence[str]) -> Dataset:
    return _data.without(_ids)


def missing(data: Dataset, backbone: Backbone) -> int:
    """How many images of a dataset a model has not embedded."""
    return _missing(data.fingerprint, backbone.fingerprint, _state(backbone), data, backbone)


@st.cache_resource(max_entries=256, show_spinner=False)
def _missing(data: str, fingerprint: str, state: str, _data: Dataset, _backbone: Backbone) -> int:
    stored = store().load(_backbone.fingerprint)
    return int((stored.rows(_data.ids) < 0).sum())


def evaluation(data: Dataset, names: Sequence[str], protocol: Protocol) -> Evaluation:
    """The leaderboard of these models."""
    models = available_backbones()
    chosen = [models[name] for name in names]
    return _evaluation(data.fingerprint, str(data.paths[0]), _states(chosen), repr(protocol), data, chosen, protocol)


@st.cache_resource(max_entries=32, show_spinner="Comparing the models")
def _evaluation(
    data: str, first: str, state: str, how: str, _data: Dataset, _models: list[Backbone], _protocol: Protocol
) -> Evaluation:
    return evaluate_models(_data, _models, store(), _protocol)


def differences(found: Evaluation, metric: str) -> list[Difference]:
    """All pairs of an evaluation's models by a metric, in their order."""
    models = _states([result.backbone for result in found.models.values()])
    return _differences(found.dataset.fingerprint, models, repr(found.protocol), metric, found)


@st.cache_resource(max_entries=64, show_spinner="Comparing the models")
def _differences(data: str, state: str, how: str, metric: str, _found: Evaluation) -> list[Difference]:
    return compare_models(_found.models, metric)


def pairs(data: Dataset, backbone: Backbone, split: str) -> SplitPairs:
    """All pairs of a split, as one model scores them."""
    return _pairs(data.fingerprint, str(data.paths[0]), backbone.fingerprint, _state(backbone), split, data, backbone)


@st.cache_resource(max_entries=32, show_spinner="Comparing all pairs")
def _pairs(
    data: str, first: str, fingerprint: str, state: str, split: str, _data: Dataset, _backbone: Backbone
) -> SplitPairs:
    return verify(_data, _backbone, store(), split)


def pair_errors(found: SplitPairs) -> PairErrors:
    """The pairs of a split at the wrong end of the scores."""
    return _pair_errors(
        found.dataset.fingerprint, found.backbone.fingerprint, _state(found.backbone), found.split, found
    )


@st.cache_resource(max_entries=16, show_spinner="Looking for the worst pairs")
def _pair_errors(data: str, fingerprint: str, state: str, split: str, _found: SplitPairs) -> PairErrors:
    return find_pair_errors(_found, store())


def searcher(data: Dataset, backbone: Backbone) -> Searcher:
    """Search a dataset with one model."""
    return Searcher(data, backbone, _index(backbone.fingerprint, _state(backbone)), runner)


@st.cache_resource(max_entries=16, show_spinner="Opening the index")
def _index(fingerprint: str, state: str) -> SimilarityIndex:
    return SimilarityIndex.open(store(), fingerprint)


def runner(backbone: Backbone) -> Runner:
    """A loaded network."""
    return _runner(backbone.fingerprint, backbone)


@st.cache_resource(max_entries=8, show_spinner="Loading the model")
def _runner(fingerprint: str, _backbone: Backbone) -> Runner:
    return _backbone.load()


@st.cache_resource(max_entries=2, show_spinner="Loading the words of the model")
def text_encoder(fingerprint: str, _backbone: Backbone) -> TextEncoder:
    """The text tower of a model that has one; raises LikenessError where its files are not here."""
    return TextEncoder(_backbone)


@st.cache_data(max_entries=4000, show_spinner=False)
def thumbnail(key: str, file: str) -> bytes | None:
    """An image small enough for a grid and safe for a browser; None where the file cannot be shown any more."""
    kept = store().thumbnail(key)
    try:
        if kept.is_file() and kept.stat().st_size:
            return kept.read_bytes()
        data = Path(file).read_bytes()
        return data if images.shows_as_it_is(data) else images.thumbnail(images.decode(data))
    except (OSError, LikenessError):
        return None


def _states(models: Sequence[Backbone]) -> str:
    """Changes whenever vectors of any of the models were added."""
    return " ".join(f"{model.fingerprint}:{_state(model)}" for model in models)


def _state(backbone: Backbone) -> str:
    """Changes whenever vectors of a model were added."""
    return " ".join(path.name for path in store().parts(backbone.fingerprint))


@st.cache_data(max_entries=64, show_spinner=False)
def sample_rows(data: str, seed: int, count: int, label: str | None, _data: Dataset) -> list[int]:
    """A few rows of a dataset, drawn evenly from the classes; the same for the same seed."""
    random = np.random.default_rng(seed)
    if label is not None:
        rows = random.permutation(_data.rows(label=label))
    else:
        shuffled = [random.permutation(_data.rows(label=name)) for name in _data.classes]
        longest = max(len(rows) for rows in shuffled)
        turns = [rows[turn] for turn in range(min(longest, count)) for rows in shuffled if turn < len(rows)]
        rows = np.array(turns[:count], dtype=np.intp)
    return [int(row) for row in rows[:count]]
