#!/usr/bin/env bash
# ct-mri-dicom-nii-reader 0.1.6 (CT and cone-beam CT as isotropic volumes, with masks of the bone), what it takes a CT for: names of machines are looked for in the protocol, the description of the series and the station, after every
# blank and sign is taken out. Among them is O-arm, as OARM; "NO ARMS" and "TWO ARMS UP" hold it. A spiral CT whose protocol says that the arms are not in the picture is a cone-beam CT by "explicit" evidence,
# which comes before Acquisition Type SPIRAL, and is given the bone mask of those: thresholds guessed from the histogram in the place of 100 and 300 HU, so that the rim of soft tissue
# about a body counts as bone. The same voxels under a protocol without the word are a CT. Nothing is said but "modality" in the metadata.
# Seen, a lumbar body of 19.0 cm3 (500 HU outside, 140 HU within) in soft tissue of 40 HU: LWS NATIV: CT, from 100 HU, 19.4 cm3; LWS NATIV NO ARMS: CBCT, from 64 HU, 21.9 cm3.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 SimpleITK==2.5.7 pydicom==3.0.2 pillow==13.0.0
"$work/venv/bin/pip" install -q --no-compile --no-deps ct-mri-dicom-nii-reader==0.1.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from pathlib import Path

import numpy as np
from ct_mri_dicom_nii_reader import estimate_bone_thresholds, extract_bone_mask
from ct_mri_dicom_nii_reader.body_data.body_data_imp.dicom_to_hu_lps import load_dicom_hu_lps
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

z, y, x = np.mgrid[:40, :96, :96]


def within(centre, width, height):
    return ((x - 48) / width) ** 2 + ((y - centre) / height) ** 2 < 1


trunk = np.full(z.shape, -1000.0)
trunk[within(48, 42, 34)] = 40
trunk[within(60, 14, 11)] = 500
trunk[within(60, 12, 9)] = 140
trunk += np.random.default_rng(0).normal(0, 12, trunk.shape)
true = within(60, 14, 11).sum() / 1000


def read(protocol):
    folder = Path(protocol.replace(" ", "_"))
    folder.mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for k, slice_ in enumerate(trunk):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = CTImageStorage, generate_uid(), "CT"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
        data.PatientID, data.InstanceNumber, data.ProtocolName, data.AcquisitionType = "1", k + 1, protocol, "SPIRAL"
        data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, k], [1, 0, 0, 0, 1, 0]
        data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [1, 1], 1, 96, 96
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        data.RescaleSlope, data.RescaleIntercept = 1, -1024
        data.PixelData = (slice_.round() + 1024).clip(0, 4095).astype("<u2").tobytes()
        data.save_as(folder / f"{k:02d}.dcm", enforce_file_format=True)
    volume, said = load_dicom_hu_lps(folder, 1.0, return_metadata=True)
    kind = said["modality"].lower()
    low = estimate_bone_thresholds(volume, kind)[0]
    bone = extract_bone_mask(volume, kind, 1.0).sum() / 1000
    print(f"{protocol}: {kind}, {said['modality_source']}, {said['modality_confidence']}; from {low:.0f} HU, {bone:.1f} of {true:.1f} cm3")
    return kind, said["modality_confidence"], low, bone


kind, confidence, low, bone = read("LWS NATIV")
assert kind == "ct" and low == 100 and abs(bone - true) < 0.6
kind, confidence, low, bone = read("LWS NATIV NO ARMS")
assert (kind, confidence) == ("cbct", "explicit") and 55 < low < 72 and bone > true * 1.1
assert read("LWS TWO ARMS UP")[:2] == ("cbct", "explicit")
PY
