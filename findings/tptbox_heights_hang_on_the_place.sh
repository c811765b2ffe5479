#!/usr/bin/env bash
# TPTBox 1.1.0 (the toolbox under SPINEPS), measure_ivd_and_vertebra_geometry: the heights of a vertebra are taken
# along -(point below + centre) of the voxel indices, not along the way from the one to the other, so that they hang on where
# in the volume the vertebra lies: the same body has another height at another level, or with a margin around the volume.
# A disc's widths are taken along a mean with (point of the vertebra below - centre of this one), which points mostly down.
# mean_diameter counts the upper and the lower side: 1.41 times that of the circle of equal area.
# Seen, boxes of 40 x 30 mm (circle of equal area: 39.1), bodies 20 mm and discs 10 mm high, voxels of 1 mm:
#   body  height_center 37.1, 24.5, 22.0 for the three; with 40 mm more in front and above 29.7, 25.0, 23.0
#   disc  height_center 10.0, width_lateral 17.1, width_sagittal 17.1, mean_diameter 55.3
# Also seen: rtree, which it needs, is no requirement of the package: without it every value is nan and "error" says why.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir tptbox==1.1.0 rtree==1.4.1 trimesh==5.2.0 scikit-image==0.26.0 scikit-learn==1.9.1 \
  numpy==2.4.6 nibabel==5.4.2 SimpleITK==2.5.7
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from pathlib import Path

import nibabel
import numpy as np
from TPTBox import NII
from TPTBox.spine.spinestats.measure_ivd_and_vertebra_geometry import measure_ivd_and_vertebra_geometry as measure

BODY, DISC, ARCH, PROCESS, CANAL = 49, 100, 41, 42, 61


def spine(margin):
    """Three vertebrae and two discs; axes posterior, inferior, right, as the function demands."""
    levels = np.zeros((100 + margin, 110 + margin, 60), np.uint16)
    parts = levels.copy()
    for number, level in enumerate((20, 21, 22)):
        p, i, r = 10 + margin, 10 + margin + 30 * number, 10
        parts[p + 32 : p + 48, i : i + 30, r + 14 : r + 26] = CANAL
        for part, label, where in (
            (BODY, level, np.s_[p : p + 30, i : i + 20, r : r + 40]),
            (ARCH, level, np.s_[p + 30 : p + 50, i + 4 : i + 14, r + 8 : r + 12]),
            (ARCH, level, np.s_[p + 30 : p + 50, i + 4 : i + 14, r + 28 : r + 32]),
            (ARCH, level, np.s_[p + 50 : p + 56, i + 2 : i + 18, r + 8 : r + 32]),
            (PROCESS, level, np.s_[p + 56 : p + 80, i + 8 : i + 18, r + 17 : r + 23]),
            (DISC, 100 + level, np.s_[p : p + 30, i + 20 : i + 30, r : r + 40]),
        ):
            if label != 122:
                levels[where], parts[where] = label, part
    affine = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
    return [NII(nibabel.Nifti1Image(labels, affine), seg=True) for labels in (levels, parts)]


seen = {}
for margin in (0, 40):
    levels, parts = spine(margin)
    assert levels.orientation == ("P", "I", "R") and levels.zoom == (1, 1, 1)
    points = Path(f"points{margin}.json")
    discs = measure(None, levels, parts, buffer_poi=points)
    only = levels.set_array(np.where(parts.get_array() == BODY, levels.get_array(), 0))
    bodies = measure(None, only, parts, buffer_poi=points, structure_label=0)
    assert all(body["volume_voxel"] == 24000 for body in bodies.values())
    seen[margin] = [round(bodies[level]["height_center"], 1) for level in (20, 21, 22)]
    names = "height_center", "width_lateral_x5", "width_sagittal_x6", "mean_diameter"
    for level in (120, 121):
        seen[margin, level] = [round(discs[level][name], 1) for name in names]
print(*({key: [float(x) for x in values] for key, values in seen.items()}).items(), sep="\n")
assert np.allclose(seen[0], [37.1, 24.5, 22.0], atol=0.1)
assert np.allclose(seen[40], [29.7, 25.0, 23.0], atol=0.1)
for margin in (0, 40):
    assert np.allclose(seen[margin, 120], [10, 17.1, 17.1, 55.3], atol=0.1)
PY
