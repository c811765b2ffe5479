from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from spinetk.keypoints.preset import FAST, Preset


@pytest.fixture(scope="session")
def tiny() -> Preset:
    """The fast preset on thumbnails, with thin heads."""
    heads = {"channels": 16, "point_layers": (8,), "box_units": 16, "box_samples": 16, "detections": 8}
    return replace(FAST, name="tiny", short_px=(64,), long_px=96, proposals=(30, 10), **heads)


@pytest.fixture(scope="module")
def thin_r50() -> Iterator[None]:
    """ResNet-50 with a quarter of the channels within its blocks: names and outputs are the same."""
    from torchvision.models.resnet import Bottleneck, ResNet

    def thin() -> ResNet:
        return ResNet(Bottleneck, [3, 4, 6, 3], width_per_group=16)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spinetk.keypoints.network.resnet50", thin)
        yield
