"""DICOM segmentation: a mask on the slices it was made from, with their geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from spinetk._version import __version__
from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.formats.identity import NEEDED, identify

# Where a slice lies and how it is stored; with identification, all that is taken over from a source.
PLACED = (
    "SpecificCharacterSet",
    "Modality",
    "InstanceNumber",
    "Rows",
    "Columns",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)


@dataclass(frozen=True)
class Segment:
    """What a mask shows.

    Attributes:
        label: In words.
        category: SNOMED CT category.
        kind: SNOMED CT concept.
        colour: Recommended display colour, CIE L*, a*, b*.
    """

    label: str
    category: Code
    kind: Code
    colour: tuple[float, float, float]


ANATOMY = Code("123037004", "SCT", "Anatomical structure")
LEFT_ATRIUM = Segment("left atrium", ANATOMY, Code("82471001", "SCT", "Left atrium"), (54.0, 46.0, 29.0))


def write_seg(path: str | Path, mask: np.ndarray, files: Sequence[str | Path], segment: Segment) -> None:
    """Write a mask as a binary DICOM segmentation, atomically.

    Patient and study are those of the source, as every object of a study has to say; nothing else is copied.

    Args:
        path: The file to write.
        mask: (D, H, W) bool on the grid of the slices.
        files: The D single-frame slices of one series, in the order of the mask.
        segment: What the mask shows.

    Raises:
        InputError: highdicom is not installed, or a slice lacks what a segmentation has to refer to.
    """
    hd = _highdicom()
    sources = [_read(Path(file)) for file in files]
    if mask.shape != (len(sources), sources[0].Rows, sources[0].Columns):
        raise ValueError(f"a mask of {mask.shape} does not lie on {len(sources)} slices")
    if not mask.any():
        raise InputError(path, "would hold no segment", "an empty mask cannot be a DICOM segmentation")
    description = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label=segment.label,
        segmented_property_category=segment.category,
        segmented_property_type=segment.kind,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name="spinetk", version=__version__, family=codes.DCM.ArtificialIntelligence
        ),
        display_color=hd.color.CIELabColor(*segment.colour),
    )
    try:
        found = hd.seg.Segmentation(
            source_images=sources,
            pixel_array=mask.astype(np.uint8),
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=[description],
            series_instance_uid=generate_uid(),
            series_number=900,
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer="spinetk",
            manufacturer_model_name="spinetk",
            software_versions=__version__,
            device_serial_number="0",
            series_description=f"Segmentation: {segment.label}",
            omit_empty_frames=True,
        )
    except (AttributeError, ValueError, TypeError, KeyError) as error:
        why = " ".join(str(error).split()).rstrip(".")
        raise InputError(files[0], f"cannot carry a segmentation: {why}", "choose another format") from error
    with replacing(path) as temporary:
        found.save_as(temporary)


def _read(path: Path) -> pydicom.Dataset:
    try:
        source = pydicom.dcmread(path, stop_before_pixels=True)
    except (InvalidDicomError, OSError, ValueError) as error:
        raise InputError(path.name, "is not a readable DICOM file", "give the series the mask was made from") from error
    for tag in (*NEEDED, "Rows", "Columns"):
        if tag not in source:
            raise InputError(path.name, f"has no {tag}", "a segmentation can only refer to complete slices")
    # highdicom copies comments, age and descriptions, too, where it finds them.
    kept = pydicom.Dataset()
    kept.file_meta = source.file_meta
    for tag in (*NEEDED, *PLACED):
        if tag in source:
            kept[tag] = source[tag]
    identify(kept, source)
    return kept


def _highdicom() -> Any:
    try:
        import highdicom
        import highdicom.color
        import highdicom.seg
    except ImportError as error:
        fault, remedy = "the package highdicom is not installed", "pip install 'spinetk[sr]', or convert to NIfTI first"
        raise InputError("DICOM SEG", fault, remedy) from error
    return highdicom
