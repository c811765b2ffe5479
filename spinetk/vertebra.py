"""Vertebra: one body of a picture, its points, box and name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.fields import check_vertebra
from spinetk.schema import KeypointSchema

DECIMALS_PX, DECIMALS_SCORE = 3, 4
"""What a result file keeps of points and of scores."""
OWN = ("label", "label_probability", "score", "bbox", "keypoints", "visible", "point_sigma_px")
"""Fields of a result file that are no measures."""


@dataclass
class Vertebra:
    """One vertebral body.

    Attributes:
        points: (K, 2) float64, (x, y) in px of the picture as stored, in the order of the schema. Points that are not
            visible may hold any finite value.
        visible: (K,) bool.
        bbox: [x0, y0, x1, y1] in px.
        label: Level name (``L3``), or None when it cannot be known.
        score: Detection confidence in 0..1; None for truth.
        point_sigma_px: (K,) standard deviation of each point in px, or None.
        measures: Filled by ``spinetk.measure``: the JSON fields ``heights_px``, ``heights_mm``, ``deformity``, ...
    """

    points: np.ndarray
    visible: np.ndarray
    bbox: tuple[float, float, float, float]
    label: str | None = None
    score: float | None = None
    point_sigma_px: np.ndarray | None = None
    measures: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_points(cls, points: np.ndarray, visible: np.ndarray | None = None, **fields: Any) -> Vertebra:
        """Make a vertebra whose box is the tight box of its visible points."""
        points = np.asarray(points, dtype=np.float64)
        visible = np.ones(len(points), bool) if visible is None else np.asarray(visible, bool)
        seen = points[visible] if visible.any() else points
        x0, y0 = seen.min(axis=0)
        x1, y1 = seen.max(axis=0)
        return cls(points, visible, (float(x0), float(y0), float(x1), float(y1)), **fields)

    @property
    def centre(self) -> np.ndarray:
        """(2,) mean of the visible points (of all points when none is visible), px."""
        return self.points[self.visible].mean(axis=0) if self.visible.any() else self.points.mean(axis=0)

    def point(self, schema: KeypointSchema, name: str) -> np.ndarray | None:
        """A visible point by name, px; None when it is not visible."""
        k = schema.index(name)
        return self.points[k] if self.visible[k] else None

    def moved(self, matrix: np.ndarray, schema: KeypointSchema) -> Vertebra:
        """The vertebra carried along when its picture is moved, without the measures, which were about the old px.

        Args:
            matrix: (2, 3), new point = matrix[:, :2] @ point + matrix[:, 2], px. Where it mirrors, points change names
                by the schema's swap, so that ``left`` stays the left as seen with the head up.
            schema: Meaning of the points.
        """
        order = list(range(len(schema)) if np.linalg.det(matrix[:, :2]) > 0 else schema.flip_indices)
        corners = np.array(self.bbox)[[[0, 1], [2, 1], [0, 3], [2, 3]]] @ matrix[:, :2].T + matrix[:, 2]
        sigma = self.point_sigma_px
        if sigma is not None:
            # One number a point stands for both axes: scaled as areas are.
            sigma = sigma[order] * np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        return replace(
            self,
            points=(self.points @ matrix[:, :2].T + matrix[:, 2])[order],
            visible=self.visible[order],
            bbox=(*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()),
            point_sigma_px=sigma,
            measures={},
        )

    def rounded(self) -> Vertebra:
        """The vertebra with the numbers that a result file holds of it."""
        sigma = self.point_sigma_px
        return replace(
            self,
            points=np.round(self.points, DECIMALS_PX),
            bbox=box_of([round(float(v), DECIMALS_PX) for v in self.bbox]),
            score=None if self.score is None else round(float(self.score), DECIMALS_SCORE),
            point_sigma_px=None if sigma is None else np.round(np.asarray(sigma, np.float64), DECIMALS_PX),
        )

    def to_json(self, schema: KeypointSchema, told: Mapping[str, Any]) -> dict[str, Any]:
        """Its entry in a result file, by the names of a schema's points; what else is told stands after its score."""
        names = schema.keypoints
        content: dict[str, Any] = {
            "label": self.label,
            "score": None if self.score is None else round(float(self.score), DECIMALS_SCORE),
            **told,
            "bbox": [round(float(v), DECIMALS_PX) for v in self.bbox],
            "keypoints": {
                n: [round(float(v), DECIMALS_PX) for v in p] for n, p in zip(names, self.points, strict=True)
            },
            "visible": {n: bool(v) for n, v in zip(names, self.visible, strict=True)},
        }
        if self.point_sigma_px is not None:
            sigma = zip(names, self.point_sigma_px, strict=True)
            content["point_sigma_px"] = {n: round(float(v), DECIMALS_PX) for n, v in sigma}
        return content | self.measures

    @classmethod
    def from_json(cls, entry: Mapping[str, Any], schema: KeypointSchema, source: str) -> Vertebra:
        """Inverse of :meth:`to_json`; raises ``InputError`` naming ``source`` and the field."""
        points = np.array([entry["keypoints"][n] for n in schema.keypoints], dtype=np.float64)
        if points.shape != (len(schema), 2) or not np.isfinite(points).all():
            raise InputError(source, "field 'keypoints' is not a finite [x, y] per name", "predict again")
        seen = entry.get("visible") or {}
        sigma = entry.get("point_sigma_px")
        check_vertebra(entry, seen, sigma, source)
        return cls(
            points=points,
            visible=np.array([bool(seen.get(n, True)) for n in schema.keypoints]),
            bbox=box_of(entry["bbox"]),
            label=entry.get("label"),
            score=entry.get("score"),
            point_sigma_px=None if sigma is None else np.array([float(sigma[n]) for n in schema.keypoints]),
            measures={k: v for k, v in entry.items() if k not in OWN},
        )


def box_of(values: Sequence[float]) -> tuple[float, float, float, float]:
    """[x0, y0, x1, y1] px of four numbers."""
    x0, y0, x1, y1 = (float(value) for value in values)
    return x0, y0, x1, y1
