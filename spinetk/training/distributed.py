"""Distributed training: what makes several processes learn what one would.

DDP averages the gradients of the processes, which equals the gradient of one process only where the loss is a mean
over samples. Losses over a whole batch (Dice, means over what is labelled) and batch norm need all of it:

- :func:`whole_batch` gathers the parts of a batch, so that each process computes the loss of all of it. Only the own
  part carries a gradient, so the average over W processes is 1 / W of the whole: the loss is multiplied by W.
- :func:`synchronise_norms` lets batch norms take their statistics over all processes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


def world() -> int:
    """Number of processes."""
    ready = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.get_world_size() if ready else 1


def whole_batch(*parts: Any) -> tuple[Any, ...]:
    """The parts of a batch that this process holds, joined with those of the others, and the factor of the loss.

    Args:
        *parts: Tensors (N, ...), None, or lists and (named) tuples of them.

    Returns:
        The parts with N samples of every process, in the order in which one process would see them, then the factor:
        the number of processes. Where the processes' sizes differ (pictures of several sizes) the parts are left as
        they are and the factor is 1: then the gradient is the mean of the processes' own.
    """
    count = world()
    if count == 1:
        return (*parts, 1)
    sides = [size for tensor in _tensors(parts) for size in tensor.shape]
    found: list[Any] = [None] * count
    torch.distributed.all_gather_object(found, sides)
    if any(other != sides for other in found):
        return (*parts, 1)
    return (*(_joined(part) for part in parts), count)


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [t for v in value for t in _tensors(v)] if isinstance(value, (list, tuple)) else []


def _joined(value: Any) -> Any:
    if isinstance(value, Tensor):
        own = value.contiguous()
        plain = own.detach().to(torch.uint8) if own.dtype == torch.bool else own.detach()
        found = [torch.empty_like(plain) for _ in range(world())]
        torch.distributed.all_gather(found, plain)
        found[torch.distributed.get_rank()] = own if own.dtype != torch.bool else plain
        return torch.cat(found).to(own.dtype)
    if isinstance(value, (list, tuple)):
        items = [_joined(v) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def shares(counts: Tensor) -> Tensor:
    """Factors for losses that are means over ``counts`` items here, so that their average over the processes is the
    mean over the items of all. (N,) to (N,) float64; ones for one process."""
    if world() == 1:
        return torch.ones_like(counts, dtype=torch.float64)
    total = counts.double().clone()
    torch.distributed.all_reduce(total)
    return world() * counts.double() / total.clamp(min=1)


def summed(*numbers: float) -> tuple[float, ...]:
    """Each number summed over the processes."""
    if world() == 1:
        return numbers
    total = torch.tensor(numbers, dtype=torch.float64)
    if torch.distributed.get_backend() != "gloo":
        total = total.cuda()
    torch.distributed.all_reduce(total)
    return tuple(total.tolist())


def synchronise_norms(network: nn.Module, on_gpu: bool) -> None:
    """Let every batch norm in training mode take its statistics over all processes.

    On a GPU that is PyTorch's ``SyncBatchNorm``, which has no CPU form. The modules keep their names, weights and type.
    """
    for module in network.modules():
        kind = type(module)
        if not isinstance(module, nn.modules.batchnorm._BatchNorm) or issubclass(kind, (_OnCpu, nn.SyncBatchNorm)):
            continue
        own = nn.SyncBatchNorm if on_gpu else _OnCpu
        module.__class__ = type(f"Synchronised{kind.__name__}", (own, kind), {})
        module.process_group = None  # type: ignore[assignment]


class _OnCpu(nn.modules.batchnorm._BatchNorm):
    def forward(self, x: Tensor) -> Tensor:
        if not self.training or world() == 1:
            return super().forward(x)
        values = x if x.dtype == torch.float64 else x.float()
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1] + [1] * (x.ndim - 2)
        count = values.new_tensor(float(x.numel() // x.shape[1]))
        torch.distributed.all_reduce(count)
        mean = all_reduce(values.sum(axes)) / count
        centred = values - mean.view(shape)
        variance = all_reduce(centred.square().sum(axes)) / count
        with torch.no_grad():
            assert self.num_batches_tracked is not None
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.momentum is not None
            self.num_batches_tracked.add_(1)
            unbiased = variance * count / (count - 1).clamp(min=1)
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        scaled = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            scaled = scaled * self.weight.view(shape) + self.bias.view(shape)
        return scaled.to(x.dtype)
