#!/usr/bin/env bash
# mdai 0.16.0 (the Python library of MD.ai, on which films are annotated for training sets), common_utils, a mask drawn there and exported as polygons, back to an array: convert_mask_annotation_to_array makes the array width x height, where
# rows come first. The polygons are drawn at their places, and what does not fit is cut off. Of a tall film, as one of a whole spine is, everything below row number "width" is gone, the lumbar spine first; of a wide one everything beyond column number
# "height". Square pictures show nothing. convert_mask_data, its way there (a network's mask to polygons), runs along the border pixels of a hole, which lie on the mask, and the way back takes these off: each hole, as a spinal canal
# or the hollow of a ring, is wider by a pixel on every side. Nothing is said.
# Seen, a film 100 wide and 300 high with bodies of 800 pixels in rows 40 to 59 and 240 to 259: array 100 x 300, 800 of 1600 pixels, to row 59; on its side, 300 wide and 100 high: array 300 x 100, 800 of 1600; a body of 40 x 40 with a hole of 20
# x 20, in 300 x 300: 1120 of 1200 pixels.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 pandas==2.3.3 opencv-python-headless==5.0.0.93 nibabel==5.4.2 pydicom==3.0.2 tqdm==4.70.1
"$work/venv/bin/pip" install -q --no-deps mdai==0.16.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import importlib.metadata
import importlib.util

import numpy as np
import pandas as pd

# by its file: the package as a whole asks for a good deal more
place = importlib.metadata.distribution("mdai").locate_file("mdai/utils/common_utils.py")
module = importlib.util.spec_from_file_location("common_utils", place)
utils = importlib.util.module_from_spec(module)
module.loader.exec_module(utils)


def there_and_back(mask):
    height, width = mask.shape
    row = pd.Series({"width": width, "height": height, "data": utils.convert_mask_data(mask)})
    back = utils.convert_mask_annotation_to_array(row)
    last = int(np.argwhere(back)[:, 0].max())
    print(f"{height} rows x {width} columns: array {back.shape}, {int(back.sum())} of {int(mask.sum())} pixels, to row {last}")
    return back.shape, int(back.sum()), last


tall = np.zeros((300, 100), np.uint8)
tall[40:60, 30:70] = tall[240:260, 30:70] = 1
assert there_and_back(tall) == ((100, 300), 800, 59)
assert there_and_back(np.ascontiguousarray(tall.T)) == ((300, 100), 800, 69)
hollow = np.zeros((300, 300), np.uint8)
hollow[40:80, 30:70] = 1
hollow[50:70, 40:60] = 0
assert there_and_back(hollow) == ((300, 300), 1120, 79)
PY
