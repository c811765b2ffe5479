"""Reading a volume beside plain nibabel: seconds and peak memory.

``python benchmarks/volumes.py [--mb 300] [--runs 3]`` writes an int16 volume of that size in memory, plain and packed,
and reads it in processes of their own, in turn: by nibabel (``np.array(nib.load(path).dataobj)``: every voxel in
memory, as stored) and by us. Prints the better time and the peak memory of each, and our share of nibabel's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

PLAIN = "import nibabel as nib, numpy as np; read = lambda path: np.array(nib.load(path).dataobj)"
OURS = "from spinetk.images.volume import read_volume; read = lambda path: read_volume(path).values"
PROBE = """
import json, sys, time
def most():  # ru_maxrss would begin with what the process was forked from
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
before = most()
start, busy = time.perf_counter(), time.process_time()
values = read(sys.argv[1])
spent, busy = time.perf_counter() - start, time.process_time() - busy
peak = most()
print(json.dumps([spent, busy, peak, peak - before]))
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    import nibabel as nib

    side = round((options.mb * 1e6 / 2) ** (1 / 3))
    smooth = np.add.outer(np.arange(side), np.add.outer(np.arange(side), np.arange(side)))
    values = (smooth + np.random.default_rng(0).integers(0, 60, smooth.shape)).astype(np.int16)
    print(f"{side}^3 int16, {values.nbytes / 1e6:.0f} MB; best of {options.runs}")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".nii", ".nii.gz"):
            path = Path(folder) / f"volume{suffix}"
            nib.save(nib.Nifti1Image(values, np.eye(4)), path)
            best: dict[str, list[float]] = {}
            for _ in range(options.runs):
                for name, code in (("nibabel", PLAIN), ("spinetk", OURS)):
                    run = [sys.executable, "-c", code + PROBE, str(path)]
                    found = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
                    best[name] = [min(pair) for pair in zip(found, best.get(name, found), strict=True)]
            for name, (wall, busy, peak, grown) in best.items():
                row = f"{wall:6.2f} s ({busy:5.2f} of processor), peak {peak:5.0f} MB, of which reading {grown:5.0f}"
                print(f"{suffix:8} {name:8} {row}")
            share = [ours / theirs for ours, theirs in zip(best["spinetk"], best["nibabel"], strict=True)]
            print(f"{suffix:8} ratio    time {share[0]:.2f}, processor {share[1]:.2f}, peak {share[2]:.2f}")


if __name__ == "__main__":
    main()
