"""Pixels in: DICOM, PNG, JPEG, TIFF, BMP, NIfTI, NRRD and MetaImage become one object, :class:`Picture`."""

from __future__ import annotations

from spinetk.images.find import find_inputs, find_pictures, find_series
from spinetk.images.picture import Picture
from spinetk.images.read import read_picture
from spinetk.images.window import to_uint8

__all__ = ["Picture", "find_inputs", "find_pictures", "find_series", "read_picture", "to_uint8"]
