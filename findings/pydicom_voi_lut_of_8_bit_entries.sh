#!/usr/bin/env bash
# pydicom 3.0.2: apply_voi_lut and apply_voi count the entries of a VOI LUT in the type of its values. A table of 8-bit
# entries (third value of LUTDescriptor 8) with more than 256 of them, as a 12-bit film shown on 8 bits has, is read
# modulo 256: the picture comes out in bands, without an error. PS3.3 C.11.2.1.1 allows any number of entries.
# Seen: values   [0, 100, 255, 256, 1000, 4095]
#       pydicom  [0, 6, 15, 0, 14, 15]
#       the table [0, 6, 15, 16, 62, 255]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6
"$work/venv/bin/python" - <<'PY'
import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import apply_voi_lut

table = [value >> 4 for value in range(4096)]
item = Dataset()
item.LUTDescriptor = [4096, 0, 8]
item["LUTDescriptor"].VR = "US"
item.LUTData = table
item["LUTData"].VR = "US"
film = Dataset()
film.VOILUTSequence = [item]
stored = np.array([0, 100, 255, 256, 1000, 4095], np.uint16)
shown = apply_voi_lut(stored, film)
print("pydicom  ", shown.tolist())
print("the table", [table[value] for value in stored])
assert shown.tolist() == [0, 6, 15, 0, 14, 15]
PY
