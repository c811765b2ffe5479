"""Training by version name, as the original's ``train(version, 1300, True)``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from spinetk import zoo
from spinetk._version import __version__
from spinetk.errors import InputError
from spinetk.keypoints.data import RecordDataset, collate
from spinetk.keypoints.module import KeypointTraining
from spinetk.keypoints.preset import RECIPES, Recipe, get_recipe
from spinetk.keypoints.pretrained import load_start, seen_by, train_only
from spinetk.keypoints.registry import AnyPreset, build, get_preset, is_registered, kind_of, losses_of
from spinetk.keypoints.samples import KeypointSamples
from spinetk.keypoints.settings import KeypointSettings, load_split
from spinetk.training.data import Data
from spinetk.training.device import pick_device, pick_precision
from spinetk.training.fit import Fit, fit
from spinetk.training.launch import launch
from spinetk.training.quiet import quiet
from spinetk.training.record import SETTINGS, fingerprint, known_again, write_run
from spinetk.training.saving import numbered
from spinetk.training.tuning import Advice, advise

BEST = "model_best.pth"
CALIBRATED = 100  # held-out pictures are enough for two numbers


def train(
    version: str,
    iterations: int | None = None,
    resume: bool = False,
    *,
    output: str | Path = "output",
    config: str | Path | Mapping[str, Any] | None = None,
    engine: str = "torchvision",
    **settings: Any,
) -> Path:
    """Train on the catalogs ``vert{version}_train`` and ``vert{version}_val``.

    ``train("v1", 1300, True)`` continues the run of version ``v1`` to 1300 iterations in total. The run lives in
    ``output/<version>``; the finished weights are also written to ``output/model_final.pth``. A run that was
    interrupted and is continued to the same total equals an unbroken one bit for bit (CPU). Continued to a larger
    total it does so with the ``original`` recipe only: the ``default`` rate falls over the total.

    Args:
        version: As given to ``setup_catalogs``.
        iterations: Total iterations; 1300 where neither this nor ``config`` says.
        resume: Continue from the newest checkpoint of this version, with the settings it was begun with where no
            others are given.
        output: Folder for runs and ``model_final.pth``.
        config: Settings file (JSON, TOML, YAML), or the ``settings.json`` of a run.
        engine: ``torchvision``, or ``detectron2`` where that is installed
            (:func:`spinetk.keypoints.d2.training.train_detectron2`).
        **settings: Fields of :class:`KeypointSettings`; they win over ``config``.

    Returns:
        Path of ``model_final.pth``.

    Raises:
        InputError: Unknown version, preset, recipe or setting, no training picture, unreadable picture.
    """
    if iterations is not None:
        settings["iterations"] = iterations
    run = Path(output) / _component(version)
    if engine == "detectron2":
        from spinetk.keypoints.d2.training import train_detectron2

        return train_detectron2(version, run, Path(output), resume, config, settings)
    if engine != "torchvision":
        raise InputError(f"engine {engine!r}", "is unknown", "choose torchvision or detectron2")
    chosen, network, data, about = _set_up(version, run, resume, config, settings)
    distributed = launch(chosen.devices, chosen.nodes, chosen.device)
    if distributed.first:
        size = sum(p.numel() for p in network.parameters()) / 1e6
        begun = "" if resume and numbered(run / "checkpoints") else f", {about['start']}"
        hint = " (--start imagenet begins better)" if begun.endswith("random weights") else ""
        print(f"{about['preset']} ({size:.1f} M parameters){begun}{hint}")
        write_run(run, chosen, distributed, resume=resume, **about)
    solver = get_recipe(chosen.recipe or "default", batch=chosen.batch, rate=chosen.rate)
    module = KeypointTraining(network, solver, chosen.iterations, chosen.seed, chosen.accumulate)
    samples = KeypointSamples(data.validation) if data.validation is not None and data.validates else None
    callbacks = (samples,) if samples and distributed.first else ()
    result = fit(
        module, data, run, chosen, iterations=chosen.iterations, resume=resume, clip=solver.clip, callbacks=callbacks
    )
    return _release(module, result, run, Path(output), version, about["pictures"])


def find_rate(
    version: str,
    *,
    output: str | Path = "output",
    config: str | Path | Mapping[str, Any] | None = None,
    what: str = "rate",
    **settings: Any,
) -> Advice:
    """What Lightning's finders advise for :func:`train` with the same arguments; nothing is trained.

    Args:
        version, output, config, **settings: As for :func:`train`.
        what: ``rate``, or ``batch``: the largest batch that fits into the GPU's memory.
    """
    run = Path(output) / _component(version)
    chosen, network, data, _ = _set_up(version, run, False, config, settings)
    solver = get_recipe(chosen.recipe or "default", batch=chosen.batch, rate=chosen.rate)
    return advise(KeypointTraining(network, solver, chosen.iterations, chosen.seed), data, run, chosen, what)


def settings_of_start(
    version: str, output: str | Path, resume: bool, config: str | Path | Mapping[str, Any] | None, **given: Any
) -> KeypointSettings:
    """Settings that :func:`train` takes up with these arguments, judged before a case is read.

    Raises:
        InputError: As of :func:`train`: a setting, network, recipe or device that there is not.
    """
    run = Path(output) / _component(version)
    return _resolved(_previous(run) if resume else None, config, given)[0]


def _resolved(
    before: Mapping[str, Any] | None, config: str | Path | Mapping[str, Any] | None, given: Mapping[str, Any]
) -> tuple[KeypointSettings, AnyPreset, Recipe]:
    """Settings with the network and the solver that they name, of a run that goes on or begins."""
    if config is None and before is not None:
        config = before["settings"]
    chosen = KeypointSettings.of(config, **given)
    device = pick_device(chosen.device)
    net = get_preset(chosen.preset or (before["preset"] if before else "r50" if device.type == "cuda" else "fast"))
    every, logged = (["val_loss", *(f"val/{name}" for name in losses_of(net, only))] for only in ("", chosen.only))
    if chosen.best_by not in logged:
        fault = f"is not logged by the network {net.name}"
        if chosen.best_by in every:
            fault = f"does not change where --only trains {chosen.only}"
        raise InputError(f"best_by {chosen.best_by!r}", fault, f"use {' or '.join(logged)}")
    return chosen, net, get_recipe(chosen.recipe or "default", batch=chosen.batch, rate=chosen.rate)


def _set_up(
    version: str, run: Path, resume: bool, config: str | Path | Mapping[str, Any] | None, given: dict[str, Any]
) -> tuple[KeypointSettings, Any, Data, dict[str, Any]]:
    """Resolved settings, network, data, and what is written about the run."""
    records, schema = load_split(version, "train")
    held_out, _ = load_split(version, "val")
    if not records:
        raise InputError(f"vert{version}_train", "holds no picture", "check the split: X_train is empty")
    if not any(sum(v > 0 for v in entry["keypoints"][2::3]) > 1 for own in records for entry in own["annotations"]):
        fault = "holds no vertebra with two points or more"
        raise InputError(f"vert{version}_train", fault, "a network learns where bodies are by their points")
    before = _previous(run) if resume else None
    chosen, net, solver = _resolved(before, config, given)
    chosen = replace(
        chosen,
        preset=net.name if is_registered(net) else net,
        recipe=solver.name if solver.name in RECIPES else solver,
        batch=solver.batch,
        rate=solver.rate,
        precision=pick_precision(chosen.device) if chosen.precision == "auto" else chosen.precision,
    )
    with quiet():
        torch.manual_seed(chosen.seed)
        network = build(net, schema)
    if before is None:
        said = load_start(network, chosen.start)
    else:
        now = {"preset": net.name, "schema": schema.name, "points": ", ".join(schema.keypoints)}
        # Runs of before noted the name of the schema alone.
        for what, was in ({"points": now["points"]} | before).items():
            if what in now and was != now[what]:
                fault = f"was trained with {what} {was!r}, not {now[what]!r}"
                raise InputError(run, fault, f"continue with the {what} it has, or choose another version")
        network.frozen_norm = before["frozen_norm"]
        said = before["start"]
    if chosen.only:
        train_only(network, chosen.only, chosen.start if before is None else "random")
    data = Data(
        RecordDataset(records, schema, net, solver.augment, chosen.seed),
        RecordDataset(held_out, schema, net) if held_out else None,
        solver.batch,
        collate=collate,
    )
    parts = {"train": records, "val": held_out}
    about = {
        "version": version, "preset": net.name, "schema": schema.name, "points": list(schema.keypoints),
        "start": said, "frozen_norm": network.frozen_norm, "solver": vars(solver),
        "data": {part: fingerprint([r["file_name"] for r in own], [r["annotations"] for r in own])
                 for part, own in parts.items()},
        "cases": {part: _cases(own) for part, own in parts.items()},
        "pictures": sorted({*known_again(r["file_name"] for r in records if not r.get("augmentation")),
                            *(seen_by(chosen.start) if before is None else before["pictures"])}),
    }  # fmt: skip
    return chosen, network, data, about


def _previous(run: Path) -> dict[str, Any] | None:
    """What was written about the run that is to be continued; None when there is nothing to continue."""
    if not numbered(run / "checkpoints"):
        return None
    try:
        about = json.loads((run / SETTINGS).read_text(encoding="utf-8"))
        known = {key: about[key] for key in ("preset", "schema", "frozen_norm", "start")}
        more: dict[str, Any] = {"points": ", ".join(about["points"])} if "points" in about else {}
        more["pictures"] = [str(one) for one in about.get("pictures", [])]
        return known | more | {"settings": about.get("settings", {})}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            run / SETTINGS, "cannot be read", "start again without --resume, or under another --version"
        ) from error


def _release(
    module: KeypointTraining, result: Fit, run: Path, output: Path, version: str, pictures: Sequence[str]
) -> Path:
    """Write final and best weights of a run, and the final ones where the original's calls look for them.

    They bear the digests of the pictures that they have seen, so that an evaluation on these can say so.
    """
    card = {
        "spinetk": __version__,
        "config": module.network.config(),
        "training": {
            "version": version,
            "iterations": result.iterations,
            "val_loss": result.val_loss,
            "pictures": pictures,
        },
    }
    if result.first:
        card |= _calibration(module, result, version)
        if result.best is not None:
            zoo.save(run / BEST, result.best, card)
        zoo.save(run / zoo.FINAL, result.weights, card)
        zoo.save(output / zoo.FINAL, result.weights, card)
    return output / zoo.FINAL


def _calibration(module: KeypointTraining, result: Fit, version: str) -> dict[str, Any]:
    """Scores that are no probabilities are fitted on held-out pictures, where there are any."""
    records, _ = load_split(version, "val")
    if not records or not kind_of(module.network.preset).calibrated:
        return {}
    from spinetk.keypoints.calibration import calibrate
    from spinetk.keypoints.predictor import Predictor
    from spinetk.keypoints.torch_engine import TorchEngine

    module.network.load_state_dict(result.weights)
    predictor = Predictor(TorchEngine(module.network, str(module.device)), version)
    return {"calibration": [round(value, 4) for value in calibrate(predictor, records[:CALIBRATED])]}


def _cases(records: list[dict[str, Any]]) -> list[str]:
    """Case names, each once, in order: what a later reader needs to see that no patient was in both parts."""
    return list(dict.fromkeys(str(record.get("case", record.get("image_id"))) for record in records))


def _component(version: str) -> str:
    """A version name as one safe folder name."""
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in version).strip(".")
    if not safe:
        raise InputError(f"version {version!r}", "cannot name a folder", "use letters and digits")
    return safe
