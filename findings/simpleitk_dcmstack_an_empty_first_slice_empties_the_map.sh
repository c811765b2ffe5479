#!/usr/bin/env bash
# SimpleITK 2.5.7 and dcmstack 0.9.0, a series whose slices have slopes of their own, as maps of T2 or ADC have that are scaled slice by slice to what a slice holds: the type of the voxels is that of
# the first slice. Where that one is empty its slope is 1, of whole numbers, and every slice after it is cut down to whole numbers: a map in seconds, 0.105 s in the disc, is 0 throughout.
# The same series without its empty first slice is right, and so is one whose first slice has a slope of 0.0005. dcm2niix 1.0.20260724, dicom-numpy 0.6.5 and highdicom 0.28.2 have 0.105 either way. The
# slope is gone from the volume, so that nothing later can tell. Nothing is said.
# Seen, slices of slope 1, 0.0005, 0.0005, 0.0005, 1 with 0, 210, 210, 210, 0 stored: SimpleITK 16-bit unsigned integer, 0 0 0 0 0; dcmstack int16, 0 0 0 0 0; the three others
# 0 0.105 0.105 0.105 0; without the first slice SimpleITK 64-bit float, 0.105 0.105 0.105 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6 dicom-numpy==0.6.5 highdicom==0.28.2 dcm2niix==1.0.20260724
"$work/venv/bin/pip" install -q --no-deps --target "$work/old" dcmstack==0.9.0 pydicom==2.4.5
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY'
import json
import subprocess
import sys
from pathlib import Path

import highdicom
import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk
from dicom_numpy import combine_slices
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

Path("map").mkdir()
study, series, frame = generate_uid(), generate_uid(), generate_uid()
for k, (slope, stored) in enumerate(((1, 0), (0.0005, 210), (0.0005, 210), (0.0005, 210), (1, 0))):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.Modality, data.Manufacturer = MRImageStorage, generate_uid(), "MR", "X"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
    data.PatientName, data.PatientID, data.SeriesDescription, data.SeriesNumber, data.InstanceNumber = "A^B", "1", "T2 map", 1, k + 1
    data.PatientBirthDate, data.PatientSex, data.StudyID, data.AccessionNumber, data.PositionReferenceIndicator = "", "", "1", "", ""
    data.StudyDate = data.SeriesDate = data.ContentDate = data.AcquisitionDate = "20250101"
    data.StudyTime = data.SeriesTime = data.ContentTime = data.AcquisitionTime = "120000"
    data.ScanningSequence, data.EchoTime, data.RepetitionTime, data.AcquisitionNumber = "SE", 80, 3000, 1
    data.ImagePositionPatient, data.ImageOrientationPatient = [8.8 - 4.4 * k, -20, 30], [0, 1, 0, 0, 0, -1]
    data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.5, 0.5], 4, 20, 24
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.RescaleSlope, data.RescaleIntercept = slope, 0
    data.PixelData = np.full((20, 24), stored, "<u2").tobytes()
    data.save_as(f"map/{k}.dcm", enforce_file_format=True)
files = sorted(str(path) for path in Path("map").iterdir())
right = [0, 0.105, 0.105, 0.105, 0]

image = sitk.ReadImage(files)
print("SimpleITK", image.GetPixelIDTypeAsString(), sitk.GetArrayFromImage(image)[:, 3, 3])
assert image.GetPixelID() == sitk.sitkUInt16 and not sitk.GetArrayFromImage(image).any()
image = sitk.ReadImage(files[1:])
print("without the first", image.GetPixelIDTypeAsString(), sitk.GetArrayFromImage(image)[:, 3, 3])
assert image.GetPixelID() == sitk.sitkFloat64 and np.allclose(sitk.GetArrayFromImage(image)[:, 3, 3], right[1:])

# dcmstack asks for pydicom before version 3
code = """
import sys; sys.path.insert(0, "old")
import dcmstack, json, numpy
stack, = dcmstack.parse_and_stack(sys.argv[1:]).values()
image = stack.to_nifti()
print(json.dumps([str(image.get_data_dtype()), numpy.unique(image.dataobj).tolist(), image.shape]))
"""
said = subprocess.run([sys.executable, "-W", "ignore", "-c", code, *files], check=True, capture_output=True, text=True).stdout
print("dcmstack", said.strip())
assert json.loads(said) == ["int16", [0], [5, 24, 20]]

subprocess.run(["dcm2niix", "-f", "map", "-o", ".", "map"], check=True, capture_output=True)
assert np.allclose(np.sort(np.unique(np.round(nib.load("map.nii").get_fdata(), 6))), [0, 0.105])
slices = [pydicom.dcmread(path) for path in files]
assert np.allclose(np.sort(combine_slices(slices)[0][3, 3]), np.sort(right))
assert np.allclose(np.sort(highdicom.get_volume_from_series(slices).array[:, 3, 3]), np.sort(right))
PY
