"""COCO keypoint JSON, out and in, in the dialects of the programs that write it.

COCO points are pixel indices (the centre of the first pixel is 0), ours have it at 0.5: points shift by 0.5 px on the
way out and back on the way in. CVAT, Label Studio and Roboflow write places in a picture that begins at 0 at the outer
corner of its first pixel, in the same fields: those do not shift (``DIALECTS``). Boxes are areas everywhere and never
shift; they are [x, y, width, height].
"""

from __future__ import annotations

from spinetk.formats.coco.reading import coco_items, recognises
from spinetk.formats.coco.writing import coco_content, write_coco, write_readings
from spinetk.formats.registry import Format

__all__ = ["FORMAT", "coco_content", "coco_items", "write_coco"]

FORMAT = Format(
    name="coco",
    title="COCO keypoints",
    suffix="coco.json",
    read=coco_items,
    write=write_readings,
    recognises=recognises,
    many=True,
    holds=frozenset({
        "points", "levels", "visibility", "other names", "scores", "landmarks", "extras", "slice", "spacing", "front",
        "refusals",
    }),
    origin="centre of the first pixel: 0.5 px is taken off and added; files of CVAT, Label Studio and Roboflow count "
    "from its outer corner and are taken as they stand",
    tools="pycocotools 2.0.11",
    documented="Detectron2 0.6, MMPose 1.3, CVAT 2.80, Roboflow",
    source="https://cocodataset.org/#format-data",
)  # fmt: skip
