#!/usr/bin/env bash
# XMedCon 0.23.0 (medcon, Debian 12), a sagittal MR series to NIfTI: both codes are 0, and of position and orientation nothing is left, so that
# every reader takes it for an axial stack about a place of its own guess. The distance between slices is that of the first
# pair, so that a missing slice closes up; of two echoes, interleaved by number, the volume has all slices 1 mm apart. Slopes that
# differ from slice to slice are left out unless -qs asks for them. What is said is of the zero distance only.
# Seen, 5 slices of 4.4 mm: nibabel 5.4.2 ("L", "A", "S"), codes 0, 0, by SimpleITK 2.5.7 from (0, 0, 0); by the files ("P", "I", "R") from
# (-8.8, 20, 30); third missing: 4 of 4.4 mm; echoes: 10 of 1.0; slopes 1 to 3: 100 throughout.
# Needs the package medcon; left out where it is missing or newer.
set -euo pipefail
[[ "$(dpkg-query -W -f '${Version}' medcon 2>/dev/null)" == 0.23.0* ]] || { echo "left out: medcon 0.23.0 is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid


def converted(folder, slices, slope=lambda k: None):
    Path(folder).mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for number, (k, value) in enumerate(slices):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
        data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, number + 1
        data.ImagePositionPatient, data.ImageOrientationPatient = [-8.8 + 4.4 * k, -20, 30], [0, 1, 0, 0, 0, -1]
        data.PixelSpacing, data.SliceThickness, data.SpacingBetweenSlices = [0.6, 0.6], 4, 4.4
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 20, 24, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        if slope(k):
            data.RescaleSlope, data.RescaleIntercept = slope(k), 0
        data.PixelData = np.full((20, 24), value, "<u2").tobytes()
        data.save_as(f"{folder}/{number:02d}.dcm", enforce_file_format=True)
    files = sorted(str(path) for path in Path(folder).iterdir())
    subprocess.run(["medcon", "-f", *files, "-c", "nifti", "-o", folder, "-stacks"], check=True, capture_output=True)
    (path,) = Path().glob(f"*{folder}.nii")
    image = nib.load(path)
    codes = int(image.header["sform_code"]), int(image.header["qform_code"])
    origin = sitk.ReadImage(str(path)).GetOrigin()
    values = sorted({round(float(v), 2) for v in np.asarray(image.dataobj).ravel()})
    seen = nib.aff2axcodes(image.affine), codes, origin, image.shape, round(float(image.header.get_zooms()[2]), 3), values
    print(folder, *seen)
    return seen


axes, codes, origin, shape, step, _ = converted("plain", [(k, 100 + k) for k in range(5)])
assert axes == ("L", "A", "S") and codes == (0, 0) and origin == (0, 0, 0) and (shape, step) == ((24, 20, 5), 4.4)
assert converted("missing", [(k, 100 + k) for k in (0, 1, 3, 4)])[3:5] == ((24, 20, 4), 4.4)
assert converted("echoes", [(k, 100 + k + 100 * echo) for k in range(5) for echo in (0, 1)])[3:5] == ((24, 20, 10), 1.0)
assert converted("slopes", [(k, 100) for k in range(5)], lambda k: 1 + k / 2)[5] == [100]
PY
