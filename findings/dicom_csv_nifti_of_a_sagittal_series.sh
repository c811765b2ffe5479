#!/usr/bin/env bash
# dicom-csv 0.5.1 (headers of a whole folder as one table, and its volumes), get_nifti: the affine has the directions of the axes as its rows where they should be its columns, counts to the left
# and back as DICOM does where NIfTI counts to the right and to the front, takes rows and columns in the order of the array with directions in that of the header, and lays slices that are sorted downwards
# out upwards. On a sagittal series its slices run from front to back and front and back of the spine from side to side. An axial series, the usual one, is turned over in every direction
# and, where pixels are not square, stretched. The distance between slices and the values are right. Nothing is said.
# Seen, sagittal, 0.5 \ 0.8 mm, slices 4.4 mm apart, a body at (x to the right, y to the front, z up) 2.2, 12.4, 24.25: by its affine 16.4, -31, 24.25; letters of its axes by nibabel 5.4.2
# I R P, by the series I P R; axial, a body at 1.2, 16.75, 36.6: -3.05, -14.9, 58.6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q dicom-csv==0.5.1 pydicom==3.0.2 numpy==2.4.6 nibabel==5.4.2 pandas==3.1.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import nibabel as nib
import numpy as np
from dicom_csv.aggregation import get_nifti
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid


def series(orientation, first, step):
    study, one, frame = generate_uid(), generate_uid(), generate_uid()
    for k in range(5):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID, data.InstanceNumber = study, one, frame, k + 1
        data.ImagePositionPatient, data.ImageOrientationPatient = (np.array(first) + k * np.array(step)).tolist(), orientation
        data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.5, 0.8], 4, 20, 24
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        pixels = np.zeros((20, 24), "<u2")
        if k in (1, 2):
            pixels[10:14, 7:13] = 1000
        data.PixelData = pixels.tobytes()
        yield data


def check(name, orientation, first, step, letters, truth, seen):
    image = get_nifti(list(series(orientation, first, step)))
    across, down = np.array(orientation[:3]), np.array(orientation[3:])
    left, back, up = np.array(first) + 1.5 * np.array(step) + 9.5 * 0.8 * across + 11.5 * 0.5 * down
    where = (image.affine @ [*np.argwhere(np.asanyarray(image.dataobj)).mean(0), 1])[:3]
    print(name, nib.aff2axcodes(image.affine), "series", np.round((-left, -back, up), 2), "dicom-csv", np.round(where, 2))
    assert np.allclose((-left, -back, up), truth, atol=0.06)
    assert nib.aff2axcodes(image.affine) == letters and np.allclose(where, seen, atol=0.06)


check("sagittal", [0, 1, 0, 0, 0, -1], (-8.8, -20, 30), (4.4, 0, 0), ("I", "R", "P"), (2.2, 12.4, 24.25), (16.4, -31, 24.25))
check("axial", [1, 0, 0, 0, 1, 0], (-8.8, -22.5, 30), (0, 0, 4.4), ("R", "A", "S"), (1.2, 16.75, 36.6), (-3.05, -14.9, 58.6))
PY
