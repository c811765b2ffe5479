from __future__ import annotations

from dataclasses import replace

import pytest

from spinetk.keypoints.preset import FAST, Preset


@pytest.fixture(scope="session")
def tiny() -> Preset:
    """The fast preset on thumbnails, with thin heads."""
    heads = {"channels": 16, "point_layers": (8,), "box_units": 16, "box_samples": 16, "detections": 8}
    return replace(FAST, name="tiny", short_px=(64,), long_px=96, proposals=(30, 10), **heads)
