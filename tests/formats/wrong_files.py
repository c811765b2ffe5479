"""What tests of wrong files share: a body, a film, and the one refusal that a reader ends with."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from spinetk.errors import InputError
from spinetk.formats.registry import read
from spinetk.reading import Vertebra

BODY = np.array([[2, 8], [5, 8], [8, 8], [8, 2], [5, 2], [2, 2.0]])


def refused(source, name=None, schema=None) -> InputError:
    """The one refusal that a reader ends with, or hands over in place of a picture."""
    try:
        (found,) = read(source, name, schema)
        assert not isinstance(found, InputError) or found.source
        if not isinstance(found, InputError):
            found.reading()
    except InputError as error:
        return error
    assert isinstance(found, InputError)
    return found


def body(**fields) -> Vertebra:
    return Vertebra.from_points(BODY, **fields)


def film(path: Path, height: int = 10, width: int = 9, channels: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (height, width) if channels is None else (height, width, channels)
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8))
    return path
