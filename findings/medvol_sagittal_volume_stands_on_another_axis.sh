#!/usr/bin/env bash
# MedVol 0.0.22 (reader of NIfTI and NRRD from the group around nnU-Net; napari-nifti 0.0.20 builds on it): every volume is turned to "RAS+" on loading, without interpolation, and get_array and get_geometry of "RAS+" say that this is what they give. Where two axes change
# places, or none, that holds. A sagittal volume, whose first axis runs back, the second down and the third to the side, is a turn of all three, and is turned the wrong way round: the axes of the array are head, left and back, in voxels of 0.8 x 4.4 x
# 0.5 mm, where right, front and head in 4.4 x 0.5 x 0.8 were asked for. A network that takes its input so sees the spine lie across the patient. A coronal volume gets its axes, but front and head reversed. The affine goes with the array, so that
# places in mm are right, and so does the file when it is saved; get_geometry, asked for "RAS+", names it so. The property coordinate_system alone has other letters, for which napari-nifti's writer raises ValueError. nibabel 5.4.2 (as_closest_canonical) has right, front, head
# each time. Nothing is said.
# Seen, shapes and letters after loading: axial L P S of 8 x 20 x 6: 8 x 20 x 6, RAS+; coronal R I A: 8 x 6 x 20, RPI+; sagittal P I R of 24 x 20 x 6: 20 x 6 x 24, SLP+, get_array("RAS+") the same, nibabel 6 x 24 x 20;
# A S R and P I L: 20 x 6 x 24, SRA+.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 nibabel==5.4.2 SimpleITK==2.5.7 medvol==0.0.22
"$work/venv/bin/pip" install -q --no-deps napari-nifti==0.0.20
cd "$work"
"$work/venv/bin/python" - <<'PY'
import nibabel as nib
import numpy as np
from medvol import MedVol
from napari_nifti._reader import reader_function
from napari_nifti._writer import write_single_image


def loaded(name, shape, columns):
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = np.array(columns, float).T, (10, 20, -30)
    data = np.zeros(shape, np.int16)
    data[2, 5, 3] = 7
    image = nib.Nifti1Image(data, affine)
    nib.save(image, f"{name}.nii.gz")
    volume = MedVol(f"{name}.nii.gz")
    array, geometry = volume.get_array("RAS+"), volume.get_geometry("RAS+")
    place = (geometry["affine"] @ [*np.argwhere(array == 7)[0], 1])[:3]
    canonical = nib.as_closest_canonical(image)
    print(name, nib.aff2axcodes(affine), volume.array.shape, volume.coordinate_system, geometry["coordinate_system"], array.shape, geometry["spacing"], "nibabel", canonical.shape)
    assert volume.array.shape == array.shape and geometry["coordinate_system"] == "RAS+"
    assert np.allclose(place, (affine @ [2, 5, 3, 1])[:3])
    assert nib.aff2axcodes(canonical.affine) == ("R", "A", "S")
    return array.shape, volume.coordinate_system, canonical.shape


across, back, down = (4.4, 0, 0), (0, -0.5, 0), (0, 0, -0.8)
assert loaded("axial", (8, 20, 6), [(-0.8, 0, 0), (0, -0.8, 0), (0, 0, 3)]) == ((8, 20, 6), "RAS+", (8, 20, 6))
assert loaded("coronal", (8, 20, 6), [(0.8, 0, 0), down, (0, 3, 0)]) == ((8, 6, 20), "RPI+", (8, 6, 20))
assert loaded("sagittal", (24, 20, 6), [back, down, across]) == ((20, 6, 24), "SLP+", (6, 24, 20))
assert loaded("forwards", (24, 20, 6), [(0, 0.5, 0), (0, 0, 0.8), across]) == ((20, 6, 24), "SRA+", (6, 24, 20))
assert loaded("leftwards", (24, 20, 6), [back, down, (-4.4, 0, 0)]) == ((20, 6, 24), "SRA+", (6, 24, 20))

((data, extras, _),) = reader_function("sagittal.nii.gz")
try:
    write_single_image("again.nii.gz", data, extras)
except ValueError as error:
    print("napari-nifti:", error)
else:
    raise AssertionError("napari-nifti saves it")
PY
