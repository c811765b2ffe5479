#!/usr/bin/env bash
# Signed 12-bit pixels, as in the MR and CT of several makers, stored without the sign in their four idle bits (PS3.5 8.1.1
# leaves those to the writer): pydicom 3.0.2 and SimpleITK 2.5.7 read -1000 for -1000, dicomsdl 0.109.4 (the fast reader of the
# spine challenges) 3096. In JPEG-LS of 12 bits, as pydicom itself makes it, dicomsdl has 3096 too. And where DCMTK's dcmcjpls
# makes JPEG-LS, losslessly, of the same file, pydicom has 3096 as well, by each of its decoders: it counts the sign from
# the 16 bits of the JPEG-LS stream, not from Bits Stored.
# Seen, -1000:          pydicom  SimpleITK  dicomsdl
#   idle bits 0           -1000      -1000      3096
#   pydicom's JPEG-LS     -1000      -1000      3096
#   DCMTK's JPEG-LS        3096      -1000      3096     (left out where dcmcjpls is missing)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 SimpleITK==2.5.7 dicomsdl==0.109.4 pyjpegls==1.5.1 pylibjpeg==2.1.0 \
  pylibjpeg-libjpeg==2.5.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import shutil
import subprocess

import dicomsdl
import numpy as np
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import pixel_array
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless, generate_uid

values = np.array([-1000, -1, 0, 1, 5, 2047, 9, 9] * 8).reshape(8, 8)
slice_ = Dataset()
slice_.file_meta = FileMetaDataset()
slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
slice_.SOPClassUID, slice_.SOPInstanceUID, slice_.Modality = CTImageStorage, generate_uid(), "CT"
slice_.StudyInstanceUID, slice_.SeriesInstanceUID, slice_.PatientID, slice_.InstanceNumber = "1.2.3", "1.2.3.1", "1", 1
slice_.ImagePositionPatient, slice_.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
slice_.PixelSpacing, slice_.SliceThickness, slice_.RescaleSlope, slice_.RescaleIntercept = [1, 1], 1, 1, 0
slice_.Rows, slice_.Columns, slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 8, 8, 1, "MONOCHROME2"
slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit, slice_.PixelRepresentation = 16, 12, 11, 1
slice_.PixelData = (values & 0xFFF).astype("<u2").tobytes()
slice_.save_as("idle.dcm", enforce_file_format=True)


def first(name):
    itk = sitk.GetArrayFromImage(sitk.ReadImage(name))
    pictures = dcmread(name).pixel_array, itk, dicomsdl.open(name).pixelData(storedvalue=True)
    seen = [int(picture.flat[0]) for picture in pictures]
    print(name, *seen)
    return seen


assert first("idle.dcm") == [-1000, -1000, 3096]
packed = dcmread("idle.dcm")
packed.PixelData = values.astype("<i2").tobytes()
packed.compress(JPEGLSLossless, encoding_plugin="pyjpegls")
packed.save_as("pydicom.dcm")
assert first("pydicom.dcm") == [-1000, -1000, 3096]
if shutil.which("dcmcjpls"):
    subprocess.run(["dcmcjpls", "idle.dcm", "dcmtk.dcm"], check=True)
    assert first("dcmtk.dcm") == [3096, -1000, 3096]
    for decoder in ("pyjpegls", "pylibjpeg"):
        assert int(pixel_array("dcmtk.dcm", decoding_plugin=decoder).flat[0]) == 3096
PY
