"""Filling: weights put into the network that they are of, without drawing random ones first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from spinetk.errors import InputError
from spinetk.zoo import Weights

if TYPE_CHECKING:
    from torch import nn

N = TypeVar("N", bound="nn.Module")
DRAWS = ("normal_", "uniform_", "random_", "bernoulli_", "exponential_", "log_normal_", "cauchy_", "geometric_")


def fill(make: Callable[[], N], weights: Weights, source: str | Path) -> N:
    """The network that ``make`` gives, with weights that are its own (:func:`compare`).

    No random weights are drawn before. That takes most of the time, and all threads of a process draw from one
    generator: a network opened by a page beside a training would change what the training draws.
    """
    compare(make, weights, source)
    with undrawn():
        network = make()
    network.load_state_dict(weights)
    return network


def undrawn() -> AbstractContextManager[Any]:
    """Within it, what this thread builds is left as it is allocated where random numbers would be drawn: for networks
    whose weights all come from a file.
    """
    from torch import Tensor
    from torch.overrides import TorchFunctionMode

    draws = {getattr(Tensor, name) for name in DRAWS}

    class Undrawn(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            own = kwargs or {}
            # Those of `torch.nn.init` that do not come by here draw by a tensor's own method.
            start = getattr(function, "__module__", None) == "torch.nn.init" and function.__name__ != "constant_"
            if start or function in draws:
                return own["tensor"] if "tensor" in own else args[0]
            return function(*args, **own)

    return Undrawn()


def compare(make: Callable[[], nn.Module], weights: Weights, source: str | Path) -> None:
    """See that weights are a network's own: the same names and shapes, and finite numbers.

    Names and shapes are compared before anything is allocated, on PyTorch's ``meta`` device, where a network of any
    size takes no memory.

    Args:
        make: Builds the network.
        weights: As :func:`load` gives them.
        source: The model, named in the error.

    Raises:
        InputError: The weights are of another network, or not all numbers are finite.
    """
    import torch

    again = "train or release it again"
    try:
        with torch.device("meta"):
            own = make().state_dict()
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(source, f"describes no network that can be built: {error}", again) from error
    for what, some in (("lacks", own.keys() - weights.keys()), ("has no place for", weights.keys() - own.keys())):
        if some:
            more = f" and {len(some) - 1} more" if len(some) > 1 else ""
            subject = "holds weights whose network " if what != "lacks" else ""
            raise InputError(source, f"{subject}{what} the tensor {min(some)!r}{more}", again)
    for name, tensor in weights.items():
        if tensor.shape != own[name].shape:
            fault = f"holds {tuple(tensor.shape)} where its card says {tuple(own[name].shape)} ({name})"
            raise InputError(source, fault, again)
        if tensor.is_floating_point() != own[name].is_floating_point():
            raise InputError(source, f"holds numbers of another kind in {name!r}", again)
        if not tensor.isfinite().all():
            raise InputError(source, f"holds numbers that are not finite in {name!r}", again)
