#!/usr/bin/env bash
# Cornerstone3D 5.14.0 (@cornerstonejs/metadata, the pixel sizes of OHIF): on CR and DX films without a calibration type, Pixel
# Spacing gives way to Imager Pixel Spacing over the magnification that it works out for itself, even where the two differ,
# by which PS3.3 10.7.1.3 says that Pixel Spacing is corrected already. Where Distance Source to Patient is missing, Distance Source to
# Entrance stands in for it, the distance to the skin: everything is taken to lie there, on the side of the tube, and comes
# out too short. (dwv 0.36.4 goes by Pixel Spacing wherever there is one.)
# Seen, Imager Pixel Spacing 0.143, source to detector 1800: Pixel Spacing 0.143 and patient 1500: 0.1192; none and entrance 1400:
# 0.1112; Pixel Spacing 0.131 and patient 1500: 0.1192; the same of type FIDUCIAL: 0.131. Needs node and npm; left out without.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @cornerstonejs/{metadata,utils}@5.14.0 gl-matrix@3.4.3
cat >film.js <<'JS'
import assert from 'node:assert';
import { utilities } from '@cornerstonejs/metadata';

const film = { SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1', ImagerPixelSpacing: [0.143, 0.143], DistanceSourceToDetector: 1800 };
const plain = [0.143, 0.143];
const corrected = [0.131, 0.131];
const expected = [
  [{ PixelSpacing: plain, DistanceSourceToPatient: 1500 }, 0.1192, 'ERMF'],
  [{ DistanceSourceToEntrance: 1400 }, 0.1112, 'ERMF'],
  [{ PixelSpacing: corrected, DistanceSourceToPatient: 1500 }, 0.1192, 'ERMF'],
  [{ PixelSpacing: corrected, DistanceSourceToEntrance: 1400 }, 0.1112, 'ERMF'],
  [{ PixelSpacing: corrected, DistanceSourceToPatient: 1500, PixelSpacingCalibrationType: 'FIDUCIAL' }, 0.131, 'Calibrated'],
];
for (const [tags, size, kind] of expected) {
  const { PixelSpacing, type } = utilities.getPixelSpacingInformation({ ...film, ...tags });
  console.log(JSON.stringify(tags), PixelSpacing[0].toFixed(4), type);
  assert(Math.abs(PixelSpacing[0] - size) < 5e-5);
  assert.equal(type, kind);
}
process.exit(0);
JS
node film.js
