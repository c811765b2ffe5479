"""Predictor: one picture or volume in, its discs out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from spinetk import filling, zoo
from spinetk.discs.candidates import Candidates, find_peaks
from spinetk.discs.card import DiscCard, PointCard, plain
from spinetk.discs.data import round_up, to_tensor
from spinetk.discs.decision import decide, level_margin, levels_are_sure, levels_disagree
from spinetk.discs.hourglass import StackedHourglass
from spinetk.discs.levels import NUMBERS, name_of
from spinetk.discs.lookonce import PointSet
from spinetk.discs.points import DiscPoint, DiscReading
from spinetk.discs.registry import build
from spinetk.discs.search import Column
from spinetk.discs.slab import Slab, to_bytes, to_grid
from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.training.device import pick_device, pick_precision

CANDIDATE_HEIGHT = 0.1
LAST_CERVICAL, FIRST_LUMBAR, LUMBOSACRAL = 8, 21, 25
SACRUM_MM = 22.0
"""What must be seen below L5/S1, so that it is known by the sacrum."""
NEXT_DISC_MM = 45.0
"""Where so much is seen below L5/S1, it is no L4/L5: the next disc, a step of some 34 mm further down, would show."""
SACRUM_MARGIN = 0.45
"""By how much heatmaps must speak against one level higher where less is seen. Cut pictures in which L4/L5 was taken
for L5/S1 had 0.1 to 0.4, whole ones 0.47 and more (`benchmarks/discs_cut.py`)."""
ASSUMED_HEIGHT_MM = 300.0


@dataclass(frozen=True)
class Evidence:
    """What the network says about one picture, before anything is decided.

    Attributes:
        maps: (K, H, W) on the model's grid.
        attention: (h, w) or None.
        candidates: Peaks, in px of ``maps``.
    """

    maps: np.ndarray
    attention: np.ndarray | None
    candidates: Candidates


class DiscPredictor:
    """A trained heatmap network.

    Args:
        network: Gives a list of maps.
        config: As in the model's card: ``levels`` (None for legacy ordinal channels), ``grid_mm``, ``column``,
            ``skeleton``.
        name: Named in results.
        points: Point network for the look-once methods.
        device: ``auto``, ``cpu``, ``cuda``.
    """

    def __init__(
        self,
        network: nn.Module,
        config: dict[str, Any],
        name: str,
        points: PointSet | None = None,
        device: str = "auto",
    ) -> None:
        self.device = pick_device(device)
        self.network = network.to(self.device).eval()
        self.points = points.to(self.device).eval() if points is not None else None
        self.name = name
        try:
            self.grid_mm = float(config["grid_mm"])
            self.levels = None if config["levels"] is None else tuple(int(n) for n in config["levels"])
            stored = config.get("skeleton")
            self.skeleton = None if stored is None else np.array(stored, dtype=np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(name, "has a damaged card", "train or release it again") from error
        self.column = None if self.levels is None else Column.from_json(config.get("column") or {}, name)
        known = () if self.column is None else self.column.levels
        if self.levels is not None and (known != self.levels or not set(self.levels) <= set(NUMBERS)):
            raise InputError(name, "has levels that are no discs", "train or release it again")
        self._mixed = pick_precision(self.device.type) == "bf16-mixed"

    @classmethod
    def load(cls, model: str | Path, points: str | Path | None = None, device: str = "auto") -> DiscPredictor:
        """A predictor from a released name, a ``.safetensors`` or a ``.pth`` of ``spinetk discs train``.

        Without ``points`` the point network that the model's card names (``"points"``) is taken.

        Raises:
            InputError: A model is not found or is none of discs.
        """
        weights, card, name = zoo.load(model, DiscCard)
        config = card.config
        network = filling.fill(lambda: build(config.network, dict(config.arguments)), weights, model)
        points = points or card.points
        own = None if points is None else load_points(points, config.levels)
        return cls(network, plain(config), name, own, device)

    @property
    def method(self) -> str:
        """How discs are chosen unless told otherwise: look-once and search, or search without a point network."""
        return "search" if self.points is None else "lookonce+search"

    @property
    def channels(self) -> int:
        """Number of heatmaps."""
        return cast("int", self.network.joints)

    @torch.no_grad()
    def look(self, picture: np.ndarray) -> Evidence:
        """Heatmaps and peaks of a (H, W) uint8 picture on the model's grid, head up and front left."""
        height, width = picture.shape
        padded = np.zeros((round_up(height), round_up(width)), np.uint8)
        padded[:height, :width] = picture
        tensor = to_tensor(padded)[None].to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._mixed):
            if isinstance(self.network, StackedHourglass):
                outputs, gate = self.network.with_attention(tensor)
            else:
                outputs, gate = self.network(tensor), None
        maps = outputs[-1][0, :, :height, :width].float().cpu().numpy()
        attention = None
        if gate is not None:
            attention = gate[0, 0, : -(-height // 4), : -(-width // 4)].float().cpu().numpy()
        return Evidence(maps, attention, find_peaks(maps, CANDIDATE_HEIGHT))

    def choose(self, evidence: Evidence, method: str | None = None) -> Candidates:
        """Discs among the peaks, in px of the maps (:func:`spinetk.discs.decision.decide`); None for :attr:`method`."""
        chosen = decide(
            evidence.candidates.scaled(self.grid_mm),
            method or self.method,
            column=self.column,
            skeleton=self.skeleton,
            channels=self.channels,
            points=self.points,
        )
        return chosen.scaled(1 / self.grid_mm)

    def label(self, evidence: Evidence, chosen: Candidates, method: str | None = None) -> list[DiscPoint]:
        """Discs from head to foot; without a number when their level cannot be known.

        Args:
            evidence, chosen: Of :meth:`look` and :meth:`choose`.
            method: That they were chosen by; None for :attr:`method`. The point network has a say on levels where it
                has one on discs.
        """
        sure = self.levels is not None and levels_are_sure(evidence.maps, chosen)
        asked = (method or self.method).startswith("lookonce")
        if sure and asked and self.points is not None and self.column is not None:
            found, own = evidence.candidates.scaled(self.grid_mm), chosen.scaled(self.grid_mm)
            sure = not levels_disagree(found, own, self.column, self.points, self.channels)
        sure = sure and self._is_counted_from_the_sacrum(chosen, evidence.maps)
        discs = []
        for k in np.argsort(chosen.points[:, 1], kind="stable"):
            number = None if self.levels is None else self.levels[chosen.channel[k]]
            x, y = chosen.points[k]
            discs.append(
                DiscPoint(
                    point=(float(x), float(y)),
                    number=number if sure else None,
                    guess=number,
                    score=float(chosen.scores[k]),
                )
            )
        return discs

    def _is_counted_from_the_sacrum(self, chosen: Candidates, maps: np.ndarray) -> bool:
        """Whether a model that knows lumbar levels by the sacrum alone can have seen it: L5/S1, and what lies below.

        In a picture that is cut off higher up it takes the lowest disc for L4/L5 or L5/S1, whichever that is.

        Args:
            chosen: In px of the maps.
            maps: (K, H, W).
        """
        if self.levels is None or LUMBOSACRAL not in self.levels or self.levels[0] <= LAST_CERVICAL:
            return True
        lowest = int(np.argmax(chosen.points[:, 1]))
        below_mm = (maps.shape[1] - float(chosen.points[lowest, 1])) * self.grid_mm
        if self.levels[chosen.channel[lowest]] != LUMBOSACRAL or below_mm < SACRUM_MM:
            return False
        return below_mm >= NEXT_DISC_MM or level_margin(maps, chosen, (-1,)) >= SACRUM_MARGIN

    def read(
        self, pixels: np.ndarray, frame: Frame, *, file: str = "", method: str | None = None
    ) -> tuple[DiscReading, Evidence]:
        """Find the discs of a sagittal picture.

        Args:
            pixels: (H, W) grey values, higher = brighter, head at the top.
            frame: Scale and orientation. Without a spacing the picture is taken to be 300 mm high; without an
                orientation both sides are tried, and the front is where the discs are surer (on the left where
                they are not). Both are remarked.
            file: Named in the reading.
            method: See :func:`spinetk.discs.decision.decide`; None for :attr:`method`.

        Returns:
            Points in px of ``pixels``, and the evidence (on the model's grid, front left).

        Raises:
            InputError: The picture's headers say that it is not sagittal, or the method lacks its network.
        """
        height, width = pixels.shape
        if frame.plane in ("axial", "coronal") or frame.toward_right in ("L", "R"):
            raise InputError(file or "picture", "is not sagittal", "give a sagittal slice, or the volume as NIfTI")
        remarks = []
        spacing = frame.spacing_mm
        if spacing is None:
            spacing = (ASSUMED_HEIGHT_MM / height,) * 2
            remarks.append("pixel spacing is unknown: the picture was taken to be 300 mm high")
        sides = (frame.anterior == "right",) if frame.anterior is not None else (False, True)
        grids = [to_grid(pixels[:, ::-1] if side else pixels, spacing, self.grid_mm) for side in sides]
        seen = [self.look(to_bytes(grid)) for grid, _ in grids]
        chosen = [self.choose(evidence, method) for evidence in seen]
        best = int(np.argmax([own.scores.sum() for own in chosen]))
        mirrored, (_, factors), evidence = sides[best], grids[best], seen[best]
        if frame.anterior is None:
            side = "right" if mirrored else "left"
            told = chosen[0].scores.sum() != chosen[1].scores.sum()
            why = f"was found to be on the {side}, by the discs" if told else "was taken to be on the left"
            remarks.append(f"orientation is unknown: the front {why}")
            frame = replace(frame, toward_right="A" if mirrored else "P") if told else frame
        discs = []
        for disc in self.label(evidence, chosen[best], method):
            x, y = np.array(disc.point) / factors
            discs.append(replace(disc, point=(float(width - x if mirrored else x), float(y))))
        if not discs:
            remarks.append("no disc was found")
        elif discs[0].number is None:
            why = (
                "the model knows no levels"
                if self.levels is None
                else "too little of the spine or sacrum is seen to tell, or two ways to count differ"
            )
            remarks.append(f"levels are unknown: {why}")
        if discs and self.levels is not None and FIRST_LUMBAR <= self.levels[-1] < LUMBOSACRAL:
            known = f"{name_of(self.levels[0])} to {name_of(self.levels[-1])}"
            remarks.append(f"the model was taught the discs {known} alone: {name_of(LUMBOSACRAL)} is not looked for")
        return DiscReading(file, height, width, discs, frame, self.name, remarks=remarks), evidence

    def read_slab(self, slab: Slab, *, file: str = "", method: str | None = None) -> tuple[DiscReading, Evidence]:
        """As :meth:`read`, with places in the volume as well."""
        reading, evidence = self.read(slab.pixels, slab.frame, file=file, method=method)
        reading.mm, reading.voxels = slab.to_mm(reading.points), slab.to_voxels(reading.points)
        reading.middle_slice = slab.middle_slice
        reading.remarks = [*slab.remarks, *reading.remarks]
        return reading, evidence


def load_points(model: str | Path, levels: tuple[int, ...] | None = None) -> PointSet:
    """A point network of ``spinetk discs train --points-of``.

    Args:
        model: A released name or a path.
        levels: Of the heatmap network whose candidates it is to judge; None where they are not compared.

    Raises:
        InputError: It is none, or was trained behind a network of other levels: it knows one by its place among them.
    """
    weights, card, _ = zoo.load(model, PointCard)
    own = card.config.levels
    if own is not None and levels is not None and own != levels:
        known = f"{name_of(own[0])} to {name_of(own[-1])}"
        raise InputError(model, f"was trained behind a model of other levels ({known})", "train it with --points-of")
    return filling.fill(PointSet, weights, model)
