#!/usr/bin/env bash
# ANTsPy 0.6.3 (antspyx) and SimpleITK 2.5.7, both on ITK, the three letters of an orientation: ANTs' say where an axis comes from, SimpleITK's DICOMOrient and
# nibabel's axis codes (and with them MONAI's and TorchIO's) where it goes to. reorient_image2(image, "RAS") gives what these call LPI, all
# three axes turned; a head-up volume stands on its head with left and right changed over. get_orientation calls a RAS volume LPI, so
# that within the package nothing shows.
# Seen, asked for RAS, LPS, PIR, by nibabel 5.4.2: ANTsPy LPI, RAI, ASL; SimpleITK RAS, LPS, PIR.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q antspyx==0.6.3 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.3.5
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import ants
import nibabel as nib
import numpy as np
import SimpleITK as sitk


def axes(path):
    return "".join(nib.aff2axcodes(nib.load(path).affine))


nib.save(nib.Nifti1Image(np.zeros((6, 4, 5), np.uint8), np.diag([0.5, 0.8, 4, 1])), "volume.nii.gz")
volume = ants.image_read("volume.nii.gz")
seen = {}
for asked in ("RAS", "LPS", "PIR"):
    ants.image_write(ants.reorient_image2(volume, asked), "ants.nii.gz")
    sitk.WriteImage(sitk.DICOMOrient(sitk.ReadImage("volume.nii.gz"), asked), "itk.nii.gz")
    seen[asked] = axes("ants.nii.gz"), axes("itk.nii.gz")
print(axes("volume.nii.gz"), "is called", ants.get_orientation(volume), seen)
assert axes("volume.nii.gz") == "RAS" and ants.get_orientation(volume) == "LPI"
assert seen == {"RAS": ("LPI", "RAS"), "LPS": ("RAI", "LPS"), "PIR": ("ASL", "PIR")}
PY
