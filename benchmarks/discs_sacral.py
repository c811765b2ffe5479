"""Teach ``discs-t2w`` the disc L5/S1, and contrasts other than that of T2.

python benchmarks/discs_sacral.py PREPARED RUN [--model discs-t2w] [--iterations 1500] [--rate 3e-4] [--resume]
python benchmarks/discs_sacral.py RUN/believed RUN2 --model RUN/model_best.pth --iterations 500 --rate 2e-4
spinetk discs train RUN/believed -o POINTS --points-of RUN/model_best.pth

PREPARED is the folder of ``discs_sacral_set.py``. The released network gets one more heatmap, which begins as that of
the lowest disc it knows. What a picture's labels do not tell is not taught: in ``mr_discs_bids`` nothing about L5/S1
from ``BELOW_MM`` below L4/L5 down; in ``spider_slices`` nothing about the discs above L1/L2, which are labelled there
in narrow fields of view, too. RUN gets checkpoints, logs, ``model_best.pth``, the best by the validation part, and
``believed``: PREPARED with L5/S1 where that network sees it in ``mr_discs_bids``. On these a second round is trained,
and the point network, which would else learn to throw that disc away.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from spinetk import zoo
from spinetk._version import __version__
from spinetk.discs.card import DiscCard
from spinetk.discs.data import LARGEST, DiscDataset, Item
from spinetk.discs.loss import PEAK_WEIGHT, joints_mse, stacked_mse
from spinetk.discs.module import DiscTraining, Recipe
from spinetk.discs.pck import pck
from spinetk.discs.predictor import FIRST_LUMBAR, LUMBOSACRAL, DiscPredictor
from spinetk.discs.preparation import Sample, read_dataset, read_samples
from spinetk.discs.registry import build
from spinetk.discs.search import Column
from spinetk.discs.trainer import DiscSettings
from spinetk.training.data import Data
from spinetk.training.device import pick_precision
from spinetk.training.fit import fit

BELOW_MM = 10.0
STEP_MM, LEAST_HEIGHT = (18.0, 45.0), 0.15  # of a believed L5/S1: below L4/L5, and its peak
BATCH = 3
UNKNOWN = -1.0


class PartlyKnown(DiscDataset):
    """Targets are :data:`UNKNOWN` where the labels of a picture do not tell."""

    def __getitem__(self, key: tuple[int, int] | int) -> Item:
        item = super().__getitem__(key)
        sample = self.samples[key[1] if isinstance(key, tuple) else key]
        assert self.levels is not None
        if sample.stem.startswith("spider"):
            for channel, level in enumerate(self.levels):
                if level < FIRST_LUMBAR:
                    item.target[channel] = UNKNOWN
        elif LUMBOSACRAL not in sample.points:
            above = self.levels.index(LUMBOSACRAL - 1)
            row = float(item.points[above, 1]) * item.target.shape[1] + BELOW_MM / sample.grid_mm
            first = int(row) if item.present[above] else 0
            item.target[self.levels.index(LUMBOSACRAL), first:] = UNKNOWN
        return item


class PartlyTold(DiscTraining):
    """The loss leaves out what is unknown."""

    def training_step(self, batch: Item, _: int) -> Tensor:
        """Loss over all stacks."""
        known = batch.target >= 0
        loss = stacked_mse(
            [own * known for own in self.network(batch.pictures)], batch.target.clamp(min=0), None, PEAK_WEIGHT
        )
        self.log("loss", loss.detach(), prog_bar=True, batch_size=len(batch.target))
        return loss

    def validation_step(self, batch: Item, _: int) -> None:
        """Loss of the last stack, and PCK."""
        known, target, size = batch.target >= 0, batch.target.clamp(min=0), len(batch.target)
        maps = self.network(batch.pictures)[-1].float() * known
        self.log("val_loss", joints_mse(maps, target), prog_bar=True, batch_size=size)
        self.log("pck", pck(maps, target) or 0.0, prog_bar=True, batch_size=size)


def widened(network: nn.Module, weights: dict[str, Tensor]) -> nn.Module:
    """A network of one more heatmap with the weights of the narrower one; the new map begins as the last known."""
    own = network.state_dict()
    for name, old in weights.items():
        new = own[name].clone()
        if new.shape != old.shape:
            if new.shape[0] != old.shape[0]:
                old = torch.cat([old, old[-1:]])
            else:
                old = torch.cat([old, torch.zeros_like(old[:, -1:])], dim=1)
        own[name] = old.to(new.dtype)
    network.load_state_dict(own)
    return network


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", default="discs-t2w")
    parser.add_argument("--iterations", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    content = read_dataset(options.prepared)
    train, held_out = (read_samples(options.prepared, part) for part in ("train", "val"))
    levels = tuple(content["levels"])
    weights, card, _ = zoo.load(options.model, DiscCard)
    arguments = {**dict(card.config.arguments), "joints": len(levels)}
    network = widened(build(card.config.network, arguments), weights)
    lumbar = [sample for sample in train if not sample.stem.startswith("spider")]
    samples = [*lumbar, *train]  # twice as often as the slices of SPIDER, three a patient
    per_epoch = -(-len(samples) // BATCH)
    drops = tuple(round(options.iterations * share / per_epoch) for share in (0.6, 0.85))
    epochs = max(2, -(-options.iterations // per_epoch))
    recipe = Recipe(
        solver="adam", rate=options.rate, epochs=epochs, schedule=drops, batch=BATCH, loss="peaks", augment="contrasts"
    )
    settings = DiscSettings(iterations=options.iterations, check_every=150, seed=0, best_by="val_loss", recipe=recipe)
    settings = replace(settings, precision=pick_precision(settings.device))
    data = Data(PartlyKnown(samples, levels, "contrasts", 0, LARGEST), PartlyKnown(held_out, levels), BATCH, BATCH + 1)
    print(f"{len(samples)} pictures an epoch of {per_epoch} iterations, {len(held_out)} to validate, drops at {drops}")
    result = fit(PartlyTold(network, recipe, per_epoch), data, options.out, settings, resume=options.resume)
    about = {"task": "discs", "network": card.config.network, "arguments": arguments, "grid_mm": content["grid_mm"],
             "modalities": ["T2w"], "levels": list(levels), "column": column(train, levels)}  # fmt: skip
    training = {"iterations": options.iterations, "val_loss": result.val_loss,
                "parameters": sum(p.numel() for p in network.parameters())}  # fmt: skip
    for name, own in (("model_best.pth", result.best), ("model_final.pth", result.weights)):
        if own is not None:
            zoo.save(options.out / name, own, {"spinetk": __version__, "config": about, "training": training})
    count = believe(options.prepared, options.out / "believed", DiscPredictor.load(options.out / "model_best.pth"))
    print(f"L5/S1 believed in {count} pictures of mr_discs_bids")


def believe(prepared: Path, out: Path, predictor: DiscPredictor) -> int:
    """Write ``out``; the number of pictures that get L5/S1 where the network has its highest peak below L4/L5."""
    shutil.copytree(prepared, out, dirs_exist_ok=True)
    assert predictor.levels is not None
    channel, count = predictor.levels.index(LUMBOSACRAL), 0
    for sample in (own for part in ("train", "val") for own in read_samples(prepared, part)):
        if LUMBOSACRAL in sample.points or LUMBOSACRAL - 1 not in sample.points:
            continue
        found = predictor.look(sample.pixels()).candidates
        below = (found.points[:, 1] - sample.points[LUMBOSACRAL - 1][1]) * sample.grid_mm
        own = found.take((found.channel == channel) & (below > STEP_MM[0]) & (below < STEP_MM[1]))
        if not len(own) or own.scores.max() < LEAST_HEIGHT:
            continue
        path = out / f"{sample.stem}.json"
        record = json.loads(path.read_text())
        record["points"][str(LUMBOSACRAL)] = [round(float(v), 4) for v in own.points[own.scores.argmax()]]
        path.write_text(json.dumps(record))
        count += 1
    return count


def column(samples: list[Sample], levels: tuple[int, ...]) -> dict[str, object]:
    """What the search needs, of the training part."""
    columns = [{n: np.array(p) * s.grid_mm for n, p in s.points.items()} for s in samples]
    return Column.learn(columns, levels).to_json()


if __name__ == "__main__":
    main()
