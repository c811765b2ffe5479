#!/usr/bin/env bash
# TotalSegmentator 2.18.0, the heights of its spine report (totalseg_spine_report): they are taken along the line through the centroids of the two
# neighbours, at 15, 50 and 85 % of the way across it, not along the body. A body that is turned against its neighbours, whole as it is, is cut
# across its corners: from 25 degrees on it has "lost" more than the fifth by which the report says fracture. A true wedge is made small by the 15 %:
# one that lost a quarter of its height in front, grade 1 or 2 of Genant, has 14 to 18 % and passes. Every height ends half a
# voxel inside the body at both ends, so that 24 mm are 23 in voxels of 1 mm and 20 in slices of 5, and in those a turn of 20 degrees is a fracture, a loss of
# a quarter none. Of all slices across the body the one with the largest difference is kept. Nothing is said.
# Seen, bodies of 40 x 30 x 24 mm, the middle one changed, posterior, middle, anterior and height_difference: whole 23 23 23 0; turned by 20 degrees 23 25 23
# 0.08, by 25 18.5 25 18.5 0.26, by 30 16 27 16 0.41; a quarter lost in front 22.5 20.5 18.5 0.18; in slices of 5 mm: whole 20 20 20, turned by 20
# degrees 17.5 22.5 22.5 0.22, a quarter lost 17.5 17.5 17.5 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 nibabel==5.4.2 scikit-image==0.26.0 matplotlib==3.10.9 \
  imgkit==1.2.3 jinja2==3.1.6 xmltodict==1.0.4 pandas==3.1.1
"$work/venv/bin/pip" install -q --no-deps TotalSegmentator==2.18.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import contextlib
import io
import json
from pathlib import Path

import nibabel as nib
import numpy as np
from totalsegmentator.spine_report.measure_verte_height import get_verte_height

NAMES = {1: "vertebrae_L1", 2: "vertebrae_L2", 3: "vertebrae_L3"}


def measured(spacing, turned=0, lost=0.0):
    """Three bodies, 34 mm from middle to middle; the second is turned by degrees, or has lost a part of its height in front."""
    size = 70, 110, 162
    shape = [int(np.ceil(mm / step)) for mm, step in zip(size, spacing)]
    x, y, z = np.meshgrid(*((np.arange(n) + 0.5) * step for n, step in zip(shape, spacing)), indexing="ij", sparse=True)
    bodies = np.zeros(shape, np.uint8)
    for number in NAMES:
        turn = np.deg2rad(turned) if number == 2 else 0
        across, along = y - shape[1] * spacing[1] / 2, z - (132 - 34 * (number - 0.5))
        front, up = across * np.cos(turn) + along * np.sin(turn), along * np.cos(turn) - across * np.sin(turn)
        top = 12 - 24 * (lost if number == 2 else 0) * (front + 15) / 30
        bodies[(abs(x - shape[0] * spacing[0] / 2) < 20) & (abs(front) < 15) & (up > -12) & (up < top)] = number
    mask = nib.Nifti1Image(bodies, np.diag([*spacing, 1]))
    image = nib.Nifti1Image(np.full(shape, 200, np.int16), mask.affine)
    with contextlib.redirect_stdout(io.StringIO()):
        get_verte_height(image, mask, NAMES, mask, {}, None, None, "heights.json", False, horizontal_mask_type="raw")
    found = json.loads(Path("heights.json").read_text())
    heights = [found[f"vertebrae_L2_height_{place}_mm"] for place in ("posterior", "middle", "anterior")]
    print(spacing, f"turned by {turned}, {lost:.0%} lost:", heights, found["vertebrae_L2_height_difference"])
    return heights, found["vertebrae_L2_height_difference"]


fine, thick = (1, 1, 1), (0.8, 0.8, 5)
assert measured(fine) == ([23, 23, 23], 0)
assert measured(fine, turned=20) == ([23, 25, 23], 0.08)
assert measured(fine, turned=25) == ([18.5, 25, 18.5], 0.26)
assert measured(fine, turned=30) == ([16, 27, 16], 0.41)
assert measured(fine, lost=0.25) == ([22.5, 20.5, 18.5], 0.18)
assert measured((1.5, 1.5, 1.5), lost=0.25)[1] == 0.14
assert measured(thick) == ([20, 20, 20], 0)
assert measured(thick, turned=20) == ([17.5, 22.5, 22.5], 0.22)
assert measured(thick, lost=0.25) == ([17.5, 17.5, 17.5], 0)
PY
