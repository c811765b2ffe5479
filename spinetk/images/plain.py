"""PNG, JPEG, TIFF and BMP: 8 and 16 bit, grey, colour, palette, alpha."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from spinetk.errors import InputError
from spinetk.geometry import TURNS, Frame, turn
from spinetk.images.digest import of_jpeg
from spinetk.images.guard import REMEDY_COPY, check_size, display_name, silent_stderr
from spinetk.images.kind import PLAIN, sniff
from spinetk.images.picture import Picture

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601 weights of red, green and blue."""

MAX_CHUNKS = 200_000
"""Most chunks of a PNG; writers use chunks of 8 kB and more."""

# Tag 258 BitsPerSample, 262 PhotometricInterpretation, 274 Orientation, 284 PlanarConfiguration (TIFF 6.0; EXIF has
# taken over the orientation).
TIFF_BITS, TIFF_PHOTOMETRIC, WHITE_IS_ZERO = 258, 262, 0
TIFF_PLANES, SEPARATE = 284, 2
TIFF_SAMPLE_FORMAT, UNSIGNED, SIGNED = 339, 1, 2
ORIENTATION = 274


def read_plain(path: Path, kind: str, user_frame: Frame | None) -> Picture:
    """Read a PNG, JPEG, TIFF or BMP. Its resolution tags say how to print it, not how large the patient is: no spacing.

    Raises:
        InputError: It is damaged, or its header claims too much.
    """
    remarks: list[str] = []
    header = open_header(path, kind)
    with header:
        width, height = header.size
        check_size(path, width, height, 8, path.stat().st_size)
        if kind == "png" and not _chunks(path):
            raise InputError(display_name(path), "is cut short or damaged", REMEDY_COPY)
        frame = frame_of(path, header, kind, user_frame, remarks)
        frames = getattr(header, "n_frames", 1) if kind in ("tiff", "png") else 1
        if frames > 1:
            remarks.append(f"the first of {frames} {'pages' if kind == 'tiff' else 'frames'} was read")
        inverted = kind == "tiff" and _tag(header, TIFF_PHOTOMETRIC, None) == WHITE_IS_ZERO
        with silent_stderr():
            values = _decode(path, header, kind, frame.exif_orientation)
        if kind == "tiff":
            values = _as_signed(header, values)
        if inverted and values.dtype == np.uint16:
            values = 65535 - values  # Pillow turns over white-is-zero of up to 8 bits only.
        elif inverted and values.dtype.itemsize > 1 and np.isfinite(values).any():
            shown = values[np.isfinite(values)].astype(np.float64)
            values = shown.min() + shown.max() - values
    padding = None
    if values.ndim == 3 and values.shape[2] in (2, 4):
        alpha = values[..., -1]
        if (alpha == 0).any() and not (alpha == 0).all():
            padding = alpha == 0
            remarks.append("transparent pixels were left out")
        values = values[..., :-1]
    pixels = to_grey(values, remarks)
    finite = np.isfinite(pixels)
    if not finite.any():
        raise InputError(display_name(path), "holds no pixel that is a number", REMEDY_COPY)
    if not finite.all():
        padding = ~finite if padding is None else padding | ~finite
        pixels = np.where(finite, pixels, np.float32(0))
        remarks.append("pixels that are not finite were left out")
    if inverted:
        remarks.append("white-is-zero grey scale was inverted")
    return Picture(
        pixels=pixels,
        padding=padding,
        frame=frame,
        kind=kind,
        remarks=tuple(remarks),
        inverted=bool(inverted),
        stored_sha256=of_jpeg(path) if kind == "jpeg" else None,
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
        raise InputError(display_name(path), f"is not a readable {kind.upper()} file", REMEDY_COPY) from error


def exif_orientation(path: Path) -> int:
    """How a file says that its picture is to be turned, 1 to 8; 1 where it says nothing or is none of these kinds.

    Raises:
        InputError: It cannot be read.
    """
    kind = sniff(path)
    if kind not in PLAIN:
        return 1
    with open_header(path, kind) as header:
        return _orientation(path, header, kind, [])


def frame_of(path: Path, header: Image.Image, kind: str, user_frame: Frame | None, remarks: list[str]) -> Frame:
    """How the picture is to be turned (EXIF), and the shape of its pixels where the resolutions across and down differ.

    Resolutions say how to print a picture, not how large the patient is; but their ratio is that of its pixels.
    """
    orientation = _orientation(path, header, kind, remarks)
    if user_frame is not None:
        return replace(user_frame, exif_orientation=orientation)
    info = header.info
    across, down = next((info[k] for k in ("jfif_density", "aspect", "dpi", "resolution") if k in info), (1, 1))
    aspect = None
    if across != down:
        try:
            aspect = Frame(pixel_aspect=float(across) / float(down)).pixel_aspect
        except (InputError, ArithmeticError, TypeError, ValueError):
            remarks.append("resolutions across and down are not plausible and were ignored")
    return Frame(pixel_aspect=aspect, exif_orientation=orientation)


def _orientation(path: Path, header: Image.Image, kind: str, remarks: list[str]) -> int:
    if kind == "png" and b"eXIf" not in _chunks(path):
        value = Image.Image.getexif(header).get(ORIENTATION)  # PngImageFile's own decodes all in search of the chunk
    else:
        value = header.getexif().get(ORIENTATION)
    if value is not None and value not in TURNS:
        remarks.append(f"EXIF orientation {value if isinstance(value, int) else '?'} is none of 1 to 8 and was ignored")
    return value if value in TURNS else 1


def _chunks(path: Path) -> set[bytes]:
    """Kinds of a PNG's chunks; none when one is longer than the file: libpng would set memory aside for it."""
    size = path.stat().st_size
    at = 8
    found: set[bytes] = set()
    with open(path, "rb") as stream:
        for _ in range(MAX_CHUNKS):
            stream.seek(at)
            start = stream.read(8)
            if start[4:] == b"IEND":
                return found | {b"IEND"}
            if len(start) < 8:
                break
            found.add(start[4:])
            at += 12 + int.from_bytes(start[:4], "big")
            if at > size:
                break
    return set()


def to_grey(values: np.ndarray, remarks: list[str]) -> np.ndarray:
    """(H, W) or (H, W, 1 | 3) values as (H, W) float32; colour becomes luminance, with a remark."""
    if values.ndim == 3 and (values[..., :1] == values).all():  # grey in three channels is grey
        values = values[..., 0]
    if values.ndim == 2:
        return np.ascontiguousarray(values, dtype=np.float32)
    remarks.append("colour was reduced to luminance")
    return values.astype(np.float32) @ LUMINANCE


def stored_size(header: Image.Image, kind: str, orientation: int) -> tuple[int, int]:
    """(H, W) as stored: of a TIFF, Pillow gives the size after turning."""
    return header.size if kind == "tiff" and orientation >= 5 else header.size[::-1]


def _decode(path: Path, header: Image.Image, kind: str, orientation: int) -> np.ndarray:
    """Samples as stored, (H, W) or (H, W, C) with colours in the order RGB(A)."""
    if _is_deep_colour(path, header, kind):
        values = _decode_deep_colour(path, header)
    else:
        if kind == "tiff" and orientation >= 5:
            # From a named file Pillow 13 maps uncompressed rows at the length of the turned ones.
            header = Image.open(io.BytesIO(path.read_bytes()), formats=["TIFF"])
        if header.mode in ("P", "PA"):
            header = header.convert("RGBA" if "transparency" in header.info or header.mode == "PA" else "RGB")
        elif header.mode not in ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F", "RGB", "RGBA"):
            header = header.convert("RGB")
        values = np.asarray(header)
    if kind == "tiff":
        # Pillow and OpenCV turn TIFFs, and only these, as they are decoded.
        values = turn(values, {6: 8, 8: 6}.get(orientation, orientation))
    return values.astype(np.uint8) * 255 if values.dtype == bool else values


def _is_deep_colour(path: Path, header: Image.Image, kind: str) -> bool:
    """Whether there is more than one sample of 16 bits a pixel, which Pillow would cut to 8 bits."""
    if kind == "png":
        with open(path, "rb") as stream:
            depth, colour = stream.read(26)[24:26]
        return depth == 16 and colour != 0
    bits = _tag(header, TIFF_BITS, (1,)) if kind == "tiff" else (8,)
    deep = len(bits) > 1 and max(bits) > 8
    if deep and _tag(header, TIFF_PLANES, 1) == SEPARATE:  # OpenCV takes the planes for interleaved samples
        remedy = "save it with interleaved channels, or each as a grey picture"
        raise InputError(
            display_name(path), f"stores {len(bits)} channels of {max(bits)} bits one after the other", remedy
        )
    return deep


def _tag(header: Any, number: int, default: Any) -> Any:
    """A tag of a TIFF."""
    return header.tag_v2.get(number, default)


def _as_signed(header: Any, values: np.ndarray) -> np.ndarray:
    """Grey samples with the sign the file gives them: Pillow takes 8 bits for unsigned and 32 for signed."""
    bits, form = (_tag(header, number, (1,))[0] for number in (TIFF_BITS, TIFF_SAMPLE_FORMAT))
    if values.dtype == np.uint8 and (bits, form) == (8, SIGNED):
        return values.view(np.int8)
    return values.view(np.uint32) if values.dtype == np.int32 and (bits, form) == (32, UNSIGNED) else values


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
