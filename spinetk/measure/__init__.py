"""Measurements of vertebrae: heights, deformity, angles, levels, and agreement between readings."""

from spinetk.measure.comparison import compare
from spinetk.measure.readout import measure

__all__ = ["compare", "measure"]
