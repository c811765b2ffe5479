"""Pictures of a set that ``view_set.py`` wrote, and the ways in which each could have been stored."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from spinetk.keypoints.viewing.kinds import KINDS

# How often a kind is shown; what shows no spine has the most faces.
SHARES = {"none": 0.42, "ap": 0.13, "lateral": 0.17, "sagittal-mr": 0.1, "sagittal-ct": 0.08, "cervical": 0.1}
BLENDED = 0.3  # share of what shows no spine into which a second such picture is blended: few photographs are at hand
OVER_MR = 0.25  # share of the lateral draws in which MR drawn over as films may be met
FILMS = ("lateral", "ct", "chest")  # sources of the lateral films that are not MR drawn over


class ViewSet:
    """The pictures of a set, upright."""

    def __init__(self, path: Path) -> None:
        content = np.load(path)
        self.kinds, self.fronts, self.held = content["kinds"], content["fronts"], content["held"]
        self.groups = content["groups"]
        pixels, sizes = content["pixels"], content["sizes"]
        ends = np.cumsum(sizes.prod(1, dtype=np.int64))
        self.pictures = [pixels[end - h * w : end].reshape(h, w) for end, (h, w) in zip(ends, sizes, strict=True)]

        self.sources = np.array([str(group).split("-")[0] for group in self.groups])

    def draw(self, random: np.random.Generator) -> int:
        """Index of a picture to train on: kind first, then group, then picture."""
        kind = KINDS.index(str(random.choice(list(SHARES), p=list(SHARES.values()))))
        own = np.flatnonzero((self.kinds == kind) & ~self.held)
        if kind == KINDS.index("lateral") and random.random() >= OVER_MR:
            own = own[np.isin(self.sources[own], FILMS)]
        if random.random() < 0.4:  # every source alike, so that a small one is not drowned
            sources = self.sources[own]
            own = own[sources == random.choice(np.unique(sources))]
        return int(random.choice(own))

    def drawn(self, random: np.random.Generator) -> tuple[np.ndarray, int, int]:
        """A picture to train on, its kind and its front; what shows no spine now and then with another such in it."""
        index = self.draw(random)
        picture, kind = self.pictures[index], int(self.kinds[index])
        if kind == 0 and random.random() < BLENDED:
            other = self.pictures[int(random.choice(np.flatnonzero((self.kinds == 0) & ~self.held)))]
            other = cv2.resize(other, picture.shape[::-1], interpolation=cv2.INTER_AREA)
            part = random.uniform(0.3, 0.7)
            picture = np.rint(part * picture + (1 - part) * other).astype(np.uint8)
        return picture, kind, int(self.fronts[index])


def vary(picture: np.ndarray, random: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """One way in which a picture could have been stored; upright still."""
    if random.random() < 0.55 * strength:
        high, wide = (min(side, max(24, int(side * random.uniform(0.6, 1)))) for side in picture.shape)
        y, x = (int(random.integers(0, whole - own + 1)) for whole, own in
                zip(picture.shape, (high, wide), strict=True))  # fmt: skip
        picture = picture[y : y + high, x : x + wide]
    stretch = np.exp(random.normal(0, 0.08, 2))
    size = tuple(max(16, round(side * s)) for side, s in zip(picture.shape[::-1], stretch, strict=True))
    picture = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    if random.random() < 0.5 * strength:
        h, w = picture.shape
        matrix = cv2.getRotationMatrix2D((w / 2, h / 2), random.uniform(-14, 14), random.uniform(0.85, 1.1))
        fill = float(random.choice([0, 0, picture[0, 0], 255 * (random.random() < 0.2)]))
        picture = cv2.warpAffine(picture, matrix, (w, h), borderValue=fill)
    ramp = np.linspace(0, 1, 256) ** np.exp(random.normal(0, 0.4))
    ramp = (ramp - 0.5) * random.uniform(0.5, 1.8) + 0.5 + random.normal(0, 0.12)
    picture = (ramp.clip(0, 1) * 255).astype(np.uint8)[picture]
    if random.random() < 0.25 * strength:  # exposure that falls off along one axis
        axis = np.linspace(-1, 1, picture.shape[int(random.integers(2))])
        slope = np.exp(axis * random.normal(0, 0.6))
        slope = slope[:, None] if len(axis) == picture.shape[0] else slope[None]
        picture = (picture * slope).clip(0, 255).astype(np.uint8)
    if random.random() < 0.25:
        picture = 255 - picture
    if random.random() < 0.3 * strength:
        top, bottom, left, right = (random.uniform(0, 0.35, 4) * (random.random(4) < 0.6) * max(picture.shape)).astype(
            int
        )
        tone = int(random.choice([0, 0, 0, 255, random.integers(256)]))
        picture = cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=tone)
    picture = np.ascontiguousarray(picture)
    for _ in range(int(random.integers(0, 4)) if random.random() < 0.4 else 0):
        _letter(picture, random)
    if random.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 1.6))
    if random.random() < 0.4:
        picture = (picture + random.normal(0, random.uniform(2, 16), picture.shape)).clip(0, 255).astype(np.uint8)
    if random.random() < 0.25:
        quality = int(random.integers(15, 80))
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)
    return picture


def _letter(picture: np.ndarray, random: np.random.Generator) -> None:
    """A marker, in place: letters, mirrored or not, in a box or not."""
    text = "".join(random.choice(list("LRTAPStanding. 0123456789cm:-"), int(random.integers(1, 9))))
    size = random.uniform(0.3, 0.9) * max(picture.shape) / 256
    plate = np.zeros((int(40 * size) + 6, int(20 * size * len(text)) + 8), np.uint8)
    cv2.putText(plate, text, (2, plate.shape[0] - 6), cv2.FONT_HERSHEY_SIMPLEX, size, 255, 1, cv2.LINE_AA)
    plate = plate[:, ::-1] if random.random() < 0.3 else plate
    plate = plate[: picture.shape[0], : picture.shape[1]]
    h, w = plate.shape
    y, x = (int(random.integers(0, whole - own + 1)) for whole, own in zip(picture.shape, (h, w), strict=True))
    window = picture[y : y + h, x : x + w]
    if random.random() < 0.3:
        window[:] = 255 if random.random() < 0.7 else 0
        window[plate > 90] = 255 - window[0, 0]
    else:
        np.maximum(window, plate, out=window)


def posed(picture: np.ndarray, front: int, turns: int, mirrored: bool) -> tuple[np.ndarray, int]:
    """The picture mirrored, then turned counter-clockwise; and its front in the upright picture."""
    if mirrored:
        picture, front = picture[:, ::-1], (1 - front if front >= 0 else front)
    return np.rot90(picture, turns), front
