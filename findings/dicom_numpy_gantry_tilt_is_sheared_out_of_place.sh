#!/usr/bin/env bash
# dicom-numpy 0.6.5, combine_slices: the affine steps from slice to slice along the normal of the slices, whatever the positions say. Where the positions step aside of it, as in a CT of a tilted gantry,
# each slice lies further from its place than the one before it. That positions "form a line" is asked for in
# its help, and a tilted gantry's do. With sort_by_instance=True the step is the median of the steps in that order: of a series numbered in the order of acquisition, odd slices first, it is twice
# the distance, so that the spine is twice as wide, with its slices shuffled; the check for missing slices sorts them by place before it looks. Nothing is said of either.
# Seen, a gantry of 15 degrees, table step 5 mm, the last of five slices: y 0, z 20 by the file, -5, 18.66 by the affine; interleaved, sorted by number: step 8.8 for 4.4, values 103 101 104 102 100.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q dicom-numpy==0.6.5 pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W error - <<'PY'
import logging

import numpy as np
from dicom_numpy import combine_slices
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

said = []
logging.getLogger().addHandler(type("Said", (logging.Handler,), {"emit": lambda self, record: said.append(record.getMessage())})())


def series(orientation, first, step, numbers):
    one, frame = generate_uid(), generate_uid()
    for k, number in enumerate(numbers):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = CTImageStorage, generate_uid(), "CT"
        data.SeriesInstanceUID, data.FrameOfReferenceUID, data.InstanceNumber = one, frame, number
        data.ImagePositionPatient, data.ImageOrientationPatient = (np.array(first) + k * np.array(step)).tolist(), orientation
        data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.5, 0.8], 4, 20, 24
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        data.PixelData = np.full((20, 24), 100 + k, "<u2").tobytes()
        yield data


tilt = np.radians(15)
slices = list(series([1, 0, 0, 0, float(np.cos(tilt)), float(np.sin(tilt))], (0, 0, 0), (0, 0, 5), (1, 2, 3, 4, 5)))
voxels, affine = combine_slices(slices)
last = (affine @ [0, 0, 4, 1])[:3]
print("tilted", slices[-1].ImagePositionPatient, np.round(last, 2), voxels[0, 0])
assert voxels[0, 0].tolist() == [100, 101, 102, 103, 104] and np.allclose(last, (0, -5, 18.66), atol=0.01)

slices = list(series([0, 1, 0, 0, 0, -1], (-8.8, -20, 30), (4.4, 0, 0), (1, 4, 2, 5, 3)))
voxels, affine = combine_slices(slices, sort_by_instance=True)
print("by number", np.round(affine[:3, 2], 3), voxels[0, 0])
assert np.allclose(affine[:3, 2], (-8.8, 0, 0), atol=1e-5) and voxels[0, 0].tolist() == [103, 101, 104, 102, 100]
assert not said, said
PY
