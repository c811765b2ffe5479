"""How well a mask agrees with the truth: overlap, surfaces in mm, lesions one by one.

Rules for empty masks, which every function follows: two empty masks agree perfectly (scores 1, distances 0); of one
empty and one not, every score is 0 and every distance is the diagonal of the volume, the worst there is. Published
tables of SPiN count two empty masks as 0: ``empty=0.0``.

Scores averaged over cases and scores of all voxels pooled are different numbers and never share a name:
:func:`summarise` gives ``mean``, ``sd`` and ``pooled``. Always IoU <= Dice; of one case or pooled IoU = D / (2 - D) and
D = 2PR / (P + R); of means over cases IoU >= D / (2 - D).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinetk.segmentation.lesion_rule import TOUCH, LesionRule


@dataclass(frozen=True)
class Counts:
    """Voxels by prediction and truth; the sum of two is the pooled count.

    Attributes:
        tp: In both masks.
        fp: Predicted only.
        fn: True only.
        tn: In neither.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    def scores(self, empty: float = 1.0) -> dict[str, float]:
        """``dice``, ``iou``, ``precision``, ``recall``, ``specificity``, each 0..1.

        Args:
            empty: What the first four are for two empty masks. Specificity is 1 where the truth has no background.
        """
        if self.tp + self.fp + self.fn == 0:
            return {"dice": empty, "iou": empty, "precision": empty, "recall": empty, "specificity": 1.0}
        return {
            "dice": 2 * self.tp / (2 * self.tp + self.fp + self.fn),
            "iou": self.tp / (self.tp + self.fp + self.fn),
            "precision": self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0,
            "recall": self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0,
            "specificity": self.tn / (self.tn + self.fp) if self.tn + self.fp else 1.0,
        }


def count(predicted: np.ndarray, truth: np.ndarray) -> Counts:
    """Exact voxel counts of two masks of one shape, foreground not 0."""
    predicted, truth = _masks(predicted, truth)
    tp = int(np.count_nonzero(predicted & truth))
    fp = int(np.count_nonzero(predicted)) - tp
    fn = int(np.count_nonzero(truth)) - tp
    return Counts(tp, fp, fn, truth.size - tp - fp - fn)


def summarise(cases: Sequence[Counts]) -> dict[str, dict[str, float]]:
    """Scores over cases.

    Returns:
        ``mean`` and ``sd`` (of a sample; 0 for one case) over the cases' scores, ``pooled`` scores of all their voxels.
    """
    if not cases:
        raise ValueError("no cases to summarise")
    each = [case.scores() for case in cases]
    values = {name: np.array([scores[name] for scores in each]) for name in each[0]}
    return {
        "mean": {name: float(v.mean()) for name, v in values.items()},
        "sd": {name: float(v.std(ddof=1)) if len(v) > 1 else 0.0 for name, v in values.items()},
        "pooled": sum(cases[1:], cases[0]).scores(),
    }


def surface_distances(
    predicted: np.ndarray, truth: np.ndarray, spacing_mm: Sequence[float] | float = 1.0
) -> dict[str, float]:
    """Distances between the surfaces of two masks, by MONAI.

    The surface is every voxel of the mask that shares a face (in pictures: an edge) with background or with the border
    of the volume; the original takes corners too, and its Hausdorff distances can differ a little for that.

    Args:
        predicted: (*S) mask, foreground not 0.
        truth: (*S) mask.
        spacing_mm: Distance between voxels along every axis of the masks, or one number.

    Returns:
        ``hd_mm``, the largest distance from either surface to the other; ``hd95_mm``, the larger of the two 95th
        percentiles; ``assd_mm``, the mean over both surfaces together.
    """
    predicted, truth = _masks(predicted, truth)
    spacing = [float(side) for side in np.broadcast_to(spacing_mm, truth.ndim)]
    if not (predicted.any() and truth.any()):
        farthest = float(np.linalg.norm(np.multiply(truth.shape, spacing)))
        worst = farthest if predicted.any() or truth.any() else 0.0
        return {"hd_mm": worst, "hd95_mm": worst, "assd_mm": worst}
    import torch
    from monai.metrics.utils import get_edge_surface_distance

    with warnings.catch_warnings():
        # MONAI 1.6 still passes itself an argument that it has deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        _, distances, _ = get_edge_surface_distance(
            torch.from_numpy(predicted), torch.from_numpy(truth), spacing=spacing, symmetric=True, class_index=0
        )
    there, back = (np.asarray(d, dtype=np.float64) for d in distances)
    return {
        "hd_mm": float(max(there.max(), back.max())),
        "hd95_mm": float(max(np.percentile(there, 95), np.percentile(back, 95))),
        "assd_mm": float(np.concatenate([there, back]).mean()),
    }


@dataclass(frozen=True)
class Lesions:
    """Lesions of a prediction against those of the truth.

    A lesion is a connected component (voxels that touch at a face, an edge or a corner). What the other mask must do
    for it to be found, or confirmed, is a :mod:`spinetk.segmentation.lesion_rule`; by default, share a voxel.

    Attributes:
        true: Lesions of the truth.
        found: Those of them the prediction meets.
        predicted: Lesions of the prediction.
        confirmed: Those of them that the truth meets.
        volume_error_mm3: Predicted less true volume (area in mm2 for pictures).
    """

    true: int
    found: int
    predicted: int
    confirmed: int
    volume_error_mm3: float

    @property
    def count_error(self) -> int:
        """Predicted less true number."""
        return self.predicted - self.true

    @property
    def recall(self) -> float:
        """Share of the true lesions that are found; without any, 1 if none is predicted, else 0."""
        return self.found / self.true if self.true else float(self.predicted == 0)

    @property
    def precision(self) -> float:
        """Share of the predicted lesions that are confirmed; without any, 1 if none is true, else 0."""
        return self.confirmed / self.predicted if self.predicted else float(self.true == 0)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where both are 0."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def lesions(
    predicted: np.ndarray, truth: np.ndarray, spacing_mm: Sequence[float] | float = 1.0, rule: LesionRule = TOUCH
) -> Lesions:
    """Compare two masks lesion by lesion."""
    predicted, truth = _masks(predicted, truth)
    true_labels, true_count = components(truth)
    own_labels, own_count = components(predicted)
    found, confirmed = rule.met(true_labels, true_count, own_labels, own_count)
    voxel = float(np.prod(np.broadcast_to(np.asarray(spacing_mm, dtype=np.float64), truth.ndim)))
    return Lesions(
        true=true_count,
        found=found,
        predicted=own_count,
        confirmed=confirmed,
        volume_error_mm3=voxel * (np.count_nonzero(predicted) - np.count_nonzero(truth)),
    )


def components(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Labels 1..n of the connected components, corners included, and n."""
    from scipy.ndimage import label

    labels, number = label(mask, np.ones((3,) * mask.ndim))
    return labels, int(number)


def largest_component(mask: np.ndarray) -> np.ndarray:
    """The component with the most voxels, as a bool mask; the first of equals; nothing of nothing."""
    labels, number = components(np.asarray(mask) != 0)
    if number == 0:
        return np.zeros(labels.shape, bool)
    return labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))


def small_lesion_slices(truth: np.ndarray, largest_px: int = 100) -> list[int]:
    """Slices of (D, H, W) that hold a lesion, and none of more than ``largest_px`` pixels within the slice."""
    chosen = []
    for number, mask in enumerate(np.asarray(truth) != 0):
        if mask.any() and np.bincount(components(mask)[0].ravel())[1:].max() <= largest_px:
            chosen.append(number)
    return chosen


def _masks(predicted: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    predicted, truth = np.asarray(predicted) != 0, np.asarray(truth) != 0
    if predicted.shape != truth.shape:
        raise ValueError(f"masks of {predicted.shape} and {truth.shape} cannot be compared")
    return predicted, truth
