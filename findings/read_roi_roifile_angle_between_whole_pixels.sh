#!/usr/bin/env bash
# ImageJ's .roi files, in which angles and end plates are drawn on films: a point has whole pixels and, where an option bit says so, its fractions
# behind them. read-roi 1.6.0 asks whether that bit is the only one. Where another option is set beside it (labels that are shown or scaled; roifile 2026.2.10
# sets two of the overlay's by itself), the whole pixels are taken and the fractions are gone: half a pixel a point, which turns an end plate of
# 20 pixels by up to 3 degrees. roifile reads them either way, and so does read-roi for a straight line. Nothing is said. Of a zip of
# ROIs that bear one name (an "L1" in each slice) read-roi keeps the last alone, roifile all.
# Seen, angle (10.4, 20.4), (30.4, 22.6), (50.4, 20.4): roifile 167.4 degrees; read-roi with the bit alone 167.4, as roifile writes it 162.9
# from (10, 20), (30, 23), (50, 20); three ROIs "L1" in a zip: roifile 3, read-roi 1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q roifile==2026.2.10 read-roi==1.6.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import math

import numpy as np
import read_roi
import roifile

POINTS = [[10.4, 20.4], [30.4, 22.6], [50.4, 20.4]]


def degrees(points):
    (x1, y1), (x, y), (x2, y2) = points
    turn = math.degrees(math.atan2(y1 - y, x1 - x) - math.atan2(y2 - y, x2 - x)) % 360
    return round(min(turn, 360 - turn), 1)


def read(options=None):
    roi = roifile.ImagejRoi.frompoints(np.array(POINTS), name="cobb")
    roi.roitype = roifile.ROI_TYPE.ANGLE
    roi.options = roi.options if options is None else options
    roi.tofile("cobb.roi")
    first, found = roifile.ImagejRoi.fromfile("cobb.roi"), read_roi.read_roi_file("cobb.roi")["cobb"]
    assert np.allclose(first.coordinates(), POINTS) and first.roitype == roifile.ROI_TYPE.ANGLE and found["type"] == "angle"
    second = list(zip(found["x"], found["y"]))
    print(first.options, degrees(first.coordinates().tolist()), degrees(second), second)
    return degrees(second), second


bit = roifile.ROI_OPTIONS
assert read(bit.SUB_PIXEL_RESOLUTION)[0] == degrees(POINTS)
assert read()[1] == [(10, 20), (30, 23), (50, 20)]
assert read(bit.SUB_PIXEL_RESOLUTION | bit.SCALE_LABELS)[0] == read(bit.SUB_PIXEL_RESOLUTION | bit.SHOW_LABELS)[0] == 162.9

line = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.LINE, x1=10.25, y1=20.75, x2=40.5, y2=22.25)
line.tofile("line.roi")
found = read_roi.read_roi_file("line.roi")["line"]
print("line", [found[key] for key in ("x1", "y1", "x2", "y2")])
assert [found[key] for key in ("x1", "y1", "x2", "y2")] == [10.25, 20.75, 40.5, 22.25]

same = [roifile.ImagejRoi.frompoints(np.array(POINTS) + shift, name="L1") for shift in range(3)]
roifile.roiwrite("levels.zip", same, mode="w")
counts = len(roifile.roiread("levels.zip")), len(read_roi.read_roi_zip("levels.zip"))
print("of three ROIs named L1:", counts)
assert counts == (3, 1)
PY
