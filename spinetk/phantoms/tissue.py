"""The tissues of a midsagittal slice, painted as relative MR signal."""

from __future__ import annotations

import cv2
import numpy as np

from spinetk.phantoms.body import Body
from spinetk.phantoms.phantom import Field
from spinetk.phantoms.shape import cover, ellipse, ribbon, smooth, texture
from spinetk.phantoms.spine import Spine

# Relative signal of subcutaneous fat and the others. Fast spin echo keeps fat bright in T2; gradient echo makes healthy
# and worn discs bright; fat suppression darkens fat and marrow.
SIGNALS = {
    "T1": {"fat": 1.0, "marrow": 0.52, "muscle": 0.24, "disc": 0.26, "rim": 0.12, "fluid": 0.10, "cord": 0.28},
    "T2": {"fat": 0.95, "marrow": 0.46, "muscle": 0.14, "disc": 0.52, "rim": 0.07, "fluid": 1.05, "cord": 0.36},
    "gradient": {"fat": 0.85, "marrow": 0.38, "muscle": 0.36, "disc": 0.85, "rim": 0.16, "fluid": 0.95, "cord": 0.62},
    "suppressed": {"fat": 0.16, "marrow": 0.2, "muscle": 0.2, "disc": 0.6, "rim": 0.06, "fluid": 1.2, "cord": 0.42},
}


def tissue_signals(weighting: str, rng: np.random.Generator) -> dict[str, float]:
    """Signals of one examination: the weighting's, with the spread of sequences, scanners and patients."""
    styles = ["T2", "gradient", "suppressed"]
    style = str(rng.choice(styles, p=[0.74, 0.14, 0.12])) if weighting == "T2" else weighting
    signals = {name: float(value * np.exp(rng.normal(0, 0.13))) for name, value in SIGNALS[style].items()}
    signals["bone"] = 0.04
    signals["vessel"] = float(rng.uniform(0.03, 0.12))
    signals["t2"] = float(weighting == "T2")
    return signals


class Tissue:
    """A slice while it is being painted, patient facing right.

    Args:
        shown: Field of view.
        spine: The anatomy.
        signals: From :func:`tissue_signals`.
        rng: Source of everything that the anatomy leaves open.
        midline: Whether the slice shows canal and spinous processes; else foramina and joints.
    """

    def __init__(
        self, shown: Field, spine: Spine, signals: dict[str, float], rng: np.random.Generator, midline: bool = True
    ) -> None:
        self.shown, self.spine, self.signals, self.rng, self.midline = shown, spine, signals, rng, midline
        self.signal = np.zeros(shown.size, np.float32)
        self.back_mm = np.zeros((shown.size[0], 1), np.float32)
        # Water is lost from all discs together, besides what each has lost by itself.
        self.dry = float(np.clip(spine.age * rng.uniform(0.0, 1.0), 0, 1))
        self.grain = rng.uniform(0.05, 0.16)
        self.fine = texture(rng, shown.size, 1.8 / shown.mean_spacing_mm)
        self.medium = texture(rng, shown.size, 6.0 / shown.mean_spacing_mm)
        self.coarse = texture(rng, shown.size, 20.0 / shown.mean_spacing_mm)
        # Muscle and its fat run along the spine.
        self.fibres = self._draw_fibres()

    def draw(self) -> None:
        """Paint the soft tissue."""
        self._draw_body()
        self._draw_belly()
        self._draw_back()

    def paint(
        self,
        outline_mm: np.ndarray,
        value: float,
        soft_px: float = 1.0,
        grain: float = 0.0,
        within: np.ndarray | None = None,
    ) -> None:
        """Cover a shape with a signal; ``grain`` mixes in the fine texture, ``within`` (H, W) limits the shape."""
        found = cover(self.shown.px(outline_mm), self.shown.size, soft_px)
        if not found:
            return
        window, share = found
        if within is not None:
            share = share * within[window]
        level = np.float32(value) * (1 + np.float32(grain) * self.fine[window])
        self.signal[window] += share * (level - self.signal[window])

    def _line_x(self, offset_mm: float = 0.0) -> np.ndarray:
        """(H, 1) x of the line through the bodies' back walls, moved to the front by an offset."""
        _, y = self.shown.grid_mm()
        nodes = np.array([body.place([(-body.depth_mm / 2, 0.0)])[0] for body in self.column()])
        nodes = nodes[np.argsort(nodes[:, 1])]
        return (np.interp(y[:, 0], nodes[:, 1], nodes[:, 0]) + offset_mm).astype(np.float32)[:, None]

    def _draw_fibres(self) -> np.ndarray:
        """Streaks along the spine, aslant as the back muscles run."""
        mm, (height, width) = self.shown.mean_spacing_mm, self.shown.size
        straight = texture(self.rng, self.shown.size, (16.0 / mm, 2.2 / mm))
        straight += 0.6 * texture(self.rng, self.shown.size, (8.0 / mm, 4.0 / mm))
        y = np.arange(height, dtype=np.float32)[:, None]
        x = np.arange(width, dtype=np.float32)[None, :]
        lean = (
            self._smooth_line(8.0) / np.float32(self.shown.spacing_mm[1]) + np.float32(self.rng.uniform(-0.3, 0.1)) * y
        )
        lean = lean + 2.0 / np.float32(mm) * self.coarse
        bent = cv2.remap(straight, x - lean + lean.mean(), y + 0 * x, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return bent / max(float(bent.std()), 1e-6)

    def column(self) -> tuple[Body, ...]:
        """All bodies, head to foot, sacrum included."""
        return (*self.spine.bodies, *self.spine.sacrum)

    def _draw_body(self) -> None:
        """Skin, subcutaneous fat and what lies under it, without detail."""
        rng, signals = self.rng, self.signals
        mm = np.float32(self.shown.mean_spacing_mm)
        x, y = self.shown.grid_mm()
        line = self._smooth_line(35.0)
        habitus = rng.uniform(0.0, 1.0)
        deep = rng.uniform(40, 54) * self.spine.scale
        fat = 3.5 + 38 * habitus**1.6
        seat = 1 / (1 + np.exp(-(y - rng.uniform(15, 50)) / 18))
        sag = texture(rng, (self.shown.size[0], 8), 70 / self.shown.mean_spacing_mm)[:, :1] * 1.2
        fascia = line - np.float32(deep) * (1 - 0.35 * seat) + 0.4 * sag
        skin = fascia - fat * (0.8 + 0.5 * seat) - rng.uniform(0, 14) * seat + sag
        belly = line + np.float32(rng.uniform(115, 160) + 70 * habitus) + 15 * np.exp(-(((y + 40) / 90) ** 2))
        self.back_mm, self.fascia, self.belly = (v.astype(np.float32) for v in (skin, fascia, belly))
        inside = np.clip((x - skin) / mm + 0.5, 0, 1) * np.clip((belly - x) / mm + 0.5, 0, 1)
        muscle = np.clip((x - fascia) / mm + 0.5, 0, 1)
        septa = 1 - np.float32(rng.uniform(0.05, 0.3)) * np.clip(0.6 - 3 * np.abs(self.fibres), 0, 1)
        fat_level = signals["fat"] * (1 + 0.05 * self.coarse) * septa
        edge = np.clip(1 - np.abs(x - fascia + 0.4) / 1.1, 0, 1) + np.clip(1 - np.abs(x - skin - 0.6) / 1.4, 0, 1)
        self.signal = inside * (fat_level * (1 - muscle) + muscle * np.float32(signals["muscle"]))
        self.signal = (self.signal * (1 - 0.7 * np.clip(edge, 0, 1))).astype(np.float32)

    def _smooth_line(self, sigma_mm: float) -> np.ndarray:
        """The line of the back walls without its fine curves, as skin and belly follow it."""
        sigma = max(sigma_mm / self.shown.spacing_mm[0], 1.0)
        line = cv2.GaussianBlur(self._line_x(), (1, 0), sigmaX=1e-3, sigmaY=sigma, borderType=cv2.BORDER_REPLICATE)
        return line.reshape(-1, 1)

    def _draw_belly(self) -> None:
        """Retroperitoneal fat, great vessels, bowel and organs in front of the spine."""
        rng, signals = self.rng, self.signals
        x, y = self.shown.grid_mm()
        front = self._smooth_line(12.0) + np.float32(33.0 * self.spine.scale)
        inside = np.clip((x - front + 6) / 5, 0, 1) * np.clip((self.belly - x) / 2, 0, 1)
        lean, rich = signals.get("organ", 1.5 * signals["muscle"]), 0.75 * signals["fat"]
        fat_share = rng.uniform(0.2, 0.75)
        mix = np.clip(fat_share + 0.17 * self.coarse + 0.09 * self.medium + 0.03 * self.fibres, 0, 1)
        content = lean + (rich - lean) * mix
        self.signal += (inside * (content - self.signal)).astype(np.float32)
        organ_low = -1.0 * rng.uniform(60, 140)
        if rng.random() < 0.7:
            # Liver edge above, smooth and darker than the fat around it.
            mid = float(front.mean()) + rng.uniform(55, 90)
            liver = ellipse(
                (mid, organ_low - 120), (rng.uniform(30, 55), rng.uniform(90, 140)), rng.uniform(-20, 5), 14
            )
            self.paint(smooth(liver + rng.normal(0, 3, liver.shape)), lean * rng.uniform(0.9, 1.5), 2.0, 0.05, inside)
        for _ in range(int(rng.integers(10, 34))):
            row = int(rng.integers(0, self.shown.size[0]))
            centre = (float(front[row, 0]) + rng.uniform(20, 100), float(y[row, 0]))
            radius = rng.uniform(4, 15)
            lump = ellipse(centre, (radius, radius * rng.uniform(0.45, 1.0)), rng.uniform(0, 180), 10)
            lump = smooth(lump + rng.normal(0, radius * 0.08, lump.shape))
            tone = float(
                rng.choice([0.05, lean * 0.7, lean, lean * 1.4, signals["disc"]], p=[0.2, 0.3, 0.25, 0.15, 0.1])
            )
            self.paint(lump, 0.5 * (tone + lean), 3.0, 0.04, inside)
            self.paint(np.array(centre) + (lump - centre) * 0.75, tone, 4.5, 0.06, inside)
        wall_mm = rng.uniform(7, 30)
        wall = np.clip((x - self.belly + wall_mm) / 2, 0, 1) * inside
        self.signal += (wall * (signals["fat"] * 0.9 - self.signal)).astype(np.float32)
        rectus = np.clip(1 - np.abs(x - self.belly + wall_mm + 6) / 5, 0, 1) * inside
        self.signal += (rectus * (signals["muscle"] - self.signal)).astype(np.float32)
        self._draw_vessels()

    def _draw_vessels(self) -> None:
        """Aorta or vena cava along the front of the bodies: flowing blood gives no signal."""
        rng = self.rng
        if rng.random() > 0.75:
            return
        bodies = self.spine.bodies[5:]
        gap = rng.uniform(5.5, 9.0)
        nodes = [b.place([(b.depth_mm / 2 + gap + rng.normal(0, 1.0), 0.0)])[0] for b in bodies]
        nodes = nodes[: int(rng.integers(len(nodes) - 3, len(nodes)))]
        nodes += [nodes[-1] + (14, 32), nodes[-1] + (30, 62)]
        path = smooth(np.array(nodes), closed=False)
        width = rng.uniform(8, 14) * np.clip(np.linspace(6, 0.4, len(path)), 0, 1) + rng.normal(0, 0.15, len(path))
        tone = self.signals["vessel"] if rng.random() < 0.7 else self.signals["muscle"] * 1.3
        self.paint(ribbon(path, width + 1.6), self.signals["muscle"], 2.0)
        self.paint(ribbon(path, width), tone, 2.5, 0.25)

    def _draw_back(self) -> None:
        """Muscle with fat streaks, spinous processes and the ligaments between them."""
        rng, signals = self.rng, self.signals
        x, _ = self.shown.grid_mm()
        line = self._line_x(-16.0 * self.spine.scale)
        region = np.clip((x - self.fascia) / 1.5, 0, 1) * np.clip((line - x) / 2, 0, 1)
        fatty = rng.uniform(0.0, 0.7) + 0.5 * self.spine.age
        low = np.clip((self.shown.grid_mm()[1] + 90) / 90, 0, 1)
        streaks = np.clip(
            0.35 * self.fibres + 0.22 * self.medium + 0.12 * self.fine + (0.5 + 0.5 * low) * fatty - 0.35, 0, 1
        )
        level = signals["muscle"] * (1 + 0.15 * self.fibres) + (signals["fat"] * 0.85 - signals["muscle"]) * streaks
        self.signal += (region * (level - self.signal)).astype(np.float32)
        if not self.midline:
            return
        reach = rng.uniform(0.8, 1.05)
        under_skin = np.clip((x - self.fascia) / 2 + 1.5, 0, 1)
        for body in self.spine.bodies:
            h, back = body.posterior_mm, -body.depth_mm / 2
            thoracic = body.label[0] == "T" and body.label not in ("T11", "T12")
            start = back - 17 * self.spine.scale
            long = (25 if not thoracic else 27) * self.spine.scale * reach
            drop = (0.12 if not thoracic else 0.95) * h
            tall = (0.8 if not thoracic else 0.38) * h
            corners = [
                (start, 0.05 * h),
                (start - 0.55 * long, 0.02 * h + 0.55 * drop),
                (start - long, 0.1 * h + drop),
                (start - 1.04 * long, drop + 0.75 * tall),
                (start - 0.8 * long, drop + tall),
                (start - 0.4 * long, 0.5 * drop + 0.85 * tall),
                (start - 1, 0.15 * h + 0.6 * tall),
            ]
            outline = smooth(np.array(corners) + rng.normal(0, 0.7, (7, 2)))
            placed = body.place(outline)
            # The slice meets a process more or less fully.
            met = rng.uniform(0.35, 1.0)
            self.paint(placed, signals["bone"] * met + signals["muscle"] * (1 - met), 2.0, 0, under_skin)
            inner = placed.mean(axis=0) + (placed - placed.mean(axis=0)) * 0.8
            self.paint(inner, signals["marrow"] * rng.uniform(0.7, 1.25), 2.5, 0.15, under_skin)
            # Fat triangle behind the dura, between the arches.
            gap = [(start + 3.0, 0.5 * h), (start - rng.uniform(2, 6), 0.75 * h), (start + 2.5, 1.05 * h)]
            self.paint(body.place(smooth(gap)), signals["fat"] * rng.uniform(0.5, 0.95), 1.8, 0.1)
