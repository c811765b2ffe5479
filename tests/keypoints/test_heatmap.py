import math

import numpy as np
import pytest
import torch
from torchvision.models.detection.roi_heads import keypointrcnn_loss, keypoints_to_heatmap

from spinetk.keypoints.heatmap import decode, decode_tensors

BOXES = torch.tensor([[10.0, 20.0, 66.0, 132.0], [-3.5, 7.25, 24.5, 35.25]])


def points_in(boxes: torch.Tensor, kinds: int, seed: int = 0) -> torch.Tensor:
    share = torch.rand(len(boxes), kinds, 2, generator=torch.Generator().manual_seed(seed))
    points = boxes[:, None, :2] + share * (boxes[:, None, 2:] - boxes[:, None, :2])
    return torch.cat([points, torch.ones(len(boxes), kinds, 1)], -1)


def test_round_trip_within_half_a_cell():
    points = points_in(BOXES, 50)
    cells, valid = keypoints_to_heatmap(points, BOXES, 56)
    assert valid.all()
    logits = torch.full((2, 50, 56 * 56), -30.0).scatter(-1, cells[..., None], 30.0).view(2, 50, 56, 56)
    found, scores, _ = decode_tensors(logits, BOXES)
    cell = (BOXES[:, None, 2:] - BOXES[:, None, :2]) / 56
    assert ((found - points[..., :2]).abs() <= cell / 2 + 1e-4).all()
    assert (scores > 0.999).all()


def test_decoding_is_sub_cell():
    """A posterior split evenly between two cells has its mean on their common edge; arg-max alone cannot say so."""
    logits = torch.full((1, 1, 56, 56), -30.0)
    logits[0, 0, 10, 20] = logits[0, 0, 10, 21] = 5.0
    found, _, sigma = decode_tensors(logits, torch.tensor([[0.0, 0.0, 56.0, 56.0]]))
    assert found[0, 0].tolist() == pytest.approx([21.0, 10.5], abs=1e-4)
    variance_x, variance_y = 0.25 + 1 / 12, 1 / 12
    assert float(sigma[0, 0]) == pytest.approx(math.sqrt((variance_x + variance_y) / 2), abs=1e-4)


def test_uniform_logits_cost_ln_3136_per_point():
    points = points_in(BOXES, 6)
    loss = keypointrcnn_loss(torch.zeros(2, 6, 56, 56), [BOXES], [points], [torch.arange(2)])
    assert float(loss) == pytest.approx(math.log(3136), abs=1e-5)
    assert float(loss) == pytest.approx(8.0507, abs=1e-4)


def test_nothing_found_decodes_to_nothing():
    points, scores, sigma = decode(np.zeros((0, 6, 56, 56)), np.zeros((0, 4)))
    assert (points.shape, scores.shape, sigma.shape) == ((0, 6, 2), (0, 6), (0, 6))
