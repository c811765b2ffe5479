"""Pictures of a set that ``view_set.py`` wrote, and the ways in which each could have been stored."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from spinetk.keypoints.viewing.kinds import KINDS

# How often a kind is shown; what shows no spine has the most faces.
SHARES = {"none": 0.36, "ap": 0.12, "lateral": 0.19, "sagittal-mr": 0.15, "sagittal-ct": 0.08, "cervical": 0.1}
BLENDED = 0.3  # share of what shows no spine into which a second such picture is blended: few photographs are at hand
OVER_MR = 0.25  # share of the lateral draws in which MR drawn over as films may be met
FILMS = ("lateral", "ct", "chest")  # sources of the lateral films that are not MR drawn over
TRIES = 10
LEAST_KEPT = 0.4  # of the detail of a picture, whatever its exposure
MOST_NOISE = 4.0  # standard deviation, in the picture's detail
SCREENS = 0.15  # share of pictures that are met as a copy of a viewer's window


class ViewSet:
    """The pictures of a set, upright."""

    def __init__(self, path: Path) -> None:
        content = np.load(path)
        self.kinds, self.fronts, self.boxes = content["kinds"], content["fronts"], content["boxes"]
        self.held, self.watched = content["held"], content["watched"]
        self.taught = ~self.held & ~self.watched
        self.groups = content["groups"]
        pixels, sizes = content["pixels"], content["sizes"]
        ends = np.cumsum(sizes.prod(1, dtype=np.int64))
        self.pictures = [pixels[end - h * w : end].reshape(h, w) for end, (h, w) in zip(ends, sizes, strict=True)]

        self.sources = np.array([str(group).split("-")[0] for group in self.groups])

    def draw(self, random: np.random.Generator) -> int:
        """Index of a picture to train on: kind first, then group, then picture."""
        kind = KINDS.index(str(random.choice(list(SHARES), p=list(SHARES.values()))))
        own = np.flatnonzero((self.kinds == kind) & self.taught)
        if kind == KINDS.index("lateral") and random.random() >= OVER_MR:
            own = own[np.isin(self.sources[own], FILMS)]
        if random.random() < 0.4:  # every source alike, so that a small one is not drowned
            sources = self.sources[own]
            own = own[sources == random.choice(np.unique(sources))]
        return int(random.choice(own))

    def drawn(self, random: np.random.Generator) -> tuple[np.ndarray, int, int]:
        """A picture to train on as it may be stored, its kind and its front.

        What shows no spine has another such picture blended into it now and then.
        """
        index = self.draw(random)
        picture, kind = self.pictures[index], int(self.kinds[index])
        if kind == 0 and random.random() < BLENDED:
            other = self.pictures[int(random.choice(np.flatnonzero((self.kinds == 0) & self.taught)))]
            other = cv2.resize(other, picture.shape[::-1], interpolation=cv2.INTER_AREA)
            part = random.uniform(0.3, 0.7)
            picture = np.rint(part * picture + (1 - part) * other).astype(np.uint8)
        return vary(picture, random, 1.0, self.boxes[index]), kind, int(self.fronts[index])


def vary(
    picture: np.ndarray, random: np.random.Generator, strength: float = 1.0, box: np.ndarray | None = None
) -> np.ndarray:
    """One way in which a picture could have been stored; upright still.

    What it shows can still be seen: the exposure leaves a share of its detail, noise does not drown that, letters do
    not cover it, and a crop leaves most of the bodies, where it is known where these are.

    Args:
        picture: (H, W) uint8.
        random: Draws the way.
        strength: How much is done to it, 0..1.
        box: Left, top, right and bottom of the bodies as shares of the picture; None or NaN where they are unknown.
    """
    if random.random() < 0.55 * strength:
        picture = cropped(picture, random, box)
    stretch = np.exp(random.normal(0, 0.08, 2))
    size = tuple(max(16, round(side * s)) for side, s in zip(picture.shape[::-1], stretch, strict=True))
    picture = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    if random.random() < 0.5 * strength:
        h, w = picture.shape
        matrix = cv2.getRotationMatrix2D((w / 2, h / 2), random.uniform(-14, 14), random.uniform(0.85, 1.1))
        fill = float(random.choice([0, 0, picture[0, 0], 255 * (random.random() < 0.2)]))
        picture = cv2.warpAffine(picture, matrix, (w, h), borderValue=fill)
    before = detail(picture)
    for _ in range(TRIES):
        shown = exposed(picture, random, strength)
        if detail(shown) >= LEAST_KEPT * before:
            picture = shown
            break
    left = detail(picture)
    if random.random() < 0.25:
        picture = 255 - picture
    if random.random() < 0.3 * strength:
        top, bottom, left_, right = (random.uniform(0, 0.35, 4) * (random.random(4) < 0.6) * max(picture.shape)).astype(
            int
        )
        tone = int(random.choice([0, 0, 0, 255, random.integers(256)]))
        picture = cv2.copyMakeBorder(picture, top, bottom, left_, right, cv2.BORDER_CONSTANT, value=tone)
    elif random.random() < SCREENS * strength:
        picture = on_screen(picture, random)
    picture = np.ascontiguousarray(picture)
    for _ in range(int(random.integers(0, 4)) if random.random() < 0.4 else 0):
        _letter(picture, random)
    if random.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 1.6))
    if random.random() < 0.4:
        noise = min(random.uniform(2, 16), max(MOST_NOISE * left, 2.0))
        picture = (picture + random.normal(0, noise, picture.shape)).clip(0, 255).astype(np.uint8)
    if random.random() < 0.25:
        quality = int(random.integers(15, 80))
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)
    return picture


def cropped(picture: np.ndarray, random: np.random.Generator, box: np.ndarray | None) -> np.ndarray:
    """A window of at least 0.6 of either side that keeps the bodies across and half of them along the spine."""
    known = box is not None and bool(np.isfinite(box).all())
    for _ in range(TRIES):
        high, wide = (min(side, max(24, int(side * random.uniform(0.6, 1)))) for side in picture.shape)
        y, x = (int(random.integers(0, whole - own + 1)) for whole, own in
                zip(picture.shape, (high, wide), strict=True))  # fmt: skip
        if known:
            h, w = picture.shape
            x0, y0, x1, y1 = np.asarray(box) * (w, h, w, h)
            across = (min(x + wide, x1) - max(x, x0)) / max(x1 - x0, 1e-6)
            along = (min(y + high, y1) - max(y, y0)) / max(y1 - y0, 1e-6)
            if across < 0.85 or along < 0.5:
                continue
        return picture[y : y + high, x : x + wide]
    return picture


def exposed(picture: np.ndarray, random: np.random.Generator, strength: float) -> np.ndarray:
    """The picture with another grey scale, now and then falling off along one axis."""
    ramp = np.linspace(0, 1, 256) ** np.exp(random.normal(0, 0.4))
    ramp = (ramp - 0.5) * random.uniform(0.5, 1.8) + 0.5 + random.normal(0, 0.12)
    picture = (ramp.clip(0, 1) * 255).astype(np.uint8)[picture]
    if random.random() < 0.25 * strength:
        across = int(random.integers(2))
        slope = np.exp(np.linspace(-1, 1, picture.shape[across]) * random.normal(0, 0.6))
        picture = (picture * (slope[None] if across else slope[:, None])).clip(0, 255).astype(np.uint8)
    return picture


def detail(picture: np.ndarray) -> float:
    """How much there is to see in a picture: the mean difference to its surroundings, in grey values."""
    grey = picture.astype(np.float32)
    return float(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 2.5)).mean())


def on_screen(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A copy of a viewer's window: the picture within it, lines of text in its corners, a ruler, a bar of buttons."""
    h, w = picture.shape
    side = max(h, w)
    wide = max(w, int(side * random.uniform(0.7, 1.3)))
    window = np.full((h, wide), int(random.choice([0, 0, 0, 30])), np.uint8)
    x = int((wide - w) * random.uniform(0.3, 0.7))
    window[:, x : x + w] = picture
    size, tone = side / 256 * random.uniform(0.2, 0.35), int(random.integers(120, 256))
    step = max(4, int(34 * size))
    for right in (0, 1):
        for bottom in (0, 1):
            for line in range(int(random.integers(0, 5))):
                text = "".join(random.choice(list("ABEILMNRST .:-/0123456789"), int(random.integers(3, 12))))
                ((long, _), _) = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
                at = wide - long - 2 if right else 2, h - 3 - line * step if bottom else (line + 1) * step
                cv2.putText(window, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, tone, 1, cv2.LINE_AA)
    if random.random() < 0.5:
        column, low, high = wide - 3 - int(random.integers(6)), int(h * 0.3), int(h * 0.7)
        cv2.line(window, (column, low), (column, high), tone, 1)
        for y in np.linspace(low, high, 11).astype(int):
            cv2.line(window, (column - 3, int(y)), (column, int(y)), tone, 1)
    if random.random() < 0.4:
        bar = np.full((int(side * random.uniform(0.04, 0.12)), wide), int(random.integers(40, 240)), np.uint8)
        for left in range(4, wide - 8, max(8, bar.shape[0])):
            cv2.rectangle(bar, (left, 2), (left + bar.shape[0] // 2, bar.shape[0] - 3), int(random.integers(256)), -1)
        window = np.vstack([bar, window])
    return window


def _letter(picture: np.ndarray, random: np.random.Generator) -> None:
    """A marker, in place: letters, mirrored or not, in a box or not, over half of the width at most."""
    text = "".join(random.choice(list("LRTAPStanding. 0123456789cm:-"), int(random.integers(1, 9))))
    size = random.uniform(0.3, 0.9) * max(picture.shape) / 256
    size = min(size, (0.5 * picture.shape[1] - 8) / (20 * len(text)))
    if size < 0.15:
        return
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
