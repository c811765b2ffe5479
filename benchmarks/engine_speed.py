"""Keypoint R-CNN R50-FPN: training step and inference beside torchvision's reference loop, and Detectron2's.

    python benchmarks/engine_speed.py [--steps 3] [--batch 2] [--short 800] [--device cpu] [--threads 2]

All take the same phantoms, annotations and start weights. "ours" is the engine as `spinetk train` and `predict` run it
(channels last, bfloat16 where the hardware has it, pictures resized once and kept, own decoding); "torchvision" is its
reference: float32, pictures resized inside the network at every step, its own decoding. The column of Detectron2 is
filled where `detectron2` can be imported. Prints images/s, the ratio to the reference, and where a step's time goes.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinetk.cases.folder import CaseFolder
from spinetk.keypoints.data import RecordDataset, collate
from spinetk.keypoints.module import KeypointTraining
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.preset import ORIGINAL, R50
from spinetk.keypoints.torch_engine import TorchEngine
from spinetk.training.device import pick_precision


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--short", type=int, default=800, help="short side of the network's input in px")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    mixed = (pick_precision(options.device) if options.precision == "auto" else options.precision) == "bf16-mixed"
    preset = replace(R50, short_px=(options.short,), long_px=round(options.short * 1333 / 800))
    with tempfile.TemporaryDirectory() as folder:
        records = _phantoms(Path(folder), 4)
        network = VertebraRCNN(preset, records[1]).to(options.device)
        weights = {name: value.clone() for name, value in network.state_dict().items()}
        rows = {"ours": _ours(network, records, options, mixed), "torchvision": _reference(weights, records, options)}
        if importlib.util.find_spec("detectron2"):
            rows["detectron2"] = _detectron2(weights, preset, records, options)
    kind = "bfloat16" if mixed else "float32"
    print(f"{options.device}, {options.threads} threads, torch {torch.__version__}, ours in {kind}")
    print(f"batch {options.batch}, short side {options.short} px, median of {options.steps}")
    print(f"{'':<14}{'train images/s':>16}{'ratio':>8}{'predict images/s':>18}{'ratio':>8}{'detections':>12}")
    base = rows["torchvision"]
    for name, row in rows.items():
        print(f"{name:<14}{row['train']:>16.3f}{row['train'] / base['train']:>8.2f}"
              f"{row['predict']:>18.3f}{row['predict'] / base['predict']:>8.2f}{row['found']:>12}")  # fmt: skip
    for name, row in rows.items():
        parts = row["parts"]
        whole = sum(parts.values())
        print(f"step of {name}: " + ", ".join(f"{part} {100 * t / whole:.1f} %" for part, t in parts.items()))


def _phantoms(folder: Path, count: int) -> tuple[list[dict[str, Any]], Any]:
    from spinetk.phantoms import write_phantom_set

    write_phantom_set(folder, count, seed=11, width=512)
    cases = CaseFolder(folder)
    return cases.records(cases.cases(), augmented=False)[0], cases.schema()


def _timed(device: str, act: Callable[[], Any]) -> tuple[float, Any]:
    if device != "cpu":
        torch.cuda.synchronize()
    started = time.perf_counter()
    result = act()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - started, result


def _steps(options: Any, load: Callable, forward: Callable, optimiser: Any) -> tuple[float, dict[str, float]]:
    """Images/s of the training step, and seconds of its parts; the first step is not counted."""
    taken: list[dict[str, float]] = []
    for step in range(options.steps + 1):
        parts = {}
        parts["data"], batch = _timed(options.device, lambda step=step: load(step))
        parts["forward"], loss = _timed(options.device, lambda batch=batch: forward(batch))
        parts["backward"], _ = _timed(options.device, loss.backward)

        def move() -> None:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

        parts["optimiser"], _ = _timed(options.device, move)
        taken.append(parts)
    middle = {part: statistics.median(own[part] for own in taken[1:]) for part in taken[0]}
    return options.batch / statistics.median(sum(own.values()) for own in taken[1:]), middle


def _predictions(options: Any, count: int, predict: Callable[[int], int]) -> tuple[float, int]:
    predict(0)
    times = [_timed(options.device, lambda i=i: predict(i % count)) for i in range(options.steps)]
    return 1 / statistics.median(t for t, _ in times), statistics.median_low([found for _, found in times])


def _ours(network: VertebraRCNN, records: tuple, options: Any, mixed: bool) -> dict[str, Any]:
    data = RecordDataset(records[0], records[1], network.preset, "flip")
    for index in range(len(data)):
        data[(0, index)]  # as after the first epoch: pictures are kept
    network.train()
    module = KeypointTraining(network, ORIGINAL, 1000)
    heavy = module.heavy_part().to(memory_format=torch.channels_last)
    if options.compile:
        heavy.compile()
    optimiser = module.configure_optimizers()["optimizer"]

    def load(step: int) -> Any:
        pictures, targets = collate([data[(step, i % len(data))] for i in range(options.batch)])
        return [p.to(options.device) for p in pictures], _moved(targets, options.device)

    def forward(batch: Any) -> Any:
        with torch.autocast(options.device, torch.bfloat16, enabled=mixed):
            return sum(network.losses(*batch).values())

    train, parts = _steps(options, load, forward, optimiser)
    predictor = Predictor(TorchEngine(network, options.device), "r50", 0.0)
    pictures = [_grey(record) for record in records[0]]

    def predict(index: int) -> int:
        tensor = predictor._canvas(pictures[index]).pixels
        with torch.autocast(options.device, torch.bfloat16, enabled=mixed):
            return len(network.detect([tensor])[0]["scores"])

    network.rcnn.roi_heads.score_thresh = 0.0
    speed, found = _predictions(options, len(pictures), predict)
    return {"train": train, "parts": parts, "predict": speed, "found": found}


def _reference(weights: dict, records: tuple, options: Any) -> dict[str, Any]:
    """Torchvision's model and its reference training loop: SGD, float32, no layout, pictures read at every step."""
    from torchvision.models.detection import keypointrcnn_resnet50_fpn

    model = keypointrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_keypoints=len(records[1]), min_size=options.short,
        max_size=round(options.short * 1333 / 800), box_score_thresh=0.0,
    )  # fmt: skip
    own = {name.removeprefix("rcnn."): value for name, value in weights.items()}
    model.load_state_dict({k: v for k, v in own.items() if k in model.state_dict()}, strict=False)
    model.to(options.device).train()
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 2.5e-7, 0.9, weight_decay=1e-4)

    def item(index: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        record = records[0][index % len(records[0])]
        grey = torch.from_numpy(_grey(record)).float() / 255
        points = torch.tensor([a["keypoints"] for a in record["annotations"]]).reshape(-1, len(records[1]), 3).float()
        low, high = points[..., :2].amin(1), points[..., :2].amax(1)
        target = {"boxes": torch.cat([low, high], 1), "labels": torch.ones(len(points), dtype=torch.int64)}
        return grey.expand(3, -1, -1), target | {"keypoints": points}

    def load(step: int) -> Any:
        pictures, targets = zip(*(item(i) for i in range(options.batch)), strict=True)
        return [p.to(options.device) for p in pictures], _moved(targets, options.device)

    train, parts = _steps(options, load, lambda batch: sum(model(*batch).values()), optimiser)
    model.eval()

    @torch.inference_mode()
    def predict(index: int) -> int:
        return len(model([item(index)[0].to(options.device)])[0]["scores"])

    speed, found = _predictions(options, len(records[0]), predict)
    return {"train": train, "parts": parts, "predict": speed, "found": found}


def _detectron2(weights: dict, preset: Any, records: tuple, options: Any) -> dict[str, Any]:
    """Detectron2's own model, as its trainer and predictor call it."""
    from detectron2.modeling import build_model
    from detectron2.structures import Boxes, Instances, Keypoints
    from detectron2.utils.events import EventStorage

    from spinetk.keypoints.d2.configuration import configure
    from spinetk.keypoints.d2.names import to_theirs

    configuration = configure(preset, records[1])
    configuration.MODEL.DEVICE, configuration.MODEL.WEIGHTS = options.device, ""
    configuration.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.0  # all give their hundred best
    model = build_model(configuration).train()
    model.load_state_dict({name: value.to(options.device) for name, value in to_theirs(weights).items()}, strict=False)
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 2.5e-7, 0.9, weight_decay=1e-4)
    data = RecordDataset(records[0], records[1], preset)

    def item(index: int) -> dict[str, Any]:
        picture, target = data[index % len(data)]
        instances = Instances(tuple(picture.shape[1:]))
        instances.gt_boxes = Boxes(target["boxes"])
        instances.gt_classes = torch.zeros(len(target["boxes"]), dtype=torch.int64)
        instances.gt_keypoints = Keypoints(target["keypoints"])
        return {"image": picture * 255, "instances": instances, "height": picture.shape[1], "width": picture.shape[2]}

    with EventStorage():
        train, parts = _steps(
            options, lambda step: [item(i) for i in range(options.batch)], lambda b: sum(model(b).values()), optimiser
        )
    model.eval()

    @torch.inference_mode()
    def predict(index: int) -> int:
        return len(model([item(index)])[0]["instances"])

    speed, found = _predictions(options, len(data), predict)
    return {"train": train, "parts": parts, "predict": speed, "found": found}


def _moved(targets: Any, device: str) -> list[dict[str, torch.Tensor]]:
    return [{name: value.to(device) for name, value in target.items()} for target in targets]


def _grey(record: dict[str, Any]) -> np.ndarray:
    from spinetk.cases.folder import read_pixels
    from spinetk.keypoints.pictures import to_grey

    return to_grey(read_pixels(record))


if __name__ == "__main__":
    main()
