#!/usr/bin/env bash
# mdai 0.16.0 (the Python library of MD.ai, on which films are annotated for training sets), transforms, DICOM to arrays and to 8-bit pictures for a network: Rescale Slope and Intercept are cut to whole numbers first. A slope below 1, as of maps of T2 or ADC, of
# PET, and of many an MR, is 0, and the picture is 0 throughout, or black; 1.75 is 1, so that the values are four sevenths of what they are, and of slices with slopes of 1.9 and 2.1 the one has half the signal of the other. The window is cut likewise: one of 0.2
# about 0.105 leaves nothing. The multiplication is done in the type of the stored pixels: above 65535 it goes round, and the brightest are dark. A CT stored without a sign raises OverflowError at its intercept of -1024. load_dicom_array has
# apply_rescale=True unless told otherwise. Nothing is said of the others.
# Seen, stored 0 210 1000 4000: slope 0.5: 0 0 0 0 (0 105 500 2000), 8 bits 0 0 0 0; 0.0005: 0 0 0 0 (0 0.105 0.5 2); 1.75: 0 210 1000 4000 (0 367.5 1750 7000); 20: 0 4200 20000 14464 (80000 for the last); 2 and 100: right; slope 1, intercept -1024:
# OverflowError.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 opencv-python-headless==5.0.0.93 pydicom==3.0.2
"$work/venv/bin/pip" install -q --no-deps mdai==0.16.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import importlib.metadata
import importlib.util
import sys
import types

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

sys.modules["dicom2nifti"] = types.ModuleType("dicom2nifti")  # of no use to these steps
# by its file: the package as a whole asks for a good deal more
place = importlib.metadata.distribution("mdai").locate_file("mdai/utils/transforms.py")
module = importlib.util.spec_from_file_location("transforms", place)
transforms = importlib.util.module_from_spec(module)
module.loader.exec_module(transforms)
STORED = np.array([0, 210, 1000, 4000], "<u2")


def picture(slope, intercept):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 1, 4, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.RescaleSlope, data.RescaleIntercept, data.PixelData = slope, intercept, STORED.tobytes()
    return data


def values(slope, intercept=0):
    found = transforms.load_dicom_array(picture(slope, intercept))[0].tolist()
    print(f"slope {slope}, intercept {intercept}:", found, "by the file", (STORED * float(slope) + intercept).tolist())
    return found


assert values(1.0) == STORED.tolist()
assert values(2, 100) == [100, 520, 2100, 8100]
assert values(0.5) == values(0.0005) == [0, 0, 0, 0]
assert values(1.75) == STORED.tolist()
assert values(20) == [0, 4200, 20000, 80000 - 65536]
grey = transforms.convert_dicom_to_8bit(picture(0.5, 0))[0].tolist()
narrow = picture(1, 0)
narrow.WindowCenter, narrow.WindowWidth = "0.105", "0.2"
print("8 bits, slope 0.5:", grey, "window of 0.2:", transforms.convert_dicom_to_8bit(narrow)[0].tolist())
assert grey == [0] * 4 == transforms.convert_dicom_to_8bit(narrow)[0].tolist()
try:
    values(1, -1024)
except OverflowError as error:
    print("slope 1, intercept -1024:", error)
else:
    raise AssertionError("a CT is read")
PY
