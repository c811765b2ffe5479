#!/usr/bin/env bash
# SimpleITK 2.5.7, WriteImage of a picture to .dcm: a film that lies at the origin, as every film does, is a secondary capture whose spacing
# stands in Nominal Scanned Pixel Spacing (digitised film), not in Pixel Spacing. SimpleITK reads it back, dcm2niix 1.0.20260724 has 1 mm.
# A picture that lies anywhere else gets Pixel Spacing, a position and an orientation: that of a slice of a sagittal volume,
# volume[:, :, k], is the axial one, [1, 0, 0, 0, 1, 0], with a place of two numbers and a 0, so that the slice is written as an axial plane. Nothing is said.
# Told Modality and SOP class of CR by SetMetaData, it writes Imager Pixel Spacing alone: the calibration becomes a detector's.
# Seen, 0.143 x 0.3 mm: NominalScannedPixelSpacing [0.3, 0.143], dcm2niix 1 x 1; as CR ImagerPixelSpacing [0.3, 0.143]; slice 2 of a
# sagittal volume at (-8, -20, 30): ImagePositionPatient [0.8, -20, 0], by the volume (0.8, -20, 30).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6 dcm2niix==1.0.20260724
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY'
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from pydicom import dcmread

SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")


def written(image):
    Path("dicom").mkdir(exist_ok=True)
    sitk.WriteImage(image, "dicom/one.dcm")
    data = dcmread("dicom/one.dcm")
    return {name: [float(v) for v in data[name].value] for name in SPACINGS if name in data}, data


film = sitk.GetImageFromArray(np.zeros((40, 60), np.uint16))
film.SetSpacing((0.143, 0.3))
plain, _ = written(film)
Path("niix").mkdir()
subprocess.run(["dcm2niix", "-o", "niix", "-f", "film", "dicom"], check=True, capture_output=True)
niix = [float(v) for v in nib.load("niix/film.nii").header.get_zooms()[:2]]
back = sitk.ReadImage("dicom/one.dcm").GetSpacing()
film.SetMetaData("0008|0060", "CR")
film.SetMetaData("0008|0016", "1.2.840.10008.5.1.4.1.1.1")
radiograph, data = written(film)
print(plain, "dcm2niix", niix, "SimpleITK", back, data.SOPClassUID.name, radiograph)
assert plain == {"NominalScannedPixelSpacing": [0.3, 0.143]} and niix == [1, 1] and back[:2] == (0.143, 0.3)
assert radiograph == {"ImagerPixelSpacing": [0.3, 0.143]}

volume = sitk.GetImageFromArray(np.zeros((5, 20, 24), np.uint16))
volume.SetSpacing((0.8, 0.5, 4.4))
volume.SetDirection((0, 0, 1, 1, 0, 0, 0, -1, 0))
volume.SetOrigin((-8, -20, 30))
spacing, data = written(volume[:, :, 2])
place = volume.TransformIndexToPhysicalPoint((0, 0, 2))
print("slice", spacing, data.ImagePositionPatient, data.ImageOrientationPatient, "volume", place)
assert spacing == {"PixelSpacing": [0.5, 0.8]} and np.allclose(data.ImagePositionPatient, [0.8, -20, 0])
assert list(data.ImageOrientationPatient) == [1, 0, 0, 0, 1, 0] and np.allclose(place, (0.8, -20, 30))
PY
