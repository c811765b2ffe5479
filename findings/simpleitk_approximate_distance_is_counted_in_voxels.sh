#!/usr/bin/env bash
# SimpleITK 2.5.7, ApproximateSignedDistanceMap (the quick map of distances to a mask's outline, for gaps between two bodies, for level sets and for shapes between slices): the layer next to the
# outline is in mm, by the spacing; from there on it counts steps of 0.926 from voxel to voxel, whatever these measure. In the plane of a sagittal MR, pixels of 0.6 mm, everything is half as far
# again as it is, across its slices of 4 mm a third. What is nearer turns about: a place 12 mm above a body is given as further than one 14 mm to its side. SignedMaurerDistanceMap
# with useImageSpacing has each within half a voxel. With voxels of 1 mm both agree to a tenth. Nothing is said; its help has no word on spacing.
# Seen, voxels of 0.6 x 0.6 x 4 mm, 11.7 mm above the body 17.9 (Maurer 12.0), 14 mm beside it 4.8 (Maurer 16, from the centre of the border voxel); voxels of 1 mm, 19.5 mm above it 18.1 (20).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import numpy as np
import SimpleITK as sitk


def distances(*spacing):
    """Approximate and exact distance of the voxels 20 rows above and 4 slices beside a body, in mm, and the way to its face."""
    body = np.zeros((14, 60, 40), np.int16)  # slices, rows, columns
    body[5:9, 24:48, 4:36] = 1
    mask = sitk.GetImageFromArray(body)
    mask.SetSpacing(spacing)
    quick = sitk.GetArrayFromImage(sitk.ApproximateSignedDistanceMap(mask, 1, 0))
    exact = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(mask, squaredDistance=False, useImageSpacing=True))
    found = []
    for name, index, way in (("above", (7, 4, 20), 19.5 * spacing[1]), ("beside", (1, 36, 20), 3.5 * spacing[2])):
        found += [round(float(quick[index]), 1), round(float(exact[index]), 1)]
        print(spacing, name, f"{way:.1f} mm from its face: approximate {found[-2]}, Maurer {found[-1]}")
        assert abs(found[-1] - way) <= max(spacing) / 2 + 0.01
    return found


assert distances(0.6, 0.6, 4.0) == [17.9, 12.0, 4.8, 16.0]
assert distances(1.0, 1.0, 1.0) == [18.1, 20.0, 3.3, 4.0]
PY
