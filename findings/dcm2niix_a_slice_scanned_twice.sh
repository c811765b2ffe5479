#!/usr/bin/env bash
# dcm2niix 1.0.20260724, a sagittal series whose first slice was scanned again at the end, as after a patient moved, or was stored twice: that the first place has two pictures is taken for two volumes, whatever the other slices have, as long as
# the count of all is even. 15 places and 16 pictures become a volume of eight slices at two times, and the second half of the spine lies, as the second time, in the places of the first half, 35 mm to the side: left and right of
# the cord over each other, and a mask of the volume is one of half the patient. Where the count is odd it ends with exit code 1; where another slice is there twice all pictures stay, one after the other,
# at the distance of the first two. What is said of the first case is that "Instance Number order is not spatial" and "Volume number does not vary", of the last also that the distance varies.
# Seen, sagittal slices 4.4 mm apart, values from 100 on, the second picture 200: the first of 15 twice: 20 x 24 x 8 x 2, 0 to 30.8 mm: 100 .. 107 and 108 .. 114 200; the first of 14 twice: exit code 1; the last or the eighth of 15
# twice: 16 slices.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir dcm2niix==1.0.20260724 pydicom==3.0.2 nibabel==5.4.2 numpy==2.4.6
cd "$work"
PATH="$work/venv/bin:$PATH" python - <<'PY'
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from pydicom.uid import MRImageStorage, generate_uid


def convert(places, again):
    folder = Path(f"{places}_{again}")
    folder.mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for number, place in enumerate([*range(places), again]):
        ds = pydicom.Dataset()
        ds.file_meta = pydicom.dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, generate_uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
        ds.Modality, ds.Manufacturer, ds.PatientID, ds.SeriesDescription = "MR", "GE MEDICAL SYSTEMS", "1", "t2 sag"
        ds.StudyDate, ds.StudyTime, ds.SeriesNumber, ds.InstanceNumber = "20260101", "120000", 1, number + 1
        ds.EchoTime, ds.RepetitionTime, ds.MRAcquisitionType, ds.PatientPosition = 100, 3000, "2D", "HFS"
        ds.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        ds.ImagePositionPatient = [round(30 - 4.4 * place, 4), -20, 30]
        ds.SliceThickness, ds.SpacingBetweenSlices, ds.PixelSpacing = 4, 4.4, [0.8, 0.5]
        ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 24, 20, 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.PixelData = np.full((24, 20), 200 if number == places else 100 + place, "<u2").tobytes()
        ds.save_as(folder / f"{number:02}.dcm", enforce_file_format=True)
    run = subprocess.run(["dcm2niix", "-z", "n", "-f", "spine", folder], capture_output=True, text=True)
    said = sorted({line[9:80] for line in run.stdout.splitlines() if line.startswith("Warning")})
    return nib.load(folder / "spine.nii") if run.returncode == 0 else None, said


for places, again in ((15, 0), (14, 0), (15, 14), (15, 7)):
    volume, said = convert(places, again)
    if volume is None:
        print(f"slice {again} of {places} twice: exit code 1")
        assert (places, again) == (14, 0)
        continue
    values = np.asarray(volume.dataobj)[0, 0]
    step = float(np.abs(volume.affine[:3, 2]).max())
    print(f"slice {again} of {places} twice:", volume.shape, "step", round(step, 2), values.T.tolist(), *said, sep="\n  ")
    assert any("order is not spatial" in line for line in said), said
    assert abs(step - 4.4) < 1e-6
    assert (places, again) != (14, 0)
    if (places, again) == (15, 0):
        assert values.shape == (8, 2)
        assert sorted(map(sorted, values.T.tolist())) == [list(range(100, 108)), [*range(108, 115), 200]]
        assert not any("distance" in line for line in said), said
    else:
        assert values.shape == (places + 1,)
        assert any("distance varies" in line for line in said), said
PY
