"""What a format refuses, by name: the file, the place in it, what is wrong (their form is looked at in conftest)."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from report_source import source

from spinetk.errors import InputError
from spinetk.formats.capture import write_capture
from spinetk.formats.coco import coco_items
from spinetk.formats.cvat import write_cvat
from spinetk.formats.files import read_metadata
from spinetk.formats.presentation import write_presentation
from spinetk.formats.referenced import read_source
from spinetk.formats.registry import format_named, read
from spinetk.formats.seg import LEFT_ATRIUM, write_seg
from spinetk.formats.sr import write_sr
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6


@pytest.mark.parametrize(
    ("corners", "fault"),
    [
        (["a"] * 8, "field 'segmentation' is not numbers"),
        ([0, 0, 1e7, 0, 9, 9], "has a coordinate that is no place in a picture"),
    ],
)
def test_outlines_of_coco(tmp_path, corners, fault):
    annotation = {"id": 3, "image_id": 1, "category_id": 1, "segmentation": [corners]}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 9, "height": 9}],
        "annotations": [annotation],
        "categories": [{"id": 1, "name": "L3"}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    (error,) = coco_items(tmp_path / "coco.json")
    assert error.fault == fault
    assert error.source.startswith(f"{tmp_path / 'coco.json'}: annotation 3")
    assert "segmentation" in str(error)


def test_a_result_whose_picture_is_gone(drawn, tmp_path, picture_file):
    (tmp_path / "column.json").write_text(json.dumps(drawn.to_json()))
    picture_file.unlink()
    (item,) = read(tmp_path / "column.json", "ours")
    assert (item.missing.source, item.missing.fault) == (drawn.file, "is no longer there")


@pytest.mark.parametrize("name", ["cvat", "yolo"])
def test_two_pictures_of_one_name(drawn, tmp_path, name):
    with pytest.raises(InputError, match="two pictures are named 'column"):
        format_named(name).write(tmp_path / ("a.xml" if name == "cvat" else "data.yaml"), [drawn, drawn])


def test_pictures_of_two_names_are_written(drawn, tmp_path):
    other = Reading("other.png", drawn.height, drawn.width, VERTEBRA6, drawn.vertebrae)
    write_cvat(tmp_path / "a.xml", [drawn, other])
    assert (tmp_path / "a.xml").read_text().count("<image ") == 2


def test_no_reading_makes_no_yolo_set(tmp_path):
    with pytest.raises(InputError) as error:
        format_named("yolo").write(tmp_path / "data.yaml", [])
    assert error.value.fault == "there is nothing to write"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [[1], {"case": 3}, {"a": {}, "b": None}])
def test_metadata_are_tables(tmp_path, content):
    (tmp_path / "metadata.json").write_text(json.dumps(content))
    with pytest.raises(InputError) as error:
        read_metadata(tmp_path)
    assert error.value.source == str(tmp_path / "metadata.json")
    # What it is told to look like is what is taken.
    (tmp_path / "metadata.json").write_text(error.value.remedy.removeprefix("it looks like "))
    assert read_metadata(tmp_path) == {"case": {"Hardware": True}}


def test_without_highdicom_each_object_says_what_to_install(tmp_path, monkeypatch):
    for name in ("highdicom", "highdicom.sc"):
        monkeypatch.setitem(sys.modules, name, None)
    one = Reading("x", 300, 200, VERTEBRA6)
    for kind, write in (
        ("DICOM SR", lambda: write_sr(tmp_path / "r.dcm", one, source())),
        ("DICOM presentation state", lambda: write_presentation(tmp_path / "r.dcm", one, source())),
        ("DICOM Secondary Capture", lambda: write_capture(tmp_path / "r.dcm", np.zeros((9, 9, 3), np.uint8), source())),
    ):
        with pytest.raises(InputError) as error:
            write()
        assert (error.value.source, error.value.remedy) == (kind, "pip install 'spinetk[sr]'")
    with pytest.raises(InputError) as error:
        write_seg(tmp_path / "seg.dcm", np.ones((1, 9, 9), bool), [tmp_path / "0.dcm"], LEFT_ATRIUM)
    assert (error.value.source, error.value.fault) == ("DICOM SEG", "the package highdicom is not installed")
    assert error.value.remedy == "pip install 'spinetk[sr]', or convert to NIfTI first"
    assert not list(tmp_path.iterdir())


def test_a_report_whose_picture_is_not_there(tmp_path):
    pytest.importorskip("highdicom")
    body = Vertebra.from_points(np.array([[5, 20], [10, 20], [15, 20], [15, 9], [10, 9], [5, 9.0]]), label="L1")
    write_sr(tmp_path / "r.dcm", Reading("x", 300, 200, VERTEBRA6, [body]), source())
    (item,) = read(tmp_path / "r.dcm")
    assert (item.missing.source, item.missing.fault) == (
        str(tmp_path / "r.dcm"),
        "is about a picture that is not there",
    )


@pytest.mark.parametrize(
    ("frames", "asked", "fault"),
    [(5, None, "has 5 frames"), (5, 5, "has no frame 5"), (5, -1, "has no frame -1"), (None, 1, "has no frame 1")],
)
def test_frames_that_are_not_named_or_not_there(frames, asked, fault):
    with pytest.raises(InputError) as error:
        read_source(source(frames=frames), asked)
    assert error.value.fault == fault
    assert error.value.remedy == f"name one of its frames, 0 to {(frames or 1) - 1}"
