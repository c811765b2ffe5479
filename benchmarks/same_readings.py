"""Whether two versions of spinetk read the same pictures alike: what a change of reading pictures must not break.

``python benchmarks/same_readings.py OTHER_CHECKOUT [DATA]`` runs ``spinetk predict`` of OTHER_CHECKOUT and of this
checkout on phantoms (DICOM files with letters, facing either way, and PNGs) and on pictures of DATA (AASCE films,
lateral films, MR slices), all of which stand upright, and prints for each set how many readings have another number of
vertebrae, other names or another view, and the largest move of a point and of the largest Cobb angle among the others.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent.parent
ROUNDING_PX, ROUNDING_DEG = 0.01, 0.01


def write_phantoms(folder: Path, count: int) -> dict[str, tuple[list[Path], str | None]]:
    """Phantoms as DICOM files and as PNGs: name of the set, files, and the view to be named (None: the header's)."""
    from spinetk.images import to_uint8
    from spinetk.phantoms import lateral_radiograph, sagittal_mr, write_dicom

    sets: dict[str, tuple[list[Path], str | None]] = {}
    for name, make, view in (("lateral", lateral_radiograph, "lateral"), ("MR", sagittal_mr, "sagittal")):
        for facing in ("left", "right"):
            files = []
            for seed in range(count):
                path = folder / f"{name}-{facing}-{seed}.dcm"
                phantom = make(seed, facing=facing)
                files.append(write_dicom(phantom, path))
                cv2.imwrite(str(path.with_suffix(".png")), to_uint8(phantom.pixels))
            sets[f"{name} phantoms facing {facing}, DICOM"] = (files, None)
            sets[f"{name} phantoms facing {facing}, PNG"] = ([f.with_suffix(".png") for f in files], view)
    return sets


def real(data: Path, count: int) -> dict[str, tuple[list[Path], str | None]]:
    """Every n-th picture of each set."""
    mr = (p for p in (data / "mr_sagittal").rglob("*.png") if not p.stem.endswith("_label"))
    found = {
        "AASCE films": (sorted((data / "aasce2019" / "data" / "training").glob("*.jpg")), "ap"),
        "lateral films": (sorted((data / "lateral_films").rglob("*.png")), "lateral"),
        "MR slices": (sorted(mr), "sagittal"),
    }
    return {name: (files[:: max(1, len(files) // count)][:count], view) for name, (files, view) in found.items()}


def predict(checkout: Path, files: list[Path], view: str | None, out: Path) -> dict[str, dict]:
    """The results of one version, by file; a file that was refused is left out."""
    command = [sys.executable, "-m", "spinetk", "predict", *map(str, files), "--out", str(out)]
    command += ["--view", view] if view else []
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    subprocess.run(command, cwd=checkout, env=environment, capture_output=True, check=False)
    found = {}
    for path in out.glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        if "vertebrae" in content:
            found[content["file"]] = content
    return found


def compare(before: dict[str, dict], after: dict[str, dict], files: list[Path]) -> str:
    """One row of the table."""
    one_only = sum((str(f) in before) != (str(f) in after) for f in files)
    both = [(before[f], after[f]) for f in map(str, files) if f in before and f in after]
    same = [(a, b) for a, b in both if len(a["vertebrae"]) == len(b["vertebrae"])]
    names = sum(
        any(v["label"] != w["label"] for v, w in zip(a["vertebrae"], b["vertebrae"], strict=True)) for a, b in same
    )
    moves, turns = [0.0], [0.0]
    for a, b in same:
        for v, w in zip(a["vertebrae"], b["vertebrae"], strict=True):
            points = np.array(list(v["keypoints"].values())) - np.array(list(w["keypoints"].values()))
            moves.append(float(np.abs(points).max()))
        angles = [x["angles"].get("cobb_max") for x in (a, b)]
        if None not in angles:
            turns.append(abs(angles[0] - angles[1]))
    views = sum(a["view"] != b["view"] for a, b in both)
    counts = len(both) - len(same)
    return f"{len(both):4} {one_only:8} {counts:6} {names:6} {views:6} {max(moves):9.3f} {max(turns):9.3f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="a checkout of the version before")
    parser.add_argument("data", type=Path, nargs="?", help="folder with aasce2019, lateral_films and mr_sagittal")
    parser.add_argument("--count", type=int, default=12, help="pictures of each set")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sets = write_phantoms(folder, args.count) | (real(args.data, args.count) if args.data else {})
        print(f"{'set':40} read one only counts  names  views   most px  most deg")
        for number, (title, (files, view)) in enumerate(sets.items()):
            results = [
                predict(checkout, files, view, folder / f"{number}-{side}")
                for side, checkout in enumerate((args.other.resolve(), HERE))
            ]
            print(f"{title:40} {compare(*results, files)}", flush=True)


if __name__ == "__main__":
    main()
