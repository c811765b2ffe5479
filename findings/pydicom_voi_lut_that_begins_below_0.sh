#!/usr/bin/env bash
# pydicom 3.0.2, apply_voi and apply_voi_lut, a VOI LUT of a CT: whether the first value that it maps has a sign hangs, by PS3.3 C.11.2.1.1, on what comes out of the rescale, and that is signed where the intercept is -1024, as it
# is with nearly every CT. In a file that names its VRs this is said; in Implicit VR, the default of a DICOM transfer, the reader has to know. pydicom goes by Pixel Representation, that of the stored values, 0 in many CTs: -1024
# is read as 64512, every pixel lies below it, and the whole picture has the first entry of the table, black. Saved with explicit VRs afterwards the file itself says US and 64512. Read with explicit VRs from the
# start the same picture is right, and DCMTK 3.6.7 (dcm2pnm +Wl 1) has it right both times. highdicom 0.28.2, which builds on pydicom, raises OverflowError. What is said is a warning of floats, of the right one as well.
# Seen, stored 0 1024 2024 4095, intercept -1024, a table from -1024 on of 0, 16, 32, ..: explicit VR 0 16384 32384 65520; implicit VR 0 0 0 0, LUTDescriptor [4096, 64512, 16], also after saving it with explicit VRs; DCMTK,
# to 8 bits: 0 64 126 255 of both.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir pydicom==3.0.2 numpy==2.4.6 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import shutil
import subprocess

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_modality_lut, apply_voi
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

stored = np.array([[0, 1024], [2024, 4095]], "<u2")
ds = pydicom.Dataset()
ds.file_meta = pydicom.dataset.FileMetaDataset()
ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality, ds.PatientID = CTImageStorage, generate_uid(), "CT", "1"
ds.PatientName = ds.PatientBirthDate = ds.PatientSex = ds.StudyDate = ds.StudyTime = ds.StudyID = ""
ds.AccessionNumber = ds.ReferringPhysicianName = ds.Manufacturer = ds.PositionReferenceIndicator = ""
ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = generate_uid(), generate_uid(), generate_uid()
ds.InstanceNumber = ds.SeriesNumber = 1
ds.ImageOrientationPatient, ds.ImagePositionPatient, ds.PixelSpacing = [1, 0, 0, 0, 1, 0], [0, 0, 0], [1, 1]
ds.SliceThickness = 1
ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 2, 2, 1, "MONOCHROME2"
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, -1024, "HU"
table = pydicom.Dataset()
table.add_new("LUTDescriptor", "SS", [4096, -1024, 16])
table.add_new("LUTData", "OW", (np.arange(4096) * 16).astype("<u2").tobytes())
ds.VOILUTSequence = [table]
ds.PixelData = stored.tobytes()

due, black = (stored * 16).flatten().tolist(), [0] * 4
for name, syntax in (("explicit", ExplicitVRLittleEndian), ("implicit", ImplicitVRLittleEndian)):
    ds.file_meta.TransferSyntaxUID = syntax
    path = f"{name}.dcm"
    pydicom.dcmwrite(path, ds, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True, enforce_file_format=True)
    read = pydicom.dcmread(path)
    by_pydicom = apply_voi(apply_modality_lut(read.pixel_array, read), read).flatten().tolist()
    print(name, list(read.VOILUTSequence[0].LUTDescriptor), by_pydicom)
    assert by_pydicom == (due if name == "explicit" else black)
    if shutil.which("dcm2pnm"):
        subprocess.run(["dcm2pnm", "+Wl", "1", path, "out.pgm"], check=True, capture_output=True)
        by_dcmtk = np.asarray(Image.open("out.pgm")).flatten().tolist()
        print("  DCMTK", by_dcmtk)
        assert max(abs(a - b * 255 / 65535) for a, b in zip(by_dcmtk, due)) < 2
read.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
pydicom.dcmwrite("again.dcm", read, implicit_vr=False, little_endian=True, enforce_file_format=True)
again = pydicom.dcmread("again.dcm").VOILUTSequence[0]["LUTDescriptor"]
print("implicit, saved as explicit:", again.VR, list(again.value))
assert (again.VR, list(again.value)) == ("US", [4096, 64512, 16])
PY
