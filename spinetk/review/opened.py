"""Opened: an entry whose picture has been decoded, with the vertebrae that are known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.cases.folder import CaseFolder, read_pixels, read_record
from spinetk.errors import InputError
from spinetk.formats.record import reading_of
from spinetk.images import Picture, read_picture, to_uint8
from spinetk.images.source import picture_of
from spinetk.measure.facing import Seen
from spinetk.reading import Reading
from spinetk.review.entry import ORIGINAL, Entry
from spinetk.schema import VERTEBRA6, KeypointSchema

MOST_SHOWN_PX = 16_000_000
"""Larger pictures go to the browser averaged down by a whole number; points stay in px of the stored picture."""


@dataclass
class Opened:
    """A decoded picture.

    Attributes:
        picture: Its values in display sense.
        grey: (H, W) uint8, windowed as the networks see it.
        reading: What is known: the truth, the result, or no vertebra.
        case_fields: Fields of the case JSON that a correction keeps; empty when there is no case yet.
    """

    picture: Picture
    grey: np.ndarray
    reading: Reading
    case_fields: dict[str, Any]

    @cached_property
    def seen(self) -> Seen:
        """The grey picture as measurements look at it."""
        return Seen(self.grey)

    @property
    def step(self) -> int:
        """Stored px per px sent to the browser."""
        return max(1, int(np.ceil(np.sqrt(self.grey.size / MOST_SHOWN_PX))))

    def samples(self) -> tuple[np.ndarray, float, float]:
        """The picture for the browser: (h, w) uint16, and the values that 0 and 65535 stand for."""
        values = self.picture.pixels
        if self.step > 1:
            import cv2

            size = (max(1, values.shape[1] // self.step), max(1, values.shape[0] // self.step))
            values = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
        finite = np.isfinite(values)
        low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 1.0)
        high = high if high > low else low + 1.0
        scaled = (np.where(finite, values, low) - np.float32(low)) * np.float32(65535.0 / (high - low))
        return np.clip(np.rint(scaled), 0, 65535).astype("<u2"), low, high

    def window(self) -> tuple[float, float]:
        """A good first window, (low, high): all but the darkest and brightest half percent of what is no padding."""
        values = self.picture.pixels
        step = max(1, int(np.sqrt(values.size / 500_000)))
        sample = values[::step, ::step]
        keep = np.isfinite(sample)
        if self.picture.padding is not None:
            keep &= ~self.picture.padding[::step, ::step]
        if not keep.any():
            return 0.0, 1.0
        low, high = (float(v) for v in np.percentile(sample[keep], (0.5, 99.5)))
        return (low, high) if high > low else (low, low + 1.0)


def open_entry(entry: Entry, schema: KeypointSchema = VERTEBRA6) -> Opened:
    """Decode the picture of an entry.

    Args:
        entry: Where it is.
        schema: Points of a picture of which nothing is known yet.

    Raises:
        InputError: The picture, the result or the case cannot be read, or do not fit each other.
    """
    if entry.kind == "case":
        return _open_case(entry)
    if entry.kind == "result":
        from spinetk.formats.results import read_result

        known = read_result(entry.path)
        picture = picture_of(known)
        if (known.height, known.width) != (picture.height, picture.width):
            fault = f"is about {known.width} x {known.height} px, its picture has {picture.width} x {picture.height} px"
            raise InputError(entry.name, fault, "predict again")
    else:
        picture = read_picture(entry.path, slice_choice="central" if entry.slice is None else entry.slice)
        size = (picture.height, picture.width)
        known = Reading(entry.name, *size, schema, [], picture.frame, picture.view, remarks=list(picture.remarks))
    fields: dict[str, Any] = {}
    if entry.case is not None and entry.base is not None:
        record = read_record(CaseFolder(entry.base).source(entry.case))
        fields = {k: v for k, v in record.items() if k != "annotations"}
        if (record["height"], record["width"]) == (picture.height, picture.width):
            known = replace(reading_of(record), file=known.file, remarks=list(picture.remarks))
    return Opened(picture, to_uint8(picture.pixels, picture.padding), known, fields)


def original_of(entry: Entry) -> Reading:
    """The truth as it was before the first correction.

    Raises:
        InputError: There is none.
    """
    if entry.case is None or entry.base is None:
        raise InputError(entry.name, "has not been saved yet", "nothing to go back to")
    source = CaseFolder(entry.base).source(entry.case)
    return _read(source if not source.with_name(ORIGINAL).exists() else source.with_name(ORIGINAL), source)


def _read(path: Path, source: Path) -> Reading:
    from spinetk.formats.files import read_json
    from spinetk.formats.record import check_record

    record = check_record(read_json(path), path)
    record["file_name"] = str(source.with_suffix(".png"))
    return reading_of(record)


def _open_case(entry: Entry) -> Opened:
    record = read_record(CaseFolder(entry.base).source(entry.case))
    pixels = read_pixels(record)
    if pixels.ndim == 3:
        import cv2

        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    known = reading_of(record)
    picture = Picture(pixels.astype(np.float32), frame=known.frame, view=known.view, modality=record.get("modality"))
    return Opened(picture, pixels, known, {k: v for k, v in record.items() if k != "annotations"})
