#!/usr/bin/env bash
# imageio 2.38.1, volread of a folder of DICOM slices: the distance between slices is the difference of the third number of
# ImagePositionPatient alone. A sagittal or coronal stack of 4 mm, as nearly every spine MR is, gets a sampling of 0 mm; axial slices
# tilted by 30 degrees along a disc get cos(30) of theirs. Slices are ordered by InstanceNumber only, so that a stack
# numbered in the order of acquisition (odd ones first) stays shuffled. Only an axial stack is right. What is said is that the plugin is
# deprecated, nothing about the geometry.
# Seen: sampling[0] of 4 mm: axial 4.0, sagittal 0.0, coronal 0.0, axial tilted by 30 degrees 3.464; order 1 3 5 2 4.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio==2.38.1 pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W error -W ignore::DeprecationWarning - <<'PY'
import contextlib
import io
import math
from pathlib import Path

import imageio.v2 as imageio
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

c, s = round(math.cos(math.pi / 6), 8), 0.5
PLANES = {
    "axial": (1, 0, 0, 0, 1, 0),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "coronal": (1, 0, 0, 0, 0, -1),
    "tilted": (1, 0, 0, 0, c, -s),
}


def stack(name, axes, numbers):
    Path(name).mkdir()
    study, series = generate_uid(), generate_uid()
    normal = np.cross(axes[:3], axes[3:])
    for place, number in enumerate(numbers):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, generate_uid()
        data.StudyInstanceUID, data.SeriesInstanceUID, data.Modality, data.InstanceNumber = study, series, "MR", number
        data.ImagePositionPatient = [round(float(x), 6) for x in 4 * place * normal]
        data.ImageOrientationPatient, data.PixelSpacing, data.SliceThickness = list(axes), [0.5, 0.5], 4
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 8, 8, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.PixelData = np.full((8, 8), place + 1, np.uint16).tobytes()
        data.save_as(Path(name, f"{number}.dcm"), enforce_file_format=True)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        volume = imageio.volread(name, format="DICOM")
    assert "arn" not in said.getvalue(), said.getvalue()
    return volume


for name, axes in PLANES.items():
    between = float(stack(name, axes, range(1, 6)).meta["sampling"][0])
    print(name, round(between, 3))
    assert abs(between - {"axial": 4, "tilted": 4 * c}.get(name, 0)) < 1e-4, between
# the first place has number 1, the second number 4, and so on: 1, 3, 5 were taken before 2 and 4
order = stack("interleaved", PLANES["axial"], (1, 4, 2, 5, 3))
print("places in the order read", order[:, 0, 0].tolist())
assert order[:, 0, 0].tolist() == [1, 3, 5, 2, 4]
PY
