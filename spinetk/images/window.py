"""The 8-bit window of the published preparation: z-scores clipped at 2.5 standard deviations."""

from __future__ import annotations

import numpy as np


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
    valid = np.isfinite(values)
    if padding is not None:
        valid &= ~np.asarray(padding, bool)
    whole = bool(valid.all())
    shown = values if whole else values[valid]
    counted = shown[shown != 0]
    if not counted.size:
        return np.zeros(values.shape, np.uint8)
    # float64 sums: 16-bit pictures of tens of megapixels overflow the precision of float32.
    mean, deviation = float(counted.mean(dtype=np.float64)), float(counted.std(dtype=np.float64))
    low, high = mean - clip_sd * deviation, mean + clip_sd * deviation
    low, high = max(low, float(shown.min())), min(high, float(shown.max()))
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    if not 1e-30 < high - low < 1e30:
        values = values.astype(np.float64)
    scaled = (np.clip(values, low, high) - values.dtype.type(low)) * values.dtype.type(255.0 / (high - low))
    if not whole:
        scaled[~valid] = 0
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
