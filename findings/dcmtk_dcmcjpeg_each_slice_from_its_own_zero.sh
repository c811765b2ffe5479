#!/usr/bin/env bash
# DCMTK 3.6.7, dcmcjpeg in its lossy modes of 12 bits (+ee, +ep): the smallest value of a picture is taken off before it is packed. A CT says so
# in its Rescale Intercept, and its Hounsfield units stay. An MR or a film has nothing that could say so and is written without: each slice
# of a series starts at a zero of its own, so that the same tissue has other values from slice to slice. An MR that has
# Rescale Slope and Intercept gets 1 and 0 in their place, and its values in those units are gone. Lossy JPEG-LS (dcmcjpls +en) keeps all.
# Seen, two slices with the value 1000 at one place, their smallest 200 and 700: 1000, 1000 become 800, 300 (+- 3); MR with slope 2, intercept -100:
# 1900 becomes 1600; CT, intercept -1024: -24 stays. Said: for the MR with a slope only, "may create unexpected result".
# Needs the package dcmtk; left out where it is missing or newer.
set -euo pipefail
[[ "$(dcmcjpeg --version 2>/dev/null || true)" == *"v3.6.7"* ]] || { echo "left out: DCMTK 3.6.7 is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import subprocess

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid


def packed(modality, smallest, slope=None, intercept=None, way=("dcmcjpeg", "+ee", "dcmdjpeg")):
    pixels = np.full((64, 64), 1000)
    pixels[:, :16] = smallest
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = CTImageStorage if modality == "CT" else MRImageStorage
    data.SOPInstanceUID, data.Modality = generate_uid(), modality
    data.StudyInstanceUID, data.SeriesInstanceUID, data.PatientName, data.PatientID = generate_uid(), generate_uid(), "A^B", "1"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PixelRepresentation = 64, 64, 1, 0
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PhotometricInterpretation = 16, 12, 11, "MONOCHROME2"
    if slope is not None:
        data.RescaleSlope, data.RescaleIntercept, data.RescaleType = slope, intercept, "HU" if modality == "CT" else "US"
    data.PixelData = pixels.astype("<u2").tobytes()
    data.save_as("before.dcm", enforce_file_format=True)
    subprocess.run([way[0], way[1], "before.dcm", "lossy.dcm"], check=True, capture_output=True)
    subprocess.run([way[2], "lossy.dcm", "after.dcm"], check=True, capture_output=True)
    values = []
    for path in ("before.dcm", "after.dcm"):
        read = dcmread(path)
        values.append(float(apply_modality_lut(read.pixel_array, read)[32, 48]))
    print(modality, smallest, slope, intercept, way[0], values)
    return values


def near(seen, before, after):
    assert seen[0] == before and abs(seen[1] - after) <= 3


near(packed("MR", 200), 1000, 800)
near(packed("MR", 700), 1000, 300)
near(packed("MR", 200, 2, -100), 1900, 1600)
near(packed("CT", 200, 1, -1024), -24, -24)
near(packed("MR", 200, 2, -100, ("dcmcjpls", "+en", "dcmdjpls")), 1900, 1900)
PY
