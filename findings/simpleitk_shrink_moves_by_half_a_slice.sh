#!/usr/bin/env bash
# SimpleITK 2.5.7, Shrink, the usual step before N4, Otsu or a registration of large volumes: every second (fourth) voxel is taken, and origin and spacing
# are given to the result as if it had been averaged. At an even factor no voxel lies where they say, and what is taken is the one beyond: the
# picture moves by half an old voxel against the patient, 0.25 mm in the plane of a sagittal MR, 2 mm across its slices of 4 mm; at 3 it can
# move where the size is no multiple of 3. BinShrink, which averages, and slicing by [::2] are right. Masks made on the small volume and resampled to
# the large one lie that much to the side, and a mask shrunk with its image does not show it. Nothing is said.
# Seen, a volume whose values are its own x, y, z in mm, voxels of 0.5 x 0.8 x 4, 40 x 30 x 8, values less places: Shrink 2: 0.25 0.4 2, Shrink 4: 0.25 0.4 2, Shrink 3:
# 0.25 0 0; BinShrink and slices by 2: 0 0 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import numpy as np
import SimpleITK as sitk

volume = sitk.Image([40, 30, 8], sitk.sitkFloat32)
volume.SetSpacing((0.5, 0.8, 4.0))
volume.SetOrigin((1, 2, 3))


def places(image):
    source = sitk.PhysicalPointSource(sitk.sitkVectorFloat64, image.GetSize(), image.GetOrigin(), image.GetSpacing(), image.GetDirection())
    return [sitk.VectorIndexSelectionCast(source, axis) for axis in range(3)]


def moved(name, made):
    off = []
    for values in places(volume):
        small = made(values)
        away = sitk.GetArrayFromImage(small) - sitk.GetArrayFromImage(places(small)[len(off)])
        assert np.ptp(away) < 1e-9
        off.append(round(float(away.mean()), 3) + 0.0)
    print(name, small.GetSize(), off)
    return off


assert moved("Shrink 2", lambda image: sitk.Shrink(image, [2] * 3)) == [0.25, 0.4, 2]
assert moved("Shrink 4", lambda image: sitk.Shrink(image, [4] * 3)) == [0.25, 0.4, 2]
assert moved("Shrink 3", lambda image: sitk.Shrink(image, [3] * 3)) == [0.25, 0, 0]
assert moved("BinShrink 2", lambda image: sitk.BinShrink(image, [2] * 3)) == [0, 0, 0]
assert moved("slices", lambda image: image[::2, ::2, ::2]) == [0, 0, 0]
PY
