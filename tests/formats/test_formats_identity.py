"""Dates, times and UIDs of the DICOM objects that formats write: the same picture and reader give the same ones."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from spinetk.formats.capture import write_capture
from spinetk.formats.identity import Identity, uids
from spinetk.formats.presentation import write_presentation
from spinetk.formats.sr import write_sr
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

pytest.importorskip("highdicom")

MADE = Identity("reader 1", datetime(2026, 1, 2, 3, 4, 5, 678))
DATE, TIME = "20260102", "030405.000678"
OF_THE_SOURCE = {"StudyDate": "20200304", "StudyTime": "101112", "PatientBirthDate": "19500102"}


def source() -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = DigitalXRayImageStorageForPresentation, "1.2.3.1"
    data.SeriesInstanceUID, data.StudyInstanceUID = "1.2.3.2", "1.2.3.3"
    data.PatientName, data.PatientID, data.PatientSex = "A^B", "P-7", "F"
    data.StudyID, data.AccessionNumber, data.ReferringPhysicianName = "S1", "A9", "C^D"
    data.Modality, data.Rows, data.Columns = "DX", 40, 30
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    for name, value in OF_THE_SOURCE.items():
        setattr(data, name, value)
    return data


def report(path, identity):
    body = Vertebra.from_points(np.array([[5, 20], [10, 20], [15, 20], [15, 9], [10, 9], [5, 9.0]]), label="L1")
    write_sr(path, Reading("a.dcm", 40, 30, VERTEBRA6, [body]), source(), identity=identity)


def outlines(path, identity):
    body = Vertebra.from_points(np.array([[5, 20], [10, 20], [15, 20], [15, 9], [10, 9], [5, 9.0]]), label="L1")
    write_presentation(path, Reading("a.dcm", 40, 30, VERTEBRA6, [body]), source(), identity=identity)


def overlay(path, identity):
    write_capture(path, np.zeros((40, 30, 3), np.uint8), source(), identity=identity)


@pytest.mark.parametrize(("write", "words"), [(report, "measurements"), (outlines, "landmarks"), (overlay, "overlay")])
def test_viewers_list_them_as_research(write, words, tmp_path):
    write(tmp_path / "a.dcm", None)
    assert pydicom.dcmread(tmp_path / "a.dcm").SeriesDescription == f"Vertebral {words}, research use only"


@pytest.mark.parametrize("write", [report, outlines, overlay])
def test_every_date_and_time_is_the_readers_or_the_studys(write, tmp_path):
    write(tmp_path / "a.dcm", MADE)
    write(tmp_path / "b.dcm", MADE)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    dated = {"DA": DATE, "TM": TIME, "DT": DATE + TIME}
    found = {
        e.keyword: (str(e.value), dated[e.VR]) for e in pydicom.dcmread(tmp_path / "a.dcm").iterall() if e.VR in dated
    }
    assert {name: found.pop(name)[0] for name in OF_THE_SOURCE} == OF_THE_SOURCE
    assert len(found) >= 4
    for name, (said, wanted) in found.items():
        assert said == wanted, name


def test_what_says_no_date_is_given_none():
    made = Dataset()
    made.ContentTime = "101112"
    MADE.stamp(made)
    assert [(e.keyword, e.value) for e in made] == [("ContentTime", TIME)]
    made = Dataset()
    made.ContributingEquipmentSequence = [Dataset()]
    MADE.stamp(made)
    assert not len(made.ContributingEquipmentSequence[0])


def test_uids_name_the_study_the_picture_the_frame_the_reader_and_the_kind():
    whole = source()
    other_picture, other_study = source(), source()
    other_picture.SOPInstanceUID, other_study.StudyInstanceUID = "1.2.3.9", "1.2.3.8"
    series, instance = uids(whole, None, "sr", MADE)
    assert (series, instance) == uids(source(), None, "sr", Identity("reader 1", datetime(2027, 1, 1)))
    assert series.is_valid and instance.is_valid and series != instance  # noqa: PT018
    changed = {
        "picture": uids(other_picture, None, "sr", MADE),
        "frame": uids(whole, 0, "sr", MADE),
        "study": uids(other_study, None, "sr", MADE),
        "kind": uids(whole, None, "points", MADE),
        "reader": uids(whole, None, "sr", Identity("reader 2", MADE.made)),
    }
    assert len({own for _, own in changed.values()} | {instance}) == 6
    # Pictures of a study lie in one series; everything else has its own.
    assert {name for name, (own, _) in changed.items() if own == series} == {"picture", "frame"}
    assert uids(whole, None, "sr", None) != uids(whole, None, "sr", None)
