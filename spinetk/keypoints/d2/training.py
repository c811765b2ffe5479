"""Training on Detectron2: its ``DefaultTrainer`` with the original's solver, on our catalogs and start weights."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from spinetk import zoo
from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.keypoints.d2.checkpoint import Weights, is_detectron2, read_checkpoint, write_checkpoint
from spinetk.keypoints.d2.configuration import configure, solver
from spinetk.keypoints.d2.conversion import note_of
from spinetk.keypoints.d2.engine import require_detectron2
from spinetk.keypoints.d2.names import to_theirs
from spinetk.keypoints.d2.network import Detectron2RCNN
from spinetk.keypoints.data import upright_copies
from spinetk.keypoints.preset import R50_DETECTRON2, RECIPES, Preset, Recipe, get_recipe
from spinetk.keypoints.pretrained import RANDOM, load_start
from spinetk.keypoints.registry import get_preset, is_registered
from spinetk.keypoints.settings import KeypointSettings, load_split
from spinetk.training.device import pick_device
from spinetk.training.record import SETTINGS, fingerprint, versions

CHECKPOINTS = 2  # kept, as in our own runs: one holds 0.5 GB
UNKNOWN_HERE = ("early_stop", "best_by", "devices", "nodes", "accumulate", "compile", "only")


def train_detectron2(
    version: str,
    run: Path,
    output: Path,
    resume: bool,
    config: str | Path | Mapping[str, Any] | None,
    given: dict[str, Any],
) -> Path:
    """Train on ``vert{version}_train`` of Detectron2's catalogs, which ``setup_catalogs`` has filled.

    Network and solver are the original's (:mod:`spinetk.keypoints.d2.configuration`), in float32, with Detectron2's
    flip and choice of sizes as online augmentation. Pictures whose frame says that they lie turned, or have oblong
    pixels, are shown to it upright, from copies in the run's folder, as our own engine shows them. A resumed run goes
    on with Detectron2's weights, momentum and rate; its order of pictures starts anew, so it does not repeat an
    unbroken run bit for bit.

    Args:
        version: As given to ``setup_catalogs``.
        run: Folder of the run: Detectron2's checkpoints, ``metrics.json``, TensorBoard events, our ``settings.json``.
        output: Where ``model_final.pth`` is written, a checkpoint of Detectron2 that also names its points.
        resume: Go on from the newest checkpoint in ``run``; without one, start anew.
        config, given: As :func:`spinetk.keypoints.trainer.train` takes them. ``preset`` is ``r50-detectron2`` (``r50``
            is taken for it), ``recipe`` one with SGD and flips. ``start`` is ``random``, ``coco`` (torchvision's
            COCO person weights under Detectron2's names), ``imagenet``, or weights of spinetk or Detectron2.

    Returns:
        Path of ``model_final.pth``.

    Raises:
        InputError: Detectron2 is not installed or does not have the data set, a setting cannot be followed here, or
            the start weights cannot be used.
    """
    require_detectron2()
    from detectron2.data import DatasetCatalog
    from detectron2.utils.env import seed_all_rng

    records, schema = load_split(version, "train")
    parts = {"train": records, "val": load_split(version, "val")[0]}
    name = f"vert{version}_train"
    if not records:
        raise InputError(name, "holds no picture", "check the split: X_train is empty")
    if name not in DatasetCatalog.list():
        raise InputError(f"version {version!r}", "is not in Detectron2's catalogs", "call setup_catalogs again")
    before = _previous(run) if resume else None
    chosen, preset, recipe = _choose(before["settings"] if before and config is None else config, given)
    torch.manual_seed(chosen.seed)
    network = Detectron2RCNN(preset, schema)
    size = sum(p.numel() for p in network.parameters()) / 1e6
    weights: Weights = {}
    if before is None:
        weights, said, frozen = _start(network, chosen.start)
        for stale in [*run.glob("model_*.pth"), run / "last_checkpoint"]:
            stale.unlink(missing_ok=True)
    else:
        for what, now in (("preset", preset.name), ("schema", schema.name)):
            if before[what] != now:
                fault = f"was trained with {what} {before[what]!r}, not {now!r}"
                raise InputError(run, fault, f"continue with that {what}, or choose another version")
        said, frozen = before["start"], before["frozen_norm"]
    print(f"Detectron2, {preset.name} ({size:.1f} M parameters), {said}")
    about = {
        "engine": "detectron2", "version": version, "preset": preset.name, "schema": schema.name, "start": said,
        "frozen_norm": frozen, "solver": vars(recipe),
        "data": {part: fingerprint([r["file_name"] for r in own], [r["annotations"] for r in own])
                 for part, own in parts.items()},
        "cases": {part: list(dict.fromkeys(str(r.get("case", r["image_id"])) for r in own))
                  for part, own in parts.items()},
        "versions": versions() | {"detectron2": _version()},
    }  # fmt: skip
    write_json(run / SETTINGS, {"settings": chosen.to_json(), **about})
    configuration = configure(
        preset,
        schema,
        DATASETS={"TRAIN": (name,), "TEST": ()},
        DATALOADER={"NUM_WORKERS": chosen.workers},
        SOLVER=solver(chosen.iterations, chosen.check_every, recipe),
        OUTPUT_DIR=str(run),
        SEED=chosen.seed,
    )
    configuration.MODEL.DEVICE = pick_device(chosen.device).type
    if not frozen:  # random weights: nothing in them is worth freezing
        configuration.MODEL.RESNETS.NORM, configuration.MODEL.BACKBONE.FREEZE_AT = "BN", 0
    standing = upright_copies(records, run / "upright")
    if any(own is not record for own, record in zip(standing, records, strict=True)):
        configuration.DATASETS.TRAIN = (_registered(f"{name}_upright", standing, name),)
    seed_all_rng(chosen.seed)
    _speak(chosen.progress)
    trainer = _make_trainer(configuration)
    trainer.model.load_state_dict(weights, strict=False)
    trainer.resume_or_load(resume=before is not None)
    trainer.train()
    final = {name: tensor.cpu() for name, tensor in trainer.model.state_dict().items()}
    write_checkpoint(output / zoo.FINAL, final, note_of(preset, schema))
    return output / zoo.FINAL


def _choose(config: Any, given: dict[str, Any]) -> tuple[KeypointSettings, Preset, Recipe]:
    """Settings, network and solver; raises ``InputError`` for what Detectron2 is not asked to do."""
    settings = KeypointSettings.of(config, **given)
    default = KeypointSettings()
    for name in UNKNOWN_HERE:
        if getattr(settings, name) != getattr(default, name):
            raise InputError("engine 'detectron2'", f"does not follow setting {name!r}", "leave it out")
    if settings.precision not in {"auto", "32-true"}:
        raise InputError("engine 'detectron2'", f"does not compute in {settings.precision}", "it trains in float32")
    preset = R50_DETECTRON2 if settings.preset in {None, "r50"} else get_preset(settings.preset)
    if preset.layout != "detectron2":
        raise InputError("engine 'detectron2'", f"has no network like {preset.name!r}", "leave the preset out")
    recipe = get_recipe(settings.recipe or "original", batch=settings.batch, rate=settings.rate)
    if (recipe.optimiser, recipe.cosine, recipe.clip, recipe.augment) != ("sgd", False, 0.0, "flip"):
        raise InputError("engine 'detectron2'", f"cannot follow recipe {recipe.name!r}", "use the recipe original")
    known = {
        "preset": preset.name if is_registered(preset) else preset,
        "recipe": recipe.name if recipe.name in RECIPES else recipe,
    }
    return replace(settings, **known, batch=recipe.batch, rate=recipe.rate, precision="32-true"), preset, recipe


def _previous(run: Path) -> dict[str, Any] | None:
    """What was written about the Detectron2 run to be continued; None when there is nothing to continue."""
    path = run / SETTINGS
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        engine = content.get("engine", "torchvision")
        about = {key: content[key] for key in ("settings", "preset", "schema", "start", "frozen_norm")}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise InputError(path, "cannot be read", "start again without --resume, or under another --version") from error
    if engine != "detectron2":
        raise InputError(run, f"was trained on {engine}", "continue there, or choose another version")
    return about if (run / "last_checkpoint").is_file() else None


def _start(network: Detectron2RCNN, start: str) -> tuple[Weights, str, bool]:
    """Start weights by Detectron2's names, a sentence about them, and whether they are more than random."""
    if Path(start).suffix == ".pkl" or is_detectron2(start):
        theirs, _ = read_checkpoint(start)
        own = to_theirs(network.state_dict())
        fitting = {name: theirs[name] for name in own if name in theirs and theirs[name].shape == own[name].shape}
        return own | fitting, f"starting from {Path(start).name} ({len(fitting)} of {len(own)} tensors)", True
    said = load_start(network, start)
    return to_theirs(network.state_dict()), said, network.frozen_norm or start not in RANDOM


def _registered(name: str, records: list[Any], like: str) -> str:
    """The name of a data set of these records in Detectron2's catalogs, with the facts of another one."""
    from detectron2.data import DatasetCatalog, MetadataCatalog

    for catalog in (DatasetCatalog, MetadataCatalog):
        if name in catalog.list():
            catalog.remove(name)
    DatasetCatalog.register(name, lambda: records)
    facts = {key: value for key, value in MetadataCatalog.get(like).as_dict().items() if key != "name"}
    MetadataCatalog.get(name).set(**facts)
    return name


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


def _version() -> str:
    import detectron2

    return str(getattr(detectron2, "__version__", "unknown"))


def _speak(progress: bool) -> None:
    """Let Detectron2 log as its users know it, without the text of the whole network, or be silent."""
    logging.getLogger("detectron2.engine.defaults").setLevel(logging.WARNING)
    if not progress:
        # A logger that has a level is taken as set up; without a handler it shows warnings only.
        logging.getLogger("detectron2").setLevel(logging.INFO)
