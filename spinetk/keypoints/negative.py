"""Negative: whether a radiograph is stored with bone dark, which a PNG or JPEG does not say.

Air and shutters beside the patient are dark in a film, so its two sides are no brighter than its middle. Of 111 real
films none is taken for a negative, of the same films inverted 95 are (``benchmarks/negatives.py``). A film that was
photographed in a white frame looks like one, too: so nothing is inverted for it, and the remark names what to look for.
"""

from __future__ import annotations

import numpy as np

from spinetk.geometry import turn
from spinetk.reading import Reading
from spinetk.views import PROJECTIONS, rules_of

BRIGHTER = 0.2
"""By how much both sides must be brighter than the middle, as a share of the range of grey values."""
MARGIN = 0.03
"""Width of a side, as a share of the shorter side of the picture."""
LOOKED_AT_PX = 400
REMARK = (
    "both sides of the picture are brighter than its middle, as in a negative: if bone is dark in it, invert its grey "
    "scale and read it again"
)


def looks_negative(grey: np.ndarray) -> bool:
    """Whether both sides of a radiograph are clearly brighter than its middle.

    Args:
        grey: (H, W) uint8, head up.
    """
    step = max(1, min(grey.shape) // LOOKED_AT_PX)
    small = grey[::step, ::step].astype(np.float32)
    height, width = small.shape
    margin = max(1, round(MARGIN * min(height, width)))
    low, high = np.percentile(small, (1, 99))
    middle = small[height // 4 : 3 * height // 4 + 1, width // 4 : 3 * width // 4 + 1]
    dimmer = min(np.median(small[:, :margin]), np.median(small[:, -margin:]))
    return bool(dimmer - np.median(middle) > BRIGHTER * (high - low) > 0)


def remarks(grey: np.ndarray, found: Reading) -> list[str]:
    """A remark where a radiograph looks like a negative; none of slices.

    Args:
        grey: (H, W) uint8, as stored.
        found: What was found in it; its frame says where the head is.
    """
    if not rules_of(found.view).modalities >= PROJECTIONS:
        return []
    return [REMARK] if looks_negative(turn(grey, found.frame.upright_orientation(mirror=False))) else []
