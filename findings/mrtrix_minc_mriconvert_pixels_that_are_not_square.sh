#!/usr/bin/env bash
# MRtrix3 3.0.3 (mrconvert), MINC tools 2.3.00 (dcm2mnc) and MRIConvert 2.1.0 (mcverter), as in Debian 12: Pixel Spacing is that of the rows first
# (PS3.3 10.7.1.3), all three take its first value for the way along a row. A sagittal series of pixels that are not square (a
# reconstruction that was zero-filled one way) comes out stretched along the spine and squeezed from front to back, in mm that nothing
# marks as wrong. SimpleITK 2.5.7, nibabel 5.4.2 and dcm2niix 1.0.20260724 have it right.
# Seen, 0.5 \ 0.8, rows along the spine 20, columns from front to back 24, mm a voxel down the spine and to the back: SimpleITK and
# dcm2niix 0.5, 0.8; mrconvert 0.8, 0.5; dcm2mnc 0.8, 0.5; mcverter 0.8, 0.5: a body of 12 mm is 19.2 mm high in the three.
# Needs the packages mrtrix3, minc-tools and mriconvert; left out where they are missing or newer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for each in mrtrix3=3.0.3 minc-tools=2.3.00 mriconvert=1:2.1.0; do
  [[ "$(dpkg-query -W -f '${Version}' "${each%%=*}" 2>/dev/null)" == "${each#*=}"* ]] || { echo "left out: ${each} is not installed"; exit 0; }
done
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6 dcm2niix==1.0.20260724
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY'
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

Path("series").mkdir()
study, series, frame = generate_uid(), generate_uid(), generate_uid()
for k in range(5):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
    data.PatientName, data.PatientID, data.SeriesDescription, data.SeriesNumber, data.InstanceNumber = "A^B", "1", "T2", 1, k + 1
    data.StudyDate = data.SeriesDate = data.ContentDate = "20250101"
    data.StudyTime = data.SeriesTime = data.ContentTime = "120000"
    data.ScanningSequence, data.EchoTime, data.RepetitionTime, data.AcquisitionNumber = "SE", 80, 3000, 1
    data.ImagePositionPatient, data.ImageOrientationPatient = [-8 + 4 * k, -20, 30], [0, 1, 0, 0, 0, -1]
    data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.5, 0.8], 4, 20, 24
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelData = np.full((20, 24), 100 + k, "<u2").tobytes()
    data.save_as(f"series/{k}.dcm", enforce_file_format=True)
slices = sorted(str(path) for path in Path("series").iterdir())


def run(*command):
    Path("out").mkdir(exist_ok=True)
    subprocess.run(command, check=True, capture_output=True)


def down_and_back(affine):
    """mm a voxel of the axes that run along the spine and from front to back."""
    steps = np.abs(np.asarray(affine)[:3, :3])
    return tuple(round(float(steps[axis].max()), 3) for axis in (2, 1))


seen = {}
names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames("series")
image = sitk.ReadImage(names)
seen["SimpleITK"] = down_and_back(np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing())
run("dcm2niix", "-o", "out", "-f", "niix", "series")
seen["dcm2niix"] = down_and_back(nib.load("out/niix.nii").affine)
run("mrconvert", "-quiet", "series", "out/mrtrix.nii")
seen["mrconvert"] = down_and_back(nib.load("out/mrtrix.nii").affine)
run("mcverter", "-o", "out/mcverter", "-f", "nifti", "-n", *slices)
(path,) = Path("out/mcverter").rglob("*.nii")
seen["mcverter"] = down_and_back(nib.load(path).affine)
Path("out/minc").mkdir()
run("dcm2mnc", "series", "out/minc")
(path,) = Path("out/minc").rglob("*.mnc")
step = [float(subprocess.check_output(["mincinfo", "-attvalue", f"{axis}space:step", str(path)])) for axis in "xyz"]
seen["dcm2mnc"] = down_and_back(np.diag(step))
print(seen)
right, swapped = (0.5, 0.8), (0.8, 0.5)
assert seen == {"SimpleITK": right, "dcm2niix": right, "mrconvert": swapped, "mcverter": swapped, "dcm2mnc": swapped}
PY
