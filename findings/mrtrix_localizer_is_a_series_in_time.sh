#!/usr/bin/env bash
# MRtrix3 3.0.3 (Debian 12), mrconvert of a localizer, three planes in one series: one image of four dimensions, the sagittal slices and then
# the coronal and axial ones as further volumes "in time", all laid out as if they were sagittal. A missing slice is spread
# over the others. The warnings speak of a slice gap; nothing is said of three directions. dcm2niix 1.0.20260724 makes three files.
# Seen, three slices of each plane, 10 mm apart, values 100 to 102, 200 to 202, 300 to 302: 24 x 24 x 3 x 3, axes P, I, R, with the 300s, axial slices,
# as sagittal ones at -10, 0 and 10 mm; missing slice: 4 of 5.867 mm for 4.4. Needs the package mrtrix3; left out where it is missing or newer.
set -euo pipefail
[[ "$(dpkg-query -W -f '${Version}' mrtrix3 2>/dev/null)" == 3.0.3* ]] || { echo "left out: mrtrix3 3.0.3 is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 nibabel==5.4.2
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid


def series(folder, slices):
    """Write (value, position, directions) as one MR series."""
    Path(folder).mkdir()
    study, number, frame = generate_uid(), generate_uid(), generate_uid()
    for k, (value, position, directions) in enumerate(slices):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, number, frame
        data.PatientName, data.PatientID, data.SeriesDescription, data.SeriesNumber = "A^B", "1", "T2", 1
        data.StudyDate = data.SeriesDate = data.ContentDate = "20250101"
        data.StudyTime = data.SeriesTime = data.ContentTime = "120000"
        data.EchoTime, data.RepetitionTime, data.AcquisitionNumber, data.InstanceNumber = 80, 3000, 1, k + 1
        data.ImagePositionPatient, data.ImageOrientationPatient = [float(v) for v in position], directions
        data.PixelSpacing, data.SliceThickness, data.SpacingBetweenSlices = [0.6, 0.6], 4, 4.4
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 24, 24, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.PixelData = np.full((24, 24), value, "<u2").tobytes()
        data.save_as(f"{folder}/{k:02d}.dcm", enforce_file_format=True)


def converted(folder):
    said = subprocess.run(["mrconvert", folder, f"{folder}.nii"], check=True, capture_output=True, text=True).stderr
    image = nib.load(f"{folder}.nii")
    print(folder, image.shape, nib.aff2axcodes(image.affine), [line for line in said.splitlines() if "WARNING" in line])
    return image, said


sagittal, coronal, axial = [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1], [1, 0, 0, 0, 1, 0]
planes = list(zip((sagittal, coronal, axial), np.eye(3), strict=True))
series("localizer", [(100 * (p + 1) + k, 10 * (k - 1) * step, way) for p, (way, step) in enumerate(planes) for k in range(3)])
image, said = converted("localizer")
values = np.asarray(image.dataobj)
assert image.shape == (24, 24, 3, 3) and nib.aff2axcodes(image.affine) == ("P", "I", "R")
assert [sorted(np.unique(values[..., t]).tolist()) for t in range(3)] == [[100, 101, 102], [200, 201, 202], [300, 301, 302]]
assert "orientation" not in said.lower() and "direction" not in said.lower()
assert sorted(round(float((image.affine @ (0, 0, k, 1))[0]), 3) for k in range(3)) == [-10, 0, 10]
series("missing", [(100 + k, [4.4 * k, -20, 30], sagittal) for k in (0, 1, 3, 4)])
image, _ = converted("missing")
assert image.shape == (24, 24, 4) and abs(float(image.header.get_zooms()[2]) - 5.867) < 0.001
PY
