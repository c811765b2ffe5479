#!/usr/bin/env bash
# dcmjs-imaging 0.2.5 (rendering for dcmjs, in node and the browser): of the three functions by which a window is laid on grey values (VOI LUT Function,
# PS3.3 C.11.2.1.2 and 3), LINEAR_EXACT lacks its half: the window begins at its centre, not half a width before it, so that the lower half of
# it is black, everything is shown half a window too dark, and bone of a CT that is just above the centre is as black as air. LINEAR and
# SIGMOID are right, and so is LINEAR_EXACT in pydicom 3.0.2, DCMTK 3.6.7 and dicom2jpg 0.1.10. A Presentation LUT Shape of INVERSE is not heeded by
# dcmjs-imaging and dicom2jpg on a MONOCHROME2 picture, though it is by DCMTK. Nothing is said.
# Seen, centre 2000, width 1000, values 1500 1750 2000 2250 2500, out of 255: LINEAR 0 64 128 191 255; LINEAR_EXACT 0 0 0 64 128, by pydicom
# 0 64 128 191 255; INVERSE: dcmjs-imaging and dicom2jpg as without, DCMTK 255 191 127 64 0. Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir pydicom==3.0.2 dicom2jpg==0.1.10 numpy==2.4.6
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts dcmjs-imaging@0.2.5
cat >shown.cjs <<'JS'
const { DicomImage } = require("dcmjs-imaging");
const bytes = require("fs").readFileSync(process.argv[2]);
const image = new DicomImage(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const { pixels } = image.render();
console.log(JSON.stringify([...new Uint8Array(pixels)].filter((_, place) => place % 4 === 0).slice(0, 5)));
JS
"$work/venv/bin/python" -W ignore - <<'PY'
import json
import shutil
import subprocess
from pathlib import Path

import dicom2jpg
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_windowing
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid


def film(name, **more):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = ComputedRadiographyImageStorage, generate_uid(), "CR"
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, 1
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 2, 5, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.WindowCenter, data.WindowWidth = 2000, 1000
    for keyword, value in more.items():
        setattr(data, keyword, value)
    data.PixelData = np.tile(np.array([1500, 1750, 2000, 2250, 2500], "<u2"), (2, 1)).tobytes()
    data.save_as(f"{name}.dcm", enforce_file_format=True)
    shown = json.loads(subprocess.run(["node", "shown.cjs", f"{name}.dcm"], check=True, capture_output=True, text=True).stdout)
    read = pydicom.dcmread(f"{name}.dcm")
    seen = {"dcmjs-imaging": shown, "pydicom": (apply_windowing(read.pixel_array, read)[0] / 4095 * 255).round().astype(int).tolist()}
    seen["dicom2jpg"] = np.asarray(dicom2jpg.dicom2img(f"{name}.dcm"))[0].tolist()
    if shutil.which("dcm2pnm") and "v3.6.7" in subprocess.run(["dcm2pnm", "--version"], capture_output=True, text=True).stdout:
        subprocess.run(["dcm2pnm", "+Wi", "1", "--write-raw-pnm", f"{name}.dcm", f"{name}.pgm"], check=True, capture_output=True)
        seen["DCMTK"] = list(Path(f"{name}.pgm").read_bytes()[-10:-5])
    print(name, seen)
    return seen


def about(values, *wanted):
    return np.abs(np.array(values) - wanted).max() <= 1


linear, exact, sigmoid, inverse = film("LINEAR"), film("LINEAR_EXACT", VOILUTFunction="LINEAR_EXACT"), film("SIGMOID", VOILUTFunction="SIGMOID"), film(
    "INVERSE", PresentationLUTShape="INVERSE")
for values in (*linear.values(), exact["pydicom"], exact["dicom2jpg"], inverse["dcmjs-imaging"], inverse["dicom2jpg"]):
    assert about(values, 0, 64, 128, 191, 255), values
assert about(exact["dcmjs-imaging"], 0, 0, 0, 64, 128)
assert all(about(sigmoid[name], 30, 69, 128, 186, 225) for name in sigmoid if name != "dicom2jpg")
assert "DCMTK" not in inverse or about(inverse["DCMTK"], 255, 191, 127, 64, 0)
PY
