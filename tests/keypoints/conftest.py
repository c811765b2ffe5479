from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from looks import GREY, Stub

from spinetk.geometry import Frame
from spinetk.images import Picture
from spinetk.keypoints.reader import Predictor, Reader
from spinetk.overrides import Overrides


@pytest.fixture(scope="module")
def thin_r50() -> Iterator[None]:
    """ResNet-50 with a quarter of the channels within its blocks: names and outputs are the same."""
    from torchvision.models.resnet import Bottleneck, ResNet

    def thin() -> ResNet:
        return ResNet(Bottleneck, [3, 4, 6, 3], width_per_group=16)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spinetk.keypoints.network.resnet50", thin)
        yield


@pytest.fixture
def decide(monkeypatch):
    monkeypatch.setattr(Predictor, "load", Stub)

    def decide(sight, frame=None, said=None, **fields):
        picture = Picture(GREY.astype(np.float32), None, frame or Frame(), "png", **fields)
        return Reader(view_finder=lambda grey: sight).decider.decide(picture, GREY, "film.png", said or Overrides())

    return decide


@pytest.fixture
def settled(monkeypatch):
    """The reading of a silent file that looks like ``sight``, by a model that finds this in each position."""

    def settled(sight, found, frame=None, **fields):
        monkeypatch.setattr(Predictor, "load", Stub)
        monkeypatch.setattr(
            Stub, "read", lambda self, grey, *, file, frame, view: found[frame.exif_orientation], raising=False
        )
        picture = Picture(GREY.astype(np.float32), None, frame or Frame(), "png", **fields)
        return Reader(view_finder=lambda grey: sight).read_picture(picture, "film.png")[0]

    return settled
