"""Another film of the same size in place of the one that was read: said where a picture is read beside a result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from spinetk.cases.preparation import prepare
from spinetk.errors import InputError
from spinetk.formats.registry import read
from spinetk.images import read_picture, to_uint8
from spinetk.measure import measure
from spinetk.measure.again import measure_again
from spinetk.phantoms import lateral_radiograph, write_dicom
from spinetk.report.agreement import agree
from spinetk.report.results import write_reports
from spinetk.review.entry import Entry
from spinetk.review.opened import open_entry

OTHER = "is not the picture that was read: its pixels differ"


def digest_of(path) -> str:
    """As the docs say it: SHA-256 of "(rows, columns)" and the bytes of the 8-bit window."""
    picture = read_picture(path)
    grey = to_uint8(picture.pixels, picture.padding)
    return hashlib.sha256(f"({grey.shape[0]}, {grey.shape[1]})".encode() + grey.tobytes(order="C")).hexdigest()


@pytest.fixture(scope="module")
def films():
    return [lateral_radiograph(seed, region="lumbar", spacing_mm=1.5) for seed in (4, 5)]


@pytest.fixture
def result(films, tmp_path):
    """A DICOM film and its result, with the digest in it."""
    film = tmp_path / "a.dcm"
    write_dicom(films[0], film)
    reading = replace(films[0].reading, file=str(film), pixels_sha256=digest_of(film))
    (tmp_path / "a.json").write_text(json.dumps(measure(reading).to_json()))
    return tmp_path / "a.json"


def swap(film):
    """Another film's pixels under the same header."""
    data = pydicom.dcmread(film)
    data.PixelData = np.ascontiguousarray(data.pixel_array[:, ::-1]).tobytes()
    data.save_as(film)


def test_reports_of_a_film_with_other_pixels_are_refused(result, tmp_path):
    pytest.importorskip("highdicom")
    assert write_reports([result], tmp_path / "first", sr=True).failures == []
    swap(tmp_path / "a.dcm")
    done = write_reports([result], tmp_path / "second", sr=True)
    assert done.written == []
    (said,) = done.failures
    assert OTHER in said
    (said,) = write_reports([result], tmp_path / "third", html=False, sr=True).failures
    assert OTHER in said


def test_names_taken_from_the_header_and_results_without_a_digest_pass(result, tmp_path):
    film = tmp_path / "a.dcm"
    data = pydicom.dcmread(film)
    data.PatientName, data.PatientID, data.StudyDate = "", "x", "20000101"
    data.save_as(film)
    assert write_reports([result], tmp_path / "first").failures == []
    swap(film)
    content = json.loads(result.read_text())
    del content["pixels_sha256"]
    result.write_text(json.dumps(content))
    assert write_reports([result], tmp_path / "second").failures == []


def test_the_review_page_opens_no_other_film_and_another_size_is_said_as_such(result, films, tmp_path):
    entry = Entry("result", result, "a")
    assert open_entry(entry).reading.file == str(tmp_path / "a.dcm")
    swap(tmp_path / "a.dcm")
    with pytest.raises(InputError, match=OTHER):
        open_entry(entry)
    data = pydicom.dcmread(tmp_path / "a.dcm")
    data.PixelData, data.Rows = data.pixel_array[:-2].tobytes(), data.Rows - 2
    data.save_as(tmp_path / "a.dcm")
    with pytest.raises(InputError, match="px, its picture has"):
        open_entry(entry)


def test_cases_made_of_a_result_and_another_film_bear_a_remark(result, tmp_path):
    made = prepare(result, tmp_path / "first", layout="ours", progress=False)
    assert not [text for text in made.remarks if "pixels" in text]
    swap(tmp_path / "a.dcm")
    made = prepare(result, tmp_path / "second", layout="ours", progress=False)
    (said,) = [text for text in made.remarks if "pixels" in text]
    assert "are not those that were read" in said
    (item,) = read(result, "ours")
    assert any("are not those that were read" in text for text in item.reading().remarks)


def test_two_readings_of_different_pixels_are_said_to_be(result, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.json").write_text(result.read_text())
    assert agree(tmp_path / "one", tmp_path / "two").failures == []
    content = json.loads(result.read_text()) | {"pixels_sha256": "0" * 64}
    (tmp_path / "two" / "a.json").write_text(json.dumps(content))
    (said,) = agree(tmp_path / "one", tmp_path / "two").failures
    assert said == "a: the readings are of pictures with other pixels: are they the same film?"


def test_a_digest_outlives_measuring_and_no_turn(films):
    reading = replace(films[0].reading, pixels_sha256="a" * 64)
    assert measure_again(reading).pixels_sha256 == "a" * 64
    assert reading.flipped().pixels_sha256 is None
    assert reading.cropped(0, 0, 50, 50).pixels_sha256 is None
