#!/usr/bin/env bash
# Cornerstone3D 5.14.0 (@cornerstonejs/tools, the measuring tools of OHIF): CobbAngleTool takes the two nearest end points of
# its lines for the sides that face each other. Where one end plate lies to the side of the other, as in the curves that the
# angle is for, the nearest ends are the right end of the one and the left end of the other, and the supplement is stored: 160
# degrees for 20. It hangs on the shift, not on the tilt, and jumps within a mm; the order of drawing plays no part.
# Seen, lines of 40 mm: 20 degrees, 40 mm apart, shifted by 25 and 30 mm: 20, 160; 4 degrees, 150 mm apart, by 20 and
# 30 mm: 4, 176; parallel, 150 mm apart, by 19 and 21 mm: 0, 180. Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @cornerstonejs/{tools,core,utils,metadata}@5.14.0 \
  @kitware/vtk.js@36.4.1 gl-matrix@3.4.3 d3-array@3.2.4 d3-interpolate@3.0.1 @babel/runtime@7.26.10
cat >cobb.js <<'JS'
import assert from 'node:assert';
import { CobbAngleTool } from '@cornerstonejs/tools';

const tool = new CobbAngleTool();
const viewport = { worldToCanvas: ([x, y]) => [x, y], canvasToWorld: ([x, y]) => [x, y, 0], element: {} };

function line(x, y, degrees) {
  const [across, down] = [Math.cos, Math.sin].map((f) => 20 * f((degrees * Math.PI) / 180));
  return [[x - across, y - down, 0], [x + across, y + down, 0]];
}

function cobb(degrees, apart, shift, backwards = false) {
  const lower = line(shift, apart, -degrees / 2);
  const points = [...line(0, 0, degrees / 2), ...(backwards ? lower.reverse() : lower)];
  const data = { handles: { points }, cachedStats: { film: {} } };
  tool._calculateCachedStats({ data, invalidated: false }, null, { viewport });
  return data.cachedStats.film.angle;
}

const expected = [[20, 40, 0, 20], [20, 40, 25, 20], [20, 40, 30, 160], [20, 40, -30, 160], [4, 150, 20, 4],
  [4, 150, 30, 176], [0, 150, 19, 0], [0, 150, 21, 180]];
for (const [degrees, apart, shift, seen] of expected) {
  const angle = cobb(degrees, apart, shift);
  console.log(`${degrees} degrees, ${apart} mm apart, shifted by ${shift} mm: ${angle.toFixed(2)}`);
  assert(Math.abs(angle - seen) < 0.01);
  assert(Math.abs(cobb(degrees, apart, shift, true) - angle) < 0.01);
}
process.exit(0);
JS
node cobb.js
