#!/usr/bin/env bash
# dafne-dicomutils 0.2.1 (reader of Dafne, which outlines muscles, those beside the spine too), load_multi_dicom of an enhanced MR with two or more kinds of frames, as Dixon's water and fat: frames are cut into runs of one
# Frame Type, and each run is put down under its type, in the place of the run before. Where the file has all water and then all fat, that is right. Where it goes slice by slice, water and fat in turn, which the standard leaves
# to the writer (PS3.3 C.7.6.16 asks for no order), every run is one frame, and of each kind the last slice alone is left. A volume of one slice is handed on; nothing is said.
# Seen, five slices of water and fat: ordered by kind 5 and 5 slices, positions 0 to 17.6 mm; ordered by slice 1 and 1, both at 17.6 mm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile pydicom==3.0.2 numpy==2.4.6
"$work/venv/bin/pip" install -q --no-compile --no-deps dafne-dicomutils==0.2.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import importlib.util
import sys
import types

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

# The package itself installs more when it is imported, and opens windows; this module of it does not.
package = types.ModuleType("dicomUtils")
package.__path__ = list(importlib.util.find_spec("dicomUtils").submodule_search_locations)
sys.modules["dicomUtils"] = package
from dicomUtils.multiframe import load_multi_dicom  # noqa: E402

KINDS = ("WATER", "FAT")


def item(**elements):
    data = Dataset()
    for name, value in elements.items():
        setattr(data, name, value)
    return data


def written(name, frames):
    """An enhanced MR of (kind, slice) frames; a voxel holds its slice, in fat 100 more."""
    data = item(SOPClassUID=EnhancedMRImageStorage, SOPInstanceUID=generate_uid(), Modality="MR", PatientID="1")
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.Rows, data.Columns, data.NumberOfFrames = 8, 8, len(frames)
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    plane = item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    data.SharedFunctionalGroupsSequence = [
        item(PixelMeasuresSequence=[item(PixelSpacing=[1, 1], SliceThickness=4)], PlaneOrientationSequence=[plane])
    ]
    data.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[round(4.4 * k, 1), 0, 0])],
            MRImageFrameTypeSequence=[item(FrameType=["ORIGINAL", "PRIMARY", "DIXON", kind])],
        )
        for kind, k in frames
    ]
    data.PixelData = np.stack([np.full((8, 8), 100 * KINDS.index(kind) + k, "<u2") for kind, k in frames]).tobytes()
    data.save_as(name, enforce_file_format=True)
    return name


seen = {}
for order, frames in (
    ("by kind", [(kind, k) for kind in KINDS for k in range(5)]),
    ("by slice", [(kind, k) for k in range(5) for kind in KINDS]),
):
    read = load_multi_dicom(written(f"{order}.dcm", frames))
    seen[order] = {
        kind.split(";")[-1]: (voxels[0, 0].tolist(), [float(head.ImagePositionPatient[0]) for head in heads])
        for kind, (voxels, heads) in read.items()
    }
    print(order, seen[order])
places = [0, 4.4, 8.8, 13.2, 17.6]
assert seen["by kind"] == {"WATER": ([0, 1, 2, 3, 4], places), "FAT": ([100, 101, 102, 103, 104], places)}
assert seen["by slice"] == {"WATER": ([4], [17.6]), "FAT": ([104], [17.6])}
PY
