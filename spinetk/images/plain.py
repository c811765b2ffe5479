"""PNG, JPEG and TIFF: 8 and 16 bit, grey, colour, palette, alpha."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images.guard import REMEDY_COPY, check_size, display_name, silent_stderr
from spinetk.images.picture import Picture

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601 weights of red, green and blue."""

MAX_CHUNKS = 200_000
"""Most chunks of a PNG; writers use chunks of 8 kB and more."""

# Tag 258 BitsPerSample, 262 PhotometricInterpretation (TIFF 6.0).
TIFF_BITS, TIFF_PHOTOMETRIC, WHITE_IS_ZERO = 258, 262, 0


def read_plain(path: Path, kind: str, user_frame: Frame | None) -> Picture:
    """Read a PNG, JPEG or TIFF. Its resolution tags say how to print it, not how large the patient is: no spacing.

    Raises:
        InputError: It is damaged, or its header claims too much.
    """
    remarks: list[str] = []
    header = open_header(path, kind)
    with header:
        width, height = header.size
        check_size(path, width, height, 8, path.stat().st_size)
        if kind == "png":
            _check_chunks(path)
        frames = getattr(header, "n_frames", 1) if kind == "tiff" else 1
        if frames > 1:
            remarks.append(f"the first of {frames} pages was read")
        inverted = kind == "tiff" and header.tag_v2.get(TIFF_PHOTOMETRIC) == WHITE_IS_ZERO
        with silent_stderr():
            values = _decode(path, header, kind)
        if inverted and values.dtype == np.uint16:
            values = 65535 - values  # Pillow turns over white-is-zero of up to 8 bits only.
    padding = None
    if values.ndim == 3 and values.shape[2] in (2, 4):
        alpha = values[..., -1]
        if (alpha == 0).any() and not (alpha == 0).all():
            padding = alpha == 0
            remarks.append("transparent pixels were left out")
        values = values[..., :-1]
    pixels = to_grey(values, remarks)
    if inverted:
        remarks.append("white-is-zero grey scale was inverted")
    return Picture(
        pixels=pixels,
        padding=padding,
        frame=user_frame or Frame(),
        kind=kind,
        remarks=tuple(remarks),
        inverted=bool(inverted),
    )


def open_header(path: Path, kind: str) -> Image.Image:
    """Open without decoding.

    Raises:
        InputError: The header is damaged or the size absurd.
    """
    try:
        return Image.open(path, formats=[kind.upper()])
    except Image.DecompressionBombError as error:
        raise InputError(display_name(path), "claims an absurd number of pixels", REMEDY_COPY) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(display_name(path), f"is no readable {kind.upper()} file", REMEDY_COPY) from error


def _check_chunks(path: Path) -> None:
    """Refuse a PNG with a chunk longer than the file: libpng would set memory aside for it."""
    size = path.stat().st_size
    at = 8
    with open(path, "rb") as stream:
        for _ in range(MAX_CHUNKS):
            stream.seek(at)
            start = stream.read(8)
            if start[4:] == b"IEND":
                return
            if len(start) < 8:
                break
            at += 12 + int.from_bytes(start[:4], "big")
            if at > size:
                break
    raise InputError(display_name(path), "is cut short or damaged", REMEDY_COPY)


def to_grey(values: np.ndarray, remarks: list[str]) -> np.ndarray:
    """(H, W) or (H, W, 1 | 3) values as (H, W) float32; colour becomes luminance, with a remark."""
    if values.ndim == 3 and (values[..., :1] == values).all():  # grey in three channels is grey
        values = values[..., 0]
    if values.ndim == 2:
        return np.ascontiguousarray(values, dtype=np.float32)
    remarks.append("colour was reduced to luminance")
    return values.astype(np.float32) @ LUMINANCE


def _decode(path: Path, header: Image.Image, kind: str) -> np.ndarray:
    """Stored samples, (H, W) or (H, W, C) with colours in the order RGB(A)."""
    if _is_deep_colour(path, header, kind):
        return _decode_deep_colour(path, header)
    if header.mode in ("P", "PA"):
        header = header.convert("RGBA" if "transparency" in header.info or header.mode == "PA" else "RGB")
    elif header.mode not in ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F", "RGB", "RGBA"):
        header = header.convert("RGB")
    values = np.asarray(header)
    return values.astype(np.uint8) * 255 if values.dtype == bool else values


def _is_deep_colour(path: Path, header: Image.Image, kind: str) -> bool:
    """Whether there is more than one sample of 16 bits a pixel, which Pillow would cut to 8 bits."""
    if kind == "png":
        with open(path, "rb") as stream:
            depth, colour = stream.read(26)[24:26]
        return depth == 16 and colour != 0
    bits = header.tag_v2.get(TIFF_BITS, (1,)) if kind == "tiff" else (8,)
    return len(bits) > 1 and max(bits) > 8


def _decode_deep_colour(path: Path, header: Image.Image) -> np.ndarray:
    import cv2

    size = header.size
    header.load()  # Pillow refuses truncated data; OpenCV would return what it has.
    values = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.shape[:2] != size[::-1]:
        raise InputError(display_name(path), "is damaged", REMEDY_COPY)
    if values.ndim == 3 and values.shape[2] >= 3:
        values = values[..., [2, 1, 0, *range(3, values.shape[2])]]
    return values
