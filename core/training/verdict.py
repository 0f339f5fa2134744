"""What a new backbone is worth: judged once, on test images."""

from __future__ import annotations

from typing import Any

from core.backbones import Backbone, available
from core.embed import embed
from core.evaluate import Evaluation, compare_models, evaluate
from core.models import Model
from core.progress import Progress
from core.records import Dataset
from core.siamese import pair_scorers
from core.store import EmbeddingStore
from core.training.protocol import Material
from core.training.settings import METRICS

_TESTED = ("precision_at_5", "retrieval_accuracy")


def judge_on_test(
    name: str, dataset: Dataset, material: Material, parent: Backbone | None, store: EmbeddingStore, progress: Progress
) -> dict[str, Any]:
    """Embed a dataset with a new backbone, and put it beside its parent on test images, which nothing has looked at.

    Args:
        name: of the new backbone.
        dataset: to embed.
        material: the images of the training run.
        parent: what it started from; None for random weights.
        store: takes the vectors.
        progress: told of each stage.

    Returns:
        Values with 95% intervals of each model, and differences of the new one to its parent; nothing without test
        images.
    """
    child = available()[name]
    embed(dataset, [child], store, progress)
    if not len(material.dataset.rows("test")):
        return {}
    models: list[Model] = [*([parent] if parent else []), child, *pair_scorers({name: child}).values()]
    found = evaluate(material.dataset, models, store, progress=progress)
    differences = (
        {} if parent is None else {metric: _difference(found, metric, name, parent.name) for metric in _TESTED}
    )
    values = found.as_json()["models"]
    return {"models": {one.name: _values(values[one.name]) for one in models}, "differences": differences}


def _values(found: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a model's numbers."""
    known = [metric for metric in METRICS if found[metric] is not None]
    return {**{metric: found[metric] for metric in known}, "ci": {metric: found["ci"][metric] for metric in known}}


def _difference(found: Evaluation, metric: str, child: str, parent: str) -> dict[str, Any]:
    """Child less parent."""
    two = {name: found.models[name] for name in (child, parent)}
    (difference,) = compare_models(two, metric)
    return {
        "value": round(difference.value, 6), "ci": [round(end, 6) for end in difference.interval],
        "p_value": difference.p_value,
    }  # fmt: skip
