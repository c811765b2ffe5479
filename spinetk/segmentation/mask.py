"""Masks written where the volume they were drawn on lies."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spinetk.formats.seg import LEFT_ATRIUM, write_seg
from spinetk.images.dicom_volume import DicomVolume
from spinetk.images.volume import Volume

SEG_SUFFIX = ".seg.dcm"


def write_mask(volume: Volume, mask: np.ndarray, path: str | Path) -> None:
    """Write the atrium of a volume, atomically: of DICOM, where the name ends with ``.dcm``, as a DICOM segmentation.

    Args:
        volume: What the mask was drawn on.
        mask: (D, H, W), 0 is background.
        path: Its suffix chooses the format.

    Raises:
        InputError: The suffix names no format of volumes, or the segmentation cannot be written.
    """
    if not isinstance(volume, DicomVolume) or not Path(path).name.endswith(".dcm"):
        volume.write(mask, path)
        return
    if mask.shape != volume.values.shape:
        raise ValueError(f"a mask of {mask.shape} does not fit a series of {volume.values.shape}")
    write_seg(path, mask != 0, volume.files, LEFT_ATRIUM, volume.frames)
