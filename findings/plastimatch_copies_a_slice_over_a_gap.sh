#!/usr/bin/env bash
# Plastimatch 1.9.4 (Debian 12), convert of a series with a slice missing: the volume has as many slices as the gap has room for, and the
# missing one is a copy of its neighbour, voxel for voxel, so that a body or disc which ended there is a slice wider. One line among thirty
# says "inequal slice spacing detected"; the file bears no trace. SimpleITK 2.5.7 stretches the slices instead, dcm2niix 1.0.20260724 closes the gap
# and writes an interpolated file beside it, dicom2nifti 2.6.2 refuses.
# Seen, slices 4.4 mm apart, 104 103 (102) 101 100: 5 slices of 4.4 mm, 104 103 103 101 100; SimpleITK 4 of 5.867 mm.
# Needs the package plastimatch; left out where it is missing or newer.
set -euo pipefail
[[ "$(dpkg-query -W -f '${Version}' plastimatch 2>/dev/null)" == 1.9.4* ]] || { echo "left out: plastimatch 1.9.4 is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY' 2>/dev/null
import subprocess
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

Path("series").mkdir()
study, series, frame = generate_uid(), generate_uid(), generate_uid()
for k in (0, 1, 3, 4):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
    data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, k + 1
    data.ImagePositionPatient, data.ImageOrientationPatient = [-8.8 + 4.4 * k, -20, 30], [0, 1, 0, 0, 0, -1]
    data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.6, 0.6], 4, 20, 24
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelData = np.full((20, 24), 100 + k, "<u2").tobytes()
    data.save_as(f"series/{k}.dcm", enforce_file_format=True)


def seen(image):
    return sitk.GetArrayFromImage(image)[:, 10, 12].tolist(), round(image.GetSpacing()[2], 3)


command = ["plastimatch", "convert", "--input", "series", "--output-img", "volume.nii"]
said = subprocess.run(command, check=True, capture_output=True, text=True)
filled = seen(sitk.ReadImage("volume.nii"))
stretched = seen(sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames("series")))
print("plastimatch", filled, "SimpleITK", stretched)
assert filled == ([104, 103, 103, 101, 100], 4.4) and stretched == ([104, 103, 101, 100], 5.867)
assert "inequal slice spacing" in said.stdout + said.stderr
PY
