"""Headers as de-identified, old and Japanese films have them: each still gets its report, overlay and points."""

import numpy as np
import pydicom
import pytest
from pydicom.uid import ComputedRadiographyImageStorage
from report_source import source

from spinetk.formats.capture import write_capture
from spinetk.formats.presentation import write_presentation
from spinetk.formats.sr import write_sr
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

pytest.importorskip("highdicom")
KANJI = "Yamada^Tarou=山田^太郎"
BODY = np.array([[10, 30], [25, 30], [40, 30], [40, 10], [25, 10], [10, 10]], float)


def radiograph():
    film = source()
    film.SOPClassUID, film.Modality = ComputedRadiographyImageStorage, "CR"
    film.SamplesPerPixel, film.PhotometricInterpretation = 1, "MONOCHROME2"
    film.BitsAllocated, film.BitsStored, film.HighBit, film.PixelRepresentation = 16, 12, 11, 0
    return film


def report(path, film):
    write_sr(path, Reading("a.dcm", 300, 200, VERTEBRA6, [Vertebra.from_points(BODY)]), film)


def points(path, film):
    write_presentation(path, Reading("a.dcm", 300, 200, VERTEBRA6, [Vertebra.from_points(BODY)]), film)


def overlay(path, film):
    write_capture(path, np.zeros((300, 200, 3), np.uint8), film)


@pytest.mark.parametrize("write", [report, points, overlay])
@pytest.mark.parametrize(
    ("tag", "value", "written"),
    [
        ("PatientBirthDate", "1950", ""),
        ("PatientBirthDate", "19500230", ""),
        ("PatientBirthDate", "1950.01.02", "19500102"),
        ("StudyDate", "2025-01-02", "20250102"),
        ("StudyTime", "10:11:12", "101112"),
        ("StudyTime", "25:99", ""),
        ("StudyTime", "101112.123", "101112.123"),
        ("PatientSex", "X", ""),
        ("PatientSex", "female", "F"),
        ("PatientName", ["Doe^Jane", "Smith^Jane"], "Doe^Jane"),
        ("ReferringPhysicianName", ["Ref^A", "Ref^B"], "Ref^A"),
        ("PatientID", "P-7", "P-7"),
    ],
)
def test_values_that_are_none_by_the_standard_are_left_out_or_written_anew(tmp_path, write, tag, value, written):
    film = radiograph()
    element = film[tag]
    element.validation_mode = pydicom.config.IGNORE
    element.value = value
    write(tmp_path / "a.dcm", film)
    found = pydicom.dcmread(tmp_path / "a.dcm")
    assert str(found[tag].value or "") == written
    assert (found.StudyInstanceUID, found.PatientID) == (film.StudyInstanceUID, "P-7")


@pytest.mark.parametrize("write", [report, points, overlay])
@pytest.mark.parametrize(
    ("characters", "name"),
    [
        (["", "ISO 2022 IR 87"], KANJI),
        (["ISO 2022 IR 6", "ISO 2022 IR 87"], KANJI),
        ("ISO_IR 100", "Müller^Zoë"),
        ("ISO 2022 IR 100", "Müller^Zoë"),
        ("ISO_IR 192", KANJI),
        ("ISO-IR 100", "Müller^Zoë"),
        (None, "Muller^Zoe"),
    ],
)
def test_names_in_every_character_set_come_through(tmp_path, write, characters, name):
    film = radiograph()
    film.SpecificCharacterSet, film.PatientName = characters, name
    write(tmp_path / "a.dcm", film)
    assert str(pydicom.dcmread(tmp_path / "a.dcm").PatientName) == name
