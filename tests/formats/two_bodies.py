"""Two bodies on a film, as the hand-written files of annotation programs say them, and what is to come out."""

from __future__ import annotations

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.registry import read
from spinetk.schema import VERTEBRA6

WIDTH, HEIGHT = 200, 400
NAMES = VERTEBRA6.keypoints
UPPER = dict(zip(NAMES, [(50, 80), (70, 79), (90, 81), (90, 52.5), (70, 53), (50, 50)], strict=True))
LOWER = {name: (x + 4, y + 60) for name, (x, y) in UPPER.items()}


def only(folder, name=None, schema=None):
    (item,) = read(folder, name, schema)
    assert not isinstance(item, InputError), str(item)
    assert item.missing is None
    return item


def check(item, levels=("L3", "L4"), schema=VERTEBRA6):
    assert item.schema == schema
    assert [v.label for v in item.vertebrae] == list(levels)
    for vertebra, wanted in zip(item.vertebrae, (UPPER, LOWER), strict=True):
        np.testing.assert_allclose(vertebra.points, [wanted[name] for name in schema.keypoints], atol=0.01)
