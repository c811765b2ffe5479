#!/usr/bin/env bash
# DicomRTTool 6.2.0, masks to RT structure sets and back by the same package: on a sagittal series all contours come back in the first
# slice, an even number of them over each other cancelling out (as holes do), and the other slices are empty. The file itself is right: its contours
# lie at the x of their slices, along the outer edge of the pixels. On an axial series they come back in their slices,
# a row and a column larger, as a contour along the edge is filled with its border. Nothing is said.
# Seen, a box of 20 x 25 pixels in slices 1, 2 and 3 of 6: sagittal 545, 0, 0, 0, 0, 0; axial 0, 545, 545, 545, 0, 0, for 500 each.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q DicomRTTool==6.2.0 pydicom==3.0.2 numpy==2.4.6 SimpleITK==2.5.7
cd "$work"
"$work/venv/bin/python" -W ignore - 2>/dev/null <<'PY'
from pathlib import Path

import numpy as np
from DicomRTTool.ReaderWriter import DicomReaderWriter
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid


def series(folder, directions, step):
    Path(folder).mkdir()
    study, number, frame = generate_uid(), generate_uid(), generate_uid()
    for k in range(6):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, number, frame
        data.PatientName = data.PatientBirthDate = data.PatientSex = data.StudyID = data.AccessionNumber = ""
        data.PatientID, data.StudyDate, data.StudyTime, data.SeriesNumber, data.InstanceNumber = "1", "20250101", "", 1, k + 1
        data.ReferringPhysicianName = ""
        data.ImagePositionPatient = [float(x) for x in np.array([-10, -20, 30]) + k * np.array(step)]
        data.ImageOrientationPatient, data.PixelSpacing, data.SliceThickness = directions, [0.5, 0.8], 4
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 60, 50, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.PixelData = np.zeros((60, 50), "<u2").tobytes()
        data.save_as(f"{folder}/{k}.dcm", enforce_file_format=True)


def read(folder):
    reader = DicomReaderWriter(description=folder, arg_max=True, verbose=False, Contour_Names=["l3"])
    reader.walk_through_folders(folder)
    return reader


for folder, directions, step, seen in (
    ("sagittal", [0, 1, 0, 0, 0, -1], [-4.4, 0, 0], [545, 0, 0, 0, 0, 0]),
    ("axial", [1, 0, 0, 0, 1, 0], [0, 0, 4.4], [0, 545, 545, 545, 0, 0]),
):
    series(folder, directions, step)
    mask = np.zeros((6, 60, 50, 2))
    mask[1:4, 10:30, 10:35, 1] = 1
    mask[..., 0] = 1 - mask[..., 1]
    writer = read(folder)
    writer.get_images()
    assert writer.ArrayDicom.shape == (6, 60, 50)
    writer.prediction_array_to_RT(prediction_array=mask, output_dir=f"{folder}_out", ROI_Names=["L3"])
    (made,) = Path(f"{folder}_out").glob("*.dcm")
    contours = [np.reshape([float(x) for x in c.ContourData], (-1, 3)) for c in dcmread(made).ROIContourSequence[0].ContourSequence]
    across = 0 if folder == "sagittal" else 2
    places = sorted({round(float(contour[0, across]), 1) for contour in contours})
    made.rename(f"{folder}/structures.dcm")
    reader = read(folder)
    reader.get_images_and_mask()
    back = [int(slice_.sum()) for slice_ in np.asarray(reader.mask)]
    print(folder, "contours at", places, "mask", back)
    assert places == ([-23.2, -18.8, -14.4] if folder == "sagittal" else [34.4, 38.8, 43.2])
    assert back == seen, back
PY
