#!/usr/bin/env bash
# Cornerstone3D 5.14.0 (@cornerstonejs/tools, the measuring tools of OHIF), a film calibrated by hand, as by a ball of known size that lies beside the spine: calibrateImageSpacing takes a factor, by which every length on the film is to be
# divided. The tools divide by it, but along the rows of the film they leave out the pixel spacing that they go on heeding along its columns. A film of 0.143 mm is measured as one of 1 mm across and
# 0.143 mm down, over the factor: a vertebral body is seven times as wide as it is, its height is right, and a length at an angle is neither. It hangs on the spacing that
# the film came with: of 1 mm all is right, and so it is without a calibration. Nothing is said; the unit is "mm User" along and across.
# Seen, 200 px across, down, and both on pixels of 0.143 mm, without calibration 28.6, 28.6, 40.45; factor 1.1: 181.82, 26, 183.67, where 26, 26, 36.77 are due; pixels of 1 mm, factor 1.1:
# 181.82, 181.82, 257.13. Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @cornerstonejs/{tools,core,utils,metadata}@5.14.0 \
  @kitware/vtk.js@36.4.1 gl-matrix@3.4.3 d3-array@3.2.4 d3-interpolate@3.0.1 @babel/runtime@7.26.10
cat >film.js <<'JS'
import assert from 'node:assert';
import vtkImageData from '@kitware/vtk.js/Common/DataModel/ImageData.js';
import { Enums, utilities as core } from '@cornerstonejs/core';
import { LengthTool, utilities } from '@cornerstonejs/tools';

// What the product itself makes of a factor
utilities.calibrateImageSpacing('film', { getViewports: () => [] }, 1.1);
const calibrated = core.calibratedPixelSpacingMetadataProvider.get('calibratedPixelSpacing', 'film');
assert.deepStrictEqual(calibrated, { type: Enums.CalibrationTypes.USER, scale: 1.1 });

function length(pixel, calibration, across, down) {
  const spacing = [pixel, pixel, 1];
  const imageData = vtkImageData.newInstance({ spacing });
  imageData.setDimensions(2000, 2000, 1);
  const tool = new LengthTool();
  tool.getTargetImageData = () => ({ imageData, dimensions: [2000, 2000, 1], spacing, hasPixelSpacing: true, calibration });
  const points = [[100, 100, 0], [100 + across, 100 + down, 0]].map((index) => imageData.indexToWorld(index));
  const data = { handles: { points }, cachedStats: { film: {} } };
  tool._calculateCachedStats({ data, invalidated: false, metadata: {} }, null, { viewport: { element: {} } });
  return [data.cachedStats.film.length, data.cachedStats.film.unit];
}

function check(name, pixel, calibration, seen, unit) {
  const found = [[200, 0], [0, 200], [200, 200]].map(([across, down]) => length(pixel, calibration, across, down));
  console.log(name, JSON.stringify(found));
  found.forEach(([value, said], n) => {
    assert(Math.abs(value - seen[n]) < 0.005);
    assert.strictEqual(said, unit);
  });
}

const diagonal = Math.hypot(200, 200);
check('0.143 mm', 0.143, undefined, [28.6, 28.6, 0.143 * diagonal], 'mm');
check('0.143 mm, factor 1.1', 0.143, calibrated, [200 / 1.1, 26, Math.hypot(200 / 1.1, 26)], `mm ${Enums.CalibrationTypes.USER}`);
check('1 mm, factor 1.1', 1, calibrated, [200 / 1.1, 200 / 1.1, diagonal / 1.1], `mm ${Enums.CalibrationTypes.USER}`);
process.exit(0);
JS
node film.js
