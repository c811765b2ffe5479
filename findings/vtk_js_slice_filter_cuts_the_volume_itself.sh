#!/usr/bin/env bash
# vtk.js 37.4.3 (@kitware/vtk.js, under VolView and Cornerstone3D), vtkImageSliceFilter, one slice of a volume: it writes the slice's number into the extent of the volume that it was given. From there on the caller's volume
# has one slice, by its dimensions and its bounds, with the voxels of all still in memory; what crops, places or draws it afterwards goes by the one. The slice
# itself is laid out as if the volume had no directions: of a sagittal one it stands across the spine. vtkImageMarchingCubes does the same with the surface of a vertebra, beside its volume,
# which vtkImageCropFilter and vtkImageDataOutlineFilter keep in place, and vtkImageReslice, left
# to itself, lays an upright grid of the volume's own size beside it and fills what it misses with background. Nothing is said.
# Seen, 24 x 20 x 7 voxels of 0.8 x 0.5 x 4.4 mm, sagittal, after one slice: 24 x 20 x 1; slice 3, voxel (4, 5, 3): (4.4, -16.8, 27.5), of the slice (-5.6, -17.5, 43.2); a body about
# (4.4, -14.8, 26.75): its surface about (-3.6, -16.75, 43.2); resliced: 2880 of 3360 voxels
# background. Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @kitware/vtk.js@37.4.3
cat >slice.js <<'JS'
import assert from 'node:assert';
import vtkImageData from '@kitware/vtk.js/Common/DataModel/ImageData.js';
import vtkDataArray from '@kitware/vtk.js/Common/Core/DataArray.js';
import vtkImageCropFilter from '@kitware/vtk.js/Filters/General/ImageCropFilter.js';
import vtkImageDataOutlineFilter from '@kitware/vtk.js/Filters/General/ImageDataOutlineFilter.js';
import vtkImageMarchingCubes from '@kitware/vtk.js/Filters/General/ImageMarchingCubes.js';
import vtkImageSliceFilter from '@kitware/vtk.js/Filters/General/ImageSliceFilter.js';
import vtkImageReslice from '@kitware/vtk.js/Imaging/Core/ImageReslice.js';

const image = vtkImageData.newInstance({ origin: [-8.8, -20, 30], spacing: [0.8, 0.5, 4.4] });
image.setDimensions(24, 20, 7);
image.setDirection(0, 1, 0, 0, 0, -1, 1, 0, 0); // columns to the back, rows down, slices to the left
const values = new Float32Array(24 * 20 * 7);
for (let k = 2; k < 5; k += 1) for (let j = 5; j < 9; j += 1) values.fill(1, 4 + 24 * (j + 20 * k), 10 + 24 * (j + 20 * k));
image.getPointData().setScalars(vtkDataArray.newInstance({ name: 'values', values }));

function through(filter, settings = {}) {
  const made = filter.newInstance(settings);
  made.setInputData(image);
  return made.getOutputData();
}

function near(found, expected) {
  console.log(Array.from(found), expected);
  expected.forEach((value, axis) => assert(Math.abs(found[axis] - value) < 0.01));
}

function middle(bounds) {
  return [0, 2, 4].map((axis) => (bounds[axis] + bounds[axis + 1]) / 2);
}

near(image.indexToWorld([6.5, 6.5, 3]), [4.4, -14.8, 26.75]);
near(middle(through(vtkImageMarchingCubes, { contourValue: 0.5 }).getBounds()), [-3.6, -16.75, 43.2]);
near(through(vtkImageCropFilter, { croppingPlanes: [4, 9, 5, 8, 2, 4] }).indexToWorld([6.5, 6.5, 3]), [4.4, -14.8, 26.75]);
near(middle(through(vtkImageDataOutlineFilter).getBounds()), middle(image.getBounds()));
const resliced = through(vtkImageReslice, { backgroundColor: [-1, 0, 0, 0] }).getPointData().getScalars().getData();
console.log(resliced.length, resliced.filter((value) => value === -1).length);
assert.deepStrictEqual([resliced.length, resliced.filter((value) => value === -1).length], [3360, 2880]);

near(image.indexToWorld([4, 5, 3]), [4.4, -16.8, 27.5]);
assert.deepStrictEqual(Array.from(image.getDimensions()), [24, 20, 7]);
const slice = through(vtkImageSliceFilter, { sliceIndex: 3 });
near(slice.indexToWorld([4, 5, 3]), [-5.6, -17.5, 43.2]);
console.log(image.getDimensions(), image.getPointData().getScalars().getData().length);
assert.deepStrictEqual(Array.from(image.getDimensions()), [24, 20, 1]);
assert.strictEqual(image.getPointData().getScalars().getData().length, 24 * 20 * 7);
process.exit(0);
JS
node slice.js
