"""Masks against truth, case by case, and the table of a whole part."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from spinetk.atomic import write_text
from spinetk.segmentation.lesion_rule import TOUCH, LesionRule
from spinetk.segmentation.metrics import Counts, count, lesions, summarise, surface_distances

OVERLAP = ("dice", "iou", "precision", "recall", "specificity")
SURFACE = ("hd_mm", "hd95_mm", "assd_mm")
LESION = ("lesion_f1", "lesion_recall", "lesion_precision", "lesion_count_error", "volume_error_mm3")


@dataclass
class Evaluation:
    """Cases of one part.

    Attributes:
        counts: Voxel counts of each case.
        rows: All figures of each case, with its ``name``.
        lesion_wise: Whether lesions are compared one by one.
        lesion_rule: What makes a lesion found.
    """

    lesion_wise: bool = False
    lesion_rule: LesionRule = TOUCH
    counts: list[Counts] = field(default_factory=list)
    rows: list[dict[str, float | str]] = field(default_factory=list)

    def add(self, name: str, predicted: np.ndarray, truth: np.ndarray, spacing_mm: Sequence[float]) -> None:
        """Compare one case.

        Args:
            name: As it shall stand in the table.
            predicted, truth: (*S) masks, foreground not 0.
            spacing_mm: Along their axes.
        """
        counts = count(predicted, truth)
        row: dict[str, float | str] = {"name": name, **counts.scores()}
        row |= surface_distances(predicted, truth, spacing_mm)
        if self.lesion_wise:
            found = lesions(predicted, truth, spacing_mm, self.lesion_rule)
            figures = (found.f1, found.recall, found.precision, found.count_error, found.volume_error_mm3)
            row |= dict(zip(LESION, figures, strict=True))
        self.counts.append(counts)
        self.rows.append(row)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the figures, in order."""
        return OVERLAP + SURFACE + (LESION if self.lesion_wise else ())

    def summary(self) -> dict[str, dict[str, float]]:
        """``mean`` and ``sd`` over the cases of every figure, ``pooled`` overlap of all their voxels."""
        values = {name: np.array([float(row[name]) for row in self.rows]) for name in self.columns}
        return {
            "mean": {name: float(v.mean()) for name, v in values.items()},
            "sd": {name: float(v.std(ddof=1)) if len(v) > 1 else 0.0 for name, v in values.items()},
            "pooled": summarise(self.counts)["pooled"],
        }

    def write(self, path: str | Path) -> None:
        """One CSV row a case, atomically."""
        text = io.StringIO()
        writer = csv.DictWriter(text, ("name", *self.columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(path, text.getvalue())


def table(results: Iterable[tuple[str, Evaluation]]) -> str:
    """Markdown: a row a network, mean +- SD over the cases, distances in mm."""
    lines: list[str] = []
    for name, result in results:
        if not lines:
            lines = ["| " + " | ".join(("network", *result.columns)) + " |", "|---" * (1 + len(result.columns)) + "|"]
        summary = result.summary()
        cells = [f"{summary['mean'][c]:.3f} ± {summary['sd'][c]:.3f}" for c in result.columns]
        lines.append("| " + " | ".join((name, *cells)) + " |")
    return "\n".join(lines) + "\n"
