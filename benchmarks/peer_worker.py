"""A peer's part of ``benchmarks/peers.py``: run by the Python of the peer's own environment, nothing of spinetk in it.

python peer_worker.py train PEER SET RUN --minutes 15
python peer_worker.py predict PEER SET RUN OUT.json [--films N]

PEER is ``yolo11n-pose`` (Ultralytics) or ``r50-fpn`` (torchvision's Keypoint R-CNN), both as their makers build them,
from random weights. SET is what peers.py writes. Training stops after so many minutes of processor, for which its
schedule is made; RUN/weights.pt and RUN/trained.json are what it leaves. Where they are there, it is not repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

SHORT_PX, LONG_PX = 512, 1024  # what the released model sees
YOLO_PX = 640  # its default
WEIGHTS = "weights.pt"
LEAST = 0.01  # score of a detection that is written: which are kept is decided later
MIRRORED = [1, 0, 3, 2]  # corners of a mirrored body
BATCH = {"yolo11n-pose": 8, "r50-fpn": 2}
Films = list[dict[str, Any]]


def films_of(folder: Path, part: str) -> Films:
    """Entries of set.json of a part: file, and bodies (17, 4, 2) px."""
    return [film for film in json.loads((folder / "set.json").read_text(encoding="utf-8")) if film["part"] == part]


def train_yolo(folder: Path, run: Path, minutes: float) -> int:
    """Ultralytics' own trainer, its defaults; films are not put into squares (rect), which is kind to long ones."""
    from ultralytics import YOLO

    seen, start = 0, 0.0

    class TimeUpError(Exception):
        """The minutes are used up: the trainer's own limit would count the time of others on the machine."""

    def begin(trainer: Any) -> None:
        nonlocal start
        start = time.process_time()

    def schedule(trainer: Any) -> None:
        """Epochs for these minutes, as its own limit (``time``) sets them, one more so that it never ends by itself."""
        epoch = (time.process_time() - start) / (trainer.epoch + 1)
        trainer.epochs = trainer.args.epochs = math.ceil(60 * minutes / epoch) + 1
        trainer._setup_scheduler()
        trainer.scheduler.last_epoch = trainer.epoch

    def count(trainer: Any) -> None:
        nonlocal seen
        seen += BATCH["yolo11n-pose"]
        if time.process_time() - start > 60 * minutes:
            trainer.metrics, trainer.fitness = trainer.metrics or {}, trainer.fitness or 0.0
            trainer.save_model()
            shutil.copy(trainer.last, run / WEIGHTS)
            raise TimeUpError

    model = YOLO("yolo11n-pose.yaml")
    model.add_callback("on_train_start", begin)
    model.add_callback("on_train_epoch_end", schedule)
    model.add_callback("on_train_batch_end", count)
    with contextlib.suppress(TimeUpError):
        model.train(
            data=str(folder / "data.yaml"), imgsz=YOLO_PX, rect=True, batch=BATCH["yolo11n-pose"], epochs=100,
            device="cpu", workers=0, pretrained=False, val=False, plots=False, seed=0, project=str(run),
            name="yolo", exist_ok=True,
        )  # fmt: skip
    return seen


def yolo_predictor(run: Path) -> Callable[[Path], tuple[Any, Any]]:
    """A film's file to points (N, 4, 2) px and scores (N,)."""
    from ultralytics import YOLO

    model = YOLO(str(run / WEIGHTS))

    def predict(file: Path) -> tuple[Any, Any]:
        found = model.predict(str(file), imgsz=YOLO_PX, conf=LEAST, max_det=100, device="cpu", verbose=False)[0]
        return found.keypoints.xy.numpy()[: len(found.boxes)], found.boxes.conf.numpy()

    return predict


def r50() -> Any:
    """Torchvision's network, random."""
    from torchvision.models.detection import keypointrcnn_resnet50_fpn

    return keypointrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=2, num_keypoints=4, min_size=SHORT_PX, max_size=LONG_PX
    )


def tensor_of(file: Path) -> Any:
    """(3, H, W) in 0..1."""
    from torchvision.io import ImageReadMode, read_image

    return read_image(str(file), ImageReadMode.RGB).float() / 255


def drawn(folder: Path, films: Films, seed: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Films and targets in random order without end, every other one mirrored."""
    import torch

    random = torch.Generator().manual_seed(seed)
    while True:
        for place in torch.randperm(len(films), generator=random).tolist():
            picture, points = tensor_of(folder / films[place]["file"]), torch.tensor(films[place]["bodies"])
            if torch.rand((), generator=random) < 0.5:
                picture, points = picture.flip(-1), points[:, MIRRORED]
                points[..., 0] = picture.shape[-1] - points[..., 0]
            boxes = torch.cat([points.amin(1), points.amax(1)], 1)
            ones = torch.ones_like(points[..., :1])
            labels = torch.ones(len(points), dtype=torch.int64)
            yield picture, {"boxes": boxes, "labels": labels, "keypoints": torch.cat([points, ones], -1)}


def train_r50(folder: Path, run: Path, minutes: float) -> int:
    """SGD as in torchvision's reference training: momentum 0.9, decay 1e-4, warm-up, a tenth of the rate after 36 of 46
    parts and again after 43; the rate for a batch of two.
    """
    import torch

    films = films_of(folder, "train")
    start, step = time.process_time(), 0
    torch.manual_seed(0)
    model = r50().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0025, momentum=0.9, weight_decay=1e-4)
    source = drawn(folder, films, seed=0)
    while (share := (time.process_time() - start) / (60 * minutes)) < 1:
        pictures, targets = zip(*(next(source) for _ in range(BATCH["r50-fpn"])), strict=True)
        for group in optimizer.param_groups:
            group["lr"] = 0.0025 * min(1.0, (step + 1) / 50) * 0.1 ** ((share > 36 / 46) + (share > 43 / 46))
        losses = model(list(pictures), list(targets))
        optimizer.zero_grad()
        loss = sum(losses.values())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        step += 1
        print(step, {name: round(float(value), 3) for name, value in losses.items()}, flush=True)
    torch.save({"model": model.state_dict()}, run / WEIGHTS)
    return step * BATCH["r50-fpn"]


def r50_predictor(run: Path) -> Callable[[Path], tuple[Any, Any]]:
    """A film's file to points (N, 4, 2) px and scores (N,)."""
    import torch

    model = r50().eval()
    model.load_state_dict(torch.load(run / WEIGHTS, weights_only=True)["model"])

    def predict(file: Path) -> tuple[Any, Any]:
        with torch.inference_mode():
            found = model([tensor_of(file)])[0]
        return found["keypoints"][..., :2].numpy(), found["scores"].numpy()

    return predict


PACKAGES = {"yolo11n-pose": ("ultralytics", "torch"), "r50-fpn": ("torch", "torchvision")}
PEERS = {"yolo11n-pose": (train_yolo, yolo_predictor), "r50-fpn": (train_r50, r50_predictor)}


def main() -> None:
    """Train until the minutes are used up, or predict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("train", "predict"))
    parser.add_argument("peer", choices=tuple(PEERS))
    parser.add_argument("set", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--films", type=int, help="predict only so many")
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    train, predictor = PEERS[options.peer]
    note = options.run / "trained.json"
    if options.what == "train":
        if not note.exists():
            films = train(options.set, options.run, options.minutes)
            versions = {name: version(name) for name in PACKAGES[options.peer]}
            note.write_text(json.dumps({"minutes": options.minutes, "films": films, "versions": versions}))
        return
    predict, found = predictor(options.run), {}
    for film in films_of(options.set, "val")[: options.films]:
        start = time.process_time()
        points, scores = predict(options.set / film["file"])
        seconds = time.process_time() - start
        found[film["file"]] = {"points": points.tolist(), "scores": scores.tolist(), "seconds": seconds}
    options.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
