#!/usr/bin/env bash
# SimpleITK 2.5.7 (ITK 5.4): a JPEG or TIFF that names a density for printing is given a spacing in mm by it: a film exported
# at 96 dpi is one of 0.265 mm a pixel, at 300 dpi one of 0.085, whatever its true scale, and lengths come out in "mm". The same
# density in a PNG or BMP, or in the Exif block of a JPEG, is left alone (1.0). A spacing that ITK itself writes comes
# back from PNG and TIFF, not from JPEG, where it is put into the density as an aspect ratio, nor from BMP.
# Seen, 96 dpi: jpg 0.2646, tif 0.2646, png 1.0, bmp 1.0; 0.143 x 0.3 mm written: jpg 1.0 x 1.0, png and tif 0.143 x 0.3, bmp 1.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q SimpleITK==2.5.7 pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import numpy as np
import SimpleITK as sitk
from PIL import Image


def spacing(name):
    return tuple(round(side, 4) for side in sitk.ReadImage(name).GetSpacing())


film = Image.fromarray(np.zeros((20, 30), np.uint8))
known = sitk.Image(30, 20, sitk.sitkUInt8)
known.SetSpacing((0.143, 0.3))
for kind in ("jpg", "tif", "png", "bmp"):
    film.save(f"plain.{kind}")
    seen = [spacing(f"plain.{kind}")]
    for dpi in (96, 300):
        film.save(f"dense.{kind}", dpi=(dpi, dpi))
        seen.append(spacing(f"dense.{kind}"))
    sitk.WriteImage(known, f"known.{kind}")
    seen.append(spacing(f"known.{kind}"))
    print(kind, "none, 96 dpi, 300 dpi, 0.143 x 0.3 mm written by ITK:", *seen)
    dense = [(0.2646, 0.2646), (0.0847, 0.0847)] if kind in ("jpg", "tif") else [(1, 1), (1, 1)]
    assert seen == [(1, 1), *dense, (0.143, 0.3) if kind in ("png", "tif") else (1, 1)]
exif = Image.Exif()
exif[0x011A] = exif[0x011B] = 96.0
exif[0x0128] = 2
film.save("exif.jpg", exif=exif)
print("density in Exif alone", spacing("exif.jpg"))
assert spacing("exif.jpg") == (1, 1)
PY
