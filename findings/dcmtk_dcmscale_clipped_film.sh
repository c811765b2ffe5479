#!/usr/bin/env bash
# DCMTK 3.6.7, dcmscale: Pixel Spacing is multiplied by old columns over new ones and old rows over new ones, also when columns
# went because a region was cut out. So a film cropped to its spine, with no pixel changed, comes out as large in mm as the whole
# film was, and stretched where the crop is of another shape. When it does scale, Pixel Spacing is right, but Imager Pixel Spacing
# stays as it was, which is what SimpleITK reads; a film that had this alone gets a Pixel Spacing made of it. The position of a
# slice stays that of the corner which was cut off. Nothing is said.
# Seen, 40 rows x 60 columns of 0.2 mm, cut to 20 x 20: 0.4 \ 0.6; halved: Pixel Spacing 0.4, Imager Pixel Spacing 0.2.
# Needs the package dcmtk; left out where it is missing.
set -euo pipefail
command -v dcmscale >/dev/null || { echo "left out: dcmtk is not installed"; exit 0; }
version=$(dcmscale --version)
echo "${version%%$'\n'*}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6 SimpleITK==2.5.7
cd "$work"
"$work/venv/bin/python" - <<'PY'
import subprocess

import numpy as np
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, CTImageStorage, ExplicitVRLittleEndian, generate_uid


def write(name, kind, **tags):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = kind, generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 40, 60, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelData = np.arange(2400, dtype=np.uint16).tobytes()
    for tag, value in tags.items():
        setattr(ds, tag, value)
    ds.save_as(name, enforce_file_format=True)


def scaled(name, *options):
    subprocess.run(["dcmscale", *options, name, "out.dcm"], check=True)
    ds = dcmread("out.dcm")
    seen = {tag: [float(v) for v in ds[tag].value] for tag in
            ("PixelSpacing", "ImagerPixelSpacing", "ImagePositionPatient") if tag in ds}
    print(name, *options, ds.pixel_array.shape, seen)
    return ds, seen


crop = ("+C", "10", "5", "20", "20")  # left, top, width, height
write("film.dcm", ComputedRadiographyImageStorage, Modality="CR", ImagerPixelSpacing=[0.2, 0.2], PixelSpacing=[0.2, 0.2])
write("detector.dcm", ComputedRadiographyImageStorage, Modality="CR", ImagerPixelSpacing=[0.2, 0.2])
write("slice.dcm", CTImageStorage, Modality="CT", PixelSpacing=[0.2, 0.2], ImagePositionPatient=[-10, -20, -30],
      ImageOrientationPatient=[1, 0, 0, 0, 1, 0])

ds, seen = scaled("film.dcm", *crop)
assert np.array_equal(ds.pixel_array, np.arange(2400).reshape(40, 60)[5:25, 10:30]), "the pixels themselves are untouched"
assert seen == {"PixelSpacing": [0.4, 0.6], "ImagerPixelSpacing": [0.2, 0.2]}

ds, seen = scaled("film.dcm", "+Sxf", "0.5")
assert ds.pixel_array.shape == (20, 30)
assert seen == {"PixelSpacing": [0.4, 0.4], "ImagerPixelSpacing": [0.2, 0.2]}
read = [round(v, 3) for v in sitk.ReadImage("out.dcm").GetSpacing()[:2]]
print("SimpleITK", sitk.Version.VersionString(), "on the halved film:", read)
assert read == [0.2, 0.2]

_, seen = scaled("detector.dcm", *crop)
assert seen == {"PixelSpacing": [0.4, 0.6], "ImagerPixelSpacing": [0.2, 0.2]}

_, seen = scaled("slice.dcm", *crop)
assert seen == {"PixelSpacing": [0.4, 0.6], "ImagePositionPatient": [-10, -20, -30]}
PY
