#!/usr/bin/env bash
# Real World Value Mapping (PS3.3 C.7.6.16.2.11), by which a T2 or ADC map says what its numbers are in ms or mm2/s: whether dcm2niix 1.0.20260724
# heeds it hangs on the Manufacturer. Of Philips it is put into the voxels, of Siemens, GE or no name at all they stay as stored;
# beside a Rescale Slope other than 1 it is left out for all of them. Of a parametric map that highdicom 0.28.2 makes of a Siemens series the
# stored integers come out, too.
# highdicom reads mapped values (get_frame, get_volume) wherever there is a mapping, SimpleITK 2.5.7, pydicom 3.0.2 and dicom2nifti 2.6.2 never.
# So a disc of 105 ms is one of 105 or of 1000 by the tool and the maker, and no file says which.
# Seen, stored 1000, mapping 0.1 x + 5 ms: dcm2niix Philips 105, SIEMENS 1000, GE MEDICAL SYSTEMS 1000, none 1000; with Rescale 2 x - 100
# 1900 for each; highdicom 105 throughout; SimpleITK, pydicom, dicom2nifti 1000 (1900); parametric map: dcm2niix 1000, highdicom 105.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q highdicom==0.28.2 pydicom==3.0.2 SimpleITK==2.5.7 dcm2niix==1.0.20260724 dicom2nifti==2.6.2 nibabel==5.4.2 numpy==2.4.6
cd "$work"
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -W ignore - <<'PY'
import logging
import subprocess
from pathlib import Path

import dicom2nifti
import highdicom
import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_rescale
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

logging.disable(logging.CRITICAL)


def series(folder, maker, rescale):
    Path(folder).mkdir()
    study, frame = generate_uid(), generate_uid()
    uid = generate_uid()
    for k in range(4):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality, data.Manufacturer = MRImageStorage, generate_uid(), "MR", maker
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, uid, frame
        data.PatientName, data.PatientID, data.SeriesNumber, data.InstanceNumber = "A^B", "1", 1, k + 1
        data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "20260101", "120000", "1", ""
        data.PatientBirthDate = data.PatientSex = data.ReferringPhysicianName = data.PositionReferenceIndicator = ""
        data.ImageType = ["DERIVED", "PRIMARY", "T2 MAP"]
        data.ImagePositionPatient, data.ImageOrientationPatient = [-8.8 + 4.4 * k, -20, 30], [0, 1, 0, 0, 0, -1]
        data.PixelSpacing, data.SliceThickness = [0.6, 0.6], 4.4
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 20, 24, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        if rescale:
            data.RescaleSlope, data.RescaleIntercept, data.RescaleType = *rescale, "US"
        mapping, unit = Dataset(), Dataset()
        mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept, mapping.LUTLabel, mapping.LUTExplanation = 0.1, 5.0, "T2", "T2"
        mapping.add_new("RealWorldValueFirstValueMapped", "US", 0)
        mapping.add_new("RealWorldValueLastValueMapped", "US", 4095)
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "ms", "UCUM", "millisecond"
        mapping.MeasurementUnitsCodeSequence, data.RealWorldValueMappingSequence = [unit], [mapping]
        data.PixelData = np.full((20, 24), 1000, "<u2").tobytes()
        data.save_as(f"{folder}/{k}.dcm", enforce_file_format=True)
    return sorted(str(path) for path in Path(folder).iterdir())


def value(array):
    (one,) = {round(float(v), 3) for v in np.asarray(array).ravel()}
    return one


def by_dcm2niix(source, folder):
    Path(folder).mkdir()
    subprocess.run(["dcm2niix", "-b", "n", "-f", "out", "-o", folder, source], check=True, capture_output=True)
    return value(nib.load(f"{folder}/out.nii").dataobj)


for number, (maker, rescale, stored, mapped) in enumerate(
    [("Philips Medical Systems", None, 1000, 105), ("SIEMENS", None, 1000, 1000), ("GE MEDICAL SYSTEMS", None, 1000, 1000), ("", None, 1000, 1000)]
    + [(maker, (2, -100), 1900, 1900) for maker in ("Philips Medical Systems", "SIEMENS")]
):
    files = series(f"s{number}", maker, rescale)
    first = pydicom.dcmread(files[0])
    dicom2nifti.dicom_series_to_nifti(f"s{number}", f"d{number}.nii", reorient_nifti=False)
    seen = {
        "dcm2niix": by_dcm2niix(f"s{number}", f"n{number}"),
        "highdicom": value(highdicom.imread(files[0]).get_frame(1)),
        "SimpleITK": value(sitk.GetArrayFromImage(sitk.ReadImage(files))),
        "pydicom": value(apply_rescale(first.pixel_array, first)),
        "dicom2nifti": value(nib.load(f"d{number}.nii").dataobj),
    }
    print(maker or "no maker", rescale, seen)
    assert seen == {"dcm2niix": mapped, "highdicom": 105, "SimpleITK": stored, "pydicom": stored, "dicom2nifti": stored}

mapping = highdicom.pm.RealWorldValueMapping("T2", "T2", codes.UCUM.Millisecond, value_range=[0, 4095], slope=0.1, intercept=5)
source = [pydicom.dcmread(file) for file in series("source", "SIEMENS", None)]
made = highdicom.pm.ParametricMap(source, np.full((4, 20, 24), 1000, np.uint16), generate_uid(), 2, generate_uid(), 1, "maker", "model", "1", "1",
                                  contains_recognizable_visual_features=False, real_world_value_mappings=[mapping], window_center=1000, window_width=1000)
Path("map").mkdir()
made.save_as("map/map.dcm")
seen = by_dcm2niix("map", "nmap"), value(highdicom.imread("map/map.dcm").get_volume().array)
print("parametric map", made.Manufacturer, seen)
assert seen == (1000, 105)
PY
