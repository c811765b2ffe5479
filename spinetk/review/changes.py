"""Changes: what one version of a case has and the one before has not, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spinetk.landmark import POINTS

LEAST_PX = 0.05
"""Points nearer than this to where they were have not been moved: files hold them to a thousandth."""
LANDMARKS = {"s1": "S1 endplate", "femoral_head": "femoral head"}
FIELDS = {"view": "view", "spacing_mm": "pixel size", "orientation": "orientation"}


def changes_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What changed between two records of one picture, e.g. ``["2 vertebrae moved", "L1 named L2"]``."""
    old, new = before["annotations"], after["annotations"]
    pairs = _pairs(old, new)
    moved = [(a, b) for a, b in pairs if _shift(old[a], new[b]) > LEAST_PX]
    counts = ((len(moved), "moved"), (len(new) - len(pairs), "added"), (len(old) - len(pairs), "removed"))
    found = [f"{count} vertebra{'e' if count > 1 else ''} {what}" for count, what in counts if count]
    for a, b in pairs:
        one, other = old[a].get("label"), new[b].get("label")
        if one != other:
            found.append(f"{one or 'unnamed'} named {other}" if other else f"name {one} taken away")
    found += _landmarks(before.get("landmarks") or [], after.get("landmarks") or [])
    if (before.get("rulers") or []) != (after.get("rulers") or []):
        found.append("lengths and angles drawn changed")
    found += [f"{words} changed" for name, words in FIELDS.items() if before.get(name) != after.get(name)]
    fronts = [(record.get("facing") or {}).get("side") for record in (before, after)]
    if fronts[0] != fronts[1] and before.get("orientation") == after.get("orientation"):
        found.append("front changed")
    return found


def _landmarks(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    found = []
    for kind, word in LANDMARKS.items():
        one, other = ([_place(own) for own in side if own.get("kind") == kind] for side in (old, new))
        if len(one) != len(other):
            found.append(f"{word} {'added' if len(other) > len(one) else 'removed'}")
        elif one and np.abs(np.array(one) - np.array(other)).max() > LEAST_PX:
            found.append(f"{word} moved")
    return found


def _place(landmark: Mapping[str, Any]) -> list[float]:
    """All coordinates of a landmark, and its radius."""
    points = [value for name in POINTS[landmark["kind"]] for value in landmark[name]]
    return [*points, landmark.get("radius_px") or 0.0]


def _pairs(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Annotations of one body: those whose centres lie nearest, and less than half a body apart."""
    if not old or not new:
        return []
    apart = np.hypot(*(_centres(old)[:, None] - _centres(new)[None, :]).transpose(2, 0, 1))
    heights = np.array([own["bbox"][3] - own["bbox"][1] for own in old])
    apart[apart >= np.maximum(heights / 2, 1.0)[:, None]] = np.inf
    found = []
    while np.isfinite(apart).any():  # the nearest two first; bodies of a column do not overlap by half
        a, b = (int(k) for k in np.unravel_index(np.argmin(apart), apart.shape))
        found.append((a, b))
        apart[a], apart[:, b] = np.inf, np.inf
    return sorted(found)


def _centres(annotations: list[dict[str, Any]]) -> np.ndarray:
    boxes = np.array([own["bbox"] for own in annotations], dtype=np.float64)
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _shift(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """How far the point that moved most did, px; a point that came into sight or went counts as moved."""
    first, second = (np.reshape(own["keypoints"], (-1, 3)) for own in (one, other))
    if first.shape != second.shape or ((first[:, 2] > 0) != (second[:, 2] > 0)).any():
        return float("inf")
    return float(np.hypot(*(first[:, :2] - second[:, :2]).T).max())
