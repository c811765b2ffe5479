"""The same atrium in whatever order of axes its volume is stored, by files that nibabel has turned.

Of the released network, on a real volume: ``benchmarks/storages.py``.
"""

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from torch import nn

from spinetk.images.volume import read_volume
from spinetk.phantoms.atrium import atrium_volume
from spinetk.segmentation.atrium.batch import predict_files
from spinetk.segmentation.atrium.predictor import AtriumPredictor, Geometry
from spinetk.segmentation.data.files import Pair

CODES = ["".join(code) for order in permutations(("RL", "AP", "SI")) for code in product(*order)]


class Askew(nn.Module):
    """Bright voxels, more of them toward the last slice, row and column: an answer that no mirror leaves as it is."""

    def forward(self, x):
        ramps = [x.new_ones(n).cumsum(0) / n for n in x.shape[2:]]
        return 8 * (x - 1.5 + ramps[0][:, None, None] + 0.5 * ramps[1][:, None] + 0.25 * ramps[2])


def turned(image, code):
    return image.as_reoriented(ornt_transform(io_orientation(image.affine), axcodes2ornt(tuple(code))))


@pytest.fixture(scope="module")
def phantom():
    """An oblique atrium of unequal spacings."""
    drawn = atrium_volume(3, shape=(20, 44, 48), spacing_mm=(4.0, 3.0, 2.5))
    affine = np.diag([-2.5, -3.0, 4.0, 1.0])
    affine[:3, 3] = (60.0, 70.0, -30.0)
    c, s = np.cos(0.25), np.sin(0.25)
    affine = np.array([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, 0], [0, 0, 0, 1]]) @ affine
    values = drawn.values.astype(np.float32)
    return nib.Nifti1Image(values.T, affine), nib.Nifti1Image(drawn.mask.T.astype(np.uint8), affine)


def test_all_48_orders_give_one_mask(phantom, tmp_path):
    image, _ = phantom
    spacing = (4.0, 3.0, 2.5)
    predictor = AtriumPredictor([Askew()], Geometry(spacing, (16, 16, 16), spacing), Askew())
    for code in CODES:
        nib.save(turned(image, code), tmp_path / f"{code}.nii.gz")
    run = predict_files(predictor, [tmp_path], tmp_path / "out")
    assert (len(run["written"]), run["failed"]) == (48, [])
    masks = {code: nib.load(tmp_path / "out" / f"{code}.nii.gz") for code in CODES}
    for code, mask in masks.items():
        assert "".join(nib.aff2axcodes(mask.affine)) == code
        assert np.allclose(mask.affine, nib.load(tmp_path / f"{code}.nii.gz").affine)
    found = {np.asanyarray(turned(mask, "RAS").dataobj).tobytes() for mask in masks.values()}
    assert len(found) == 1
    assert 100 < np.frombuffer(found.pop(), np.uint8).sum() < 0.9 * image.dataobj.size


@pytest.mark.parametrize("code", ["RAS", "PIR", "SAL"])
def test_training_pairs_meet_in_mm(phantom, tmp_path, code):
    """Mask and image in different orders of axes: the same case, in axial slices."""
    image, mask = phantom
    nib.save(image, tmp_path / "a_image.nii.gz")
    nib.save(turned(mask, code), tmp_path / "a_mask.nii.gz")
    volume, truth = Pair(tmp_path / "a_image.nii.gz", tmp_path / "a_mask.nii.gz").read()
    assert np.array_equal(truth, np.asanyarray(mask.dataobj).T > 0)
    assert np.array_equal(volume.values, np.asanyarray(image.dataobj).T)
    assert volume.grid.axes == "LPS"
    nib.save(nib.Nifti1Image(np.asanyarray(mask.dataobj), np.eye(4)), tmp_path / "a_mask.nii.gz")
    with pytest.raises(ValueError, match=r"a_mask.*lies elsewhere: .*RAS.*LPS"):
        Pair(tmp_path / "a_image.nii.gz", tmp_path / "a_mask.nii.gz").read()


def test_what_was_guessed_is_said(phantom, tmp_path):
    image, mask = phantom
    for name, source in (("a_image", image), ("a_mask", mask)):
        nib.save(nib.Nifti1Image(np.asanyarray(source.dataobj), None), tmp_path / f"{name}.nii")
    with pytest.warns(UserWarning, match=r"a_image\.nii: directions are unknown"):
        Pair(tmp_path / "a_image.nii", tmp_path / "a_mask.nii").read()
    assert not read_volume(tmp_path / "a_image.nii").grid.oriented
