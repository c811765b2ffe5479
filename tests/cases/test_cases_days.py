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
