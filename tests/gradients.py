"""What a training relies on, without training: a loss falls along its gradient as fast as the gradient says."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def assert_falls_along_its_gradient(loss: Callable[[], Tensor], parameters: Iterable[Tensor]) -> None:
    """Every parameter has a gradient, and a short step against all of them lowers the loss as much as foretold.

    Compares (L(p - h g) - L(p)) / h with -|g|^2. In double precision, with a step that no kink of a ReLU is likely to
    lie within, the two agree to parts in a thousand whatever the weights are: nothing hangs on luck.

    Args:
        loss: The same value at every call for the same parameters (dropout off, noise seeded anew).
        parameters: float64 leaves that the loss depends on.
    """
    parameters = list(parameters)
    before = loss()
    gradients = torch.autograd.grad(before, parameters, allow_unused=True)
    assert all(g is not None and g.any() for g in gradients), "a parameter that the loss does not move"
    square = sum(float((g * g).sum()) for g in gradients)
    step = 1e-6 * float(before.detach()) / square
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= step * gradient
    fallen = float(before.detach() - loss().detach())
    torch.testing.assert_close(fallen, step * square, rtol=0.02, atol=0.0)
