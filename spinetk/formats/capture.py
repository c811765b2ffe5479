"""Secondary Capture of an overlay: the drawn picture as a DICOM object of the same study, for viewers without SR."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from spinetk._version import __version__
from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.formats.identity import Identity, uids
from spinetk.formats.referenced import read_source, reference

SERIES_NUMBER = 902


def write_capture(
    path: str | Path,
    drawn: np.ndarray,
    source_dicom: str | Path | Dataset,
    *,
    frame: int | None = None,
    identity: Identity | None = None,
) -> None:
    """Write a drawn picture as an RGB Secondary Capture that refers to the picture it was drawn on, atomically.

    Patient and study are those of the source, as every object of a study has to say; nothing else is copied. The object
    has no pixel spacing: the drawing is enlarged and has a column of figures beside it, so no viewer may measure on it.

    Args:
        path: The file to write.
        drawn: (H, W, 3) RGB uint8, as :func:`spinetk.report.overlay.draw` gives it.
        source_dicom: The DICOM file or data set that was drawn on.
        frame: Which frame of a multi-frame source, counted from 0.
        identity: What UIDs and date derive from; new ones when it is not given.

    Raises:
        InputError: highdicom is not installed, or the source is no usable DICOM image.
    """
    try:
        from highdicom.sc import SCImage
    except ImportError as error:
        fault = "the package highdicom is not installed"
        raise InputError("DICOM Secondary Capture", fault, "pip install 'spinetk[sr]'") from error
    source = read_source(source_dicom, frame)
    series_uid, instance_uid = uids(source, frame, "overlay", identity)
    capture = SCImage.from_ref_dataset(
        source,
        np.ascontiguousarray(drawn),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        series_instance_uid=series_uid,
        series_number=SERIES_NUMBER,
        sop_instance_uid=instance_uid,
        instance_number=int(source.get("InstanceNumber") or 1) or 1,
        manufacturer="spinetk",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    # highdicom asks for an orientation and a digital interface; neither is known of a drawing.
    capture.PatientOrientation = None  # type: ignore[assignment]
    capture.ConversionType = "WSD"
    capture.BodyPartExamined = "SPINE"  # Unpaired: without it, Laterality would be required (type 2C).
    capture.SeriesDescription = "Vertebral overlay, research use only"
    capture.ManufacturerModelName, capture.SoftwareVersions = "spinetk", __version__
    capture.BurnedInAnnotation = "NO"
    capture.DerivationDescription = "vertebral landmarks drawn on a windowed copy"
    capture.SourceImageSequence = [reference(source, frame)]
    if "ContributingEquipmentSequence" in capture:
        del capture.ContributingEquipmentSequence
    if identity is not None:
        identity.stamp(capture)
    with replacing(path) as temporary:
        capture.save_as(temporary)
