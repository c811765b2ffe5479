"""Everything that a format writes or reads, as plain content to be compared as a whole with what was worked by hand."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import cv2
import numpy as np

from spinetk.facing import Facing
from spinetk.formats.item import CaseItem
from spinetk.formats.registry import format_named, formats
from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.reading import Reading, Vertebra
from spinetk.ruler import Ruler
from spinetk.schema import SCHEMAS, VERTEBRA4, KeypointSchema

WIDTH, HEIGHT = 128, 256
NAMES = ["top_left", "top_right", "bottom_left", "bottom_right"]
UPPER = [[16, 32], [48, 33], [16, 64], [48, 66]]  # top left, top right, bottom left, bottom right
LOWER = [[20, 80], [52, 81], [20, 112], [52, 114]]


def bodies() -> list[Vertebra]:
    """A named one with a score, and one of another name, without a score, with an unseen corner; boxes of their own."""
    upper = Vertebra(np.array(UPPER, float), np.ones(4, bool), (15, 31, 50, 67), "L1", 0.75)
    lower = Vertebra(np.array(LOWER, float), np.array([1, 0, 1, 1], bool), (19, 79, 53, 115), "hook")
    return [upper, lower]


def rich(file: str, **changes: Any) -> Reading:
    """A reading of which every field says something."""
    told = Reading(
        file,
        HEIGHT,
        WIDTH,
        VERTEBRA4,
        bodies(),
        Frame((0.5, 0.25), "PixelSpacing", "P", "F", None, 3),
        "sagittal",
        "net 1",
        {"cobb_max": 12.5},
        ["a remark"],
        {"clavicle_left": np.array([[8.0, 4], [24, 6]])},
        [
            Landmark("s1", np.array([[20.0, 200], [56, 212]])),
            Landmark("femoral_head", np.array([[30.0, 240]]), 9.5, 0.625, 1.25),
        ],
        [Ruler("length", np.array([[1.0, 2], [4, 6]]))],
        3,
        "7",
        0.5,
        0.875,
        Facing("left", "sacrum", 0.96875),
        "made for films",
        {"height": 1.5},
        "0a" * 32,
    )
    for name, value in changes.items():
        setattr(told, name, value)
    return told


def plain(value: Any) -> Any:
    """Dataclasses as the fields that are not at their defaults, arrays as lists of the numbers to 1/1024 px."""
    if isinstance(value, Vertebra):
        assert value.points.dtype == np.float64
        assert value.visible.dtype == bool
        assert all(type(v) is float for v in value.bbox) or isinstance(value.bbox, tuple)
    if isinstance(value, np.ndarray):
        return (np.round(value * 1024) / 1024).tolist() if value.dtype.kind == "f" else value.astype(int).tolist()
    if isinstance(value, CaseItem | Reading | Vertebra | Landmark | Ruler):
        found = {}
        for own in fields(value):
            default = own.default if own.default_factory is MISSING else own.default_factory()
            got = getattr(value, own.name)
            if isinstance(got, np.ndarray) or type(got) is not type(default) or got != default:
                found[own.name] = plain(got)
        return found
    if isinstance(value, KeypointSchema):
        return value.name if SCHEMAS.get(value.name) == value else list(value.keypoints)
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return str(value) if isinstance(value, Exception) else value


def written(name, path, readings, chosen=None):
    assert formats()[name].write(path, readings, chosen=chosen)[0] == path
    return path


def small(file="somewhere/größe.png") -> Reading:
    """A body without a name in a smaller picture of which nothing else is known."""
    body = Vertebra(np.array([[4.0, 4], [12, 4], [4, 12], [12, 12]]), np.ones(4, bool), (4.0, 4.0, 12.0, 12.0))
    return Reading(file, 32, 16, VERTEBRA4, [body])


def items(name, source, schema=None):
    return [plain(item) for item in format_named(name).read(source, schema)]


def save(path, height=HEIGHT, width=WIDTH):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.arange(height * width, dtype=np.uint32).reshape(height, width).astype(np.uint8))
    return path


def told(points, seen=(1, 1, 1, 1), box=None, **fields):
    """A vertebra as it is to come out; without a box the tight one of the visible points."""
    places = np.array([place for place, on in zip(points, seen, strict=True) if on], float)
    box = [*places.min(axis=0).tolist(), *places.max(axis=0).tolist()] if box is None else box
    return {"points": points, "visible": list(seen), "bbox": box} | fields


def six(corners, between=False):
    """(points, seen) of vertebra6 from corners; the middles, unseen, stand where the others have their middle."""
    (a, b, c, d), middle = corners, np.mean(corners, axis=0).tolist()
    top, bottom = (np.mean([a, b], axis=0).tolist(), np.mean([c, d], axis=0).tolist()) if between else (middle, middle)
    return [c, bottom, d, b, top, a], (1, 0, 1, 1, 0, 1)


def flat(points, seen=(2, 2, 2, 2), shift=0.5):
    return [v for (x, y), s in zip(points, seen, strict=True) for v in (x - shift, y - shift, s)]
