"""Opened: an entry whose picture has been decoded, with the vertebrae that are known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from spinetk.cases.folder import read_pixels, read_record
from spinetk.errors import InputError
from spinetk.formats.record import reading_of
from spinetk.images import Picture, read_picture, to_uint8
from spinetk.images.picture import pixel_hash
from spinetk.images.source import seen_of
from spinetk.measure.facing import Seen
from spinetk.reading import Reading
from spinetk.review.entry import Entry
from spinetk.review.history import version_of
from spinetk.schema import VERTEBRA6, KeypointSchema

MOST_SHOWN_PX = 16_000_000
"""Larger pictures go to the browser averaged down by a whole number; points stay in px of the stored picture."""

ALIKE = 0.95
"""Correlation of two pictures of one size from which they are one film in two windows."""

CT_WINDOWS = (("CT bone", 1800.0, 400.0), ("CT soft tissue", 400.0, 50.0), ("CT spinal canal", 250.0, 50.0))
"""Name, width and level in HU, as CT consoles have them."""


@dataclass
class Opened:
    """A decoded picture.

    Attributes:
        picture: Its values in display sense.
        grey: (H, W) uint8, windowed as the networks see it.
        reading: What is known: the truth, the result, or no vertebra.
        version: Of the case that ``reading`` is the truth of (:func:`spinetk.review.history.version_of`); empty when
            there is no case yet.
    """

    picture: Picture
    grey: np.ndarray
    reading: Reading
    version: str = ""

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

    def windows(self) -> list[tuple[str, float, float]]:
        """Windows to look at it with, (name, low, high); the first is the one it opens with.

        CT values are Hounsfield units, for which windows have names; of other pictures the values say nothing by
        themselves, so shares of them do.
        """
        values = self.picture.pixels
        step = max(1, int(np.sqrt(values.size / 500_000)))
        sample = values[::step, ::step]
        keep = np.isfinite(sample)
        if self.picture.padding is not None:
            keep &= ~self.picture.padding[::step, ::step]
        if not keep.any():
            return [("Whole range", 0.0, 1.0)]
        shares = (0.5, 99.5, 0.0, 100.0, 5.0, 95.0, 40.0, 99.9, 2.0, 70.0)
        found = [float(v) for v in np.percentile(sample[keep], shares)]
        names = ("First window", "Whole range", "More contrast", "Bright parts", "Dark parts")
        pairs = zip(names, found[::2], found[1::2], strict=True)
        windows = [(name, low, max(high, low + 1e-6)) for name, low, high in pairs]
        if self.picture.modality == "CT":
            windows += [(name, level - width / 2, level + width / 2) for name, width, level in CT_WINDOWS]
        first = windows[0]
        return [w for k, w in enumerate(windows) if k == 0 or w[1:] != first[1:]]


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
        picture, grey = seen_of(known)
        if (known.height, known.width) != (picture.height, picture.width):
            fault = f"is about {known.width} x {known.height} px, its picture has {picture.width} x {picture.height} px"
            raise InputError(entry.name, fault, "predict again")
    else:
        picture = read_picture(entry.path, slice_choice="central" if entry.slice is None else entry.slice)
        grey, size = to_uint8(picture.pixels, picture.padding), (picture.height, picture.width)
        known = Reading(entry.name, *size, schema, [], picture.frame, picture.view, remarks=list(picture.remarks))
    opened = Opened(picture, grey, known)
    said = None
    if entry.source is not None and entry.source.is_file() and not _is_saved(grey, entry.source):
        said = f"another picture lay here when case {entry.case} was saved: this one is begun anew"
    elif not refresh(opened, entry):
        said = f"case {entry.case} holds a picture of another size by now: this one is begun anew"
    if said is not None:
        opened.reading = replace(known, remarks=[*known.remarks, said])
        entry.case, entry.base = None, None
    return opened


def _is_saved(grey: np.ndarray, source: Path) -> bool:
    """Whether a picture is the one of a case, though perhaps windowed otherwise by another version."""
    record = read_record(source)
    if record.get("pixels_sha256") in (None, pixel_hash(grey)):
        return True
    saved = read_pixels(record)
    saved = saved if saved.ndim == 2 else saved.mean(axis=2)
    if saved.shape != grey.shape:
        return False
    own, there = (values.ravel() - values.mean() for values in (grey, saved))
    return float(own @ there) >= ALIKE * float(np.linalg.norm(own) * np.linalg.norm(there))


def refresh(opened: Opened, entry: Entry) -> bool:
    """Take the truth of a case as it is on the disk now: another tab, server or program may have written it.

    Returns:
        Whether it is about the picture that was decoded; one of another size has to be opened anew.

    Raises:
        InputError: It cannot be read any more.
    """
    if entry.source is None or opened.version == (version := version_of(entry.source)):
        return True
    if version:
        record = read_record(entry.source)
        if (record["height"], record["width"]) != (opened.picture.height, opened.picture.width):
            return False
        opened.reading = replace(reading_of(record), file=opened.reading.file, remarks=opened.reading.remarks)
    opened.version = version
    return True


def _open_case(entry: Entry) -> Opened:
    source = entry.source
    assert source is not None  # entries of this kind are made with their case
    version = version_of(source)
    record = read_record(source)
    pixels = read_pixels(record)
    if pixels.ndim == 3:
        import cv2

        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    known = reading_of(record)
    picture = Picture(pixels.astype(np.float32), frame=known.frame, view=known.view, modality=record.get("modality"))
    return Opened(picture, pixels, known, version)
