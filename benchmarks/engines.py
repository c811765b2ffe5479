"""Our engine beside Detectron2: same cases, split, weights, network and solver; a Markdown table on standard output.

Each engine runs in a process of its own, from the same random weights (seed 0). Losses of iteration 0 are means over
draws of the regions trained on. Seconds are processor time, so that other work on the machine does not count.

    python benchmarks/engines.py CASES [--iterations 12] [--short 160] [--batch 2] [--draws 4] [--rate R] [--out FOLDER]

The preset is r50-detectron2 with the short side given, 64 sampled regions and 200 / 100 proposals.

``detectron2`` must be importable. Figures: RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

NAMES = {  # Detectron2's names of the five losses, and ours
    "loss_rpn_cls": "loss_objectness",
    "loss_rpn_loc": "loss_rpn_box_reg",
    "loss_cls": "loss_classifier",
    "loss_box_reg": "loss_box_reg",
    "loss_keypoint": "loss_keypoint",
}
OUR_BETA = 1 / 9  # of torchvision's smooth L1; Detectron2 has 0 for proposals and 0.5 for boxes


def measure(engine: str, options: argparse.Namespace) -> dict[str, Any]:
    """All figures of one engine."""
    if engine == "torchvision":
        sys.modules["detectron2"] = None  # as where it is not installed: its memory is not ours

    import torch

    from spinetk import inference, make_split, setup_catalogs, train
    from spinetk.keypoints.data import RecordDataset, collate
    from spinetk.keypoints.evaluation import evaluate
    from spinetk.keypoints.preset import ORIGINAL, R50_DETECTRON2
    from spinetk.keypoints.trainer import load_split

    sizes = {"short_px": (options.short,), "long_px": 2 * options.short}
    preset = replace(R50_DETECTRON2, **sizes, proposals=(200, 100), box_samples=64)
    rate = options.rate or ORIGINAL.rate
    recipe = replace(ORIGINAL, batch=options.batch, rate=rate, warmup=max(1, options.iterations // 4))
    setup_catalogs("engines", *make_split(options.cases)[:3])
    records, schema = load_split("engines", "train")
    batch = collate([RecordDataset(records, schema, preset)[index] for index in range(options.batch)])
    figures: dict[str, Any] = {}
    betas = (None, OUR_BETA) if engine == "detectron2" else (None,)
    for beta in betas:
        torch.manual_seed(0)
        losses = losses_of(engine, preset, schema, batch, beta)
        figures["losses" if beta is None else "losses at our beta"] = mean_losses(losses, options.draws)
        if beta is None:
            figures["training s/image"] = seconds_per_step(losses) / options.batch
    output = Path(options.out) / engine
    weights = train(
        "engines", options.iterations, output=output, engine=engine, preset=preset, recipe=recipe, start="scratch",
        check_every=options.iterations, precision="32-true", device="cpu", progress=False,
    )  # fmt: skip
    predictor = inference(weights, 0.6, engine=engine, device="cpu")
    began = time.process_time()
    scores = evaluate(options.cases, "test", predictor, output / "evaluation", worst=0, progress=False)
    figures["evaluation s/image"] = (time.process_time() - began) / len(scores["cases"])
    figures["scores"] = {key: value for key, value in scores.items() if key != "cases"}
    figures["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def losses_of(engine: str, preset: Any, schema: Any, batch: Any, beta: float | None) -> Any:
    """A network of random weights (seed 0) in training mode; returns a function that computes its losses on a batch."""
    import torch

    from spinetk.keypoints.registry import build

    ours = build(preset, schema)
    if engine == "torchvision":
        ours.train()
        return lambda: ours.losses(*batch), ours
    from detectron2.modeling import build_model
    from detectron2.structures import Boxes, Instances, Keypoints
    from detectron2.utils.events import EventStorage

    from spinetk.keypoints.d2.configuration import configure
    from spinetk.keypoints.d2.names import to_theirs

    configuration = configure(preset, schema)
    configuration.MODEL.DEVICE = "cpu"
    configuration.MODEL.RESNETS.NORM, configuration.MODEL.BACKBONE.FREEZE_AT = "BN", 0
    if beta is not None:
        configuration.MODEL.RPN.SMOOTH_L1_BETA = configuration.MODEL.ROI_BOX_HEAD.SMOOTH_L1_BETA = beta
    model = build_model(configuration)
    model.load_state_dict(to_theirs(ours.state_dict()), strict=False)
    model.train()
    inputs = []
    for picture, target in zip(*batch, strict=True):
        truth = Instances(tuple(picture.shape[1:]))
        truth.gt_boxes, truth.gt_keypoints = Boxes(target["boxes"]), Keypoints(target["keypoints"])
        truth.gt_classes = torch.zeros(len(target["boxes"]), dtype=torch.int64)
        inputs.append({"image": picture.flip(0) * 255, "instances": truth})

    def compute() -> dict[str, Any]:
        with EventStorage():
            return {NAMES[name]: value for name, value in model(inputs).items()}

    return compute, model


def mean_losses(losses: Any, draws: int) -> dict[str, float]:
    """Mean of each loss over draws of the regions; nothing is learnt in between."""
    import torch

    compute, _ = losses
    with torch.no_grad():
        drawn = [compute() for _ in range(draws)]
    return {name: sum(float(d[name]) for d in drawn) / draws for name in drawn[0]}


def seconds_per_step(losses: Any, steps: int = 1) -> float:
    """Processor seconds of forward, backward and an SGD step."""
    import torch

    compute, network = losses
    optimiser = torch.optim.SGD(network.parameters(), 1e-5, momentum=0.9)
    began = time.process_time()
    for _ in range(steps):
        optimiser.zero_grad()
        sum(compute().values()).backward()
        optimiser.step()
    return (time.process_time() - began) / steps


def table(found: dict[str, dict[str, Any]]) -> str:
    """Markdown of both engines' figures."""
    ours, theirs = found["torchvision"], found["detectron2"]
    lines = ["| | torchvision | detectron2 | detectron2, our beta |", "|---|---|---|---|"]
    for name in ours["losses"]:
        row = (ours["losses"][name], theirs["losses"][name], theirs["losses at our beta"][name])
        lines.append(f"| iteration 0, {name} | " + " | ".join(f"{value:.4f}" for value in row) + " |")
    for name in ("training s/image", "evaluation s/image", "peak MiB"):
        lines.append(f"| {name} | {ours[name]:.3g} | {theirs[name]:.3g} | |")
    for name, value in ours["scores"].items():
        if not isinstance(value, str | list | dict) and name not in {"threshold"}:
            lines.append(f"| {name} | {value} | {theirs['scores'][name]} | |")
    return "\n".join(lines)


def main() -> None:
    """Run both engines, or with ``--only`` one of them here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases")
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--short", type=int, default=160, help="short side of the network's input, px")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--rate", type=float, default=0.0, help="learning rate; the original's without it")
    parser.add_argument("--out", default=None)
    parser.add_argument("--only", choices=("torchvision", "detectron2"))
    options = parser.parse_args()
    if options.only:
        figures = measure(options.only, options)
        (Path(options.out) / f"{options.only}.json").write_text(json.dumps(figures, indent=1))
        return
    with tempfile.TemporaryDirectory() as temporary:
        out = options.out or temporary
        Path(out).mkdir(parents=True, exist_ok=True)
        found = {}
        for engine in ("torchvision", "detectron2"):
            arguments = [
                f"--{name}={getattr(options, name)}" for name in ("iterations", "short", "batch", "draws", "rate")
            ]
            arguments += [f"--out={out}", f"--only={engine}"]
            subprocess.run([sys.executable, __file__, options.cases, *arguments], check=True)
            found[engine] = json.loads((Path(out) / f"{engine}.json").read_text())
        print(table(found))


if __name__ == "__main__":
    main()
