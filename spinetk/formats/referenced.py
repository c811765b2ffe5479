"""The DICOM picture that a derived object refers to."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from spinetk.errors import InputError
from spinetk.formats.identity import NEEDED, identify

# What says how a picture is displayed; with identification, all that is taken over from a source.
DISPLAYED = (
    "SpecificCharacterSet",
    "InstanceNumber",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "PixelAspectRatio",
    "ModalityLUTSequence",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "VOILUTSequence",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
REMEDY = "give the file the reading was made from"


def read_source(source_dicom: str | Path | Dataset, frame: int | None = None) -> Dataset:
    """Header of a picture, complete enough to be referred to; what may be empty is there.

    Args:
        source_dicom: A file, or a data set.
        frame: Which frame of a multi-frame source, counted from 0.

    Raises:
        InputError: It is no DICOM image with UIDs, or has no such frame.
    """
    name = "DICOM data set" if isinstance(source_dicom, Dataset) else str(source_dicom)
    try:
        full = source_dicom
        if not isinstance(full, Dataset):
            full = pydicom.dcmread(full, stop_before_pixels=True)
        source = Dataset()
        for tag in (*NEEDED, *DISPLAYED):
            if full.get(tag) is not None:
                setattr(source, tag, full.get(tag))
        identify(source, full)
        missing = [tag for tag in (*NEEDED, "Rows", "Columns") if not source.get(tag)]
        frames = int(source.get("NumberOfFrames") or 1)
    except (InvalidDicomError, OSError, ValueError, TypeError, AttributeError, KeyError, NotImplementedError) as error:
        raise InputError(name, "is not a readable DICOM file", REMEDY) from error
    if missing:
        raise InputError(name, f"has no {missing[0]}", "nothing can refer to a picture without it")
    if (frame is None and frames > 1) or (frame is not None and not 0 <= frame < frames):
        fault = f"has {frames} frames" if frame is None else f"has no frame {frame}"
        raise InputError(name, fault, f"name one of its frames, 0 to {frames - 1}")
    return source


def reference(source: Dataset, frame: int | None) -> Dataset:
    """Item of a reference sequence (Image SOP Instance Reference macro)."""
    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    if int(source.get("NumberOfFrames") or 1) > 1:
        item.ReferencedFrameNumber = int(frame or 0) + 1
    return item
