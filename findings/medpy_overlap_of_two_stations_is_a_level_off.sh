#!/usr/bin/env bash
# MedPy 0.5.2, filter.utilities.intersection, the parts of two images that show the same of the patient: it "takes both, voxelspacing and image offset into account", and no direction. The offset, which counts to the left, back and head, is
# taken for one along the axes of the array. Axial volumes are right. Of two sagittal stations, the one 24 mm lower than the other, it takes the 24 mm off at the slices, from the side, and leaves the whole height of both: the "same" parts of the patient lie 24 mm, most
# of a level, apart, voxel by voxel, and have the same shape, so that a difference, a mean or a seam laid on them shows nothing but worse agreement. The offset that is returned with them belongs to neither. The header has the directions (get_direction). Nothing is said.
# Seen, 30 x 60 x 9 voxels of 0.8 x 0.8 x 4.4 mm whose values are their heights, the first rows at 100 and 76 mm: 30 x 60 x 3 voxels each, heights 100 to 52.8 and 76 to 28.8 (30 x 30 x 9 from 76 to 52.8 is what they share), offset
# (-17.6, -40, 99); axial, from 0 and 30 mm: 40 x 30 x 10, 30 and 30 mm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 SimpleITK==2.5.7 medpy==0.5.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import numpy as np
import SimpleITK as sitk
from medpy.filter.utilities import intersection
from medpy.io import load

SAGITTAL = (0, 0, 1, 1, 0, 0, 0, -1, 0)  # columns to the back, rows down, slices to the left


def station(name, heights, shape, spacing, origin, direction=(1, 0, 0, 0, 1, 0, 0, 0, 1)):
    image = sitk.GetImageFromArray(np.broadcast_to(heights, shape).astype(np.float32))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    sitk.WriteImage(image, name)
    return load(name)


def shared(first, second):
    one, other, offset = intersection(*first, *second)
    ends = [(round(float(part.flat[0]), 1), round(float(part[-1, -1, -1]), 1)) for part in (one, other)]
    print(one.shape, other.shape, "heights", ends, "offset", np.round(offset, 1).tolist())
    return one.shape, other.shape, ends, np.round(offset, 1).tolist()


rows = 0.8 * np.arange(60)[None, :, None]
upper, lower = (station(f"{top}.mha", top - rows, (9, 60, 30), (0.8, 0.8, 4.4), (-17.6, -40, top), SAGITTAL) for top in (100, 76))
one, other, ends, offset = shared(upper, lower)
assert one == other == (30, 60, 3)
assert ends == [(100, 52.8), (76, 28.8)] and offset == [-17.6, -40, 99]

slices = 3.0 * np.arange(20)[:, None, None]
first, second = (station(f"axial{start}.mha", start + slices, (20, 30, 40), (0.8, 0.8, 3), (-16, -12, start)) for start in (0, 30))
one, other, ends, _ = shared(first, second)
assert one == other == (40, 30, 10) and ends[0] == ends[1] == (30, 57)
PY
