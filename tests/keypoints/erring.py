"""Patients whose points err by known shares of what the network says of them."""

from __future__ import annotations

import numpy as np

from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

BODY = np.array([[0, 30], [20, 30], [40, 30], [40, 0], [20, 0], [0, 0]], float)  # as VERTEBRA6 names its points
SCALE = np.array([0.3, 0.5, 0.7, 0.4, 0.6, 0.8])


def patients(count: int, *, seed: int = 0, blur: float = 4.0, bodies: int = 5):
    """(patient, prediction, truth): points err by SCALE of what the network says, which differs from body to body."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        true, own = [], []
        for k in range(bodies):
            points = BODY + (100, 40 * k + 10) + random.normal(0, 1.5, (6, 2))
            said = blur * random.uniform(0.5, 1.5, 6)
            true.append(Vertebra.from_points(points))
            moved = points + random.normal(0, 1, (6, 2)) * (SCALE * said)[:, None]
            own.append(Vertebra.from_points(moved, point_sigma_px=said))
        size = {"height": 40 * bodies + 40, "width": 240, "schema": VERTEBRA6}
        found.append((f"p{number}", Reading("a", vertebrae=own, **size), Reading("a", vertebrae=true, **size)))
    return found
