"""Everything that is said of a picture, whole: each field of what is read and each fact of what is described."""

from __future__ import annotations

from dataclasses import asdict

import nibabel as nib
import numpy as np
import pytest
from image_seeds import dicom, enhanced, to_bytes
from PIL import Image
from volume_files import affine_of, write_nifti

from spinetk.geometry import Frame
from spinetk.images import read_picture
from spinetk.images.info import describe, render

STORED = np.array([[0, 10, 20, 30], [40, 50, 60, 70], [80, 90, 100, 7]], np.uint16)
FILM = {
    "Modality": "DX", "PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11,
    "RescaleSlope": 2, "RescaleIntercept": -10, "WindowCenter": [100.5, 7], "WindowWidth": [201, 7],
    "PixelPaddingValue": 7, "ImagerPixelSpacing": [0.4, 0.8], "EstimatedRadiographicMagnificationFactor": 1.25,
    "PatientOrientation": ["A", "F"], "ViewPosition": "LL", "BurnedInAnnotation": "YES", "BodyPartExamined": "LSPINE",
    "PresentationIntentType": "FOR PROCESSING", "PixelIntensityRelationshipSign": 1,
}  # fmt: skip
REMARKS = (
    "padding was left out of statistics",
    "the first of several windows was used",
    "the window of the file was applied",
    "the grey scale is stored inverted and was inverted back",
    "detector-plane spacing was divided by a magnification of 1.250",
    "the film is FOR PROCESSING: its values are raw; give the one for presentation",
)
BURNED = "BurnedInAnnotation is YES: the pixels may show the patient's name"
OBLONG = "pixels are not square: 0.32 mm high, 0.64 mm wide"
UNKNOWN = {
    "readable": True, "frames": 1, "modality": None, "view": "unknown", "spacing_mm": None, "spacing_source": None,
    "orientation": None, "anterior": None, "pixel_aspect": None, "exif_orientation": 1, "polarity": "normal",
    "transfer_syntax": None, "bits": None, "series": [], "remarks": [], "warnings": [],
}  # fmt: skip


def save(path, ds):
    path.write_bytes(to_bytes(ds))
    return path


def whole(picture):
    """All fields but the pixels, padding as a list of places."""
    found = asdict(picture)
    found["frame"] = picture.frame
    found["padding"] = None if picture.padding is None else np.argwhere(found["padding"]).tolist()
    assert found.pop("pixels").dtype == np.float32
    is_stored = picture.kind in ("dicom", "jpeg") or (picture.kind == "series" and picture.slices > 1)
    assert (found.pop("stored_sha256") is not None) == is_stored
    return found


PLAIN = {
    "padding": None, "frame": Frame(), "modality": None, "body_part": None, "view": "unknown", "remarks": (),
    "inverted": False, "burned_in": False, "slices": 1, "slice": 0, "series": None,
    "frame_number": None,
}  # fmt: skip


def test_a_film(tmp_path):
    """PS3.3 C.11.2.1.2.1: 2 s - 10 lies in the window 0 to 200, which becomes 0 to 4095, and is turned over."""
    path = save(tmp_path / "a.dcm", dicom(STORED, **FILM))
    picture = read_picture(path)
    assert whole(picture) == PLAIN | {
        "padding": [[2, 3]],
        "frame": Frame((0.32, 0.64), "ImagerPixelSpacing corrected", "A", "F"),
        "kind": "dicom",
        "modality": "DX",
        "body_part": "LSPINE",
        "view": "lateral",
        "remarks": (*REMARKS, BURNED, OBLONG),
        "inverted": True,
        "burned_in": True,
    }
    values = np.clip(2.0 * STORED - 10, 0, 200) * 4095 / 200
    np.testing.assert_allclose(picture.pixels, 4095 - values, rtol=1e-5, atol=1e-2)


def test_what_is_said_of_a_film(tmp_path):
    path = save(tmp_path / "a.dcm", dicom(STORED, **FILM))
    content = describe(path)
    said = REMARKS[4:]
    assert content == UNKNOWN | {
        "file": str(path),
        "kind": "dicom",
        "size": [3, 4],
        "modality": "DX",
        "view": "lateral",
        "spacing_mm": [0.32, 0.64],
        "spacing_source": "ImagerPixelSpacing corrected",
        "orientation": ["A", "F"],
        "anterior": "right",
        "polarity": "inverse",
        "transfer_syntax": "Explicit VR Little Endian",
        "bits": "12 of 16",
        "remarks": [*said, OBLONG],
        "warnings": [BURNED],
    }
    assert render(content) == "\n".join(
        [
            str(path),
            "  kind         dicom",
            "  size         4 x 3 px",
            "  modality     DX",
            "  view         lateral",
            "  spacing      0.32 x 0.64 mm (ImagerPixelSpacing corrected)",
            "  orientation  right A, bottom F",
            "  anterior     right",
            "  polarity     inverse",
            "  syntax       Explicit VR Little Endian",
            "  bits         12 of 16",
            *(f"  remark       {line}" for line in [*said, OBLONG]),
            f"  WARNING      {BURNED}",
        ]
    )


def test_a_rendering_of_what_is_not_known_and_of_several_series():
    content = UNKNOWN | {
        "file": "a", "kind": "series", "size": None, "readable": False, "frames": 7, "orientation": [None, "F"],
        "exif_orientation": 6, "series": [{"key": "k", "what": "one"}, {"key": "l", "what": "two"}],
    }  # fmt: skip
    assert render(content).splitlines() == [
        "a",
        "  kind         series, cannot be read",
        "  frames       7",
        "  view         unknown",
        "  spacing      unknown",
        "  orientation  right ?, bottom F",
        "  EXIF turn    6",
        "  polarity     normal",
        "  series 1     one",
        "  series 2     two",
    ]
    assert "series" not in render(content | {"series": content["series"][:1], "kind": "a"})


def test_the_user_s_spacing_comes_before_the_file_s(tmp_path):
    path = save(tmp_path / "a.dcm", dicom(STORED, **FILM))
    picture = read_picture(path, spacing_mm=(0.5, 0.5))
    assert picture.frame == Frame((0.5, 0.5), "user", "A", "F")
    assert picture.remarks[4:6] == (
        "the spacing given, 0.5 x 0.5 mm, was believed; the file says 0.32 x 0.64 mm (ImagerPixelSpacing corrected)",
        "the spacing given shapes pixels otherwise than the file does: it was believed",
    )


# --- series ---


def axial(number, **tags):
    tags = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, 2.0 * number]} | tags
    pixels = np.full((6, 5), 10 * number, np.uint16)
    return dicom(pixels, Modality="CT", PixelSpacing=[1, 1], InstanceNumber=number, **tags)


def sagittal(number, **tags):
    tags = {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1], "ImagePositionPatient": [3.0 * number, 0, 0]} | tags
    pixels = np.full((8, 5), 10 * number, np.uint16)
    return dicom(pixels, Modality="MR", PixelSpacing=[0.5, 0.5], InstanceNumber=number, SeriesNumber=4, **tags)


def test_a_folder_of_sagittal_slices(tmp_path):
    for number in range(5):
        save(tmp_path / f"{9 - number}.dcm", sagittal(number))
    picture = read_picture(tmp_path)
    key = picture.series
    assert key is not None
    assert len(key) == 12
    said = ("slice 3 of 5 was read (central)",)
    assert whole(picture) == PLAIN | {
        "frame": Frame((0.5, 0.5), "PixelSpacing", "P", "F"), "kind": "series", "modality": "MR", "view": "sagittal",
        "remarks": said, "slices": 5, "slice": 2, "series": key,
    }  # fmt: skip
    assert (picture.pixels == 20).all()
    named = read_picture(tmp_path, slice_choice=4, series=key)
    assert (named.pixels == 0).all()  # they are counted along the normal, which points to the right
    assert named.remarks == ("slice 5 of 5 was read (chosen)",)
    assert describe(tmp_path) == UNKNOWN | {
        "file": str(tmp_path), "kind": "series", "size": [8, 5], "frames": 5, "modality": "MR", "view": "sagittal",
        "spacing_mm": [0.5, 0.5], "spacing_source": "PixelSpacing", "orientation": ["P", "F"], "anterior": "left",
        "transfer_syntax": "Explicit VR Little Endian", "bits": "16 of 16",
        "series": [{"key": key, "what": "5 sagittal slices of 5 x 8 px"}],
        "remarks": ["5 slices, 3 mm from centre to centre", "slice 3 of 5 is the picture read (central)"],
    }  # fmt: skip


def test_a_folder_of_axial_slices_is_a_reformation(tmp_path):
    """Seven slices 2 mm apart of 6 rows of 1 mm: 13 rows from head to foot, 6 columns from front to back."""
    for number in range(7):
        save(tmp_path / f"{number}.dcm", axial(number, BurnedInAnnotation="YES"))
    save(tmp_path / "other.dcm", sagittal(0))
    save(tmp_path / "other2.dcm", sagittal(1))
    picture = read_picture(tmp_path, spacing_mm=(3, 3))
    said = (
        "series 1 of 2 was read (7 axial slices of 5 x 6 px), not 2: 2 sagittal slices of 5 x 8 px, series number 4 "
        "(--series chooses)",
        "mid-sagittal reformation of 7 slices at 1 mm",
        BURNED,
        "the spacing given was not used: a reformation has that of the volume",
    )
    assert whole(picture) == PLAIN | {
        "frame": Frame((1, 1), "PixelSpacing", "P", "F"), "kind": "series", "modality": "CT", "view": "sagittal",
        "remarks": said, "burned_in": True, "series": picture.series,
    }  # fmt: skip
    np.testing.assert_allclose(picture.pixels, np.repeat(np.arange(60, -1, -5.0)[:, None], 6, axis=1), atol=1e-4)
    content = describe(tmp_path)
    assert (content["size"], content["frames"], content["view"]) == ([13, 6], 7, "sagittal")
    assert (content["orientation"], content["anterior"]) == (["P", "F"], "left")
    assert content["remarks"][-3:] == [
        "7 slices, 2 mm from centre to centre", said[0], "a mid-sagittal reformation at 1 mm is the picture read",
    ]  # fmt: skip
    assert [one["what"] for one in content["series"]] == [
        "7 axial slices of 5 x 6 px", "2 sagittal slices of 5 x 8 px, series number 4",
    ]  # fmt: skip
    second = read_picture(tmp_path, series=2)
    assert second.series == content["series"][1]["key"]
    assert (second.slices, second.slice) == (2, 1)  # of two the one on the right


def test_frames_of_one_file(tmp_path):
    frames = np.arange(5, dtype=np.uint16)[:, None, None] * np.ones((1, 8, 5), np.uint16)
    path = save(tmp_path / "a.dcm", enhanced(frames, [0, 1, 0], [0, 0, -1], [3, 0, 0], [0.5, 0.5]))
    picture = read_picture(path)
    assert whole(picture) == PLAIN | {
        "frame": Frame((0.5, 0.5), "PixelSpacing", "P", "F"), "kind": "dicom", "modality": "MR", "view": "sagittal",
        "remarks": ("slice 3 of 5 was read (central)",), "slices": 5, "slice": 2, "series": picture.series,
        "frame_number": 3,
    }  # fmt: skip
    assert (picture.pixels == 2).all()
    content = describe(path)
    assert (content["kind"], content["frames"], content["size"]) == ("dicom", 5, [8, 5])
    assert content["series"] == [{"key": picture.series, "what": "5 sagittal slices of 5 x 8 px"}]
    # Frames without places are no volume: the central one of them.
    path = save(tmp_path / "b.dcm", dicom(frames, frames=5, Modality="XA"))
    picture = read_picture(path)
    assert whole(picture) == PLAIN | {
        "kind": "dicom", "modality": "XA", "remarks": ("frame 3 of 5 was read",), "slices": 5, "slice": 2,
        "frame_number": 3,
    }  # fmt: skip
    assert describe(path)["remarks"] == ["frame 3 of 5 is the picture read"]
    assert (read_picture(path, slice_choice=4).pixels == 4).all()


# --- volumes ---


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_nifti_volume(tmp_path, suffix):
    """Stored to the right, the front and the head: turned back to the right and feet down for the picture."""
    values = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
    path = write_nifti(tmp_path / f"a{suffix}", sform=(affine_of(spacing=(3, 1, 1)), 1), values=values, zooms=(3, 1, 1))
    picture = read_picture(path)
    assert whole(picture) == PLAIN | {
        "frame": Frame((1, 1), "NIfTI", "P", "F"), "kind": "nifti", "view": "sagittal",
        "remarks": ("sagittal slice 3 of 5 was read (central), shown head up, facing left",),
        "slices": 5, "slice": 2,
    }  # fmt: skip
    assert (picture.pixels == values[2, ::-1, ::-1].T).all()
    assert describe(path) == UNKNOWN | {
        "file": str(path), "kind": "nifti", "size": [7, 6], "frames": 5, "view": "sagittal", "spacing_mm": [1, 1],
        "spacing_source": "NIfTI", "orientation": ["P", "F"], "anterior": "left", "bits": "16",
        "remarks": ["sagittal slice 3 of 5 was read (central), shown head up, facing left"],
    }  # fmt: skip
    given = read_picture(path, spacing_mm=(2, 3))
    assert given.frame == Frame((2, 3), "user", "P", "F")
    assert "the spacing given, 2 x 3 mm, was believed; the file says 1 x 1 mm (NIfTI)" in given.remarks


def test_a_nifti_volume_of_hounsfield_units_in_several_volumes(tmp_path):
    values = np.full((4, 6, 7, 2), -1000, np.float32)
    values[:, 1:5, 1:6] = 40
    values[:, 2, 2] = 900
    values[0, 0, 0, 0] = np.nan
    values[2, 0, 0, 0] = np.inf
    path = write_nifti(tmp_path / "a.nii", sform=(affine_of(spacing=(1, 1, 1)), 1), values=values, zooms=(1, 1, 1, 1))
    picture = read_picture(path)
    assert whole(picture) == PLAIN | {
        "padding": [[6, 5]], "frame": Frame((1, 1), "NIfTI", "P", "F"), "kind": "nifti", "modality": "CT",
        "view": "sagittal",
        "remarks": (
            "sagittal slice 3 of 4 was read (central), shown head up, facing left",
            "the first of 2 volumes was read",
            "pixels that are not finite were left out",
            "the modality was taken for CT: grey values are those of Hounsfield units",
        ),
        "slices": 4, "slice": 2,
    }  # fmt: skip
    assert picture.pixels[6, 5] == 0


def test_a_flat_nifti_without_directions(tmp_path):
    image = nib.Nifti1Image(np.arange(12, dtype=np.uint8).reshape(4, 3), None)
    image.header.set_zooms((1, 1))
    nib.save(image, tmp_path / "a.nii")
    picture = read_picture(tmp_path / "a.nii")
    assert whole(picture) == PLAIN | {
        "kind": "nifti",
        "remarks": (
            "the header gives no directions: the picture is shown as stored",
            "a spacing of 1 x 1 mm without directions was not believed: converters make it up",
        ),
    }
    assert (picture.pixels == np.arange(12).reshape(4, 3).T).all()


# --- plain pictures ---


@pytest.mark.parametrize(("kind", "suffix"), [("png", "png"), ("tiff", "tif"), ("jpeg", "jpg")])
def test_a_plain_picture_that_is_turned_and_has_oblong_pixels(tmp_path, kind, suffix):
    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.full((4, 6), 90, np.uint8)).save(path, dpi=(200, 100), exif=exif)
    picture = read_picture(path)
    aspect = picture.frame.pixel_aspect
    assert aspect == pytest.approx(2, abs=0.01)
    said = (
        "the picture was turned by 90 degrees clockwise for reading, as its EXIF orientation (6) says; points stay in "
        "pixels of the picture as stored",
        "pixels are not square: height to width 2 : 1",
    )
    assert whole(picture) == PLAIN | {
        "frame": Frame(pixel_aspect=aspect, exif_orientation=6), "kind": kind, "remarks": said,
    }  # fmt: skip
    assert (picture.width, picture.height) == (6, 4)
    assert describe(path) == UNKNOWN | {
        "file": str(path), "kind": kind, "size": [4, 6], "pixel_aspect": aspect, "exif_orientation": 6, "bits": "8",
        "remarks": list(said),
    }  # fmt: skip
    assert read_picture(path, spacing_mm=(0.5, 0.5)).frame == Frame((0.5, 0.5), "user", exif_orientation=6)


def test_a_png_with_colour_and_transparency(tmp_path):
    """ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B."""
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = (100, 200, 50), 255
    pixels[1, 2, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    said = ("transparent pixels were left out", "colour was reduced to luminance")
    assert whole(picture) == PLAIN | {"padding": [[1, 2]], "kind": "png", "remarks": said}
    np.testing.assert_allclose(picture.pixels, 153, atol=1e-3)
