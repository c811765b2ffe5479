#!/usr/bin/env bash
# highdicom 0.28.2, imread: of a MONOCHROME1 film, get_frame, get_frames and get_volume give the grey values turned over, as floats; pixel_array
# and get_stored_frame of the same object give them as stored. The turn (apply_presentation_lut, on unless told otherwise) is about
# the range of Bits Stored. pydicom 3.0.2, apply_presentation_lut, turns about the largest value in the picture, goes by
# Presentation LUT Shape only and leaves a MONOCHROME1 film without one as it is; where the shape is INVERSE both turn, to other numbers.
# Seen, stored 0 100 2000 4000, 12 bits: MONOCHROME1: highdicom 4095 3995 2095 95, pixel_array 0 100 2000 4000, pydicom 0 100 2000 4000;
# with INVERSE: highdicom 4095 3995 2095 95, pydicom 4000 3900 2000 0; MONOCHROME2 without a shape 0 100 2000 4000 throughout.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import highdicom as hd
import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_presentation_lut
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

STORED, TURNED = [0, 100, 2000, 4000], [4095, 3995, 2095, 95]


def film(photometric, shape):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = ComputedRadiographyImageStorage, generate_uid(), "CR"
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.PatientName = data.PatientBirthDate = data.PatientSex = data.StudyID = data.AccessionNumber = ""
    data.PatientID, data.StudyDate, data.StudyTime, data.SeriesNumber, data.InstanceNumber = "1", "20250101", "", 1, 1
    data.Rows, data.Columns, data.SamplesPerPixel, data.PixelRepresentation = 2, 2, 1, 0
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PhotometricInterpretation = 16, 12, 11, photometric
    if shape:
        data.PresentationLUTShape = shape
    data.PixelData = np.array(STORED, "<u2").tobytes()
    data.save_as("film.dcm", enforce_file_format=True)
    image, plain = hd.imread("film.dcm"), dcmread("film.dcm")
    seen = [image.get_frame(1), image.get_frames()[0], image.pixel_array, image.get_stored_frame(1)]
    seen.append(apply_presentation_lut(plain.pixel_array, plain))
    return [np.ravel(values).astype(int).tolist() for values in seen]


for photometric, shape, turned, other in (
    ("MONOCHROME1", None, TURNED, STORED),
    ("MONOCHROME1", "INVERSE", TURNED, [4000, 3900, 2000, 0]),
    ("MONOCHROME2", None, STORED, STORED),
):
    seen = film(photometric, shape)
    print(photometric, shape, "get_frame, get_frames, pixel_array, get_stored_frame, pydicom", seen)
    assert seen == [turned, turned, STORED, STORED, other]
PY
