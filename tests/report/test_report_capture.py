"""Overlay and points as DICOM objects, checked by other readers: pydicom, DCMTK, dciodvfy."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import datetime

import cv2
import numpy as np
import pydicom
import pytest

from spinetk.errors import InputError
from spinetk.formats.capture import write_capture
from spinetk.formats.identity import Identity
from spinetk.formats.presentation import write_presentation
from spinetk.formats.sr import write_sr
from spinetk.geometry import Frame
from spinetk.images import read_picture, to_uint8
from spinetk.phantoms import lateral_radiograph, write_dicom
from spinetk.report.overlay import draw

pytest.importorskip("highdicom")

IDENTITY = Identity("a reader", datetime(2026, 1, 2, 3, 4, 5))


@pytest.fixture(scope="module")
def phantom():
    return lateral_radiograph(seed=3)


@pytest.fixture
def source(phantom, tmp_path):
    return write_dicom(phantom, tmp_path / "film.dcm", patient_name="PLANTED^NAME")


def grey(path):
    picture = read_picture(path)
    return to_uint8(picture.pixels, picture.padding)


def test_a_capture_shows_the_overlay_and_claims_no_spacing(phantom, source, tmp_path):
    drawn = draw(grey(source), phantom.reading)
    write_capture(tmp_path / "o.dcm", drawn, source, identity=IDENTITY)
    made, film = pydicom.dcmread(tmp_path / "o.dcm"), pydicom.dcmread(source)
    assert np.array_equal(made.pixel_array, drawn)
    assert (made.StudyInstanceUID, made.PatientName) == (film.StudyInstanceUID, "PLANTED^NAME")
    assert made.SourceImageSequence[0].ReferencedSOPInstanceUID == film.SOPInstanceUID
    assert (made.BurnedInAnnotation, made.ConversionType, made.ContentDate) == ("NO", "WSD", "20260102")
    assert not [name for name in made.dir("Spacing") if made.get(name)]


def test_points_of_a_presentation_lie_where_the_reading_has_them(phantom, source, tmp_path):
    write_presentation(tmp_path / "p.dcm", phantom.reading, source, identity=IDENTITY)
    made = pydicom.dcmread(tmp_path / "p.dcm")
    (annotation,) = made.GraphicAnnotationSequence
    assert annotation.ReferencedImageSequence[0].ReferencedSOPInstanceUID == pydicom.dcmread(source).SOPInstanceUID
    assert len(annotation.GraphicObjectSequence) == len(phantom.reading.vertebrae)
    size = (phantom.reading.width, phantom.reading.height)
    for item, vertebra in zip(annotation.GraphicObjectSequence, phantom.reading.vertebrae, strict=True):
        points = np.array(item.GraphicData).reshape(-1, 2)
        assert (item.GraphicAnnotationUnits, item.GraphicType) == ("PIXEL", "POLYLINE")
        assert np.array_equal(points[0], points[-1])
        wanted = np.clip(vertebra.points[vertebra.visible], 0, size)
        order = [np.lexsort(points[:-1].T), np.lexsort(wanted.T)]
        assert np.allclose(points[:-1][order[0]], wanted[order[1]], atol=1e-3)


@pytest.mark.parametrize(("sure", "mark"), [(0.85, " ?"), (0.95, "")])
def test_likely_names_of_a_presentation_are_marked(phantom, source, tmp_path, sure, mark):
    """A viewer shows them over the film, without the remark that says so."""
    write_presentation(tmp_path / "p.dcm", replace(phantom.reading, label_probability=sure), source)
    (annotation,) = pydicom.dcmread(tmp_path / "p.dcm").GraphicAnnotationSequence
    told = [item.UnformattedTextValue for item in annotation.TextObjectSequence]
    assert told == [f"{vertebra.label}{mark}" for vertebra in phantom.reading.vertebrae]


@pytest.mark.parametrize(("spacing", "ratio"), [((0.4, 0.2), [2, 1]), ((0.3, 0.4), [3, 4]), ((0.143, 0.143), [1, 1])])
def test_a_presentation_shows_the_film_in_true_proportion(phantom, source, tmp_path, spacing, ratio):
    """PresentationPixelAspectRatio is height to width (PS3.3 C.10.4)."""
    told = replace(phantom.reading, frame=Frame(spacing, "ImagerPixelSpacing"))
    write_presentation(tmp_path / "p.dcm", told, source)
    (area,) = pydicom.dcmread(tmp_path / "p.dcm").DisplayedAreaSelectionSequence
    assert list(area.PresentationPixelAspectRatio) == ratio


def test_of_the_source_only_identification_is_copied(phantom, source, tmp_path):
    film = pydicom.dcmread(source)
    film.PatientComments = film.InstitutionName = film.StudyDescription = film.PatientAddress = "PLANTED words"
    film.save_as(source)
    write_presentation(tmp_path / "p.dcm", phantom.reading, source)
    write_capture(tmp_path / "o.dcm", draw(grey(source), phantom.reading), source)
    for name in ("p.dcm", "o.dcm"):
        assert b"PLANTED words" not in (tmp_path / name).read_bytes()


def test_uids_and_bytes_follow_from_picture_and_reader_alone(phantom, source, tmp_path):
    def write(folder, identity):
        folder.mkdir()
        write_sr(folder / "sr.dcm", phantom.reading, source, identity=identity)
        write_capture(folder / "o.dcm", draw(grey(source), phantom.reading), source, identity=identity)
        write_presentation(folder / "p.dcm", phantom.reading, source, identity=identity)
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    first, again = write(tmp_path / "1", IDENTITY), write(tmp_path / "2", IDENTITY)
    assert first == again
    other = write(tmp_path / "3", Identity("another reader", IDENTITY.made))
    uids = [pydicom.dcmread(tmp_path / folder / name).SOPInstanceUID for folder in "13" for name in sorted(other)]
    assert len(set(uids)) == 6


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dicom3tools is not installed")
def test_the_validator_of_dicom3tools_finds_no_error(phantom, source, tmp_path):
    write_sr(tmp_path / "sr.dcm", phantom.reading, source)
    write_capture(tmp_path / "o.dcm", draw(grey(source), phantom.reading), source)
    write_presentation(tmp_path / "p.dcm", phantom.reading, source)
    for name in ("sr.dcm", "o.dcm", "p.dcm"):
        said = subprocess.run(["dciodvfy", tmp_path / name], capture_output=True, text=True, check=False)
        lines = [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]
        assert not lines


@pytest.mark.skipif(not shutil.which("dcmp2pgm"), reason="DCMTK is not installed")
@pytest.mark.parametrize("monochrome1", [False, True])
def test_the_presentation_shows_bone_bright_in_dcmtk_too(phantom, tmp_path, monochrome1):
    source = write_dicom(phantom, tmp_path / "film.dcm", monochrome1=monochrome1)
    write_presentation(tmp_path / "p.dcm", phantom.reading, source)
    command = ["dcmp2pgm", "-p", tmp_path / "p.dcm", source, tmp_path / "shown.pgm"]
    subprocess.run(command, check=True, capture_output=True)
    shown = cv2.imread(str(tmp_path / "shown.pgm"), cv2.IMREAD_GRAYSCALE)
    assert np.corrcoef(shown.ravel(), phantom.pixels.ravel())[0, 1] > 0.9


def test_what_cannot_be_referred_to_is_one_line(phantom, source, tmp_path):
    with pytest.raises(InputError, match="not a readable DICOM"):
        write_capture(tmp_path / "o.dcm", np.zeros((4, 4, 3), np.uint8), __file__)
    film = pydicom.dcmread(source)
    del film.SeriesInstanceUID
    with pytest.raises(InputError, match="SeriesInstanceUID"):
        write_presentation(tmp_path / "p.dcm", phantom.reading, film)
    film = pydicom.dcmread(source)
    film.Rows = 3
    with pytest.raises(InputError, match="the reading"):
        write_presentation(tmp_path / "p.dcm", phantom.reading, film)
    assert not list(tmp_path.glob("[op].dcm"))
