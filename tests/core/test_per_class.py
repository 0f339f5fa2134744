"""Quality class by class, against plain loops over the counted queries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.class_errors import class_errors
from core.errors import LikenessError
from core.evaluate import Evaluation, Protocol
from core.metrics.score_interval import difference_interval, mean_interval
from core.per_class import CLASS_METRICS, ClassTable, class_table, difference_table
from core.store import EmbeddingStore
from core.thresholds import Objective, choose
from core.verify import verify
from tests.evaluations import evaluated
from tests.fakes import fake

SIZES = {"ant": (6, 9), "bee": (12, 1), "cat": (20, 0), "dog": (9, 14), "eel": (0, 5)}


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """``bee`` has one query, ``cat`` none, and of ``eel`` the gallery has no image."""
    return evaluated(monkeypatch, SIZES, {"sharp": 0.4, "blurred": 1.6, "blind": 4.0})


@pytest.fixture
def paired(monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """With images to choose a threshold on."""
    sizes = {label: (*SIZES[label], 7) for label in ("ant", "bee", "cat", "dog")}
    return evaluated(monkeypatch, sizes, {"sharp": 0.6, "blind": 3.0})


def test_the_catalogue_has_every_cut_off_once() -> None:
    names = [f"precision_at_{k}" for k in range(1, 21)]
    assert list(CLASS_METRICS) == [*names, "r_precision", "map_at_r", "recall", "eer"]
    assert len({metric.title for metric in CLASS_METRICS.values()}) == 24
    assert [name for name, metric in CLASS_METRICS.items() if metric.better == "lower"] == ["eer"]


@pytest.mark.parametrize("name", ["precision_at_1", "precision_at_5", "precision_at_20", "r_precision", "map_at_r"])
def test_values_equal_a_plain_loop(found: Evaluation, name: str) -> None:
    table = class_table(found, CLASS_METRICS[name], EmbeddingStore())
    assert table.classes == ["ant", "bee", "cat", "dog", "eel"]
    assert table.models == list(found.models)
    assert table.support.tolist() == [9, 1, 0, 14, 0]
    for column, model in enumerate(found.models.values()):
        queries = model.results
        for row, label in enumerate(table.classes):
            values = []
            for place in range(len(queries)):
                asked = found.protocol.queries(found.dataset)[queries.index[place]]
                if found.dataset.labels[asked] == label:
                    of = {"r_precision": queries.r_precision, "map_at_r": queries.ap_at_r}.get(name)
                    cut = int(name.rsplit("_", 1)[1]) - 1 if of is None else 0
                    values.append(queries.precision[place, cut] if of is None else of[place])
            expected = (np.mean(values), *mean_interval(np.array(values))) if values else (np.nan,) * 3
            actual = [side[row, column] for side in (table.values, table.low, table.high)]
            assert actual == pytest.approx(expected, nan_ok=True)


def test_the_values_of_all_classes_average_to_the_metric(found: Evaluation) -> None:
    table = class_table(found, CLASS_METRICS["precision_at_5"], EmbeddingStore())
    weighted = np.nansum(table.values * table.support[:, None], axis=0) / table.support.sum()
    assert weighted == pytest.approx([model.values["precision_at_5"] for model in found.models.values()])


def test_differences_are_paired(found: Evaluation) -> None:
    metric = CLASS_METRICS["precision_at_5"]
    table = difference_table(found, metric, "blurred", EmbeddingStore())
    single = class_table(found, metric, EmbeddingStore())
    assert table.models == ["sharp", "blind"]
    np.testing.assert_array_equal(table.support, single.support)
    column = single.models.index
    for i, name in enumerate(table.models):
        expected = single.values[:, column(name)] - single.values[:, column("blurred")]
        np.testing.assert_allclose(table.values[:, i], expected, atol=1e-12)
        a, b = found.models[name].results, found.models["blurred"].results
        gaps = (a.precision - b.precision)[a.codes == 3, 4]
        assert (table.low[3, i], table.high[3, i]) == pytest.approx(difference_interval(gaps))


@pytest.mark.parametrize("baseline", ["nobody", "sharp"])
def test_a_baseline_needs_another_model(monkeypatch: pytest.MonkeyPatch, baseline: str) -> None:
    found = evaluated(monkeypatch, SIZES, {"sharp": 0.4})
    with pytest.raises(LikenessError, match=f"compared with {baseline}.*at least two"):
        difference_table(found, CLASS_METRICS["precision_at_5"], baseline, EmbeddingStore())


def test_pair_metrics_are_the_errors_at_the_threshold_chosen_on_validation(paired: Evaluation) -> None:
    store = EmbeddingStore()
    recall, eer = (class_table(paired, CLASS_METRICS[name], store) for name in ("recall", "eer"))
    assert recall.support.tolist() == eer.support.tolist() == [9, 0, 0, 14]  # images with a partner in their class
    assert (recall.better, eer.better) == ("higher", "lower")
    for column, (name, model) in enumerate(paired.models.items()):
        assert model.pairs is not None
        val = verify(paired.dataset, fake(name), store, "val").verification
        errors = class_errors(model.pairs, choose(val, Objective("f1")).threshold, store)
        for table, values in ((recall, errors.recall), (eer, errors.eer)):
            for row in (0, 3):
                inside = values[errors.codes == row]
                expected = (inside.mean(), *mean_interval(inside))
                assert [side[row, column] for side in (table.values, table.low, table.high)] == pytest.approx(expected)
            assert np.isnan(table.values[[1, 2], column]).all()
    best, worst = (eer.models.index(name) for name in ("sharp", "blind"))
    assert (eer.values[[0, 3], best] < eer.values[[0, 3], worst]).all()


def test_differences_of_pair_metrics_are_paired_by_image(paired: Evaluation) -> None:
    store = EmbeddingStore()
    metric = CLASS_METRICS["eer"]
    table, single = difference_table(paired, metric, "blind", store), class_table(paired, metric, store)
    assert table.models == ["sharp"]
    assert table.better == "lower"
    expected = single.values[:, single.models.index("sharp")] - single.values[:, single.models.index("blind")]
    np.testing.assert_allclose(table.values[:, 0], expected, atol=1e-12)
    assert (table.goodness[[0, 3], 0] > 0).all()
    gaps = [metric.items(paired.models[name], store) for name in ("sharp", "blind")]
    inside = (gaps[0].values - gaps[1].values)[gaps[0].codes == 3]
    assert (table.low[3, 0], table.high[3, 0]) == pytest.approx(difference_interval(inside))


def test_pair_metrics_need_pairs_of_both_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    single = evaluated(monkeypatch, {"a": (5, 1, 4), "b": (5, 1, 4)}, {"m": 0.5})
    with pytest.raises(LikenessError, match="make no pair of one class"):
        class_table(single, CLASS_METRICS["recall"], EmbeddingStore())
    no_val = evaluated(monkeypatch, {"a": (5, 4), "b": (5, 4)}, {"m": 0.5})
    with pytest.raises(LikenessError, match="no images in 'val'"):
        class_table(no_val, CLASS_METRICS["eer"], EmbeddingStore())


def test_orders() -> None:
    values = np.array([[0.9, 0.7], [0.2, 0.8], [np.nan, np.nan], [0.8, 0.8], [0.3, 0.7]])
    support = np.array([5, 9, 0, 5, 7])
    table = ClassTable(list("dbcae"), ["x", "y"], values, values, values, support, "higher")

    def names(by: str, table: ClassTable = table) -> str:
        return "".join(table.classes[place] for place in table.order(by))  # type: ignore[arg-type]

    errors = replace(table, values=1 - values, better="lower")
    assert [names(by, errors) for by in ("difficulty", "spread")] == [names("difficulty"), names("spread")]

    assert names("difficulty") == "beadc"  # b and e are equally hard, a and d equally easy
    assert names("spread") == "bedac"
    assert names("name") == "abcde"
    assert names("support") == "beadc"


def test_a_table_in_another_order_keeps_rows_together() -> None:
    values = np.array([[0.9, 0.7], [0.2, 0.8], [0.3, 0.4]])
    table = ClassTable(list("abc"), ["x", "y"], values, values - 0.1, values + 0.1, np.array([5, 9, 7]), "lower")
    turned = table.take(np.array([2, 0]))
    assert (turned.classes, turned.models, turned.better) == (["c", "a"], ["x", "y"], "lower")
    assert turned.support.tolist() == [7, 5]
    for side, shift in ((turned.values, 0), (turned.low, -0.1), (turned.high, 0.1)):
        np.testing.assert_allclose(side, [[0.3 + shift, 0.4 + shift], [0.9 + shift, 0.7 + shift]])


def test_two_classes_and_two_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = evaluated(monkeypatch, {"a": (5, 5), "b": (5, 5)}, {"m": 0.1})
    few = class_table(pair, CLASS_METRICS["precision_at_5"], EmbeddingStore())
    assert few.values.tolist() == [[1.0], [1.0]]
    assert few.high.tolist() == [[1.0], [1.0]]
    assert (few.low < 0.6).all()  # five of five prove little
    sizes = {f"c{i:03}": (3, 2) for i in range(200)}
    found = evaluated(monkeypatch, sizes, {"m": 1.0, "n": 1.2}, Protocol("all", leave_one_out=True))
    many = class_table(found, CLASS_METRICS["map_at_r"], EmbeddingStore())
    assert many.values.shape == (200, 2)
    assert (many.support == 5).all()
    assert ((many.low <= many.values) & (many.values <= many.high)).all()
    hardest = many.values.mean(axis=1)[many.order("difficulty")]
    assert (np.diff(hardest) >= -1e-12).all()
