"""Read every file of a folder tree of DICOM and compare the pixels with those of plain pydicom.

``python benchmarks/dicom_corpus.py FOLDER`` prints a table by first subfolder: read, of which pydicom cannot decode,
refused with one line, wrong. *Wrong* is a difference from pydicom's stored values or from its modality, VOI and
inversion steps, a refusal of what pydicom decodes, an error that is no InputError, more than one line, or noise.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import warnings
from collections import Counter, defaultdict
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut

from spinetk.errors import InputError
from spinetk.images import read_picture
from spinetk.images.decode import check_pixels, decode_frame
from spinetk.images.headers import open_header


def reference(path: Path) -> tuple[pydicom.FileDataset, np.ndarray] | None:
    """pydicom's own header and stored values (all frames), or None when it cannot give them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(path, force=True)
            return ds, ds.pixel_array
        except Exception:
            return None


def shown(ds: pydicom.FileDataset, stored: np.ndarray) -> np.ndarray:
    """One frame as grey, with pydicom's own processing."""
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        stored = apply_color_lut(stored, ds)
    if stored.ndim == 3:
        return stored.astype(np.float64) @ [0.299, 0.587, 0.114]
    values = np.asarray(apply_voi_lut(apply_modality_lut(stored, ds), ds), dtype=np.float64)
    inverse = ds.PhotometricInterpretation == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE"
    return -values if inverse else values


def unit(values: np.ndarray) -> np.ndarray:
    """Values scaled to 0 .. 1: the two pipelines may differ in offset and unit, in nothing else."""
    low, high = float(values.min()), float(values.max())
    return (values.astype(np.float64) - low) / ((high - low) or 1.0)


def judge(path: Path) -> tuple[str, str]:
    """(``read`` | ``beyond`` | ``refused`` | ``wrong``, what was said or found)."""
    noise = io.StringIO()
    with warnings.catch_warnings(record=True) as caught, redirect_stderr(noise):
        warnings.simplefilter("always")
        try:
            picture, line = read_picture(path), ""
        except InputError as error:
            picture, line = None, str(error)
        except BaseException as error:
            return "wrong", f"{type(error).__name__} instead of InputError"
    if caught or noise.getvalue():
        return "wrong", "warnings came out"
    if "\n" in line:
        return "wrong", "more than one line"
    known = reference(path)
    if picture is None:
        return ("refused", line) if known is None else ("wrong", f"refused what pydicom decodes: {line}")
    if known is None:
        return "beyond", "; ".join(picture.remarks)
    ds, stored = known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = open_header(path)
        with header.stream:
            options = check_pixels(header)
            many = header.frames > 1
            mine = [decode_frame(header, options, index, []) for index in range(header.frames)]
    if not np.array_equal(np.stack(mine) if many else mine[0], stored):
        return "wrong", "stored values differ"
    frames = list(stored) if many else [stored]
    said = next((r for r in picture.remarks if r.startswith(("frame ", "slice "))), "")
    index = int(said.split()[1]) - 1 if said else 0
    if picture.pixels.shape != frames[index].shape[:2]:
        return "beyond", "; ".join(picture.remarks)  # a reformation: pydicom has none to compare with
    difference = float(np.abs(unit(picture.pixels) - unit(shown(ds, frames[index]))).max())
    return ("read", "") if difference < 1e-5 else ("wrong", f"display differs by {difference:.2g} of its range")


def table(root: Path) -> tuple[dict[str, Counter], list[tuple[Path, str, str]]]:
    """Counts by first subfolder, and every file with its verdict."""
    counts: dict[str, Counter] = defaultdict(Counter)
    verdicts = []
    for path in sorted(p for p in root.rglob("*") if p.is_file() and p.suffix != ".csv"):
        verdict, why = judge(path)
        counts[path.relative_to(root).parts[0]][verdict] += 1
        verdicts.append((path, verdict, why))
    return counts, verdicts


def main() -> int:
    """Print the table; exit 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="list every file that was not simply read")
    args = parser.parse_args()
    start = time.perf_counter()
    counts, verdicts = table(args.folder)
    print(f"{'folder':<16}{'read':>8}{'beyond pydicom':>16}{'refused':>9}{'wrong':>7}")
    for folder, row in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        print(f"{folder:<16}{row['read']:>8}{row['beyond']:>16}{row['refused']:>9}{row['wrong']:>7}")
    for path, verdict, why in verdicts:
        if verdict == "wrong" or (args.all and verdict != "read"):
            print(f"{verdict}: {path.relative_to(args.folder)}: {why.removeprefix(f'{path}: ')}")
    print(f"{len(verdicts)} files, {time.perf_counter() - start:.1f} s with the comparison")
    return 1 if any(verdict == "wrong" for _, verdict, _ in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
