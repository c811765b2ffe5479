#!/usr/bin/env bash
# dbdicom 0.3.21 (DICOM databases in Python), sop_classes.segmentation, masks to a DICOM segmentation of 1 bit: of each byte the first pixel is the lowest bit (PS3.5 8.1.1 and annex D), dbdicom packs it as the
# highest. Every run of eight pixels along a row is turned round in itself, by itself: an outline that ends within a run is torn off, moved by up to seven pixels, and a body of odd place comes out in two parts. What is
# even all over a run, as the inside of a large body, stays, and so do counts, areas and volumes. highdicom 0.28.2 reads the file without a word, and so does pydicom 3.0.2.
# Seen, a body of columns 5 to 14 of 24: columns 0 to 2 and 9 to 15 in the file, 80 pixels a slice in both; a body of columns 8 to 15 is as it was.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
"$work/venv/bin/pip" install -q --no-compile --no-deps dbdicom==0.3.21
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import importlib.util
import sys
import types

import highdicom as hd
import numpy as np
import pydicom

# The package itself asks for much else; this module of it does not.
root = importlib.util.find_spec("dbdicom").submodule_search_locations[0]
for name, path in (("dbdicom", root), ("dbdicom.sop_classes", f"{root}/sop_classes")):
    part = types.ModuleType(name)
    part.__path__ = [path]
    sys.modules[name] = part
from dbdicom.sop_classes.segmentation import create_multiframe_segmentation  # noqa: E402


def columns(first, last):
    body = np.zeros((4, 16, 24), np.uint8)
    body[1:3, 4:12, first:last] = 1
    made = create_multiframe_segmentation({"L1": body}, pixel_spacing=(1, 1), slice_thickness=4, origin=(0, 0, 0))
    made.save_as("body.dcm", enforce_file_format=True)
    read = pydicom.dcmread("body.dcm").pixel_array
    assert np.array_equal(hd.seg.segread("body.dcm").pixel_array, read)
    found = [np.flatnonzero(picture[1].any(0)).tolist() for picture in (body, read)]
    print(f"columns {first} to {last - 1}:", found[1], "pixels a slice", read.sum((1, 2)).tolist())
    assert read.sum((1, 2)).tolist() == body.sum((1, 2)).tolist()
    return found


before, after = columns(5, 15)
assert before == list(range(5, 15)) and after == [0, 1, 2, 9, 10, 11, 12, 13, 14, 15]
before, after = columns(8, 16)
assert before == after == list(range(8, 16))
PY
