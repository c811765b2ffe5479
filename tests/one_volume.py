"""One sagittal volume as NIfTI, as a folder of DICOM slices and as an enhanced multi-frame file, for every reader.

Places are worked out by hand. Slice s of the volume, row r, column c lies at x = 12 - 4 s, y = -30 + c, z = 80 - r,
mm of DICOM (x to the patient's left, y to the back, z to the head), so that s counts toward the right.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

STEP_MM, FIRST = 4.0, (12.0, -30.0, 80.0)
SHUFFLED = (2, 0, 5, 1, 3, 4)
"""Frame or file number f holds slice SHUFFLED[f] of six."""
NAME = "SECRET^PATIENT"


def place_of(s: float, row: float, column: float) -> tuple[float, float, float]:
    """(x, y, z) in mm of DICOM."""
    return FIRST[0] - STEP_MM * s, FIRST[1] + column, FIRST[2] - row


def write_nifti(path: Path, values: np.ndarray, to_left: bool = False) -> Path:
    """(slices, rows, columns) stored toward the right, or toward the left; NIfTI counts x and y the other way round."""
    import nibabel

    step, first = (-STEP_MM, len(values) - 1) if to_left else (STEP_MM, 0)
    x, y, z = place_of(first, 0, 0)
    affine = np.array([[0, 0, step, -x], [-1, 0, 0, -y], [0, -1, 0, z], [0, 0, 0, 1]], float)
    stored = values[::-1] if to_left else values
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(stored.transpose(2, 1, 0)), affine), path)
    return path


def write_folder(folder: Path, values: np.ndarray, order: tuple[int, ...]) -> Path:
    """A file for each slice, in this order of names and instance numbers."""
    folder.mkdir()
    for number, s in enumerate(order):
        data = _data(values[s], "1.2.840.10008.5.1.4.1.1.4")
        data.InstanceNumber = number + 1
        data.ImagePositionPatient, data.ImageOrientationPatient = list(place_of(s, 0, 0)), [0, 1, 0, 0, 0, -1]
        data.PixelSpacing, data.SliceThickness = [1, 1], STEP_MM
        data.save_as(folder / f"{number:03d}.dcm", enforce_file_format=True)
    return folder


def write_enhanced(path: Path, values: np.ndarray, order: tuple[int, ...]) -> Path:
    """One enhanced MR file, its frames in this order."""
    data = _data(values[list(order)], "1.2.840.10008.5.1.4.1.1.4.1")
    data.NumberOfFrames = len(order)
    shared, plane, measures = Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    measures.PixelSpacing, measures.SliceThickness = [1, 1], STEP_MM
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [plane], [measures]
    data.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for s in order:
        group, place = Dataset(), Dataset()
        place.ImagePositionPatient = list(place_of(s, 0, 0))
        group.PlanePositionSequence = [place]
        groups.append(group)
    data.PerFrameFunctionalGroupsSequence = groups
    data.save_as(path, enforce_file_format=True)
    return path


def _data(pixels: np.ndarray, sop_class: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, generate_uid()
    data = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
    data.PatientName, data.PatientID, data.Modality = NAME, "4711", "MR"
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.PixelData = pixels.astype("<u2").tobytes()
    return data
