#!/usr/bin/env bash
# PlatiPy 0.7.2 (with pydicom 2.4.5, as it requires), transform_point_set_from_dicom_struct and convert_rtstruct, an RT structure set to masks on an image of its frame of
# reference. Contours on slices that lie before the image's first, where the image is a part of the series or the structure goes on beyond it, have
# indices of -1, -2, .., which Python counts from the end: they are drawn on the last slices, on a sagittal series on the other side of the patient.
# Contours beyond the last slice are left out. Each slice is filled as if it had as many rows as columns and the other way round, so that of a tall
# picture all below row number "columns" is gone (so it is with rt-utils, another reader). One contour that is not in one slice takes
# the whole structure with it. What is said is said at level debug.
# Seen, sagittal, x 20 to -8 in 8 slices, a body at rows 20 to 29: contours at x 28 and 24: mask at x -4 and -8; at x -12: empty; at 20 and 16: 20 and 16;
# 60 rows x 40 columns, body in rows 30 to 54: rows 30 to 39; a body in one contour out of its slice by 3 mm beside two that are not: no mask.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==2.4.5 numpy==2.4.6 SimpleITK==2.5.7 scikit-image==0.26.0
"$work/venv/bin/pip" install -q --no-deps platipy==0.7.2
"$work/venv/bin/python" -W ignore - <<'PY'
import numpy as np
import SimpleITK
from platipy.dicom.io.rtstruct_to_nifti import transform_point_set_from_dicom_struct
from pydicom import Dataset

image = SimpleITK.Image(40, 60, 8, SimpleITK.sitkInt16)  # columns to the back, rows down, slices to the right
image.SetSpacing((0.8, 0.8, 4.0))
image.SetOrigin((20.0, -20.0, 60.0))
image.SetDirection((0, 0, -1, 1, 0, 0, 0, -1, 0))


def contour(slice_number, first_row, last_row, beyond=0.0):
    """A body in columns 10 to 29 of one slice; slice numbers count on beyond the image."""
    corners = [(10, first_row), (29, first_row), (29, last_row), (10, last_row)]
    item = Dataset()
    item.ContourGeometricType = "CLOSED_PLANAR"
    item.ContourData = []
    for column, row in corners:
        item.ContourData += [20.0 - 4.0 * slice_number, -20.0 + 0.8 * column, 60.0 - 0.8 * row]
    item.ContourData[0] += beyond
    item.NumberOfContourPoints = 4
    return item


def mask_of(*contours):
    roi, drawn, struct = Dataset(), Dataset(), Dataset()
    roi.ROINumber, roi.ROIName = 1, "L1"
    drawn.ReferencedROINumber, drawn.ContourSequence = 1, list(contours)
    struct.StructureSetROISequence, struct.ROIContourSequence = [roi], [drawn]
    masks, names = transform_point_set_from_dicom_struct(image, struct)
    if not masks:
        return None
    found = np.argwhere(SimpleITK.GetArrayFromImage(masks[0]))
    x = sorted({image.TransformIndexToPhysicalPoint((0, 0, int(k)))[0] for k in found[:, 0]}, reverse=True)
    return names, x, sorted({int(row) for row in found[:, 1]})


inside = mask_of(contour(0, 20, 29), contour(1, 20, 29))
before = mask_of(contour(-2, 20, 29), contour(-1, 20, 29))
behind = mask_of(contour(8, 20, 29))
tall = mask_of(contour(3, 30, 54))
crooked = mask_of(contour(2, 20, 29), contour(3, 20, 29, beyond=3.0), contour(4, 20, 29))
for name in "inside", "before", "behind", "tall", "crooked":
    print(name, globals()[name])
rows = list(range(20, 30))
assert inside == (["L1"], [20, 16], rows)
assert before == (["L1"], [-4, -8], rows)
assert behind == (["L1"], [], [])
assert tall == (["L1"], [8], list(range(30, 40)))
assert crooked is None
PY
