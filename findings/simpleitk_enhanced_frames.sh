#!/usr/bin/env bash
# SimpleITK 2.5.7 on an enhanced (multi-frame) MR volume of 5 frames, 4 mm apart. Nothing is raised or said in any case:
# * Each frame with a slope of its own, as some makers write: that of the first is taken for all.
# * Frames stored in another order than they lie in space: they stay in it, and the spacing across them is 1 mm; so it is where
#   a frame was left out, and where two stacks along two discs share the file, which become one volume.
# dcm2niix 1.0.20260724 sorts and scales the frames rightly, but closes the gap of a missing one without the warning that it
# gives for the same slices as single files. nibabel 5.4.2 (nicom) closes it, too. highdicom 0.28.2 refuses it.
# Seen, z spacing and values: slopes ITK 4, 100 100 100 100 100, dcm2niix 100 150 200 250 300; shuffled ITK 1, 100 102 104 101 103;
# gap of 8 mm: ITK 1, dcm2niix 4; two stacks: ITK one volume of 6 slices, 1 mm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q SimpleITK==2.5.7 pydicom==3.0.2 numpy==2.4.6 nibabel==5.4.2 dcm2niix==1.0.20260724 highdicom==0.28.2
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY' 2>itk.txt
import subprocess
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import SimpleITK as sitk
from nibabel.nicom.dicomwrappers import wrapper_from_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

AXIAL, ALONG_A_DISC = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0.8, -0.6]


def item(**values):
    data = Dataset()
    for name, value in values.items():
        setattr(data, name, value)
    return data


def frame(place, z, y=0, axes=AXIAL, slope=1, stack=1, value=None):
    return (100 + place if value is None else value), item(
        FrameContentSequence=[item(StackID=str(stack), InStackPositionNumber=place + 1, DimensionIndexValues=[stack, place + 1])],
        PlanePositionSequence=[item(ImagePositionPatient=[0, y, z])],
        PlaneOrientationSequence=[item(ImageOrientationPatient=axes)],
        PixelValueTransformationSequence=[item(RescaleSlope=slope, RescaleIntercept=0, RescaleType="US")],
    )


def volume(name, frames):
    Path(name).mkdir()
    data = item(SOPClassUID=EnhancedMRImageStorage, Modality="MR", InstanceNumber=1, SeriesNumber=1, PatientID="1", Manufacturer="m")
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPInstanceUID, data.StudyInstanceUID, data.SeriesInstanceUID = (generate_uid() for _ in range(3))
    data.FrameOfReferenceUID, organization = generate_uid(), generate_uid()
    data.PatientName = data.PatientBirthDate = data.PatientSex = data.AccessionNumber = data.StudyID = ""
    data.StudyDate, data.StudyTime, data.ReferringPhysicianName = "20250101", "", ""
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 16, 16, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.NumberOfFrames = len(frames)
    data.PixelData = b"".join(np.full((16, 16), value, np.uint16).tobytes() for value, _ in frames)
    data.DimensionOrganizationSequence = [item(DimensionOrganizationUID=organization)]
    data.DimensionIndexSequence = [
        item(DimensionOrganizationUID=organization, DimensionIndexPointer=tag, FunctionalGroupPointer=0x00209111)
        for tag in (0x00209056, 0x00209057)
    ]
    measures = item(PixelSpacing=[1, 1], SliceThickness=4, SpacingBetweenSlices=4)
    data.SharedFunctionalGroupsSequence = [item(PixelMeasuresSequence=[measures])]
    data.PerFrameFunctionalGroupsSequence = [groups for _, groups in frames]
    data.save_as(f"{name}/mr.dcm", enforce_file_format=True)
    image = sitk.ReadImage(f"{name}/mr.dcm")
    itk = image.GetSpacing()[2], sitk.GetArrayFromImage(image)[:, 0, 0].tolist()
    said = subprocess.run(["dcm2niix", "-f", name, "-o", ".", name], capture_output=True, text=True).stdout.lower()
    niix = None
    if Path(f"{name}.nii").exists():
        read = nibabel.load(f"{name}.nii")
        niix = float(read.header.get_zooms()[2]), np.asarray(read.dataobj)[0, 0].tolist()
    print(name, "| ITK", *itk, "| dcm2niix", niix)
    return itk, niix, said


itk, niix, _ = volume("slopes", [frame(n, 4 * n, slope=1 + n / 2, value=100) for n in range(5)])
assert itk == (4, [100] * 5) and niix == (4, [100, 150, 200, 250, 300])

itk, niix, _ = volume("shuffled", [frame(n, 4 * n) for n in (0, 2, 4, 1, 3)])
assert itk == (1, [100, 102, 104, 101, 103]) and niix == (4, [100, 101, 102, 103, 104])

itk, niix, said = volume("gap", [frame(n, z) for n, z in enumerate((0, 4, 8, 16, 20))])
assert itk == (1, [100, 101, 102, 103, 104]) and niix == (4, [100, 101, 102, 103, 104])
assert not any(word in said for word in ("distance varies", "missing", "interslice", "equidistant")), said
assert wrapper_from_file("gap/mr.dcm").voxel_sizes[2] == 4
try:
    highdicom.imread("gap/mr.dcm").get_volume()
except RuntimeError as error:
    assert "regularly" in str(error)
else:
    raise AssertionError("highdicom takes it")

upper = [frame(n, -4 * n) for n in range(3)]
lower = [frame(n, -40 - 3.2 * n, -2.4 * n, ALONG_A_DISC, stack=2, value=200 + n) for n in range(3)]
itk, _, _ = volume("two-stacks", upper + lower)
assert itk == (1, [100, 101, 102, 200, 201, 202])
PY
! grep -i warn "$work/itk.txt"
