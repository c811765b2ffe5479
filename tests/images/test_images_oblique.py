"""Oblique pictures: a DICOM series, a volume, and a slab of discs are remarked by one rule."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from image_seeds import dicom, to_bytes

from spinetk.discs.slab import read_slab
from spinetk.images import read_picture
from spinetk.images.info import describe

TURNS = {
    "about the long axis": lambda c, s: [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    "in its plane": lambda c, s: [[1, 0, 0], [0, c, -s], [0, s, c]],
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize(("degrees", "said"), [(0, False), (17, False), (19, True), (28, True)])
def test_one_rule_says_what_is_oblique(tmp_path, turn, degrees, said):
    """Sagittal slices turned by hand, in LPS as DICOM and in RAS as NIfTI."""
    angle = np.radians(degrees)
    turned = np.array(TURNS[turn](np.cos(angle), np.sin(angle)))
    right, down, normal = turned @ [0, 1, 0], turned @ [0, 0, -1], turned @ [-1, 0, 0]
    pixels = np.random.default_rng(0).integers(0, 900, (5, 24, 20)).astype(np.uint16)
    folder = tmp_path / "series"
    folder.mkdir()
    for k, layer in enumerate(pixels):
        tags = {"ImageOrientationPatient": [round(float(v), 6) for v in (*right, *down)], "PixelSpacing": [1, 1]}
        slice_ = dicom(layer, Modality="MR", ImagePositionPatient=[float(v) for v in 4 * k * normal], **tags)
        (folder / f"{k}.dcm").write_bytes(to_bytes(slice_))
    affine = np.eye(4)
    affine[:3, :3] = np.diag([-1, -1, 1]) @ np.column_stack([right, down, 4 * normal])
    nib.save(nib.Nifti1Image(pixels.transpose(2, 1, 0), affine), tmp_path / "volume.nii.gz")
    remarks = read_picture(folder).remarks, read_picture(tmp_path / "volume.nii.gz").remarks
    for found in (*remarks, read_slab(tmp_path / "volume.nii.gz").remarks):
        oblique = [remark for remark in found if "oblique" in remark]
        assert len(oblique) == said
        assert all(f"{degrees:.0f} degrees oblique" in remark for remark in oblique)


def test_a_tilted_gantry_makes_no_oblique_picture(tmp_path):
    """The section through its slices is cut along the patient's axes; by hand: rows down and headward at 25 degrees."""
    tilt = np.radians(25)
    down = [0, round(float(np.cos(tilt)), 6), round(float(np.sin(tilt)), 6)]
    for k in range(6):
        tags = {"ImageOrientationPatient": [1, 0, 0, *down], "ImagePositionPatient": [0, 0, 2.0 * k]}
        slice_ = dicom(np.full((24, 20), k, np.uint16), Modality="CT", PixelSpacing=[1, 1], **tags)
        (tmp_path / f"{k}.dcm").write_bytes(to_bytes(slice_))
    for found in (describe(tmp_path)["remarks"], read_picture(tmp_path).remarks):
        assert not [remark for remark in found if "oblique" in remark]
    assert any("25 degrees oblique" in remark for remark in describe(tmp_path / "0.dcm")["remarks"])
