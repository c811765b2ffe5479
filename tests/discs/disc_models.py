"""A disc model that finds what it is told, and where the discs of a drawn subject are."""

from __future__ import annotations

import numpy as np
import torch
from disc_volumes import STEPS
from torch import nn

from spinetk.discs.predictor import DiscPredictor
from spinetk.discs.search import Column
from spinetk.discs.slab import project, read_labels, read_slab
from spinetk.discs.target import level_heatmaps

LEVELS = (20, 21, 22, 23)
STEPS_MM = np.diff(np.array(list(STEPS.values())), axis=0)
COLUMN = Column(LEVELS, STEPS_MM, np.full((3, 2), 4.0))
CONFIG = {"grid_mm": 1.0, "levels": list(LEVELS), "column": COLUMN.to_json()}


class Told(nn.Module):
    """A network that gives heatmaps of known points, cut or filled to the size of the picture."""

    def __init__(self, points, levels=LEVELS):
        super().__init__()
        self.points, self.levels, self.joints = points, levels, len(levels)
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, pictures):
        return [torch.from_numpy(level_heatmaps(self.points, self.levels, pictures.shape[-2:])[0])[None]]


def told(points, **config):
    return DiscPredictor(Told(points), CONFIG | config, "told", device="cpu")


def places_of(root, name):
    labels = read_labels(root / f"derivatives/labels/{name}/anat/{name}_T2w_labels-disc-manual.nii.gz")
    return labels, project(read_slab(root / f"{name}/anat/{name}_T2w.nii.gz"), labels)
