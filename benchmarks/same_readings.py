"""Whether two versions of spinetk read the same pictures alike: what a change of reading pictures must not break.

``python benchmarks/same_readings.py OTHER_CHECKOUT [DATA]`` runs ``spinetk predict`` of OTHER_CHECKOUT and of this
checkout on phantoms (DICOM files with letters, facing either way, and PNGs) and on pictures of DATA (AASCE films,
lateral films, MR slices), all of which stand upright, and prints for each set how many readings have another number of
vertebrae, other names or another view, and the moves of points (median, 99 of 100, largest, in px of the pictures) and
the largest move of the largest Cobb angle among the others. ``--precision bf16-true``: of this checkout; with ``.`` as
OTHER_CHECKOUT, what that costs.

``python benchmarks/same_readings.py --mirror [DATA]`` reads phantoms and MR slices as they are and mirrored, and prints
how many mirrored ones have another number of vertebrae, and the largest move of a point in the others: what it would
cost to bring every sagittal picture to one side.

``python benchmarks/same_readings.py --torch [DATA]`` reads phantoms and pictures of DATA by the released graphs and by
PyTorch in single precision (not by bfloat16, which that takes where the processor has it), and prints how many readings
have another number of vertebrae or other names, and the moves of points in px of the pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from spinetk.views import View

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


def predict(checkout: Path, files: list[Path], view: str | None, out: Path, *more: str) -> dict[str, dict]:
    """The results of one version, by file; a file that was refused is left out."""
    command = [sys.executable, "-m", "spinetk", "predict", *map(str, files), "--out", str(out), *more]
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
    moves: list[float] = []
    turns = [0.0]
    for a, b in same:
        for v, w in zip(a["vertebrae"], b["vertebrae"], strict=True):
            points = np.array(list(v["keypoints"].values())) - np.array(list(w["keypoints"].values()))
            moves += np.abs(points).max(-1).ravel().tolist()
        angles = [x["angles"].get("cobb_max") for x in (a, b)]
        if None not in angles:
            turns.append(abs(angles[0] - angles[1]))
    views = sum(a["view"] != b["view"] for a, b in both)
    counts = len(both) - len(same)
    sizes = " ".join(f"{np.quantile(moves or [0.0], share):9.3f}" for share in (0.5, 0.99, 1))
    return f"{len(both):4} {one_only:8} {counts:6} {names:6} {views:6} {sizes} {max(turns):9.3f}"


def mirror(data: Path | None, count: int) -> None:
    """Print what reading mirrored pictures changes."""
    from spinetk.images import to_uint8
    from spinetk.keypoints.predictor import Predictor
    from spinetk.phantoms import lateral_radiograph, sagittal_mr

    seeds = range(100, 100 + count)
    films = (to_uint8(lateral_radiograph(seed).pixels) for seed in seeds)
    slices = (to_uint8(sagittal_mr(seed).pixels) for seed in seeds)
    sets: list[tuple[str, str, View, Iterable[np.ndarray]]] = [
        ("lateral phantoms", "xray-lateral", "lateral", films),
        ("MR phantoms", "sagittal-mr", "sagittal", slices),
    ]
    if data is not None:
        files = real(data, count)["MR slices"][0]
        real_slices = (np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)) for file in files)
        sets.append(("MR slices", "sagittal-mr", "sagittal", real_slices))
    print(f"{'set':20} read other count  median px  most px")
    for title, model, view, pictures in sets:
        predictor, moves, other = Predictor.load(model), [], 0
        for picture in pictures:
            one = predictor.read(picture, view=view)
            back = predictor.read(np.ascontiguousarray(picture[:, ::-1]), view=view).flipped()
            if len(one.vertebrae) != len(back.vertebrae):
                other += 1
            elif one.vertebrae:
                pairs = zip(one.vertebrae, back.vertebrae, strict=True)
                moves.append(max(float(np.abs(a.points - b.points).max()) for a, b in pairs))
        print(f"{title:20} {len(moves) + other:4} {other:11} {np.median(moves):10.3f} {max(moves):8.3f}", flush=True)


def by_torch(data: Path | None, count: int) -> None:
    """Print how far readings by the graphs lie from those by PyTorch."""
    from spinetk.images import read_picture, to_uint8
    from spinetk.keypoints.predictor import Predictor
    from spinetk.keypoints.torch_engine import TorchEngine

    models = {"lateral": "xray-lateral", "sagittal": "sagittal-mr", "ap": "xray-ap"}
    found: dict[str, Any] = {}
    print(f"{'set':40} read counts  names median px   99 % px   most px")
    with tempfile.TemporaryDirectory() as name:
        sets = {
            title: (files, "lateral" if title.startswith("lateral") else "sagittal")
            for title, (files, _) in write_phantoms(Path(name), count).items()
            if title.endswith("DICOM")
        }
        for title, (files, view) in (sets | (real(data, count) if data else {})).items():
            if view not in found:
                graphs, plain = (Predictor.load(models[str(view)], graphs=graphs) for graphs in (True, False))
                assert graphs.runtime != "torch"
                assert isinstance(plain.engine, TorchEngine)
                plain.engine.mixed = False
                found[str(view)] = graphs, plain
            others, names, moves = 0, 0, [0.0]
            for file in files:
                picture = read_picture(file)
                grey = to_uint8(picture.pixels, picture.padding)
                own, other = (p.read(grey, frame=picture.frame, view=view).vertebrae for p in found[str(view)])
                others += len(own) != len(other)
                if len(own) == len(other):
                    names += any(a.label != b.label for a, b in zip(own, other, strict=True))
                    for a, b in zip(own, other, strict=True):
                        moves += np.abs(a.points - b.points).max(-1).tolist()
            sizes = " ".join(f"{np.quantile(moves, share):9.5f}" for share in (0.5, 0.99, 1))
            print(f"{title:40} {len(files):4} {others:6} {names:6} {sizes}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", action="store_true", help="compare the released graphs with PyTorch instead")
    parser.add_argument("--mirror", action="store_true", help="compare pictures with their mirror images instead")
    parser.add_argument("other", type=Path, nargs="?", help="a checkout of the version before")
    parser.add_argument("data", type=Path, nargs="?", help="folder with aasce2019, lateral_films and mr_sagittal")
    parser.add_argument("--precision", choices=("32-true", "bf16-true"), help="of this checkout's readings")
    parser.add_argument("--count", type=int, default=12, help="pictures of each set")
    args = parser.parse_args()
    if args.mirror:
        mirror(args.data or args.other, args.count)
        return
    if args.torch:
        by_torch(args.data or args.other, args.count)
        return
    if args.other is None:
        parser.error("give a checkout of the version before")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sets = write_phantoms(folder, args.count) | (real(args.data, args.count) if args.data else {})
        print(f"{'set':40} read one only counts  names  views median px   99 % px   most px  most deg")
        more = ["--precision", args.precision] if args.precision else []
        for number, (title, (files, view)) in enumerate(sets.items()):
            before = predict(args.other.resolve(), files, view, folder / f"{number}-before")
            after = predict(HERE, files, view, folder / f"{number}-after", *more)
            print(f"{title:40} {compare(before, after, files)}", flush=True)


if __name__ == "__main__":
    main()
