#!/usr/bin/env bash
# SimpleITK 2.5.7 (ITK, GDCM) turns the grey values of a MONOCHROME1 film over on reading, about the range of Bits Stored, and leaves
# "MONOCHROME1" and the window in its dictionary. Who looks at 0028|0004 and turns the film over, as has to be done
# after pydicom 3.0.2, makes a negative of it; the window that stands beside it is for the values that were turned, and a rescale
# comes after the turn, so that values in physical units are others. itkwasm-dicom-wasi 7.6.4 turns them too;
# VTK 9.7.2, dcm2niix 1.0.20260724 and dicomsdl 0.109.4 do not. Nothing is said by any of them.
# Seen, stored 0 100 2000 4000: 12 bits 4095 3995 2095 95; 14 bits 16383 16283 14383 12383; with slope 2, intercept -1000: 7190 6990
# 3190 -810 for -1000 -800 3000 7000; signed 16 bits, 1000 less: 999 899 -1001 -3001 for -1000 -900 1000 3000.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir SimpleITK==2.5.7 pydicom==3.0.2 dcm2niix==1.0.20260724 vtk==9.7.2 \
    dicomsdl==0.109.4 itkwasm-dicom-wasi==7.6.4 nibabel==5.4.2 numpy==2.4.6
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" - <<'PY'
import subprocess

import dicomsdl
import nibabel
import numpy as np
import SimpleITK as sitk
import vtk
from itkwasm_dicom_wasi import read_image_dicom_file_series
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid
from vtk.util.numpy_support import vtk_to_numpy

grey = np.array([[0, 100, 2000, 4000]] * 4)


def write(name, values, bits, **tags):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = ComputedRadiographyImageStorage, generate_uid(), "CR"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 4, 4, 1, "MONOCHROME1"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, bits, bits - 1, int(values.min() < 0)
    ds.WindowCenter, ds.WindowWidth = "1000", "2000"
    ds.PixelData = values.astype(np.int16 if values.min() < 0 else np.uint16).tobytes()
    for tag, value in tags.items():
        setattr(ds, tag, value)
    ds.save_as(name, enforce_file_format=True)


def row(values):
    return [round(float(v)) for v in np.asarray(values).ravel()[:4]]


def readings(name):
    image = sitk.ReadImage(name)
    assert image.GetMetaData("0028|0004").strip() == "MONOCHROME1" and image.GetMetaData("0028|1050").strip() == "1000"
    reader = vtk.vtkDICOMImageReader()
    reader.SetFileName(name)
    reader.Update()
    subprocess.run(["dcm2niix", "-s", "y", "-b", "n", "-o", ".", "-f", name, name], check=True, capture_output=True)
    seen = {
        "pydicom": row(dcmread(name).pixel_array),
        "SimpleITK": row(sitk.GetArrayFromImage(image)),
        "itkwasm": row(read_image_dicom_file_series([name])[0].data),
        "VTK": row(vtk_to_numpy(reader.GetOutput().GetPointData().GetScalars())),
        "dcm2niix": row(nibabel.load(f"{name}.nii").get_fdata()[:, 0]),
        "dicomsdl": row(dicomsdl.open(name).pixelData()),
    }
    print(name, seen)
    return seen


write("bits12", grey, 12)
write("bits14", grey, 14)
write("rescaled", grey, 12, RescaleSlope="2", RescaleIntercept="-1000")
write("signed16", grey - 1000, 16)
for name, turned, as_it_is in [
    ("bits12", [4095, 3995, 2095, 95], row(grey)),
    ("bits14", [16383, 16283, 14383, 12383], row(grey)),
    ("rescaled", [7190, 6990, 3190, -810], [-1000, -800, 3000, 7000]),
    ("signed16", [999, 899, -1001, -3001], [-1000, -900, 1000, 3000]),
]:
    seen = readings(name)
    assert seen.pop("pydicom") == (row(grey) if name == "rescaled" else as_it_is), "stored values, without rescale"
    assert seen.pop("SimpleITK") == seen.pop("itkwasm") == turned
    assert all(values == as_it_is for values in seen.values())
PY
