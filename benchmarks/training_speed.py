"""How fast keypoint networks train: two checkouts side by side, in fresh processes that take turns.

    python benchmarks/training_speed.py OLD NEW [--network centre fast] [--runs 2] [--iterations 4 16] [--threads 2]

OLD and NEW are checkouts; both run in the Python that runs this. OLD makes phantoms (--cases, seed 7) and splits them;
each trains on a copy of its own with ``spinetk train`` as it is, for two numbers of iterations, of which the
difference is what the iterations between them cost: start, validation and writing are in both. Printed: pictures a
second, by the clock and by the processor (user + system, the least of ``--runs``), their ratios, and the loss of the
last iteration of both.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VERB = [sys.executable, "-P", "-m", "spinetk"]  # -P: not what lies here
BATCH = 4


def call(checkout: Path, threads: int, *words: str) -> tuple[float, float]:
    """Seconds by the clock and by the processor of one command of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": str(threads)}
    before, started = os.times(), time.perf_counter()
    done = subprocess.run([*VERB, *words], env=environment, capture_output=True, text=True, check=False)
    after, taken = os.times(), time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{checkout}: spinetk {' '.join(words)}\n{done.stderr}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return taken, used


def last_loss(run: Path) -> float:
    """The last one that was written."""
    (table,) = run.glob("logs/*/metrics.csv")
    with table.open(encoding="utf-8") as lines:
        return [float(row["loss"]) for row in csv.DictReader(lines) if row.get("loss")][-1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--network", nargs="+", default=["centre", "fast"])
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--iterations", type=int, nargs=2, default=(4, 16), metavar=("FEW", "MANY"))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cases", type=int, default=12)
    options = parser.parse_args()
    few, many = options.iterations
    pictures = BATCH * (many - few)
    print(f"batch {BATCH}, iterations {few} to {many}, {options.threads} threads, load {os.getloadavg()[0]:.1f}")
    print("| network | pictures/s, old | new | ratio | pictures/processor s, old | new | ratio | loss, old | new |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        place, checkouts = Path(name), (options.old.resolve(), options.new.resolve())
        made = place / "made"
        call(checkouts[0], 1, "phantom", "--out", str(made), "--cases", str(options.cases), "--seed", "7")
        call(checkouts[0], 1, "split", str(made))
        for number in (0, 1):
            shutil.copytree(made, place / f"cases-{number}")
        for network in options.network:
            least: dict[tuple[int, int], tuple[float, float]] = {}
            losses = [0.0, 0.0]
            for run in range(options.runs):
                for number, checkout in enumerate(checkouts):
                    for count in (few, many):
                        out = place / f"{network}-{run}-{number}-{count}"
                        spent = call(
                            checkout, options.threads, "train", str(place / f"cases-{number}"), "--preset", network,
                            "--iterations", str(count), "--batch", str(BATCH), "--start", "random", "--seed", "1",
                            "--device", "cpu", "--out", str(out), "--version", "run",
                        )  # fmt: skip
                        before = least.get((number, count), (float("inf"), float("inf")))
                        least[number, count] = (min(before[0], spent[0]), min(before[1], spent[1]))
                        losses[number] = last_loss(out / "run")
                        shutil.rmtree(out)
            cells = []
            for kind in (0, 1):
                old, new = (pictures / (least[n, many][kind] - least[n, few][kind]) for n in (0, 1))
                cells += [f"{old:.2f}", f"{new:.2f}", f"{new / old:.2f}"]
            print(f"| {network} | {' | '.join(cells)} | {losses[0]:.4f} | {losses[1]:.4f} |", flush=True)


if __name__ == "__main__":
    main()
