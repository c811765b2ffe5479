"""DICOM files: orientation and view, by cosines, letters, codes and words."""

from __future__ import annotations

import numpy as np
import pytest
from image_seeds import dicom, to_bytes, truth
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

SHOWN = truth()


@pytest.mark.parametrize(
    ("cosines", "letters", "anterior", "view"),
    [
        ([0, 1, 0, 0, 0, -1], ("P", "F"), "left", "sagittal"),
        ([0, -1, 0, 0, 0, -1], ("A", "F"), "right", "sagittal"),
        ([1, 0, 0, 0, 1, 0], ("L", "P"), None, "axial"),
        ([1, 0, 0, 0, 0, -1], ("L", "F"), None, "coronal"),
        ([0, 1, 0, 0, 0, 1], ("P", "H"), "right", "sagittal"),
        ([0.1, 0.995, 0, 0, 0, -1], ("P", "F"), "left", "sagittal"),
    ],
)
def test_orientation_letters(read, cosines, letters, anterior, view):
    picture = read(dicom(SHOWN.astype(np.uint16), Modality="MR", ImageOrientationPatient=cosines))
    assert (picture.frame.toward_right, picture.frame.toward_bottom) == letters
    assert (picture.frame.anterior, picture.view) == (anterior, view)


@pytest.mark.parametrize("cosines", [[0] * 6, [1, 0, 0, 1, 0, 0], [5, 0, 0, 0, 5, 0], [1, 0, 0]])
def test_absurd_orientation_is_ignored_with_a_remark(read, cosines):
    picture = read(dicom(SHOWN.astype(np.uint16), Modality="MR", ImageOrientationPatient=cosines))
    assert picture.frame.toward_right is None
    assert picture.view == "unknown"
    assert picture.remarks.count("ImageOrientationPatient is not plausible and was ignored") == 1


def test_a_cosine_that_is_no_number(read):
    ds = dicom(SHOWN.astype(np.uint16), Modality="MR", ImageOrientationPatient=[0, 111, 0, 0, 0, -1])
    ds.PatientOrientation = ["P", "F"]
    data = to_bytes(ds).replace(b"0\\111\\", b"0\\nan\\")
    picture = read(data)
    assert (picture.frame.toward_right, picture.frame.toward_bottom, picture.view) == ("P", "F", "sagittal")
    assert picture.remarks.count("ImageOrientationPatient is not plausible and was ignored") == 1


def test_letters_that_contradict_each_other_or_the_cosines_are_remarked_once(read):
    picture = read(dicom(SHOWN.astype(np.uint16), PatientOrientation=["A", "P"], ViewPosition="LL"))
    assert (picture.frame.plane, picture.view) == (None, "lateral")
    assert picture.remarks.count("PatientOrientation is not plausible and was ignored") == 1
    tags = {"Modality": "MR", "ImageOrientationPatient": [0, 1, 0, 0, 0, -1], "PatientOrientation": ["A", "H"]}
    picture = read(dicom(SHOWN.astype(np.uint16), **tags))
    assert picture.frame.toward_right == "P"
    assert sum("contradicts" in remark for remark in picture.remarks) == 1
    picture = read(dicom(SHOWN.astype(np.uint16), PatientOrientation=["L", "H"], ViewPosition="LL"))
    assert (picture.view, picture.frame.toward_right, picture.frame.toward_bottom) == ("lateral", None, "H")
    assert sum("contradict" in remark for remark in picture.remarks) == 1


def test_letters_of_an_oblique_plane_are_of_two_axes(read):
    """Both cosines lie nearest to left-right; their cross product is a plane all the same."""
    cosines = [0.72, 0.6, 0.3487, 0.65, -0.3999, -0.6464]
    picture = read(dicom(SHOWN.astype(np.uint16), Modality="MR", ImageOrientationPatient=cosines))
    assert (picture.frame.toward_right, picture.frame.toward_bottom, picture.view) == ("L", "F", "coronal")


LOCALIZER = {"Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}


@pytest.mark.parametrize(
    ("tags", "view", "anterior"),
    [
        ({"ViewPosition": "LL"}, "lateral", None),
        ({"ViewPosition": "AP"}, "ap", None),
        ({"PatientOrientation": ["A", "F"]}, "lateral", "right"),
        ({"PatientOrientation": ["P", "F"], "ViewPosition": "RL"}, "lateral", "left"),
        ({"PatientOrientation": ["L", "F"]}, "ap", None),
        ({"PatientOrientation": ["A", "P"]}, "unknown", None),
        ({"PatientOrientation": ["R", "H"], "ViewPosition": "PA"}, "ap", None),
        ({"PatientOrientation": ["F", "A"]}, "lateral", "left"),
        ({"PatientOrientation": ["H", "L"], "ViewPosition": "RLD"}, "ap", None),
        ({"ViewPosition": "LLD"}, "unknown", None),
        ({"Modality": "OT", "PatientOrientation": ["A", "F"]}, "lateral", "right"),
        ({"Modality": "BMD", "PatientOrientation": ["L", "F"]}, "ap", None),
        ({"Modality": "OT", "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "sagittal", "left"),
        ({**LOCALIZER, "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "lateral", "left"),
        ({**LOCALIZER, "ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "ap", None),
        ({**LOCALIZER, "Modality": "MR", "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "sagittal", "left"),
        # A reformation is a slice, whatever it is called.
        (
            {**LOCALIZER, "ImageType": ["DERIVED", "SECONDARY", "MPR"], "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
            "sagittal",
            "left",
        ),
        ({"Modality": "MR", "PatientOrientation": ["A", "F"]}, "sagittal", "right"),
        ({}, "unknown", None),
    ],
)
def test_view_by_orientation_and_words(read, tags, view, anterior):
    picture = read(dicom(SHOWN.astype(np.uint16), **tags))
    assert (picture.view, picture.frame.anterior) == (view, anterior)


def view_code(name, meaning=None):
    code = getattr(codes.cid4010, name)
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, "SCT", meaning or code.meaning
    return [item]


@pytest.mark.parametrize(
    ("name", "position", "view", "remarked"),
    [
        ("LeftLateral", "", "lateral", False),
        ("RightLateral", "", "lateral", False),
        ("LateralProjection", "LLD", "lateral", False),
        ("PosteroAnterior", "", "ap", False),
        ("Frontal", "", "ap", False),
        ("AnteroPosteriorOblique", "", "unknown", False),
        ("LateralMedial", "", "unknown", False),
        ("LeftLateral", "LLO", "unknown", False),
        ("LeftLateral", "RL", "lateral", False),
        ("LeftLateral", "AP", "ap", True),
        ("AnteroPosterior", "LL", "lateral", True),
    ],
)
@pytest.mark.parametrize("meaning", [None, "in a language of its own"])
def test_the_view_by_its_code(read, name, position, view, remarked, meaning):
    """Codes of PS3.16 CID 4010 as pydicom has them; ViewPosition is believed where the two contradict one another."""
    picture = read(dicom(SHOWN.astype(np.uint16), ViewPosition=position, ViewCodeSequence=view_code(name, meaning)))
    assert picture.view == view
    assert any("contradicts ViewPosition" in remark for remark in picture.remarks) == remarked


@pytest.mark.parametrize("position", ["LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "", "LL"])
def test_an_oblique_film_says_so_whatever_its_letters(read, position):
    """Lumbar obliques bear the letters of frontal films as a rule; a code says it, too."""
    named = [] if position else view_code("AnteroPosteriorOblique")
    for letters, view in ((["L", "F"], "ap"), (["A", "F"], "lateral")):
        tags = {"PatientOrientation": letters, "ViewPosition": position, "ViewCodeSequence": named}
        picture = read(dicom(SHOWN.astype(np.uint16), **tags))
        assert picture.view == ("lateral" if position == "LL" else view)
        assert any("an oblique view" in remark for remark in picture.remarks) is (position != "LL")
