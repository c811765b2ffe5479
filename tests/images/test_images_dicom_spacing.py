"""DICOM files: spacing, what it is measured in, the shape of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from image_seeds import dicom, to_bytes, truth

from spinetk.images.spacing import with_spacing
from spinetk.measure.again import measure_again
from spinetk.overrides import Overrides
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

SHOWN = truth()


SPACINGS = {
    "PixelSpacing": ({"Modality": "MR", "PixelSpacing": [0.5, 0.4]}, (0.5, 0.4)),
    "PixelSpacing FIDUCIAL": (
        {"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.25, 0.25], "PixelSpacingCalibrationType": "FIDUCIAL"},
        (0.2, 0.2),
    ),
    "ImagerPixelSpacing": ({"ImagerPixelSpacing": [0.14, 0.14]}, (0.14, 0.14)),
    "ImagerPixelSpacing corrected": (
        {"ImagerPixelSpacing": [0.15, 0.15], "EstimatedRadiographicMagnificationFactor": 1.25},
        (0.12, 0.12),
    ),
    "NominalScannedPixelSpacing": ({"NominalScannedPixelSpacing": [0.17, 0.17]}, (0.17, 0.17)),
    None: ({}, None),
}


@pytest.mark.parametrize("source", SPACINGS)
def test_every_spacing_source(read, source):
    tags, expected = SPACINGS[source]
    picture = read(dicom(SHOWN.astype(np.uint16), **tags))
    assert picture.frame.spacing_source == source
    assert picture.frame.spacing_mm == (pytest.approx(expected) if expected else None)
    np.testing.assert_array_equal(picture.pixels, SHOWN)


@pytest.mark.parametrize("source", SPACINGS)
def test_the_users_spacing_wins(read, source):
    picture = read(dicom(SHOWN.astype(np.uint16), **SPACINGS[source][0]), spacing_mm=(0.3, 0.31))
    assert (picture.frame.spacing_mm, picture.frame.spacing_source) == ((0.3, 0.31), "user")
    own = SPACINGS[source][1]
    said = [remark for remark in picture.remarks if "0.3 x 0.31 mm, was believed" in remark]
    assert [f"file says {own[0]:.4g} x {own[1]:.4g} mm ({source})" in remark for remark in said] == [True] * bool(own)


def test_the_files_own_spacing_by_the_user_is_no_contradiction(read):
    picture = read(dicom(SHOWN.astype(np.uint16), Modality="MR", PixelSpacing=[0.5, 0.4]), spacing_mm=(0.5, 0.4))
    assert not any("believed" in remark for remark in picture.remarks)


def test_detector_spacing_repeated_as_pixel_spacing_stays_detector_spacing(read):
    """A radiograph that says the same twice, without a calibration type, has not been calibrated."""
    tags = {"PixelSpacing": [0.14, 0.14], "ImagerPixelSpacing": [0.14, 0.14]}
    picture = read(dicom(SHOWN.astype(np.uint16), **tags))
    assert picture.frame.spacing_source == "ImagerPixelSpacing"
    assert any("magnified" in remark for remark in picture.remarks)
    distances = {"DistanceSourceToDetector": 1500, "DistanceSourceToPatient": 1200}
    picture = read(dicom(SHOWN.astype(np.uint16), **tags, **distances))
    assert picture.frame.spacing_mm == pytest.approx((0.112, 0.112))


@pytest.mark.parametrize("value", [[0, 0], [0.2, -0.2], [1e9, 1e9], [1e-9, 1e-9]])
def test_absurd_spacing_is_left_out_with_a_remark(read, value):
    picture = read(dicom(SHOWN.astype(np.uint16), PixelSpacing=value))
    assert picture.frame.spacing_mm is None
    assert "PixelSpacing is not plausible and was ignored" in picture.remarks


@pytest.mark.parametrize(
    ("value", "said"), [(b"0,15\\0,15 ", True), (b"0.15 0.15 ", True), (b"nan\\nan   ", True), (b"          ", False)]
)
def test_a_spacing_that_is_not_made_of_numbers_is_said(read, value, said):
    """The detector's is taken in its place: 0.2 mm, not 0.15, as readers with decimal commas meant."""
    film = dicom(SHOWN.astype(np.uint16), Modality="DX", PixelSpacing=[0.15, 0.15], ImagerPixelSpacing=[0.2, 0.2])
    stored = to_bytes(film)
    assert stored.count(b"0.15\\0.15 ") == 1
    picture = read(stored.replace(b"0.15\\0.15 ", value))
    assert picture.frame.spacing_mm == (0.2, 0.2)
    assert ("PixelSpacing is not made of numbers and was ignored" in picture.remarks) == said


def test_pixels_that_are_not_square_are_remarked(read):
    picture = read(dicom(SHOWN.astype(np.uint16), Modality="MR", PixelSpacing=[0.8, 0.4]))
    assert "pixels are not square: 0.8 mm high, 0.4 mm wide" in picture.remarks


@pytest.mark.parametrize(
    ("pixel", "kind", "said"),
    [
        (0.2, "GEOMETRY", "said to be calibrated (GEOMETRY), but is that of the detector plane"),
        (0.2, "FIDUCIAL", "said to be calibrated (FIDUCIAL), but is that of the detector plane"),
        (0.16, "FIDUCIAL", None),
        (0.25, "FIDUCIAL", "PixelSpacing is larger than ImagerPixelSpacing"),
        (0.25, None, "PixelSpacing is larger than ImagerPixelSpacing"),
    ],
)
def test_a_calibration_that_the_detector_contradicts_is_said(read, pixel, kind, said):
    """0.2 mm on the detector, between which and the patient things grow: in the patient it is less."""
    tags = {"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [pixel] * 2, "PixelSpacingCalibrationType": kind}
    picture = read(dicom(SHOWN.astype(np.uint16), **tags))
    assert picture.frame.spacing_mm == (pixel, pixel)
    odd = [remark for remark in picture.remarks if "calibrated (" in remark or "is larger" in remark]
    assert (said in odd[0]) if said else not odd


def test_pixel_aspect_without_spacing(read):
    picture = read(dicom(SHOWN.astype(np.uint16), PixelAspectRatio=[3, 2]))
    assert picture.frame.pixel_aspect == 1.5
    assert "pixels are not square: height to width 1.5 : 1" in picture.remarks
    picture = read(dicom(SHOWN.astype(np.uint16), PixelAspectRatio=[3, 2]), spacing_mm=(0.2, 0.2))
    assert picture.frame.pixel_aspect is None
    assert sum("spacing given" in remark for remark in picture.remarks) == 1
    assert read(dicom(SHOWN.astype(np.uint16), PixelAspectRatio=[1, 1])).frame.pixel_aspect is None


@pytest.mark.parametrize("aspect", [[0, 1], [1, 0], [-1, 1], [1], [1000, 1]])
def test_absurd_aspect_is_ignored_with_one_remark(read, aspect):
    picture = read(dicom(SHOWN.astype(np.uint16), PixelAspectRatio=aspect))
    assert picture.frame.pixel_aspect is None
    assert picture.remarks.count("PixelAspectRatio is not plausible and was ignored") == 1


@pytest.mark.parametrize(("stated", "believed"), [(1.0, True), (4.99, True), (5.0, False), (0.99, False), (-2, False)])
def test_magnifications_from_1_to_5_are_believed(read, stated, believed):
    tags = {"ImagerPixelSpacing": [0.15, 0.15], "EstimatedRadiographicMagnificationFactor": stated}
    frame = read(dicom(SHOWN.astype(np.uint16), **tags)).frame
    wanted = (0.15 / stated, "ImagerPixelSpacing corrected") if believed else (0.15, "ImagerPixelSpacing")
    assert (frame.spacing_mm[0], frame.spacing_source) == (pytest.approx(wanted[0]), wanted[1])


def test_an_absurd_detector_spacing_is_remarked_beside_a_believed_one(read):
    picture = read(dicom(SHOWN.astype(np.uint16), PixelSpacing=[0.2, 0.2], ImagerPixelSpacing=[0, 0]))
    assert picture.frame.spacing_mm == (0.2, 0.2)
    assert "ImagerPixelSpacing is not plausible and was ignored" in picture.remarks


@pytest.mark.parametrize(
    ("tags", "spacing", "said"),
    [
        # Two roundings of one detector spacing: the PixelSpacing is no calibration.
        (
            {"PixelSpacing": [0.139, 0.139], "EstimatedRadiographicMagnificationFactor": 1.25},
            0.1388889 / 1.25,
            "divided",
        ),
        # 1500 / 1200 mm is a magnification of 1.25, the file states 1.1.
        (
            {
                "EstimatedRadiographicMagnificationFactor": 1.1,
                "DistanceSourceToDetector": 1500,
                "DistanceSourceToPatient": 1200,
            },
            0.1388889 / 1.1,
            "the magnification stated, 1.1, was believed; its distances say 1.25",
        ),
        ({"EstimatedRadiographicMagnificationFactor": 1}, 0.1388889, "lengths in mm may be magnified"),
        ({"EstimatedRadiographicMagnificationFactor": 0.8}, 0.1388889, "a magnification of 0.8 is not plausible"),
        (
            {
                "EstimatedRadiographicMagnificationFactor": 0,
                "DistanceSourceToDetector": 1500,
                "DistanceSourceToPatient": 1200,
            },
            0.1388889 / 1.25,
            "a magnification of 0 is not plausible and was ignored; detector-plane spacing was divided",
        ),
        (
            {
                "EstimatedRadiographicMagnificationFactor": 1.25,
                "DistanceSourceToDetector": 1200,
                "DistanceSourceToPatient": 1500,
            },
            0.1388889 / 1.25,
            "a magnification of 0.8 is not plausible and was ignored; detector-plane spacing was divided",
        ),
        ({"DistanceSourceToDetector": 1200, "DistanceSourceToPatient": 1500}, 0.1388889, "of 0.8 is not plausible"),
    ],
)
def test_doubts_about_a_detector_spacing_are_said(read, tags, spacing, said):
    picture = read(dicom(SHOWN.astype(np.uint16), Modality="DX", ImagerPixelSpacing=[0.1388889, 0.1388889], **tags))
    assert picture.frame.spacing_mm[0] == pytest.approx(spacing, rel=1e-6)
    assert said in "; ".join(picture.remarks)


@pytest.mark.parametrize(("modality", "said"), [("OT", True), ("", True), ("CT", False), ("MR", False)])
def test_a_secondary_capture_of_what_may_be_a_film_says_nothing_of_its_calibration(read, modality, said):
    tags = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": modality, "PixelSpacing": [0.2, 0.2]}
    remarks = read(dicom(SHOWN.astype(np.uint16), **tags)).remarks
    assert any("does not say how it was calibrated" in remark for remark in remarks) == said


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"PixelAspectRatio": [2, 1]}, "PixelAspectRatio says that pixels are 2 times as high as wide"),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, "ImagerPixelSpacing says that pixels are 2 times as high as wide"),
        ({"PixelAspectRatio": [1000, 999]}, None),
        ({"PixelAspectRatio": [0, 1]}, None),
        ({"PixelAspectRatio": [1, 1], "ImagerPixelSpacing": [0.25, 0.25]}, None),
    ],
)
def test_another_shape_of_pixels_beside_a_spacing_is_said(read, tags, said):
    picture = read(dicom(SHOWN.astype(np.uint16), PixelSpacing=[0.2, 0.2], **tags))
    assert picture.frame.square.tolist() == [1, 1]
    shapes = [remark for remark in picture.remarks if "as high as wide" in remark]
    assert not shapes if said is None else said in shapes[0]
    given = read(dicom(SHOWN.astype(np.uint16), PixelSpacing=[0.2, 0.2], **tags), spacing_mm=(0.2, 0.2))
    assert not any("as high as wide" in remark for remark in given.remarks)


SCALES = [
    *(tags for tags, _ in SPACINGS.values()),
    {"PixelSpacing": [0.2, 0.2]},
    {"PixelSpacing": [0.25, 0.25], "ImagerPixelSpacing": [0.2, 0.2]},
    {"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.2, 0.2], "PixelSpacingCalibrationType": "GEOMETRY"},
    {"PixelSpacing": [0.2, 0.1], "PixelAspectRatio": [1, 1], "NominalScannedPixelSpacing": [0.3, 0.3]},
    {"PixelAspectRatio": [2, 1]},
    {"ImagerPixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": 1},
    {
        "ImagerPixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": 1.1,
        "DistanceSourceToDetector": 1500, "DistanceSourceToPatient": 1200,
    },
]  # fmt: skip


@pytest.mark.parametrize("tags", SCALES)
@pytest.mark.parametrize("given", [(0.3, 0.3), (0.3, 0.6)])
def test_a_scale_given_afterwards_leaves_no_remark_on_that_of_the_file(read, tags, given):
    """Nothing is said that would not be said, had the scale been given when the file was read, but for what it was."""
    file = dicom(SHOWN.astype(np.uint16), BurnedInAnnotation="YES", **tags)
    first, wanted = read(file), read(file, spacing_mm=given)
    reading = Reading("a", *SHOWN.shape, VERTEBRA6, frame=first.frame, remarks=list(first.remarks))
    found = with_spacing(reading, given)
    assert (found.frame.spacing_mm, found.frame.spacing_source) == (given, "user")
    assert found.remarks == [remark for remark in wanted.remarks if not remark.startswith("the spacing given")]
    assert measure_again(reading, Overrides(spacing_mm=given)).remarks[: len(found.remarks)] == found.remarks


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        # 0.2 : 0.16 is 1.25.
        ({"EstimatedRadiographicMagnificationFactor": 1.25}, False),
        ({"DistanceSourceToDetector": 1800, "DistanceSourceToPatient": 1500}, False),  # 1.2, within a tenth
        ({"EstimatedRadiographicMagnificationFactor": 1.05}, True),
        ({"DistanceSourceToDetector": 1500, "DistanceSourceToPatient": 1450}, True),  # 1.034
        ({"EstimatedRadiographicMagnificationFactor": 0}, False),
        ({}, False),
        # A calibration knows better than an estimate.
        ({"EstimatedRadiographicMagnificationFactor": 1.05, "PixelSpacingCalibrationType": "FIDUCIAL"}, False),
    ],
)
def test_two_spacings_that_are_another_magnification_apart_than_stated_bear_a_remark(read, tags, said):
    film = dicom(SHOWN.astype(np.uint16), PixelSpacing=[0.16, 0.16], ImagerPixelSpacing=[0.2, 0.2], **tags)
    picture = read(film)
    assert picture.frame.spacing_mm == (0.16, 0.16)
    found = [remark for remark in picture.remarks if "divided by 1.25, but the file states" in remark]
    assert len(found) == said
    given = Reading("film.dcm", 24, 20, VERTEBRA6, [], frame=picture.frame, remarks=list(picture.remarks))
    assert not any("divided by 1.25" in remark for remark in with_spacing(given, (0.15, 0.15)).remarks)
