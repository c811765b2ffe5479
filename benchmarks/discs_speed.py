"""Disc labelling: speed and memory of `spinetk discs train` beside a bare PyTorch loop, and the time of preparation.

    python benchmarks/discs_speed.py BIDS [--steps 8] [--rounds 2] [--batch 3] [--size 256] [--threads 2]

Both train the same network (two stacks, with attention) from the same weights on the same pictures, augmentation,
loss, optimiser and precision. "ours" is the trainer as the command runs it; "bare" is a loop over a DataLoader and
nothing else. Each runs in a process of its own, turn about for `--rounds` rounds, and the median step of each is
compared. The first two steps are not counted.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WARM_UP = 2


def main() -> None:
    """Time preparation, then both loops."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bids", type=Path, help="BIDS data set, or for --engine a prepared folder")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch", type=int, default=3)
    parser.add_argument("--size", type=int, default=256, help="side of the pictures in px")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--engine", choices=["ours", "bare"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        print(json.dumps(_measure(options)))
        return
    with tempfile.TemporaryDirectory() as folder:
        first, second = _preparation(options.bids, Path(folder))
        rounds: dict[str, list[dict[str, Any]]] = {"ours": [], "bare": []}
        for _ in range(options.rounds):
            for engine, own in rounds.items():
                own.append(_child(options, engine, folder))
    print(f"preparation: first {first:.1f} s, then {second:.2f} s from the prepared folder")
    steps = {engine: [s for run in own for s in run["steps"]] for engine, own in rounds.items()}
    rates = {engine: options.batch / statistics.median(own) for engine, own in steps.items()}
    print(f"{options.device}, {rounds['ours'][0]['precision']}, {options.threads} threads, batch {options.batch}, "
          f"{options.size} px, {len(steps['ours'])} steps each")  # fmt: skip
    print(f"{'':<6}{'images/s':>10}{'ratio':>8}{'step, s (quartiles)':>24}{'peak memory, GB':>18}")
    for engine, own in steps.items():
        low, middle, high = statistics.quantiles(own, n=4)
        memory = max(run["bytes"] for run in rounds[engine]) / 1e9
        spread = f"{middle:.2f} ({low:.2f} to {high:.2f})"
        print(f"{engine:<6}{rates[engine]:>10.3f}{rates[engine] / rates['bare']:>8.2f}{spread:>24}{memory:>18.2f}")


def _preparation(bids: Path, folder: Path) -> tuple[float, float]:
    """Seconds from volumes to pictures in memory, and from the prepared folder to the same."""
    from spinetk.discs.data import DiscDataset
    from spinetk.discs.preparation import prepare, read_samples

    times = []
    for prepared in (False, True):
        began = time.perf_counter()
        if not prepared:
            prepare(bids, folder)
        DiscDataset(read_samples(folder, "train"), [3])
        times.append(time.perf_counter() - began)
    return times[0], times[1]


def _child(options: argparse.Namespace, engine: str, folder: str) -> dict[str, Any]:
    given = {k: v for k, v in vars(options).items() if k not in ("bids", "rounds", "engine")}
    flags = [part for name, value in given.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, __file__, folder, "--engine", engine, *flags]
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.strip().splitlines()[-1])


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    import torch

    from spinetk.discs.data import DiscDataset
    from spinetk.discs.hourglass import StackedHourglass
    from spinetk.discs.preparation import read_samples
    from spinetk.training.device import pick_precision

    torch.set_num_threads(options.threads)
    samples = read_samples(options.bids, "train")
    levels = sorted({n for sample in samples for n in sample.points})
    data = DiscDataset(samples, levels, "full", 42)
    data.size = (options.size, options.size)
    torch.manual_seed(0)
    network = StackedHourglass(joints=len(levels), stacks=2, attention=True)
    precision = pick_precision(options.device)
    times = (_ours if options.engine == "ours" else _bare)(options, network, data, precision)
    steps = [after - before for before, after in zip(times[WARM_UP:], times[WARM_UP + 1 :], strict=False)]
    if options.device == "cpu":
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    else:
        peak = torch.cuda.max_memory_allocated()
    return {"steps": steps, "bytes": peak, "precision": precision}


def _now(device: str) -> float:
    if device != "cpu":
        import torch

        torch.cuda.synchronize()
    return time.perf_counter()


def _ours(options: argparse.Namespace, network: Any, data: Any, precision: str) -> list[float]:
    """Instants before the first step and after each, with the trainer's callbacks, logs and progress bar."""
    import lightning

    from spinetk.discs.module import DiscTraining, Recipe
    from spinetk.discs.trainer import DiscSettings
    from spinetk.training.data import Data
    from spinetk.training.fit import fit

    times = []

    class Clock(lightning.Callback):
        def on_train_start(self, *_: Any) -> None:
            times.append(_now(options.device))

        def on_train_batch_end(self, *_: Any) -> None:
            times.append(_now(options.device))

    total = options.steps + WARM_UP
    recipe = Recipe(batch=options.batch)
    settings = DiscSettings(recipe=recipe, device=options.device, precision=precision, iterations=total)
    with tempfile.TemporaryDirectory() as folder:
        fit(
            DiscTraining(network, recipe, total), Data(data, None, options.batch), folder, settings,
            iterations=total, check_every=total, callbacks=(Clock(),),
        )  # fmt: skip
    return times


def _bare(options: argparse.Namespace, network: Any, data: Any, precision: str) -> list[float]:
    """The same instants of a plain loop."""
    import torch
    from torch.utils.data import DataLoader

    from spinetk.discs.loss import stacked_mse

    network.to(options.device).train()
    optimiser = torch.optim.RMSprop(network.parameters(), 2.5e-4, alpha=0.99)
    loader = DataLoader(data, options.batch, shuffle=True, drop_last=True)
    times = [_now(options.device)]
    while True:
        for batch in loader:
            with torch.autocast(options.device, torch.bfloat16, enabled=precision == "bf16-mixed"):
                maps = network(batch.pictures.to(options.device))
                loss = stacked_mse(maps, batch.target.to(options.device), None)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            times.append(_now(options.device))
            if len(times) > options.steps + WARM_UP:
                return times


if __name__ == "__main__":
    main()
