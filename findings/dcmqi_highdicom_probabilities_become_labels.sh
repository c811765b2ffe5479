#!/usr/bin/env bash
# A fractional segmentation (probabilities of a network, PS3.3 C.8.20.2.3) holds whole numbers and, once in the file, Maximum Fractional Value, the number
# that means 1. highdicom 0.28.2 divides on reading and gives probabilities. dcmqi 1.5.7 (segimage2itkimage, the reader behind many
# conversions), SimpleITK 2.5.7 and dcm2niix 1.0.20260724 hand on the numbers, as an image of labels: dcmqi's metadata beside it say labelID 1,
# but no voxel is 1, and the divisor is in none of the files. Who asks for label 1 finds nothing; who takes what is above 0 takes every voxel
# that the network did not rule out; and the same network is another by the maker's divisor (highdicom's is 255 unless told).
# Seen, L1 of 0.4 in three slices and 0.9 in half of one: highdicom 0.4, 0.9; the three with divisor 255: 102, 230, with 200: 80, 180; labelID 1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q highdicom==0.28.2 pydicom==3.0.2 dcmqi==1.5.7 SimpleITK==2.5.7 dcm2niix==1.0.20260724 nibabel==5.4.2 numpy==2.4.6
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY'
import json
import subprocess
from pathlib import Path

import highdicom
import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

source = []
study, series, frame = generate_uid(), generate_uid(), generate_uid()
for k in range(5):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID, data.file_meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, MRImageStorage
    data.SOPClassUID, data.SOPInstanceUID, data.Modality, data.Manufacturer = MRImageStorage, generate_uid(), "MR", ""
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
    data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, k + 1
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "20260101", "120000", "1", ""
    data.PatientBirthDate = data.PatientSex = data.ReferringPhysicianName = data.PositionReferenceIndicator = ""
    data.ImagePositionPatient, data.ImageOrientationPatient = [-8.8 + 4.4 * k, -20, 30], [0, 1, 0, 0, 0, -1]
    data.PixelSpacing, data.SliceThickness = [0.6, 0.6], 4.4
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 20, 24, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = bytes(20 * 24 * 2)
    source.append(data)
network = highdicom.AlgorithmIdentificationSequence("network", codes.DCM.ArtificialIntelligence, "1")
vertebra = highdicom.seg.SegmentDescription(
    1, "L1", codes.SCT.AnatomicalStructure, codes.SCT.Vertebra, highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC, network)
probability = np.zeros((5, 20, 24), np.float32)
probability[1:4, 5:15, 5:15], probability[2, 5:10, 5:15] = 0.4, 0.9


def values(array):
    return sorted({round(float(value), 2) for value in np.asarray(array).ravel()} - {0})


for divisor, numbers, options in ((255, [102, 230], {}), (200, [80, 180], {"max_fractional_value": 200})):
    made = highdicom.seg.Segmentation(
        source, probability, highdicom.seg.SegmentationTypeValues.FRACTIONAL, [vertebra], generate_uid(), 2, generate_uid(), 1, "maker", "model", "1", "1",
        fractional_type=highdicom.seg.SegmentationFractionalTypeValues.PROBABILITY, **options)
    folder = f"out{divisor}"
    Path(folder).mkdir()
    made.save_as(f"{divisor}.dcm")
    command = ["segimage2itkimage", "--inputDICOM", f"{divisor}.dcm", "--outputDirectory", folder, "--outputType", "nii", "--prefix", "dcmqi"]
    subprocess.run(command, check=True, capture_output=True)
    subprocess.run(["dcm2niix", "-b", "n", "-s", "y", "-f", "d2n", "-o", folder, f"{divisor}.dcm"], check=True, capture_output=True)
    (image,) = Path(folder).glob("dcmqi*.nii.gz")
    (meta,) = Path(folder).glob("dcmqi*.json")
    text = meta.read_text()
    (segment,) = json.loads(text)["segmentAttributes"][0]
    seen = {
        "highdicom": values(highdicom.seg.segread(f"{divisor}.dcm").get_volume(combine_segments=False).array),
        "dcmqi": values(nib.load(image).dataobj),
        "dcm2niix": values(nib.load(f"{folder}/d2n.nii").dataobj),
        "SimpleITK": values(sitk.GetArrayFromImage(sitk.ReadImage(f"{divisor}.dcm"))),
    }
    print(made.MaximumFractionalValue, seen, "labelID", segment["labelID"])
    assert made.MaximumFractionalValue == divisor and segment["labelID"] == 1 and "raction" not in text
    assert np.allclose(seen.pop("highdicom"), [0.4, 0.9], atol=0.005)
    assert list(seen.values()) == [numbers] * 3
PY
