#!/usr/bin/env bash
# Cornerstone3D 5.14.0 (@cornerstonejs/adapters, by which OHIF stores measurements): a length on a film without a spacing is
# in px on the screen and in mm in the structured report. The adapter of Length hands on the number without its unit, and
# the report's class in dcmjs takes mm where none is given. That of Bidirectional hands it on, so that the same two points
# are 500 mm in the one and 500 without a unit (UCUM 1) in the other. (Its maintainers know of cm in ultrasound.)
# Seen: Length [500, "mm"], Bidirectional [500, "1"] and [100, "1"]. Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @cornerstonejs/{adapters,tools,core,utils,metadata}@5.14.0 \
  @kitware/vtk.js@36.4.1 gl-matrix@3.4.3 d3-array@3.2.4 d3-interpolate@3.0.1 @babel/runtime@7.26.10
cat >length.js <<'JS'
import assert from 'node:assert';
import { adaptersSR } from '@cornerstonejs/adapters';
import { utilities } from 'dcmjs';

const stats = { length: 500, width: 100, unit: 'px' };
const points = [[0, 0, 0], [300, 400, 0], [0, 0, 0], [60, 80, 0]];
const annotation = { metadata: { referencedImageId: 'film' }, data: { handles: { points }, cachedStats: { 'imageId:film': stats } } };

function stored(kind) {
  const content = adaptersSR.Cornerstone3D[kind].getTID300RepresentationArguments(annotation, true);
  const items = new utilities.TID300[kind]({ ...content, ReferencedSOPSequence: {} }).contentItem();
  const numbers = items.filter((item) => item.ValueType === 'NUM').map((item) => item.MeasuredValueSequence);
  return numbers.map((number) => [number.NumericValue, number.MeasurementUnitsCodeSequence.CodeValue]);
}

const [length, both] = [stored('Length'), stored('Bidirectional')];
console.log('Length', JSON.stringify(length), 'Bidirectional', JSON.stringify(both));
assert.deepEqual(length, [[500, 'mm']]);
assert.deepEqual(both, [[500, '1'], [100, '1']]);
process.exit(0);
JS
node length.js
