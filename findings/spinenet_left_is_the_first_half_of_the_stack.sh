#!/usr/bin/env bash
# spinenet 2.1.4 (SpineNet: discs of a sagittal MR graded, foraminal stenosis left and right), load_dicoms_from_folder to the volume round a disc that is graded: slices lie in the order of their Instance Number, whichever side of the
# patient that begins on, and so they go to the network, whose columns are called ForaminalStenosisLeft and ForaminalStenosisRight. The standard leaves that open (PS3.3
# C.7.6.1 asks for a number, no more). Of one and the same patient the first slice is the outermost on the left in the one numbering and the outermost on the right in the other, so that what is on the left is graded as
# right. The affine of the scan has the side; nothing between the reader and the network asks for it, and nothing is said.
# Seen, a patient whose left half is bright, nine slices: numbered from left to right the graded volume is bright in slices 0 to 3, from right to left in slices 5 to 8, with the affine's slices running to the right and to the left.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==1.26.4 scipy==1.13.1 opencv-python-headless==4.11.0.86 pandas==2.2.3 scikit-image==0.22.0 pydicom==2.4.4
"$work/venv/bin/pip" install -q --no-compile --no-deps spinenet==2.1.4
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

# The package itself asks for PyTorch; these modules of it do not.
root = Path(importlib.util.find_spec("spinenet").submodule_search_locations[0])
for name in ("spinenet", "spinenet.io", "spinenet.utils"):
    part = types.ModuleType(name)
    part.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    sys.modules[name] = part
from spinenet.io.dicom_io import load_dicoms_from_folder  # noqa: E402
from spinenet.utils.gen_utils import get_all_ivd_vol, vert_dicts_to_classification_format  # noqa: E402


def series(folder, numbers):
    """Nine sagittal slices from the right of the patient (x = -17.6) to the left (17.6), bright on the left."""
    Path(folder).mkdir()
    study, uid, frame = generate_uid(), generate_uid(), generate_uid()
    for k, number in enumerate(numbers):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.is_little_endian, data.is_implicit_VR = True, False
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, uid, frame
        data.PatientID, data.InstanceNumber = "1", number
        x = 4.4 * (k - 4)
        data.ImagePositionPatient, data.ImageOrientationPatient = [x, -64.0, 64.0], [0, 1, 0, 0, 0, -1]
        data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [1, 1], 4, 128, 128
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        data.PixelData = np.full((128, 128), 800 if x > 0 else 100, "<u2").tobytes()
        data.save_as(f"{folder}/{k}.dcm", write_like_original=False)
    return load_dicoms_from_folder(folder)


def vertebra(label, top):
    box = np.array([[80, top], [80, top + 24], [48, top + 24], [48, top]], float)
    return {"average_polygon": box, "polys": [box] * 9, "slice_nos": list(range(9)), "predicted_label": label}


levels = [vertebra("L4", 30), vertebra("L5", 64)]
seen = {}
for name, numbers in (("from left to right", range(9, 0, -1)), ("from right to left", range(1, 10))):
    scan = series(name.replace(" ", "_"), numbers)
    *corners, names = vert_dicts_to_classification_format(levels, scan.volume.shape[-1])
    (disc,) = get_all_ivd_vol(scan.volume, *corners)
    bright = [k for k in range(9) if np.median(disc[k]) > 0.3]
    to_the_right = bool(scan.affine[0, 2] > 0)
    print("numbered", name, disc.shape, "bright slices", bright, "slices run to the", "right" if to_the_right else "left")
    seen[name] = bright, to_the_right
assert seen == {"from left to right": ([0, 1, 2, 3], True), "from right to left": ([5, 6, 7, 8], False)}
grades = (root / "utils" / "classification.py").read_text()
assert '"ForaminalStenosisLeft"' in grades and "affine" not in grades
PY
