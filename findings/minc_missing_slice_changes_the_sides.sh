#!/usr/bin/env bash
# MINC tools 2.3.00 (Debian 12), dcm2mnc of a sagittal series with a slice missing: the step across the slices becomes the Spacing Between Slices
# of the header, which has no sign, so that where positions fall the volume is laid out the other way from its first slice: left
# and right of the spine are changed over, and it lies outside the patient's own stack. The true places are kept in the variable xspace,
# "irregular", which voxeltoworld (and all that goes by step and start) does not look at. It is said that a slice is missing and
# that 4.4 is used, nothing about sides. Of the whole series the step is right.
# Seen, x of the slices in RAS 8.8, 4.4, 0, -4.4, -8.8: whole, step -4.4, last slice at -8.8; without the third, step 4.4: the slice of -8.8 at 22.
# Needs the package minc-tools; left out where it is missing or newer.
set -euo pipefail
[[ "$(dpkg-query -W -f '${Version}' minc-tools 2>/dev/null)" == 2.3.00* ]] || { echo "left out: minc-tools 2.3.00 is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import subprocess
from pathlib import Path

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


def layout(folder, kept):
    series(folder, [(100 + k, [-8.8 + 4.4 * k, -20, 30], [0, 1, 0, 0, 0, -1]) for k in kept])
    Path(f"{folder}_out").mkdir()
    said = subprocess.run(["dcm2mnc", folder, f"{folder}_out"], check=True, capture_output=True, text=True)
    (path,) = Path(f"{folder}_out").rglob("*.mnc")
    places = {}
    for k in range(len(kept)):
        x, *_ = subprocess.check_output(["voxeltoworld", str(path), str(k), "0", "0"], text=True).split()
        value = subprocess.check_output(["mincextract", "-ascii", "-start", f"{k},9,9", "-count", "1,1,1", str(path)], text=True)
        places[round(float(value))] = round(float(x), 3)
    print(folder, places)
    return places, said.stdout + said.stderr


whole, _ = layout("whole", range(5))
missing, said = layout("missing", (0, 1, 3, 4))
assert whole == {100: 8.8, 101: 4.4, 102: 0, 103: -4.4, 104: -8.8}
assert missing == {100: 8.8, 101: 13.2, 103: 17.6, 104: 22}
assert "Missing Slice" in said and "Using 4.4" in said
PY
