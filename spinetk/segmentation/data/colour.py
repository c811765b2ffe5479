"""Colour pictures and masks: PNG, JPEG, TIFF and BMP of 8 bits, and the PNG a mask is written to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.images.guard import REMEDY_COPY, check_size, display_name, regular_file, silent_stderr

FORMATS = ("PNG", "JPEG", "TIFF", "BMP")


def read_colour(path: str | Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB; grey and palette pictures are converted, transparency is ignored.

    Raises:
        InputError: No such file, another kind of file, damaged, or more than 8 bits a sample.
    """
    with _open(Path(path)) as picture:
        if picture.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"):
            raise InputError(display_name(Path(path)), "has more than 8 bits a sample", "convert it to 8 bits")
        return np.array(picture.convert("RGB"))


def read_mask(path: str | Path) -> np.ndarray:
    """(H, W) bool, True where any sample is not 0. In a JPEG, whose values are not exact: where one is above 127.

    Raises:
        InputError: No such file, another kind of file, or damaged.
    """
    with _open(Path(path)) as picture:
        lossy = picture.format == "JPEG"
        opaque = picture.convert("RGB") if picture.mode in ("RGBA", "PA", "CMYK", "YCbCr") else picture
        values = np.array(opaque.getchannel("L") if picture.mode == "LA" else opaque)
    on = values > (127 if lossy else 0)
    return np.asarray(on.any(-1)) if on.ndim == 3 else on


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
