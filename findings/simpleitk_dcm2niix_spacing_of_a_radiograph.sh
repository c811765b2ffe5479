#!/usr/bin/env bash
# SimpleITK 2.5.7 and dcm2niix 1.0.20260724 disagree on the scale of every projection radiograph, and neither says so.
# SimpleITK (GDCM) takes ImagerPixelSpacing alone for CR and DX: a film that was calibrated to 0.1 mm (PixelSpacing)
# beside a detector of 0.2 mm is read at 0.2, one that bears the calibration alone at 1.0. dcm2niix takes PixelSpacing alone:
# the first is 0.1, and a film with nothing but its detector's spacing 1.0. The same elements in a secondary capture are read
# at 0.1 by both. So lengths differ by a factor of 2 to 10 with the tool that converted the film.
# Seen, in mm, both / calibrated alone / detector alone: SimpleITK 0.2, 1.0, 0.2; dcm2niix 0.1, 0.1, 1.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q SimpleITK==2.5.7 pydicom==3.0.2 numpy==2.4.6 nibabel==5.4.2 dcm2niix==1.0.20260724
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" - <<'PY'
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CLASSES = {
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
}
SPACINGS = {"both": (0.2, 0.1), "calibrated": (None, 0.1), "detector": (0.2, None)}


def film(kind, imager, pixel):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = CLASSES[kind]
    data.SOPInstanceUID, data.StudyInstanceUID, data.SeriesInstanceUID = (generate_uid() for _ in range(3))
    data.Modality, data.Manufacturer, data.PatientID = ("OT" if kind == "SC" else kind), "maker", "1"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 20, 30, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = np.arange(600, dtype=np.uint16).tobytes()
    if imager:
        data.ImagerPixelSpacing = [imager, imager]
    if pixel:
        data.PixelSpacing = [pixel, pixel]
    return data


found = {}
for kind in CLASSES:
    for name, spacing in SPACINGS.items():
        folder = Path(f"{kind}-{name}")
        folder.mkdir()
        film(kind, *spacing).save_as(folder / "film.dcm", enforce_file_format=True)
        itk = sitk.ReadImage(str(folder / "film.dcm")).GetSpacing()[0]
        subprocess.run(["dcm2niix", "-f", "film", "-o", ".", str(folder)], check=True, capture_output=True)
        niix = float(nibabel.load("film.nii").header.get_zooms()[0])
        Path("film.nii").unlink()
        found[kind, name] = (round(itk, 3), round(niix, 3))
        print(kind, name, "SimpleITK", round(itk, 3), "dcm2niix", round(niix, 3))
for kind in ("DX", "CR"):
    assert [found[kind, name] for name in SPACINGS] == [(0.2, 0.1), (1.0, 0.1), (0.2, 1.0)], found
assert found["SC", "both"] == (0.1, 0.1)
PY
