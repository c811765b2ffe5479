"""Phantom: a synthetic picture together with everything that is true about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spinetk.geometry import Frame, Side
from spinetk.landmark import Landmark
from spinetk.phantoms.body import Body
from spinetk.phantoms.spine import Spine
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6
from spinetk.vertebra import Vertebra
from spinetk.views import View, rules_of


@dataclass
class Phantom:
    """A synthetic picture with exact truth.

    Attributes:
        pixels: (H, W) uint16 stored values; bright is dense (radiograph) or strong signal (MR).
        reading: The true vertebrae, ordered head to foot, six sub-pixel points each, with the frame.
        modality: DICOM modality, ``CR`` or ``MR``.
        hardware: True when metal or cement is in the picture.
        deformities: One entry per vertebra of ``reading``: ``label``, ``type`` (``none``, ``wedge``, ``biconcave`` or
            ``crush``), ``loss_percent`` (exact; 0 for ``none``) and ``heights_mm`` (anterior, middle, posterior).
    """

    pixels: np.ndarray
    reading: Reading
    modality: str
    hardware: bool
    deformities: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Field:
    """The part of the anatomy that the picture shows.

    The anatomy is drawn with the patient facing right and the finished picture is mirrored where asked, so that one
    rule turns mm into px.

    Attributes:
        origin_mm: (x, y) of the upper left picture corner in the anatomy's frame (x anterior, y toward the feet).
        spacing_mm: (row, column) distance between pixel centres.
        size: (height, width) in px.
    """

    origin_mm: tuple[float, float]
    spacing_mm: tuple[float, float]
    size: tuple[int, int]

    def px(self, points_mm: np.ndarray) -> np.ndarray:
        """(..., 2) anatomy mm to px of the picture that faces right."""
        return (np.asarray(points_mm) - self.origin_mm) / (self.spacing_mm[1], self.spacing_mm[0])

    @property
    def mean_spacing_mm(self) -> float:
        """One number for widths and blurs, where the difference between rows and columns does not show."""
        return (self.spacing_mm[0] + self.spacing_mm[1]) / 2

    def grid_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """x (1, W) and y (H, 1) of the pixel centres in anatomy mm, float32."""
        height, width = self.size
        x = self.origin_mm[0] + (np.arange(width, dtype=np.float32) + 0.5) * self.spacing_mm[1]
        y = self.origin_mm[1] + (np.arange(height, dtype=np.float32) + 0.5) * self.spacing_mm[0]
        return x[None, :], y[:, None]


def read_truth(
    spine: Spine, shown: Field, facing: Side, view: View, exposed_px: tuple[float, float, float, float] | None = None
) -> tuple[Reading, list[dict[str, Any]]]:
    """The exact reading of a picture of ``spine``.

    A vertebral body is annotated when all six of its points lie inside the picture (inside ``exposed_px``, x0 y0 x1 y1
    of the picture that faces right, where a collimator hides the rest). Bodies cut by the border are left out whole.
    The sacrum is fused and no free body: S1 is never annotated.
    """
    height, width = shown.size
    x0, y0, x1, y1 = exposed_px or (0.0, 0.0, float(width), float(height))
    vertebrae, deformities = [], []
    for body in spine.bodies:
        points = shown.px(body.points())
        if not ((points > (x0, y0)) & (points < (x1, y1))).all():
            continue
        if facing == "left":
            points = VERTEBRA6.mirror(points, width)
        vertebrae.append(Vertebra.from_points(points, label=body.label))
        deformities.append(describe(body))
    frame = Frame(
        spacing_mm=shown.spacing_mm,
        spacing_source="phantom",
        toward_right="A" if facing == "right" else "P",
        toward_bottom="F",
    )
    landmarks = [
        own.moved(np.array([[-1.0, 0, width], [0, 1, 0]])) if facing == "left" else own
        for own in pelvic_landmarks(spine, shown, view)
        if ((own.points > (x0, y0)) & (own.points < (x1, y1))).all()
    ]
    reading = Reading("phantom", height, width, VERTEBRA6, vertebrae, frame, view, landmarks=landmarks)
    return reading, deformities


def pelvic_landmarks(spine: Spine, shown: Field, view: View) -> list[Landmark]:
    """The S1 endplate of a picture that faces right, and in a radiograph the femoral heads, in px.

    Heads are circles only where px are square.
    """
    sacral = shown.px(spine.sacrum[0].points()[[5, 3]])
    found = [Landmark("s1", sacral)]
    row, column = shown.spacing_mm
    if "CR" in rules_of(view).modalities and abs(row - column) < 1e-6 * row:
        found += [Landmark("femoral_head", shown.px(np.array([hip])), spine.hip_mm / row) for hip in spine.hips]
    return found


def describe(body: Body) -> dict[str, Any]:
    """The entry of ``Phantom.deformities`` for one body."""
    return {
        "label": body.label,
        "type": body.deformity,
        "loss_percent": body.loss_percent,
        "heights_mm": [body.anterior_mm, body.middle_mm, body.posterior_mm],
    }
