#!/usr/bin/env bash
# dwv 0.36.4 (the DICOM web viewer), shapes and their values: lengths, half axes and areas ask the view for its spacing, the protractor
# does not and measures between pixel indices. Where pixels are not square (an enlarged film, a reformatted MR) the angle
# is that of the stretched picture, beside lengths that are right.
# Seen, points (0, 0), (10, 0), (20, 10), pixels 1 wide and 2 high: 135 degrees; by hand 116.57. An ellipse of 10 x 10 px: 10 and 20 mm.
# Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts dwv@0.36.4
cat >angle.js <<'JS'
import assert from 'node:assert';
import * as module from './node_modules/dwv/dist/dwv.node.min.js';

const { Ellipse, Point2D, Protractor } = module.default ?? module;
const places = [[0, 0], [10, 0], [20, 10]];
for (const [x, y] of [[1, 1], [1, 2]]) {
  const view = { get2DSpacing: () => ({ x, y }), getLengthUnit: () => 'unit.mm', canQuantifyImage: () => false };
  const { angle } = new Protractor(places.map(([i, j]) => new Point2D(i, j))).quantify(view, []);
  const ellipse = new Ellipse(new Point2D(10, 10), 10, 10).quantify(view, []);
  const [a, b, c] = places.map(([i, j]) => [i * x, j * y]);
  const byHand = 180 - (Math.atan2(c[1] - b[1], c[0] - b[0]) - Math.atan2(b[1] - a[1], b[0] - a[0])) * (180 / Math.PI);
  console.log(`pixels ${x} x ${y}: angle ${angle.value}, by hand ${byHand.toFixed(2)}; ellipse ${ellipse.a.value} x ${ellipse.b.value}`);
  assert.equal(angle.value, 135);
  assert(Math.abs(byHand - (y === 1 ? 135 : 116.565)) < 1e-3);
  assert.deepEqual([ellipse.a.value, ellipse.b.value], [10 * x, 10 * y]);
}
process.exit(0);
JS
node angle.js
