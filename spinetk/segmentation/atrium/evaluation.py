"""Models on held-out atria: a row per model, with what the published table says of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from spinetk.errors import InputError
from spinetk.segmentation.atrium.models import read_parts
from spinetk.segmentation.atrium.predictor import AtriumPredictor
from spinetk.segmentation.data.files import Pair
from spinetk.segmentation.data.said import summed
from spinetk.segmentation.evaluation import Evaluation

Draw = Callable[..., None]
FIGURES = {
    "dice": "Dice", "iou": "IoU", "precision": "precision", "recall": "recall", "specificity": "specificity",
    "hd_mm": "HD mm", "hd95_mm": "HD95 mm", "assd_mm": "ASSD mm",
}  # fmt: skip


@dataclass
class AtriumEvaluation(Evaluation):
    """Cases of one model.

    Attributes:
        seconds: Of each prediction.
        failed: Why a case could not be read, a line each.
    """

    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """As of any evaluation, and mean ``seconds`` a volume."""
        return {**super().summary(), "seconds": float(np.mean(self.seconds))}


@summed()
def evaluate_model(
    predictor: AtriumPredictor,
    pairs: Sequence[Pair],
    how: Literal["locate", "slide"] = "locate",
    draw: Draw | None = None,
) -> AtriumEvaluation:
    """Predict and compare every case; one that cannot be read is noted, and the rest goes on.

    Args:
        predictor: The model.
        pairs: Cases with their truth.
        how: As in :meth:`AtriumPredictor.predict`.
        draw: Called with name, values, spacing_mm, predicted and true mask of every case.

    Raises:
        InputError: No case can be read.
    """
    result = AtriumEvaluation()
    for pair in pairs:
        try:
            volume, truth = pair.read()
        except InputError as error:
            result.failed.append(str(error))
            continue
        start = time.perf_counter()
        predicted = predictor.predict(volume.values, volume.spacing_mm, how)
        result.seconds.append(time.perf_counter() - start)
        result.add(pair.name, predicted, truth, volume.spacing_mm)
        if draw is not None:
            draw(pair.name, volume.values, volume.spacing_mm, predicted, truth)
    if not result.rows:
        raise InputError("evaluation", "has no case that can be read", (result.failed or ["give some"])[0])
    return result


def facts(model: str) -> dict[str, str]:
    """What the table says of a model (``A,B``: of the first, and how many are averaged)."""
    names = model.split(",")
    part = read_parts(names[0])["segmenter"]
    options = ", ".join(f"{key} {value}" for key, value in part.options.items())
    training, few = part.training, f" x {len(names)}" if len(names) > 1 else ""
    return {
        "model": Path(names[0]).name + few,
        "architecture": part.network + (f" ({options})" if options else ""),
        "params": f"{part.parameters / 1e6:.2f} M",
        **{name: f"{training.get(name, '-')}" for name in ("iterations", "loss", "batch", "rate")},
    }


def table(rows: Iterable[tuple[str, AtriumEvaluation]]) -> str:
    """Markdown: a row per model, mean ± SD over the cases, distances in mm."""
    lines: list[str] = []
    for model, result in rows:
        of_model, summary = facts(model), result.summary()
        if not lines:
            names = (*of_model, *FIGURES.values(), "s a volume")
            lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
        cells = [f"{summary['mean'][key]:.3f} ± {summary['sd'][key]:.3f}" for key in FIGURES]
        lines.append("| " + " | ".join((*of_model.values(), *cells, f"{summary['seconds']:.1f}")) + " |")
    return "\n".join(lines) + "\n"
