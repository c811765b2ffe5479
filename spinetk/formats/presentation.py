"""Grayscale Softcopy Presentation State: outlines and level names as annotations that a viewer lays over the picture.

Graphic data in PIXEL units are (column, row) with 0\\0 at the outer corner of the upper left pixel and 1\\1 at its
lower right corner (PS3.3 C.10.5.1.1), so a pixel centre is at integer + 0.5: the convention of `spinetk.geometry`.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from spinetk._version import __version__
from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.formats.identity import Identity, uids
from spinetk.formats.referenced import REMEDY, read_source
from spinetk.images.guard import quiet
from spinetk.measure import words
from spinetk.reading import Reading
from spinetk.vertebra import Vertebra

SERIES_NUMBER = 903
LABEL = "SPINETK"
LAYER = "VERTEBRAE"
MOST_ASPECT = 1000
"""Greatest whole number in the shape of a pixel, height to width."""


@quiet()
def write_presentation(
    path: str | Path,
    reading: Reading,
    source_dicom: str | Path | Dataset,
    *,
    frame: int | None = None,
    identity: Identity | None = None,
) -> None:
    """Write the points of a reading as a presentation state of the picture they lie on, atomically.

    Each vertebra is a closed polyline through its visible points, with its name at its centre. Window and modality LUT
    are those of the picture. Points outside the picture are moved to its border.

    Args:
        path: The file to write.
        reading: The reading; its size must be that of the source.
        source_dicom: The DICOM file or data set the reading is about.
        frame: Which frame of a multi-frame source, counted from 0.
        identity: What UIDs and date derive from; new ones when it is not given.

    Raises:
        InputError: highdicom is not installed, or the source is no usable grey DICOM image of the reading's size.
    """
    try:
        import highdicom as hd
        from highdicom import pr
    except ImportError as error:
        fault = "the package highdicom is not installed"
        raise InputError("DICOM presentation state", fault, "pip install 'spinetk[sr]'") from error
    source = read_source(source_dicom, frame)
    name = "DICOM data set" if isinstance(source_dicom, Dataset) else source_dicom
    if (source.Rows, source.Columns) != (reading.height, reading.width):
        fault = f"is {source.Columns} x {source.Rows} px, the reading {reading.width} x {reading.height}"
        raise InputError(name, fault, REMEDY)
    if source.get("SamplesPerPixel", 1) != 1:
        raise InputError(name, "is a colour picture, which has no grayscale presentation", "ask for the overlay")
    series_uid, instance_uid = uids(source, frame, "points", identity)
    layer = pr.GraphicLayer(LAYER, order=1, description="Vertebral outlines, research use only")
    graphics, texts = [], []
    for index, vertebra in enumerate(reading.vertebrae):
        graphics += _outline(pr, reading, vertebra)
        anchor = np.clip(vertebra.centre, 0, (reading.width, reading.height))
        text = words.level_of(reading, index)
        texts.append(
            pr.TextObject(text, units="PIXEL", anchor_point=tuple(anchor.tolist()), anchor_point_visible=False)
        )
    # Without it highdicom takes the grey scale of MONOCHROME1 pictures the wrong way round.
    shape = "INVERSE" if source.get("PhotometricInterpretation") == "MONOCHROME1" else "IDENTITY"
    try:
        annotations = []
        if graphics or texts:
            number = None if frame is None or int(source.get("NumberOfFrames") or 1) == 1 else frame + 1
            options: dict[str, Any] = {"graphic_objects": graphics or None, "text_objects": texts or None}
            annotations.append(pr.GraphicAnnotation([source], layer, referenced_frame_number=number, **options))
        state = pr.GrayscaleSoftcopyPresentationState(
            referenced_images=[source],
            series_instance_uid=series_uid,
            series_number=SERIES_NUMBER,
            sop_instance_uid=instance_uid,
            instance_number=int(source.get("InstanceNumber") or 1) or 1,
            manufacturer="spinetk",
            manufacturer_model_name="spinetk",
            software_versions=__version__,
            device_serial_number="0",
            content_label=LABEL,
            content_description="Vertebral landmarks, research use only",
            content_creator_name="spinetk^",
            graphic_layers=[layer],
            graphic_annotations=annotations or None,
            presentation_lut_transformation=hd.PresentationLUTTransformation(presentation_lut_shape=shape),
        )
    except (AttributeError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            name, f"cannot carry a presentation state ({type(error).__name__})", "ask for the SR"
        ) from error
    # highdicom says that pixels are square, whatever they are: viewers would show the film out of proportion.
    across, down = reading.frame.square
    ratio = Fraction(float(down / across)).limit_denominator(MOST_ASPECT)
    for area in state.DisplayedAreaSelectionSequence:
        area.PresentationPixelAspectRatio = [ratio.numerator, ratio.denominator]
    state.BodyPartExamined = "SPINE"  # Unpaired: without it, Laterality would be required (type 2C).
    state.SeriesDescription = "Vertebral landmarks, research use only"
    if identity is not None:
        identity.stamp(state)
    with replacing(path) as temporary:
        state.save_as(temporary)


def _outline(pr: Any, reading: Reading, vertebra: Vertebra) -> list[Any]:
    order = reading.schema.walk(vertebra.visible)
    if not order:
        return []
    points = np.clip(vertebra.points[order], 0, (reading.width, reading.height))
    if len(order) == 1:
        return [pr.GraphicObject("POINT", points, units="PIXEL")]
    return [pr.GraphicObject("POLYLINE", np.concatenate([points, points[:1]]), units="PIXEL")]
