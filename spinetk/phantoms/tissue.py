"""The tissues of a midsagittal slice, painted as relative MR signal."""

from __future__ import annotations

import numpy as np

from spinetk.phantoms.phantom import Field
from spinetk.phantoms.shape import coverage, distance, ellipse, ribbon, smooth, texture
from spinetk.phantoms.spine import Body, Spine

# Relative signal (subcutaneous fat = 1) of spin-echo sequences; fast spin echo keeps fat bright in T2.
SIGNALS = {
    "T1": {"fat": 1.0, "marrow": 0.5, "muscle": 0.24, "disc": 0.26, "rim": 0.12, "fluid": 0.10, "cord": 0.28},
    "T2": {"fat": 0.95, "marrow": 0.42, "muscle": 0.14, "disc": 0.52, "rim": 0.07, "fluid": 1.05, "cord": 0.36},
}


def tissue_signals(weighting: str, rng: np.random.Generator) -> dict[str, float]:
    """Signals of one examination: the weighting's, with the spread of scanners and patients."""
    signals = {name: float(value * np.exp(rng.normal(0, 0.13))) for name, value in SIGNALS[weighting].items()}
    signals["bone"] = 0.04
    signals["vessel"] = float(rng.uniform(0.03, 0.12))
    signals["t2"] = float(weighting == "T2")
    return signals


class TissuePainter:
    """A slice while it is being painted, patient facing right.

    Args:
        shown: Field of view.
        spine: The anatomy.
        signals: From :func:`tissue_signals`.
        rng: Source of everything that the anatomy leaves open.
    """

    def __init__(self, shown: Field, spine: Spine, signals: dict[str, float], rng: np.random.Generator) -> None:
        self.shown, self.spine, self.signals, self.rng = shown, spine, signals, rng
        self.signal = np.zeros(shown.size, np.float32)
        self.back_mm = np.zeros((shown.size[0], 1), np.float32)
        self.fine = texture(rng, shown.size, 1.8 / shown.mean_spacing_mm)
        self.medium = texture(rng, shown.size, 6.0 / shown.mean_spacing_mm)
        self.coarse = texture(rng, shown.size, 20.0 / shown.mean_spacing_mm)

    def draw(self) -> None:
        """Paint everything, from what lies behind to what lies in front."""
        self._draw_body()
        self._draw_belly()
        self._draw_back()
        self._draw_canal()
        for index, body in enumerate(self.spine.bodies):
            self._draw_disc(index, body)
        for body in (*self.spine.bodies, *self.spine.sacrum):
            self._draw_vertebra(body)
        self._draw_ligaments()

    def _paint(self, outline_mm: np.ndarray, value: float, soft_px: float = 1.0, grain: float = 0.0) -> None:
        """Cover a shape with a signal; ``grain`` mixes in the fine texture."""
        found = distance(self.shown.px(outline_mm), self.shown.size, 2 + soft_px, 3)
        if not found:
            return
        window, signed = found
        cover = coverage(signed, soft_px)
        level = np.float32(value) * (1 + np.float32(grain) * self.fine[window])
        self.signal[window] += cover * (level - self.signal[window])

    def _line_x(self, offset_mm: float = 0.0) -> np.ndarray:
        """(H, 1) x of the line through the bodies' back walls, moved to the front by an offset."""
        _, y = self.shown.grid_mm()
        nodes = np.array([body.place([(-body.depth_mm / 2, 0.0)])[0] for body in self._column()])
        nodes = nodes[np.argsort(nodes[:, 1])]
        return (np.interp(y[:, 0], nodes[:, 1], nodes[:, 0]) + offset_mm).astype(np.float32)[:, None]

    def _column(self) -> tuple[Body, ...]:
        return (*self.spine.bodies, *self.spine.sacrum)

    def _draw_body(self) -> None:
        rng, signals = self.rng, self.signals
        x, y = self.shown.grid_mm()
        line = self._line_x()
        habitus = rng.uniform(0.0, 1.0)
        deep = rng.uniform(38, 52) * self.spine.scale
        fat = 4 + 30 * habitus**1.5
        seat = np.exp(-(((y - 45) / 60) ** 2))
        skin = line - np.float32(deep) - (fat * (0.75 + 0.6 * seat)) - 12 * seat
        sag = texture(rng, (self.shown.size[0], 8), 60 / self.shown.mean_spacing_mm)[:, :1] * 1.5
        skin = (skin + sag).astype(np.float32)
        self.back_mm = skin
        fascia = (line - np.float32(deep) - 6 * seat + 0.5 * sag).astype(np.float32)
        belly = line + np.float32(rng.uniform(105, 150) + 60 * habitus) + 18 * np.exp(-(((y + 40) / 90) ** 2))
        mm = np.float32(self.shown.mean_spacing_mm)
        inside = np.clip((x - skin) / mm + 0.5, 0, 1) * np.clip((belly - x) / mm + 0.5, 0, 1)
        muscle = np.clip((x - fascia) / mm + 0.5, 0, 1)
        septa = 1 - 0.35 * np.clip(np.abs(self.medium) * -4 + 0.5, 0, 1)
        fat_level = signals["fat"] * (1 + 0.05 * self.coarse) * septa
        self.signal = (inside * (fat_level * (1 - muscle) + muscle * signals["muscle"])).astype(np.float32)
        self.fascia = fascia
        self.belly = belly.astype(np.float32)

    def _draw_belly(self) -> None:
        """Retroperitoneal fat, great vessels, bowel and organs in front of the spine."""
        rng, signals = self.rng, self.signals
        x, y = self.shown.grid_mm()
        front = self._line_x(30.0 * self.spine.scale)
        inside = np.clip((x - front) / 6, 0, 1) * np.clip((self.belly - x) / 2, 0, 1)
        mix = np.clip(0.5 + 0.45 * self.coarse + 0.35 * self.medium, 0, 1)
        content = signals["muscle"] * 1.2 + (signals["fat"] * 0.8 - signals["muscle"]) * mix
        self.signal += (inside * (content - self.signal)).astype(np.float32)
        wall = np.clip((x - self.belly + 12 + 20 * np.abs(np.sin(y / 90))) / 3, 0, 1) * inside
        self.signal += (wall * (signals["fat"] - self.signal)).astype(np.float32)
        for _ in range(int(rng.integers(6, 16))):
            row = int(rng.integers(0, self.shown.size[0]))
            centre = (float(front[row, 0]) + rng.uniform(28, 110), float(y[row, 0]))
            radius = rng.uniform(5, 20)
            lump = ellipse(centre, (radius, radius * rng.uniform(0.4, 0.9)), rng.uniform(0, 180), 10)
            lump = smooth(lump + rng.normal(0, radius * 0.12, lump.shape))
            self._paint(lump, float(rng.choice([0.03, signals["muscle"] * 1.5, signals["disc"]])), 2.5, 0.2)
        if rng.random() < 0.8:
            # Aorta or vena cava along the front of the lumbar bodies: flowing blood gives no signal.
            nodes = np.array([b.place([(b.depth_mm / 2 + rng.uniform(8, 11), 0.0)])[0] for b in self.spine.bodies[8:]])
            stop = int(rng.integers(10, len(nodes) + 1))
            self._paint(ribbon(smooth(nodes[:stop], closed=False), rng.uniform(11, 17)), signals["vessel"], 1.5, 0.3)

    def _draw_back(self) -> None:
        """Muscle with fat streaks, spinous processes and the ligaments between them."""
        rng, signals = self.rng, self.signals
        x, _ = self.shown.grid_mm()
        line = self._line_x(-16.0 * self.spine.scale)
        region = np.clip((x - self.fascia) / 1.5, 0, 1) * np.clip((line - x) / 2, 0, 1)
        fatty = rng.uniform(0.0, 0.8) * (0.4 + 0.6 * self.spine.age)
        streaks = np.clip(0.6 * self.medium + 0.5 * self.fine + 2 * fatty - 0.6, 0, 1)
        level = signals["muscle"] + (signals["fat"] * 0.85 - signals["muscle"]) * streaks
        self.signal += (region * (level - self.signal)).astype(np.float32)
        reach = rng.uniform(0.8, 1.05)
        for body in self.spine.bodies:
            h, back = body.posterior_mm, -body.depth_mm / 2
            thoracic = body.label[0] == "T" and body.label not in ("T11", "T12")
            start = back - 17 * self.spine.scale
            long = (25 if not thoracic else 27) * self.spine.scale * reach
            drop = (0.12 if not thoracic else 0.95) * h
            tall = (0.8 if not thoracic else 0.38) * h
            outline = [
                (start, 0.05 * h),
                (start - 0.55 * long, 0.02 * h + 0.55 * drop),
                (start - long, 0.1 * h + drop),
                (start - 1.04 * long, drop + 0.75 * tall),
                (start - 0.8 * long, drop + tall),
                (start - 0.4 * long, 0.5 * drop + 0.85 * tall),
                (start - 1, 0.15 * h + 0.6 * tall),
            ]
            outline = smooth(np.array(outline) + rng.normal(0, 0.7, (7, 2)))
            placed = body.place(outline)
            self._paint(placed, signals["bone"])
            inner = placed.mean(axis=0) + (placed - placed.mean(axis=0)) * 0.84
            self._paint(inner, signals["marrow"] * rng.uniform(0.85, 1.2), 1.5, 0.12)
            # Fat triangle behind the dura, between the arches.
            gap = [(start + 3.5, 0.45 * h), (start - 5, 0.7 * h), (start + 3, 1.02 * h)]
            self._paint(body.place(smooth(gap)), signals["fat"] * 0.85, 1.5, 0.1)

    def _draw_canal(self) -> None:
        """Dural sac with cord, conus and roots."""
        rng, signals, scale = self.rng, self.signals, self.spine.scale
        column = self._column()[:-2]
        wide = rng.uniform(12.5, 16.5) * scale
        nodes = []
        for body in column:
            h, back = body.posterior_mm, -body.depth_mm / 2
            gap = 2.0 + 0.5 * wide
            nodes += body.place([(back - gap, -0.35 * h), (back - gap, 0.35 * h)]).tolist()
        path = smooth(np.array(nodes), closed=False, steps=3)
        taper = np.full(len(path), wide)
        tail = np.linspace(0, 1, len(path) // 6)
        taper[-len(tail) :] *= np.sqrt(1 - 0.93 * tail)
        self._paint(ribbon(path, taper + 2.6), signals["rim"] * 0.8)
        self._paint(ribbon(path, taper), signals["fluid"], 1.2, 0.04)
        end = [body.label for body in column].index(str(rng.choice(["T12", "L1", "L2"])))
        stop = round((2 * end + 1) / len(nodes) * len(path))
        cord = path[:stop] + (rng.uniform(-1.5, 1.5), 0)
        width = np.full(len(cord), rng.uniform(6.0, 7.5) * scale)
        width[-14:] *= np.sqrt(np.linspace(1, 0.03, min(14, len(width))))
        self._paint(ribbon(cord, width), signals["cord"], 1.5, 0.06)
        roots = path[max(stop - 10, 0) : -len(tail)]
        if len(roots) > 3:
            dark = signals["fluid"] + 0.75 * (signals["cord"] - signals["fluid"])
            for shift in rng.uniform(-0.46, -0.05, size=5):
                wave = shift * wide + np.cumsum(rng.normal(0, 0.12, len(roots)))
                strand = roots + np.stack([np.clip(wave, -0.47 * wide, 0.2 * wide), np.zeros(len(roots))], 1)
                self._paint(ribbon(strand, rng.uniform(0.5, 1.3)), dark, 1.5)

    def _draw_disc(self, index: int, body: Body) -> None:
        rng, signals = self.rng, self.signals
        below = self.spine.below(index)
        upper, lower = body.points(), below.points()
        worn = self.spine.degeneration[index]
        bulge = 0.5 + 3.2 * worn * rng.uniform(0.4, 1.0)
        front = (upper[2] + lower[3]) / 2 + bulge * 0.8 * body.front
        back = (upper[0] + lower[5]) / 2 - bulge * body.front
        ring = np.array([upper[0], back, lower[5], lower[4], lower[3], front, upper[2], upper[1]])
        outline = smooth(ring)
        self._paint(outline, signals["rim"] * (1.0 + 0.5 * (1 - signals["t2"])))
        centre = (upper[1] + lower[4]) / 2
        shrunk = ring.copy()
        axis = body.front
        along = (shrunk - centre) @ axis
        shrunk -= np.outer(along * (0.24 + 0.1 * worn), axis)
        shrunk = centre + (shrunk - centre) * 0.97
        bright = signals["disc"] * (1 - 0.85 * worn) if signals["t2"] else signals["disc"]
        self._paint(smooth(shrunk), max(bright, signals["rim"]), 5.0 / self.shown.mean_spacing_mm**0.5, 0.06)
        if signals["t2"] and worn < 0.35:
            cleft = np.array([centre - 8 * axis, centre, centre + 8 * axis])
            self._paint(ribbon(cleft, 1.4), bright * 0.72, 2.5)

    def _draw_vertebra(self, body: Body) -> None:
        rng, signals = self.rng, self.signals
        found = distance(self.shown.px(body.contour()), self.shown.size, 4.0)
        if not found:
            return
        window, signed = found
        mm = np.float32(self.shown.mean_spacing_mm)
        inside = coverage(signed)
        level = signals["marrow"] * rng.normal(1, 0.05) * (1 + 0.25 * (self.spine.age - 0.5))
        marrow = level * (1 + 0.09 * self.fine[window] + (0.05 + 0.08 * self.spine.age) * self.medium[window])
        # Cortex and endplate are thin and black; chemical shift thickens one of the endplates.
        thin = np.float32(rng.uniform(0.5, 0.95))
        cortex = np.clip(1.15 - np.maximum(signed * mm - thin, 0) / np.float32(0.7), 0, 1)
        value = marrow + cortex * (signals["bone"] - marrow)
        self.signal[window] += inside * (value - self.signal[window])
        rim = np.clip(1 - np.abs(signed * mm + 0.3) / 0.7, 0, 1) * 0.6
        self.signal[window] += rim.astype(np.float32) * (np.float32(signals["bone"]) - self.signal[window])
        if body.label[0] != "S" and rng.random() < 0.75:
            # Basivertebral vein: enters the middle of the back wall.
            long = rng.uniform(0.15, 0.4) * body.depth_mm
            back = -body.depth_mm / 2 + body.waist_mm[1]
            vein = [(back, -1.6), (back + long, -0.4), (back + long, 0.4), (back, 1.6)]
            tone = signals["marrow"] * (1.6 if signals["t2"] else 0.6)
            self._paint(body.place(smooth(vein)), tone, 1.8)

    def _draw_ligaments(self) -> None:
        rng, signals = self.rng, self.signals
        for corners, extra in (((3, 2), 0.6), ((5, 0), -0.5)):
            nodes = []
            for body in self.spine.bodies:
                points = body.points()
                nodes += [points[corners[0]] + extra * body.front, points[corners[1]] + extra * body.front]
            path = smooth(np.array(nodes), closed=False, steps=3)
            self._paint(ribbon(path, rng.uniform(0.8, 1.6)), signals["bone"] + 0.02, 1.3)

    def draw_hardware(self, rng: np.random.Generator) -> None:
        """Signal voids with bright rims where metal disturbs the field."""
        first = int(rng.integers(16, 20))
        for body in self.spine.bodies[first : first + int(rng.integers(2, 4))]:
            for depth in rng.uniform(0.0, 1.0, size=3):
                spot = body.place([(-18 - body.depth_mm / 2 - 14 * depth, -0.2 * body.posterior_mm)])[0]
                radius = rng.uniform(5, 9)
                blob = smooth(ellipse(tuple(spot), (radius, radius * 0.8), 0, 9) + rng.normal(0, 1.2, (9, 2)))
                self._paint(spot + (blob - spot) * 1.18, self.signals["fat"] * 1.3, 1.5)
                self._paint(blob, 0.01, 1.5)
