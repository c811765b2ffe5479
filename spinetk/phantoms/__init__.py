"""Synthetic spine pictures with exact truth: lateral radiographs and sagittal MR."""

from __future__ import annotations

from spinetk.phantoms.body import Body, deform, vertebra_points
from spinetk.phantoms.dataset import write_phantom_set
from spinetk.phantoms.dicom import write_dicom
from spinetk.phantoms.discs import disc_volume, write_disc_set
from spinetk.phantoms.mr import sagittal_mr
from spinetk.phantoms.phantom import Phantom
from spinetk.phantoms.radiograph import lateral_radiograph
from spinetk.phantoms.spine import Spine, draw_spine

__all__ = [
    "Body",
    "Phantom",
    "Spine",
    "deform",
    "disc_volume",
    "draw_spine",
    "lateral_radiograph",
    "sagittal_mr",
    "vertebra_points",
    "write_dicom",
    "write_disc_set",
    "write_phantom_set",
]
