"""Training by version name, as the original's ``train(version, 1300, True)``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from spinetk import __version__, zoo
from spinetk.atomic import write_json
from spinetk.cases.catalog import DatasetCatalog, MetadataCatalog
from spinetk.errors import InputError
from spinetk.keypoints.build import build
from spinetk.keypoints.data import RecordDataset, collate
from spinetk.keypoints.module import KeypointTraining
from spinetk.keypoints.preset import Preset, Recipe, get_preset, get_recipe
from spinetk.keypoints.start import load_start
from spinetk.schema import KeypointSchema
from spinetk.training.device import pick_device
from spinetk.training.fit import Fit, fit
from spinetk.training.quiet import quiet
from spinetk.training.sampler import EndlessSampler

BEST = "model_best.pth"
SETTINGS = "settings.json"


def train(
    version: str,
    iterations: int = 1300,
    resume: bool = False,
    *,
    preset: str | Preset | None = None,
    recipe: str | Recipe | None = None,
    start: str = "auto",
    output: str | Path = "output",
    early_stop: bool = False,
    check_every: int = 100,
    batch: int | None = None,
    rate: float | None = None,
    seed: int = 0,
    workers: int = 0,
    device: str = "auto",
    precision: str = "auto",
    progress: bool = True,
) -> Path:
    """Train on the catalogs ``vert{version}_train`` and ``vert{version}_val``.

    ``train("v1", 1300, True)`` continues the run of version ``v1`` to 1300 iterations in total. The run lives in
    ``output/<version>``; the finished weights are also written to ``output/model_final.pth``. A run that was
    interrupted and is continued to the same total equals an unbroken one bit for bit (CPU). Continued to a larger
    total it does so with the ``original`` recipe only: the ``default`` rate falls over the total.

    Args:
        version: As given to ``setup_catalogs``.
        iterations: Total iterations.
        resume: Continue from the newest checkpoint of this version.
        preset: ``r50`` (the original's network) or ``fast``; by default ``r50`` on a GPU and ``fast`` on a CPU.
        recipe: ``default`` or ``original`` (solver of the original: SGD 2.5e-4, warm-up 1000, batch 2, flips only).
        start: ``auto``, ``scratch``, or weights by name or path (:func:`spinetk.keypoints.start.load_start`).
        output: Folder for runs and ``model_final.pth``.
        early_stop: Stop when the validation loss no longer falls by 10 % per 100 iterations.
        check_every: Iterations between validations and checkpoints.
        batch, rate: Override the recipe's pictures per iteration and peak learning rate.
        seed: Seed of everything random.
        workers: Processes that prepare data; results do not depend on it.
        device: ``auto``, ``cpu`` or ``cuda``.
        precision: ``auto`` or a Lightning precision such as ``32-true``.
        progress: Show a progress bar.

    Returns:
        Path of ``model_final.pth``.

    Raises:
        InputError: Unknown version, preset or recipe, no training picture, unreadable picture.
    """
    records, schema = load_split(version, "train")
    held_out, _ = load_split(version, "val")
    if not records:
        raise InputError(f"vert{version}_train", "holds no picture", "check the split: X_train is empty")
    chosen = pick_device(device)
    net = get_preset(preset or ("r50" if chosen.type == "cuda" else "fast"))
    solver = get_recipe(recipe or "default", batch=batch, rate=rate)
    run = Path(output) / _component(version)
    with quiet():
        torch.manual_seed(seed)
        network = build(net, schema)
    before = _previous(run) if resume else None
    if before is None:
        said = load_start(network, start)
    else:
        for what, now in (("preset", net.name), ("schema", schema.name)):
            if before[what] != now:
                fault = f"was trained with {what} {before[what]!r}, not {now!r}"
                raise InputError(run, fault, f"continue with that {what}, or choose another version")
        network.frozen_norm = before["frozen_norm"]
        said = before["start"]
    print(f"{net.name} ({sum(p.numel() for p in network.parameters()) / 1e6:.1f} M parameters), {said}")
    settings = {
        "version": version, "iterations": iterations, "preset": net.name, "schema": schema.name,
        "recipe": vars(solver), "start": said, "frozen_norm": network.frozen_norm,
        "seed": seed, "train": len(records), "val": len(held_out), "device": chosen.type, "precision": precision,
        "spinetk": __version__, "torch": torch.__version__,
        "cases": {"train": _cases(records), "val": _cases(held_out)},
    }  # fmt: skip
    write_json(run / SETTINGS, settings)
    module = KeypointTraining(network, solver, iterations, seed)
    training = RecordDataset(records, schema, net, solver.augment, seed)
    loader: dict[str, Any] = {"batch_size": solver.batch, "collate_fn": collate, "num_workers": workers}
    loader |= {"persistent_workers": workers > 0, "pin_memory": chosen.type == "cuda"}
    result = fit(
        module,
        lambda done: DataLoader(training, sampler=EndlessSampler(len(records), seed, done * solver.batch), **loader),
        DataLoader(RecordDataset(held_out, schema, net), **loader) if held_out else None,
        run,
        iterations=iterations,
        resume=resume,
        check_every=check_every,
        early_stop=early_stop,
        clip=solver.clip,
        device=device,
        precision=precision,
        progress=progress,
    )
    return _release(module, result, run, Path(output), version)


def _previous(run: Path) -> dict[str, Any] | None:
    """Settings of the run that is to be continued; None when there is nothing to continue."""
    if not any((run / "checkpoints").glob("[0-9]*.ckpt")):
        return None
    try:
        settings = json.loads((run / SETTINGS).read_text(encoding="utf-8"))
        return {key: settings[key] for key in ("preset", "schema", "frozen_norm", "start")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(run / SETTINGS, "cannot be read", "train anew without resume, or another version") from error


def _release(module: KeypointTraining, result: Fit, run: Path, output: Path, version: str) -> Path:
    """Write final and best weights of a run, and the final ones where the original's calls look for them."""
    network = module.network
    if result.iterations == result.resumed_from:
        # Nothing left to train: the weights are those of the checkpoint.
        newest = sorted((run / "checkpoints").glob("[0-9]*.ckpt"))[-1]
        network.load_state_dict(_network_weights(newest))
    card = {
        "spinetk": __version__,
        "config": network.config(),
        "training": {"version": version, "iterations": result.iterations, "val_loss": result.val_loss},
    }
    if result.best is not None:
        zoo.save(run / BEST, _network_weights(result.best), card)
    zoo.save(run / zoo.FINAL, network.state_dict(), card)
    zoo.save(output / zoo.FINAL, network.state_dict(), card)
    return output / zoo.FINAL


def _network_weights(checkpoint: Path) -> zoo.Weights:
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return {k.removeprefix("network."): v for k, v in content["state_dict"].items() if k.startswith("network.")}


def load_split(version: str, part: str) -> tuple[list[dict[str, Any]], KeypointSchema]:
    """Records and schema of ``vert{version}_{part}``; raises ``InputError`` when it was not set up."""
    name = f"vert{version}_{part}"
    if name not in DatasetCatalog.list():
        raise InputError(f"version {version!r}", "has no catalogs", f"call setup_catalogs({version!r}, ...) first")
    return DatasetCatalog.get(name), MetadataCatalog.get(name).schema


def _cases(records: list[dict[str, Any]]) -> list[str]:
    """Case names, each once, in order: what a later reader needs to see that no patient was in both parts."""
    return list(dict.fromkeys(str(record.get("case", record.get("image_id"))) for record in records))


def _component(version: str) -> str:
    """A version name as one safe folder name."""
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in version).strip(".")
    if not safe:
        raise InputError(f"version {version!r}", "cannot name a folder", "use letters and digits")
    return safe
