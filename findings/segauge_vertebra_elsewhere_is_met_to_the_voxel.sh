#!/usr/bin/env bash
# segauge 0.1.0 (metrics of a segmentation read from DICOM as it is), evaluate on two DICOM segmentations of one series, as highdicom 0.28.2 writes them: empty frames are left out, and the volume that is read
# begins with the first slice that has something in it. The two are laid on each other from there, by index; where either lies in the patient is not asked. A vertebra that was found in the next slices,
# or in slices that hold nothing of it, is met to the voxel, Dice 1 and every distance 0, as long as it fills as many slices. Of another number of slices it says that the shapes
# differ, and of NIfTI files likewise nothing but the shape is asked. Nothing is said.
# Seen, a body of 3 of 8 sagittal slices 4.4 mm apart: moved by one slice (4.4 mm), Dice 0.667: Dice 1, hd 0; by three (13.2 mm), Dice 0: Dice 1, hd 0; a
# volume of 4 slices is refused; a NIfTI mask written from left to right against one from right to left, the same body: Dice 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0 trimesh==5.2.0 nibabel==5.4.2 pydicom==3.0.2 highdicom==0.28.2
"$work/venv/bin/pip" install -q --no-compile --no-deps segauge==0.1.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import highdicom as hd
import nibabel as nib
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from segauge.core import Case, evaluate

study, series, frame = generate_uid(), generate_uid(), generate_uid()


def slice_of(k):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
    data.PatientName = data.PatientBirthDate = data.PatientSex = data.StudyID = data.AccessionNumber = ""
    data.PatientID, data.StudyDate, data.StudyTime, data.SeriesNumber, data.InstanceNumber = "1", "20250101", "", 1, k + 1
    data.ImagePositionPatient, data.ImageOrientationPatient = [4.4 * k, -20.0, 30.0], [0, 1, 0, 0, 0, -1]
    data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.5, 0.8], 4, 20, 24
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelData = bytes(2 * 20 * 24)
    return data


slices = [slice_of(k) for k in range(8)]
body = hd.seg.SegmentDescription(1, "L1", codes.SCT.Tissue, codes.SCT.Bone, hd.seg.SegmentAlgorithmTypeValues.MANUAL)


def mask(first, last):
    filled = np.zeros((8, 20, 24), np.uint8)
    filled[first:last, 5:15, 6:18] = 1
    return filled


def written(first, last):
    path = f"{first}_{last}.dcm"
    hd.seg.Segmentation(slices, mask(first, last), "BINARY", [body], generate_uid(), 7, generate_uid(), 1, "A", "B", "1", "1").save_as(path)
    return path


def scores(found, truth):
    row = evaluate([Case("1", found, truth)]).rows[0]
    return row["dice"], row["hd"]


truth = written(2, 5)
for first in (3, 5):
    overlap = (mask(2, 5) & mask(first, first + 3)).sum() / mask(2, 5).sum()
    seen = scores(written(first, first + 3), truth)
    print(f"moved by {first - 2} slices: Dice of the voxels {overlap:.3f}, segauge's Dice and hd {seen}")
    assert seen == (1, 0) and overlap < 0.7
    truthfully = scores(mask(first, first + 3), mask(2, 5))
    assert truthfully[0] < 0.7 and truthfully[1] > 0.9
try:
    scores(written(2, 6), truth)
except ValueError as error:
    print(error)
else:
    raise AssertionError("a volume of other slices was taken")

affine = np.array([[-4.4, 0, 0, 30], [0, -0.5, 0, 20], [0, 0, -0.8, 30], [0, 0, 0, 1.0]])
turned = affine.copy()
turned[:3, 0], turned[:3, 3] = -affine[:3, 0], affine[:3, 3] + 7 * affine[:3, 0]
nib.save(nib.Nifti1Image(mask(1, 4), affine), "from_the_right.nii.gz")
nib.save(nib.Nifti1Image(mask(1, 4)[::-1].copy(), turned), "from_the_left.nii.gz")
seen = scores("from_the_right.nii.gz", "from_the_left.nii.gz")
print("the same body, NIfTI from right to left and from left to right", seen)
assert seen[0] == 0
PY
