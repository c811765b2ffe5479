from __future__ import annotations

import cv2
import numpy as np
import pytest

from spinetk.cases.catalog import DatasetCatalog, MetadataCatalog, setup_catalogs
from spinetk.cases.preview import visualize_sample
from spinetk.errors import InputError


def test_drawings(tmp_path, make_case):
    for case in "abc":
        make_case(tmp_path, case)
    metadata = setup_catalogs("p", ["a", "b", "c"], ["a"], ["b"], base=tmp_path)
    records = DatasetCatalog.get("vertp_train")
    DatasetCatalog.clear()
    MetadataCatalog.clear()
    first = visualize_sample(records, metadata, n=2, out=tmp_path / "out", seed=0)
    second = visualize_sample(records, metadata, n=2, seed=0)
    assert len(first) == 2
    for a, b in zip(first, second, strict=True):
        assert a.dtype == np.uint8
        assert a.shape[2] == 3
        np.testing.assert_array_equal(a, b)
    written = sorted((tmp_path / "out").glob("*.png"))
    assert len(written) == 2
    np.testing.assert_array_equal(cv2.imread(str(written[0]))[..., ::-1], first[0])
    # The bodies are drawn: without them the drawing differs.
    bare = visualize_sample([{**r, "annotations": []} for r in records], metadata, n=2, seed=0)
    assert any(a.shape != b.shape or (a != b).any() for a, b in zip(first, bare, strict=True))
    assert len(visualize_sample(records, n=9)) == 3


def test_nothing_to_draw():
    with pytest.raises(InputError, match="no records"):
        visualize_sample([])
