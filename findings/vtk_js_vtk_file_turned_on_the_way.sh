#!/usr/bin/env bash
# vtk.js 37.4.3 (@kitware/vtk.js, under VolView and Cornerstone3D) and VTK 9.7.2, one file format, .vti, with nine numbers "Direction" since both have directions: vtk.js counts them column by column, VTK row by row. A volume
# written in the browser and read by VTK, PyVista or ParaView, or the other way round, is turned the wrong way: one tilted by 15 degrees lies tilted by -15, a sagittal one, whose axes change places,
# lies about its first voxel in another plane. Origin, spacing and voxels are right, each side reads back what it wrote, and an axial volume shows nothing. Nothing is said.
# Seen, sagittal, 0.8 x 0.5 x 4.4 mm from (-8.8, -20, 30), voxel (4, 5, 2): (0, -16.8, 27.5) in vtk.js, by VTK from its file (-6.3, -28.8, 33.2), in vtk.js from VTK's file of the same
# volume (-6.3, -28.8, 33.2), back in vtk.js from its own (0, -16.8, 27.5). Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --no-deps vtk==9.7.2
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @kitware/vtk.js@37.4.3
cat >vti.js <<'JS'
import fs from 'node:fs';
import vtkImageData from '@kitware/vtk.js/Common/DataModel/ImageData.js';
import vtkDataArray from '@kitware/vtk.js/Common/Core/DataArray.js';
import vtkXMLImageDataReader from '@kitware/vtk.js/IO/XML/XMLImageDataReader.js';
import vtkXMLImageDataWriter from '@kitware/vtk.js/IO/XML/XMLImageDataWriter.js';

const [task, file] = process.argv.slice(2);
let image;
if (task === 'write') {
  image = vtkImageData.newInstance({ origin: [-8.8, -20, 30], spacing: [0.8, 0.5, 4.4] });
  image.setDimensions(24, 20, 7);
  image.setDirection(0, 1, 0, 0, 0, -1, 1, 0, 0); // columns to the back, rows down, slices to the left
  image.getPointData().setScalars(vtkDataArray.newInstance({ name: 'values', values: new Uint8Array(24 * 20 * 7) }));
  fs.writeFileSync(file, vtkXMLImageDataWriter.newInstance().write(image));
} else {
  const reader = vtkXMLImageDataReader.newInstance();
  const bytes = fs.readFileSync(file);
  reader.parseAsArrayBuffer(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  image = reader.getOutputData();
}
console.log(JSON.stringify(Array.from(image.indexToWorld([4, 5, 2])).map((value) => Math.round(value * 1000) / 1000 + 0)));
process.exit(0);
JS
cat >vti.py <<'PY'
import json
import subprocess

from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkIOXML import vtkXMLImageDataReader, vtkXMLImageDataWriter

TRUE, TURNED = [0, -16.8, 27.5], [-6.3, -28.8, 33.2]


def node(task, file):
    return json.loads(subprocess.run(["node", "vti.js", task, file], check=True, capture_output=True, text=True).stdout)


def place(image):
    point = [0.0, 0.0, 0.0]
    image.TransformIndexToPhysicalPoint(4, 5, 2, point)
    return [round(value, 3) for value in point]


def read(file):
    reader = vtkXMLImageDataReader()
    reader.SetFileName(file)
    reader.Update()
    return place(reader.GetOutput())


image = vtkImageData()
image.SetDimensions(24, 20, 7)
image.SetOrigin(-8.8, -20, 30)
image.SetSpacing(0.8, 0.5, 4.4)
image.SetDirectionMatrix(0, 0, 1, 1, 0, 0, 0, -1, 0)
image.AllocateScalars(3, 1)
writer = vtkXMLImageDataWriter()
writer.SetFileName("vtk.vti")
writer.SetInputData(image)
writer.SetDataModeToBinary()
writer.Write()
found = {
    "in vtk.js": node("write", "js.vti"),
    "vtk.js, own file": node("read", "js.vti"),
    "VTK, file of vtk.js": read("js.vti"),
    "in VTK": place(image),
    "VTK, own file": read("vtk.vti"),
    "vtk.js, file of VTK": node("read", "vtk.vti"),
}
print(found)
assert list(found.values()) == [TRUE, TRUE, TURNED, TRUE, TRUE, TURNED]
PY
venv/bin/python vti.py
