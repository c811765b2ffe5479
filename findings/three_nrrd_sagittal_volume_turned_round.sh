#!/usr/bin/env bash
# three.js 0.187.0, NRRDLoader, by which CT and MR volumes come into 3D pages beside meshes: Volume.matrix, from voxels to right, front and head, changes the signs of the first two axes of the voxels
# where it should change those of the patient. In an axial volume as most are these are the same; a sagittal one, whose columns run to the back and rows down, is turned by half about the
# line from front to back: on its head, with left and right changed over. "left-anterior-superior" has the third sign changed, head and foot, and not the first. The origin is in no matrix, so that
# two volumes of one patient lie on each other by their first voxels. RASDimensions are the lengths in the order of the file, cut to whole mm: of a sagittal volume the first is front to back. Nothing is said.
# Seen, a step of one voxel, in mm to the right, front and up: left-posterior-superior, axial (0.8, 0, 0), (0, 0.5, 0), (0, 0, 4.4): (-0.8, 0, 0), (0, -0.5, 0), (0, 0, 4.4), as it should be; sagittal
# (0, 0.8, 0), (0, 0, -0.5), (4.4, 0, 0): (0, -0.8, 0), (0, 0, 0.5), (4.4, 0, 0), by the format (0, -0.8, 0), (0, 0, -0.5), (-4.4, 0, 0);
# left-anterior-superior, axial: (0.8, 0, 0), (0, 0.5, 0), (0, 0, -4.4), by the format (-0.8, 0, 0), (0, 0.5, 0), (0, 0, 4.4). Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts three@0.187.0
cat >volume.js <<'JS'
import assert from 'node:assert';
import { NRRDLoader } from 'three/examples/jsm/loaders/NRRDLoader.js';

const AXIAL = [[0.8, 0, 0], [0, 0.5, 0], [0, 0, 4.4]];
const SAGITTAL = [[0, 0.8, 0], [0, 0, -0.5], [4.4, 0, 0]];

function load(space, directions) {
  const header = ['NRRD0005', 'type: uint8', 'dimension: 3', `space: ${space}`, 'sizes: 24 20 5', 'encoding: raw', 'kinds: domain domain domain',
    `space directions: ${directions.map((d) => `(${d})`).join(' ')}`, 'space origin: (-8.8,-20,30)', '', ''].join('\n');
  const bytes = new Uint8Array(header.length + 24 * 20 * 5);
  bytes.set(new TextEncoder().encode(header));
  return new NRRDLoader().parse(bytes.buffer);
}

function steps(volume) {
  const e = volume.matrix.elements.map((value) => Math.round(value * 1e6) / 1e6 + 0);
  return [e.slice(0, 3), e.slice(4, 7), e.slice(8, 11), e.slice(12, 15)];
}

function right(directions, signs) {
  return directions.map((d) => d.map((value, axis) => value * signs[axis] + 0));
}

function check(name, space, directions, signs, seen) {
  const found = steps(load(space, directions));
  console.log(name, space, JSON.stringify(found), 'by the format', JSON.stringify(right(directions, signs)));
  assert.deepStrictEqual(found.slice(0, 3), seen);
  assert.deepStrictEqual(found[3], [0, 0, 0]);
}

const LPS = [-1, -1, 1];
check('axial', 'left-posterior-superior', AXIAL, LPS, right(AXIAL, LPS));
check('sagittal', 'left-posterior-superior', SAGITTAL, LPS, [[0, -0.8, 0], [0, 0, 0.5], [4.4, 0, 0]]);
check('axial', 'left-anterior-superior', AXIAL, [-1, 1, 1], [[0.8, 0, 0], [0, 0.5, 0], [0, 0, -4.4]]);
const volume = load('left-posterior-superior', SAGITTAL);
console.log(volume.RASDimensions, volume.space_origin);
assert.deepStrictEqual(volume.RASDimensions, [19, 10, 22]);
JS
node volume.js
