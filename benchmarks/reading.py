"""Reading speed beside plain pydicom and numpy, on the same files.

``python benchmarks/reading.py FOLDER`` times ``read_picture`` against a plain script that reads the header, decodes,
applies modality LUT, VOI LUT and inversion, and ends with the same (H, W) float32; only files both can read count.
Both take the best of several runs, in turn.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut

from spinetk.images import read_picture


def plain(path: Path) -> np.ndarray:
    """What a short script does."""
    ds = pydicom.dcmread(path, force=True)
    values = ds.pixel_array
    if int(ds.get("NumberOfFrames") or 1) > 1:
        values = values[len(values) // 2]
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, ds)
    if values.ndim == 3:
        return (values @ [0.299, 0.587, 0.114]).astype(np.float32)
    values = apply_voi_lut(apply_modality_lut(values, ds), ds).astype(np.float32)
    return values.max() + values.min() - values if ds.PhotometricInterpretation == "MONOCHROME1" else values


def best(function: Callable[[Path], object], path: Path) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    function(path)
    return time.perf_counter() - start


def main() -> int:
    """Print the ratio; exit 1 above 1.3."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for path in sorted(p for p in args.folder.rglob("*") if p.is_file() and p.suffix != ".csv"):
        try:
            read_picture(path)
            plain(path)
        except Exception:
            continue
        mine, theirs = zip(*((best(read_picture, path), best(plain, path)) for _ in range(args.runs)), strict=True)
        rows.append((path, min(mine), min(theirs)))
    ours, theirs = sum(row[1] for row in rows), sum(row[2] for row in rows)
    ratios = sorted(row[1] / row[2] for row in rows)
    print(f"{len(rows)} files: spinetk {ours:.3f} s, plain pydicom {theirs:.3f} s, ratio {ours / theirs:.2f}")
    print(f"per file: median {statistics.median(ratios):.2f}, least {ratios[0]:.2f}, greatest {ratios[-1]:.2f}")
    for path, mine, other in sorted(rows, key=lambda row: row[2] / row[1])[:5]:
        print(f"  {mine / other:.2f}  {mine * 1e3:.1f} ms  {path.relative_to(args.folder)}")
    return 0 if ours / theirs <= 1.3 else 1


if __name__ == "__main__":
    sys.exit(main())
