"""Scale, orientation and view of a DICOM frame, each function whole: what it gives, and all that it remarks."""

from __future__ import annotations

import numpy as np
import pytest
from image_seeds import head
from pydicom.dataset import Dataset

from spinetk.geometry import Frame
from spinetk.images.orientation import (
    facts_of,
    letter,
    letters_of,
    oblique_degrees,
    read_axes,
    read_letters,
    read_position,
    read_view,
    standing,
)
from spinetk.images.spacing import contradiction, other_shapes, read_aspect, read_spacing

pytestmark = pytest.mark.filterwarnings("ignore:.*VR ")
FILM = "1.2.840.10008.5.1.4.1.1.1.1"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def shared(**tags) -> Dataset:
    """In the functional groups that all frames share."""
    return head(SharedFunctionalGroupsSequence=[head(**tags)])


# --- spacing (PS3.3 10.7.1.3) ---

UNCALIBRATED = "PixelSpacing does not say how it was calibrated: it may be that of the detector plane"
MAGNIFIED = "spacing is that of the detector plane: lengths in mm are magnified"
ONE = "a magnification of 1 is that of a body on the detector: lengths in mm may be magnified"
DX, MR = {"Modality": "DX", "SOPClassUID": FILM}, {"Modality": "MR", "SOPClassUID": FILM}


def divided(by: str) -> str:
    return f"detector-plane spacing was divided by a magnification of {by}"


def absurd(magnification: str) -> str:
    return f"a magnification of {magnification} is not plausible and was ignored"


@pytest.mark.parametrize(
    ("tags", "spacing", "source", "said"),
    [
        (DX, None, None, []),
        (MR | {"PixelSpacing": [0.5, 0.4]}, (0.5, 0.4), "PixelSpacing", []),
        (DX | {"PixelSpacing": [0.5, 0.4]}, (0.5, 0.4), "PixelSpacing", [UNCALIBRATED]),
        (DX | {"PixelSpacing": [0.5, 0.4], "PixelSpacingCalibrationType": "FIDUCIAL"}, (0.5, 0.4),
         "PixelSpacing FIDUCIAL", []),
        (DX | {"PixelSpacing": [0.5, 0.4], "PixelSpacingCalibrationType": "GEOMETRY"}, (0.5, 0.4),
         "PixelSpacing GEOMETRY", []),
        (DX | {"PixelSpacing": [0.5, 0.4], "PixelSpacingCalibrationType": "OTHER"}, (0.5, 0.4), "PixelSpacing",
         [UNCALIBRATED]),
        (DX | {"PixelSpacingCalibrationType": "GEOMETRY", "ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1),
         "ImagerPixelSpacing", [MAGNIFIED]),
        ({"Modality": "OT", "SOPClassUID": CAPTURE, "PixelSpacing": [0.5, 0.4]}, (0.5, 0.4), "PixelSpacing",
         [UNCALIBRATED]),
        ({"Modality": "OT", "SOPClassUID": FILM, "PixelSpacing": [0.5, 0.4]}, (0.5, 0.4), "PixelSpacing", []),
        ({"Modality": "CT", "SOPClassUID": CAPTURE, "PixelSpacing": [0.5, 0.4]}, (0.5, 0.4), "PixelSpacing", []),
        ({"Modality": "OT", "SOPClassUID": CAPTURE + ".5", "PixelSpacing": [0.5, 0.4]}, (0.5, 0.4), "PixelSpacing", []),
        (DX | {"PixelSpacing": [0.5, 0.4], "ImagerPixelSpacing": [0.2, 0.1]}, (0.5, 0.4), "PixelSpacing",
         ["PixelSpacing is larger than ImagerPixelSpacing, as no magnification makes it: one of them is wrong",
          UNCALIBRATED]),
        (DX | {"PixelSpacing": [0.2, 0.1], "ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "ImagerPixelSpacing",
         [MAGNIFIED]),
        (DX | {"PixelSpacing": [0.2, 0.1001], "ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "ImagerPixelSpacing",
         [MAGNIFIED]),
        (DX | {"PixelSpacing": [0.2, 0.1002], "ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1002), "PixelSpacing",
         [UNCALIBRATED]),
        (MR | {"PixelSpacing": [0.2, 0.1], "ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "PixelSpacing", []),
        (DX | {"ImagerPixelSpacing": [0.4, 0.2], "EstimatedRadiographicMagnificationFactor": 1.25}, (0.32, 0.16),
         "ImagerPixelSpacing corrected", [divided("1.250")]),
        (DX | {"ImagerPixelSpacing": [0.4, 0.2], "EstimatedRadiographicMagnificationFactor": 1}, (0.4, 0.2),
         "ImagerPixelSpacing corrected", [ONE, divided("1.000")]),
        (DX | {"ImagerPixelSpacing": [0.4, 0.2], "DistanceSourceToDetector": 1500, "DistanceSourceToPatient": 1200},
         (0.32, 0.16), "ImagerPixelSpacing corrected", [divided("1.250")]),
        (DX | {"ImagerPixelSpacing": [0.4, 0.2], "DistanceSourceToDetector": 1500, "DistanceSourceToPatient": 0},
         (0.4, 0.2), "ImagerPixelSpacing", [MAGNIFIED]),
        (DX | {"ImagerPixelSpacing": [0.4, 0.2], "DistanceSourceToDetector": 0, "DistanceSourceToPatient": 1200},
         (0.4, 0.2), "ImagerPixelSpacing", [MAGNIFIED]),
        (DX | {"ImagerPixelSpacing": [0.4, 0.2], "EstimatedRadiographicMagnificationFactor": 1.25,
               "DistanceSourceToDetector": 1530, "DistanceSourceToPatient": 1200},
         (0.32, 0.16), "ImagerPixelSpacing corrected", [divided("1.250")]),  # 1.275 is 2 % more
        (DX | {"ImagerPixelSpacing": [0.4, 0.2], "EstimatedRadiographicMagnificationFactor": 1.25,
               "DistanceSourceToDetector": 1536, "DistanceSourceToPatient": 1200},
         (0.32, 0.16), "ImagerPixelSpacing corrected",
         ["the magnification stated, 1.25, was believed; its distances say 1.28", divided("1.250")]),
        (DX | {"ImagerPixelSpacing": [0.4, 0.2], "EstimatedRadiographicMagnificationFactor": 5,
               "DistanceSourceToDetector": 900, "DistanceSourceToPatient": 1200},
         (0.4, 0.2), "ImagerPixelSpacing", [absurd("5"), absurd("0.75"), MAGNIFIED]),
        (DX | {"NominalScannedPixelSpacing": [0.4, 0.2]}, (0.4, 0.2), "NominalScannedPixelSpacing",
         ["spacing is that of the scanned film: lengths in mm may be magnified"]),
        (DX | {"NominalScannedPixelSpacing": [0.4, -0.2]}, None, None,
         ["NominalScannedPixelSpacing is not plausible and was ignored"]),
        (MR | {"PixelSpacing": [0.5]}, None, None, ["PixelSpacing is not plausible and was ignored"]),
        (MR | {"PixelSpacing": [0.5, 0], "ImagerPixelSpacing": [0.4, 0.2]}, (0.4, 0.2), "ImagerPixelSpacing",
         ["PixelSpacing is not plausible and was ignored", MAGNIFIED]),
    ],
)  # fmt: skip
def test_spacings_and_their_sources(tags, spacing, source, said):
    remarks: list[str] = []
    found, where = read_spacing(head(**tags), 0, remarks)
    assert (found, where, remarks) == (None if spacing is None else pytest.approx(spacing), source, said)


def test_the_spacing_of_a_frame_comes_first():
    ds = shared(PixelMeasuresSequence=[head(PixelSpacing=[3, 2])])
    ds.update(head(**DX, PixelSpacing=[0.5, 0.4]))
    remarks: list[str] = []
    assert read_spacing(ds, 0, remarks) == ((3, 2), "PixelSpacing")
    assert remarks == []
    ds.SharedFunctionalGroupsSequence = [head(PixelMeasuresSequence=[head(PixelSpacing=[3, 0])])]
    assert read_spacing(ds, 0, remarks) == ((0.5, 0.4), "PixelSpacing")
    assert remarks == ["PixelSpacing is not plausible and was ignored", UNCALIBRATED]


def test_what_is_said_of_one_frame_is_of_no_other():
    """The second of two has a place, a spacing and axes of its own; the first has none that can be."""

    def frame(spacing, cosines, place, kind):
        return head(
            PixelMeasuresSequence=[head(PixelSpacing=spacing)],
            PlaneOrientationSequence=[head(ImageOrientationPatient=cosines)],
            PlanePositionSequence=[head(ImagePositionPatient=place)],
            CTImageFrameTypeSequence=[head(FrameType=kind)],
        )

    ds = head(
        Modality="CT",
        PerFrameFunctionalGroupsSequence=[
            frame([0, 0], [1, 2, 3], [1, 2], ["ORIGINAL"]),
            frame([3, 2], [0, 1, 0, 0, 0, -1], [4, 5, 6], ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        ],
    )
    remarks: list[str] = []
    assert read_spacing(ds, 1, remarks) == ((3, 2), "PixelSpacing")
    assert read_axes(ds, 1)[0].tolist() == [0, 1, 0]
    assert read_position(ds, 1).tolist() == [4, 5, 6]
    assert read_letters(ds, 1, SAGITTAL, remarks) == ("P", "F")
    assert read_view(ds, 1, SAGITTAL, ("P", "F"), remarks) == ("lateral", ("P", "F"))
    assert remarks == []
    assert (read_axes(ds, 0), read_position(ds, 0)) == (None, None)
    assert read_view(ds, 0, SAGITTAL, ("P", "F"), remarks)[0] == "sagittal"
    assert read_spacing(ds, 0, remarks) == (None, None)
    assert read_letters(ds, 0, None, remarks) == (None, None)
    assert remarks == ["PixelSpacing is not plausible and was ignored", COSINES_WRONG]
    del ds.PerFrameFunctionalGroupsSequence[1].PlaneOrientationSequence
    assert read_letters(ds, 1, None, remarks) == (None, None)
    assert len(remarks) == 2


def test_what_a_user_says_against_the_file():
    user, own = Frame((0.5, 0.25), "user"), Frame((0.50051, 0.25), "PixelSpacing")
    assert contradiction(user, Frame()) == []
    assert contradiction(Frame(), own) == []
    assert contradiction(user, Frame((0.5004, 0.25), "PixelSpacing")) == []
    assert contradiction(user, own) == [
        "the spacing given, 0.5 x 0.25 mm, was believed; the file says 0.5005 x 0.25 mm (PixelSpacing)"
    ]
    assert len(contradiction(user, Frame((0.5, 0.26), "PixelSpacing"))) == 1


def test_other_shapes_of_pixels():
    said = "{} says that pixels are {} times as high as wide, the spacing that was believed 2 times"
    ds = head(PixelSpacing=[1, 1], ImagerPixelSpacing=[3, 1], NominalScannedPixelSpacing=[1, 2])
    ds.PixelAspectRatio = [4, 3]
    assert other_shapes(ds, (1, 0.5)) == [
        said.format("PixelSpacing", "1"), said.format("ImagerPixelSpacing", "3"),
        said.format("NominalScannedPixelSpacing", "0.5"), said.format("PixelAspectRatio", "1.33"),
    ]  # fmt: skip
    assert other_shapes(head(PixelSpacing=[2.019, 1], ImagerPixelSpacing=[1.981, 1]), (1, 0.5)) == []
    assert len(other_shapes(head(PixelSpacing=[2.021, 1], ImagerPixelSpacing=[1.979, 1]), (1, 0.5))) == 2
    for none in ([0, 1], [1, 0], [-3, -1], [3]):
        assert other_shapes(head(PixelAspectRatio=none), (1, 0.5)) == []
    assert other_shapes(head(), (1, 0.5)) == []


@pytest.mark.parametrize(
    ("value", "aspect"),
    [([3, 2], 1.5), ([1, 2], 0.5), ([2, 2], None), ([2, 1, 7], 2), (None, None), ("", None)],
)
def test_the_shape_of_pixels_without_a_spacing(value, aspect):
    remarks: list[str] = []
    assert read_aspect(head(PixelAspectRatio=value), remarks) == aspect
    assert remarks == []
    for wrong in ([3], [3, 0], [-1, 1], [99999, 1]):
        assert read_aspect(head(PixelAspectRatio=wrong), remarks) is None
        assert remarks.pop() == "PixelAspectRatio is not plausible and was ignored"
    assert read_aspect(head(), remarks) is None
    assert remarks == []


# --- orientation ---


def test_axes_are_unit_vectors_at_right_angles():
    right, down = read_axes(head(ImageOrientationPatient=[0, 1.04, 0, 0, 0, -0.96]), 0)
    assert (right.tolist(), down.tolist()) == ([0, 1, 0], [0, 0, -1])
    for wrong in ([0, 1.06, 0, 0, 0, -1], [0, 1, 0, 0, 0, -0.94], [1, 0, 0, 0.06, 0.998, 0], [1, 0, 0, -0.06, 0.998, 0],
                  [1, 0, 0, 0, 1], [1, 0, 0, 0, 1, 0, 0]):  # fmt: skip
        assert read_axes(head(ImageOrientationPatient=wrong), 0) is None
    assert read_axes(head(ImageOrientationPatient=[1, 0, 0, 0.04, 0.999, 0]), 0) is not None
    assert read_axes(head(), 0) is None
    ds = shared(PlaneOrientationSequence=[head(ImageOrientationPatient=[1, 0, 0, 0, 0, -1])])
    ds.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    assert read_axes(ds, 0)[0].tolist() == [1, 0, 0]


def test_positions_are_of_this_world():
    assert read_position(head(ImagePositionPatient=[1, -2, 3]), 0).tolist() == [1, -2, 3]
    assert read_position(head(ImagePositionPatient=[99_999, 0, 0]), 0) is not None
    for wrong in ([100_000, 0, 0], [0, -1e6, 0], [1, 2], [1, 2, 3, 4]):
        assert read_position(head(ImagePositionPatient=wrong), 0) is None
    assert read_position(head(), 0) is None
    ds = shared(PlanePositionSequence=[head(ImagePositionPatient=[4, 5, 6])])
    ds.ImagePositionPatient = [1, 2, 3]
    assert read_position(ds, 0).tolist() == [4, 5, 6]


def test_letters_of_directions():
    directions = ([1, 0.5, 0], [-1, 0.5, 0], [0, 1, 0], [0.5, -1, 0], [0, 0, 1], [0, 0, -1])
    assert "".join(letter(np.array(direction)) for direction in directions) == "LRPAHF"
    axes = np.array([0.6, 0.8, 0]), np.array([0.55, -0.6, -0.58])
    assert letters_of(axes) == ("P", "F")  # 0.8 + 0.58 is more than any other two of different axes
    assert oblique_degrees((np.array([0, 1.0, 0]), np.array([0, 0, -1.0]))) == pytest.approx(0)
    turned = np.array([np.sin(0.3), np.cos(0.3), 0]), np.array([0, 0, -1.0])
    assert oblique_degrees(turned) == pytest.approx(np.degrees(0.3))


SAGITTAL = (np.array([0, 1.0, 0]), np.array([0, 0, -1.0]))
LETTERS_WRONG = "PatientOrientation is not plausible and was ignored"
COSINES_WRONG = "ImageOrientationPatient is not plausible and was ignored"


@pytest.mark.parametrize(
    ("tags", "axes", "letters", "said"),
    [
        ({}, None, (None, None), []),
        ({"PatientOrientation": ["A", "F"]}, None, ("A", "F"), []),
        ({"PatientOrientation": ["AF", "FP"]}, None, ("A", "F"), []),
        ({"PatientOrientation": ["", ""]}, None, (None, None), []),
        ({"PatientOrientation": ["A"]}, None, (None, None), [LETTERS_WRONG]),
        ({"PatientOrientation": ["A", "F", "L"]}, None, (None, None), [LETTERS_WRONG]),
        ({"PatientOrientation": ["A", "A"]}, None, (None, None), [LETTERS_WRONG]),
        ({"PatientOrientation": ["A", "P"]}, None, (None, None), [LETTERS_WRONG]),
        ({"PatientOrientation": ["A", "X"]}, None, (None, None), [LETTERS_WRONG]),
        ({"PatientOrientation": ["X", "A"]}, None, (None, None), [LETTERS_WRONG]),
        ({"ImageOrientationPatient": [1, 2, 3]}, None, (None, None), [COSINES_WRONG]),
        ({"ImageOrientationPatient": [1, 2, 3], "PatientOrientation": ["A", "F"]}, None, ("A", "F"), [COSINES_WRONG]),
        ({"ImageOrientationPatient": [1, 2, 3], "PatientOrientation": ["A", "A"]}, None, (None, None),
         [LETTERS_WRONG, COSINES_WRONG]),
        ({"ImageOrientationPatient": ""}, None, (None, None), []),
        ({}, SAGITTAL, ("P", "F"), []),
        ({"PatientOrientation": ["P", "F"]}, SAGITTAL, ("P", "F"), []),
        ({"PatientOrientation": ["A", "H"]}, SAGITTAL, ("P", "F"),
         ["PatientOrientation A\\H contradicts ImageOrientationPatient (P\\F), which was believed"]),
        ({"PatientOrientation": ["A", "A"]}, SAGITTAL, ("P", "F"), [LETTERS_WRONG]),
        ({}, (np.array([np.sin(0.35), np.cos(0.35), 0]), SAGITTAL[1]), ("P", "F"),
         ["the picture is 20 degrees oblique: orientation letters name the nearest direction"]),
        ({}, (np.array([np.sin(0.31), np.cos(0.31), 0]), SAGITTAL[1]), ("P", "F"), []),
    ],
)  # fmt: skip
def test_letters_and_what_contradicts_them(tags, axes, letters, said):
    remarks: list[str] = []
    assert read_letters(head(**tags), 0, axes, remarks) == letters
    assert remarks == said


def code(value="", meaning=None):
    return [head(CodeValue=value, CodeMeaning=meaning)]


@pytest.mark.parametrize(
    ("tags", "axes", "letters", "view", "kept", "said"),
    [
        (DX, None, (None, None), "unknown", (None, None), []),
        (DX, None, ("A", "F"), "lateral", ("A", "F"), []),
        (DX, None, ("L", "F"), "ap", ("L", "F"), []),
        (DX, None, ("L", "P"), "axial", ("L", "P"), []),
        (MR, None, ("A", "F"), "sagittal", ("A", "F"), []),
        (MR, None, ("L", "F"), "coronal", ("L", "F"), []),
        (MR, None, ("L", "P"), "axial", ("L", "P"), []),
        (MR, None, (None, None), "unknown", (None, None), []),
        (MR | {"ViewPosition": "LL"}, None, ("L", "F"), "coronal", ("L", "F"), []),
        ({"Modality": "OT"}, None, ("A", "F"), "lateral", ("A", "F"), []),
        ({"Modality": "OT"}, SAGITTAL, ("P", "F"), "sagittal", ("P", "F"), []),
        ({"Modality": "CT"}, None, ("A", "F"), "sagittal", ("A", "F"), []),
        ({"Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, SAGITTAL, ("P", "F"), "lateral",
         ("P", "F"), []),
        (DX | {"ViewPosition": "L-L"}, None, (None, None), "lateral", (None, None), []),
        (DX | {"ViewPosition": "LATERAL"}, None, ("A", "F"), "lateral", ("A", "F"), []),
        (DX | {"ViewPosition": "LL"}, None, ("L", "F"), "lateral", (None, "F"),
         ["the letters of its orientation contradict the stated view (LL), which was believed"]),
        (DX | {"ViewPosition": "PA"}, None, ("H", "A"), "ap", ("H", None),
         ["the letters of its orientation contradict the stated view (PA), which was believed"]),
        (DX | {"ViewPosition": "RLD"}, None, (None, None), "unknown", (None, None),
         ["ViewPosition RLD (lying on the side) does not say whether the film is frontal"]),
        (DX | {"ViewPosition": "RLD"}, None, ("H", "L"), "ap", ("H", "L"), []),
        (DX | {"ViewPosition": "XX"}, None, (None, None), "unknown", (None, None), []),
        (DX | {"ViewCodeSequence": code("399348003")}, None, (None, None), "ap", (None, None), []),
        (DX | {"ViewCodeSequence": code("R-10236", "Oblique")}, None, (None, None), "lateral", (None, None), []),
        (DX | {"ViewCodeSequence": code("x", "Antero-Posterior view")}, None, (None, None), "ap", (None, None), []),
        (DX | {"ViewCodeSequence": code("x", "postero anterior")}, None, (None, None), "ap", (None, None), []),
        (DX | {"ViewCodeSequence": code("x", "Left LATERAL")}, None, (None, None), "lateral", (None, None), []),
        (DX | {"ViewCodeSequence": code("x", "lateral oblique")}, None, (None, None), "unknown", (None, None),
         ["ViewCodeSequence says an oblique view: bodies are not shown from the side or the front"]),
        (DX | {"ViewCodeSequence": code("x", "medio-lateral")}, None, (None, None), "lateral", (None, None), []),
        (DX | {"ViewCodeSequence": code("x", "Medial lateral")}, None, (None, None), "unknown", (None, None), []),
        (DX | {"ViewCodeSequence": code("x", "anterior")}, None, (None, None), "unknown", (None, None), []),
        (DX | {"ViewCodeSequence": code("x")}, None, (None, None), "unknown", (None, None), []),
        (DX | {"ViewCodeSequence": code("x") + code("399348003")}, None, (None, None), "ap", (None, None), []),
        (DX | {"ViewCodeSequence": code("399348003"), "ViewPosition": "LL"}, None, (None, None), "lateral",
         (None, None), ["ViewCodeSequence (ap) contradicts ViewPosition LL, which was believed"]),
        (DX | {"ViewCodeSequence": code("399348003"), "ViewPosition": "PA"}, None, (None, None), "ap",
         (None, None), []),
        (DX | {"ViewCodeSequence": code("399348003"), "ViewPosition": "LLO"}, None, (None, None), "unknown",
         (None, None), ["ViewPosition LLO is an oblique view: bodies are not shown from the side or the front"]),
        (DX | {"ViewCodeSequence": code("399348003"), "ViewPosition": "RLD"}, None, ("A", "F"), "ap", (None, "F"),
         ["the letters of its orientation contradict the stated view (AP), which was believed"]),
    ],
)  # fmt: skip
def test_views_and_what_contradicts_them(tags, axes, letters, view, kept, said):
    remarks: list[str] = []
    assert read_view(head(**tags), 0, axes, letters, remarks) == (view, kept)
    assert remarks == said


def test_a_localizer_among_the_frames_of_a_ct():
    ds = shared(CTImageFrameTypeSequence=[head(FrameType=["ORIGINAL", "PRIMARY", "LOCALIZER"])])
    ds.Modality = "CT"
    assert read_view(ds, 0, SAGITTAL, ("P", "F"), [])[0] == "lateral"
    ds.Modality = "MR"
    assert read_view(ds, 0, SAGITTAL, ("P", "F"), [])[0] == "sagittal"


KEPT = "points stay in pixels of the picture as stored"


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, None),
        (2, "mirrored left to right"),
        (3, "turned by 180 degrees"),
        (4, "mirrored top to bottom"),
        (5, "turned by 90 degrees and mirrored"),
        (6, "turned by 90 degrees clockwise"),
        (7, "turned by 90 degrees and mirrored"),
        (8, "turned by 90 degrees anticlockwise"),
    ],
)
def test_how_a_picture_is_turned_is_said(orientation, turned):
    said = f"the picture was {turned} for reading, as its EXIF orientation ({orientation}) says; {KEPT}"
    assert standing(Frame(exif_orientation=orientation)) == ([] if turned is None else [said])


def test_what_turns_a_picture_is_named():
    assert standing(Frame(toward_right="P", toward_bottom="H")) == [
        f"the picture was mirrored top to bottom for reading, as its header says; {KEPT}"
    ]
    assert standing(Frame((0.5, 0.25), "user")) == ["pixels are not square: 0.5 mm high, 0.25 mm wide"]
    assert standing(Frame(pixel_aspect=1.5)) == ["pixels are not square: height to width 1.5 : 1"]
    assert standing(Frame(pixel_aspect=0.5)) == ["pixels are not square: height to width 0.5 : 1"]
    assert standing(Frame((0.5, 0.5), "user")) == []


def test_facts_of_a_frame():
    frame = Frame((0.5, 0.25), "user", "A", "F", exif_orientation=3)
    assert facts_of(frame) == {
        "spacing_mm": [0.5, 0.25], "spacing_source": "user", "orientation": ["A", "F"], "pixel_aspect": None,
        "exif_orientation": 3, "anterior": frame.anterior,
    }  # fmt: skip
