"""One fair table: every network of slices on the same lesions with the same budget.

``python benchmarks/segmentation_table.py OUT [--data phantoms|FOLDER] [--minutes 4] [--networks spin,unet]``

Each network is trained in a process of its own for ``--minutes`` of training steps (or ``--iterations``, whichever ends
first), with the same cases, slices, batches and seed. Recipe ``common``: the same neighbouring slices, loss, optimiser
and rate for all; ``published``: each network's own. The weights that are best on the validation part are kept (the last
where there is none) and tested on volumes none of them has seen. Rows are written as they finish, to ``OUT/rows``; the
same command goes on where it was stopped and prints the table at the end.

A folder is any data set of lesions that ``spinetk segment`` reads, dealt out by patient. Data of few patients is for
``published.py lesions --leave-one-out``, which tests every patient once.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

NETWORKS = ("spin", "unet", "unet-half", "dunet", "clcinet", "kiunet", "xnet", "monai-unet", "monai-attention-unet")
PHANTOM = {"shape": (24, 96, 80), "spacing_mm": (5.5, 1.9, 1.9), "radius_mm": (1.2, 6.0)}
PHANTOMS = {"train": 24, "val": 3, "test": 6}
COMMON = {"loss": "cross-entropy-dice", "rate": 1e-3}
CHECKS = (0.4, 0.6, 0.8, 1.0)
Case = tuple[str, np.ndarray, np.ndarray, tuple[float, ...]]


def read_cases(chosen: argparse.Namespace) -> dict[str, list[Case]]:
    """(name, values, mask, spacing) of every part."""
    if chosen.data == "phantoms":
        from spinetk.phantoms.lesion import lesion_volume

        parts: dict[str, list[Case]] = {}
        seed = 1_000 * (chosen.seed + 1)
        for part, count in PHANTOMS.items():
            drawn = [lesion_volume(seed + k, **PHANTOM) for k in range(max(1, round(count * chosen.cases)))]
            parts[part] = [(f"{part}-{k}", b.values, b.mask, b.spacing_mm) for k, b in enumerate(drawn)]
            seed += 100_000
        return parts
    from spinetk.segmentation.data.layouts import find_cases
    from spinetk.segmentation.data.parts import deal

    _, found = find_cases(chosen.data, "lesion", contrast=chosen.contrast)
    read: dict[str, list[Case]] = {}
    for part, cases in deal(found.cases, seed=chosen.seed).items():
        volumes = [(case.name, *case.read()) for case in cases]
        read[part] = [(name, v.values.astype(np.float32), mask, v.spacing_mm) for name, v, mask in volumes]
    return read


def draw_batch(dataset: Any, order: Any, chosen: argparse.Namespace) -> tuple[Any, Any]:
    """The next batch, cut to ``--crop`` about a pixel of the lesion (about any pixel in a slice without one)."""
    from spinetk.segmentation.slices.lesion_trainer import collate

    items = []
    for _ in range(chosen.batch):
        epoch, case = next(order)
        values, mask = dataset[(epoch, case)]
        if chosen.crop:
            rng = np.random.default_rng([chosen.seed, epoch, case, 1])
            inside = np.argwhere(mask[0] > 0)
            centre = rng.choice(inside) if len(inside) else rng.integers(0, mask.shape[1:])
            sides = [min(chosen.crop, n) for n in mask.shape[1:]]
            jitter = [int(rng.integers(-(s // 3), s // 3 + 1)) for s in sides]
            y, x = (
                int(np.clip(c - s // 2 + j, 0, n - s))
                for c, s, j, n in zip(centre, sides, jitter, mask.shape[1:], strict=True)
            )
            values, mask = values[:, y : y + sides[0], x : x + sides[1]], mask[:, y : y + sides[0], x : x + sides[1]]
        items.append((np.ascontiguousarray(values), np.ascontiguousarray(mask)))
    return collate(items)[:2]


def run_one(name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """Train and test one network; the row of the table."""
    import torch

    from spinetk.segmentation.evaluation import Evaluation
    from spinetk.segmentation.losses.choose import make_loss
    from spinetk.segmentation.metrics import count
    from spinetk.segmentation.networks.exact import exact_gradients
    from spinetk.segmentation.registry import get_entry
    from spinetk.segmentation.slices.evaluation import SmallLesions
    from spinetk.segmentation.slices.predictor import (
        SliceAugmentation,
        SliceDataset,
        SlicePredictor,
        Statistics,
        half_type,
    )
    from spinetk.training.device import channels_last, lay_out, pick_device
    from spinetk.training.sampler import EndlessSampler

    device, entry = pick_device(chosen.device), get_entry(name)
    parts = read_cases(chosen)
    statistics = Statistics.of(values for _, values, _, _ in parts["train"])
    common = chosen.recipe == "common"
    channels = chosen.channels if common else entry.form.channels
    torch.manual_seed(chosen.seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    network = channels_last(exact_gradients(entry.build(channels)).to(device)).train()
    loss_of = make_loss(COMMON["loss"] if common else entry.loss).to(device)
    peak_rate = COMMON["rate"] if common else entry.optimiser.rate
    optimiser = (get_entry("unet") if common else entry).optimiser.build(network.parameters())
    cases = [(statistics.standardise(values), mask) for _, values, mask, _ in parts["train"]]
    dataset = SliceDataset(cases, channels, augmentation=SliceAugmentation(), seed=chosen.seed)
    order = iter(EndlessSampler(len(cases), chosen.seed))
    half = half_type(device)
    spent, steps, best, kept, checks = 0.0, 0, -1.0, None, list(CHECKS)
    losses: list[float] = []
    while True:
        done = max(spent / (60 * chosen.minutes), steps / chosen.iterations)
        if checks and done >= checks[0] and parts["val"]:
            checks = [c for c in checks if c > done]
            predictor = SlicePredictor(network, channels, statistics, device, batch=chosen.batch)
            counts = [count(predictor.predict(values), mask) for _, values, mask, _ in parts["val"]]
            score = sum(counts[1:], counts[0]).scores()["dice"]
            network.train()
            print(f"{name}: {steps} steps, loss {np.mean(losses[-50:]):.3f}, validation Dice {score:.3f}", flush=True)
            if score >= best:
                best, kept = score, {k: v.detach().cpu().clone() for k, v in network.state_dict().items()}
        if done >= 1:
            break
        start = time.perf_counter()
        # Warm-up, then a cosine down to nothing at the end of the budget.
        for group in optimiser.param_groups:
            group["lr"] = peak_rate * min(1.0, (steps + 1) / 20) * 0.5 * (1 + math.cos(math.pi * done))
        values, mask = (v.to(device) for v in draw_batch(dataset, order, chosen))
        optimiser.zero_grad()
        with torch.autocast(device.type, half, enabled=half is not None):
            output = network(lay_out(values))
        loss = loss_of(output, mask)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        spent, steps = spent + time.perf_counter() - start, steps + 1
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory = torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else (after - before) / 1e3
    if kept is not None:
        network.load_state_dict(kept)
    predictor = SlicePredictor(network, channels, statistics, device, batch=chosen.batch)
    result, small = Evaluation(lesion_wise=True), SmallLesions()
    slices = sum(len(values) for _, values, _, _ in parts["test"])
    start = time.perf_counter()
    for case, values, mask, spacing in parts["test"]:
        predicted = predictor.predict(values)
        result.add(case, predicted, mask, spacing)
        small.add(predicted, mask)
    return {
        "network": name, "parameters": sum(p.numel() for p in network.parameters()),
        "channels": channels, "steps": steps, "seconds_a_step": spent / max(steps, 1), "memory_mb": memory,
        "seconds_a_slice": (time.perf_counter() - start) / slices, "validation_dice": best if kept else None,
        "tested": [row["name"] for row in result.rows], **result.summary(), "small": small.summary(),
        "device": str(device),
    }  # fmt: skip


COLUMNS = (
    ("network", lambda r: r["network"]),
    ("parameters", lambda r: f"{r['parameters']:,}"),
    ("steps", lambda r: str(r["steps"])),
    ("s/step", lambda r: f"{r['seconds_a_step']:.2f}"),
    ("MB", lambda r: f"{r['memory_mb']:.0f}"),
    ("s/slice", lambda r: f"{r['seconds_a_slice']:.3f}"),
    ("DSC mean ± sd", lambda r: f"{r['mean']['dice']:.3f} ± {r['sd']['dice']:.3f}"),
    ("IoU", lambda r: f"{r['mean']['iou']:.3f}"),
    ("precision", lambda r: f"{r['mean']['precision']:.3f}"),
    ("recall", lambda r: f"{r['mean']['recall']:.3f}"),
    ("lesion F1", lambda r: f"{r['mean']['lesion_f1']:.3f}"),
    ("DSC pooled", lambda r: f"{r['pooled']['dice']:.3f}"),
    ("small: DSC mean", lambda r: f"{r['small']['mean']['dice']:.3f}" if r["small"]["slices"] else "-"),
    ("small: DSC pooled", lambda r: f"{r['small']['pooled']['dice']:.3f}" if r["small"]["slices"] else "-"),
    ("small: lesion F1", lambda r: f"{r['small']['lesion_f1']:.3f}" if r["small"]["slices"] else "-"),
)


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown, best small lesions first."""
    rows = sorted(rows, key=lambda r: -(r["small"].get("pooled") or r["pooled"])["dice"])
    lines = ["| " + " | ".join(name for name, _ in COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(cell(row) for _, cell in COLUMNS) + " |" for row in rows]
    return "\n".join(lines)


def main() -> int:
    """Run what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", default="phantoms", help="phantoms, or a folder of volumes with lesions")
    parser.add_argument("--contrast", help="which images, where the folder has several of each patient")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--minutes", type=float, default=4.0, help="of training steps, each network")
    parser.add_argument("--iterations", type=int, default=1_000_000, help="most steps of each network")
    parser.add_argument("--recipe", choices=("common", "published"), default="common")
    parser.add_argument("--channels", type=int, default=5, help="neighbouring slices, of the common recipe")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--crop", type=int, default=0, help="side of training crops about the lesions; 0 for none")
    parser.add_argument("--cases", type=float, default=1.0, help="share of the usual number of phantoms")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--one", metavar="NETWORK", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    rows = chosen.out / "rows"
    settings = {k: v for k, v in vars(chosen).items() if k not in ("out", "networks", "one", "device")}
    if chosen.one:
        from spinetk.atomic import write_json
        from spinetk.training.memory import freed_memory_kept

        with freed_memory_kept():
            row = run_one(chosen.one, chosen)
        write_json(rows / f"{chosen.one}.json", {"settings": settings, **row})
        return 0
    failed = []
    for name in chosen.networks.split(","):
        row = rows / f"{name}.json"
        if row.exists():
            if json.loads(row.read_text())["settings"] != settings:
                print(f"{row}: made with other settings, choose another OUT", file=sys.stderr)
                return 2
            continue
        if subprocess.run([sys.executable, __file__, *sys.argv[1:], "--one", name]).returncode:
            failed.append(name)
    print(table([json.loads(path.read_text()) for path in sorted(rows.glob("*.json"))]))
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
