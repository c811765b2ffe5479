"""Training data: records to pictures and targets at network size, augmented reproducibly.

The random state of a sample is a function of (seed, epoch, index) alone, so a run is the same for any number of
workers and after a resume at any iteration.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from spinetk import upright
from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.formats.record import FRAME_FIELDS, reading_of, record_of
from spinetk.geometry import Frame
from spinetk.keypoints.centre import landmarks
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.pictures import network_scale, resize, to_tensor
from spinetk.keypoints.preset import Preset
from spinetk.schema import KeypointSchema
from spinetk.upright import Upright

Record = dict[str, Any]
CACHE_BYTES = 2 << 30  # pictures at network size kept in memory, per worker


class RecordDataset(Dataset):
    """Records (``spinetk.cases``) as network input.

    Args:
        records: Detectron2-style dicts: ``file_name``, ``annotations`` with ``keypoints`` [x, y, v] * K in px. Pictures
            whose frame says that they lie turned, or have oblong pixels, stand upright with square ones here.
        schema: Meaning of the K points.
        preset: Gives the size of the network's input and the box margin.
        augment: ``none``, ``flip`` or ``full`` (:class:`spinetk.keypoints.preset.Recipe`).
        seed: Seed of the run.

    Items are asked for as (epoch, index). An item is (picture (3, H, W) float 0..1, target) with the target as
    :meth:`spinetk.keypoints.network.VertebraRCNN.losses` takes it.
    """

    def __init__(
        self,
        records: Sequence[Record],
        schema: KeypointSchema,
        preset: Preset | CentrePreset,
        augment: str = "none",
        seed: int = 0,
    ) -> None:
        self._ways = [_way(record) for record in records]
        self.records = [_standing(record, way) for record, way in zip(records, self._ways, strict=True)]
        self.schema = schema
        self.preset = preset
        self.augment = augment
        self.seed = seed
        self._cache: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self._cached_bytes = 0

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, key: tuple[int, int] | int) -> tuple[Tensor, dict[str, Tensor]]:
        epoch, index = key if isinstance(key, tuple) else (0, key)
        random = np.random.default_rng((self.seed, epoch, index))
        short_px = self.preset.short_px[-1]
        if self.augment != "none":
            short_px = int(random.choice(self.preset.short_px))
        picture, factors = self._picture(index, short_px)
        bodies = self._points(index)
        noted = self.records[index].get("landmarks")
        known = landmarks.known(noted)
        marks, kinds = landmarks.targets(noted if known else None, self._kinds, self.schema)
        points = np.concatenate([bodies, marks])
        points[..., :2] *= factors
        if self.augment != "none" and random.random() < 0.5 and self.preset.mirror:
            picture = picture[:, ::-1]
            points = self.schema.mirror(points, picture.shape[1])
        if self.augment == "full":
            picture, points = warp(picture, points, random)
            picture = tint(picture, random)
        tensor = to_tensor(picture, self.preset.local_contrast)
        bodies, marks = points[: len(bodies)], points[len(bodies) :]
        target = make_target(bodies, picture.shape, self.preset.box_margin, self._levels(index))
        if self._kinds:
            target |= self._landmark_target(marks, kinds, picture.shape, known)
        return tensor, target

    @property
    def _kinds(self) -> tuple[str, ...]:
        """Landmarks the network learns beside the bodies."""
        kinds = self.preset.landmarks
        return kinds if landmarks.usable(self.schema) else ()

    def _landmark_target(
        self, points: np.ndarray, kinds: np.ndarray, shape: tuple[int, int], known: bool
    ) -> dict[str, Tensor]:
        """Landmarks whose points lie in the picture; and whether all that are shown are annotated."""
        heads = [k for k, kind in enumerate(kinds) if self._kinds[kind] == "femoral_head"]
        for k in heads:
            points[k] = landmarks.upright_circle(points[k], self.schema)
        inside = ((points[..., :2] >= 0) & (points[..., :2] <= shape[::-1])).all(-1)
        points[..., 2] = inside
        kept = inside.sum(1) >= 4
        return {
            "landmarks": torch.as_tensor(points[kept], dtype=torch.float32).reshape(-1, len(self.schema), 3),
            "kinds": torch.as_tensor(kinds[kept], dtype=torch.int64),
            "landmarks_known": torch.tensor(known),
        }

    def _picture(self, index: int, short_px: int) -> tuple[np.ndarray, np.ndarray]:
        key = (index, short_px)
        if key not in self._cache:
            picture = _read_grey(Path(self.records[index]["file_name"]))
            way = self._ways[index]
            picture = picture if way is None else way.pixels(picture)
            height, width = picture.shape
            scale = network_scale(height, width, short_px, self.preset.long_px)
            small = resize(picture, scale, self.preset.layout)
            if self._cached_bytes + small[0].nbytes > CACHE_BYTES:
                return small
            self._cached_bytes += small[0].nbytes
            self._cache[key] = small
        return self._cache[key]

    def _levels(self, index: int) -> list[int]:
        """Index of each vertebra's label in the preset's levels, -1 where it is unknown."""
        names = list(self.preset.levels)
        labels = [a.get("label") for a in self.records[index]["annotations"]]
        return [names.index(label) if label in names else -1 for label in labels]

    def _points(self, index: int) -> np.ndarray:
        annotations = self.records[index]["annotations"]
        points = [np.asarray(a["keypoints"], dtype=np.float64).reshape(-1, 3) for a in annotations]
        return place_unknown(np.stack(points)) if points else np.zeros((0, len(self.schema), 3))


def _way(record: Record) -> Upright | None:
    """How the picture of a record is turned and made square, as it is before it is read; None where it stands."""
    if not {"height", "width"} <= set(record):
        return None
    way = Upright.of(Frame.from_json(record), (record["height"], record["width"]))
    return way if way.changes else None


def _standing(record: Record, way: Upright | None) -> Record:
    """The record in px of its upright picture."""
    if way is None:
        return record
    about = {name: value for name, value in record.items() if name not in FRAME_FIELDS}
    return {**about, **record_of(reading_of(record).upright(way), record.get("image_id", ""))}


def upright_copies(records: Sequence[Record], folder: Path) -> list[Record]:
    """Records for a training that reads pictures by itself: those that lie turned, or have oblong pixels, are written
    to ``folder`` as they stand, and their records are about these copies.

    Raises:
        InputError: A picture cannot be read.
    """
    found = []
    for number, record in enumerate(records):
        way = _way(record)
        if way is not None:
            path = folder / f"{number:06d}.png"
            with replacing(path) as temporary:
                encoded = cv2.imencode(".png", way.pixels(_read_grey(Path(record["file_name"]))))[1]
                temporary.write_bytes(encoded.tobytes())
            record = {**_standing(record, way), "file_name": str(path)}
        found.append(record)
    return found


def _read_grey(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise InputError(path, "cannot be read as a picture", "prepare the case again")
    return picture


def place_unknown(points: np.ndarray) -> np.ndarray:
    """Give unknown points (v = 0, mostly beyond the picture's edge) the place they would have in a usual body.

    They are not trained; but a network that looks for whole bodies has to be told where the middle of one is. The mean
    shape of the picture's complete bodies is laid on the known points by the similarity of least squared distance;
    where no body is complete, the middle of the known points has to do.

    Args:
        points: (N, K, 3) x, y, v in px.

    Returns:
        (N, K, 3); a body with fewer than two known points is left as it is.
    """
    known = points[..., 2] > 0
    complete = points[known.all(1), :, :2]
    centred = complete - complete.mean(1, keepdims=True)
    shape = _complex(centred.mean(0) if len(complete) else np.zeros(points.shape[1:2] + (2,)))
    placed = points.copy()
    for own, seen in zip(placed, known, strict=True):
        if seen.all() or seen.sum() < 2:
            continue
        target, source = _complex(own[seen, :2]), shape[seen]
        away = source - source.mean()
        turn = (away.conj() * (target - target.mean())).sum() / max((np.abs(away) ** 2).sum(), 1e-9)
        guess = target.mean() + turn * (shape[~seen] - source.mean())
        own[~seen, :2] = np.column_stack([guess.real, guess.imag])
    return placed


def _complex(places: np.ndarray) -> np.ndarray:
    return places[..., 0] + 1j * places[..., 1]


def warp(picture: np.ndarray, points: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rotate by up to 10 degrees, zoom by 0.75..1.25 and shift by up to 6 %, about the picture's centre.

    Args:
        picture: (H, W) uint8.
        points: (N, K, 3) x, y, v in px.

    Returns:
        Picture of the same size (background filled with black) and points.
    """
    height, width = picture.shape
    angle, zoom = random.uniform(-10, 10), np.exp(random.uniform(np.log(0.75), np.log(1.25)))
    shift = random.uniform(-0.06, 0.06, 2) * (width, height)
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), angle, zoom), np.float64)
    matrix[:, 2] += shift
    moved = points.copy()
    moved[..., :2] = points[..., :2] @ matrix[:, :2].T + matrix[:, 2]
    return upright.warp(picture, matrix, (height, width)), moved


def tint(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Change grey values: gamma, contrast, brightness, then sometimes blur and noise. (H, W) uint8 in and out."""
    ramp = np.linspace(0, 1, 256) ** np.exp(random.uniform(-0.5, 0.5))
    ramp = (ramp - 0.5) * random.uniform(0.7, 1.4) + 0.5 + random.uniform(-0.12, 0.12)
    picture = cv2.LUT(np.ascontiguousarray(picture), (ramp.clip(0, 1) * 255).astype(np.uint8))
    if random.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.3, 1.5))
    if random.random() < 0.3:
        noise = random.normal(0, random.uniform(2, 12), picture.shape)
        picture = (picture + noise).clip(0, 255).astype(np.uint8)
    return picture


def make_target(
    points: np.ndarray, shape: tuple[int, int], box_margin: float, levels: Sequence[int] | None = None
) -> dict[str, Tensor]:
    """Boxes, labels and keypoints for the losses, and the ``levels`` (one per vertebra) of those that are trained.

    Points outside the picture are not trained. A vertebra needs two points inside; its box is the tight box of its
    points grown by ``box_margin`` of its size per side, cut at the picture.
    """
    height, width = shape
    inside = (points[..., 0] >= 0) & (points[..., 0] <= width) & (points[..., 1] >= 0) & (points[..., 1] <= height)
    seen = (points[..., 2] > 0) & inside
    boxes, keypoints, kept = [], [], []
    for own, visible, level in zip(points, seen, levels or [-1] * len(points), strict=True):
        if visible.sum() < 2:
            continue
        known = own[own[:, 2] > 0, :2]
        low, high = known.min(0), known.max(0)
        margin = (high - low) * box_margin
        low, high = np.maximum(low - margin, 0), np.minimum(high + margin, (width, height))
        if (high - low).min() < 2:
            continue
        boxes.append(np.concatenate([low, high]))
        keypoints.append(np.column_stack([own[:, :2], visible]))
        kept.append(level)
    count, kinds = len(boxes), points.shape[1]
    return {
        "boxes": torch.as_tensor(np.array(boxes).reshape(count, 4), dtype=torch.float32),
        "labels": torch.ones(count, dtype=torch.int64),
        "levels": torch.as_tensor(kept, dtype=torch.int64),
        "keypoints": torch.as_tensor(np.array(keypoints).reshape(count, kinds, 3), dtype=torch.float32),
    }


def collate(samples: list[tuple[Tensor, dict[str, Tensor]]]) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Keep pictures of different size apart; the network pads them."""
    pictures, targets = zip(*samples, strict=True)
    return list(pictures), list(targets)
