"""A training step of the nine networks of the lesion table: two checkouts side by side, in fresh processes.

    python benchmarks/lesion_speed.py OLD NEW [--side 96] [--batch 4] [--steps 4] [--threads 1] [--networks NAME ...]
                                      [--channels 5] [--exact]

Each network with its own channels (or the table's common ones), loss and optimiser takes the same random slices, in the
layout and precision, and with the memory, that ``spinetk segment train`` has on this machine. Printed: milliseconds of
processor (user and system) and of the clock a step (median; the first step, which packs weights, does not count), best
of the turns of a checkout, OLD / NEW, and how far the losses of the two are apart. ``--exact`` computes in float32.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext
from typing import Any

NINE = ("spin", "unet", "unet-half", "dunet", "clcinet", "kiunet", "xnet", "monai-unet", "monai-attention-unet")


def steps(name: str, told: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds of processor and of the clock a step, and the losses, in this process."""
    import torch

    from spinetk.segmentation.losses.choose import make_loss
    from spinetk.segmentation.module import SegmentationTraining
    from spinetk.segmentation.networks.exact import exact_gradients
    from spinetk.segmentation.registry import get_entry
    from spinetk.training.device import channels_last, pick_precision

    half = torch.bfloat16 if "bf16" in pick_precision("cpu") and not told.exact else None
    entry = get_entry(name)
    channels = told.channels or entry.form.channels
    torch.manual_seed(0)
    network = exact_gradients(entry.build(channels))
    module = SegmentationTraining(network, make_loss(entry.loss), entry.optimiser, 10)
    module.log = lambda *_, **__: None
    channels_last(module.network)
    optimiser = entry.optimiser.build(module.network.parameters())
    values = torch.randn(told.batch, channels, told.side, told.side)
    mask = (torch.rand(told.batch, 1, told.side, told.side) > 0.95).float()
    processor, clock, losses = [], [], []
    for _ in range(told.steps + 1):
        start = time.process_time(), time.perf_counter()
        optimiser.zero_grad()
        with torch.autocast("cpu", half, enabled=half is not None):
            loss = module.training_step((values, mask, None), 0)
        loss.backward()
        optimiser.step()
        processor.append(1000 * (time.process_time() - start[0]))
        clock.append(1000 * (time.perf_counter() - start[1]))
        losses.append(float(loss.detach()))
    return {"processor": statistics.median(processor[1:]), "clock": statistics.median(clock[1:]), "losses": losses}


def main() -> None:
    """The turns of each checkout, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*")
    for name, value in {"side": 96, "batch": 4, "steps": 4, "threads": 1, "turns": 2, "channels": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--networks", nargs="+", choices=NINE, default=list(NINE))
    told = parser.parse_args()
    if not told.checkouts:
        with training_memory():
            print(json.dumps({name: steps(name, told) for name in told.networks}))
        return
    found: list[list[dict[str, Any]]] = [[], []]
    for turn in range(2 * told.turns):
        checkout = told.checkouts[turn % 2]
        environment = os.environ | {"PYTHONPATH": os.path.abspath(checkout), "OMP_NUM_THREADS": str(told.threads)}
        options = [f"--{option}={getattr(told, option)}" for option in ("side", "batch", "steps", "channels")]
        options += ["--exact"] if told.exact else []
        command = [sys.executable, os.path.abspath(__file__), *options, "--networks", *told.networks]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
        found[turn % 2].append(json.loads(done.stdout.splitlines()[-1]))
    print(f"{'ms a step':<22}{'processor old':>14}{'new':>7}{'old/new':>9}{'clock old':>11}{'new':>7}{'losses':>12}")
    total, ratios = [0.0, 0.0], []
    for name in told.networks:
        a, b = (min(turn[name]["processor"] for turn in turns) for turns in found)
        c, d = (min(turn[name]["clock"] for turn in turns) for turns in found)
        old, new = (turns[0][name]["losses"] for turns in found)
        apart = max(abs(x - y) for x, y in zip(old, new, strict=True))
        print(f"{name:<22}{a:>14.0f}{b:>7.0f}{a / b:>9.2f}{c:>11.0f}{d:>7.0f}{apart:>12.1e}")
        total, ratios = [total[0] + a, total[1] + b], [*ratios, a / b]
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    print(f"{'all':<22}{total[0]:>14.0f}{total[1]:>7.0f}{total[0] / total[1]:>9.2f}   geometric mean {mean:.2f}")


def training_memory() -> Any:
    """The memory that a training has in this checkout; those of before spinetk.training.memory had nothing of it."""
    try:
        from spinetk.training.memory import freed_memory_kept
    except ImportError:
        return nullcontext()
    return freed_memory_kept()


if __name__ == "__main__":
    main()
