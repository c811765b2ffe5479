#!/usr/bin/env bash
# NiiVue 0.69.0 (viewer of volumes in the browser), MetaImage (.mha): after the last line of the header every byte of 10, the sign for a new line, is left out, and voxels follow at once. Of an 8-bit film whose corner is of grey 10 the
# first pixels go: all of a dark border of 10, up to the first pixel that is none, so that the rest moves up and to the side by as many, with its edges broken across the lines, and the picture ends early.
# A mask whose first voxel has label 10 (VerSe's T3) moves by a column. A film of 16 bits whose first value is 10, or any with 10 in its low byte, such as 266, raises a RangeError on the length, one
# in 256 where values are as they come. Size, spacing and place are right. SimpleITK 2.5.7 reads all of them. What is said of the
# first two is "100% of voxels are zero", about the brightness.
# Seen, 40 columns x 30 rows, a body of 200 at rows 10 to 19, columns 10 to 24: border 9: there, 1200 pixels; border 10, five rows and a half: begins at row 4, column 30, of 980 pixels; mask with first voxel 10:
# begins a column earlier, 1199; 16 bits, first value 266: RangeError. Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q SimpleITK==2.5.7 numpy==2.4.6
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @niivue/niivue@0.69.0
venv/bin/python - <<'PY'
import numpy as np
import SimpleITK as sitk

film = np.full((1, 30, 40), 50, np.uint8)
film[0, 10:20, 10:25] = 200
films = {name: film.copy() for name in ("nine", "ten", "mask")}
for name, grey in (("nine", 9), ("ten", 10)):
    films[name][0, :5] = films[name][0, 5, :20] = grey
films["mask"][0, 0, 0] = 10
films["bits"] = film.astype(np.uint16)
films["bits"][0, 0, 0] = 266
for name, values in films.items():
    sitk.WriteImage(sitk.GetImageFromArray(values), f"{name}.mha")
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(f"{name}.mha")), values)
PY
cat >film.js <<'JS'
import assert from 'node:assert';
import fs from 'node:fs';
import { NVImage } from '@niivue/niivue';

async function begins(name) {
  const bytes = fs.readFileSync(`${name}.mha`);
  const image = await NVImage.new(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), `${name}.mha`);
  const first = image.img.indexOf(200);
  const found = [Math.floor(first / 40), first % 40, image.img.length];
  console.log(name, found, image.hdr.dims.slice(1, 4));
  assert.deepStrictEqual(Array.from(image.hdr.dims.slice(1, 4)), [40, 30, 1]);
  return found;
}

assert.deepStrictEqual(await begins('nine'), [10, 10, 1200]);
assert.deepStrictEqual(await begins('ten'), [4, 30, 980]);
assert.deepStrictEqual(await begins('mask'), [10, 9, 1199]);
await assert.rejects(begins('bits'), RangeError);
process.exit(0);
JS
node film.js
