#!/usr/bin/env bash
# dcmjs 0.52.2 (OHIF, Cornerstone3D): a number that takes more than the 16 characters of a Decimal String is cut after the
# sixteenth, exponent and all. What trigonometry leaves of a zero, cos(90 degrees) = 6.123233995736766e-17, becomes
# 6.12323399573676: a sagittal plane that was computed is written with direction cosines of 6, a slope of 2e-7 as 2. The log
# says "Truncating value ... because it is longer than 16", as it does for every third of a mm, which loses nothing.
# Seen, read by pydicom 3.0.2: ImageOrientationPatient [6.12323399573676, 1, 0, 0, 0, -1] for [6e-17, 1, 0, 0, 0, -1]; RescaleSlope
# 2.34567890123456 for 2.3456789012345678e-7; PixelSpacing of 1/3 0.33333333333333. Needs node and npm; left out without.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts dcmjs@0.52.2
cat >write.cjs <<'JS'
const { DicomDict, DicomMetaDictionary } = require('dcmjs').data;
const quarter = Math.PI / 2;
const slice = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
  ImageOrientationPatient: [Math.cos(quarter), Math.sin(quarter), 0, 0, 0, -1],
  PixelSpacing: [1 / 3, 0.5],
  RescaleSlope: 2.3456789012345678e-7,
};
const file = new DicomDict({ '00020010': { vr: 'UI', Value: ['1.2.840.10008.1.2.1'] } });
file.dict = DicomMetaDictionary.denaturalizeDataset(slice);
require('fs').writeFileSync('slice.dcm', Buffer.from(file.write()));
JS
node write.cjs >said.txt 2>&1
cat said.txt
"$work/venv/bin/python" - <<'PY'
from pathlib import Path

import pydicom

said = Path("said.txt").read_text().splitlines()
assert len(said) == 3 and all(line.startswith("Truncating value") for line in said), said
slice_ = pydicom.dcmread("slice.dcm")
print(slice_.ImageOrientationPatient, slice_.RescaleSlope, slice_.PixelSpacing)
assert [float(x) for x in slice_.ImageOrientationPatient] == [6.12323399573676, 1, 0, 0, 0, -1]
assert float(slice_.RescaleSlope) == 2.34567890123456
assert abs(slice_.PixelSpacing[0] - 1 / 3) < 1e-13
PY
