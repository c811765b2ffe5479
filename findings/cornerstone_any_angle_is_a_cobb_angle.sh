#!/usr/bin/env bash
# Cornerstone3D 5.14.0 (@cornerstonejs/adapters, by which OHIF stores measurements): the three-point angle goes through the class of the
# Cobb angle, so that in the structured report every angle drawn, a sacral slope or a pelvic tilt, has the concept name "Cobb angle",
# SCT 285285000. Only the tracking identifier, free text, tells the tools apart; who collects Cobb angles by their code, as a
# code is meant to be used, collects all of them. Its vertex is stored twice, as the end of one line and the start of the next.
# Seen: Angle: ["Cobb angle", "285285000", 53.13, "deg"], four points for three; CobbAngle: the same.
# Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @cornerstonejs/{adapters,tools,core,utils,metadata}@5.14.0 \
  @kitware/vtk.js@36.4.1 gl-matrix@3.4.3 d3-array@3.2.4 d3-interpolate@3.0.1 @babel/runtime@7.26.10
cat >angle.js <<'JS'
import assert from 'node:assert';
import { adaptersSR } from '@cornerstonejs/adapters';

function stored(kind, points, angle) {
  const annotation = { metadata: { referencedImageId: 'film' }, data: { handles: { points }, cachedStats: { 'imageId:film': { angle } } } };
  const adapter = adaptersSR.Cornerstone3D[kind];
  const content = adapter.getTID300RepresentationArguments(annotation, true);
  const items = new adapter.TID300Representation({ ...content, ReferencedSOPSequence: {} }).contentItem();
  const [number] = items.filter((item) => item.ValueType === 'NUM');
  const [name, value] = [number.ConceptNameCodeSequence, number.MeasuredValueSequence];
  const seen = [name.CodeMeaning, name.CodeValue, name.CodingSchemeDesignator, value.NumericValue, value.MeasurementUnitsCodeSequence.CodeValue];
  console.log(kind, JSON.stringify(seen), JSON.stringify([].concat(number.ContentSequence)[0].GraphicData));
  return [seen, [].concat(number.ContentSequence)[0].GraphicData];
}

const corner = [[0, 0, 0], [30, 40, 0], [100, 40, 0]];
const lines = [[0, 0, 0], [30, 40, 0], [100, 0, 0], [160, 80, 0]];
const [angle, places] = stored('Angle', corner, 53.13);
const [cobb] = stored('CobbAngle', lines, 53.13);
assert.deepEqual(angle, ['Cobb angle', '285285000', 'SCT', 53.13, 'deg']);
assert.deepEqual(angle, cobb);
assert.deepEqual(places, [corner[0], corner[1], corner[1], corner[2]].flat());
process.exit(0);
JS
node angle.js
