from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def thin_r50() -> Iterator[None]:
    """ResNet-50 with a quarter of the channels within its blocks: names and outputs are the same."""
    from torchvision.models.resnet import Bottleneck, ResNet

    def thin() -> ResNet:
        return ResNet(Bottleneck, [3, 4, 6, 3], width_per_group=16)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spinetk.keypoints.network.resnet50", thin)
        yield
