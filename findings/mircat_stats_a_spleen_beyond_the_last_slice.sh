#!/usr/bin/env bash
# mircat-stats 1.0.0 (MirCAT: volumes, densities and body composition by vertebral level of a CT), the step by which scan and masks are brought to 1 mm: what lies beyond the last slice's centre is filled with the number by which
# SimpleITK calls the type of the voxels, and of a mask of 8 bits that is 1. The first label of each mask, the spleen, the body, the fat beneath the skin, gets a plate as large as the whole picture, the thicker the slices the
# thicker, and the other labels get none. In a CT of slices of 1 mm there is nothing to fill. Of the scan itself, of 16 bits with a sign, the plate is 2 HU, water. Nothing is said, and at a lumbar CT
# that has no spleen one is reported.
# Seen, 200 mm of a CT of 100 x 100 mm with an L3 of 80 cm3 and nothing else: spleen in slices of 1 mm none, of 2 mm 10 cm3, of 5 mm 20 cm3, of 2 HU (of 300 x 400 mm, as a
# trunk takes, 120 and 240 cm3, as large as a spleen is); L3 80 cm3 throughout.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==1.26.4 SimpleITK==2.3.1 scikit-image==0.24.0 loguru==0.7.3
"$work/venv/bin/pip" install -q --no-compile --no-deps mircat-stats==1.0.0
cd "$work"
"$work/venv/bin/python" -W ignore - 2>errors.txt <<'PY'
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import SimpleITK as sitk

# The package itself asks for much else; these modules of it do not.
root = Path(importlib.util.find_spec("mircat_stats").submodule_search_locations[0])
for name in ("mircat_stats", "mircat_stats.statistics", "mircat_stats.configs"):
    part = types.ModuleType(name)
    part.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    sys.modules[name] = part
from mircat_stats.statistics.nifti import MircatNifti  # noqa: E402
from mircat_stats.statistics.total import calculate_total_segmentation_stats  # noqa: E402


def measured(thickness):
    folder = Path(f"slices_{thickness}")
    (folder / "ct_segs").mkdir(parents=True)
    count = round(200 / thickness)
    mask = np.zeros((count, 100, 100), np.uint8)
    mask[count // 4 : count // 2, 30:70, 30:70] = 27  # L3, by the package's own table
    scan = np.where(mask, 150, -1000).astype(np.int16)
    for voxels, path in ((scan, folder / "ct.nii.gz"), (mask, folder / "ct_segs" / "ct_total.nii.gz")):
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing((1, 1, thickness))
        sitk.WriteImage(image, str(path))
    case = MircatNifti(str(folder / "ct.nii.gz"))
    case.setup(["total"], False)
    found, _ = calculate_total_segmentation_stats(case)
    print("slices of", thickness, "mm", found)
    return [found.get(name) for name in ("vertebrae_L3_volume_cm3", "spleen_volume_cm3", "spleen_average_intensity")]


assert measured(1.0) == [80, None, None]
assert measured(2.0) == [80, 10, 2]
assert measured(5.0) == [80, 20, 2]
PY
