"""Evaluation of lesions and pictures: all cases, the slices with small lesions only, and pictures of skin.

Scores of cases averaged and of all pixels pooled are named ``mean`` and ``pooled``; the published table of small
lesions mixes the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spinetk.segmentation.evaluation import Evaluation
from spinetk.segmentation.lesion_rule import TOUCH, LesionRule
from spinetk.segmentation.metrics import Counts, Lesions, count, lesions, small_lesion_slices, summarise
from spinetk.segmentation.slices.pictures import resize

LEGACY_SIZE = (256, 256)


@dataclass
class SmallLesions:
    """The slices whose lesions are all small, by the rules of :func:`small_lesion_slices`.

    Attributes:
        largest_px: Pixels of the largest lesion that counts as small.
        rule: What makes a lesion found.
        counts: Pixels of such slices of every case that has one.
        slices: How many they are.
        lesions: Their lesions, compared slice by slice and summed.
    """

    largest_px: int = 100
    rule: LesionRule = TOUCH
    counts: list[Counts] = field(default_factory=list)
    slices: int = 0
    lesions: list[Lesions] = field(default_factory=list)

    def add(self, predicted: np.ndarray, truth: np.ndarray) -> list[int]:
        """Take a case (D, H, W) up; the slices that count."""
        chosen = small_lesion_slices(truth, self.largest_px)
        if chosen:
            self.counts.append(count(predicted[chosen], truth[chosen]))
            self.lesions += [lesions(predicted[n], truth[n], rule=self.rule) for n in chosen]
            self.slices += len(chosen)
        return chosen

    def summary(self) -> dict[str, Any]:
        """``slices``, ``cases``; where there are any, ``mean`` and ``sd`` over the cases, ``pooled``, ``lesion_f1``."""
        content: dict[str, Any] = {"largest_px": self.largest_px, "slices": self.slices, "cases": len(self.counts)}
        if self.counts:
            content |= summarise(self.counts) | {"lesion_f1": pooled_lesions(self.lesions).f1}
        return content


def pooled_lesions(each: Sequence[Lesions]) -> Lesions:
    """Lesions of several cases or slices, counted together."""
    names = ("true", "found", "predicted", "confirmed", "volume_error_mm3")
    return Lesions(**{name: sum(getattr(one, name) for one in each) for name in names})


class PictureEvaluation(Evaluation):
    """Cases of pictures, with accuracy; distances are in pixels and areas in square pixels, and named so."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the figures, in order."""
        return ("accuracy", *(name.replace("_mm3", "_px2").replace("_mm", "_px") for name in super().columns))

    def add(self, name: str, predicted: np.ndarray, truth: np.ndarray, spacing_mm: Sequence[float] = (1, 1)) -> None:
        """Compare one case (H, W)."""
        super().add(name, predicted, truth, (1.0, 1.0))
        row = {key.replace("_mm3", "_px2").replace("_mm", "_px"): value for key, value in self.rows[-1].items()}
        self.rows[-1] = row | {"accuracy": accuracy(self.counts[-1])}

    def summary(self) -> dict[str, dict[str, float]]:
        """With the pooled accuracy."""
        content = super().summary()
        content["pooled"]["accuracy"] = accuracy(sum(self.counts[1:], self.counts[0]))
        return content


def accuracy(counts: Counts) -> float:
    """Share of the pixels that agree."""
    return (counts.tp + counts.tn) / max(counts.tp + counts.tn + counts.fp + counts.fn, 1)


@dataclass
class LegacyDoubleTruth:
    """The report of TMUnet, which has two ground truths; for comparison with published numbers only.

    Masks are shrunk to 256 x 256, so that pixels of their edge become shares. Its F1 takes a share above one half for
    lesion; its confusion matrix, and so sensitivity, specificity and accuracy, takes only a share of exactly 1.
    """

    half: Counts = Counts(0, 0, 0, 0)  # noqa: RUF009  (frozen)
    whole: Counts = Counts(0, 0, 0, 0)  # noqa: RUF009  (frozen)

    def add(self, predicted: np.ndarray, truth: np.ndarray) -> None:
        """Take a case of two (H, W) masks up."""
        share = resize(truth.astype(np.float32), LEGACY_SIZE)
        found = resize(predicted.astype(np.float32), LEGACY_SIZE) > 0.5
        self.half += count(found, share > 0.5)
        self.whole += count(found, share >= 1)

    def summary(self) -> dict[str, float]:
        """The four pooled figures as they were printed together."""
        scores = self.whole.scores()
        return {
            "f1_of_half": self.half.scores()["dice"],
            "accuracy_of_whole": accuracy(self.whole),
            "sensitivity_of_whole": scores["recall"],
            "specificity_of_whole": scores["specificity"],
            "f1_of_whole": scores["dice"],
        }
