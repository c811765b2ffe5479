"""Canvas: a picture as a network is shown it, and the way back to the picture's px.

A network that met whole slices alone sees little where bodies lie at the edge of what it is shown: on a black square it
finds them in a slice that was cut to a narrow column, too.
"""

from __future__ import annotations

import cv2
import numpy as np

from spinetk.images.guard import MAX_PIXELS
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.pictures import network_scale, resize, to_channels
from spinetk.keypoints.preset import Preset

NARROW = 0.7
"""Width / height below which a picture is laid on a square; the narrowest slices trained on have 0.8."""


class Canvas:
    """A picture at the size of a network's input.

    Args:
        picture: (H, W) uint8, head up, square pixels.
        preset: Of the network.
        square: Lay a picture that is narrower than ``NARROW`` on a black square, unless that would be larger than any
            picture may be (``MAX_PIXELS``).
        share: The picture's share of the square's side: below 1 the square is larger, so bodies are shown smaller.

    Attributes:
        pixels: (3, h, w) float32 in 0..1.
        factors: (2,) by which px of the picture are multiplied to become px of ``pixels``.
    """

    def __init__(
        self, picture: np.ndarray, preset: Preset | CentrePreset, *, square: bool = False, share: float = 1.0
    ) -> None:
        height, width = picture.shape
        self._corner = np.zeros(2)
        side = round(max(height, width) / share)
        if square and (width < NARROW * height or share < 1) and side**2 <= MAX_PIXELS:
            above, left = (side - height) // 2, (side - width) // 2
            beyond = above, side - height - above, left, side - width - left
            picture = cv2.copyMakeBorder(picture, *beyond, cv2.BORDER_CONSTANT, value=0)
            self._corner = np.array([left, above], np.float64)
            height, width = side, side
        scale = network_scale(height, width, preset.short_px[-1], preset.long_px)
        small, self.factors = resize(picture, scale, preset.layout)
        self.pixels = to_channels(small, preset.local_contrast)

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) in px of ``pixels`` to px of the picture, float64."""
        return points.astype(np.float64) / self.factors - self._corner
