#!/usr/bin/env bash
# SimpleITK 2.5.7, a CT series of a tilted gantry (positions step along the table, not along the slices' normal): the volume is
# made straight, and the spacing is the step of the table, not the distance between the slices. So it is not only sheared
# but too long by 1 / cos(tilt), volumes and heights of bodies 6 % at 20 degrees, 15 % at 30. ITK's key for uneven slices,
# ITK_non_uniform_sampling_deviation, is not set, and nothing is said. dcm2niix 1.0.20260724 has the distance itself and
# warns; its second file is resampled. highdicom 0.28.2 refuses the series.
# Seen, table step 5 mm: tilt 20: SimpleITK 5, dcm2niix 4.698; tilt 30: 5, 4.330.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q SimpleITK==2.5.7 pydicom==3.0.2 numpy==2.4.6 nibabel==5.4.2 dcm2niix==1.0.20260724 highdicom==0.28.2
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY' 2>itk.txt
import math
import subprocess
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

for tilt in (20, 30):
    folder = Path(str(tilt))
    folder.mkdir()
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    c, s = (round(f(math.radians(tilt)), 8) for f in (math.cos, math.sin))
    for number in range(8):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = CTImageStorage, generate_uid(), "CT"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
        data.InstanceNumber, data.SeriesNumber, data.PatientID, data.GantryDetectorTilt = number + 1, 1, "1", tilt
        data.PatientName = data.PatientBirthDate = data.PatientSex = data.AccessionNumber = data.StudyID = ""
        data.StudyDate, data.StudyTime, data.ReferringPhysicianName, data.Manufacturer = "20250101", "", "", "m"
        data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, 5 * number], [1, 0, 0, 0, c, -s]
        data.PixelSpacing, data.SliceThickness, data.RescaleSlope, data.RescaleIntercept = [1, 1], 5, 1, 0
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 16, 16, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.PixelData = np.full((16, 16), number, np.uint16).tobytes()
        data.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    volume = reader.Execute()
    axes = np.reshape(volume.GetDirection(), (3, 3))
    said = subprocess.run(["dcm2niix", "-f", str(tilt), "-o", ".", str(folder)], check=True, capture_output=True, text=True).stdout
    niix = float(nibabel.load(f"{tilt}.nii").header.get_zooms()[2])
    print(f"tilt {tilt}: SimpleITK {volume.GetSpacing()[2]:.3f} dcm2niix {niix:.3f}", volume.GetMetaDataKeys())
    assert abs(volume.GetSpacing()[2] - 5) < 1e-6 and np.allclose(axes.T @ axes, np.eye(3), atol=1e-6)
    assert not volume.HasMetaDataKey("ITK_non_uniform_sampling_deviation")
    assert abs(niix - 5 * c) < 1e-3 and "gantry tilt" in said
    try:
        highdicom.get_volume_from_series([dcmread(file) for file in folder.iterdir()])
    except ValueError as error:
        assert "regularly-spaced" in str(error)
    else:
        raise AssertionError("highdicom takes it")
PY
! grep -i warn "$work/itk.txt"
