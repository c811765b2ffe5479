#!/usr/bin/env bash
# MONAI 1.6.1, PydicomReader (LoadImage) of a DICOM segmentation, as highdicom 0.28.2 or 3D Slicer writes it: slices in which a segment is empty are left out of the file, as the standard
# has it (PS3.3 C.8.20), and each frame says where it lies. The reader stacks what frames each segment has and looks at no place but the first frame's and the last one's, which is of
# another segment. Two vertebrae of a curved spine, each on three slices of which they share two, come out on the same three slices, at half the distance between slices; with a
# slice missing in the middle all slices lie in one place. Where segments have unequal counts it raises ValueError, so that it is the luck of equal counts that is wrong in silence;
# right are only segments on the same slices in a row. highdicom's get_volume has every one in its place. The image's own series is right.
# Seen, sagittal slices at x (to the right) -10, -5.6, -1.2, 3.2, 7.6, 12, L3 on -5.6, -1.2, 3.2 and L4 on -1.2, 3.2, 7.6: both on -1.2, 1, 3.2; L3 on -5.6 and 3.2, L4 on 3.2, 7.6: both on 3.2, 3.2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 monai==1.6.1 pydicom==3.0.2 highdicom==0.28.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import highdicom
import numpy as np
from highdicom.seg import Segmentation, SegmentAlgorithmTypeValues, SegmentationTypeValues, SegmentDescription
from monai.data import PydicomReader
from monai.transforms import LoadImage
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

STUDY, SERIES, FRAME = generate_uid(), generate_uid(), generate_uid()
PLACES = [10 - 4.4 * k for k in range(6)]  # DICOM's x, towards the left


def mr(k, x):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.Modality, data.InstanceNumber = MRImageStorage, generate_uid(), "MR", k + 1
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = STUDY, SERIES, FRAME
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "A^B", "1", "", "O"
    data.StudyDate = data.StudyTime = data.StudyID = data.AccessionNumber = data.ReferringPhysicianName = data.PositionReferenceIndicator = ""
    data.SeriesNumber, data.Rows, data.Columns, data.PixelSpacing, data.SliceThickness = 1, 20, 16, [0.5, 0.75], 4
    data.SpacingBetweenSlices, data.ImageOrientationPatient, data.ImagePositionPatient = 4.4, [0, 1, 0, 0, 0, -1], [x, -50, 100]
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelData = 16, 12, 11, bytes(640)
    return data


series = [mr(k, x) for k, x in enumerate(PLACES)]


def seen(l3, l4):
    """Where MONAI and highdicom have the slices of two vertebrae, in mm to the right, after a way through a segmentation."""
    mask = np.zeros((6, 20, 16), np.uint8)
    mask[l3, 3:8, 4:10], mask[l4, 12:16, 4:10] = 1, 2
    described = [SegmentDescription(n, name, codes.SCT.AnatomicalStructure, code, SegmentAlgorithmTypeValues.MANUAL)
                 for n, name, code in ((1, "L3", codes.SCT.L3Vertebra), (2, "L4", codes.SCT.L4Vertebra))]
    made = Segmentation(series, mask, SegmentationTypeValues.BINARY, described, generate_uid(), 2, generate_uid(), 1, "m", "m", "1", "1")
    made.save_as("seg.dcm")
    read = LoadImage(reader=PydicomReader(), image_only=True)("seg.dcm")
    monai = [sorted(round(float(read.affine[0] @ np.array([0, 0, k, 1])), 1) for k in np.unique(np.nonzero(np.asarray(read)[..., n])[2])) for n in (0, 1)]
    volume = highdicom.seg.segread("seg.dcm").get_volume()
    right = [sorted(round(-float((volume.affine @ [k, 0, 0, 1])[0]), 1) for k in np.unique(np.nonzero(volume.array[..., n])[0])) for n in (0, 1)]
    print("L3, L4: MONAI", *monai, "highdicom", *right)
    assert right == [sorted(round(-PLACES[k], 1) for k in slices) for slices in (l3, l4)]
    return monai


assert seen([1, 2, 3], [1, 2, 3]) == [[-5.6, -1.2, 3.2]] * 2
assert seen([1, 2, 3], [2, 3, 4]) == [[-1.2, 1.0, 3.2]] * 2
assert seen([1, 3], [3, 4]) == [[3.2, 3.2]] * 2
try:
    seen([1, 2, 3], [2, 3])
    raise SystemExit("unequal counts were read")
except ValueError as error:
    print("unequal counts:", error)
PY
