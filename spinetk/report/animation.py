"""Animation: pictures of a run as a GIF."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from spinetk.atomic import replacing
from spinetk.errors import InputError


def write_gif(path: str | Path, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write frames as an endlessly repeating GIF, atomically.

    Args:
        path: The file to write.
        frames: (H, W) grey or (H, W, 3) RGB uint8 arrays of one size. Equal neighbours become one frame that is
            shown as long as both.
        fps: Frames a second; GIF keeps time in steps of 10 ms, and viewers show nothing faster than 50.

    Raises:
        InputError: There is no frame, frames differ in size, are not 8-bit, or ``fps`` is not between 0.01 and 50.
    """
    from PIL import Image

    if not 0.01 <= fps <= 50:
        raise InputError("animation", f"{fps} frames a second cannot be shown", "give a number from 0.01 to 50")
    pictures: list[Image.Image] = []
    for number, frame in enumerate(frames):
        frame = np.asarray(frame)
        if frame.dtype != np.uint8 or not (frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 3)):
            raise InputError(f"frame {number}", f"is {frame.dtype} {frame.shape}", "give 8-bit grey or RGB frames")
        picture = Image.fromarray(frame).convert("RGB")
        if pictures and picture.size != pictures[0].size:
            first, other = (f"{p.width} x {p.height}" for p in (pictures[0], picture))
            raise InputError(f"frame {number}", f"is {other} px, the first {first}", "give frames of one size")
        # Without dithering still parts stay still.
        pictures.append(picture.quantize(256, dither=Image.Dither.NONE))
    if not pictures:
        raise InputError("animation", "has no frames", "give at least one")
    with replacing(path) as temporary:
        duration_ms = round(100 / fps) * 10
        pictures[0].save(
            temporary, "GIF", save_all=True, append_images=pictures[1:], duration=duration_ms, loop=0, optimize=False
        )
