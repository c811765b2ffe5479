#!/usr/bin/env bash
# Cornerstone3D 5.14.0 (@cornerstonejs/tools, the measuring tools of OHIF), HeightTool, the height between two points: it takes the height in mm and multiplies it by the pixel spacing once more, as if it had been in pixels, and
# calls it mm. A vertebra of 23 mm is one of 11.5 on pixels of 0.5 mm, of 3.3 on a film of 0.143 mm. Which axis is up is guessed from which of the three differences is exactly 0. Drawn straight
# up two are: of a sagittal or coronal slice the height is 0 then, and so it is on a film, and from front to back on an axial slice; a pixel to the side it is not. In a slice that is
# tilted, as along a scoliotic spine, none is 0, and the height is no number, for which nothing is shown. The length tool beside it is right in each. Nothing is said.
# Seen, points 23 mm one above the other, pixels of 0.5 mm, straight and 0.5 mm aside: film, sagittal, coronal, and from front to back on an axial slice 0, 11.5; sagittal tilted by 10 degrees 11.33, NaN; film of
# 0.143 mm 0, 3.29; pixels of 1 mm 0, 23; lengths 23, 23.01. Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @cornerstonejs/{tools,core,utils,metadata}@5.14.0 \
  @kitware/vtk.js@36.4.1 gl-matrix@3.4.3 d3-array@3.2.4 d3-interpolate@3.0.1 @babel/runtime@7.26.10
cat >height.js <<'JS'
import assert from 'node:assert';
import vtkImageData from '@kitware/vtk.js/Common/DataModel/ImageData.js';
import { HeightTool, LengthTool } from '@cornerstonejs/tools';

function measured(Tool, key, points, pixel) {
  const imageData = vtkImageData.newInstance({ origin: [-100, -100, -100], spacing: [pixel, pixel, pixel] });
  imageData.setDimensions(2000, 2000, 2000);
  const tool = new Tool();
  tool.getTargetImageData = () => ({ imageData, dimensions: [2000, 2000, 2000], spacing: [pixel, pixel, pixel], hasPixelSpacing: true });
  const data = { handles: { points }, cachedStats: { film: {} } };
  tool._calculateCachedStats({ data, invalidated: false, metadata: {} }, null, { viewport: { element: {} } });
  assert.strictEqual(data.cachedStats.film.unit, 'mm');
  return data.cachedStats.film[key];
}

/** Two points in a slice with these directions, so many mm along its columns and rows apart. */
function check(name, across, down, seen, pixel = 0.5) {
  [0, 0.5].forEach((aside, n) => {
    const points = [0, 1].map((end) => [0, 1, 2].map((axis) => 5 + end * (23 * down[axis] + aside * across[axis])));
    const height = measured(HeightTool, 'height', points, pixel);
    const length = measured(LengthTool, 'length', points, pixel);
    console.log(name, `${aside} mm aside: height ${height}, length ${length}`);
    assert(Number.isNaN(seen[n]) ? Number.isNaN(height) : Math.abs(height - seen[n]) < 1e-6);
    assert(Math.abs(length - Math.hypot(23, aside)) < 1e-6);
  });
}

check('film', [1, 0, 0], [0, 1, 0], [0, 11.5]);
check('sagittal', [0, 1, 0], [0, 0, -1], [0, 11.5]);
check('coronal', [1, 0, 0], [0, 0, -1], [0, 11.5]);
check('axial', [1, 0, 0], [0, 1, 0], [0, 11.5]);
const tilt = (10 * Math.PI) / 180;
check('tilted', [0, 1, 0], [Math.sin(tilt), 0, -Math.cos(tilt)], [11.5 * Math.cos(tilt), NaN]);
check('fine film', [1, 0, 0], [0, 1, 0], [0, 23 * 0.143], 0.143);
check('pixels of 1 mm', [1, 0, 0], [0, 1, 0], [0, 23], 1);
process.exit(0);
JS
node height.js
