"""Stored values to grey as seen: modality LUT, VOI LUT or window, presentation LUT or one inversion (PS3.3 C.11.1,
C.11.2, C.11.6).

A presentation LUT is the whole way from values of interest to brightness: where a file has one, its polarity is that of
the picture, whatever PhotometricInterpretation says (PS3.4 N.2.1.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spinetk.images.elements import functional_group, integer, items, number, numbers, raw, word

if TYPE_CHECKING:
    from pydicom import Dataset

LEAST_KEPT = 0.02
"""A window that leaves a smaller share of the pixels unclipped shows nothing and is set aside."""


def to_display(
    stored: np.ndarray,
    dataset: Dataset,
    frame: int,
    padding: np.ndarray | None,
    remarks: list[str],
    window: bool = True,
) -> tuple[np.ndarray, bool]:
    """Run the grey scale pipeline on one frame.

    Args:
        stored: (H, W) stored values.
        dataset: The header.
        frame: Index of the frame, for functional groups.
        padding: (H, W) bool, pixels the choice of window must not look at, or None.
        remarks: Gets a sentence for every decision.
        window: Whether to apply the VOI LUT or window. Without it the frame is a layer of a volume, and inverted about
            the middle of all that can be stored, as the others are.

    Returns:
        (H, W) float32, and whether low values are bright in the file.
    """
    values = _modality(stored, dataset, frame, remarks)
    values, shown = _voi(values, dataset, frame, padding, remarks) if window else (values, None)
    remarks += _contradictions(dataset)
    inverted = is_inverted(dataset)
    table = _presentation(dataset)
    if table is not None and window and stored.dtype.kind != "f":
        values = _presented(values, shown or _limits(stored, dataset, frame), table)
        remarks.append("presentation LUT was applied")
    elif inverted:
        if shown is None and not window and stored.dtype.kind != "f":
            shown = _limits(stored, dataset, frame)
        if shown is None:
            valid = values if padding is None or padding.all() else values[~padding]
            shown = float(valid.min()), float(valid.max())
        values = np.subtract(np.asarray(shown[0] + shown[1], values.dtype), values, out=values)
        remarks.append("the grey scale is stored inverted and was inverted back")
    return np.ascontiguousarray(values, dtype=np.float32), inverted


def _limits(stored: np.ndarray, dataset: Dataset, frame: int) -> tuple[float, float]:
    """What the least and greatest value that can be stored stand for: the same for every slice of a volume."""
    most = min(8 * stored.dtype.itemsize, 24)  # float32, in which values leave, holds no more exactly
    bits = min(max(integer(dataset, "BitsStored") or most, 1), most)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if stored.dtype.kind == "i" else (0, (1 << bits) - 1)
    ends = _modality(np.array([[low, high]], stored.dtype), dataset, frame, [])
    return float(ends.min()), float(ends.max())


def is_inverted(dataset: Dataset) -> bool:
    """Whether low values are bright: by the presentation LUT, where there is one, else MONOCHROME1 and an inverse
    presentation LUT shape say the same thing, once."""
    table = _presentation(dataset)
    if table is not None:
        return bool(table[0][-1] < table[0][0])
    photometric = word(dataset, "PhotometricInterpretation")
    return photometric == "MONOCHROME1" or word(dataset, "PresentationLUTShape") == "INVERSE"


def _contradictions(dataset: Dataset) -> list[str]:
    """Remarks on a presentation LUT that cannot be used, or says another polarity than PhotometricInterpretation."""
    photometric, shape = word(dataset, "PhotometricInterpretation"), word(dataset, "PresentationLUTShape")
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        return []
    low_is_white = photometric == "MONOCHROME1"
    table = _presentation(dataset)
    if table is None:
        damaged = next(items(dataset, "PresentationLUTSequence"), None) is not None
        found = ["damaged presentation LUT was ignored"] if damaged else []
        # PS3.3 C.7.6.1.1: IDENTITY goes with MONOCHROME2, INVERSE with MONOCHROME1.
        if shape == ("IDENTITY" if low_is_white else "INVERSE"):
            found.append(f"{photometric} and PresentationLUTShape {shape} contradict each other: check the polarity")
        return found
    if is_inverted(dataset) == low_is_white:
        return []
    which = "falls" if is_inverted(dataset) else "rises"
    return [f"the presentation LUT {which}, against {photometric}: it was believed, check the polarity"]


def _presentation(dataset: Dataset) -> tuple[np.ndarray, int] | None:
    """Entries of the presentation LUT and their depth in bits; None where there is none, or it cannot be used."""
    table = next(items(dataset, "PresentationLUTSequence"), None)
    found = None if table is None else _entries(table, False, _byte_order(dataset))
    return None if found is None or np.ptp(found[0]) == 0 else (found[0], found[2])


def _presented(values: np.ndarray, shown: tuple[float, float], table: tuple[np.ndarray, int]) -> np.ndarray:
    """Values through a presentation LUT: their range is scaled onto all of its entries (PS3.3 C.11.6.1)."""
    low, high = shown
    last = len(table[0]) - 1
    place = (np.asarray(values, np.float64) - low) * (last / max(high - low, 1e-12))
    return table[0][np.clip(np.rint(place), 0, last).astype(np.int64)]


def padding_mask(stored: np.ndarray, dataset: Dataset) -> np.ndarray | None:
    """(H, W) bool of the pixels that PixelPaddingValue (to PixelPaddingRangeLimit) names, or None when there are none.

    A padding value that covers the whole picture is not believed.
    """
    value = _signed(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = _signed(dataset, "PixelPaddingRangeLimit")
    low, high = (value, value) if limit is None else (min(value, limit), max(value, limit))
    mask = stored == low if low == high else (stored >= low) & (stored <= high)
    return mask if mask.any() and not mask.all() else None


def _signed(dataset: Dataset, keyword: str) -> int | None:
    """A US or SS value in the sense of PixelRepresentation (some writers give the bits of the other)."""
    value = integer(dataset, keyword)
    bits = integer(dataset, "BitsAllocated") or 16
    if value is None or bits > 32:
        return value
    if integer(dataset, "PixelRepresentation") == 1:
        return value - (1 << bits) if value >= 1 << (bits - 1) else value
    return value + (1 << bits) if value < 0 else value


def _working(stored: np.ndarray) -> np.ndarray:
    """A float copy wide enough to hold the stored values exactly (float32 ends at 2**24)."""
    return stored.astype(np.float64 if stored.dtype.itemsize > 2 else np.float32)


def _modality(stored: np.ndarray, dataset: Dataset, frame: int, remarks: list[str]) -> np.ndarray:
    table = next(items(dataset, "ModalityLUTSequence"), None)
    if table is not None:
        mapped = _look_up(stored, table, integer(dataset, "PixelRepresentation") == 1, _byte_order(dataset))
        if mapped is not None:
            return mapped[0]
        remarks.append("damaged modality LUT was ignored")
    group = functional_group(dataset, frame, "PixelValueTransformationSequence")
    source = dataset if group is None else group
    slope, intercept = number(source, "RescaleSlope"), number(source, "RescaleIntercept")
    slope, intercept = 1.0 if slope is None else slope, 0.0 if intercept is None else intercept
    if slope == 0 or max(abs(slope), abs(intercept)) > 1e12:
        remarks.append("impossible rescale was ignored")
        slope, intercept = 1.0, 0.0
    # A VOI LUT is looked up in whole numbers: float32 could round a value to its neighbour.
    values = stored.astype(np.float64) if raw(dataset, "VOILUTSequence") else _working(stored)
    if slope != 1:
        values *= values.dtype.type(slope)
    if intercept != 0:
        values += values.dtype.type(intercept)
    return values


def _voi(
    values: np.ndarray, dataset: Dataset, frame: int, padding: np.ndarray | None, remarks: list[str]
) -> tuple[np.ndarray, tuple[float, float] | None]:
    """Apply the VOI LUT, else the first window; also the (least, greatest) output of what was applied, or None."""
    table = next(items(dataset, "VOILUTSequence"), None)
    if table is not None:
        mapped = _look_up(values, table, bool(values.min() < 0), _byte_order(dataset))
        if mapped is not None and np.ptp(mapped[0]) > 0:
            remarks.append("VOI LUT was applied")
            return mapped
        remarks.append("damaged VOI LUT was ignored")
    group = functional_group(dataset, frame, "FrameVOILUTSequence")
    source = dataset if group is None else group
    centre, width = number(source, "WindowCenter"), number(source, "WindowWidth")
    if centre is None or width is None:
        return values, None
    function = word(source, "VOILUTFunction") or "LINEAR"
    if width <= 0 or (function == "LINEAR" and width < 1) or max(abs(centre), width) > 1e12:
        remarks.append("impossible window was ignored")
        return values, None
    if len(numbers(source, "WindowCenter")) > 1:
        remarks.append("the first of several windows was used")
    # LINEAR runs from c - 0.5 - (w - 1) / 2 to c - 0.5 + (w - 1) / 2, LINEAR_EXACT from c - w / 2 to c + w / 2.
    shift, span = (0.5, max(width - 1, 1e-6)) if function == "LINEAR" else (0.0, width)
    low, high = centre - shift - span / 2, centre - shift + span / 2
    top = float((1 << min(max(integer(dataset, "BitsStored") or 8, 8), 32)) - 1)
    if function != "SIGMOID":
        inside = (values > low) & (values < high)
        if padding is not None:
            inside = inside[~padding]
        if inside.mean() < LEAST_KEPT and np.ptp(values) > 0:
            remarks.append("the window clips nearly every pixel and was set aside")
            return values, None
    remarks.append("the window of the file was applied")
    if function == "SIGMOID":
        exponent = np.clip(-4 * (values.astype(np.float64) - centre) / width, -700, 700)
        return top / (1 + np.exp(exponent)), (0.0, top)
    np.clip(values, low, high, out=values)
    values -= values.dtype.type(low)
    values *= values.dtype.type(top / span)
    return values, (0.0, top)


def _byte_order(dataset: Dataset) -> str:
    """Of words that pydicom leaves as bytes (OW). The items of a sequence do not say: only the file as a whole does."""
    return ">" if dataset.original_encoding[1] is False else "<"


def _look_up(
    values: np.ndarray, table: Dataset, signed: bool, order: str
) -> tuple[np.ndarray, tuple[float, float]] | None:
    """Map (H, W) values through a LUT item, as pydicom's ``apply_modality_lut`` and ``apply_voi`` do where they can.

    Theirs are not called because they take no VOI LUT on values with fractions beyond 65535, no modality LUT of 10 to
    15 bits and no entries packed as bytes.

    Returns:
        (H, W) float32 and the (least, greatest) entry its depth allows; None when descriptor and data do not fit.
    """
    found = _entries(table, signed, order)
    if found is None:
        return None
    entries, first, bits = found
    index = np.clip(np.floor(values.astype(np.float64)) - first, 0, len(entries) - 1).astype(np.int64)
    return entries[index], (0.0, float((1 << bits) - 1))


def _entries(table: Dataset, signed: bool, order: str) -> tuple[np.ndarray, int, int] | None:
    """(N,) float32 entries of a LUT item, the first value mapped and the depth in bits; None when they do not fit."""
    descriptor = [int(v) for v in numbers(table, "LUTDescriptor")]
    data = raw(table, "LUTData")
    if len(descriptor) != 3 or data is None:
        return None
    count, first, bits = descriptor
    count = count or 1 << 16
    if signed and first >= 1 << 15:
        first -= 1 << 16
    try:
        if isinstance(data, bytes):
            entries = np.frombuffer(data, np.uint8 if len(data) < 2 * count else f"{order}u2", count)
        else:
            entries = np.array(data, dtype=np.int64).reshape(-1) & 0xFFFF
    except (TypeError, ValueError, OverflowError):
        return None
    if len(entries) < count or not 0 < bits <= 16:
        return None
    return entries[:count].astype(np.float32), first, bits
