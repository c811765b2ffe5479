#!/usr/bin/env bash
# medimgkit 0.18.1 (DICOM helpers of the Datamint platform), assemble_dicoms, the slices of a folder as one multi-frame object a series: of sagittal slices the side is guessed first, as knees or breasts have one, and then they
# are grouped by it. In a study that holds its axial localizer, as nearly every spine MR does, a slice at x > 0 is left and any other right, whatever the body part: one sagittal series of a spine becomes two objects, cut at the
# middle of the scanner, each in a series of its own with an Image Laterality of L or R, the cord and the midline bodies in the one or the other or both. Without the localizer a series of
# many slices stays one, a short one is cut as well. infer_laterality=False leaves it whole; it is on unless told otherwise. Nothing is said.
# Seen, 15 sagittal slices 4.4 mm apart about the middle and a localizer: 8 frames R, 7 frames L, 3 of the localizer; without the localizer 15; 5 slices without it: 3 and 2; with infer_laterality=False 15.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 pydicom==3.0.2 pyjpegls==1.5.1 deprecated==1.3.1 pillow==13.0.0
"$work/venv/bin/pip" install -q --no-compile --no-deps medimgkit==0.18.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import numpy as np
from medimgkit.dicom_utils import assemble_dicoms
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

study, frame = generate_uid(), generate_uid()


def series(name, places, directions):
    """Write one series of the study and name its files."""
    uid, files = generate_uid(), []
    for k, place in enumerate(places):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, uid, frame
        data.PatientID, data.BodyPartExamined, data.SeriesDescription, data.InstanceNumber = "1", "LSPINE", name, k + 1
        data.ImageType = ["ORIGINAL", "PRIMARY", "M"]
        data.ImagePositionPatient, data.ImageOrientationPatient = [float(v) for v in place], directions
        data.PixelSpacing, data.SliceThickness, data.Rows, data.Columns = [1, 1], 4, 32, 32
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        data.PixelData = np.full((32, 32), k, "<u2").tobytes()
        files.append(f"{name}_{k:02d}.dcm")
        data.save_as(files[-1], enforce_file_format=True)
    return files


def assembled(files, **how):
    made = assemble_dicoms(files, progress_bar=False, **how)
    return [(int(made[i].NumberOfFrames), made[i].get("ImageLaterality")) for i in range(len(made.mapping_idx))]


sagittal = series("T2", [(round(4.4 * (k - 7), 1), -16, 16) for k in range(15)], [0, 1, 0, 0, 0, -1])
localizer = series("LOCALIZER", [(-16, -16, 20 * k) for k in range(3)], [1, 0, 0, 0, 1, 0])
short = series("T1", [(round(4.4 * (k - 2), 1), -16, 16) for k in range(5)], [0, 1, 0, 0, 0, -1])
seen = {
    "with the localizer": assembled(sagittal + localizer),
    "without it": assembled(sagittal),
    "told not to": assembled(sagittal + localizer, infer_laterality=False),
    "five slices": [frames for frames, _ in assembled(short)],
}
for what, objects in seen.items():
    print(what, objects)
assert sorted(seen["with the localizer"][:2]) == [(7, "L"), (8, "R")] and seen["with the localizer"][2][0] == 3
assert seen["without it"] == [(15, None)]
assert seen["told not to"] == [(15, None), (3, None)]
assert sorted(seen["five slices"]) == [2, 3]
PY
