"""Teaching: layers added to a released network, trained in steps that can be gone on from, and released with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from spinetk import zoo
from spinetk.keypoints.centre.export import parts, write_graphs
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.torch_engine import open_network

DECAY, WARM, LEAST, LONGEST = 1e-4, 50, 0.02, 5.0  # of AdamW; steps, share of the rate, length of the gradient
One = TypeVar("One")


def seen_of(films: Sequence[Path], look: Callable[[Path], list[One]], kind: type[One], kept: Path | None) -> list[One]:
    """What is seen of folders of films, a dataclass of tensors and flags each; kept in a folder, or read from there."""
    assert is_dataclass(kind)
    found = list[One]()
    for folder in films:
        file = None if kept is None else kept / f"{folder.name}.pt"
        if file is not None and file.is_file():
            found += [kind(*own) for own in torch.load(file, weights_only=True, mmap=True)]
            continue
        own = look(folder)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            torch.save([tuple(getattr(one, field.name) for field in fields(kind)) for one in own], file)
        found += own
    return found


def teach(
    layers: nn.Module,
    loss_of: Callable[[np.random.Generator], Tensor],
    look: Callable[[], str],
    path: Path,
    *,
    steps: int,
    rate: float,
    seed: int,
    every: int,
    resume: bool,
) -> None:
    """Train those of the weights that are not frozen: the rate grows over ``WARM`` steps and falls as half a cosine.

    Args:
        layers: Trained, on the CPU.
        loss_of: The loss of a batch, drawn by a generator of each step's own.
        look: What the layers do now, in words.
        path: Weights and optimiser, written every ``every`` steps and at the end.
        steps: To do in all.
        rate: The highest.
        seed: Of the batches.
        every: Steps after which it is looked at.
        resume: Go on from ``path`` where it is there.
    """
    trained = [weights for weights in layers.parameters() if weights.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=DECAY)
    first, total = 0, 0.0
    if resume and path.is_file():
        known = torch.load(path, weights_only=True)
        layers.load_state_dict(known["layers"])
        optimiser.load_state_dict(known["optimiser"])
        first = known["step"]
    print(f"step {first}: {look()}", flush=True)
    for step in range(first, steps):
        for group in optimiser.param_groups:
            group["lr"] = float(rate * min(1, (step + 1) / WARM) * max(LEAST, 0.5 * (1 + np.cos(np.pi * step / steps))))
        loss = loss_of(np.random.default_rng((seed, step)))
        if loss.requires_grad:  # else the batch has nothing of what is trained
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(trained, LONGEST)
            optimiser.step()
        total += float(loss.detach())
        if (step + 1) % every == 0 or step + 1 == steps:
            torch.save({"layers": layers.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}, path)
            print(f"step {step + 1}: loss {total / every:.3f}; {look()}", flush=True)
            total = 0.0


def release(network: CentreNet, path: Path, source: Path, **told: Any) -> None:
    """Write a network with the card of the weights that it comes from, which is told more, and its graphs."""
    content: dict[str, Any] = zoo.read_card(source.with_suffix(".json")) | told
    content |= {"parameters": sum(own.numel() for own in network.parameters()), "config": network.config()}
    zoo.save(path, network.state_dict(), content)
    write_graphs(parts(cast("CentreNet", open_network(path)[0])), path)  # as rounded for the release
