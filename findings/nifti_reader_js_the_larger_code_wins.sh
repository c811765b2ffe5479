#!/usr/bin/env bash
# nifti-reader-js 0.8.0 (under the NIfTI readers of NiiVue, Cornerstone3D, Papaya and others) and nibabel 5.4.2, one NIfTI file with both matrices:
# nibabel takes the sform whenever its code is set; nifti-reader-js the one with the larger code, the sform when they are equal.
# So a mask whose qform says aligned (2) beside an sform of the scanner (1), as a registration that writes one of them leaves
# it, lies elsewhere in the browser than where it was made (and by SimpleITK's rule, again another, the sform only of code 1).
# With both codes 0 the picture is mirrored between them: RAS from (0, 0, 0) in the browser, LAS about its middle in nibabel.
# Seen (x of the first voxel; sform says 10, qform 20): sform 1 qform 1: 10, 10; sform 1 qform 2: nifti-reader-js 20, nibabel 10; sform 2 qform 1:
# 10, 10; sform 0 qform 1: 20, 20; none: 0, step +2; nibabel 3, step -2. Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q nibabel==5.4.2 numpy==2.4.6
cd "$work"
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts nifti-reader-js@0.8.0
cat >read.js <<'JS'
import fs from 'node:fs';
import * as nifti from 'nifti-reader-js';

const file = fs.readFileSync(process.argv[2]);
const { affine } = nifti.readHeader(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
console.log(JSON.stringify([affine[0][3], affine[0][0]]));
JS
"$work/venv/bin/python" - <<'PY'
import json
import subprocess

import nibabel as nib
import numpy as np

EXPECTED = {
    (1, 1): ([10, 2], [10, 2]),
    (1, 2): ([20, 2], [10, 2]),
    (2, 1): ([10, 2], [10, 2]),
    (0, 1): ([20, 2], [20, 2]),
    (0, 0): ([0, 2], [3, -2]),
}
for (sform, qform), expected in EXPECTED.items():
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), None)
    for x, set_matrix, code in ((10, image.set_sform, sform), (20, image.set_qform, qform)):
        matrix = np.diag([2.0, 2, 2, 1])
        matrix[0, 3] = x
        set_matrix(matrix, code)
    nib.save(image, "volume.nii")
    affine = nib.load("volume.nii").affine
    browser = json.loads(subprocess.check_output(["node", "read.js", "volume.nii"]))
    seen = browser, [float(affine[0, 3]), float(affine[0, 0])]
    print("sform", sform, "qform", qform, "nifti-reader-js", seen[0], "nibabel", seen[1])
    assert seen == expected
PY
