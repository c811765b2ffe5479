#!/usr/bin/env bash
# deid 0.4.13 (pydata), replace_identifiers with nothing but the files named: the recipe that it falls back on takes every UID away, that of the series, of the
# picture and, as it is a UID, the SOP Class as well, from the header and from the file meta information. Series of two patients in one folder are one to
# SimpleITK 2.5.7, a stack of the one patient's slices upon the other's; highdicom 0.28.2 raises AttributeError, and nothing can be sent, as a store begins with both UIDs. A
# report loses its film. It enters Stanford's archive, STARR, as Issuer of Patient ID, and Patient Identity Removed YES beside free text and private elements
# that are as they were. What is said: "No deid specification provided, will use defaults." PS3.15 E replaces UIDs, consistently, and keeps the class.
# Seen, two sagittal series of 5 slices, 4.4 mm apart: SimpleITK series of 5 and 5; after deid one of 10, 1.96 mm apart; SOPClassUID, SOPInstanceUID, SeriesInstanceUID gone, IssuerOfPatientID
# STARR, PixelSpacing, position and orientation kept, StudyDescription kept.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q deid==0.4.13 pydicom==3.0.2 highdicom==0.28.2 SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import SimpleITK as sitk
from deid.dicom import replace_identifiers
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

for folder in ("before", "after"):
    Path(folder).mkdir()
for patient in ("A", "B"):
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for k in range(5):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
        data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = f"{patient}^X", patient, 1, k + 1
        data.StudyDescription = f"spine of {patient}"
        data.ImagePositionPatient, data.ImageOrientationPatient = [-8.8 + 4.4 * k, -20, 30], [0, 1, 0, 0, 0, -1]
        data.PixelSpacing, data.SliceThickness = [0.6, 0.6], 4
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 20, 24, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.PixelData = np.full((20, 24), 100 if patient == "A" else 200, "<u2").tobytes()
        data.save_as(f"before/{patient}{k}.dcm", enforce_file_format=True)


def series(folder):
    reader = sitk.ImageSeriesReader
    return [len(reader.GetGDCMSeriesFileNames(folder, uid)) for uid in reader.GetGDCMSeriesIDs(folder)]


replace_identifiers(dicom_files=sorted(str(path) for path in Path("before").iterdir()), save=True, output_folder="after")
kept = pydicom.dcmread("after/A2.dcm")
gone = [name for name in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID") if name not in kept]
print("series before", series("before"), "after", series("after"), "gone", gone, kept.IssuerOfPatientID, kept.PatientIdentityRemoved, kept.StudyDescription)
assert series("before") == [5, 5] and series("after") == [10] and len(gone) == 5 and "MediaStorageSOPClassUID" not in kept.file_meta
assert (kept.IssuerOfPatientID, kept.PatientIdentityRemoved, kept.StudyDescription) == ("STARR", "YES", "spine of A")
assert kept.PixelSpacing == [0.6, 0.6] and kept.ImagePositionPatient == [0, -20, 30]

sitk.ProcessObject.SetGlobalWarningDisplay(False)
volume = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames("after"))
print("one volume", volume.GetSize(), volume.GetSpacing(), sitk.GetArrayFromImage(volume)[:, 0, 0].tolist())
assert volume.GetSize()[2] == 10 and set(sitk.GetArrayFromImage(volume)[:, 0, 0].tolist()) == {100, 200}
assert highdicom.imread("before/A2.dcm").get_frame(1).shape == (20, 24)
try:
    highdicom.imread("after/A2.dcm").get_frame(1)
except AttributeError as error:
    print("highdicom:", error)
else:
    raise AssertionError("highdicom reads it")
PY
