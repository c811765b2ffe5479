"""Choices that the picture kinds share: deformities, field of view, argument checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import PLAUSIBLE_SPACING_MM, Side
from spinetk.phantoms.body import DEFORMITIES, Deformity
from spinetk.phantoms.phantom import Field
from spinetk.phantoms.spine import LEVELS, Spine

Region = Literal["lumbar", "thoracic", "whole"]
REGIONS: tuple[Region, ...] = ("lumbar", "thoracic", "whole")
MAX_SIZE_PX = 8192
DRAWN: dict[Deformity, float] = {"wedge": 0.5, "biconcave": 0.32, "crush": 0.18}
"""Kinds that are drawn, with their odds."""

Word = TypeVar("Word", bound=str)


def stream(seed: int, topic: int) -> np.random.Generator:
    """An independent generator per topic, so that fixing one argument leaves everything else as the seed drew it."""
    if seed < 0:
        raise InputError("phantom seed", f"{seed} is negative", "use a seed of 0 or more")
    return np.random.default_rng([seed, topic])


def choose_side(facing: Side | None, drawn: Side) -> Side:
    """The side asked for, else the drawn one."""
    if facing not in (None, "left", "right"):
        raise InputError(f"facing {facing!r}", "is unknown", "use left or right")
    return facing or drawn


def draw(rng: np.random.Generator, words: Sequence[Word], odds: Sequence[float]) -> Word:
    """One of some words."""
    return words[int(rng.choice(len(words), p=odds))]


def choose_deformities(
    rng: np.random.Generator, wanted: Mapping[str, tuple[Deformity, float]] | Deformity | None
) -> dict[str, tuple[Deformity, float]]:
    """Which levels are deformed, how, and by how much.

    Args:
        rng: Source of what is not given.
        wanted: ``{"L1": ("wedge", 24.9), ...}``; or one kind, put on a drawn level with a drawn loss; or None: about
            half of the spines get one to four deformed levels, mostly about the thoracolumbar junction.

    Raises:
        InputError: An unknown level or kind.
    """
    if isinstance(wanted, Mapping):
        for label in wanted:
            if label not in LEVELS:
                raise InputError(f"level {label!r}", "is unknown", f"use one of {', '.join(LEVELS)}")
        return dict(wanted)
    if wanted is not None and wanted not in DEFORMITIES:
        raise InputError(f"deformity {wanted!r}", "is unknown", f"use one of {', '.join(DEFORMITIES)}")
    # Osteoporotic fractures cluster at T7-T8 and above all at T12-L1.
    likely = {"T6": 1, "T7": 2, "T8": 2, "T9": 1, "T10": 1, "T11": 2, "T12": 4, "L1": 4, "L2": 3, "L3": 2.5, "L4": 2.5}
    likely["L5"] = 1
    weights = np.array(list(likely.values())) / sum(likely.values())
    count = 1 if wanted else int(rng.choice([0, 1, 2, 3, 4], p=[0.5, 0.22, 0.14, 0.09, 0.05]))
    labels = rng.choice(list(likely), size=4, replace=False, p=weights)
    kinds = rng.choice(len(DRAWN), size=4, p=list(DRAWN.values()))
    losses = np.clip(20.5 + rng.gamma(1.6, 9.0, size=4), 20.5, 62.0)
    if wanted == "none":
        return {}
    chosen = {}
    for k in range(count):
        chosen[str(labels[k])] = (wanted or list(DRAWN)[kinds[k]], round(float(losses[k]), 1))
    return chosen


def choose_field(
    extent_mm: tuple[float, float, float, float],
    size: tuple[int, int] | None,
    spacing_mm: float | tuple[float, float] | None,
    drawn_spacing_mm: float,
) -> Field:
    """Fit a picture to a wanted extent (x0, y0, x1, y1 in anatomy mm).

    With ``size`` and ``spacing_mm`` both given, the picture is centred on the extent.
    """
    x0, y0, x1, y1 = extent_mm
    if size is not None:
        _check_size(size)
    if spacing_mm is None:
        if size is not None:
            fitted = max((y1 - y0) / size[0], (x1 - x0) / size[1])
            spacing = (fitted, fitted)
        else:
            spacing = (drawn_spacing_mm, drawn_spacing_mm)
    else:
        pair = np.broadcast_to(np.asarray(spacing_mm, dtype=np.float64), 2)
        spacing = (float(pair[0]), float(pair[1]))
    if not all(PLAUSIBLE_SPACING_MM[0] <= value <= PLAUSIBLE_SPACING_MM[1] for value in spacing):
        raise InputError(f"spacing {spacing_mm}", "is not plausible", "give mm per pixel")
    if size is None:
        size = (round((y1 - y0) / spacing[0]), round((x1 - x0) / spacing[1]))
        _check_size(size)
    size = (int(size[0]), int(size[1]))
    origin = ((x0 + x1 - size[1] * spacing[1]) / 2, (y0 + y1 - size[0] * spacing[0]) / 2)
    return Field(origin, spacing, size)


def _check_size(size: tuple[int, int]) -> None:
    if not all(16 <= side <= MAX_SIZE_PX for side in size):
        raise InputError(
            f"picture of {size[0]} x {size[1]} px", "cannot be drawn", f"use 16 to {MAX_SIZE_PX} px a side"
        )


def region_extent(
    rng: np.random.Generator, spine: Spine, region: Region, hips: bool = False
) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) in anatomy mm of a usual exposure of a region, with the variation of daily work.

    With ``hips``, a lumbar or whole exposure reaches to the femoral heads.
    """
    labels = [body.label for body in spine.bodies]
    first, last = {
        "lumbar": (str(rng.choice(["T9", "T10", "T11", "T12"], p=[0.15, 0.35, 0.35, 0.15])), "S3"),
        "thoracic": (str(rng.choice(["T1", "T2", "T3", "T4"])), str(rng.choice(["T12", "L1", "L2"]))),
        "whole": (str(rng.choice(["C5", "C6", "C7", "T1"])), "S4"),
    }[region]
    upper = spine.body(first)
    lower = spine.sacrum[int(last[1]) - 1] if last[0] == "S" else spine.body(last)
    y0 = upper.centre[1] - upper.posterior_mm * rng.uniform(0.2, 1.2)
    y1 = lower.centre[1] + rng.uniform(0.2, 1.2) * lower.depth_mm
    stop = len(labels) if last[0] == "S" else labels.index(last) + 1
    shown = spine.bodies[labels.index(first) : stop]
    xs = np.array([body.centre[0] for body in shown])
    width = max((y1 - y0) * rng.uniform(0.46, 0.85), np.ptp(xs) + 95)
    if region == "whole":
        width = max((y1 - y0) * rng.uniform(0.34, 0.5), np.ptp(xs) + 110)
    middle = (xs.min() + xs.max()) / 2 + rng.normal(6, 14)
    x0, x1 = middle - width / 2, middle + width / 2
    if hips and region != "thoracic":
        x, y = np.array(spine.hips).T
        y1 = max(y1, y.max() + spine.hip_mm * rng.uniform(-0.4, 3.0))
        x0, x1 = min(x0, x.min() - 2.2 * spine.hip_mm), max(x1, x.max() + 1.6 * spine.hip_mm)
    return (x0, y0, x1, y1)
