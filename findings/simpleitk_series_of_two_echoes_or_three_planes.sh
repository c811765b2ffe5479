#!/usr/bin/env bash
# SimpleITK 2.5.7, GetGDCMSeriesFileNames and ReadImage, the usual two lines for a folder of DICOM: what bears one Series Instance UID becomes
# one volume. Both echoes of a spin echo series lie between each other (or end to end, by Instance Number), and the distance
# between slices is that from the first to the last through the count less one. The three planes of a localizer become one
# sagittal volume of nine, six of which are not sagittal. A warning on the standard error speaks of missing slices; the image
# bears a number, ITK_non_uniform_sampling_deviation. (useSeriesDetails=True is to be given with other series names.)
# dcm2niix 1.0.20260724 makes two and three volumes of them.
# Seen, two echoes of 5 slices, 4.4 mm apart, values 100 to 104 and 200 to 204: 10 slices of 1.956 mm, 100 200 101 201 ..; numbered
# end to end 100 .. 104 200 .. 204; localizer, three slices 10 mm apart in each plane: 9 slices of 1.768 mm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6 dcm2niix==1.0.20260724
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY' 2>/dev/null
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

SAGITTAL, CORONAL, AXIAL = [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1], [1, 0, 0, 0, 1, 0]


def series(folder, slices):
    Path(folder).mkdir()
    study, number, frame = generate_uid(), generate_uid(), generate_uid()
    for k, (value, place, directions, echo) in enumerate(slices):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, number, frame
        data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, k + 1
        data.EchoTime, data.EchoNumbers, data.RepetitionTime = 20 + 60 * echo, echo + 1, 3000
        data.ImagePositionPatient, data.ImageOrientationPatient = [float(x) for x in place], directions
        data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.6, 0.6], 4, 24, 24
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        data.PixelData = np.full((24, 24), value, "<u2").tobytes()
        data.save_as(f"{folder}/{k:02d}.dcm", enforce_file_format=True)
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(folder))
    values = sitk.GetArrayFromImage(image)[:, 12, 12].tolist()
    Path(f"{folder}_out").mkdir()
    subprocess.run(["dcm2niix", "-o", f"{folder}_out", folder], check=True, capture_output=True)
    shapes = [nib.load(path).shape for path in sorted(Path(f"{folder}_out").glob("*.nii"))]
    print(folder, values, round(image.GetSpacing()[2], 3), "dcm2niix", shapes)
    assert image.HasMetaDataKey("ITK_non_uniform_sampling_deviation")
    return values, round(image.GetSpacing()[2], 3), shapes


def echo_slice(k, echo):
    return 100 * (1 + echo) + k, (4.4 * k, -20, 30), SAGITTAL, echo


volume = (24, 24, 5)
assert series("between", [echo_slice(k, echo) for k in range(5) for echo in (0, 1)]) == (
    [100, 200, 101, 201, 102, 202, 103, 203, 104, 204], 1.956, [volume, volume]
)  # fmt: skip
assert series("after", [echo_slice(k, echo) for echo in (0, 1) for k in range(5)]) == (
    [100, 101, 102, 103, 104, 200, 201, 202, 203, 204], 1.956, [volume, volume]
)  # fmt: skip
planes = zip((SAGITTAL, CORONAL, AXIAL), np.eye(3), strict=True)
localizer = [(100 * (p + 1) + k, 10 * (k - 1) * step, way, 0) for p, (way, step) in enumerate(planes) for k in range(3)]
assert series("localizer", localizer) == ([100, 101, 102, 200, 201, 202, 300, 301, 302], 1.768, [(24, 24, 3)] * 3)
PY
