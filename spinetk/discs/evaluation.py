"""Evaluation: models and methods side by side on a part of a prepared folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import write_json, write_text
from spinetk.discs.candidates import Candidates
from spinetk.discs.hourglass import StackedHourglass
from spinetk.discs.metrics import Case, selection, summary
from spinetk.discs.pictures import attention_overlay, draw, heat_overlay, write_png
from spinetk.discs.pointdata import TRUE_MM
from spinetk.discs.points import DiscReading
from spinetk.discs.predictor import DiscPredictor
from spinetk.discs.preparation import read_dataset, read_samples
from spinetk.discs.table import table
from spinetk.errors import InputError
from spinetk.geometry import Frame

BASE_METHODS = ("peaks", "search", "condition")
POINT_METHODS = ("lookonce", "lookonce+search")


def evaluate(
    prepared: str | Path,
    predictors: Sequence[DiscPredictor],
    out: str | Path,
    *,
    part: str = "val",
    methods: Sequence[str] | None = None,
    show_attention: bool = False,
    rounds: int = 1000,
) -> list[dict[str, Any]]:
    """One row for every model and method. Pictures are brought to the grid of each model.

    The truth is read for comparison only. Levels that no picture of the folder bears (a model may know more than
    the labels tell) are left out of the comparison; ``not_judged`` of a row lists them. A disc whose level the model
    marks as unknown counts for the trio and is wrong for the metrics of levels; ``level_accuracy_if_guessed`` says how
    the guesses would have fared.

    Args:
        prepared: Folder of ``spinetk discs prepare``.
        predictors: Models; one with a point network also gets the look-once methods.
        out: Receives ``evaluation.json``, ``evaluation.txt``, and for each model a folder of pictures: named discs by
            search, heatmaps and, with ``show_attention``, the attention map.
        part: ``train``, ``val`` or ``test`` of the split, or ``all``.
        methods: Of :data:`spinetk.discs.decision.METHODS`; all that the models can by default.
        show_attention: Write attention maps.
        rounds: Bootstrap rounds.

    Raises:
        InputError: The part is empty.
    """
    out = Path(out)
    samples = read_samples(prepared, part)
    if not samples:
        raise InputError(prepared, f"has no picture in part {part!r}", "choose another part")
    labelled = {*read_dataset(prepared)["levels"], *(number for sample in samples for number in sample.points)}
    rows = []
    for number, predictor in enumerate(predictors, start=1):
        own = methods or [*BASE_METHODS, *(POINT_METHODS if predictor.points is not None else ())]
        folder = out / f"{number}-{predictor.name}"
        levels = [level for level in predictor.levels or () if level in labelled]
        cases: dict[str, list[Case]] = {method: [] for method in own}
        guesses: dict[str, list[Case]] = {method: [] for method in own}
        judged: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {method: [] for method in own}
        for sample in samples:
            grey, px_mm = sample.on_grid(predictor.grid_mm)
            evidence = predictor.look(grey)
            truth = {n: np.array(p) * sample.grid_mm for n, p in sample.points.items()}
            for method in own:
                chosen = predictor.choose(evidence, method)
                discs = predictor.label(evidence, chosen, method)
                found = evidence.candidates.scaled(px_mm), chosen.scaled(px_mm)
                judged[method].append(_judged(predictor.levels, *found, truth, labelled))
                places = [(disc.number, disc.guess, np.array(disc.point) * px_mm) for disc in discs]
                places = [own for own in places if own[1] is None or own[1] in labelled]
                known = {number: point for number, _, point in places if number is not None}
                unknown = [point for number, _, point in places if number is None]
                cases[method].append(Case(truth, known, unknown))
                guesses[method].append(Case(truth, {g: point for _, g, point in places if g is not None}))
                if method == own[min(1, len(own) - 1)]:
                    frame = Frame((predictor.grid_mm,) * 2, "grid", "P", "F")
                    height, width = grey.shape
                    reading = DiscReading(sample.stem, height, width, discs, frame, predictor.name)
                    write_png(folder / f"{sample.stem}.png", draw(grey, reading))
            write_png(folder / f"{sample.stem}_heatmaps.png", heat_overlay(grey, evidence.maps))
            if show_attention and evidence.attention is not None:
                write_png(folder / f"{sample.stem}_attention.png", attention_overlay(grey, evidence.attention))
        network = predictor.network
        for method in own:
            rows.append(
                {
                    "model": predictor.name,
                    "network": type(network).__name__,
                    "attention": isinstance(network, StackedHourglass) and network.attention is not None,
                    "method": method,
                    **summary(cases[method], levels, rounds=rounds),
                    "level_accuracy_if_guessed": summary(guesses[method], levels, rounds=1)["level_accuracy"],
                    "not_judged": [level for level in predictor.levels or () if level not in labelled],
                    "candidates": selection(judged[method]),
                }
            )
    write_json(out / "evaluation.json", {"part": part, "pictures": len(samples), "rows": rows})
    write_text(out / "evaluation.txt", table(rows) + "\n")
    return rows


def _judged(
    levels: tuple[int, ...] | None,
    found: Candidates,
    chosen: Candidates,
    truth: dict[int, np.ndarray],
    labelled: set[int],
) -> tuple[np.ndarray, np.ndarray]:
    """For each candidate whether it is its level's disc (any disc, for ordinal channels), and whether it was kept.

    The clean-up moves points: a candidate is kept when its channel has a chosen point less than 7 mm away. All in mm.
    """

    def near(k: int, points: list[np.ndarray]) -> bool:
        return any(np.linalg.norm(found.points[k] - point) <= TRUE_MM for point in points)

    true, kept = np.zeros(len(found), bool), np.zeros(len(found), bool)
    for k, channel in enumerate(found.channel):
        number = None if levels is None else levels[channel]
        true[k] = near(k, [point for n, point in truth.items() if levels is None or n == number])
        kept[k] = near(k, list(chosen.points[chosen.channel == channel]))
    told = np.array([levels is None or levels[channel] in labelled for channel in found.channel], bool)
    return true[told], kept[told]
