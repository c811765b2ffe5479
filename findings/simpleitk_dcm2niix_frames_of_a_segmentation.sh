#!/usr/bin/env bash
# SimpleITK 2.5.7 and dcm2niix 1.0.20260724 on a DICOM segmentation as highdicom 0.28.2 writes it (empty frames left out, one frame a segment and
# slice): both stack the frames as if they were slices. SimpleITK has every voxel 1 x 1 x 1 mm, both segments as 255, and says nothing.
# dcm2niix has the right pixels in mm, but closes the gap of the slices that were left out, and both segments are 1; it says
# that images of 1 bit are experimental. Segments that share slices give as many slices again. A label map (2024) is refused by
# SimpleITK, and closed up likewise by dcm2niix. dcmqi 1.5.7 puts all of them where they belong.
# Seen, voxels of 0.8 x 0.5 x 4.4 mm, L1 in slices 1 and 2, L2 in slice 4 of 6: SimpleITK 3 slices of 1 x 1 x 1 mm, dcm2niix 3 of 0.8 x
# 0.5 x 4.4, each with 120 voxels of one value; dcmqi 4 slices, 0 0 120 120 and 120 0 0 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q highdicom==0.28.2 pydicom==3.0.2 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6 dcm2niix==1.0.20260724 dcmqi==1.5.7
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY'
import shutil
import subprocess
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

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


def counts(array):
    return [int((part > 0).sum()) for part in array], np.unique(array).tolist()


slices = [slice_of(k) for k in range(6)]
mask = np.zeros((6, 20, 24), np.uint8)
mask[1:3, 5:15, 6:18], mask[4, 5:15, 6:18] = 1, 2
named = [
    hd.seg.SegmentDescription(k, f"L{k}", codes.SCT.Tissue, codes.SCT.Bone, hd.seg.SegmentAlgorithmTypeValues.MANUAL)
    for k in (1, 2)
]
for kind in ("BINARY", "LABELMAP"):
    made = hd.seg.Segmentation(slices, mask, kind, named, generate_uid(), 7, generate_uid(), 1, "A", "B", "1", "1")
    shutil.rmtree("in", ignore_errors=True)
    Path("in").mkdir()
    made.save_as("in/seg.dcm")
    try:
        image = sitk.ReadImage("in/seg.dcm")
        itk = image.GetSize(), image.GetSpacing(), *counts(sitk.GetArrayFromImage(image))
    except RuntimeError:
        itk = None
    Path(f"niix_{kind}").mkdir()
    subprocess.run(["dcm2niix", "-o", f"niix_{kind}", "in"], check=True, capture_output=True)
    (path,) = Path(f"niix_{kind}").glob("*.nii")
    volume = nib.load(path)
    niix = volume.shape, tuple(round(float(x), 3) for x in volume.header.get_zooms()), *counts(np.moveaxis(np.asarray(volume.dataobj), 2, 0))
    Path(f"dcmqi_{kind}").mkdir()
    command = ["segimage2itkimage", "--inputDICOM", "in/seg.dcm", "--outputDirectory", f"dcmqi_{kind}", "--outputType", "nii"]
    subprocess.run(command, check=True, capture_output=True)
    dcmqi = [counts(sitk.GetArrayFromImage(sitk.ReadImage(str(p)))) for p in sorted(Path(f"dcmqi_{kind}").glob("*.nii*"))]
    print(kind, "SimpleITK", itk, "dcm2niix", niix, "dcmqi", dcmqi)
    size, spacing = (24, 20, 3), (0.8, 0.5, 4.4)
    if kind == "BINARY":
        assert itk == (size, (1, 1, 1), [120] * 3, [0, 255]) and niix == (size, spacing, [120] * 3, [0, 1])
        assert dcmqi == [([0, 0, 120, 120], [0, 1]), ([120, 0, 0, 0], [0, 2])]
    else:
        assert itk is None and niix == (size, spacing, [120] * 3, [0, 1, 2])
        assert dcmqi == [([120, 0, 120, 120], [0, 1, 2])]
PY
