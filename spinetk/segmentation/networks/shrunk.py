"""A convolution, batch norm and ReLU of which only a few pixels are looked at.

Bilinear shrinking without smoothing to 1 / f of the size, f even, gives each pixel the mean of the four pixels in the
middle of its f x f block. Batch norm needs the mean and the variance of the whole map; that, the convolution and the
gradient of both, is all that has to be done at full size.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def shrunk(unit: nn.Sequential, x: Tensor, size: tuple[int, int]) -> Tensor:
    """``unit`` (convolution, batch norm, ReLU) of ``x`` (N, C, H, W), shrunk bilinearly to ``size`` (h, w)."""
    convolution, norm, activation = unit
    factor = x.shape[2] // size[0]
    evenly = factor % 2 == 0 and (factor * size[0], factor * size[1]) == tuple(x.shape[2:])
    # Norms over several processes are of another type; what is exported is in evaluation mode.
    if not (evenly and norm.training and type(norm) is nn.BatchNorm2d and x.device.type == "cpu"):
        return F.interpolate(unit(x), size=size, mode="bilinear", align_corners=False)
    whole = convolution(x)
    seen, mean, variance = _Seen.apply(whole, factor)
    _count(norm, mean, variance, whole.numel() // whole.shape[1])
    scale = norm.weight * (variance + norm.eps).rsqrt()
    normed = seen.to(scale.dtype) * _by_channel(scale) + _by_channel(norm.bias - mean * scale)
    return F.avg_pool2d(activation(normed.to(whole.dtype)), 2)


def _by_channel(values: Tensor) -> Tensor:
    return values[:, None, None]


@torch.no_grad()
def _count(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, pixels: int) -> None:
    """Move the running statistics on, as batch norm does."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    assert norm.momentum is not None
    norm.num_batches_tracked.add_(1)
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), norm.momentum)
    norm.running_var.lerp_((variance * pixels / max(pixels - 1, 1)).to(norm.running_var.dtype), norm.momentum)


class _Seen(torch.autograd.Function):
    """The four middle pixels of every block, and mean and variance of all pixels by channel."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor, factor: int) -> tuple[Tensor, Tensor, Tensor]:
        mean, variance = torch.batch_norm_update_stats(whole, None, None, 0.0)
        seen = whole.new_empty((*whole.shape[:2], *(2 * side // factor for side in whole.shape[2:])))
        for corner in range(4):
            _corner(seen, 2, corner, 1).copy_(_corner(whole, factor, corner, factor // 2))
        ctx.factor = factor
        ctx.save_for_backward(whole, mean)
        return seen, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, seen: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, None]:
        whole, middle = ctx.saved_tensors
        pixels = whole.numel() // whole.shape[1]
        # One pass: batch norm with given statistics is a factor and a sum by channel.
        factor = 2 * variance / pixels
        shift = mean / pixels - factor * middle
        none, one = torch.zeros_like(middle), torch.ones_like(middle)
        slope = F.batch_norm(whole, none, one, factor, shift, training=False, eps=0.0)
        for corner in range(4):
            _corner(slope, ctx.factor, corner, ctx.factor // 2).add_(_corner(seen, 2, corner, 1))
        return slope, None


def _corner(x: Tensor, block: int, corner: int, middle: int) -> Tensor:
    """One of the four middle pixels of every block: (N, C, H, W) to a view (N, C, H / block, W / block)."""
    return x[:, :, middle - 1 + corner // 2 :: block, middle - 1 + corner % 2 :: block]
