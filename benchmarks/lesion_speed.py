"""A training step of the nine networks of the lesion table: two checkouts side by side, in fresh processes.

    python benchmarks/lesion_speed.py OLD NEW [--side 96] [--batch 4] [--steps 4] [--threads 1] [--networks NAME ...]

Each network with its own channels, loss and optimiser takes the same random slices, in the layout and precision that
``spinetk segment train`` has on this machine. Printed: milliseconds of processor a step (median; the first step, which
packs weights, does not count), best of the two turns of a checkout, and OLD / NEW.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

NINE = ("spin", "unet", "unet-half", "dunet", "clcinet", "kiunet", "xnet", "monai-unet", "monai-attention-unet")


def steps(names: list[str], side: int, batch: int, count: int) -> dict[str, float]:
    """Milliseconds of processor a step by network, in this process."""
    import torch

    from spinetk.segmentation.losses.choose import make_loss
    from spinetk.segmentation.module import SegmentationTraining
    from spinetk.segmentation.registry import get_entry
    from spinetk.training.device import channels_last, pick_precision

    half = torch.bfloat16 if "bf16" in pick_precision("cpu") else None
    found = {}
    for name in names:
        entry = get_entry(name)
        torch.manual_seed(0)
        module = SegmentationTraining(entry.build(), make_loss(entry.loss), entry.optimiser, 10)
        module.log = lambda *_, **__: None
        channels_last(module.network)
        optimiser = entry.optimiser.build(module.network.parameters())
        values = torch.randn(batch, entry.form.channels, side, side)
        mask = (torch.rand(batch, 1, side, side) > 0.95).float()
        spent = []
        for _ in range(count + 1):
            start = time.process_time()
            optimiser.zero_grad()
            with torch.autocast("cpu", half, enabled=half is not None):
                loss = module.training_step((values, mask, None), 0)
            loss.backward()
            optimiser.step()
            spent.append(1000 * (time.process_time() - start))
        found[name] = statistics.median(spent[1:])
    return found


def main() -> None:
    """Two turns of each checkout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*")
    for name, value in {"side": 96, "batch": 4, "steps": 4, "threads": 1, "turns": 2}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--networks", nargs="+", choices=NINE, default=list(NINE))
    told = parser.parse_args()
    if not told.checkouts:
        print(json.dumps(steps(told.networks, told.side, told.batch, told.steps)))
        return
    old, new = told.checkouts
    best: dict[str, dict[str, float]] = {old: {}, new: {}}
    for checkout in (old, new) * told.turns:
        environment = os.environ | {"PYTHONPATH": os.path.abspath(checkout), "OMP_NUM_THREADS": str(told.threads)}
        options = [f"--{name}={getattr(told, name)}" for name in ("side", "batch", "steps")]
        options += ["--networks", *told.networks]
        done = subprocess.run(
            [sys.executable, os.path.abspath(__file__), *options], env=environment, capture_output=True, check=True,
            text=True,
        )  # fmt: skip
        for name, value in json.loads(done.stdout.splitlines()[-1]).items():
            best[checkout][name] = min(value, best[checkout].get(name, value))
    print(f"{'ms of processor a step':<24}{'old':>8}{'new':>8}{'old / new':>12}")
    for name in told.networks:
        a, b = best[old][name], best[new][name]
        print(f"{name:<24}{a:>8.0f}{b:>8.0f}{a / b:>12.2f}")
    total = [sum(best[checkout].values()) for checkout in (old, new)]
    print(f"{'all':<24}{total[0]:>8.0f}{total[1]:>8.0f}{total[0] / total[1]:>12.2f}")


if __name__ == "__main__":
    main()
