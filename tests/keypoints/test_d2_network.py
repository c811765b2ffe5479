"""Geometry as Detectron2 has it, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models.detection.image_list import ImageList

from spinetk.keypoints.card import from_config
from spinetk.keypoints.d2.network import AlignedPool, Detectron2RCNN, ExactAnchors
from spinetk.keypoints.pictures import resize
from spinetk.keypoints.preset import R50_DETECTRON2
from spinetk.keypoints.registry import build
from spinetk.schema import VERTEBRA6


def ramp(stride: int, height: int, width: int) -> torch.Tensor:
    """A map whose cell at column c holds the x, in px of the picture, of the cell's centre."""
    return ((torch.arange(width // stride) + 0.5) * stride).expand(1, 1, height // stride, -1).clone()


def test_pooled_cells_hold_what_lies_at_their_centres():
    """A linear ramp is averaged exactly, so a pooled cell must hold the x of its own centre: no half-pixel shift."""
    maps = {str(i): ramp(4 << i, 512, 512) for i in range(5)}
    box = torch.tensor([[101.0, 90.0, 157.0, 146.0]])
    pooled = AlignedPool(4, 7)(maps, [box], [(512, 512)])
    expected = 101 + (torch.arange(7) + 0.5) * 8
    torch.testing.assert_close(pooled[0, 0], expected.expand(7, 7), rtol=0, atol=1e-3)


@pytest.mark.parametrize(("side", "level"), [(10, 0), (111, 0), (113, 1), (223, 1), (225, 2), (449, 3), (1200, 3)])
def test_a_region_is_read_from_the_level_of_its_size(side, level):
    maps = {str(i): torch.full((1, 1, 512 >> i, 512 >> i), float(i)) for i in range(5)}
    pooled = AlignedPool(4, 7)(maps, [torch.tensor([[0.0, 0.0, side, side]])], [(2048, 2048)])
    assert pooled.unique().tolist() == [level]


def test_regions_of_two_pictures_stay_with_them():
    maps = {str(i): torch.stack([torch.zeros(1, 64, 64), torch.ones(1, 64, 64)]) for i in range(4)}
    box = torch.tensor([[8.0, 8.0, 60.0, 60.0]])
    pooled = AlignedPool(4, 7)(maps, [box, box.repeat(2, 1)], [(256, 256)] * 2)
    assert pooled.mean((1, 2, 3)).tolist() == [0, 1, 1]


def test_anchors_are_not_rounded_and_keep_their_stride():
    """A padded side of 1312 px gives 21 cells of the coarsest map, which are 64 px apart and not 1312 // 21 = 62."""
    generator = ExactAnchors(((32,), (64,), (128,), (256,), (512,)), ((0.5, 1.0, 2.0),) * 5)
    sides = [328, 164, 82, 41, 21]
    maps = [torch.zeros(1, 1, side, 2) for side in sides]
    (anchors,) = generator(ImageList(torch.zeros(1, 3, 1312, 64), [(1312, 64)]), maps)
    assert anchors.shape == (sum(sides) * 2 * 3, 4)
    wide, square, tall = anchors[:3]
    half = 32 / 2**0.5
    torch.testing.assert_close(wide, torch.tensor([-half, -half / 2, half, half / 2]))
    torch.testing.assert_close(square, torch.tensor([-16.0, -16.0, 16.0, 16.0]))
    torch.testing.assert_close(tall, torch.tensor([-half / 2, -half, half / 2, half]))
    centres = (anchors[:, 1::2]).mean(1)
    assert centres[-1] == 20 * 64
    assert centres[sides[0] * 6 - 1] == 327 * 4


def test_the_stage_halves_in_its_first_convolution():
    network = build("r50-detectron2", VERTEBRA6)
    assert isinstance(network, Detectron2RCNN)
    body = network.rcnn.backbone.body
    for stage, step in (("layer1", 1), ("layer2", 2), ("layer3", 2), ("layer4", 2)):
        assert (body[stage][0].conv1.stride, body[stage][0].conv2.stride) == ((step, step), (1, 1))


def test_a_point_is_the_highest_pixel_of_the_enlarged_map():
    """One hot cell of 56 x 56 in a box of 112.5 x 56 px: enlarged to 113 x 56 px, of 112.5 / 113 px each."""
    maps = torch.zeros(1, 2, 56, 56)
    maps[0, 0, 20, 30] = maps[0, 1, 0, 0] = 50.0
    boxes = torch.tensor([[10.0, 20.0, 122.5, 76.0]])
    points, scores, sigma = Detectron2RCNN.decode(None, maps, boxes)
    assert points.shape == (1, 2, 2)
    assert scores.shape == sigma.shape == (1, 2)
    x = (points[0, 0, 0].item() - 10) * 113 / 112.5 - 0.5
    assert x == pytest.approx(round(x), abs=1e-3)
    assert abs(points[0, 0, 0].item() - (10 + 30.5 / 56 * 112.5)) <= 1
    assert points[0, 0, 1].item() == pytest.approx(40.5)
    assert points[0, 1].tolist() == pytest.approx([10 + 0.5 * 112.5 / 113, 20.5])
    assert Detectron2RCNN.decode(None, maps[:0], boxes[:0])[0].shape == (0, 2, 2)


def test_pictures_are_resized_by_pillow_and_halves_rounded_up():
    picture = np.random.default_rng(0).integers(0, 256, (101, 31), dtype=np.uint8)
    small, factors = resize(picture, 0.5, "detectron2")
    assert small.shape == (51, 16)
    np.testing.assert_array_equal(small, np.asarray(Image.fromarray(picture).resize((16, 51), Image.BILINEAR)))
    np.testing.assert_allclose(factors, (16 / 31, 51 / 101))


def test_its_settings_survive_a_card():
    network = build(replace(R50_DETECTRON2, channels=16, box_units=32, point_layers=(16,)), VERTEBRA6)
    again = from_config(network.config())
    assert type(again) is Detectron2RCNN
    assert again.preset == network.preset
