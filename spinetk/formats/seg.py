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

OF_FRAMES = ("PixelMeasuresSequence", "PlanePositionSequence", "PlaneOrientationSequence")


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


def write_seg(
    path: str | Path, mask: np.ndarray, files: Sequence[str | Path], segment: Segment, frames: Sequence[int] = ()
) -> None:
    """Write a mask as a binary DICOM segmentation, atomically.

    Patient and study are those of the source, as every object of a study has to say; nothing else is copied.

    Args:
        path: The file to write.
        mask: (D, H, W) bool on the grid of the slices.
        files: The D single-frame slices of one series, in the order of the mask; or one file of several frames.
        segment: What the mask shows.
        frames: The D frames of the one file, counted from 0, in the order of the mask; empty for slices.

    Raises:
        InputError: highdicom is not installed, or a slice lacks what a segmentation has to refer to.
    """
    hd = _highdicom()
    sources = [_read(Path(file)) for file in files]
    count = len(frames) or len(sources)
    if mask.shape != (count, sources[0].Rows, sources[0].Columns):
        raise ValueError(f"a mask of {mask.shape} does not lie on {count} slices")
    if len(frames):
        whole = np.zeros((int(sources[0].NumberOfFrames), *mask.shape[1:]), bool)
        whole[list(frames)] = mask
        mask = whole
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
        raise InputError(files[0], f"cannot carry a segmentation: {why}", "convert it to NIfTI") from error
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
    if int(source.get("NumberOfFrames") or 1) > 1:
        _keep_places(kept, source)
    for tag in (*NEEDED, *PLACED):
        if tag in source:
            kept[tag] = source[tag]
    identify(kept, source)
    return kept


def _keep_places(kept: pydicom.Dataset, source: pydicom.Dataset) -> None:
    """Where the frames of a file lie, and nothing else of its functional groups."""
    kept.NumberOfFrames = source.NumberOfFrames
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        groups = []
        for group in source.get(name) or []:
            place = pydicom.Dataset()
            for tag in OF_FRAMES:
                if tag in group:
                    place[tag] = group[tag]
            groups.append(place)
        setattr(kept, name, groups)
    # highdicom wants what all frames share in the shared group, where many scanners repeat it with every frame.
    if not kept.SharedFunctionalGroupsSequence:
        kept.SharedFunctionalGroupsSequence = [pydicom.Dataset()]
    shared, own = kept.SharedFunctionalGroupsSequence[0], kept.PerFrameFunctionalGroupsSequence
    for tag in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
        if own and all(tag in group and group[tag] == own[0][tag] for group in own):
            shared[tag] = own[0][tag]
            for group in own:
                del group[tag]


def _highdicom() -> Any:
    try:
        import highdicom
        import highdicom.color
        import highdicom.seg
    except ImportError as error:
        fault, remedy = "the package highdicom is not installed", "pip install 'spinetk[sr]', or convert to NIfTI first"
        raise InputError("DICOM SEG", fault, remedy) from error
    return highdicom
