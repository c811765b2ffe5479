"""Crops: each vertebral body cut out of the picture upright and at one size, and points to and from such a crop.

A body's oriented box is (centre x, centre y, width, height, angle): width along its left-right axis, angle in radians
from the picture's x axis to it, y down. Crop coordinates run from 0 to 1 along the enlarged box. All of it is NumPy,
for training as for reading, so that reading needs nothing more.
"""

from __future__ import annotations

import numpy as np

from spinetk.schema import KeypointSchema

LEAST_SIDE_PX = 2.0
CHUNK = 1 << 14  # places at a time: what is computed of them stays in the processor's cache
FLAT_SD = 0.02  # added to the SD of a crop, so that one without contrast stays without


def body_boxes(points: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    """Oriented boxes of bodies.

    Args:
        points: (N, K, 2) px.
        schema: Its columns (left to right in storage order) give the axes; without them boxes are upright.

    Returns:
        (N, 5) centre x, y, width, height in px, angle in radians.
    """
    if schema.columns:
        names = [(schema.index(top), schema.index(bottom)) for top, bottom in schema.columns.values()]
        tops, bottoms = points[:, [t for t, _ in names]], points[:, [b for _, b in names]]
        down = (bottoms - tops).mean(1)
        middles = (tops + bottoms) / 2
        across = middles[:, -1] - middles[:, 0]
        centre = middles.mean(1)
        # The quarter turn of the downward axis also points across; both say where "right" is.
        right = across + np.stack([down[:, 1], -down[:, 0]], -1)
        angle = np.arctan2(right[:, 1], right[:, 0])
        size = np.stack([np.linalg.norm(across, axis=-1), np.linalg.norm(down, axis=-1)], -1)
    else:
        low, high = points.min(1), points.max(1)
        centre, size = (low + high) / 2, high - low
        angle = np.zeros(len(points), points.dtype)
    return np.concatenate([centre, size.clip(LEAST_SIDE_PX), angle[:, None]], -1)


def axes(boxes: np.ndarray, share: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Right-ward and down-ward side vectors, (N, 2) each in px, of boxes enlarged by ``share`` (width, height)."""
    cos, sin = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    right = np.stack([cos, sin], -1) * boxes[:, 2:3] * share[0]
    down = np.stack([-sin, cos], -1) * boxes[:, 3:4] * share[1]
    return right, down


def sample(picture: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Values of a (C, H, W) picture at places (..., 2) px: (C, ...), bilinear, 0 outside.

    Computed as ``torch.nn.functional.grid_sample(align_corners=False)`` does: the picture goes on as 0 beyond its edge,
    so a place within half a px of the edge is partly 0.
    """
    channels, height, width = picture.shape
    edged = np.zeros((channels, height + 3, width + 3), picture.dtype)
    edged[:, 1 : height + 1, 1 : width + 1] = picture
    flat = edged.reshape(channels, -1)
    places = where.reshape(-1, 2)
    values = np.empty((channels, len(places)), picture.dtype)
    for start in range(0, len(places), CHUNK):
        own = places[start : start + CHUNK]
        # Pixel (row i, column j) has its centre at (j + 0.5, i + 0.5), and the edge adds one to each.
        x = (own[:, 0] + 0.5).clip(0, width + 1)
        y = (own[:, 1] + 0.5).clip(0, height + 1)
        column, row = x.astype(np.int64), y.astype(np.int64)
        right, below = (x - column).astype(picture.dtype), (y - row).astype(picture.dtype)
        first = row * (width + 3) + column
        # What is computed is the plain formula; `take` and few temporaries make it twice as fast.
        left, above = 1 - right, 1 - below
        upper, lower = flat.take(first, 1) * left, flat.take(first + (width + 3), 1) * left
        upper += flat.take(first + 1, 1) * right
        lower += flat.take(first + (width + 4), 1) * right
        upper *= above
        lower *= below
        np.add(upper, lower, out=values[:, start : start + CHUNK])
    return values.reshape(channels, *where.shape[:-1])


def cut(picture: np.ndarray, boxes: np.ndarray, share: tuple[float, float], side_px: int) -> np.ndarray:
    """Cut bodies out of a picture.

    Args:
        picture: (H, W) float.
        boxes: (N, 5) as :func:`body_boxes` gives them.
        share: Enlargement (width, height).
        side_px: Side of a crop.

    Returns:
        (N, 1, side, side), bilinear, black outside the picture, each shifted and scaled to mean 0 and SD 1.
    """
    right, down = axes(boxes, share)
    steps = (np.arange(side_px) + 0.5) / side_px - 0.5
    where = (
        boxes[:, None, None, :2]
        + steps[None, None, :, None] * right[:, None, None]
        + steps[None, :, None, None] * down[:, None, None]
    )
    crops = sample(picture[None], where)[0]
    mean = crops.mean((1, 2), keepdims=True)
    return ((crops - mean) / (crops.std((1, 2), keepdims=True) + picture.dtype.type(FLAT_SD)))[:, None]


def to_crop(points: np.ndarray, boxes: np.ndarray, share: tuple[float, float]) -> np.ndarray:
    """(N, K, 2) px in the picture to crop coordinates 0..1."""
    right, down = axes(boxes, share)
    offset = points - boxes[:, None, :2]
    along = (offset * right[:, None]).sum(-1) / (right**2).sum(-1)[:, None]
    below = (offset * down[:, None]).sum(-1) / (down**2).sum(-1)[:, None]
    return np.stack([along, below], -1) + 0.5


def from_crop(points: np.ndarray, boxes: np.ndarray, share: tuple[float, float]) -> np.ndarray:
    """Inverse of :func:`to_crop`."""
    right, down = axes(boxes, share)
    away = points - 0.5
    return boxes[:, None, :2] + away[..., :1] * right[:, None] + away[..., 1:] * down[:, None]
