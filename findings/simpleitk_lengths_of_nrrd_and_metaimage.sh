#!/usr/bin/env bash
# SimpleITK 2.5.7 (ITK 5.4) on the lengths of NRRD and MetaImage files, where a NIfTI in metres or micrometres is brought to mm: none of the
# units counts. "space units" and "units" of NRRD in cm, DistanceUnits = cm or um of MetaImage give their numbers as mm.
# A NRRD that says its extent, "axis mins" and "axis maxs", has a spacing of 1 while its origin is half a step of the true
# spacing beyond the mins. With "axis mins" beside "spacings" the origin is half a voxel beyond, too, unless "centers" says node.
# A TransformMatrix with the steps in it (2 mm in the matrix, ElementSpacing 1) is kept as direction: spacing 1, places 2 mm apart.
# Nothing is said of any of it.
# Seen: NRRD of 5, 6, 40 mm in cm: 0.5, 0.6, 4; mins -10 -20 -30, maxs 10 -2 50, 40 x 30 x 20 voxels (0.5 x 0.6 x 4): spacing 1, 1, 1, origin
# -9.75, -19.7, -28; MetaImage of 0.5 cm: 0.5; matrix of 2: spacing 1, three voxels on 6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
from pathlib import Path

import numpy as np
import SimpleITK as sitk

VOXELS = bytes(40 * 30 * 20)


def nrrd(*fields):
    head = ["NRRD0004", "type: uint8", "dimension: 3", "sizes: 40 30 20", "encoding: raw", *fields, "", ""]
    Path("volume.nrrd").write_bytes("\n".join(head).encode() + VOXELS)
    image = sitk.ReadImage("volume.nrrd")
    print(fields, image.GetSpacing(), image.GetOrigin())
    return image.GetSpacing(), image.GetOrigin()


def metaimage(**fields):
    head = {"ObjectType": "Image", "NDims": 3, "BinaryData": True, "DimSize": "40 30 20", **fields}
    head |= {"ElementType": "MET_UCHAR", "ElementDataFile": "LOCAL"}
    Path("volume.mha").write_bytes("".join(f"{key} = {value}\n" for key, value in head.items()).encode() + VOXELS)
    image = sitk.ReadImage("volume.mha")
    print(fields, image.GetSpacing(), image.TransformIndexToPhysicalPoint((3, 0, 0)))
    return image


space = ("space: left-posterior-superior", "space directions: (0.5,0,0) (0,0.6,0) (0,0,4)", "space origin: (1,2,3)")
assert nrrd(*space, 'space units: "cm" "cm" "cm"') == ((0.5, 0.6, 4), (1, 2, 3))
assert nrrd("spacings: 0.5 0.6 4", 'units: "cm" "cm" "cm"')[0] == (0.5, 0.6, 4)
mins = "axis mins: -10 -20 -30"
spacing, origin = nrrd(mins, "axis maxs: 10 -2 50")
assert spacing == (1, 1, 1) and np.allclose(origin, (-9.75, -19.7, -28))
assert np.allclose(nrrd("spacings: 0.5 0.6 4", mins)[1], (-9.75, -19.7, -28))
assert nrrd("spacings: 0.5 0.6 4", mins, "centers: node node node")[1] == (-10, -20, -30)
for unit in ("cm", "um"):
    assert metaimage(ElementSpacing="0.5 0.6 4", DistanceUnits=unit).GetSpacing() == (0.5, 0.6, 4)
steps = metaimage(ElementSpacing="1 1 1", Offset="0 0 0", TransformMatrix="2 0 0 0 1 0 0 0 1")
assert steps.GetSpacing() == (1, 1, 1) and steps.TransformIndexToPhysicalPoint((3, 0, 0)) == (6, 0, 0)
PY
