"""The 8-bit window of the published preparation: z-scores clipped at 2.5 standard deviations."""

from __future__ import annotations

import numpy as np

EXACT = 1 << 24  # whole numbers that single precision holds


def to_uint8(pixels: np.ndarray, padding: np.ndarray | None = None, clip_sd: float = 2.5) -> np.ndarray:
    """Window a picture to 8 bits as SpineTK does (Suri et al., Radiology: Artificial Intelligence).

    Mean and standard deviation are those of the non-zero pixels outside ``padding``; z-scores are clipped at
    ``clip_sd``, and the least and greatest of them become 0 and 255.

    Args:
        pixels: (H, W) numbers; NaN and infinity count as padding.
        padding: (H, W) bool, True where there is no picture. These pixels become 0.
        clip_sd: Standard deviations kept on either side of the mean.

    Returns:
        (H, W) uint8; all zero when the picture is constant.
    """
    values = np.asarray(pixels, dtype=np.float32)
    levels = _levels(values)
    if levels is not None:
        return _by_table(levels, padding, clip_sd)
    valid = np.isfinite(values)
    if padding is not None:
        valid &= ~np.asarray(padding, bool)
    whole = bool(valid.all())
    shown = values if whole else values[valid]
    counted = shown[shown != 0]
    if not counted.size:
        return np.zeros(values.shape, np.uint8)
    # float64 sums: 16-bit pictures of tens of megapixels overflow the precision of float32.
    limits = _limits(counted.mean(dtype=np.float64), counted.std(dtype=np.float64), shown.min(), shown.max(), clip_sd)
    if limits is None:
        return np.zeros(values.shape, np.uint8)
    if not 1e-30 < limits[1] - limits[0] < 1e30:
        values = values.astype(np.float64)
    scaled = _scaled(values, *limits)
    if not whole:
        scaled[~valid] = 0
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _levels(values: np.ndarray) -> np.ndarray | None:
    """The same picture as whole numbers of 8 or 16 bits, as most files hold it; None where it is no such picture."""
    with np.errstate(invalid="ignore"):
        levels = values.astype(np.uint16)
    if not values.size or not np.array_equal(levels, values):
        return None
    return levels.astype(np.uint8) if levels.max() < 256 else levels


def _by_table(levels: np.ndarray, padding: np.ndarray | None, clip_sd: float) -> np.ndarray:
    """As :func:`to_uint8`, each value worked out once: a film has a hundred pixels of each."""
    import cv2  # `spinetk info` shows no picture

    hidden = None if padding is None else np.asarray(padding, bool)
    seen = levels if hidden is None else levels[~hidden]
    if levels.dtype == np.uint8 and 0 < seen.size < EXACT:  # the histogram is of single precision
        counts = cv2.calcHist([seen], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    else:
        counts = np.bincount(seen.ravel(), minlength=256)
    values = np.arange(len(counts), dtype=np.float64)
    number = int(counts[1:].sum())
    if not number:
        return np.zeros(levels.shape, np.uint8)
    mean = float(values @ counts) / number
    deviation = float(np.sqrt((values[1:] - mean) ** 2 @ counts[1:] / number))
    shown = np.flatnonzero(counts)
    limits = _limits(mean, deviation, shown[0], shown[-1], clip_sd)
    if limits is None:
        return np.zeros(levels.shape, np.uint8)
    scaled = _scaled(np.arange(int(levels.max()) + 1, dtype=np.float32), *limits)
    table = np.zeros(max(256, len(scaled)), np.uint8)
    table[: len(scaled)] = np.clip(np.rint(scaled), 0, 255)
    grey = cv2.LUT(levels, table) if levels.dtype == np.uint8 else table.take(levels)
    if hidden is not None:
        grey[hidden] = 0
    return grey


def _limits(mean: float, deviation: float, least: float, most: float, clip_sd: float) -> tuple[float, float] | None:
    """The values that become 0 and 255; None where there is nothing between them."""
    low = max(float(mean) - clip_sd * float(deviation), float(least))
    high = min(float(mean) + clip_sd * float(deviation), float(most))
    return (low, high) if high > low else None


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values from ``low`` to ``high`` as 0 to 255."""
    return (np.clip(values, low, high) - values.dtype.type(low)) * values.dtype.type(255.0 / (high - low))
