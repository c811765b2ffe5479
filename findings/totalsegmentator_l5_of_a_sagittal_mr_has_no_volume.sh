#!/usr/bin/env bash
# TotalSegmentator 2.18.0, --statistics (volume and mean of each structure): a structure that comes within three voxels of any of the six sides of the picture counts as cut off, and is given volume 0 and intensity 0, in the
# place of nothing. The help speaks of the beginning or end of the image. A CT has hundreds of voxels each way; a sagittal MR has 15 slices, and three on each side leave 40 mm in the middle: every vertebra that
# is wider, as each lumbar one with its processes is, whole as it lies in view, has no volume and a signal of 0, which in a CT is the density of water, and a mean over patients or levels takes it along. The same
# body in voxels of 1 mm has both. --stats_include_incomplete gives them back. The picture is cut to whole numbers before its mean is taken, so that a map of T2 in seconds or an MR that was brought to 0 to 1 has a signal of 0
# in any vertebra, and nan under --stats_normalized_intensities, which is for such pictures. Nothing is said.
# Seen, an L5 44 mm wide of 41888 mm3 in 66 mm, signal 700: slices of 4.4 mm: 0, 0; voxels of 1 mm: 41888, 700; slices of 4.4 mm, included: 41888, 700; 35.2 mm wide: 33510, 700; of a signal of 0.105: 33510, 0; normalised nan.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 nibabel==5.4.2 tqdm==4.70.1
"$work/venv/bin/pip" install -q --no-deps TotalSegmentator==2.18.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import nibabel as nib
import numpy as np
from totalsegmentator.statistics import get_basic_statistics


def statistics(slices, thickness, width, signal=700.0, **options):
    labels = np.zeros((slices, 120, 120), np.uint8)
    first = round((slices - width / thickness) / 2)
    labels[first : first + round(width / thickness), 43:77, 46:74] = 2  # L5 of the task vertebrae_mr
    picture = nib.Nifti1Image(np.where(labels, signal, signal / 50).astype(np.float32), np.diag([thickness, 1, 1, 1]))
    found = get_basic_statistics(labels, picture, quiet=True, task="vertebrae_mr", roi_subset=["vertebrae_L5"], **options)["vertebrae_L5"]
    print(f"{slices} slices of {thickness} mm, {width} mm wide", options, f"volume {found['volume']:.0f}, intensity {found['intensity']:.3f}")
    return round(float(found["volume"])), round(float(found["intensity"]), 3)


whole = 44 * 34 * 28
assert statistics(15, 4.4, 44) == (0, 0)
assert statistics(66, 1.0, 44) == (whole, 700)
assert statistics(15, 4.4, 44, exclude_masks_at_border=False) == (whole, 700)
assert statistics(15, 4.4, 35.2) == (33510, 700)
assert statistics(15, 4.4, 35.2, signal=0.105) == (33510, 0)
assert np.isnan(statistics(15, 4.4, 35.2, signal=0.105, normalized_intensities=True)[1])
PY
