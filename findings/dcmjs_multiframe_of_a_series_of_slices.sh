#!/usr/bin/env bash
# dcmjs 0.52.2 (OHIF, Cornerstone3D), normalizers.Normalizer.normalizeToDataset, a series of slices as one multi-frame object, the basis of its segmentations: Pixel Representation 0, unsigned, is taken for a missing one and
# becomes 1, so that of an MR of 12 bits whatever is above 2047, fat and fluid, is negative. The rescale slope of one slice is that of all. Slice Thickness becomes the distance between
# the first two slices: of two echoes in one series it is 0, and so is Spacing Between Slices; where the second slice is missing both are double. Positions are each slice's own, and
# slices are sorted by them. Pixel Data as dcmjs itself reads it, a buffer in a list, comes out as zeros throughout; taken out of its list first it is copied. Nothing is said.
# Seen, read by pydicom 3.0.2, stored 100 to 104 and a pixel of 3000, thickness 4, 4.4 mm apart: PixelRepresentation 1, 3000 as -1096, SliceThickness 4.4; slopes 1 1.5 2 2.5 3: 1 for all; two echoes: thickness and
# spacing 0; without the second slice 8.8; as read: 0. Needs node and npm; left out where they are missing.
set -euo pipefail
command -v npm >/dev/null || { echo "left out: npm is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q pydicom==3.0.2 numpy==2.4.6
echo '{"type": "module", "private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts dcmjs@0.52.2
cat >frames.js <<'JS'
import fs from 'node:fs';
import dcmjs from 'dcmjs';

const [folder, out, taken] = process.argv.slice(2);
const { DicomMessage, DicomMetaDictionary } = dcmjs.data;
const slices = fs.readdirSync(folder).sort().map((name) => {
  const bytes = fs.readFileSync(`${folder}/${name}`);
  const read = DicomMessage.readFile(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const slice = DicomMetaDictionary.naturalizeDataset(read.dict);
  slice._meta = read.meta;
  if (taken === 'taken') slice.PixelData = slice.PixelData[0];
  return slice;
});
const made = dcmjs.normalizers.Normalizer.normalizeToDataset(slices);
const group = [].concat(made.SharedFunctionalGroupsSequence)[0];
const measures = [].concat(group.PixelMeasuresSequence)[0];
const change = [].concat(group.PixelValueTransformationSequence)[0];
fs.writeFileSync(out, JSON.stringify({
  sign: made.PixelRepresentation, slope: Number(change.RescaleSlope), thickness: measures.SliceThickness, spacing: measures.SpacingBetweenSlices,
  stored: made.BitsStored, rows: made.Rows, columns: made.Columns, frames: made.NumberOfFrames,
  own: made.PerFrameFunctionalGroupsSequence.filter((frame) => frame.PixelValueTransformationSequence).length,
  pixels: Buffer.from(made.PixelData).toString('base64'),
}));
process.exit(0);
JS
venv/bin/python - <<'PY'
import base64
import json
import subprocess
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid


def series(name, slices=range(5), slopes=(1,) * 5, echoes=(80,)):
    Path(name).mkdir()
    study, one, frame = generate_uid(), generate_uid(), generate_uid()
    for echo in echoes:
        for k in slices:
            data = Dataset()
            data.file_meta = FileMetaDataset()
            data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
            data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, one, frame
            data.PatientName, data.PatientID, data.StudyID, data.SeriesNumber, data.InstanceNumber, data.EchoTime = "A^B", "1", "1", 1, k + 1, echo
            data.ImagePositionPatient, data.ImageOrientationPatient = [-8.8 + 4.4 * k, -20, 30], [0, 1, 0, 0, 0, -1]
            data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.5, 0.8], 4, 20, 24
            data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
            data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
            data.WindowCenter, data.WindowWidth = 2000, 4000
            data.RescaleSlope, data.RescaleIntercept = slopes[k], 0
            pixels = np.full((20, 24), 100 + k, "<u2")
            pixels[0, 1] = 3000
            data.PixelData = pixels.tobytes()
            data.save_as(f"{name}/{echo}{k}.dcm", enforce_file_format=True)


def frames(name, taken="taken"):
    said = subprocess.run(["node", "frames.js", name, "made.json", taken], check=True, capture_output=True, text=True)
    assert not said.stdout and not said.stderr, said
    made = json.loads(Path("made.json").read_text())
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.Rows, data.Columns, data.NumberOfFrames, data.SamplesPerPixel, data.PhotometricInterpretation = 20, 24, made["frames"], 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, made["stored"], made["stored"] - 1, made["sign"]
    data.PixelData = base64.b64decode(made.pop("pixels"))
    made["values"] = data.pixel_array[:, 0, :2].tolist()
    print(name, taken, made)
    return made


series("plain")
made = frames("plain")
assert made["sign"] == 1 and made["stored"] == 12 and made["thickness"] == made["spacing"] == 4.4
assert made["values"] == [[100 + k, -1096] for k in range(5)]
assert not np.any(frames("plain", "as read")["values"])
series("slopes", slopes=(1, 1.5, 2, 2.5, 3))
made = frames("slopes")
assert made["slope"] == 1 and made["own"] == 0 and made["values"] == [[100 + k, -1096] for k in range(5)]
series("echoes", echoes=(20, 80))
made = frames("echoes")
assert made["thickness"] == made["spacing"] == 0
series("missing", slices=(0, 2, 3, 4))
made = frames("missing")
assert made["thickness"] == made["spacing"] == 8.8
PY
