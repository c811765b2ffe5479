"""Decoding: from what a CentreNet's networks say to bodies with points, in NumPy.

The networks are three functions on arrays, whoever computes them: PyTorch (:class:`spinetk.keypoints.engine
.TorchEngine`, training's validation) or the exported graphs (:mod:`spinetk.keypoints.centre.runtime`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from spinetk.keypoints.centre.crop import body_boxes, cut, from_crop
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.centre.strip import between, midline, row_px, rows_of, straighten
from spinetk.keypoints.centre.surroundings import L5, places, standardized, surroundings
from spinetk.keypoints.heatmap import decode
from spinetk.schema import KeypointSchema

STRIDE = 8  # px of the input per cell: half resolution, then 4
PAD = 64  # sides of a batch are multiples of this, so that stride 32 at half resolution divides them
PEAK = 0.05  # least probability of a centre
OFFSET_UNIT = 8.0  # cells: what an offset of 1 means
CELL = 4  # rows of a strip per answer
MOST_LANDMARKS = 2  # of a kind that are looked at: there are two femoral heads
ABOVE_ROWS = 10  # half a body: what is left of a strip above its highest body
MIN_BODIES = 4  # below which there is no line to speak of
UNIT = np.array([[0.0, 0.0, 1.0, 1.0]], np.float32)
Found = dict[str, np.ndarray]
Worth = Callable[[np.ndarray, np.ndarray, bool], np.ndarray]


@dataclass
class CentreDecoder:
    """Detections by a centre network's functions.

    Attributes:
        preset, schema: Of the network.
        maps: Pictures (B, 3, H, W) in 0..1, sides multiples of 64, to centre logits (B, O, h, w) and offsets
            (B, O, K, 2, h, w) in units of 8 cells, h = H / 8; O is bodies, then the preset's landmarks.
        refine: Crops (N, 1, S, S) to heatmap logits (N, O K, S / 2, S / 2).
        column: Strips (B, 4, ROWS, COLUMNS) to level logits (B, C, L + 2), or None where no levels are named.
        endplate: As ``refine``, for S1 alone: logits (N, K, S / 2, S / 2); None where ``refine`` has maps of it.
        lumbosacral: Surroundings (N, 2, S, S) to logits (N, L) of the levels that a body looks like; None where
            they are not asked.
    """

    preset: CentrePreset
    schema: KeypointSchema
    maps: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    refine: Callable[[np.ndarray], np.ndarray]
    column: Callable[[np.ndarray], np.ndarray] | None = None
    endplate: Callable[[np.ndarray], np.ndarray] | None = None
    lumbosacral: Callable[[np.ndarray], np.ndarray] | None = None

    def detect(self, picture: np.ndarray, flip: bool | None = None, worth: Worth | None = None) -> Found:
        """Detections in a picture, best first.

        Args:
            picture: (3, H, W) in 0..1, at network size.
            flip: Also look at the mirrored picture and average: twice the time. By default as the preset says.
            worth: Points (N, K, 2) px and scores (N,) of bodies, and whether the points are rough, to which of them are
                worth a closer look, (N,) bool; the others are left out. Asked before each of the two passes. By
                default all.

        Returns:
            ``boxes`` (N, 4) around the points, ``scores`` (N,), ``points`` (N, K, 2), ``point_scores`` (N, K),
            ``sigma`` (N, K), all in px of the network's input. With landmarks in the preset the same of these under
            ``landmark_boxes``, ... , and ``landmark_kinds`` (M,), indices into the preset's landmarks.
        """
        flip = self.preset.mirror if flip is None else flip
        centre, offset = self._seen(padded(picture)[None], flip)
        scores, points = self.peaks(centre[0], offset[0])
        if worth is not None and len(scores):
            kept = worth(points, scores, True)
            scores, points = scores[kept], self.look(picture, points[kept], flip, 1)["points"]
            kept = worth(points, scores, False)
            scores, points = scores[kept], points[kept]
        found = self.look(picture, points, flip, 2 if worth is None else 1) | {"scores": scores}
        return found | self._landmarks(picture, centre, offset, flip) if self.preset.landmarks else found

    def look(
        self, picture: np.ndarray, points: np.ndarray, flip: bool | None = None, passes: int = 2, kind: int = 0
    ) -> Found:
        """Refine points of bodies in a (3, H, W) picture: ``boxes``, ``points``, ``point_scores``, ``sigma``.

        ``points`` (N, K, 2) px may be rough; each pass crops around the points of the one before. ``kind`` 0 is a body,
        1 and on a landmark of the preset.
        """
        share, side = self.preset.crop_share, self.preset.crop_px
        flip = self.preset.mirror if flip is None else flip
        scores = sigma = np.zeros(points.shape[:2], picture.dtype)
        for _ in range(passes if len(points) else 0):
            boxes = body_boxes(points, self.schema)
            crops = cut(picture[0], boxes, share, side)
            logits = self._refined(crops, kind)
            if flip:
                other = self._refined(np.ascontiguousarray(crops[..., ::-1]), kind)
                mirrored = other[..., ::-1][:, self._partners]
                logits = (logits + mirrored) / 2
            inside, scores, spread = decode(logits, UNIT.repeat(len(points), 0))
            points = from_crop(inside, boxes, share)
            sigma = spread * np.sqrt((boxes[:, 2:4] * share).prod(-1, keepdims=True))
        low, high = (points.min(1), points.max(1)) if len(points) else (points[:, 0], points[:, 0])
        return {"boxes": np.concatenate([low, high], -1), "points": points, "point_scores": scores, "sigma": sigma}

    def votes(
        self, picture: np.ndarray, centres: np.ndarray, line: np.ndarray, lowest: int | None = None
    ) -> np.ndarray:
        """Votes (N, L) for the levels of bodies in a (3, H, W) picture.

        Args:
            picture: At the size of the network's input.
            centres: (N, 2) px of all bodies in question.
            line: Indices of those that form the column, head to foot.
            lowest: Show the network only so many of its lowest bodies, and what lies below them; None: all there is.

        Returns:
            Log-probabilities less that of the likeliest answer, "no level" among them: 0 is the best a level can
            have. All 0 for a line of fewer than ``MIN_BODIES``, or where the network names no levels.
        """
        if len(line) < MIN_BODIES or self.column is None:
            return np.zeros((len(centres), len(self.preset.levels)))
        pixel_px = row_px(centres[line])
        places, tangents = midline(centres[line], pixel_px)
        strip = straighten(picture, places, tangents, pixel_px)
        if lowest is not None and lowest < len(line):
            top = int(rows_of(centres[line[-lowest:][:1]], places)[0])
            strip[:, : max(0, top - ABOVE_ROWS)] = 0
        logits = self.column(np.stack([strip, strip[..., ::-1]])).astype(np.float64)
        said = log_softmax(logits).mean(0)
        row = ((rows_of(centres, places) - (CELL - 1) / 2) / CELL).clip(0, len(said) - 1)
        own = between(said, np.arange(len(said)), row)
        return (own - own.max(1, keepdims=True))[:, 1:-1]

    def peaks(self, centre: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores and rough points in px at the local maxima of (h, w) probabilities, best first."""
        top = cv2.dilate(centre, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
        places = np.flatnonzero((centre == top) & (centre > PEAK))
        scores = centre.ravel()[places]
        order = np.argsort(-scores, kind="stable")[: self.preset.detections]
        rows, columns = np.divmod(places[order], centre.shape[1])
        cells = np.stack([columns, rows], -1)[:, None] + 0.5
        points = (cells + offset[..., rows, columns].transpose(2, 0, 1) * OFFSET_UNIT) * STRIDE
        return scores[order], points

    def _seen(self, batch: np.ndarray, flip: bool) -> tuple[np.ndarray, np.ndarray]:
        """Centre probabilities (O, h, w) and offsets (O, K, 2, h, w), averaged with those of the mirrored picture."""
        logits, offset = (own[0] for own in self.maps(batch))
        centre = sigmoid(logits)
        if flip:
            other, away = (own[0, ..., ::-1] for own in self.maps(np.ascontiguousarray(batch[..., ::-1])))
            centre = (centre + sigmoid(other)) / 2
            turned = away[:, self._partners] * np.array([-1.0, 1.0], away.dtype)[:, None, None]
            offset = (offset + turned) / 2
        return centre, offset

    def l5_chances(self, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(N,) how probable it is, by their surroundings, that bodies are L5: not calibrated.

        Args:
            picture: (H, W) uint8, upright, of any size.
            points: (N, K, 2) px.
        """
        assert self.lumbosacral is not None  # asked where the preset says so
        cuts = standardized(surroundings(picture, places(points, self.schema)))
        told = [self.lumbosacral(np.ascontiguousarray(own)) for own in (cuts, cuts[..., ::-1])]
        return np.mean([np.exp(log_softmax(own))[:, L5] for own in told], axis=0)

    def _landmarks(self, picture: np.ndarray, centre: np.ndarray, offset: np.ndarray, flip: bool) -> Found:
        """The surest few of each kind of landmark, refined."""
        parts = []
        for kind, name in enumerate(self.preset.landmarks, start=1):
            passes = self.preset.endplate_passes if name == "s1" else 2
            scores, points = self.peaks(centre[kind], offset[kind])
            scores, points = scores[:MOST_LANDMARKS], points[:MOST_LANDMARKS]
            own = self.look(picture, points, flip, passes, kind) | {"scores": scores}
            parts.append(own | {"kinds": np.full(len(scores), kind - 1)})
        return {f"landmark_{key}": np.concatenate([part[key] for part in parts]) for key in parts[0]}

    def _refined(self, crops: np.ndarray, kind: int) -> np.ndarray:
        """(N, K, S, S) maps of one kind of object in crops."""
        if self.endplate is not None and kind and self.preset.landmarks[kind - 1] == "s1":
            return self.endplate(crops)
        own = len(self.schema)
        return self.refine(crops)[:, kind * own : (kind + 1) * own]

    @property
    def _partners(self) -> list[int]:
        """Index of each point's name in the mirrored picture."""
        return list(self.schema.flip_indices)


def padded(picture: np.ndarray) -> np.ndarray:
    """A (C, H, W) picture, black to the right and below, sides multiples of 64."""
    rest = [-side % PAD for side in picture.shape[1:]]
    return np.pad(picture, ((0, 0), (0, rest[0]), (0, rest[1])))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logistic function, without overflow."""
    return (1 + np.tanh(logits / 2)) / 2


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
