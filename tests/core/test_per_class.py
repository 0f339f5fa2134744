"""Quality class by class, against plain loops over the counted queries."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import LikenessError
from core.evaluate import Evaluation, Protocol
from core.metrics.score_interval import difference_interval, mean_interval
from core.per_class import CLASS_METRICS, ClassTable, class_table, difference_table
from tests.evaluations import evaluated

SIZES = {"ant": (6, 9), "bee": (12, 1), "cat": (20, 0), "dog": (9, 14), "eel": (0, 5)}


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """``bee`` has one query, ``cat`` none, and of ``eel`` the gallery has no image."""
    return evaluated(monkeypatch, SIZES, {"sharp": 0.4, "blurred": 1.6, "blind": 4.0})


def test_the_catalogue_has_every_cut_off_once() -> None:
    names = [f"precision_at_{k}" for k in range(1, 21)]
    assert list(CLASS_METRICS) == [*names, "r_precision", "map_at_r"]
    assert len({metric.title for metric in CLASS_METRICS.values()}) == 22


@pytest.mark.parametrize("name", ["precision_at_1", "precision_at_5", "precision_at_20", "r_precision", "map_at_r"])
def test_values_equal_a_plain_loop(found: Evaluation, name: str) -> None:
    table = class_table(found, CLASS_METRICS[name])
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
    table = class_table(found, CLASS_METRICS["precision_at_5"])
    weighted = np.nansum(table.values * table.support[:, None], axis=0) / table.support.sum()
    assert weighted == pytest.approx([model.values["precision_at_5"] for model in found.models.values()])


def test_differences_are_paired(found: Evaluation) -> None:
    metric = CLASS_METRICS["precision_at_5"]
    table, single = difference_table(found, metric, "blurred"), class_table(found, metric)
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
        difference_table(found, CLASS_METRICS["precision_at_5"], baseline)


def test_orders() -> None:
    values = np.array([[0.9, 0.7], [0.2, 0.8], [np.nan, np.nan], [0.8, 0.8], [0.3, 0.7]])
    table = ClassTable(list("dbcae"), ["x", "y"], values, values, values, np.array([5, 9, 0, 5, 7]))

    def names(by: str) -> str:
        return "".join(table.classes[place] for place in table.order(by))  # type: ignore[arg-type]

    assert names("difficulty") == "beadc"  # b and e are equally hard, a and d equally easy
    assert names("spread") == "bedac"
    assert names("name") == "abcde"
    assert names("support") == "beadc"


def test_two_classes_and_two_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    few = class_table(evaluated(monkeypatch, {"a": (5, 5), "b": (5, 5)}, {"m": 0.1}), CLASS_METRICS["precision_at_5"])
    assert few.values.tolist() == [[1.0], [1.0]]
    assert few.high.tolist() == [[1.0], [1.0]]
    assert (few.low < 0.6).all()  # five of five prove little
    sizes = {f"c{i:03}": (3, 2) for i in range(200)}
    found = evaluated(monkeypatch, sizes, {"m": 1.0, "n": 1.2}, Protocol("all", leave_one_out=True))
    many = class_table(found, CLASS_METRICS["map_at_r"])
    assert many.values.shape == (200, 2)
    assert (many.support == 5).all()
    assert ((many.low <= many.values) & (many.values <= many.high)).all()
    hardest = many.values.mean(axis=1)[many.order("difficulty")]
    assert (np.diff(hardest) >= -1e-12).all()
