"""A reading of one slice of a volume: each format brings it back with that slice's pixels, or says that it does not."""

from __future__ import annotations

import json
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.formats.loss import lost
from spinetk.formats.registry import formats, read, writable
from spinetk.reading import Reading, Vertebra
from spinetk.ruler import Ruler
from spinetk.schema import VERTEBRA6

BODY = [[2, 8], [5, 8], [8, 8], [8, 2], [5, 2], [2, 2]]
HELD = {"ours", "coco", "sr"}
SHOWN = HELD | {"csv"}  # a table has it in columns, and is not read again


@pytest.fixture
def reading(tmp_path) -> Reading:
    """Slice 1 of seven, each of which has one grey value of its own."""
    voxels = np.zeros((7, 12, 12), np.int16) + np.arange(7, dtype=np.int16)[:, None, None] * 10
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "a.nii.gz")
    body = Vertebra.from_points(BODY, label="L1")
    return Reading(str(tmp_path / "a.nii.gz"), 12, 12, VERTEBRA6, [body], slice=1)


@pytest.mark.parametrize("name", [name for name, entry in writable().items() if not entry.stored])
def test_the_slice_comes_back_or_its_loss_is_said(name, reading, tmp_path):
    entry = formats()[name]
    said = [line for line in lost(entry, [reading]) if "slice or series of a reading (1)" in line]
    assert ("slice" in entry.holds) == (not said) == (name in SHOWN)
    assert all("level names" in line for line in lost(entry, [replace(reading, slice=None)]))
    if name in HELD:
        path = entry.path_in(tmp_path, "a")
        entry.write(path, [reading])
        (item,) = read(path)
        assert (item.slice, item.reading().slice) == (1, 1)
        shown, central = item.shown().pixels, replace(item, slice=None).shown().pixels
        assert len(np.unique(shown)) == 1
        assert shown[0, 0] != central[0, 0]


@pytest.mark.parametrize("name", [name for name, entry in writable().items() if entry.stored])
def test_of_formats_about_a_stored_picture_only_reports_hold_it(name, reading):
    assert bool(lost(formats()[name], [reading])) == (name not in HELD)


@pytest.mark.parametrize("wrong", [-1, "1", True, 1.5])
def test_a_wrong_slice_in_coco_is_named(wrong, reading, tmp_path):
    formats()["coco"].write(tmp_path / "coco.json", [reading])
    content = json.loads((tmp_path / "coco.json").read_text())
    content["images"][0]["slice"] = wrong
    (tmp_path / "coco.json").write_text(json.dumps(content))
    (error,) = read(tmp_path / "coco.json")
    assert isinstance(error, InputError)
    assert "a.nii.gz: field 'slice'" in str(error)


def test_a_series_goes_through_coco(reading, tmp_path):
    formats()["coco"].write(tmp_path / "coco.json", [replace(reading, slice=None, series="t2")])
    (item,) = read(tmp_path / "coco.json")
    assert (item.slice, item.series) == (None, "t2")


def test_rulers_that_a_format_drops_are_counted(reading):
    drawn = replace(reading, slice=None, rulers=[Ruler("length", np.array([[1.0, 2], [3, 4]]))])
    for name, entry in writable().items():
        said = any("lengths and angles drawn by a reader (1)" in line for line in lost(entry, [drawn]))
        assert said == (name != "ours"), name
