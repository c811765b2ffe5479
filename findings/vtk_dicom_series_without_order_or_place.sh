#!/usr/bin/env bash
# VTK 9.7.2, vtkDICOMImageReader on a folder of sagittal slices: position and orientation are dropped (origin 0, axes x, y, z), so that the spine runs
# along y; two echoes of one series become one volume whose slices are 0 mm apart; where a slice is missing the rest closes up at the first distance.
# A film with both spacings is read at Pixel Spacing, which SimpleITK 2.5.7 does not do (Imager Pixel Spacing). Nothing is said.
# Seen, 5 slices of 4.4 mm from (-8.8, -20, 30): spacing 0.6, 0.6, 4.4, origin 0, 0, 0, direction the identity; two echoes 10 slices
# of 0; third missing 4 of 4.4 mm; film with Pixel Spacing 0.2 \ 0.3 and Imager Pixel Spacing 0.4 \ 0.6: 0.3, 0.2; SimpleITK 0.6, 0.4.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-deps vtk==9.7.2 pydicom==3.0.2 SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid
from vtkmodules.vtkIOImage import vtkDICOMImageReader

study = generate_uid()


def save(path, kind, series, number, **elements):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID, data.StudyInstanceUID, data.SeriesInstanceUID = kind, generate_uid(), study, series
    data.Modality = "MR" if kind == MRImageStorage else "CR"
    data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, number
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 20, 24, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    for keyword, value in elements.items():
        setattr(data, keyword, value)
    data.PixelData = np.full((20, 24), 100 + number, "<u2").tobytes()
    data.save_as(path, enforce_file_format=True)


def series(folder, places):
    Path(folder).mkdir()
    number, frame = generate_uid(), generate_uid()
    for k, (place, echo) in enumerate(places):
        position, directions = [-8.8 + 4.4 * place, -20, 30], [0, 1, 0, 0, 0, -1]
        save(
            f"{folder}/{k:02d}.dcm", MRImageStorage, number, k + 1, FrameOfReferenceUID=frame, EchoNumbers=echo, EchoTime=20 * echo,
            ImagePositionPatient=position, ImageOrientationPatient=directions, PixelSpacing=[0.6, 0.6], SliceThickness=4,
        )  # fmt: skip
    return read(folder)


def read(path):
    reader = vtkDICOMImageReader()
    (reader.SetDirectoryName if Path(path).is_dir() else reader.SetFileName)(path)
    reader.Update()
    image = reader.GetOutput()
    axes = [image.GetDirectionMatrix().GetElement(i, j) for i in range(3) for j in range(3)]
    seen = image.GetDimensions(), tuple(round(v, 3) for v in image.GetSpacing()), image.GetOrigin(), axes
    print(path, *seen)
    return seen


identity = [1, 0, 0, 0, 1, 0, 0, 0, 1]
assert series("plain", [(k, 1) for k in range(5)]) == ((24, 20, 5), (0.6, 0.6, 4.4), (0, 0, 0), identity)
assert series("echoes", [(k, echo) for k in range(5) for echo in (1, 2)])[:2] == ((24, 20, 10), (0.6, 0.6, 0))
assert series("missing", [(k, 1) for k in (0, 1, 3, 4)])[:2] == ((24, 20, 4), (0.6, 0.6, 4.4))
both = {"PixelSpacing": [0.2, 0.3], "ImagerPixelSpacing": [0.4, 0.6]}
save("film.dcm", ComputedRadiographyImageStorage, generate_uid(), 1, **both)
itk = sitk.ReadImage("film.dcm").GetSpacing()[:2]
print("SimpleITK", itk)
assert read("film.dcm")[1][:2] == (0.3, 0.2) and itk == (0.6, 0.4)
PY
