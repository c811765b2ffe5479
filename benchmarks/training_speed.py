"""How fast keypoint networks train: two checkouts side by side, in fresh processes that take turns.

    python benchmarks/training_speed.py OLD NEW [--network centre fast] [--runs 2] [--iterations 16] [--threads 2]

OLD and NEW are checkouts; both run in the Python that runs this. OLD makes phantoms (--cases, seed 7) and splits them;
each trains on a copy of its own with ``spinetk train`` as it is, from random weights. Times are taken at the end of
every iteration; the first ``SKIPPED`` (which read the pictures) do not count. Printed: pictures a second by the median
iteration, by the clock and by the processor (all threads), the best of ``--runs``; their ratios; and the loss of the
last iteration of both.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

BATCH, SKIPPED = 4, 3
DRIVER = """
import json, sys, time
import lightning
stamps, begin = [], lightning.Trainer.__init__
class Clock(lightning.Callback):
    def on_train_batch_end(self, *_, **__):
        stamps.append((time.perf_counter(), time.process_time()))
def timed(self, *arguments, callbacks=None, **more):
    begin(self, *arguments, callbacks=[*(callbacks or []), Clock()], **more)
lightning.Trainer.__init__ = timed
stamps_file = sys.argv.pop(1)
try:
    from spinetk.__main__ import main  # which is the command itself in older checkouts
    main()
finally:
    json.dump(stamps, open(stamps_file, "w"))
"""


def call(checkout: Path, threads: int, *words: str) -> list[tuple[float, float]]:
    """Seconds of clock and processor at the end of each training iteration of one command of a checkout."""
    with tempfile.TemporaryDirectory() as place:
        stamps = Path(place) / "stamps.json"
        environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": str(threads)}
        command = [sys.executable, "-P", "-c", DRIVER, str(stamps), *words]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{checkout}: spinetk {' '.join(words)}\n{done.stderr}")
        return [tuple(own) for own in json.loads(stamps.read_text(encoding="utf-8"))]


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
    parser.add_argument("--iterations", type=int, default=16)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cases", type=int, default=12)
    options = parser.parse_args()
    print(f"batch {BATCH}, {options.iterations} iterations, {options.threads} threads, load {os.getloadavg()[0]:.1f}")
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
            best, losses = [[0.0, 0.0], [0.0, 0.0]], [0.0, 0.0]
            for run in range(options.runs):
                for number, checkout in enumerate(checkouts):
                    out = place / f"{network}-{run}-{number}"
                    stamps = call(
                        checkout, options.threads, "train", str(place / f"cases-{number}"), "--preset", network,
                        "--iterations", str(options.iterations), "--batch", str(BATCH), "--start", "scratch",
                        "--seed", "1", "--device", "cpu", "--out", str(out), "--version", "run",
                    )[SKIPPED - 1 :]  # fmt: skip
                    for kind in (0, 1):
                        steps = [b[kind] - a[kind] for a, b in pairwise(stamps)]
                        best[kind][number] = max(best[kind][number], BATCH / statistics.median(steps))
                    losses[number] = last_loss(out / "run")
                    shutil.rmtree(out)
            cells = [f"{old:.2f} | {new:.2f} | {new / old:.2f}" for old, new in best]
            print(f"| {network} | {' | '.join(cells)} | {losses[0]:.4f} | {losses[1]:.4f} |", flush=True)


if __name__ == "__main__":
    main()
