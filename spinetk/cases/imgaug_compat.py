"""imgaug 0.4 on NumPy 2: it reads ``np.sctypes``, which NumPy 2 took away, once while it is imported."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np

SCTYPES = {
    "int": [np.int8, np.int16, np.int32, np.int64],
    "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
    "float": [np.float16, np.float32, np.float64],
}


def load_imgaug() -> ModuleType:
    """Import imgaug; NumPy is left as it was found."""
    missing = "sctypes" not in vars(np)
    if missing:
        vars(np)["sctypes"] = SCTYPES
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import imgaug
            import imgaug.augmenters
    finally:
        if missing:
            del vars(np)["sctypes"]
    return imgaug
