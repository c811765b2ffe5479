#!/usr/bin/env bash
# Lines and letters of older scanners and film digitisers lie as an overlay in the idle bits of the pixels themselves (Overlay Bit
# Position; retired in 2004, still in every archive). highdicom 0.28.2 (imread: get_frame, get_volume), VTK 9.7.2 (vtkDICOMImageReader), dicomsdl 0.109.4 and
# Plastimatch 1.9.4 take these bits for a part of the grey value: a pixel of 1000 under a line is one of 33768, brighter than any metal, and mean,
# window and normalisation go with it. pydicom 3.0.2 masks them, so that pixel_array of highdicom's own object and its get_frame
# differ; so do SimpleITK 2.5.7 and dcm2niix 1.0.20260724. daikon 1.2.46 (Papaya, BrainBrowser) masks them in an image (getInterpretedData) and not in
# the volume of a series (concatenateImageData). None says that there is an overlay.
# The same four (and daikon both ways) do not count the sign from Bits Stored where the idle bits of negative values are zeros, which PS3.5 leaves open.
# Seen, 12 bits stored, 1000 everywhere, overlay in bit 15 of every other column: 1000 and 33768 by the first four, and by daikon's volume;
# 1000 by the others. -1000 with idle bits of 0: 3096 by the first four and daikon, -1000 by the others. Plastimatch and daikon are left out where they (or npm) are missing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir highdicom==0.28.2 pydicom==3.0.2 SimpleITK==2.5.7 dcm2niix==1.0.20260724 dicomsdl==0.109.4 nibabel==5.4.2 numpy==2.4.6
"$work/venv/bin/pip" install -q --no-cache-dir --no-deps vtk==9.7.2
cd "$work"
if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --ignore-scripts daikon@1.2.46; fi
cat >volume.cjs <<'JS'
const daikon = require("daikon");
const fs = require("fs");
const series = new daikon.Series();
for (const name of fs.readdirSync(process.argv[2]).sort()) {
  const bytes = fs.readFileSync(process.argv[2] + "/" + name);
  series.addImage(daikon.Series.parseImage(new DataView(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))));
}
series.buildSeries();
const { min, max } = series.images[0].getInterpretedData(false, true);
series.concatenateImageData(null, (volume) => console.log(JSON.stringify([[min, max], [...new Set(new Uint16Array(volume))]])));
JS
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY'
import json
import shutil
import subprocess
from pathlib import Path

import dicomsdl
import highdicom
import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOImage import vtkDICOMImageReader


def write(folder, pixels, signed, overlay):
    Path(folder).mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for k in range(4):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality, data.Manufacturer = MRImageStorage, generate_uid(), "MR", ""
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
        data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, k + 1
        data.ImagePositionPatient, data.ImageOrientationPatient = [-8.8 + 4.4 * k, -20, 30], [0, 1, 0, 0, 0, -1]
        data.PixelSpacing, data.SliceThickness = [0.6, 0.6], 4.4
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 20, 24, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, signed
        for element, vr, value in overlay * ((0x10, "US", 20), (0x11, "US", 24), (0x40, "CS", "G"), (0x50, "SS", [1, 1]), (0x100, "US", 16), (0x102, "US", 15)):
            data.add_new((0x6000, element), vr, value)
        data.PixelData = pixels.astype("<u2").tobytes()
        data.save_as(f"{folder}/{k}.dcm", enforce_file_format=True)


def values(array):
    return sorted({round(float(value)) for value in np.asarray(array).ravel()})


def read(folder):
    first = f"{folder}/0.dcm"
    reader = vtkDICOMImageReader()
    reader.SetFileName(first)
    reader.Update()
    subprocess.run(["dcm2niix", "-b", "n", "-f", folder, "-o", ".", folder], check=True, capture_output=True)
    seen = {
        "VTK": values(vtk_to_numpy(reader.GetOutput().GetPointData().GetScalars())),
        "dicomsdl": values(dicomsdl.open(first).pixelData()),
        "pydicom": values(pydicom.dcmread(first).pixel_array),
        "highdicom, get_frame": values(highdicom.imread(first).get_frame(1)),
        "highdicom, pixel_array": values(highdicom.imread(first).pixel_array),
        "SimpleITK": values(sitk.GetArrayFromImage(sitk.ReadImage(first))),
        "dcm2niix": values(nib.load(f"{folder}.nii").dataobj),
    }
    if shutil.which("plastimatch"):
        subprocess.run(["plastimatch", "convert", "--input", folder, "--output-img", "plastimatch.nii"], check=True, capture_output=True)
        seen["Plastimatch"] = values(nib.load("plastimatch.nii").dataobj)
    if Path("node_modules/daikon").exists():
        image, volume = json.loads(subprocess.run(["node", "volume.cjs", folder], check=True, capture_output=True, text=True).stdout)
        seen["daikon, image"], seen["daikon, volume"] = sorted(set(image)), sorted(volume)
    for name, found in seen.items():
        print(folder, name, found)
    return seen


columns = np.full((20, 24), 1000)
columns[:, ::2] |= 1 << 15
write("overlay", columns, 0, True)
write("sign", np.full((20, 24), -1000) & 0xFFF, 1, False)
taken = {"highdicom, get_frame", "VTK", "dicomsdl", "Plastimatch"}
for name, found in read("overlay").items():
    assert found == ([1000, 33768] if name in taken | {"daikon, volume"} else [1000]), name
for name, found in read("sign").items():
    assert found == ([3096] if name in taken | {"daikon, image", "daikon, volume"} else [-1000]), name
PY
