"""Phantoms as DICOM files: CR and MR objects with every polarity, VOI and spacing tag that readers must cope with."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.phantoms.phantom import Phantom

SpacingTag = Literal[
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "CalibratedPixelSpacing",
    "MagnifiedImagerPixelSpacing",
    "none",
]
SPACING_TAGS: tuple[SpacingTag, ...] = get_args(SpacingTag)
MAGNIFICATION = 1.25
CR_STORAGE = "1.2.840.10008.5.1.4.1.1.1"
MR_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


def write_dicom(
    phantom: Phantom,
    path: str | Path,
    *,
    monochrome1: bool = False,
    voi: bool = False,
    spacing_source: SpacingTag = "PixelSpacing",
    patient_name: str = "PHANTOM^SPINE",
) -> Path:
    """Write a phantom as a DICOM file; every combination of options describes the same picture.

    Args:
        phantom: What to write.
        path: Target file, written atomically.
        monochrome1: Store inverted values with PhotometricInterpretation MONOCHROME1.
        voi: Add WindowCenter and WindowWidth that cover exactly the stored range (an identity up to scale).
        spacing_source: Where the true spacing stands. ``CalibratedPixelSpacing`` is PixelSpacing with
            PixelSpacingCalibrationType beside a magnified ImagerPixelSpacing; ``MagnifiedImagerPixelSpacing`` is
            ImagerPixelSpacing in the detector plane with EstimatedRadiographicMagnificationFactor, which divides it.
        patient_name: PatientName, for tests that look for it where it must not be.

    Returns:
        The path.

    Raises:
        InputError: An unknown spacing source, or one that the modality does not have.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, generate_uid

    if spacing_source not in SPACING_TAGS:
        raise InputError(f"spacing source {spacing_source!r}", "is unknown", f"use one of {', '.join(SPACING_TAGS)}")
    if phantom.modality == "MR" and spacing_source not in ("PixelSpacing", "none"):
        raise InputError(f"spacing source {spacing_source!r}", "does not exist in MR", "use PixelSpacing")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(MR_STORAGE if phantom.modality == "MR" else CR_STORAGE)
    # UIDs derived from the content keep equal calls equal, file for file; every phantom is a patient of its own.
    content = hashlib.sha256(phantom.pixels.tobytes()).hexdigest()
    seeds = [content, phantom.modality, str(monochrome1), str(voi), spacing_source]
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=seeds)
    meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE_ENDIAN)
    ds = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID = generate_uid(entropy_srcs=[*seeds[:2], "study"])
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=[*seeds[:2], "series"])
    ds.FrameOfReferenceUID = generate_uid(entropy_srcs=[*seeds[:2], "frame"])
    ds.PatientName, ds.PatientID = patient_name, f"PHANTOM-{content[:8]}"
    ds.PatientBirthDate, ds.PatientSex = "", ""
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20000101", "000000", "1", ""
    ds.ReferringPhysicianName, ds.Manufacturer = "", "spinetk phantom"
    ds.SeriesNumber, ds.InstanceNumber = 1, 1
    ds.Modality, ds.BodyPartExamined = phantom.modality, "SPINE"
    ds.BurnedInAnnotation = "NO"

    pixels = phantom.pixels
    ds.Rows, ds.Columns = pixels.shape
    ds.SamplesPerPixel, ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 1, 16, 12, 11, 0
    ds.PhotometricInterpretation = "MONOCHROME1" if monochrome1 else "MONOCHROME2"
    stored = (4095 - pixels) if monochrome1 else pixels
    ds.PixelData = np.ascontiguousarray(stored, dtype="<u2").tobytes()
    if voi:
        low, high = int(stored.min()), int(stored.max())
        # PS3.3 C.11.2.1.2.1: a LINEAR window maps centre - 0.5 -+ (width - 1) / 2 to the ends of the output.
        ds.WindowCenter, ds.WindowWidth = _decimal((low + high + 1) / 2), _decimal(high - low + 1)
    _set_spacing(ds, phantom, spacing_source)
    _set_orientation(ds, phantom)
    with replacing(path) as temporary:
        ds.save_as(temporary, enforce_file_format=True)
    return Path(path)


def _decimal(value: float) -> str:
    """A DS value: at most 16 characters."""
    return f"{value:.10g}"


def _set_spacing(ds, phantom: Phantom, source: SpacingTag) -> None:
    true = phantom.reading.frame.spacing_mm
    assert true is not None  # every phantom has one
    pair = [_decimal(value) for value in true]
    magnified = [_decimal(value * MAGNIFICATION) for value in true]
    if source == "PixelSpacing":
        ds.PixelSpacing = pair
    elif source == "ImagerPixelSpacing":
        ds.ImagerPixelSpacing = pair
    elif source == "NominalScannedPixelSpacing":
        ds.NominalScannedPixelSpacing = pair
    elif source == "CalibratedPixelSpacing":
        ds.PixelSpacing, ds.ImagerPixelSpacing = pair, magnified
        ds.PixelSpacingCalibrationType, ds.PixelSpacingCalibrationDescription = "FIDUCIAL", "phantom"
    elif source == "MagnifiedImagerPixelSpacing":
        ds.ImagerPixelSpacing = magnified
        ds.EstimatedRadiographicMagnificationFactor = _decimal(MAGNIFICATION)


def _set_orientation(ds, phantom: Phantom) -> None:
    frame = phantom.reading.frame
    if phantom.modality == "CR":
        ds.PatientOrientation = [frame.toward_right, frame.toward_bottom]
        ds.ViewPosition = "LL" if frame.anterior == "left" else "RL"
        return
    # Patient axes: x to the left, y to the back, z to the head (PS3.3 C.7.6.2.1.1).
    row = ["0", "-1", "0"] if frame.toward_right == "A" else ["0", "1", "0"]
    ds.ImageOrientationPatient = [*row, "0", "0", "-1"]
    spacing = frame.spacing_mm
    assert spacing is not None  # every phantom has one
    half = (phantom.pixels.shape[1] - 1) * spacing[1] / 2
    ds.ImagePositionPatient = ["0", _decimal(half if frame.toward_right == "A" else -half), "0"]
    ds.SliceThickness = "4"
    ds.PatientPosition, ds.ScanningSequence, ds.SequenceVariant = "HFS", "SE", "SK"
    ds.ScanOptions, ds.MRAcquisitionType, ds.ImageType = "", "2D", ["ORIGINAL", "PRIMARY", "M"]
