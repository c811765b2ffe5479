"""DiscReading: the discs of one picture or volume."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from spinetk.discs.levels import name_of
from spinetk.geometry import Frame
from spinetk.upright import Upright


@dataclass(frozen=True)
class DiscPoint:
    """One disc.

    Attributes:
        point: (x, y) px of the picture.
        number: Its Spinal Cord Toolbox number, None when it cannot be known.
        guess: The likeliest number of a disc whose level cannot be known, or None.
        score: Height of its heatmap peak in 0..1, None for truth.
        endplates: (2, 2) px, the middles of the endplates above and below, where they are known.
    """

    point: tuple[float, float]
    number: int | None = None
    guess: int | None = None
    score: float | None = None
    endplates: np.ndarray | None = None

    @property
    def name(self) -> str | None:
        """``L2/L3``, or None."""
        return None if self.number is None else name_of(self.number)

    @property
    def guess_name(self) -> str | None:
        """Name of the guess, or None."""
        return None if self.guess is None else name_of(self.guess)


@dataclass
class DiscReading:
    """The discs of one picture, head to foot.

    Attributes:
        file: What this is about, as the user named it.
        height, width: Size of the picture, px. For a volume the picture is the mean of its middle sagittal slices,
            head up and front left.
        frame: Scale and orientation of the picture.
        mm: (N, 3) places in the volume in mm in the axes of NIfTI, None for pictures.
        voxels: (N, 3) voxel indices of the volume as stored, None for pictures. Of DICOM the third is the place of the
            slice in order of depth.
        middle_slice: Of a volume of sagittal DICOM slices the one that points are put on
            (:attr:`spinetk.discs.slab.Slab.middle_slice`); else None.
    """

    file: str
    height: int
    width: int
    discs: list[DiscPoint] = field(default_factory=list)
    frame: Frame = field(default_factory=Frame)
    model: str | None = None
    mm: np.ndarray | None = None
    voxels: np.ndarray | None = None
    middle_slice: tuple[str, int | None] | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def points(self) -> np.ndarray:
        """(N, 2) px."""
        return np.array([disc.point for disc in self.discs], dtype=np.float64).reshape(-1, 2)

    def stored(self, way: Upright) -> DiscReading:
        """The reading of an upright picture in px of the picture as stored."""
        places = way.to_stored(self.points)
        discs = [replace(disc, point=tuple(place)) for disc, place in zip(self.discs, places.tolist(), strict=True)]
        height, width = way.stored
        return replace(self, height=height, width=width, discs=discs, frame=way.stored_frame)

    def to_json(self) -> dict[str, Any]:
        """Strict JSON. ``picture_mm`` is from the upper left corner of the picture, ``mm`` in the axes of NIfTI."""
        flat = self.frame.to_mm(self.points) if self.frame.spacing_mm else None
        discs = []
        for k, disc in enumerate(self.discs):
            content: dict[str, Any] = {
                "number": disc.number,
                "level": disc.name,
                "likeliest": disc.guess_name if disc.number is None else None,
                "score": None if disc.score is None else round(disc.score, 4),
                "px": _rounded(disc.point),
                "picture_mm": None if flat is None else _rounded(flat[k]),
            }
            if self.mm is not None and self.voxels is not None:
                content |= {"mm": _rounded(self.mm[k]), "voxel": _rounded(self.voxels[k])}
            discs.append(content)
        middle = self.middle_slice and {"file": self.middle_slice[0], "frame": self.middle_slice[1]}
        return {
            "file": self.file,
            "height": self.height,
            "width": self.width,
            "model": self.model,
            **({"middle_slice": middle} if middle else {}),
            **self.frame.to_json(),
            "numbering": "sct",
            "discs": discs,
            "remarks": self.remarks,
        }


def _rounded(values: Any) -> list[float]:
    return [round(float(v), 3) for v in values]
