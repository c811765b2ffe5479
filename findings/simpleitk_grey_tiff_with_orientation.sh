#!/usr/bin/env bash
# SimpleITK 2.5.7 (ITK 5.4): a grey TIFF with an Orientation tag comes back as RGBA for 2, 3, 5, 6, 7 and 8, and the
# turn is not the one the tag asks for: 5 to 8 are only mirrored, never turned by 90 degrees. Orientation 4 is turned
# over and stays grey. The same tag in a JPEG or PNG is ignored. Nothing is said.
# Seen, orientation 6 of the 4 x 3 picture 1..12: shape (4, 3, 4), red channel [[3, 2, 1], [6, 5, 4], [9, 8, 7],
# [12, 11, 10]], a mirror image; turned clockwise it would be [[10, 7, 4, 1], [11, 8, 5, 2], [12, 9, 6, 3]].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q simpleitk==2.5.7 pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import numpy as np
import SimpleITK as sitk
from PIL import Image

grey = np.arange(1, 13, dtype=np.uint8).reshape(4, 3)
for orientation in range(1, 9):
    Image.fromarray(grey).save("film.tif", tiffinfo={274: orientation})
    read = sitk.GetArrayFromImage(sitk.ReadImage("film.tif"))
    print(orientation, read.shape, read.reshape(4, 3, -1)[..., 0].tolist())
    assert read.shape == ((4, 3) if orientation in (1, 4) else (4, 3, 4))
    if orientation == 6:
        assert read[..., 0].tolist() == grey[:, ::-1].tolist()
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(grey).save("film.png", exif=exif)
    assert sitk.GetArrayFromImage(sitk.ReadImage("film.png")).tolist() == grey.tolist()
PY
