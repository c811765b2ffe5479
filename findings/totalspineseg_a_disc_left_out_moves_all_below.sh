#!/usr/bin/env bash
# TotalSpineSeg 20260807, extract_levels (its folder step1_levels: one voxel a disc, numbered as the Spinal Cord Toolbox does, 3 for C2/C3 to 25 for L5/S1): the discs of a
# segmentation each have a label of their own, but the numbers given out are those from the first disc on without a gap. Where one is missing, as it is
# in a block vertebra, a metal artefact or a network's slip, every disc below is a level too high: L5/S1 becomes 24, which is L4/L5, in a file
# whose segmentation names it rightly. So it is with eleven thoracic vertebrae. Discs missing above the first one do no harm. What goes by
# these points (registration to the template, levels of the cord) is one vertebra off. Nothing is said.
# Seen, discs 63-67 71-82 91-95 100: all: 91 93 100 are 20 22 25; without 92 (L1/L2): 20 21 24; without 82 (T11/T12): 19 21 24; from 91 on: 20 22 25.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 nibabel==5.4.2 tqdm==4.70.1
"$work/venv/bin/pip" install -q --no-deps totalspineseg==20260807
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import importlib.util
import sys
import types
from pathlib import Path

import nibabel as nib
import numpy as np

# The package itself asks for PyTorch; this module of it does not.
package = types.ModuleType("totalspineseg")
package.__path__ = list(importlib.util.find_spec("totalspineseg").submodule_search_locations)
sys.modules["totalspineseg"] = package
from totalspineseg.utils.extract_levels import extract_levels_mp  # noqa: E402

# As the package's own inference.py hands them on: C2/C3 to C6/C7, C7/T1 to T11/T12, T12/L1 to L4/L5, L5/S1.
DISCS = [*range(63, 68), *range(71, 83), *range(91, 96), 100]


def numbers(discs):
    """Number of each disc by its label, of a straight spine in voxels of 1 mm (RAS) with a canal behind the discs."""
    spine = np.zeros((30, 80, 600), np.uint8)
    spine[9:21, 14:26] = 2
    for place, label in enumerate(DISCS):
        if label in discs:
            spine[3:27, 30:60, 576 - 24 * place : 584 - 24 * place] = label
    nib.save(nib.Nifti1Image(spine, np.eye(4)), "in/spine.nii.gz")
    extract_levels_mp("in", "out", canal_labels=[1, 2], disc_labels=DISCS, c1_label=11, c2_label=50, overwrite=True, max_workers=1, quiet=True)
    points = nib.load("out/spine.nii.gz").get_fdata().astype(int)
    return {int(spine[tuple(at)]): int(points[tuple(at)]) for at in np.argwhere(points)}


def check(name, discs, expected):
    found = numbers(discs)
    print(name, found)
    assert set(found) == set(discs) and [found[label] for label in (91, 93, 100)] == expected


Path("in").mkdir()
check("all", DISCS, [20, 22, 25])
check("without L1/L2", [label for label in DISCS if label != 92], [20, 21, 24])
check("without T11/T12", [label for label in DISCS if label != 82], [19, 21, 24])
check("from T12/L1 on", [label for label in DISCS if label > 90], [20, 22, 25])
PY
