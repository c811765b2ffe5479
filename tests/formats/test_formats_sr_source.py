"""The picture a structured report is about: its frame, what it lacks, what no report can be about."""

from __future__ import annotations

import sys

import numpy as np
import pydicom
import pytest
from report_source import items, source

from spinetk.errors import InputError
from spinetk.formats import registry
from spinetk.formats.capture import write_capture
from spinetk.formats.referenced import read_source
from spinetk.formats.sr import read_sr, write_sr
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6

hd = pytest.importorskip("highdicom")


def test_frame_of_a_multiframe_picture_is_named(tmp_path):
    reading = Reading("x", 300, 200, VERTEBRA4, [Vertebra.from_points([[1, 1], [9, 1], [1, 9], [9, 9]])])
    write_sr(tmp_path / "r.dcm", reading, source(frames=5), frame=3)
    assert read_sr(tmp_path / "r.dcm").frame == 3
    (region,) = items(pydicom.dcmread(tmp_path / "r.dcm"), "SCOORD")
    assert next(items(region, "IMAGE")).ReferencedSOPSequence[0].ReferencedFrameNumber == 4
    with pytest.raises(InputError, match="frames"):
        write_sr(tmp_path / "r.dcm", reading, source(frames=5))
    with pytest.raises(InputError, match="no frame 5"):
        write_sr(tmp_path / "r.dcm", reading, source(frames=5), frame=5)


def test_sources_without_patient_data_are_fine(tmp_path):
    bare = source()
    for tag in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "ReferringPhysicianName"):
        delattr(bare, tag)
    write_sr(tmp_path / "r.dcm", Reading("x", 300, 200, VERTEBRA6), bare)
    data = pydicom.dcmread(tmp_path / "r.dcm")
    assert data["PatientName"].is_empty
    assert data["PatientID"].is_empty


def test_wrong_sources_are_refused_in_one_line(tmp_path):
    reading = Reading("x", 300, 200, VERTEBRA6)
    with pytest.raises(InputError, match="200 x 299"):
        write_sr(tmp_path / "r.dcm", reading, source(rows=299))
    without = source()
    del without.SOPInstanceUID
    with pytest.raises(InputError, match="SOPInstanceUID"):
        write_sr(tmp_path / "r.dcm", reading, without)
    (tmp_path / "no.dcm").write_text("no DICOM")
    for wrong in ("no.dcm", "absent.dcm"):
        with pytest.raises(InputError, match=wrong):
            write_sr(tmp_path / "r.dcm", reading, tmp_path / wrong)
        with pytest.raises(InputError, match=wrong):
            read_sr(tmp_path / wrong)
    assert not (tmp_path / "r.dcm").exists()


def test_missing_highdicom_is_said_with_its_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(InputError, match=r"pip install 'spinetk\[sr\]'"):
        write_sr(tmp_path / "r.dcm", Reading("x", 300, 200, VERTEBRA6), source())


@pytest.mark.parametrize("missing", ["StudyInstanceUID", "Rows"])
def test_a_source_that_nothing_can_refer_to_is_named_with_what_it_lacks(missing):
    without = source()
    del without[missing]
    with pytest.raises(InputError, match=f"^DICOM data set: has no {missing}"):
        read_source(without)


def test_a_capture_of_a_frame_refers_to_that_frame(tmp_path):
    """Frames of a DICOM file are counted from 1 (PS3.3 10.3)."""
    write_capture(tmp_path / "c.dcm", np.zeros((30, 20, 3), np.uint8), source(frames=5), frame=3)
    (item,) = pydicom.dcmread(tmp_path / "c.dcm").SourceImageSequence
    assert (item.ReferencedSOPInstanceUID, item.ReferencedFrameNumber) == ("1.2.3.1", 4)


def test_a_report_of_a_frame_is_read_with_that_frame(tmp_path):
    film = source(30, 20, frames=5)
    film.SamplesPerPixel, film.PhotometricInterpretation, film.PixelRepresentation = 1, "MONOCHROME2", 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
    values = np.random.default_rng(0).integers(0, 4096, (5, 30, 20)).astype(np.uint16)
    film.PixelData = values.tobytes()
    film["PixelData"].VR = "OW"
    pydicom.dcmwrite(tmp_path / "film.dcm", film, enforce_file_format=True)
    body = Vertebra.from_points([[1, 1], [9, 1], [1, 9], [9, 9]])
    reading = Reading(str(tmp_path / "film.dcm"), 30, 20, VERTEBRA4, [body])
    write_sr(tmp_path / "r.dcm", reading, tmp_path / "film.dcm", frame=4)
    (item,) = registry.read(tmp_path / "r.dcm")
    assert (item.missing, item.slice, item.reading().slice) == (None, 4, 4)
    assert np.array_equal(item.shown().pixels, values[4])
    assert not [remark for remark in item.remarks if "may not be" in remark]
