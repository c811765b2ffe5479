"""Measurements of vertebrae: heights, deformity, angles, levels, and agreement between readings.

``measure`` and ``compare`` are loaded on first use: reading a picture compares nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spinetk.measure.comparison import compare
    from spinetk.measure.readout import measure

_HOMES = {"compare": "spinetk.measure.comparison", "measure": "spinetk.measure.readout"}

__all__ = ["compare", "measure"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'spinetk.measure' has no attribute {name!r}")
