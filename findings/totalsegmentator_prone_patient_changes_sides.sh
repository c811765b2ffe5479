#!/usr/bin/env bash
# TotalSegmentator 2.18.0, DICOM in and DICOM segmentation or RT structure set out (highdicom 0.28.2, rt-utils 1.2.7; series to NIfTI by dicom2nifti 2.6.2): the mask is laid back on the slices by fixed flips. For an axial series it
# looks which way the columns of the picture run, not which way the rows do. Of a patient who lies prone (as for an injection or a vertebroplasty), rows run to the right: what is left comes out on the right,
# in both files, in the same slices and at the same height. So it does of one who is scanned feet first, where rows run to the right alone. Of one who lies on the side, the mask is turned by half about the middle
# of the picture. The NIfTI between is right each time, and the files say of themselves that they belong to the series. A sagittal series whose slices are not square, as those of a spine seldom are, is refused as a segmentation, with a word
# about its shape, and right as a structure set. Supine, and sagittal squares, are right. Nothing is said of the others.
# Seen, a body at x, y (to the left, to the back; z is right throughout), truth, NIfTI, segmentation, structure set: supine 8.0 6.4 in all; prone -8.0 -6.4, -8.0 -6.4, 8.8 -6.4, 8.8 -6.4; feet first -8.0 6.4, -8.0 6.4, 8.8 6.4, 8.8 6.4;
# on the side 6.4 -8.0, 6.4 -8.0, -8.8 -6.4, -8.8 -6.4; sagittal 50 x 40 x 10: segmentation ValueError, structure set right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 nibabel==5.4.2 tqdm==4.70.1 highdicom==0.28.2 pydicom==3.0.2 dicom2nifti==2.6.2 opencv-python-headless==5.0.0.93
"$work/venv/bin/pip" install -q --no-deps TotalSegmentator==2.18.0 rt-utils==1.2.7
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY' 2>"$work/errors" || { cat "$work/errors"; exit 1; }
import sys
import types
from pathlib import Path

for unused in ("torch", "requests"):  # imported by the package's configuration, of no use to this step
    sys.modules[unused] = types.ModuleType(unused)
import highdicom as hd
import nibabel as nib
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from totalsegmentator.dicom_io import dcm_to_nifti, save_mask_as_dicomseg, save_mask_as_rtstruct


def series(folder, orientation, first, step, rows):
    folder.mkdir()
    study, one, frame = generate_uid(), generate_uid(), generate_uid()
    for k in range(10):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality, data.SeriesNumber = CTImageStorage, generate_uid(), "CT", 1
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID, data.InstanceNumber = study, one, frame, k + 1
        data.PatientName = data.PatientID = data.StudyID = data.AccessionNumber = "A"
        data.PatientBirthDate = data.PatientSex = data.StudyDate = data.StudyTime = data.ReferringPhysicianName = ""
        data.ImagePositionPatient, data.ImageOrientationPatient = (np.array(first) + k * np.array(step)).tolist(), orientation
        data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [0.8, 0.8], 2, rows, 40
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit, data.RescaleSlope, data.RescaleIntercept = 16, 12, 11, 1, 0
        pixels = np.zeros((rows, 40), "<u2")
        if 3 <= k < 7:
            pixels[24:33, 26:35] = 1000
        data.PixelData = pixels.tobytes()
        data.save_as(folder / f"{k}.dcm", enforce_file_format=True)
    return np.array(first) + 4.5 * np.array(step) + 0.8 * (30 * np.array(orientation[:3]) + 28 * np.array(orientation[3:]))


def middle(array, affine):
    return (affine @ [*np.argwhere(np.asarray(array) > 0).mean(0), 1])[:3]


def places(name, orientation, first, step, rows=40):
    truth = series(Path(name), orientation, first, step, rows)
    dcm_to_nifti(Path(name), Path(f"{name}.nii.gz"))
    nifti = nib.load(f"{name}.nii.gz")
    mask = (nifti.get_fdata() > 500).astype(np.uint8)
    right, front, up = middle(mask, nifti.affine)
    found = [truth, np.array([-right, -front, up])]
    try:
        save_mask_as_dicomseg(mask, {1: "vertebrae_L3"}, Path(name), Path(f"{name}_seg.dcm"), nifti.affine)
        volume = hd.seg.segread(f"{name}_seg.dcm").get_volume(combine_segments=True)
        found.append(middle(volume.array, volume.affine))
    except ValueError as error:
        found.append(str(error))
    save_mask_as_rtstruct(mask, {1: "vertebrae_L3"}, Path(name), Path(f"{name}_rt.dcm"))
    contours = pydicom.dcmread(f"{name}_rt.dcm").ROIContourSequence[0].ContourSequence
    points = np.concatenate([np.reshape([float(v) for v in contour.ContourData], (-1, 3)) for contour in contours])
    found.append((points.min(0) + points.max(0)) / 2)
    found = [place if isinstance(place, str) else (np.round(place, 1) + 0).tolist() for place in found]
    print(name, *found, sep="; ")
    return found


assert places("supine", [1, 0, 0, 0, 1, 0], (-16, -16, 30), (0, 0, 2)) == [[8, 6.4, 39]] * 4
assert places("prone", [-1, 0, 0, 0, -1, 0], (16, 16, 30), (0, 0, 2)) == [[-8, -6.4, 39]] * 2 + [[8.8, -6.4, 39]] * 2
assert places("feet first", [-1, 0, 0, 0, 1, 0], (16, -16, 30), (0, 0, 2)) == [[-8, 6.4, 39]] * 2 + [[8.8, 6.4, 39]] * 2
assert places("on the side", [0, -1, 0, 1, 0, 0], (-16, 16, 30), (0, 0, 2)) == [[6.4, -8, 39]] * 2 + [[-8.8, -6.4, 39]] * 2
truth, nifti, segmentation, structures = places("sagittal", [0, 1, 0, 0, 0, -1], (-9, -16, 30), (2, 0, 0), 50)
assert truth == nifti == structures and "does not match DICOM dimensions" in segmentation
PY
