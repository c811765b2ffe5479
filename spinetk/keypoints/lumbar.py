"""Lumbar: how probable it is that the lowest body of a column is L5, by what each of its lowest bodies looks like."""

from __future__ import annotations

import numpy as np

from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.engine import Engine
from spinetk.reading import Reading

LOOKED_AT = 3  # bodies: those above L3 look alike
UNKNOWN = 0.5
L5, L4, HIGHER, S1 = range(4)  # the answers of spinetk.keypoints.centre.lumbar.LumbarNet
LEAST = 1e-6


def looks_like_l5(engine: Engine, picture: np.ndarray, column: Reading) -> float:
    """How probable its looks make it that the last body of a column, head to foot, is L5.

    Args:
        engine: Computes the network; one that does not tell these bodies apart makes it ``UNKNOWN``.
        picture: (H, W) uint8, upright, that the column is in px of.
        column: Its bodies.
    """
    preset = engine.preset
    if not isinstance(preset, CentrePreset) or not preset.lumbar or not column.vertebrae:
        return UNKNOWN
    points = np.array([vertebra.points for vertebra in column.vertebrae[-LOOKED_AT:]])
    return last_is_l5(engine.lumbar_levels(picture, points))


def last_is_l5(said: np.ndarray) -> float:
    """The probability that the last body of a column is L5.

    It may be S1, L5, L4 or a higher one, and which the bodies above it are follows from that; what was said of each is
    taken as independent, and no answer as likelier than another beforehand.

    Args:
        said: (N, 4) probabilities of ``L5, L4, HIGHER, S1`` for the lowest bodies of a column, head to foot.

    Returns:
        0 to 1; ``UNKNOWN`` of no body.
    """
    if not len(said):
        return UNKNOWN
    logs = np.log(np.clip(said[::-1], LEAST, 1.0))
    up = np.arange(len(logs))
    alike = np.array([logs[up, _answers(first + up)].sum() for first in (0, -1, 1, 2)])
    chances = np.exp(alike - alike.max())
    return float(chances[0] / chances.sum())


def _answers(above_l5: np.ndarray) -> np.ndarray:
    """The answer that is right for a body so many levels above L5; -1 is S1."""
    return np.array([S1, L5, L4, HIGHER])[np.clip(above_l5, -1, 2) + 1]
