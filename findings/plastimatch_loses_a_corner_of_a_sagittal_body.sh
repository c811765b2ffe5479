#!/usr/bin/env bash
# Plastimatch 1.9.4 (Debian 12), convert of an RT structure set to masks: where the last point of a contour has the x and y of the first it is taken
# for the first once more, and dropped. On axial slices no other point has both. On sagittal slices x is the same everywhere, so that a last point
# straight below or above the first goes. Of a body drawn by its four corners, as bodies are, a triangle is left, half of its
# area; of one of six points a corner is cut off. Begun at the next corner the same body is whole, and so is a tilted one. Nothing is said.
# dcmrtstruct2nii 5 (with pydicom 2.4.5) fills all of them.
# Seen, a body of 20 x 15 pixels in three slices, sagittal, its corners from the upper front: 150 pixels a slice, from the upper back 300, from the lower
# back 150, from the lower front 300; six points 222; tilted, 295 of 295; axial 300; dcmrtstruct2nii 300 for all that are straight.
# Needs the package plastimatch; left out where it is missing or newer.
set -euo pipefail
[[ "$(dpkg-query -W -f '${Version}' plastimatch 2>/dev/null)" == 1.9.4* ]] || { echo "left out: plastimatch 1.9.4 is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir dcmrtstruct2nii==5 pydicom==2.4.5 nibabel==5.4.2 SimpleITK==2.5.7 numpy==1.26.4
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import logging
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from dcmrtstruct2nii import dcmrtstruct2nii

logging.disable(logging.CRITICAL)
SAGITTAL = (0, 1, 0, 0, 0, -1), [(-10 + 4 * k, -20, 30) for k in range(6)]
AXIAL = (1, 0, 0, 0, 1, 0), [(-10, -20, 30 + 4 * k) for k in range(6)]


def dataset(path, kind, modality, study, series):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, kind
    data = FileDataset(path, {}, file_meta=meta, preamble=bytes(128))
    data.is_little_endian, data.is_implicit_VR = True, False
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = kind, generate_uid(), modality
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = study, series
    data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, 1
    data.StudyDate, data.StudyTime, data.Manufacturer = "20260101", "120000", ""
    return data


def item(**values):
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def filled(name, plane, corners):
    orientation, places = plane
    Path(name).mkdir()
    study, series, frame, slices = generate_uid(), generate_uid(), generate_uid(), []
    for number, place in enumerate(places):
        data = dataset(f"{name}/{number}.dcm", CTImageStorage, "CT", study, series)
        data.FrameOfReferenceUID, data.InstanceNumber = frame, number + 1
        data.ImagePositionPatient, data.ImageOrientationPatient = list(place), list(orientation)
        data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.5, 0.5], 4, 40, 50
        data.SamplesPerPixel, data.PhotometricInterpretation, data.RescaleSlope, data.RescaleIntercept = 1, "MONOCHROME2", 1, 0
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.PixelData = bytes(40 * 50 * 2)
        data.save_as(f"{name}/{number}.dcm", write_like_original=False)
        slices.append(item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=data.SOPInstanceUID))
    along, down = np.array(orientation[:3]), np.array(orientation[3:])
    contours = []
    for number in (1, 2, 3):
        points = [np.array(places[number]) + 0.5 * column * along + 0.5 * row * down for column, row in corners]
        contours.append(item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=len(points),
                             ContourData=[float(value) for point in points for value in point], ContourImageSequence=[slices[number]]))
    data = dataset(f"{name}.dcm", RTStructureSetStorage, "RTSTRUCT", study, generate_uid())
    data.StructureSetLabel, data.StructureSetDate, data.StructureSetTime = "bodies", "20260101", "120000"
    referenced = item(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=study,
                      RTReferencedSeriesSequence=[item(SeriesInstanceUID=series, ContourImageSequence=slices)])
    data.ReferencedFrameOfReferenceSequence = [item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[referenced])]
    data.StructureSetROISequence = [item(ROINumber=1, ReferencedFrameOfReferenceUID=frame, ROIName="L1", ROIGenerationAlgorithm="MANUAL")]
    data.ROIContourSequence = [item(ReferencedROINumber=1, ROIDisplayColor=[255, 0, 0], ContourSequence=contours)]
    data.RTROIObservationsSequence = [item(ObservationNumber=1, ReferencedROINumber=1, RTROIInterpretedType="", ROIInterpreter="")]
    data.save_as(f"{name}.dcm", write_like_original=False)
    command = ["plastimatch", "convert", "--input", f"{name}.dcm", "--referenced-ct", name, "--output-labelmap", f"{name}.nii"]
    subprocess.run(command, check=True, capture_output=True)
    dcmrtstruct2nii(f"{name}.dcm", name, f"masks_{name}/", convert_original_dicom=False)
    (other,) = Path(f"masks_{name}").glob("mask_*.nii.gz")
    seen = []
    for path in (f"{name}.nii", other):
        counts = {int(n) for n in (np.asarray(nib.load(path).dataobj) > 0).sum((0, 1))} - {0}
        assert len(counts) == 1, counts
        seen.append(counts.pop())
    print(name, *seen)
    return tuple(seen)


body = [(9.5, 7.5), (29.5, 7.5), (29.5, 22.5), (9.5, 22.5)]
for start, left in enumerate((150, 300, 150, 300)):
    assert filled(f"sagittal_{start}", SAGITTAL, body[start:] + body[:start]) == (left, 300)
    assert filled(f"axial_{start}", AXIAL, body[start:] + body[:start]) == (300, 300)
assert filled("six", SAGITTAL, [body[0], (20, 7.5), *body[1:3], (20, 22.5), body[3]]) == (222, 300)
tilted = [(10, 8), (29, 12), (26, 27), (7, 23)]
assert filled("tilted", SAGITTAL, tilted)[0] == filled("tilted_axial", AXIAL, tilted)[0] == 295
PY
