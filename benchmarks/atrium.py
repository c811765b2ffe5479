"""The atrium V-Net beside MONAI's: a training step, a whole volume, memory.

``python benchmarks/atrium.py [--crop 96,144,224] [--volume 88,640,640] [--threads 2]`` runs every network in a process
of its own, in turn, and prints seconds a training step (forward, loss, backward, Adam; one crop), seconds a predicted
volume (a locator on the coarse copy, then the network on at least that crop), peak memory of the training, GFLOP of a
forward pass of the crop, and milliseconds a GFLOP of a step: as they are, and by those of MONAI's V-Net.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from spinetk.segmentation.atrium.predictor import AtriumPredictor, Geometry
from spinetk.segmentation.losses.choose import make_loss
from spinetk.segmentation.networks.exact import exact_gradients
from spinetk.segmentation.registry import get_entry
from spinetk.training.device import channels_last, pick_precision

REFERENCE = "monai-vnet"
NETWORKS = ("vnet", "vnet-attention", "vnet-2", REFERENCE, "monai-segresnet", "monai-unet3d")
SPACING_MM = (0.625, 0.625, 0.625)


class Finder(nn.Module):
    """A locator that is run and then overruled: the atrium is in the middle, whatever random weights say."""

    def __init__(self) -> None:
        super().__init__()
        self.network = get_entry("monai-unet3d").build(width=8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer = self.network(x)
        found = torch.full_like(answer, -9.0)
        found[(..., *(slice(2 * n // 5, 3 * n // 5) for n in x.shape[2:]))] = 9.0
        return found


def sides(text: str) -> tuple[int, ...]:
    """``96,144,224``."""
    return tuple(int(n) for n in text.split(","))


def measure(name: str, crop: tuple[int, ...], volume: tuple[int, ...], runs: int, half: bool) -> dict[str, float]:
    """Figures of one network; the better of several runs."""
    torch.manual_seed(0)
    entry = get_entry(name)
    network, loss_of = exact_gradients(entry.build()), make_loss(entry.loss)
    channels_last(network)  # as a training does
    optimiser = entry.optimiser.build(network.parameters())
    x = torch.randn(2 if name == "vnet-attention" else 1, 1, *crop)  # its batch norms of vectors need two
    mask = (torch.rand(x.shape) > 0.9).float()
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        entry.build().eval()(torch.empty(1, 1, *crop))

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = loss_of(network(x), mask)
        loss.backward()
        optimiser.step()

    seconds = best(step, runs) / len(x)
    after_training = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    predictor = AtriumPredictor([network], Geometry(SPACING_MM, crop), Finder())
    values = np.random.default_rng(0).normal(size=volume).astype(np.float32)
    whole = best(lambda: predictor.predict(values, SPACING_MM), runs)
    return {
        "million parameters": sum(p.numel() for p in network.parameters()) / 1e6,
        "GFLOP forward": counter.get_total_flops() / 1e9,
        "s a training step": seconds,
        "s a volume": whole,
        "peak GB": after_training / 1e6,
    }


def best(action, runs: int) -> float:
    """Seconds of the fastest run."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crop", type=sides, default=(48, 80, 112))
    parser.add_argument("--volume", type=sides, default=(88, 640, 640))
    parser.add_argument("--networks", nargs="*", default=NETWORKS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="auto", help="auto, 32-true or bf16-mixed")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    half = "bf16" in (pick_precision("cpu") if args.precision == "auto" else args.precision)
    if args.only:
        print(json.dumps(measure(args.only, args.crop, args.volume, args.runs, half)))
        return 0
    rows = {}
    for name in args.networks:
        own = [sys.executable, __file__, *sys.argv[1:], "--only", name]
        rows[name] = json.loads(subprocess.run(own, check=True, capture_output=True, text=True).stdout)
    print(f"crop {args.crop}, volume {args.volume}, {args.threads} threads, {'bfloat16' if half else 'float32'} steps")
    names = [*next(iter(rows.values())), "ms a GFLOP of a step"]
    print(f"{'network':<18}" + "".join(f"{n:>22}" for n in names) + f"{'by ' + REFERENCE:>16}")
    each = {name: 1e3 * row["s a training step"] / (3 * row["GFLOP forward"]) for name, row in rows.items()}
    for name, row in rows.items():
        ratio = f"{each[name] / each[REFERENCE]:>16.2f}" if REFERENCE in each else ""
        print(f"{name:<18}" + "".join(f"{v:>22.2f}" for v in (*row.values(), each[name])) + ratio)
    return 0


if __name__ == "__main__":
    sys.exit(main())
