#!/usr/bin/env bash
# miseval 1.3.0 (MISeval, metrics of segmentations), its two Hausdorff distances. "SimpleHausdorffDistance" hands the masks to hausdorff 0.2.6 as they are, which takes a matrix for a list of points, a row each: what is measured is
# how far the rows of one picture, as points of as many dimensions as there are columns, are from those of the other. Where the same rows occur anywhere in both it is 0, so that a vertebra that was found one level too low is
# found exactly; moved to the side it is the root of twice the columns. The class asked for is left out, and in a picture of levels the numbers of these count: L3 named as L4 has a distance of its own, a level
# that was met has that of any other. "AverageHausdorffDistance" averages nothing and is the greatest distance, in pixels. Nothing is said of either.
# Seen, a body of 20 x 30 pixels: 60 pixels lower: simple 0, average 60; 1 lower: 0, 1; 3 to the side: 2.45, 3; 10 to the side: 4.47, 10; two bodies, the second 6 to the side, class 1: simple 6.93, average 0, class 2: 6.93, 6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 scipy==1.17.1 numba==0.68.1 hausdorff==0.2.6
"$work/venv/bin/pip" install -q --no-compile --no-deps miseval==1.3.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import importlib.util
import sys
import types

import numpy as np

# The package itself asks for scikit-learn; this module of it does not.
package = types.ModuleType("miseval")
package.__path__ = list(importlib.util.find_spec("miseval").submodule_search_locations)
sys.modules["miseval"] = package
from miseval.hausdorff import calc_AverageHausdorffDistance, calc_SimpleHausdorffDistance  # noqa: E402


def body(row, column, level=1):
    mask = np.zeros((120, 120), np.int64)
    mask[row : row + 20, column : column + 30] = level
    return mask


def distances(what, truth, found, level=1):
    seen = [round(float(measure(truth, found, c=level)), 2) for measure in (calc_SimpleHausdorffDistance, calc_AverageHausdorffDistance)]
    print(f"{what}: simple {seen[0]}, average {seen[1]}")
    return seen


truth = body(20, 40)
assert distances("where it is", truth, truth) == [0, 0]
assert distances("60 lower", truth, body(80, 40)) == [0, 60]
assert distances("1 lower", truth, body(21, 40)) == [0, 1]
assert distances("3 to the side", truth, body(20, 43)) == [2.45, 3]
assert distances("10 to the side", truth, body(20, 50)) == [4.47, 10]
two = truth + body(60, 40, 2)
found = truth + body(60, 46, 2)
assert distances("two bodies, the first, which was met", two, found, 1) == [6.93, 0]
assert distances("two bodies, the second, 6 to the side", two, found, 2) == [6.93, 6]
PY
