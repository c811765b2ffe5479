#!/usr/bin/env bash
# SimpleITK 2.5.7, one slice of a sagittal volume, volume[:, :, k]: where the series is straight, the first two rows and columns of
# its direction are singular and the slice gets the identity. Where it is tilted about the front-back axis, as when the
# planes were laid along a curved spine, they are not, and are kept as they are: columns that are no unit vectors. A mm along the
# spine is then sin(tilt) mm by TransformIndexToPhysicalPoint, with the spacing and the picture as they should be, and nothing is
# said. Written to NIfTI and read back the columns are made unit vectors ("coerced to orthogonal"), and the mm are right.
# Seen, 100 px of 0.6 mm down the spine: volume 60 mm at any tilt; slice 60 at 0, 1.0 at 1, 5.2 at 5, 15.5 mm at 15 degrees.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import math

import numpy as np
import SimpleITK as sitk


def length(image, top, bottom):
    return math.dist(image.TransformIndexToPhysicalPoint(top), image.TransformIndexToPhysicalPoint(bottom))


for tilt, seen in ((0, 60), (1, 1.047), (5, 5.229), (15, 15.529)):
    s, c = math.sin(math.radians(tilt)), math.cos(math.radians(tilt))
    volume = sitk.Image(200, 200, 5, sitk.sitkInt16)
    volume.SetSpacing((0.5, 0.6, 4))
    backwards, down, across = (0, 1, 0), (s, 0, -c), (-c, 0, -s)
    volume.SetDirection(np.transpose([backwards, down, across]).ravel().tolist())
    slice_ = volume[:, :, 2]
    whole, part = length(volume, (50, 20, 2), (50, 120, 2)), length(slice_, (50, 20), (50, 120))
    sitk.WriteImage(slice_, "slice.nii")
    file = sitk.ReadImage("slice.nii")
    again = length(file, (50, 20), (50, 120))
    print(f"{tilt} degrees: volume {whole:.3f} slice {part:.3f} from a file {again:.3f}", slice_.GetDirection())
    assert abs(whole - 60) < 1e-3 and abs(part - seen) < 1e-3 and slice_.GetSpacing() == (0.5, 0.6)
    assert abs(again - 60) < 1e-3
PY
