"""The layout of a batch: strides, by hand."""

import pytest
import torch

from spinetk.training.device import lay_out


@pytest.mark.parametrize(
    ("shape", "strides"),
    [
        ((2, 1, 4, 6), (24, 1, 6, 1)),
        ((2, 3, 4, 6), (72, 1, 18, 3)),
        ((1, 1, 2, 4, 6), (48, 1, 24, 6, 1)),
        ((2, 2, 2, 4, 6), (96, 1, 48, 12, 2)),
        ((4, 6), (6, 1)),
    ],
    ids=str,
)
def test_batch_is_laid_out_channels_last(shape, strides):
    values = torch.arange(torch.Size(shape).numel()).reshape(shape)
    found = lay_out(values)
    assert found.stride() == strides
    assert torch.equal(found, values)
    assert lay_out(found) is found
