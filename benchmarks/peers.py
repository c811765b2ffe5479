"""What a user would take instead of a released model: other makers' networks, trained and judged on the same films.

python benchmarks/peers.py CASES OUT [--minutes 15] [--peer yolo11n-pose] [--peer r50-fpn] [--films N] [--ours xray-ap]

CASES is a case folder with the split the model was trained with. Each peer (Ultralytics YOLO11n-pose, torchvision's
Keypoint R-CNN R50-FPN) is installed from the package registry into an environment of its own, OUT/env-PEER (one that
is there is taken as it is), and runs there, by ``benchmarks/peer_worker.py``. It begins with random weights, for
pretrained ones are no packages, and is trained for so many minutes of processor on the films that the release was
trained on, its rates falling as its makers let them fall; our network, too, from random weights
(``benchmarks/peer_ours.py``). What is trained for these minutes is kept in OUT and not trained again. Detections are
put in order from head to foot; the least score is the best for the films it is then judged on, which is kind to a peer;
ours is at 0.6, as it is used, the release and the network of the same minutes both calibrated on these films.

Seconds of processor, which others on the machine change little: cold is a process of its own from start to end on one
film (ours: ``spinetk predict`` with JSON and overlay); warm is file to points within one process, median. Ask for one
thread (OMP_NUM_THREADS=1), so that they are seconds by the clock on a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from landmarks import compare, in_schema

from spinetk.atomic import write_json, write_text
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.splitting import make_split
from spinetk.formats.record import reading_of
from spinetk.images import read_picture, to_uint8
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.reading import Reading, Vertebra

WORKER = Path(__file__).with_name("peer_worker.py")
OURS = Path(__file__).with_name("peer_ours.py")
AT_ONCE = 2  # trainings
HEAD = (
    "| | trained | threshold | found | complete | duplicates | false | point error, % of height | Cobb SMAPE | "
    "s cold | s warm |\n|---|---|---|---|---|---|---|---|---|---|---|"
)
PACKAGES = {"yolo11n-pose": ("ultralytics",), "r50-fpn": ("torch", "torchvision")}
THRESHOLDS = np.linspace(0.05, 0.95, 19)
COLD = 3  # processes


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    minutes: str
    threshold: float
    figures: dict[str, float]
    cold: float
    warm: float


def write_set(cases: Path, out: Path) -> dict[str, Reading]:
    """Pictures, ``set.json`` and Ultralytics' layout; the truths of the val part by file."""
    x_train, x_val, x_test, *_ = make_split(cases)
    flags = CaseFolder(cases).metadata()
    named = {"train": [case for case in (*x_train.index, *x_test.index) if not flags.get(case, {}).get("qc_flags")]}
    named["val"] = list(x_val.index)
    films, truths = [], {}
    for part, index in named.items():
        (out / "images" / part).mkdir(parents=True, exist_ok=True)
        (out / "labels" / part).mkdir(parents=True, exist_ok=True)
        for number, record in enumerate(CaseFolder(cases).records(index, augmented=False)[0]):
            truth, picture = reading_of(record), out / "images" / part / f"{number:04d}.png"
            if not picture.exists():
                cv2.imwrite(str(picture), to_grey(read_pixels(record)))
            points = np.stack([vertebra.points for vertebra in truth.vertebrae])
            size = np.array([truth.width, truth.height])
            low, high = points.min(1) / size, points.max(1) / size
            boxes = np.concatenate([(low + high) / 2, high - low], 1).clip(0, 1)
            seen = np.concatenate([points / size, np.full_like(points[..., :1], 2)], -1).reshape(len(points), -1)
            lines = [" ".join(f"{v:.6f}" for v in (*box, *own)) for box, own in zip(boxes, seen, strict=True)]
            write_text(out / "labels" / part / f"{number:04d}.txt", "".join(f"0 {line}\n" for line in lines))
            file = str(picture.relative_to(out))
            films.append({"part": part, "file": file, "bodies": points.tolist()})
            if part == "val":
                truths[file] = truth
    write_json(out / "set.json", films)
    yaml = f"path: {out.resolve()}\ntrain: images/train\nval: images/val\nkpt_shape: [4, 3]\n"
    write_text(out / "data.yaml", f"{yaml}flip_idx: [1, 0, 3, 2]\nnames: {{0: vertebra}}\n")
    return truths


def environment(peer: str, out: Path) -> Path:
    """Python of a peer's own environment, made where there is none."""
    python = out / f"env-{peer}" / "bin" / "python"
    if not python.exists():
        venv.create(python.parents[1], with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES[peer]], check=True)
    return python.absolute()


def reading_from(found: dict[str, list], truth: Reading, least: float) -> Reading:
    """A peer's detections in order from head to foot."""
    bodies = [Vertebra.from_points(np.array(points), np.ones(len(truth.schema), bool), score=score)
              for points, score in zip(found["points"], found["scores"], strict=True) if score >= least]  # fmt: skip
    ordered = sorted(bodies, key=lambda body: float(body.centre[1]))
    return Reading(truth.file, truth.height, truth.width, truth.schema, ordered, truth.frame, truth.view)


def children() -> float:
    """Seconds of processor of all processes started and ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def call(peer: str, out: Path, what: str, run: Path, *arguments: str) -> float:
    """Run the peer's worker; seconds of processor."""
    (out / "settings").mkdir(exist_ok=True)
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environ |= {"YOLO_CONFIG_DIR": str((out / "settings").absolute()), "YOLO_OFFLINE": "true"}
    start = children()
    command = [environment(peer, out), WORKER.absolute(), what, peer, (out / "set").absolute(), run.absolute()]
    subprocess.run([*command, *arguments], check=True, env=environ, cwd=out, stdout=sys.stderr)
    return children() - start


def run_of(name: str, out: Path, minutes: float) -> Path:
    """Folder of what is trained for so long."""
    return out / f"run-{name}-{minutes:g}"


def said(run: Path) -> str:
    """For how long it was trained."""
    trained = json.loads((run / "trained.json").read_text(encoding="utf-8"))
    return f"{trained['minutes']:.0f} min, {trained['films']} films"


def train_ours(cases: Path, run: Path, minutes: float) -> None:
    """Our network from random weights."""
    subprocess.run([sys.executable, OURS, cases, run, "--minutes", str(minutes)], check=True, stdout=sys.stderr)


def peer_row(peer: str, out: Path, run: Path, truths: dict[str, Reading], films: int) -> Row:
    """Predict, judge."""
    answer = (run / "found.json").absolute()
    call(peer, out, "predict", run, str(answer), "--films", str(films))
    found = json.loads(answer.read_text(encoding="utf-8"))
    one = (run / "one.json").absolute()
    cold = [call(peer, out, "predict", run, str(one), "--films", "1") for _ in range(COLD)]
    tried = []
    for least in THRESHOLDS:
        readings = [reading_from(found[file], truths[file], least) for file in found]
        figures = compare(readings, [truths[file] for file in found])
        worth = figures["vertebrae"] - figures["missed"] - figures["false"] - figures["duplicated"]
        tried.append((worth, float(least), figures))
    _, least, figures = max(tried, key=lambda entry: entry[:2])
    warm = statistics.median(own["seconds"] for own in list(found.values())[1:])
    return Row(peer, said(run), least, figures, statistics.median(cold), warm)


def our_row(name: str, trained: str, model: str | Path, out: Path, truths: dict[str, Reading]) -> Row:
    """One of our models, as it is used."""
    predictor, readings, seconds = Predictor.load(model), [], []
    for file, truth in truths.items():
        start = time.process_time()
        picture = read_picture(out / "set" / file)
        found = predictor.read(to_uint8(picture.pixels, picture.padding), frame=truth.frame, view=truth.view)
        seconds.append(time.process_time() - start)
        readings.append(in_schema(found, truth.schema))
    cold = []
    for _ in range(COLD):
        with tempfile.TemporaryDirectory() as folder:
            command = ["-m", "spinetk", "predict", str(out / "set" / next(iter(truths))), "-o", folder]
            command += ["--view", "ap", "--model", str(model)]
            start = children()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
            cold.append(children() - start)
    figures = compare(readings, list(truths.values()))
    return Row(name, trained, predictor.threshold, figures, statistics.median(cold),
               statistics.median(seconds[1:]))  # fmt: skip


def line(row: Row) -> str:
    """Markdown."""
    f = row.figures
    found, share = 100 * (1 - f["missed"] / f["vertebrae"]), f.get("median_percent_of_height")
    cells = (
        row.name, row.minutes, f"{row.threshold:.2f}", f"{found:.1f} %", f"{f['complete']:.0f} of {f['pictures']:.0f}",
        f"{f['duplicated']:.0f}", f"{f['false']:.0f}", "-" if share is None else f"{share:.1f} %",
        f"{f['cobb_smape_percent']:.1f} %", f"{row.cold:.2f}", f"{row.warm:.2f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--peer", choices=tuple(PACKAGES), action="append", help="by default both")
    parser.add_argument("--films", type=int, default=10_000, help="judge the peers on so many films of the part")
    parser.add_argument("--ours", default="xray-ap")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    truths = write_set(options.cases, options.out / "set")
    peers, minutes = options.peer or list(PACKAGES), options.minutes
    runs = {name: run_of(name, options.out, minutes) for name in (*peers, "ours")}
    for peer in peers:
        environment(peer, options.out)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(train_ours, options.cases, runs["ours"], minutes)]
        waiting += [pool.submit(call, p, options.out, "train", runs[p], "--minutes", str(minutes)) for p in peers]
        for training in waiting:
            training.result()
    rows: list[Row] = []

    def add(row: Row) -> None:
        rows.append(row)
        write_text(options.out / "table.md", "\n".join([HEAD, *map(line, rows), ""]))

    add(our_row(options.ours, "see its card", options.ours, options.out, truths))
    add(our_row("ours, random start", said(runs["ours"]), runs["ours"] / "ours.safetensors", options.out, truths))
    for peer in peers:
        add(peer_row(peer, options.out, runs[peer], truths, options.films))
    print((options.out / "table.md").read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    main()
