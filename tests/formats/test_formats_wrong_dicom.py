"""Wrong DICOM objects that a user can have: each is refused in one line that names the file and what is wrong in it."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian
from report_source import source as dicom
from wrong_files import body, film

from spinetk.errors import InputError
from spinetk.formats.presentation import write_presentation
from spinetk.formats.registry import format_named, read
from spinetk.formats.sr import write_sr
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6


def test_a_report_does_not_replace_a_picture(tmp_path):
    film(tmp_path / "a.dcm.png")
    shutil.move(tmp_path / "a.dcm.png", tmp_path / "a.dcm")
    before = (tmp_path / "a.dcm").read_bytes()
    told = Reading(str(tmp_path / "a.dcm"), 10, 9, VERTEBRA6, [body(label="L1")])
    with pytest.raises(InputError) as error:
        format_named("sr").write(tmp_path / "a.dcm", [told])
    assert (error.value.source, error.value.fault) == (
        str(tmp_path / "a.dcm"),
        "is there and is no structured report",
    )
    assert (tmp_path / "a.dcm").read_bytes() == before


def test_presentation_states_of_unfit_pictures(tmp_path):
    pytest.importorskip("highdicom")
    told, out = Reading("x", 300, 200, VERTEBRA6, [replace(body(), label="L1")]), tmp_path / "pr.dcm"
    picture = dicom(columns=201)
    picture.PhotometricInterpretation, picture.SamplesPerPixel = "MONOCHROME2", 1
    with pytest.raises(InputError) as error:
        write_presentation(out, told, picture)
    assert (error.value.source, error.value.fault) == ("DICOM data set", "is 201 x 300 px, the reading 200 x 300")
    picture.Columns, picture.PhotometricInterpretation, picture.SamplesPerPixel = 200, "RGB", 3
    with pytest.raises(InputError) as error:
        write_presentation(out, told, picture)
    assert error.value.fault == "is a colour picture, which has no grayscale presentation"
    path = film(tmp_path / "a.png")
    with pytest.raises(InputError) as error:
        write_presentation(out, told, path)
    assert (error.value.source, error.value.fault) == (str(path), "is not a readable DICOM file")
    assert not out.exists()


def grey(**fields):
    picture = dicom()
    picture.PhotometricInterpretation, picture.SamplesPerPixel, picture.PixelRepresentation = "MONOCHROME2", 1, 0
    picture.BitsAllocated, picture.BitsStored, picture.HighBit = 8, 8, 7
    for name, value in fields.items():
        setattr(picture, name, value)
    return picture


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"WindowCenter": 40}, "ValueError"),
        ({"WindowCenter": [40, 50], "WindowWidth": [3]}, "TypeError"),
        ({"RescaleSlope": 1}, "ValueError"),
        ({"SOPClassUID": "1.3.46.670589.11.0.0.12.1"}, "KeyError"),  # one of a maker's own
    ],
)
def test_presentation_states_of_pictures_that_do_not_say_how_they_are_shown(tmp_path, fields, why):
    pytest.importorskip("highdicom")
    told, out = Reading("x", 300, 200, VERTEBRA6, [body(label="L1")]), tmp_path / "pr.dcm"
    write_presentation(out, told, grey())
    out.unlink()
    with pytest.raises(InputError) as error:
        write_presentation(out, told, grey(**fields))
    assert error.value.fault == f"cannot carry a presentation state ({why})"
    assert not out.exists()


def test_a_report_about_a_picture_of_a_maker_s_own_class(tmp_path):
    pytest.importorskip("highdicom")
    own = "1.3.46.670589.11.0.0.12.1"
    with pytest.raises(InputError) as error:
        write_sr(tmp_path / "r.dcm", Reading("x", 300, 200, VERTEBRA6, [body(label="L1")]), grey(SOPClassUID=own))
    assert error.value.source == "DICOM data set"
    assert error.value.fault == f"is of the class {own}, which is none that reports are known to refer to"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("syntax", "fault"),
    [
        (ExplicitVRLittleEndian, "has no region of a picture"),  # what is there can be read
        (DeflatedExplicitVRLittleEndian, "is not a readable structured report"),
    ],
)
def test_a_report_that_breaks_off(tmp_path, syntax, fault):
    """Copied in part: the next report of the folder is read all the same."""
    pytest.importorskip("highdicom")
    write_sr(tmp_path / "b.dcm", Reading("x", 300, 200, VERTEBRA6, [body(label="L1")]), dicom())
    report = pydicom.dcmread(tmp_path / "b.dcm")
    report.file_meta.TransferSyntaxUID = syntax
    report.save_as(tmp_path / "a.dcm")
    whole = (tmp_path / "a.dcm").read_bytes()
    for share in (0.5, 0.9):
        (tmp_path / "a.dcm").write_bytes(whole[: int(share * len(whole))])
        error, item = read(tmp_path, "sr")
        assert (error.source, error.fault) == (str(tmp_path / "a.dcm"), fault)
        assert [v.label for v in item.vertebrae] == ["L1"]
