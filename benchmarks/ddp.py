"""Two processes against one, for a trainer of each kind: greatest differences of weights, gradients and metrics.

    python benchmarks/ddp.py [--processes 2]

Runs of two iterations (`small_runs.py`), gloo on loopback, the same global batch. Gradients are compared by what the
optimiser remembers of them (momentum, moments), relative to the largest of their tensor.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import small_runs
import torch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        small_runs.write_data(base / "data")
        torchrun = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc-per-node",
            str(options.processes),
        ]
        script = [str(Path(small_runs.__file__)), str(base), *small_runs.KINDS]
        subprocess.run([*torchrun, *script], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        print(f"{'trainer':<12}{'weights':>12}{'gradients':>12}{'metrics':>12}")
        worst = 0.0
        for kind, train in small_runs.KINDS.items():
            train(base / "data", base / "one" / kind)
            found = compare(base / "one" / kind, base / "several" / kind)
            worst = max(worst, found[1], found[2])
            print(f"{kind:<12}" + "".join(f"{value:>12.1e}" for value in found))
    return 0 if worst <= 1e-6 else 1


def compare(one: Path, other: Path) -> tuple[float, float, float]:
    """Greatest difference of weights, of the optimiser's memory (relative), and of logged values (relative above 1)."""
    kept, found = (torch.load(max(folder.rglob("[0-9]*.ckpt")), weights_only=True) for folder in (one, other))
    weights = max(float((found["state_dict"][k] - v).abs().max()) for k, v in kept["state_dict"].items() if v.numel())
    gradients = 0.0
    for number, state in kept["optimizer_states"][0]["state"].items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.ndim:
                away = float((found["optimizer_states"][0]["state"][number][name] - value).abs().max())
                gradients = max(gradients, away / max(float(value.abs().max()), 1e-6))
    values, others = logged(one), logged(other)
    metrics = max(
        abs(a - b) / max(1.0, abs(a)) for name, own in values.items() for a, b in zip(own, others[name], strict=True)
    )
    return weights, gradients, metrics


def logged(folder: Path) -> dict[str, list[float]]:
    """Every logged value of a run, by name."""
    with next(folder.rglob("metrics.csv")).open() as stream:
        rows = list(csv.DictReader(stream))
    return {name: [float(row[name]) for row in rows if row.get(name)] for name in rows[0]}


if __name__ == "__main__":
    sys.exit(main())
