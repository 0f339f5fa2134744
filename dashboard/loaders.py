"""What pages load, kept between reruns. The only module that uses Streamlit's caches.

Everything is keyed by names and fingerprints, never by arrays, and shared read-only between sessions.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import backbones as catalogue
from core import images
from core.ablation import Ablation, ablate
from core.answer import Answer, check_splits
from core.answer import answer as decide
from core.at_least_two import TripletScores, score_triplets
from core.backbones import Backbone, Runner
from core.backbones.text import TextEncoder
from core.cache_use import CacheUse
from core.cache_use import cache_use as use_of
from core.calibration import Calibration, fit
from core.class_thresholds import ClassThresholds, class_thresholds
from core.classify import default_classifier
from core.compare import Look, best_detector, deciding_model, find_subject
from core.compare import look as look_at
from core.datasets import load_dataset
from core.detect import Detection, Detector
from core.duplicates import Duplicates, find_duplicates
from core.errors import LikenessError
from core.evaluate import Evaluation, Protocol, compare_models
from core.evaluate import evaluate as evaluate_models
from core.evidence import EvidencePair, FeatureMap, LocalFeatures, evidence
from core.full_search import FullSearcher
from core.fusing import Learned, learn
from core.fusion import Fusion
from core.fusion_parts import fusion_of
from core.fusions import saved
from core.image_sizes import ImageSizes, image_sizes
from core.index import SimilarityIndex
from core.judges import Judge, judge_by
from core.known_pairs import KnownPairs
from core.label_suspects import Suspect, label_suspects
from core.labelling import Labelling, labelling
from core.leaks import without_leaks
from core.metrics import Difference
from core.metrics.verification import Estimate
from core.models import Model
from core.neighbours import Neighbours, nearest_neighbours
from core.outliers import Outlier, outliers
from core.pair_errors import PairErrors, PairList, find_pair_errors
from core.part_scores import PartScores
from core.part_scores import part_scores as score_parts
from core.paths import cache_dir
from core.per_class import CLASS_METRICS, ClassTable, difference_table
from core.per_class import class_table as evaluate_classes
from core.progress import Progress
from core.projection import OpenMap, Projection, Settings, kept_projection
from core.recent import DatasetChoice
from core.records import Dataset
from core.reliability import Quality
from core.reliability import quality as calibration_quality
from core.sampled import SampleResult, draw_triplets
from core.sampled import protocols as sampled_protocols
from core.sampled import triplet_accuracy as evaluate_triplets
from core.scorers import scorer_of
from core.search import Searcher
from core.siamese import Siamese, pair_scorers
from core.store import EmbeddingStore
from core.thresholds import Objective
from core.variants import on_crops, variants_of
from core.vectors import stored_vectors
from core.verify import SplitPairs, verify

T = TypeVar("T")
_MOST_KEPT = 32
_lock = Lock()


def store() -> EmbeddingStore:
    """The embedding store."""
    return EmbeddingStore()


def forget() -> None:
    """Look at the disk again: after a job, or when the user asks."""
    _dataset.clear()
    _cache_use.clear()
    available_models.clear()
    unavailable_models.clear()
    classifier.clear()


@st.cache_resource(ttl=60, show_spinner=False)
def available_models() -> dict[str, Model]:
    """The backbones whose weights are here, then the pair heads and the fusions that were saved of them, by name."""
    found = catalogue.available()
    return {**found, **pair_scorers(found), **saved()}


@st.cache_resource(ttl=60, show_spinner=False)
def unavailable_models() -> dict[str, str]:
    """What to do for each model whose weights are not here."""
    reasons = {name: catalogue.missing_reason(spec) for name, spec in catalogue.all_specs().items()}
    return {name: reason for name, reason in reasons.items() if reason}


def cache_use() -> CacheUse:
    """What the cache holds; looks at every file of it, but not at every rerun."""
    return _cache_use(str(cache_dir()))


@st.cache_resource(ttl=20, show_spinner=False)
def _cache_use(folder: str) -> CacheUse:
    return use_of(store())


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


def missing(data: Dataset, model: Model) -> int:
    """How many images of a dataset a model, or the one of its networks that lacks most, has not embedded."""
    return max(_missing(data.fingerprint, one.fingerprint, _state(one), data, one) for one in model.networks)


@st.cache_resource(max_entries=256, show_spinner=False)
def _missing(data: str, fingerprint: str, state: str, _data: Dataset, _backbone: Backbone) -> int:
    stored = store().load(_backbone.fingerprint)
    return int((stored.rows(_data.ids) < 0).sum())


def evaluation(data: Dataset, names: Sequence[str], protocol: Protocol) -> Evaluation:
    """The leaderboard of these models."""
    models = available_models()
    chosen = [models[name] for name in names]
    return _evaluation(data.fingerprint, str(data.paths[0]), _states(chosen), repr(protocol), data, chosen, protocol)


@st.cache_resource(max_entries=32, show_spinner="Comparing the models")
def _evaluation(
    data: str, first: str, state: str, how: str, _data: Dataset, _models: list[Model], _protocol: Protocol
) -> Evaluation:
    return evaluate_models(_data, _models, store(), _protocol)


def differences(found: Evaluation, metric: str) -> list[Difference]:
    """All pairs of an evaluation's models by a metric, in their order."""
    models = _states([result.backbone for result in found.models.values()])
    return _differences(found.dataset.fingerprint, models, repr(found.protocol), metric, found)


@st.cache_resource(max_entries=64, show_spinner="Comparing the models")
def _differences(data: str, state: str, how: str, metric: str, _found: Evaluation) -> list[Difference]:
    return compare_models(_found.models, metric)


@st.cache_resource(show_spinner=False)
def _kept() -> OrderedDict[Hashable, Any]:
    return OrderedDict()


def _once(key: Hashable, work: Callable[[], T]) -> T:
    """The result of work that draws its progress: a cached function would draw it again on every hit."""
    kept = _kept()
    with _lock:
        if key in kept:
            return cast("T", kept[key])
    found = work()
    if found is None:  # not there yet: look again
        return found
    with _lock:
        kept[key] = found
        if len(kept) > _MOST_KEPT:
            kept.popitem(last=False)
    return found


def duplicates(data: Dataset, backbone: Backbone, progress: Progress) -> Duplicates:
    """The near duplicates of a dataset, confirmed by a model; hashes what was never hashed."""
    return _once(_duplicates_key(data, backbone), lambda: find_duplicates(data, store(), backbone, progress))


def found_duplicates(data: Dataset, models: Sequence[Backbone]) -> Duplicates | None:
    """What :func:`duplicates` has found already, with the first of these models that it was asked with; or None."""
    with _lock:
        return next((found for one in models if (found := _kept().get(_duplicates_key(data, one)))), None)


def _duplicates_key(data: Dataset, backbone: Backbone) -> Hashable:
    return "duplicates", data.fingerprint, str(data.paths[0]), _states([backbone])


def answer(data: Dataset, names: Sequence[str]) -> Answer:
    """The answer in short; near duplicates count where :func:`duplicates` has looked for them already.

    Raises LikenessError where there is no choosing or no testing.
    """
    check_splits(data)
    val, test = (evaluation(data, names, Protocol(split)) for split in ("val", "test"))
    known = found_duplicates(data, [result.backbone.networks[0] for result in test.models.values()])
    models = _states([result.backbone for result in test.models.values()])
    return _answer(data.fingerprint, str(data.paths[0]), models, known is not None, val, test, known)


@st.cache_resource(max_entries=32, show_spinner="Choosing the model and its threshold")
def _answer(
    data: str, first: str, state: str, looked: bool, _val: Evaluation, _test: Evaluation, _known: Duplicates | None
) -> Answer:
    leaks = None if _known is None else without_leaks(_test, _known)
    return decide(_val, _test, leaks=leaks)


def report_file(data: Dataset, names: Sequence[str]) -> Path:
    """Where the report of these models is kept, whether or not it has been made."""
    models = available_models()
    content = f"{data.fingerprint} {data.paths[0]} {_states([models[name] for name in names])}"
    return cache_dir() / "reports" / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.html"


def neighbours(data: Dataset, backbone: Backbone, progress: Progress) -> Neighbours:
    """The nearest images of every image, for one model."""
    return _once(_neighbours_key(data, backbone), lambda: nearest_neighbours(data, backbone, store(), progress))


def _neighbours_key(data: Dataset, backbone: Backbone) -> Hashable:
    return "neighbours", data.fingerprint, str(data.paths[0]), _states([backbone])


def projection(data: Dataset, backbone: Backbone, settings: Settings) -> Projection | None:
    """The map of a dataset, or None where it has not been made: a job makes it."""
    key = "map", data.fingerprint, str(data.paths[0]), _states([backbone]), repr(settings)
    return _once(key, lambda: kept_projection(data, backbone, store(), settings))


def suspects(data: Dataset, backbone: Backbone, found: Neighbours) -> list[Suspect]:
    """Images whose neighbours disagree with their label."""
    return _suspects(data.fingerprint, str(data.paths[0]), _states([backbone]), data, found)


def found_suspects(data: Dataset, models: Sequence[Backbone]) -> tuple[str, list[Suspect]] | None:
    """The name of the first of these models whose neighbours are known already, and its suspects; or None."""
    for one in models:
        with _lock:
            near = _kept().get(_neighbours_key(data, one))
        if near is not None:
            return one.name, suspects(data, one, near)
    return None


@st.cache_resource(max_entries=8, show_spinner=False)
def _suspects(data: str, first: str, state: str, _data: Dataset, _found: Neighbours) -> list[Suspect]:
    return label_suspects(_data, _found)


def far_images(data: Dataset, backbone: Backbone, found: Neighbours) -> list[Outlier]:
    """Images that are far from everything."""
    return _far_images(data.fingerprint, str(data.paths[0]), _states([backbone]), data, found)


@st.cache_resource(max_entries=8, show_spinner=False)
def _far_images(data: str, first: str, state: str, _data: Dataset, _found: Neighbours) -> list[Outlier]:
    return outliers(_data, _found)


def sizes(data: Dataset, progress: Progress) -> ImageSizes:
    """How large the images are; looks at files that were never looked at."""
    return _once(("sizes", data.fingerprint, str(data.paths[0])), lambda: image_sizes(data, store(), progress))


def some(data: Dataset, rows: NDArray[np.intp]) -> Dataset:
    """A dataset with these rows only: those of a map."""
    return _some(data.fingerprint, str(data.paths[0]), rows.tobytes(), data, rows)


@st.cache_resource(max_entries=2, show_spinner=False)
def _some(data: str, first: str, which: bytes, _data: Dataset, _rows: NDArray[np.intp]) -> Dataset:
    return _data.take(_rows)


def vectors(data: Dataset, backbone: Backbone) -> NDArray[np.float32]:
    """The vectors of every image, float32 ``(n, dim)``."""
    return _vectors(data.fingerprint, str(data.paths[0]), _states([backbone]), data, backbone)


@st.cache_resource(max_entries=2, show_spinner="Opening the vectors")
def _vectors(data: str, first: str, state: str, _data: Dataset, _backbone: Backbone) -> NDArray[np.float32]:
    return stored_vectors(_data, _backbone, store())


def open_map(data: Dataset, backbone: Backbone, settings: Settings) -> OpenMap:
    """A map that has been drawn, ready for new images."""
    first, state = str(data.paths[0]), _states([backbone])
    return _open_map(data.fingerprint, first, state, repr(settings), data, backbone, settings)


@st.cache_resource(max_entries=2, show_spinner="Opening the map for new images")
def _open_map(
    data: str, first: str, state: str, how: str, _data: Dataset, _backbone: Backbone, _settings: Settings
) -> OpenMap:
    return OpenMap(_data, _backbone, store(), _settings)


def pairs(data: Dataset, backbone: Model, split: str) -> SplitPairs:
    """All pairs of a split, as one model scores them."""
    return _pairs(data.fingerprint, str(data.paths[0]), backbone.fingerprint, _state(backbone), split, data, backbone)


@st.cache_resource(max_entries=32, show_spinner="Comparing all pairs")
def _pairs(
    data: str, first: str, fingerprint: str, state: str, split: str, _data: Dataset, _backbone: Model
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


def calibration(found: SplitPairs, method: str) -> Calibration:
    """From scores to probabilities, fitted on these pairs: those of validation."""
    return _calibration(_pairs_key(found), method, found)


@st.cache_resource(max_entries=64, show_spinner="Fitting probabilities")
def _calibration(pairs: str, method: str, _found: SplitPairs) -> Calibration:
    return fit(_found.verification, method)


def quality(val: SplitPairs, method: str, test: SplitPairs, base_rate: float) -> Quality:
    """How well the probabilities of :func:`calibration` fit other pairs."""
    return _quality(_pairs_key(val), method, _pairs_key(test), base_rate, val, test)


@st.cache_resource(max_entries=64, show_spinner=False)
def _quality(val: str, method: str, test: str, base_rate: float, _val: SplitPairs, _test: SplitPairs) -> Quality:
    return calibration_quality(calibration(_val, method), _test.verification, base_rate)


def by_class(
    val: SplitPairs, test: SplitPairs, objective: Objective, choice: float, base_rate: float
) -> ClassThresholds:
    """Thresholds by class beside a common one."""
    return _by_class(_pairs_key(val), _pairs_key(test), repr(objective), choice, base_rate, val, test, objective)


@st.cache_resource(max_entries=32, show_spinner="Choosing a threshold for each class")
def _by_class(
    val: str, test: str, how: str, choice: float, base_rate: float, _val: SplitPairs, _test: SplitPairs,
    _objective: Objective,
) -> ClassThresholds:  # fmt: skip
    return class_thresholds(_val, _test, store(), _objective, choice, base_rate)


def sampled(found: SplitPairs, threshold: float, seed: int) -> tuple[list[SampleResult], SampleResult]:
    """Balanced samples of pairs at a threshold, and triplets."""
    return _sampled(_pairs_key(found), threshold, seed, found)


@st.cache_resource(max_entries=64, show_spinner="Drawing samples")
def _sampled(pairs: str, threshold: float, seed: int, _found: SplitPairs) -> tuple[list[SampleResult], SampleResult]:
    return sampled_protocols(_found, store(), threshold, seed)


def _pairs_key(found: SplitPairs) -> str:
    """Changes whenever the pairs do."""
    return f"{found.dataset.fingerprint} {found.dataset.paths[0]} {_states([found.backbone])} {found.split}"


def searcher(data: Dataset, model: Model) -> Searcher | FullSearcher:
    """Search a dataset with one model."""
    if isinstance(model, Backbone):
        return Searcher(data, model, _index(model.fingerprint, _state(model)), runner)
    return _full_searcher(data.fingerprint, str(data.paths[0]), model.fingerprint, _state(model), data, model)


@st.cache_resource(max_entries=4, show_spinner="Opening the vectors")
def _full_searcher(
    data: str, first: str, fingerprint: str, state: str, _data: Dataset, _model: Fusion | Siamese
) -> FullSearcher:
    return FullSearcher.open(_data, _model, store(), runner)


@st.cache_resource(max_entries=16, show_spinner="Opening the index")
def _index(fingerprint: str, state: str) -> SimilarityIndex:
    return SimilarityIndex.open(store(), fingerprint)


def runner(backbone: Backbone) -> Runner:
    """A loaded network."""
    return _runner(backbone.fingerprint, backbone)


@st.cache_resource(max_entries=24, show_spinner="Loading the model")
def _runner(fingerprint: str, _backbone: Backbone) -> Runner:
    return _backbone.load()


@st.cache_resource(max_entries=2, show_spinner="Loading the words of the model")
def text_encoder(fingerprint: str, _backbone: Backbone) -> TextEncoder:
    """The text tower of a model that has one; raises LikenessError where its files are not here."""
    return TextEncoder(_backbone)


@st.cache_data(max_entries=4000, show_spinner=False)
def thumbnail(key: str, file: str, width: int) -> bytes | None:
    """An image for a grid, safe for a browser and so that Streamlit need not open it again at every rerun.

    None where the file cannot be shown any more.
    """
    kept = store().thumbnail(key)
    try:
        if kept.is_file() and kept.stat().st_size:
            return images.at_width(kept.read_bytes(), width)
        data = Path(file).read_bytes()
        return images.at_width(data if images.shows_as_it_is(data) else images.thumbnail(images.decode(data)), width)
    except (OSError, LikenessError):
        return None


def _states(models: Sequence[Model]) -> str:
    """Changes whenever vectors of any of the models were added."""
    return " ".join(f"{model.fingerprint}:{_state(model)}" for model in models)


def _state(model: Model) -> str:
    """Changes whenever vectors that a model needs were added."""
    return " ".join(path.name for network in model.networks for path in store().parts(network.fingerprint))


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


def class_table(found: Evaluation, metric: str, baseline: str | None = None) -> ClassTable:
    """A metric of :data:`core.per_class.CLASS_METRICS` by class and model, or its differences to a baseline."""
    models = _states([result.backbone for result in found.models.values()])
    return _class_table(found.dataset.fingerprint, models, repr(found.protocol), metric, baseline, found)


@st.cache_resource(max_entries=128, show_spinner="Comparing the classes")
def _class_table(data: str, state: str, how: str, metric: str, baseline: str | None, _found: Evaluation) -> ClassTable:
    if baseline is None:
        return evaluate_classes(_found, CLASS_METRICS[metric], store())
    return difference_table(_found, CLASS_METRICS[metric], baseline, store())


def deciding(data: Dataset, models: Sequence[Model]) -> Model:
    """What decides where several models are chosen: the default fusion of them; or the only one."""
    said = classifier()  # its labels have a part in the default fusion
    state = _states([*models, *([said] if said else [])])
    return _deciding(data.fingerprint, str(data.paths[0]), state, data, models)


@st.cache_resource(max_entries=16, show_spinner="Adding the models up")
def _deciding(data: str, first: str, state: str, _data: Dataset, _models: Sequence[Model]) -> Model:
    return deciding_model(_data, _models, store())


def judge(val: SplitPairs) -> Judge:
    """A model that is ready to decide, by these pairs: those of validation."""
    return _judge(_pairs_key(val), val)


@st.cache_resource(max_entries=64, show_spinner="Choosing the threshold")
def _judge(pairs: str, _val: SplitPairs) -> Judge:
    return judge_by(_val)


def triplets(data: Dataset, model: Model, split: str, size: int, seed: int) -> TripletScores:
    """Triplets with and without a match, as one model scores them."""
    return _triplets(data.fingerprint, str(data.paths[0]), _states([model]), split, size, seed, data, model)


@st.cache_resource(max_entries=64, show_spinner="Scoring triplets")
def _triplets(
    data: str, first: str, state: str, split: str, size: int, seed: int, _data: Dataset, _model: Model
) -> TripletScores:
    return score_triplets(_data, _model, store(), split, size, seed)


def triplet_accuracy(data: Dataset, model: Model, split: str, size: int, seed: int) -> Estimate:
    """Share of triplets whose anchor is more alike to the positive."""
    return _triplet_accuracy(data.fingerprint, str(data.paths[0]), _states([model]), split, size, seed, data, model)


@st.cache_resource(max_entries=64, show_spinner="Scoring triplets")
def _triplet_accuracy(
    data: str, first: str, state: str, split: str, size: int, seed: int, _data: Dataset, _model: Model
) -> Estimate:
    return evaluate_triplets(draw_triplets(_data, split, size, seed), scorer_of(_data, _model, store()))


@st.cache_resource(ttl=60, show_spinner=False)
def classifier() -> Backbone | None:
    """Who says what is in a picture, unless a fusion asks another."""
    return default_classifier()


def labels_of(data: Dataset, model: Model) -> Labelling:
    """Who gives labels beside a model, and how they go with the dataset's classes."""
    said = classifier()
    state = _states([model, *([said] if said else [])])
    return _labels_of(data.fingerprint, str(data.paths[0]), state, data, model)


@st.cache_resource(max_entries=32, show_spinner="Learning which labels go together")
def _labels_of(data: str, first: str, state: str, _data: Dataset, _model: Model) -> Labelling:
    return labelling(_model, _data, store())


def look(data: bytes, networks: Sequence[Backbone], said_by: Backbone | None, found: Detection | None = None) -> Look:
    """What networks see in an image file, or in the part of it that was found; raises UnreadableImage."""
    names = " ".join(f"{one.name}:{one.fingerprint}" for one in networks)
    labeller = None if said_by is None else said_by.name
    part = None if found is None else found.crop
    return _look(images.content_id(data), names, labeller, repr(part), data, networks, found)


@st.cache_resource(max_entries=64, show_spinner=False)
def _look(
    key: str, names: str, labeller: str | None, part: str, _data: bytes, _networks: Sequence[Backbone],
    _found: Detection | None,
) -> Look:  # fmt: skip
    loaded = {network.name: (network.spec.preprocessing, runner(network)) for network in _networks}
    return look_at(_data, loaded, labeller, _found)


@st.cache_resource(max_entries=1, show_spinner="Loading the detector")
def detector() -> Detector:
    """What finds the subject of a picture."""
    return best_detector()


def detection(data: bytes) -> Detection:
    """What was found in an image file; raises UnreadableImage."""
    return _detection(images.content_id(data), detector().fingerprint, data)


@st.cache_resource(max_entries=256, show_spinner="Looking for objects")
def _detection(key: str, fingerprint: str, _data: bytes) -> Detection:
    return find_subject(_data, detector())


@st.cache_resource(max_entries=2, show_spinner="Loading the model for its evidence")
def _local_features(fingerprint: str, _backbone: Backbone) -> LocalFeatures:
    return LocalFeatures.open(_backbone)


def agreement(a: Look, b: Look, backbone: Backbone) -> EvidencePair:
    """Which regions of two pictures agree in the eyes of a model."""
    one, other = (_features(seen.key, repr(seen.part), backbone.fingerprint, seen, backbone) for seen in (a, b))
    return evidence(one, other)


@st.cache_resource(max_entries=64, show_spinner="Looking for evidence")
def _features(key: str, part: str, fingerprint: str, _seen: Look, _backbone: Backbone) -> FeatureMap:
    return _local_features(fingerprint, _backbone)(_seen.picture)


def nearest_pairs(found: SplitPairs, score: float, count: int, but: Sequence[int]) -> PairList:
    """The pairs of a split that score about as much as a new one."""
    return _nearest_pairs(_pairs_key(found), score, count, tuple(but), found)


@st.cache_resource(max_entries=256, show_spinner=False)
def _nearest_pairs(pairs: str, score: float, count: int, but: tuple[int, ...], _found: SplitPairs) -> PairList:
    return _known_pairs(pairs, _found).nearest(score, count, but)


@st.cache_resource(max_entries=8, show_spinner="Looking for pairs like this")
def _known_pairs(pairs: str, _found: SplitPairs) -> KnownPairs:
    return KnownPairs.open(_found, store())


def fusion_parts(data: Dataset, models: Sequence[Backbone], method: str, labels: bool) -> Fusion:
    """What can be added up: models brought to one scale, and label match where it can have a part."""
    labeller = classifier() if labels else None
    state = _states([*models, *([labeller] if labeller else [])])
    return _fusion_parts(data.fingerprint, str(data.paths[0]), state, method, labels, data, models, labeller)


@st.cache_resource(max_entries=32, show_spinner="Bringing the models to one scale")
def _fusion_parts(
    data: str, first: str, state: str, method: str, labels: bool, _data: Dataset, _models: Sequence[Backbone],
    _labeller: Backbone | None,
) -> Fusion:  # fmt: skip
    return fusion_of(_data, _models, store(), method, _labeller)


def part_scores(data: Dataset, parts: Fusion, split: str) -> PartScores:
    """What each part says of the pairs of a split."""
    return _part_scores(data.fingerprint, str(data.paths[0]), _states([parts]), split, data, parts)


@st.cache_resource(max_entries=8, show_spinner="Scoring pairs with each part")
def _part_scores(data: str, first: str, state: str, split: str, _data: Dataset, _parts: Fusion) -> PartScores:
    return score_parts(_data, _parts, store(), split)


def learned(data: Dataset, parts: Fusion, objective: Objective, base_rate: float, progress: Progress) -> Learned:
    """Weights learned on validation."""
    key = "learned", data.fingerprint, str(data.paths[0]), _states([parts]), repr(objective), base_rate
    return _once(key, lambda: learn(data, parts, store(), objective=objective, base_rate=base_rate, progress=progress))


def ablation(
    data: Dataset, fusions: Sequence[Fusion], objective: Objective, base_rate: float, finder: Detector | None,
    progress: Progress,
) -> Ablation:  # fmt: skip
    """A fusion taken apart: ``fusions`` are it, the one with all its parts, and others to stand beside them.

    With a ``finder`` it is also judged on images cropped to their subject.
    """

    def work() -> Ablation:
        fusion, parts, *others = fusions
        variants = variants_of(data, fusion, parts, store(), others, progress)
        if finder is not None:
            variants.append(on_crops(data, fusion, finder, store(), progress))
        return ablate(variants, objective, base_rate)

    asked = repr(objective), base_rate, finder.fingerprint if finder else ""
    return _once(("ablation", data.fingerprint, str(data.paths[0]), _states(fusions), *asked), work)
