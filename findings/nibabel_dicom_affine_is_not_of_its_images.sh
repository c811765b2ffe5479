#!/usr/bin/env bash
# nibabel 5.4.2, nicom (wrapper_from_file) beside its images: the affine of a DICOM slice is in DICOM's axes (left, back, head), that of every image
# class in NIfTI's (right, front, head). Nifti1Image(slice.get_data(), slice.affine), both from nibabel, makes a file in which the patient is turned by half
# about his long axis: left is right, and the spine lies in front of the belly. aff2axcodes, which reads the letters of NIfTI into it, calls a slice
# that runs back and down ("I", "A", "R"). The data are rows first, as in pydicom. (Of a film without position the affine is refused.) Nothing is said.
# Seen, a sagittal slice at (-8.8, -20, 30), columns to the back: the centre of the first voxel by the file made so is x -8.8, y -20 in RAS, by SimpleITK 2.5.7
# and dcm2niix 1.0.20260724 on the same slice 8.8, 20.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q nibabel==5.4.2 pydicom==3.0.2 SimpleITK==2.5.7 dcm2niix==1.0.20260724 numpy==2.4.6
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY'
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from nibabel.nicom.dicomwrappers import wrapper_from_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

data = Dataset()
data.file_meta = FileMetaDataset()
data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = generate_uid(), generate_uid(), generate_uid()
data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, 1
data.ImagePositionPatient, data.ImageOrientationPatient = [-8.8, -20, 30], [0, 1, 0, 0, 0, -1]
data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.5, 0.8], 4, 20, 24
data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
pixels = np.zeros((20, 24), "<u2")
pixels[0, 0] = 1000
data.PixelData = pixels.tobytes()
Path("slice").mkdir()
data.save_as("slice/one.dcm", enforce_file_format=True)


def brightest(path):
    """(x, y) of the one bright voxel, in the axes of NIfTI."""
    image = nib.load(path)
    voxel = np.argwhere(np.atleast_3d(np.asarray(image.dataobj)) == 1000)[0]
    return tuple(round(float(v), 3) for v in (image.affine @ (*voxel, 1))[:2])


own = wrapper_from_file("slice/one.dcm")
nib.save(nib.Nifti1Image(own.get_data()[..., None], own.affine), "own.nii")
x, y, _ = sitk.ReadImage("slice/one.dcm").TransformIndexToPhysicalPoint((0, 0, 0))
subprocess.run(["dcm2niix", "-o", ".", "-f", "niix", "slice"], check=True, capture_output=True)
seen = brightest("own.nii"), (-x, -y), brightest("niix.nii")
print("nibabel", seen[0], nib.aff2axcodes(own.affine), "SimpleITK", seen[1], "dcm2niix", seen[2])
assert seen == ((-8.8, -20), (8.8, 20), (8.8, 20)) and nib.aff2axcodes(own.affine) == ("I", "A", "R")
PY
