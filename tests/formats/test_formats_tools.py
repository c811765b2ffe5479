"""What other programs read of what we write, and we of what they write: slicerio as it is, Label Studio as it exports.

``findings/`` runs the heavier ones (label-studio-sdk, datumaro) in environments of their own.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.formats.registry import format_named, read


def only(path):
    (item,) = read(path)
    assert not isinstance(item, InputError), str(item)
    return item


def test_slicerio_reads_ours_and_we_read_what_it_makes_of_it(drawn, tmp_path):
    slicerio = pytest.importorskip("slicerio")
    drawn.vertebrae[1].visible[2] = False
    path = tmp_path / "column.fcsv"
    format_named("fcsv").write(path, [drawn])
    (markup,) = slicerio.read_markups_fcsv(str(path))["markups"]
    assert markup["coordinateSystem"] == "LPS"
    # It takes missing points for defined ones: none is there to be taken so.
    assert len(markup["controlPoints"]) == 17
    made = slicerio.fcsv_to_markups_json(str(path))
    path.unlink()
    item = only(made)
    for got, wanted in zip(item.vertebrae, drawn.vertebrae, strict=True):
        assert (got.label, got.visible.tolist()) == (wanted.label, wanted.visible.tolist())
        np.testing.assert_allclose(got.points[got.visible], wanted.points[wanted.visible], atol=1e-3)


def test_yolo_as_label_studio_exports_it(drawn, tmp_path):
    """No data.yaml, but notes.json; a label file named after the address of the picture (label-studio-sdk 2.1.2)."""
    names = list(drawn.schema.keypoints)
    categories = [{"id": k, "name": f"L{k}", "keypoints": names} for k in range(1, 4)]
    (tmp_path / "notes.json").write_text(
        json.dumps({"categories": categories, "info": {"contributor": "Label Studio"}})
    )
    (tmp_path / "labels").mkdir()
    size = np.array([drawn.width, drawn.height])
    lines = [
        " ".join(map(str, [k, 0.5, 0.5, 0.2, 0.2, *(v for x, y in vertebra.points / size for v in (x, y, 2))]))
        for k, vertebra in enumerate(drawn.vertebrae, start=1)
    ]
    (tmp_path / "labels" / "?d=column.txt").write_text("\n".join(lines))
    item = only(tmp_path)
    assert item.picture.name == "column.png"
    assert [v.label for v in item.vertebrae] == ["L1", "L2", "L3"]
    for got, wanted in zip(item.vertebrae, drawn.vertebrae, strict=True):
        np.testing.assert_allclose(got.points, wanted.points, atol=1e-9)
