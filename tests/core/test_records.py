"""Datasets as records."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.records import Copy, Dataset, SkippedFile

_IDS = np.array([f"{number:032x}" for number in range(4)])
_WHOLE = Dataset(
    "ref", "Title", Path("/x"), _IDS, np.array(["a", "b", "c", "d"]), np.array(["x", "y", "x", "y"]),
    np.array(["train", "val", "test", "train"]), (SkippedFile("e", "empty"),), {"colour": np.array(list("1234"))},
    copies=(Copy("f", "x", "train", "a"), Copy("g", "y", "val", "b")),
)  # fmt: skip


def test_without_leaves_out_whole_rows_and_nothing_else() -> None:
    fewer = _WHOLE.without({_IDS[1], _IDS[2], "unknown"})
    assert fewer.ids.tolist() == _IDS[[0, 3]].tolist()
    assert (fewer.paths.tolist(), fewer.labels.tolist()) == (["a", "d"], ["x", "y"])
    assert (fewer.splits.tolist(), fewer.metadata["colour"].tolist()) == (["train", "train"], ["1", "4"])
    assert [copy.path for copy in fewer.copies] == ["f"]
    assert (fewer.ref, fewer.title, fewer.root, fewer.skipped) == ("ref", "Title", Path("/x"), _WHOLE.skipped)
    assert fewer.row_of == {_IDS[0]: 0, _IDS[3]: 1}


def test_without_changes_the_fingerprint_only_where_rows_go() -> None:
    assert _WHOLE.without([_IDS[0]]).fingerprint != _WHOLE.fingerprint
    assert _WHOLE.without([]).fingerprint == _WHOLE.without(["unknown"]).fingerprint == _WHOLE.fingerprint
    assert len(_WHOLE.without(_IDS.tolist())) == 0
