from __future__ import annotations

from dataclasses import replace

import pytest

from spinetk.keypoints.preset import FAST, Preset


@pytest.fixture(scope="session")
def tiny() -> Preset:
    """The fast preset on thumbnails."""
    return replace(FAST, name="tiny", short_px=(64,), long_px=96, point_layers=(32,), box_units=32, proposals=(60, 30))
