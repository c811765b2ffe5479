"""Training on Detectron2: its ``DefaultTrainer`` with the original's solver, on our catalogs and start weights."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import torch

from spinetk import __version__, zoo
from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.keypoints.d2.checkpoint import Weights, is_detectron2, read_checkpoint, write_checkpoint
from spinetk.keypoints.d2.configuration import configure, solver
from spinetk.keypoints.d2.engine import require_detectron2
from spinetk.keypoints.d2.names import to_theirs
from spinetk.keypoints.d2.network import Detectron2RCNN
from spinetk.keypoints.preset import ORIGINAL, R50_DETECTRON2, Preset, Recipe
from spinetk.keypoints.start import load_start
from spinetk.schema import KeypointSchema
from spinetk.training.device import pick_device

CHECKPOINTS = 2  # kept, as in our own runs: one holds 0.5 GB


def train_detectron2(
    version: str,
    records: dict[str, list[dict[str, Any]]],
    schema: KeypointSchema,
    run: Path,
    output: Path,
    *,
    iterations: int,
    resume: bool,
    recipe: Recipe = ORIGINAL,
    preset: Preset = R50_DETECTRON2,
    start: str = "auto",
    check_every: int = 100,
    seed: int = 0,
    workers: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> Path:
    """Train on ``vert{version}_train`` of Detectron2's catalogs, which ``setup_catalogs`` has filled.

    A resumed run goes on with Detectron2's weights, momentum and rate; its order of pictures starts anew, so it does
    not repeat an unbroken run bit for bit.

    Args:
        version: As given to ``setup_catalogs``.
        records: Of ``train`` and ``val``, to note the cases in ``settings.json``.
        schema: Meaning of the points.
        run: Folder of the run: Detectron2's checkpoints, ``metrics.json``, TensorBoard events.
        output: Where ``model_final.pth`` is written, a checkpoint of Detectron2 that also names its points.
        iterations: Total, previous starts included.
        resume: Go on from the newest checkpoint in ``run``; without one, start anew.
        recipe: SGD without a falling rate; the online augmentation is Detectron2's flip and choice of sizes.
        preset: A preset of layout ``detectron2``.
        start: ``auto`` (torchvision's COCO person weights, renamed), ``scratch``, or weights of spinetk or Detectron2.
        check_every: Iterations between checkpoints.
        seed, workers, device, progress: As in :func:`spinetk.keypoints.trainer.train`.

    Returns:
        Path of ``model_final.pth``.

    Raises:
        InputError: Detectron2 is not installed, or does not have the data set; the start weights cannot be used.
    """
    require_detectron2()
    from detectron2 import __version__ as detectron2_version
    from detectron2.data import DatasetCatalog
    from detectron2.utils.env import seed_all_rng

    name = f"vert{version}_train"
    if name not in DatasetCatalog.list():
        raise InputError(f"version {version!r}", "is not in Detectron2's catalogs", "call setup_catalogs again")
    before = _previous(run) if resume else None
    if before is None:
        for stale in [*run.glob("model_*.pth"), run / "last_checkpoint"]:
            stale.unlink(missing_ok=True)
    torch.manual_seed(seed)
    network = Detectron2RCNN(preset, schema)
    if before is None:
        weights, said, frozen = _start(network, start)
    else:
        weights, said, frozen = {}, before["start"], before["frozen_norm"]
    print(f"Detectron2, {preset.name} ({sum(p.numel() for p in network.parameters()) / 1e6:.1f} M parameters), {said}")
    del network
    cases = {part: list(dict.fromkeys(str(r.get("case", r["image_id"])) for r in own)) for part, own in records.items()}
    write_json(
        run / "settings.json",
        {
            "engine": "detectron2", "version": version, "iterations": iterations, "preset": preset.name,
            "schema": schema.name, "recipe": vars(recipe), "start": said, "frozen_norm": frozen, "seed": seed,
            **{part: len(own) for part, own in records.items()}, "device": pick_device(device).type,
            "spinetk": __version__, "torch": torch.__version__, "detectron2": detectron2_version, "cases": cases,
        },
    )  # fmt: skip
    configuration = configure(
        preset,
        schema,
        DATASETS={"TRAIN": (name,), "TEST": ()},
        DATALOADER={"NUM_WORKERS": workers},
        SOLVER=solver(iterations, check_every, recipe),
        OUTPUT_DIR=str(run),
        SEED=seed,
    )
    configuration.MODEL.DEVICE = pick_device(device).type
    if not frozen:  # random weights: nothing in them is worth freezing
        configuration.MODEL.RESNETS.NORM, configuration.MODEL.BACKBONE.FREEZE_AT = "BN", 0
    seed_all_rng(seed)
    _speak(progress)
    trainer = _make_trainer(configuration)
    if before is None:
        trainer.model.load_state_dict(weights, strict=False)
    trainer.resume_or_load(resume=before is not None)
    trainer.train()
    note = {"version": __version__, "schema": schema.to_json()}
    final = {name: tensor.cpu() for name, tensor in trainer.model.state_dict().items()}
    write_checkpoint(output / zoo.FINAL, final, note)
    return output / zoo.FINAL


def _make_trainer(configuration: Any) -> Any:
    from detectron2.engine import DefaultTrainer
    from detectron2.engine.hooks import PeriodicCheckpointer

    class Trainer(DefaultTrainer):
        def build_hooks(self) -> list[Any]:
            hooks = super().build_hooks()
            for hook in hooks:
                if isinstance(hook, PeriodicCheckpointer):
                    hook.max_to_keep = CHECKPOINTS
            return hooks

    return Trainer(configuration)


def _previous(run: Path) -> dict[str, Any] | None:
    """Settings of the Detectron2 run that is to be continued; None when there is nothing to continue."""
    settings = run / "settings.json"
    if not settings.is_file():
        return None
    try:
        content = json.loads(settings.read_text(encoding="utf-8"))
        engine = content.get("engine", "torchvision")
        kept = {key: content[key] for key in ("start", "frozen_norm")}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise InputError(settings, "cannot be read", "train anew without resume, or another version") from error
    if engine != "detectron2":
        raise InputError(run, f"was trained on {engine}", "continue there, or choose another version")
    return kept if (run / "last_checkpoint").is_file() else None


def _start(network: Detectron2RCNN, start: str) -> tuple[Weights, str, bool]:
    """Start weights by Detectron2's names, a sentence about them, and whether batch norms are kept as they are."""
    if Path(start).suffix == ".pkl" or is_detectron2(start):
        theirs, _ = read_checkpoint(start)
        own = to_theirs(network.state_dict())
        fitting = {name: theirs[name] for name in own if name in theirs and theirs[name].shape == own[name].shape}
        return own | fitting, f"starting from {Path(start).name} ({len(fitting)} of {len(own)} tensors)", True
    said = load_start(network, start)
    known = network.frozen_norm or start not in {"auto", "scratch"}
    return to_theirs(network.state_dict()), said, known


def _speak(progress: bool) -> None:
    """Let Detectron2 log as its users know it, without the text of the whole network, or be silent."""
    logging.getLogger("detectron2.engine.defaults").setLevel(logging.WARNING)
    if not progress:
        # A logger that has a level is taken as set up; without a handler it shows warnings only.
        logging.getLogger("detectron2").setLevel(logging.INFO)
