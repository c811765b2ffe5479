#!/usr/bin/env bash
# MONAI 1.6.1, PydicomReader (what LoadImage falls back on for DICOM where ITK is not installed): slices are sorted by Instance Number
# alone and the step is (last - first) / (count - 1). A series numbered in the order of acquisition, odd slices first, as
# interleaved MR can be, is stacked out of order, and its spacing is that between the first and the last number: 3.3 mm for 4.4 with five
# slices. Nothing is said. Where a slice is missing the spacing grows (5.87), too. In a film without position and
# orientation, Pixel Spacing is not used; the warning names the position, the spacing is 1.
# Seen, sagittal, 5 slices 4.4 mm apart, values 100 to 104 from right to left: in order 4.4, 100 to 104; interleaved 3.3,
# 100 102 104 101 103; without the third 5.867; a film of 0.2 mm: 1.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 monai==1.6.1 pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import warnings
from pathlib import Path

import numpy as np
from monai.data import PydicomReader
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid


def write(path, kind, value, **tags):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID, ds.StudyInstanceUID = kind, generate_uid(), "1.2.3"
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 4, 6, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelData = np.full((4, 6), value, np.uint16).tobytes()
    for tag, content in tags.items():
        setattr(ds, tag, content)
    ds.save_as(path, enforce_file_format=True)


def series(folder, numbers, left_out=()):
    Path(folder).mkdir()
    for place, number in enumerate(numbers):
        if place not in left_out:
            write(f"{folder}/{place}.dcm", MRImageStorage, 100 + place, Modality="MR", SeriesInstanceUID="1.2.3.4",
                  InstanceNumber=number, PixelSpacing=[0.5, 0.8], ImagePositionPatient=[round(-8.8 + 4.4 * place, 1), -20, 10],
                  ImageOrientationPatient=[0, 1, 0, 0, 0, -1])


def read(path):
    reader = PydicomReader()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        voxels, meta = reader.get_data(reader.read(path))
    said = [str(one.message) for one in said if "PydicomReader" in str(one.message) or "slice" in str(one.message)]
    spacing = [round(float(v), 3) for v in meta["spacing"]]
    values = voxels[0, 0].tolist() if voxels.ndim == 3 else None
    print(path, "spacing", spacing, "values", values, "said", said)
    return spacing, values, said


series("in_order", [1, 2, 3, 4, 5])
assert read("in_order") == ([0.8, 0.5, 4.4], [100, 101, 102, 103, 104], [])
series("interleaved", [1, 4, 2, 5, 3])
assert read("interleaved") == ([0.8, 0.5, 3.3], [100, 102, 104, 101, 103], [])
series("missing", [1, 2, 3, 4, 5], left_out=[2])
assert read("missing") == ([0.8, 0.5, 5.867], [100, 101, 103, 104], [])
write("film.dcm", ComputedRadiographyImageStorage, 0, Modality="CR", SeriesInstanceUID="1.2.3.5", PixelSpacing=[0.2, 0.2])
spacing, _, said = read("film.dcm")
assert spacing == [1, 1] and len(said) == 1 and "ImagePositionPatient" in said[0]
PY
