#!/usr/bin/env bash
# Pillow 13.0.0: an uncompressed grey TIFF whose Orientation (tag 274) is 5, 6, 7 or 8 is scrambled when it is opened by
# its file name, and right when the same bytes are opened as a stream. Opened by name the rows are mapped into memory,
# at the row length of the picture after turning. Nothing is raised. Compressed files are right either way.
# Seen: name   [[8, 4, 0], [9, 5, 1], [10, 6, 2], [11, 7, 3]]   (4 x 3)
#       stream [[9, 6, 3, 0], [10, 7, 4, 1], [11, 8, 5, 2]]     (3 x 4), the 4 x 3 picture 0..11 turned clockwise
# Also seen: Image.size before loading is that after turning; JPEG and PNG with the same tag are not turned at all.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import io

import numpy as np
from PIL import Image

grey = np.arange(12, dtype=np.uint8).reshape(4, 3)
Image.fromarray(grey).save("film.tif", tiffinfo={274: 6})
name = np.asarray(Image.open("film.tif"))
stream = np.asarray(Image.open(io.BytesIO(open("film.tif", "rb").read())))
print("name  ", name.tolist())
print("stream", stream.tolist())
assert stream.tolist() == np.rot90(grey, -1).tolist()
assert name.tolist() == [[8, 4, 0], [9, 5, 1], [10, 6, 2], [11, 7, 3]]
Image.fromarray(grey).save("packed.tif", tiffinfo={274: 6}, compression="tiff_lzw")
assert np.asarray(Image.open("packed.tif")).tolist() == stream.tolist()
exif = Image.Exif()
exif[274] = 6
Image.fromarray(grey).save("film.png", exif=exif)
assert np.asarray(Image.open("film.png")).shape == (4, 3)
PY
