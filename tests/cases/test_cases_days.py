"""Days: differences within a patient are true, and nothing else can be told from them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from spinetk.cases.days import CENTURY_DAYS, day_of
from spinetk.cases.folder import CaseFolder, read_record, write_record
from spinetk.cases.preparation import prepare
from spinetk.formats.record import record_of
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.ruler import Ruler
from spinetk.schema import VERTEBRA4


def film(path: Path, day: str, patient: str = "P17", **more: str) -> Path:
    """A small DICOM picture with dates."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    made.PatientID, made.Modality = patient, "CR"
    made.StudyInstanceUID, made.SeriesInstanceUID = generate_uid(), generate_uid()
    with pydicom.config.disable_value_validation():
        made.StudyDate = day
        for name, value in more.items():
            setattr(made, name, value)
        made.Rows = made.Columns = 8
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.BitsAllocated = made.BitsStored = 8
        made.HighBit, made.PixelRepresentation = 7, 0
        made.PixelData = bytes(64)
        made.save_as(path, enforce_file_format=True)
    return path


def test_differences_are_those_of_the_calendar_and_the_date_is_not_told(tmp_path):
    one, two = film(tmp_path / "1.dcm", "20240301"), film(tmp_path / "2.dcm", "20230301")
    assert day_of(one, "a") - day_of(two, "a") == (date(2024, 3, 1) - date(2023, 3, 1)).days
    assert day_of(one, "a") == day_of(one, "a") != day_of(one, "b")
    other = film(tmp_path / "3.dcm", "20240301", patient="P18")
    assert day_of(other, "a") != day_of(one, "a")  # of the same day: each patient has a scale of its own
    real = date(2024, 3, 1).toordinal()
    assert all(0 <= real - day_of(one, salt) < CENTURY_DAYS for salt in "abcdef")


def test_the_day_it_was_taken_goes_before_that_of_the_study(tmp_path):
    one = film(tmp_path / "1.dcm", "20240301", AcquisitionDate="20240309")
    assert day_of(one, "a") - day_of(film(tmp_path / "2.dcm", "20240301"), "a") == 8
    old = film(tmp_path / "3.dcm", "2024.03.01")  # as ACR-NEMA wrote it
    assert day_of(old, "a") == day_of(film(tmp_path / "4.dcm", "20240301"), "a")


@pytest.mark.parametrize("day", ["", "19000101", "00010101", "20240231", "2024", "tomorrow"])
def test_what_is_no_date_gives_no_day(tmp_path, day):
    assert day_of(film(tmp_path / "1.dcm", day), "a") is None


def test_nothing_is_known_of_other_files(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8), np.uint8))
    assert day_of(tmp_path / "a.png", "a") is None
    assert day_of(tmp_path / "missing.dcm", "a") is None
    (tmp_path / "empty").mkdir()
    assert day_of(tmp_path / "empty", "a") is None


def test_a_case_folder_prepared_anew_keeps_its_days_and_drawings(tmp_path):
    """What a first folder noted of its pictures, which are PNG by now; at half the width drawings are half as long."""
    body = Vertebra.from_points([(20.0, 20.0), (60.0, 20.0), (20.0, 50.0), (60.0, 50.0)])
    (tmp_path / "first").mkdir()
    drawn = Ruler("length", np.array([(10.0, 10.0), (70.0, 10.0)]))
    for case, day in (("early", 700_000), ("late", 700_042)):
        reading = Reading(f"{case}.png", 100, 80, VERTEBRA4, [body], Frame((0.5, 0.5), "PixelSpacing"), rulers=[drawn])
        noted = record_of(reading, case, case=case, origin=["patient:0123456789abcdef"], day=day)
        write_record(CaseFolder(tmp_path / "first").source(case), noted, np.zeros((100, 80), np.uint8))
    prepare(tmp_path / "first", tmp_path / "again", width=40, progress=False)
    early, late = (read_record(CaseFolder(tmp_path / "again").source(case)) for case in ("early", "late"))
    assert late["day"] - early["day"] == 42
    assert early["origin"] == late["origin"] == ["patient:0123456789abcdef"]
    (ruler,) = early["rulers"]
    assert ruler["kind"] == "length"
    assert np.allclose(ruler["points"], [(5, 5), (35, 5)])
    # Drawn again it is another annotation: the case is written anew, not taken for known.
    record = read_record(CaseFolder(tmp_path / "first").source("early"))
    record["rulers"] = []
    write_record(CaseFolder(tmp_path / "first").source("early"), record, np.zeros((100, 80), np.uint8))
    assert prepare(tmp_path / "first", tmp_path / "again", width=40, progress=False).written == ["early"]
