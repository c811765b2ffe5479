#!/usr/bin/env bash
# OpenCV 5.0.0 (opencv-python-headless 5.0.0.93): IMREAD_UNCHANGED and IMREAD_IGNORE_ORIENTATION promise pixels as they
# are stored, and keep it for JPEG and PNG. A TIFF with an Orientation tag is turned all the same, so that a tool which
# reads the tag itself and asks for stored pixels turns it twice. For turns by 90 degrees (5 to 8) imread gives None,
# whatever the flags, while imdecode of the same bytes gives the turned picture.
# Seen, orientation 6 of a 4 x 3 picture with GRAYSCALE, UNCHANGED, GRAYSCALE | IGNORE_ORIENTATION:
#   jpg imread (3, 4) (4, 3) (4, 3)   imdecode (3, 4) (4, 3) (4, 3)
#   png imread (3, 4) (4, 3) (4, 3)   imdecode (3, 4) (4, 3) (4, 3)
#   tif imread None None None         imdecode (3, 4) (3, 4) (3, 4)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" - <<'PY' 2>/dev/null
import cv2
import numpy as np
from PIL import Image

grey = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(4, 3))
exif = Image.Exif()
exif[274] = 6
grey.save("film.jpg", exif=exif)
grey.save("film.png", exif=exif)
grey.save("film.tif", tiffinfo={274: 6})
grey.save("upside_down.tif", tiffinfo={274: 3})
flags = cv2.IMREAD_GRAYSCALE, cv2.IMREAD_UNCHANGED, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
for kind in ("jpg", "png", "tif"):
    read = [cv2.imread(f"film.{kind}", flag) for flag in flags]
    decoded = [cv2.imdecode(np.fromfile(f"film.{kind}", np.uint8), flag) for flag in flags]
    shapes = [None if picture is None else picture.shape for picture in read], [picture.shape for picture in decoded]
    print(kind, *shapes)
    if kind == "tif":
        assert shapes == ([None] * 3, [(3, 4)] * 3)
    else:
        assert shapes == ([(3, 4), (4, 3), (4, 3)],) * 2
for flag in flags:
    assert cv2.imread("upside_down.tif", flag).ravel().tolist() == list(range(12))[::-1]
PY
