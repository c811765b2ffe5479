"""Point lists and reports beside the results they were written from: the picture is the one that the result names."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_whole import film
from whole import bodies

from spinetk.cases.preparation import prepare
from spinetk.errors import InputError
from spinetk.formats.registry import read, writable
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA4

POINT = 0.001


@pytest.fixture
def results(tmp_path):
    """A film with its place in no patient, and, in another folder, its result with an overlay of another size."""
    data = film()
    data.WindowCenter, data.WindowWidth = 0, 4000
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.PixelData = (np.arange(256 * 128) // 8).astype(np.uint16).tobytes()
    (tmp_path / "films").mkdir()
    data.save_as(file := tmp_path / "films" / "a.dcm", enforce_file_format=True)
    made = tmp_path / "results"
    made.mkdir()
    named = [replace(own, label=level) for own, level in zip(bodies(), ("L1", "L2"), strict=True)]
    reading = Reading(str(file), 256, 128, VERTEBRA4, named, model="some-model")
    (made / "a.json").write_text(json.dumps(reading.to_json()))
    cv2.imwrite(str(made / "a.png"), np.full((400, 500), 255, np.uint8))
    line = {"input": str(file), "stem": "a"}
    (made / "journal.jsonl").write_text(json.dumps(line) + "\n")
    return made, reading


def written(reading, name: str, folder: Path) -> Path:
    entry = writable()[name]
    if entry.needs == "sr":
        pytest.importorskip("highdicom")
    (path,) = entry.write(entry.path_in(folder, "a"), [reading])
    return path


@pytest.mark.parametrize("name", ["slicer", "fcsv", "sr"])
def test_the_picture_is_the_one_the_result_names(results, tmp_path, name):
    made, reading = results
    (item,) = read(written(reading, name, made), name)
    assert item.picture == Path(reading.file)
    assert item.size == (reading.width, reading.height)
    for got, wanted in zip(item.vertebrae, reading.vertebrae, strict=True):
        assert got.label == wanted.label
        assert got.points[wanted.visible] == pytest.approx(wanted.points[wanted.visible], abs=POINT)
    done = prepare(made / f"a{writable()[name].suffix}", tmp_path / "cases", layout=name)
    assert done.failures == []
    (case,) = done.cases
    pixels = cv2.imread(str(tmp_path / "cases" / case / "src" / "0" / "src-0.png"), cv2.IMREAD_UNCHANGED)
    assert pixels.shape == (256, 128)
    assert pixels[0, 0] > pixels[-1, -1]  # MONOCHROME1, and not the white of the overlay


@pytest.mark.parametrize("name", ["slicer", "fcsv"])
def test_neither_an_overlay_nor_a_report_is_taken_for_the_picture(results, name):
    made, reading = results
    file = written(reading, name, made)
    (made / "a.json").unlink()
    written(reading, "sr", made)
    (fault,) = read(file, name)
    assert isinstance(fault, InputError)
    assert "has no picture a.dcm" in str(fault)
    shutil.copy(reading.file, made / "a.ima")
    (item,) = read(file, name)
    assert item.picture == made / "a.ima"


def test_a_result_whose_picture_is_gone_is_not_read_on_what_lies_beside_it(results):
    made, reading = results
    file = written(reading, "slicer", made)
    Path(reading.file).unlink()
    (fault,) = read(file, "slicer")
    assert isinstance(fault, InputError)
    assert "is no longer there" in str(fault)
