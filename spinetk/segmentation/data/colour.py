"""Colour pictures and masks: PNG, JPEG, TIFF and BMP of 8 bits, and the PNG a mask is written to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.images.foreground import foreground
from spinetk.images.guard import REMEDY_COPY, check_size, display_name, regular_file, silent_stderr

FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
ORIENTATION = 274  # EXIF tag
JPEG_LEAST = 127
"""Values of a JPEG are not exact: what is brighter is marked."""


def read_both_ways(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) uint8 RGB of a picture as viewers show it, turned as its EXIF orientation says, and as it is stored.

    The same array where EXIF turns nothing. Grey and palette pictures are converted, transparency is ignored.

    Raises:
        InputError: No such file, another kind of file, damaged, or more than 8 bits a sample.
    """
    with _open(Path(path)) as picture:
        if picture.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"):
            raise InputError(display_name(Path(path)), "has more than 8 bits a sample", "convert it to 8 bits")
        stored = np.array(picture.convert("RGB"))
        if not is_turned(picture):
            return stored, stored
        return np.array(ImageOps.exif_transpose(picture).convert("RGB")), stored


def is_turned(picture: Image.Image) -> bool:
    """Whether EXIF says that a picture is to be turned or mirrored to be looked at."""
    return picture.getexif().get(ORIENTATION, 1) in range(2, 9)


def read_mask(path: str | Path) -> tuple[np.ndarray, str | None]:
    """(H, W) bool, and a remark where something was guessed.

    Marked is what is not black: not 0, of colours any that is not black, of a palette without black what is not its
    first entry. Shares of a pixel count from one half (:func:`spinetk.images.foreground.foreground`), the values of a
    JPEG, which are not exact, above 127. What is transparent is not marked, what is half transparent is as bright as
    on black; where all that can be seen is black, all of that is marked.

    Raises:
        InputError: No such file, another kind of file, damaged, or a JPEG too dark to tell.
    """
    with _open(Path(path)) as picture:
        upright = ImageOps.exif_transpose(picture) if is_turned(picture) else picture
        if picture.format == "JPEG":
            values = np.array(upright.convert("RGB")).max(-1)
            if 0 < values.max() <= JPEG_LEAST:
                fault = f"is a JPEG whose brightest value is {values.max()}: what it marks cannot be told"
                raise InputError(display_name(Path(path)), fault, "save the mask as PNG")
            return values > JPEG_LEAST, None
        if upright.mode in ("P", "PA", "LA", "RGBA"):
            return _by_colour(upright)
        values = np.array(upright.convert("RGB") if upright.mode in ("CMYK", "YCbCr") else upright)
    return foreground(values.max(-1) if values.ndim == 3 else values)


def _by_colour(picture: Image.Image) -> tuple[np.ndarray, str | None]:
    """What a mask with a palette or transparent parts marks."""
    values = np.array(picture.convert("RGBA"))
    colour, alpha = values[..., :3].max(-1), values[..., 3]
    if not alpha.any():  # transparency that hides everything says nothing
        alpha = np.full(alpha.shape, 255, np.uint8)
    # What is half transparent is seen: as on black, which marks nothing.
    found, remark = foreground(np.round(colour * (alpha / 255)).astype(np.uint8))
    if (alpha == 255).all():
        if picture.mode == "P" and found.all():
            return np.array(picture) != 0, None
        return found, remark
    if not found.any():
        seen = alpha > 127 if (alpha > 127).any() else alpha > 0
        return seen, "its black parts on transparent ground count as marked"
    if alpha.min() > 0:
        return found, remark or "its half transparent parts count as marked where they are not black"
    return found, remark or "its transparent parts do not count as marked"


def write_png(path: str | Path, values: np.ndarray) -> None:
    """Write (H, W, 3) RGB or (H, W) grey uint8, or a bool mask as 0 and 255, atomically."""
    content = values.astype(np.uint8) * 255 if values.dtype == bool else values
    with replacing(path) as temporary:
        Image.fromarray(np.ascontiguousarray(content)).save(temporary, format="PNG")


def _open(path: Path) -> Image.Image:
    status = regular_file(path)
    name = display_name(path)
    try:
        picture = Image.open(path, formats=FORMATS)
        check_size(path, *picture.size, 3, status.st_size)
        with silent_stderr():
            picture.load()
    except Image.DecompressionBombError as error:
        raise InputError(name, "claims an absurd number of pixels", REMEDY_COPY) from error
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(name, "is not a picture", "give PNG, JPEG, TIFF or BMP") from error
    except Exception as error:  # whatever damaged bytes do to a decoder
        raise InputError(name, f"is damaged ({type(error).__name__})", REMEDY_COPY) from error
    return picture
