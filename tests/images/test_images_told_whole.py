"""What is told of a DICOM file or folder, or of a volume, whole: size, frames, series, remarks."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from image_seeds import dicom, enhanced, to_bytes

from spinetk.images.info import describe, render


def test_a_dicom_file_that_cannot_be_read_is_told_of(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(to_bytes(dicom(np.zeros((3, 4), np.int16), BitsStored=12))[:-4])
    content = describe(path)
    assert content == {
        "file": str(path), "kind": "dicom", "readable": False, "size": [3, 4], "frames": 1, "modality": "DX",
        "view": "unknown", "spacing_mm": None, "spacing_source": None, "orientation": None, "anterior": None,
        "pixel_aspect": None, "exif_orientation": 1, "polarity": "normal",
        "transfer_syntax": "Explicit VR Little Endian", "bits": "12 of 16, signed", "series": [], "remarks": [],
        "warnings": ["is cut short: 20 of 24 bytes of pixels are there"],
    }  # fmt: skip
    assert render(content).splitlines() == [
        str(path), "  kind         dicom, cannot be read", "  size         4 x 3 px", "  modality     DX",
        "  view         unknown", "  spacing      unknown", "  polarity     normal",
        "  syntax       Explicit VR Little Endian", "  bits         12 of 16, signed",
        "  WARNING      is cut short: 20 of 24 bytes of pixels are there",
    ]  # fmt: skip
    ds = dicom(np.zeros((3, 4), np.uint16))
    del ds.Rows, ds.BitsStored
    path.write_bytes(to_bytes(ds))
    content = describe(path)
    assert (content["size"], content["bits"]) == (None, "16 of 16")
    del ds.BitsAllocated
    path.write_bytes(to_bytes(ds))
    assert describe(path)["bits"] is None


def test_frames_of_a_volume_are_told_of(tmp_path):
    path = tmp_path / "a.dcm"
    frames = np.zeros((6, 8, 5), np.uint16)
    path.write_bytes(to_bytes(enhanced(frames, [1, 0, 0], [0, 1, 0], [0, 0, 3], [1, 1], "CT")))
    content = describe(path)
    assert content["remarks"] == [
        "6 slices, 3 mm from centre to centre", "a mid-sagittal reformation at 1 mm is the picture read",
    ]  # fmt: skip
    assert (content["size"], content["frames"], content["view"]) == ([16, 8], 6, "sagittal")
    assert (content["spacing_mm"], content["orientation"], content["anterior"]) == ([1, 1], ["P", "F"], "left")
    assert content["series"][0]["what"] == "6 axial slices of 5 x 8 px"
    unscaled = enhanced(frames, [1, 0, 0], [0, 1, 0], [0, 0, 3], [1, 1], "CT")
    del unscaled.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    path.write_bytes(to_bytes(unscaled))
    content = describe(path)
    assert content["readable"] is False
    assert content["warnings"] == [
        "is not sagittal and has no pixel spacing, without which no sagittal picture can be made of it"
    ]
    path.write_bytes(to_bytes(dicom(frames[:4], frames=4, Modality="XA")))
    assert describe(path)["remarks"] == ["frame 3 of 4 is the picture read"]
    path.write_bytes(to_bytes(dicom(frames[:4], frames=4, Modality="XA"))[:-2])
    assert describe(path)["remarks"] == []


def test_a_folder_of_one_plane_is_told_of(tmp_path):
    """Two copies of one slice: one is left, of which there is no step."""
    cosines = {
        "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],
        "ImagePositionPatient": [0, 0, 0],
        "PixelSpacing": [1, 1],
    }
    for name in "ab":
        ds = dicom(np.zeros((8, 5), np.uint16), Modality="MR", InstanceNumber=1, **cosines)
        (tmp_path / name).write_bytes(to_bytes(ds))
    content = describe(tmp_path)
    assert content["remarks"] == [
        "1 slice at a place already taken was left out", "slice 1 of 1 is the picture read (central)",
    ]  # fmt: skip
    assert content["frames"] == 2
    assert [one["what"] for one in content["series"]] == ["2 sagittal slices of 5 x 8 px"]


def test_a_volume_is_told_of(tmp_path):
    path = tmp_path / "a.nii"
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 1), np.float64), np.diag([1, 2, 3, 1])), path)
    content = describe(path)
    assert (content["size"], content["frames"], content["view"], content["bits"]) == ([5, 4], 1, "unknown", "64")
    assert (content["spacing_mm"], content["orientation"]) == ([2, 1], ["R", "A"])
    assert content["remarks"] == ["pixels are not square: 2 mm high, 1 mm wide"]
