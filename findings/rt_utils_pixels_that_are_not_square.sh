#!/usr/bin/env bash
# rt-utils 1.2.7, masks to RT structure sets and back, on a series whose pixels are not square: Pixel Spacing is that of the rows
# first (PS3.3 10.7.1.3), rt-utils takes it for that of the columns, so that contours are stretched and shifted in mm. Reading its
# own file swaps it again and gives the mask back, so that no round trip shows it. A picture that is not square comes back as
# columns x rows with the mask still at its row and column: of a tall one all below row number "columns" is lost.
# Seen, spacing 0.5 \ 0.8, sagittal, body in columns 10 to 34, rows 10 to 29: 12.0 mm deep and 15.2 high by its file;
# 19.2 and 9.5 by the standard (centre to centre); highdicom 0.28.2 finds the contour in columns 6.25 to 21.25, rows 16 to 46.4. Of 60 x 50, with
# the body in rows 35 to 54: 50 x 60, rows 35 to 49.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q rt-utils==1.2.7 highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6 opencv-python-headless==5.0.0.93
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from pathlib import Path

import numpy as np
from highdicom.spatial import ReferenceToPixelTransformer
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from rt_utils import RTStructBuilder

place, directions, spacing = [-10, -20, 30], [0, 1, 0, 0, 0, -1], [0.5, 0.8]


def series(folder, rows, columns, top):
    Path(folder).mkdir()
    study, number, frame = generate_uid(), generate_uid(), generate_uid()
    for k in range(4):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, number, frame
        data.PatientName = data.PatientBirthDate = data.PatientSex = data.StudyID = data.AccessionNumber = ""
        data.PatientID, data.StudyDate, data.StudyTime, data.SeriesNumber, data.InstanceNumber = "1", "20250101", "", 1, k + 1
        data.ImagePositionPatient, data.ImageOrientationPatient = [place[0] - 4 * k, *place[1:]], directions
        data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = spacing, 4, rows, columns
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        data.PixelData = np.zeros((rows, columns), "<u2").tobytes()
        data.save_as(f"{folder}/{k}.dcm", enforce_file_format=True)
    mask = np.zeros((rows, columns, 4), bool)
    mask[top : top + 20, 10:35, 1] = True
    made = RTStructBuilder.create_new(dicom_series_path=folder)
    made.add_roi(mask=mask, name="L3")
    made.save(f"{folder}.dcm")
    return mask, RTStructBuilder.create_from(dicom_series_path=folder, rt_struct_path=f"{folder}.dcm")


mask, read = series("square", 60, 60, 10)
assert (read.get_roi_mask_by_name("L3") == mask).all()
(contour,) = read.ds.ROIContourSequence[0].ContourSequence
points = np.reshape([float(x) for x in contour.ContourData], (-1, 3))
deep, high = np.ptp(points[:, 1]), np.ptp(points[:, 2])
x = points[0, 0]
there = ReferenceToPixelTransformer([x, *place[1:]], directions, spacing, round_output=False)(points)
print(f"deep {deep:.2f} high {high:.2f}, columns and rows", there.min(0).round(2), there.max(0).round(2))
assert abs(deep - 24 * 0.5) < 1e-4 and abs(high - 19 * 0.8) < 1e-4
assert np.allclose(there.min(0)[:2], [6.25, 16], atol=0.01) and np.allclose(there.max(0)[:2], [21.25, 46.4], atol=0.01)
_, read = series("oblong", 60, 50, 35)
back = read.get_roi_mask_by_name("L3")[:, :, 1]
rows, columns = (np.flatnonzero(back.any(axis)) for axis in (1, 0))
print("60 x 50 comes back as", back.shape, "rows", rows[[0, -1]], "columns", columns[[0, -1]])
assert back.shape == (50, 60) and (*rows[[0, -1]], *columns[[0, -1]]) == (35, 49, 10, 34)
PY
