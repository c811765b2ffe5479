"""spinetk: vertebral landmarks, heights and deformity from radiographs, MR and CT slices. For research use."""

from __future__ import annotations

__version__ = "0.1.0"
