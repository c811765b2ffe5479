"""Drawings of what shows no spine that a model reads: hands, hips, knees, chests, skulls, tables, curves, noise."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from spinetk.phantoms.shape import cover, coverage, distance, ellipse, ribbon, smooth, texture

CHESTS = ("chest", "chest-side")
DRAWN = ("hand", "hip", "knee", "skull", *CHESTS, "noise", "shapes", "page", "plot", "ladder", "scan")
SIDE = 256


class Plate:
    """A film being drawn: line integrals on a square of 256 px, 1.0 about as dense as a trunk."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.dense = np.zeros((SIDE, SIDE), np.float32)

    def soft(self, outline: np.ndarray, amount: float, edge_px: float = 4.0) -> None:
        """Add tissue, thinner toward its rim."""
        found = distance(outline, self.dense.shape, 1.0, 2)
        if found:
            deep = np.clip(found[1] / edge_px, 0, None)
            self.dense[found[0]] += amount * np.sqrt(np.clip(deep / (deep + 1.5), 0, 1)) * coverage(found[1])

    def bone(self, outline: np.ndarray, core: float, shell: float, wall_px: float = 1.6) -> None:
        """Add a bone with a bright wall."""
        found = distance(outline, self.dense.shape, 2.0, 2)
        if found:
            inside = coverage(found[1])
            self.dense[found[0]] += core * inside + shell * np.exp(-np.maximum(found[1], 0) / wall_px) * inside

    def long_bone(self, ends: np.ndarray, wide: float, head: float, density: float) -> None:
        """A shaft with wider ends between two points."""
        line = np.linspace(ends[0], ends[1], 24)
        t = np.linspace(-1, 1, 24)
        self.bone(ribbon(line, wide + (head - wide) * np.abs(t) ** 4), 0.4 * density, 0.6 * density)

    def develop(self) -> np.ndarray:
        """(256, 256) uint8."""
        random = self.random
        image = self.dense * (
            1 + 0.06 * texture(random, self.dense.shape, 24) + 0.03 * texture(random, self.dense.shape, 5)
        )
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.4, 1.0))
        wide = cv2.GaussianBlur(image, (0, 0), random.uniform(12, 30))
        image = wide * random.uniform(0.4, 1.0) + (image - wide) * random.uniform(1.0, 1.8)
        low, high = np.percentile(image, [random.uniform(0, 8), random.uniform(98, 99.9)])
        image = np.clip((image - low) / max(high - low, 1e-6), 0, 1) ** np.exp(random.normal(0, 0.25))
        image = image + random.normal(0, random.uniform(0.003, 0.03), image.shape)
        return (np.clip(image, 0, 1) * 255).astype(np.uint8)


def drawn_negative(name: str, random: np.random.Generator) -> np.ndarray:
    """One drawing, (H, W) uint8."""
    return globals()[f"_{name.replace('-', '_')}"](random)


def _turn(points: np.ndarray, degrees: float, about: tuple[float, float] = (128, 128)) -> np.ndarray:
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    return (np.asarray(points) - about) @ np.array([[c, s], [-s, c]]) + about


def _hand(random: np.random.Generator) -> np.ndarray:
    plate, hands = Plate(random), int(random.integers(1, 3))
    for number in range(hands):
        centre = np.array([128.0 + (number * 2 - 1) * 62 * (hands > 1), 170.0]) + random.normal(0, 6, 2)
        size, lean = random.uniform(0.75, 1.15) / (1.45 if hands > 1 else 1), random.normal(0, 6)
        mirrored = -1 if (random.random() < 0.5) != (number == 1 and hands > 1) else 1

        def at(x, y, centre=centre, size=size, mirrored=mirrored, lean=lean):
            return _turn(centre + np.array([mirrored * x, y]) * size, lean, tuple(centre))

        plate.soft(
            smooth(np.array([at(-38, -30), at(-40, 30), at(-28, 90), at(28, 90), at(42, 30), at(40, -30)])), 0.45
        )
        for k, (x, reach) in enumerate(((-36, 88), (-13, 108), (10, 102), (32, 82), (66, 30))):
            spread = (k - 1.5) * random.uniform(0.05, 0.14) if k < 4 else 0.7
            base = at(x * 0.75, -18 if k < 4 else 40)
            tip = at(x + reach * np.sin(spread), (-18 if k < 4 else 40) - reach * np.cos(spread))
            plate.soft(ribbon(np.linspace(base, tip, 12), 21 * size), 0.4)
            cuts = (0, 0.42, 0.72, 1.0) if k < 4 else (0, 0.5, 1.0)
            for start, stop in itertools.pairwise(cuts):
                ends = np.array([base + (tip - base) * (start + 0.02), base + (tip - base) * (stop - 0.04)])
                plate.long_bone(ends, 7 * size, 11 * size, 0.6)
            plate.long_bone(np.array([at(x * 0.35, 34), base]), 8 * size, 12 * size, 0.6)
        for _ in range(8):
            plate.bone(ellipse(tuple(at(*random.uniform((-26, 34), (26, 58)))), (8 * size, 7 * size)), 0.4, 0.35)
        plate.long_bone(np.array([at(-12, 64), at(-14, 130)]), 15 * size, 24 * size, 0.7)
        plate.long_bone(np.array([at(16, 66), at(14, 130)]), 12 * size, 15 * size, 0.7)
    return plate.develop()


def _hip(random: np.random.Generator) -> np.ndarray:
    plate, both = Plate(random), random.random() < 0.5
    shift, size = (0.0, 1.0) if both else (float(random.choice([-75, 75])), random.uniform(1.5, 2.0))

    def at(points):
        return (np.asarray(points, float) - 128) * size + 128 + np.array([shift * size, random.normal(0, 2)])

    plate.soft(at(smooth(np.array([(10, 10), (4, 130), (14, 256), (242, 256), (252, 130), (246, 10)]))), 1.0, 20)
    for m in (-1, 1):

        def x(points, m=m):
            return at(np.array([(128 + m * px, py) for px, py in points]) + random.normal(0, 1.2, (len(points), 2)))

        plate.bone(smooth(x([(18, 60), (50, 28), (88, 40), (92, 78), (66, 112), (40, 120), (22, 96)])), 0.35, 0.3, 2.5)
        plate.bone(smooth(x([(44, 118), (10, 146), (4, 162), (14, 168), (34, 152), (56, 142)])), 0.3, 0.3)
        plate.bone(smooth(x([(14, 166), (34, 196), (46, 192), (58, 150), (48, 146), (40, 176), (24, 166)])), 0.3, 0.3)
        plate.bone(x(ellipse((66, 128), (17, 17))), 0.5, 0.35)
        plate.bone(x(ribbon(np.array([(66.0, 128), (84, 140), (98, 152)]), 17)), 0.35, 0.3)
        plate.bone(
            smooth(x([(88, 136), (106, 138), (112, 158), (106, 190), (104, 262), (84, 262), (84, 190)])), 0.4, 0.5
        )
    if random.random() < 0.25:
        plate.dense += 1.5 * cv2.GaussianBlur((texture(random, (SIDE, SIDE), 60) > 1.9).astype(np.float32), (0, 0), 1)
    return plate.develop()


def _knee(random: np.random.Generator) -> np.ndarray:
    plate, s = Plate(random), random.uniform(0.8, 1.2)
    turn = random.normal(0, 8)

    def at(points):
        return _turn((np.asarray(points, float) - 128) * (s, 1) + 128, turn)

    plate.soft(at(smooth(np.array([(70, -20), (66, 120), (76, 280), (180, 280), (192, 120), (188, -20)]))), 0.7, 14)
    plate.bone(
        at(
            smooth(
                np.array(
                    [
                        (112, -10),
                        (110, 60),
                        (86, 100),
                        (88, 126),
                        (122, 120),
                        (134, 120),
                        (170, 126),
                        (172, 100),
                        (148, 60),
                        (146, -10),
                    ]
                )
            )
        ),
        0.4,
        0.5,
    )
    plate.bone(
        at(
            smooth(
                np.array(
                    [
                        (86, 134),
                        (128, 130),
                        (172, 134),
                        (166, 160),
                        (150, 190),
                        (148, 270),
                        (112, 270),
                        (110, 190),
                        (92, 160),
                    ]
                )
            )
        ),
        0.4,
        0.5,
    )
    plate.bone(at(smooth(np.array([(84, 170), (100, 166), (98, 270), (86, 270)]))), 0.25, 0.4)
    if random.random() < 0.7:
        plate.bone(at(ellipse((128, 96), (24, 26))), 0.2, 0.15)
    return plate.develop()


def _skull(random: np.random.Generator) -> np.ndarray:
    plate, s = Plate(random), random.uniform(0.85, 1.15)
    head = smooth(
        (
            np.array(
                [
                    (60, 110),
                    (76, 50),
                    (130, 22),
                    (196, 46),
                    (216, 110),
                    (188, 160),
                    (150, 170),
                    (140, 216),
                    (84, 226),
                    (64, 160),
                ]
            )
            - 128
        )
        * s
        + 128
    )
    plate.soft(head + random.normal(0, 1, 2), 0.6, 10)
    plate.bone(head * 0.95 + 6, 0.35, 0.6, 4)
    for _ in range(7):
        spot = random.uniform((70, 110), (150, 215))
        plate.bone(
            ellipse(tuple(spot), tuple(random.uniform(6, 22, 2)), random.uniform(0, 90)),
            random.uniform(-0.15, 0.25),
            0.15,
        )
    return plate.develop()


def _chest(random: np.random.Generator) -> np.ndarray:
    plate, wide = Plate(random), random.uniform(0.85, 1.1)
    plate.soft(
        smooth((np.array([(6, 90), (20, 256), (236, 256), (250, 90), (196, 26), (60, 26)]) - 128) * (wide, 1) + 128),
        1.0,
        24,
    )
    for m in (-1, 1):
        lung = np.array([(16, 60), (40, 34), (70, 60), (92, 130), (96, 196), (58, 178), (26, 190), (18, 120)], float)
        lung[:, 1] += random.normal(0, 3, len(lung))
        outline = smooth(np.column_stack([128 + m * lung[:, 0] * wide, lung[:, 1]]))
        found = cover(outline, plate.dense.shape, 5)
        if found:
            plate.dense[found[0]] -= random.uniform(0.45, 0.7) * found[1]
        for k in range(10):
            y = 36 + 17 * k + random.normal(0, 1.5)
            arc = np.array([(14, y - 6), (40, y - 12), (76, y + 2), (98, y + 26)])
            line = smooth(np.column_stack([128 + m * arc[:, 0] * wide, arc[:, 1]]), closed=False)
            plate.bone(ribbon(line, 7.0), 0.07, 0.08)
        plate.bone(
            ribbon(
                smooth(np.array([(128 + m * 12, 44), (128 + m * 50, 32), (128 + m * 96, 34)], float), closed=False), 8
            ),
            0.12,
            0.15,
        )
    heart = smooth(
        np.array([(112, 110), (108, 170), (130, 196), (180, 192), (190, 170), (160, 128), (140, 104)])
        + random.normal(0, 4, (7, 2))
    )
    plate.soft(heart, random.uniform(0.35, 0.6), 8)
    plate.soft(
        ribbon(np.array([(128.0, 10), (128, 140), (130, 250)]), random.uniform(24, 34)), random.uniform(0.2, 0.4), 4
    )
    return plate.develop()


def _chest_side(random: np.random.Generator) -> np.ndarray:
    """A shoulder: humerus, scapula, part of the lung."""
    plate, m = Plate(random), float(random.choice([-1, 1]))

    def x(points):
        return np.array([(128 + m * (px - 128), py) for px, py in points]) + random.normal(0, 1, (len(points), 2))

    plate.soft(
        smooth(x([(0, 60), (70, 40), (180, 36), (226, 90), (224, 256), (150, 256), (150, 180), (120, 250), (0, 250)])),
        0.9,
        16,
    )
    plate.bone(x(ellipse((176, 86), (25, 26))), 0.4, 0.35)
    plate.bone(smooth(x([(164, 100), (196, 96), (194, 160), (192, 270), (172, 270), (172, 160)])), 0.35, 0.5)
    plate.bone(smooth(x([(146, 66), (156, 108), (118, 180), (96, 120), (110, 84)])), 0.18, 0.2)
    plate.bone(ribbon(smooth(x([(40, 60), (100, 48), (160, 56)]), closed=False), 11), 0.25, 0.3)
    for k in range(7):
        plate.bone(
            ribbon(smooth(x([(0, 70 + 26 * k), (40, 70 + 26 * k), (84, 100 + 26 * k)]), closed=False), 8), 0.1, 0.14
        )
    return plate.develop()


def _noise(random: np.random.Generator) -> np.ndarray:
    image = sum(
        random.uniform(0, 1) * texture(random, (SIDE, SIDE), (grain * random.uniform(0.5, 3), grain))
        for grain in (1.2, 4, 14, 50)
    )
    return cv2.normalize(np.asarray(image), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def _shapes(random: np.random.Generator) -> np.ndarray:
    image = np.full((SIDE, SIDE), random.integers(0, 256), np.uint8)
    for _ in range(int(random.integers(2, 30))):
        tone = int(random.integers(0, 256))
        a, b = (tuple(int(v) for v in random.integers(0, SIDE, 2)) for _ in range(2))
        kind = int(random.integers(3))
        if kind == 0:
            cv2.rectangle(image, a, b, tone, int(random.choice([-1, 1, 3])))
        elif kind == 1:
            cv2.ellipse(
                image,
                a,
                (int(random.integers(4, 90)), int(random.integers(4, 90))),
                float(random.uniform(0, 180)),
                0,
                360,
                tone,
                -1,
            )
        else:
            cv2.line(image, a, b, tone, int(random.integers(1, 9)))
    return cv2.GaussianBlur(image, (0, 0), random.uniform(0.1, 4))


def _page(random: np.random.Generator) -> np.ndarray:
    image = np.full((SIDE, int(random.integers(180, 300))), 255, np.uint8)
    letters = list("abcdefghijklmnoprstuvwyz     ")
    for y in range(14, SIDE, int(random.integers(10, 22))):
        text = "".join(random.choice(letters, 60))
        cv2.putText(
            image,
            text,
            (6, y),
            cv2.FONT_HERSHEY_SIMPLEX,
            random.uniform(0.25, 0.6),
            int(random.integers(0, 90)),
            1,
            cv2.LINE_AA,
        )
    return image if random.random() < 0.6 else 255 - image


def _plot(random: np.random.Generator) -> np.ndarray:
    image = np.full((SIDE, 320), 255, np.uint8)
    cv2.rectangle(image, (30, 10), (310, 230), 0, 1)
    for _ in range(int(random.integers(1, 5))):
        y = 120 + np.cumsum(random.normal(0, random.uniform(1, 8), 280))
        line = np.column_stack([np.arange(30, 310), np.clip(y, 12, 228)]).astype(np.int32)
        cv2.polylines(image, [line], False, int(random.integers(0, 180)), int(random.integers(1, 3)), cv2.LINE_AA)
    if random.random() < 0.4:
        for x in range(40, 300, int(random.integers(12, 40))):
            cv2.rectangle(image, (x, int(random.integers(30, 220))), (x + 9, 229), int(random.integers(0, 200)), -1)
    return image if random.random() < 0.5 else 255 - image


def _ladder(random: np.random.Generator) -> np.ndarray:
    """Rows of like things that are no spine: rungs, pills, bricks, teeth of a zip."""
    image = np.full((SIDE, SIDE), int(random.integers(0, 120)), np.float32)
    image += 12 * texture(random, (SIDE, SIDE), random.uniform(5, 60))
    step, high = random.uniform(12, 44), random.uniform(0.2, 0.9)
    columns = int(random.integers(1, 6))
    for column in range(columns):
        x = SIDE * (column + 0.5) / columns + random.normal(0, 4)
        wide = SIDE / columns * random.uniform(0.3, 0.8) / 2
        tone = random.uniform(120, 255)
        for y in np.arange(random.uniform(0, step), SIDE, step):
            a, b = (int(x - wide), int(y - step * high / 2)), (int(x + wide), int(y + step * high / 2))
            cv2.rectangle(image, a, b, tone + random.normal(0, 12), -1)
    return np.clip(cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 2)), 0, 255).astype(np.uint8)


def _scan(random: np.random.Generator) -> np.ndarray:
    """An axial slice: a trunk with organs and one round vertebra; or a limb."""
    image = np.zeros((SIDE, SIDE), np.float32)
    a, b = random.uniform(70, 122), random.uniform(55, 100)
    fat, muscle = random.uniform(0.3, 1.0), random.uniform(0.2, 0.6)

    def fill(outline, value):
        found = cover(outline, image.shape, 2)
        if found:
            image[found[0]] += found[1] * (value - image[found[0]])

    trunk = ellipse((128, 128), (a, b))
    fill(trunk, fat)
    fill((trunk - 128) * random.uniform(0.75, 0.95) + 128, muscle)
    for _ in range(int(random.integers(3, 12))):
        spot = (128 + random.uniform(-0.6, 0.6) * a, 128 + random.uniform(-0.7, 0.3) * b)
        blob = ellipse(spot, tuple(random.uniform(5, 0.35 * b, 2)), random.uniform(0, 180), 12)
        fill(smooth(blob + random.normal(0, 2, blob.shape)), random.uniform(0.05, 1.0))
    y = 128 + 0.45 * b
    fill(ellipse((128, y), (random.uniform(14, 22), random.uniform(11, 17))), random.uniform(0.4, 1.0))
    fill(ellipse((128, y + 22), (8, 7)), random.uniform(0.0, 1.0))
    fill(smooth(np.array([(128, y + 30), (122, y + 44), (134, y + 44)], float)), random.uniform(0.1, 1.0))
    image += random.normal(0, 0.03, image.shape) + 0.05 * texture(random, image.shape, 6)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)
