"""Measurements of vertebrae: heights, deformity, angles, levels, and agreement between readings."""

from spinetk.measure.readout import measure

__all__ = ["measure"]
