"""Another film of the same size in place of the one that was read: said where a picture is read beside a result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import generate_frames
from pydicom.uid import JPEG2000Lossless, RLELossless

from spinetk.cases.preparation import prepare
from spinetk.errors import InputError
from spinetk.formats.registry import read
from spinetk.images import decode, read_picture, to_uint8
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


@pytest.mark.parametrize("name", ["sr", "slicer", "fcsv"])
def test_reports_of_a_film_with_other_pixels_are_refused(result, tmp_path, name):
    pytest.importorskip("highdicom")
    assert write_reports([result], tmp_path / "first", formats=[name]).failures == []
    swap(tmp_path / "a.dcm")
    done = write_reports([result], tmp_path / "second", formats=[name])
    assert done.written == []
    (said,) = done.failures
    assert OTHER in said
    (said,) = write_reports([result], tmp_path / "third", html=False, formats=[name]).failures
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


def stored_in(film, syntax=None, **tags):
    """The film stored in another way, or under another window; the digest of its 8-bit picture changes."""
    data = pydicom.dcmread(film)
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    if syntax is not None:
        data.compress(syntax, generate_instance_uid=False)
    data.save_as(film)


def noted(film, result):
    """A result with both digests, that of the stored values as the docs say it."""
    data = pydicom.dcmread(film)
    if data.file_meta.TransferSyntaxUID.is_compressed:
        stored = next(iter(generate_frames(data.PixelData, number_of_frames=1)))
    else:
        stored = f"({data.Rows}, {data.Columns})".encode() + data.PixelData
    content = json.loads(result.read_text())
    content |= {"pixels_sha256": digest_of(film), "stored_sha256": hashlib.sha256(stored).hexdigest()}
    result.write_text(json.dumps(content))


def shifted(decode):
    """A decoder that rounds otherwise: each second value is one higher."""

    def other(*args, **known):
        values = decode(*args, **known).copy()
        values[::2] += 1
        return values

    return other


def test_another_window_shows_the_same_film(result, tmp_path):
    film = tmp_path / "a.dcm"
    noted(film, result)
    before = digest_of(film)
    stored_in(film, WindowCenter=900, WindowWidth=300)
    assert digest_of(film) != before
    assert write_reports([result], tmp_path / "out", slicer=True).failures == []
    made = prepare(result, tmp_path / "cases", layout="ours", progress=False)
    assert not [text for text in made.remarks if "pixels" in text]
    swap(film)
    (said,) = write_reports([result], tmp_path / "out", html=False, slicer=True).failures
    assert OTHER in said


def test_another_decoder_shows_the_same_film(result, tmp_path, monkeypatch):
    pytest.importorskip("openjpeg")
    film = tmp_path / "a.dcm"
    stored_in(film, JPEG2000Lossless)
    noted(film, result)
    before = digest_of(film)
    monkeypatch.setattr(decode, "_decode", shifted(decode._decode))
    assert digest_of(film) != before
    assert write_reports([result], tmp_path / "out", slicer=True).failures == []
    content = json.loads(result.read_text())
    del content["stored_sha256"]  # a result of before has the window alone
    result.write_text(json.dumps(content))
    (said,) = write_reports([result], tmp_path / "out", html=False, slicer=True).failures
    assert OTHER in said


def test_a_film_that_an_archive_stores_in_another_way_is_the_same(result, tmp_path):
    """Other bytes, the same picture."""
    film = tmp_path / "a.dcm"
    noted(film, result)
    stored_in(film, RLELossless)
    assert write_reports([result], tmp_path / "out").failures == []


def test_a_jpeg_whose_comments_are_gone_is_the_same(tmp_path):
    """Only what its decoder needs counts; one bit of that is another picture."""
    grey = np.random.default_rng(0).integers(0, 255, (40, 30), np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.jpg", comment=b"NAME", icc_profile=b"x" * 300, dpi=(72, 72))
    Image.fromarray(grey).save(tmp_path / "b.jpg", comment=b"OTHER NAME")
    Image.fromarray(grey).save(tmp_path / "c.jpg", quality=74)
    first, second, third = (read_picture(tmp_path / f"{name}.jpg").stored_sha256 for name in "abc")
    assert first == second != third


def test_two_readings_of_different_pixels_are_said_to_be(result, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.json").write_text(result.read_text())
    assert agree(tmp_path / "one", tmp_path / "two").failures == []
    content = json.loads(result.read_text()) | {"pixels_sha256": "0" * 64}
    (tmp_path / "two" / "a.json").write_text(json.dumps(content))
    (said,) = agree(tmp_path / "one", tmp_path / "two").failures
    assert said == "a: the readings are of pictures with other pixels: are they the same film?"
    for folder in ("one", "two"):  # another decoder, the same file
        content |= {"stored_sha256": "1" * 64, "pixels_sha256": ("2" if folder == "one" else "3") * 64}
        (tmp_path / folder / "a.json").write_text(json.dumps(content))
    assert agree(tmp_path / "one", tmp_path / "two").failures == []


def test_a_digest_outlives_measuring_and_no_turn(films):
    reading = replace(films[0].reading, pixels_sha256="a" * 64, stored_sha256="b" * 64)
    again = measure_again(reading)
    assert (again.pixels_sha256, again.stored_sha256) == ("a" * 64, "b" * 64)
    for moved in (reading.flipped(), reading.cropped(0, 0, 50, 50)):
        assert (moved.pixels_sha256, moved.stored_sha256) == (None, None)
