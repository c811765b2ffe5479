"""Label Studio: tasks with a box per vertebra and its points, the labelling set-up they need, and the export back.

Coordinates are percent of the picture from its upper left corner, so ``x / 100 * width`` is ours. Label Studio has no
skeletons: which vertebra a point belongs to comes, in this order, from its parent region, from a relation, from a
level in its own label (``L3 top_left``), or from the smallest box it lies in. Its JSON is read here, without
label-studio-sdk, whose converters round points to whole px and join all bodies of a picture (COCO) or need boxes and
parents (YOLO).
"""

from __future__ import annotations

from spinetk.formats.labelstudio.reading import is_export, labelstudio_items
from spinetk.formats.labelstudio.writing import write_labelling, write_readings, write_tasks
from spinetk.formats.registry import Format

__all__ = ["FORMAT", "is_export", "labelstudio_items", "write_labelling", "write_tasks"]

FORMAT = Format(
    name="labelstudio",
    title="Label Studio tasks",
    suffix="labelstudio.json",
    read=labelstudio_items,
    write=write_readings,
    recognises=lambda source: source.any_json(is_export),
    many=True,
    holds=frozenset({"points", "levels", "visibility", "outside", "scores", "landmarks", "extras"}),
    origin="percent of the picture from its upper left corner: outer corner of the first pixel, no shift",
    tools="label-studio-sdk 2.1.2",
    documented="Label Studio 1.2x (JSON)",
    source="https://labelstud.io/guide/export https://labelstud.io/tags/keypointlabels",
)
