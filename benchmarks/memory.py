"""Memory and speed of `predict` over a growing folder: both must stay flat.

    python benchmarks/memory.py [--pictures 10000] [--side 64] [--model phantom-fast]

Small noisy pictures are written to a scratch folder and predicted with `predict_files`; resident memory and CPU time
are noted after each. Prints a row per tenth of the folder, and exits with 1 when memory grew by more than 20 kB a
picture, or the last tenth was slower than the second by more than a fifth.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
import torch

from spinetk.keypoints import batch
from spinetk.keypoints.reader import Reader


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--model", default="phantom-fast")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    notes: list[tuple[float, float]] = []
    process = psutil.Process()
    plain = Reader.read

    def noted(*arguments, **keywords):
        started = time.process_time()
        result = plain(*arguments, **keywords)
        notes.append((process.memory_info().rss / 2**20, time.process_time() - started))
        return result

    Reader.read = noted  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "in"
        folder.mkdir()
        for number in range(options.pictures):
            picture = np.random.default_rng(number).integers(0, 255, (options.side, options.side), dtype=np.uint8)
            cv2.imwrite(str(folder / f"{number:05d}.png"), picture)
        reader = Reader(options.model, threshold=0.6, device="cpu")
        batch.predict_files([folder], Path(scratch) / "out", reader, progress=False)
    tenth = len(notes) // 10
    print(f"{'pictures':>9}{'RSS MiB':>9}{'CPU ms a picture':>18}")
    rows = [notes[k * tenth : (k + 1) * tenth] for k in range(10)]
    speeds = [statistics.median(seconds for _, seconds in row) * 1000 for row in rows]
    for number, (row, speed) in enumerate(zip(rows, speeds, strict=True), start=1):
        print(f"{number * tenth:>9}{row[-1][0]:>9.0f}{speed:>18.1f}")
    growth = (rows[-1][-1][0] - rows[1][-1][0]) * 1024 / (8 * tenth)
    print(f"growth after the second tenth: {growth:.1f} kB a picture")
    return 0 if growth < 20 and speeds[-1] < 1.2 * speeds[1] else 1


if __name__ == "__main__":
    sys.exit(main())
