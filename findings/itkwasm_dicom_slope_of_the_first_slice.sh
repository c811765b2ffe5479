#!/usr/bin/env bash
# itkwasm-dicom 7.6.4 (ITK in WebAssembly, as in viewers that run in the browser; here from Python), read_image_dicom_file_series: the rescale slope of one slice is laid on all. Where each slice has
# its own, as in PET, in maps and in the MR of one maker, the others' values are off by the quotient of the slopes, and one and the same tissue has another value in every slice. Left without its first slice
# the volume has other values again, as another slope rules it. SimpleITK 2.5.7, also ITK, takes each slice's own (but for what
# simpleitk_dcmstack_an_empty_first_slice_empties_the_map.sh shows). One slope for all is right. Nothing is said.
# Seen, one value of 400 in five slices, slopes 0.5 1 2 4 8, stored 800 400 200 100 50: itkwasm-dicom 400 200 100 50 25, without the first slice 400 200 100 50; SimpleITK 400 throughout.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 SimpleITK==2.5.7 numpy==2.4.6 itkwasm-dicom==7.6.4 itkwasm-dicom-wasi==7.6.4 itkwasm==1.0b201
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from itkwasm_dicom_wasi import read_image_dicom_file_series
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

SLOPES = (0.5, 1, 2, 4, 8)
Path("series").mkdir()
study, series, frame = generate_uid(), generate_uid(), generate_uid()
for k, slope in enumerate(SLOPES):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
    data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, k + 1
    data.ImagePositionPatient, data.ImageOrientationPatient = [-8.8 + 4.4 * k, -20, 30], [0, 1, 0, 0, 0, -1]
    data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.5, 0.8], 4, 20, 24
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.RescaleSlope, data.RescaleIntercept = slope, 0
    data.PixelData = np.full((20, 24), 400 / slope, "<u2").tobytes()
    data.save_as(f"series/{k}.dcm", enforce_file_format=True)
files = sorted(Path("series").iterdir())


def by_place(values, steps):
    """Values from right to left, whichever way the volume runs."""
    found = np.asarray(values)[:, 3, 3].tolist()
    return found if steps[0][2] > 0 else found[::-1]


def wasm(files):
    image, _ = read_image_dicom_file_series(files)
    return by_place(image.data, np.asarray(image.direction))


whole, part = wasm(files), wasm(files[1:])
image = sitk.ReadImage([str(path) for path in files])
right = by_place(sitk.GetArrayFromImage(image), np.reshape(image.GetDirection(), (3, 3)))
print(whole, part, right)
assert whole == [400, 200, 100, 50, 25]
assert part == [400, 200, 100, 50]
assert right == [400] * 5
PY
