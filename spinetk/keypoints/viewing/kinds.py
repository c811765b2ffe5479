"""Kinds of pictures that the view network tells apart."""

from __future__ import annotations

from spinetk.views import View

SIDE_PX = 160  # of the network's input
KINDS = ("none", "ap", "lateral", "sagittal-mr", "sagittal-ct", "cervical")
VIEW_OF: dict[str, View] = {
    "none": "unknown",
    "ap": "ap",
    "lateral": "lateral",
    "sagittal-mr": "sagittal",
    "sagittal-ct": "sagittal",
    "cervical": "cervical",
}
MODALITY_OF: dict[str, str | None] = {"sagittal-mr": "MR", "sagittal-ct": "CT"}
WORDS = {
    "none": "no spine that a model reads",
    "ap": "a frontal radiograph",
    "lateral": "a lateral radiograph",
    "sagittal-mr": "a sagittal MR slice",
    "sagittal-ct": "a sagittal CT slice",
    "cervical": "a lateral radiograph of the neck",
}
