"""Line integrals of the linear attenuation coefficient through a patient who stands sideways to the beam."""

from __future__ import annotations

import numpy as np

from spinetk.phantoms.phantom import Field
from spinetk.phantoms.shape import cover, coverage, distance, ellipse, ribbon, smooth, texture
from spinetk.phantoms.spine import Spine

# Linear attenuation per mm at about 80 kVp effective: soft tissue, and what spongy and compact bone add to it.
SOFT = 0.0195
SPONGY = 0.0075
COMPACT = 0.034
METAL = 0.35


class Attenuation:
    """The picture while it is being built, in line integrals (dimensionless).

    Args:
        shown: Field of view, patient facing right.
        spine: The anatomy.
        rng: Source of everything that the anatomy leaves open.
    """

    def __init__(self, shown: Field, spine: Spine, rng: np.random.Generator) -> None:
        self.shown, self.spine, self.rng = shown, spine, rng
        self.line_mm = 0.0  # width of an endplate's bright line, of which a reader marks the middle
        self.soft = np.zeros(shown.size, np.float32)
        self.bone = np.zeros(shown.size, np.float32)

    def total(self) -> np.ndarray:
        """(H, W) float32 line integrals."""
        return np.maximum(self.soft, 0) + self.bone

    def add(
        self, target: np.ndarray, outline_mm: np.ndarray, amount: float | np.floating, soft_px: float = 1.0
    ) -> None:
        """Add a shape of even thickness."""
        found = cover(self.shown.px(outline_mm), self.shown.size, soft_px)
        if found:
            target[found[0]] += np.float32(amount) * found[1]

    def add_shell(
        self, outline_mm: np.ndarray, core: float, shell: float, shell_mm: float, round_mm: float = 0.0
    ) -> None:
        """Add a bone: a core that thins toward its rim over ``round_mm``, and a compact shell seen edge-on."""
        found = distance(self.shown.px(outline_mm), self.shown.size, 2.0, 2)
        if not found:
            return
        window, signed = found
        mm = np.float32(self.shown.mean_spacing_mm)
        deep = np.maximum(signed, 0) * mm
        inside = coverage(signed)
        body = inside if not round_mm else np.sqrt(np.clip(deep / np.float32(round_mm), 0, 1)) * inside
        edge = np.exp(-deep / np.float32(shell_mm)) * inside
        self.bone[window] += np.float32(core) * body + np.float32(shell) * edge

    def draw_soft_tissue(self) -> None:
        """Body outline, abdominal wall, lungs, diaphragm, bowel gas."""
        rng, shown, spine = self.rng, self.shown, self.spine
        x, y = shown.grid_mm()
        # Spine line: where the body's back and front are measured from.
        axis = np.mean(spine.hips, axis=0)
        nodes = [body.centre for body in (*spine.bodies, spine.sacrum[0])]
        # Below the sacrum the trunk stands on the hips.
        nodes += [(0.6 * nodes[-1][0] + 0.4 * axis[0] - 12, 0.5 * (nodes[-1][1] + axis[1])), (axis[0] - 16, axis[1])]
        nodes_y = np.array([node[1] for node in nodes])
        nodes_x = np.array([node[0] for node in nodes])
        line = np.interp(y[:, 0], nodes_y, nodes_x).astype(np.float32)[:, None]
        habitus = rng.uniform(0.75, 1.35)
        back = line - np.float32(rng.uniform(74, 92) * spine.scale) - 30 * (habitus - 0.75)
        hips = np.exp(-(((y - 60) / 90) ** 2)).astype(np.float32)
        back = back - 22 * habitus * hips
        front = line + np.float32(135 * habitus * spine.scale) + 20 * habitus * np.exp(-(((y + 40) / 80) ** 2))
        half = (front - back) / 2
        u = np.clip((x - (front + back) / 2) / half, -1, 1)
        profile = np.sqrt(np.maximum(1 - np.abs(u) ** 2.4, 0))
        breadth = (250 + 80 * (habitus - 0.75)) * spine.scale * (1 + 0.28 * hips)
        breadth = breadth * (1 - 0.22 * np.clip((-y - 420) / 200, 0, 1))
        thickness = breadth.astype(np.float32) * profile
        self.soft += np.float32(SOFT * 0.78) * thickness
        for grain, sd in ((60, 0.035), (22, 0.025), (8, 0.012)):
            self.soft *= 1 + np.float32(sd) * texture(rng, shown.size, grain / shown.mean_spacing_mm)
        self._draw_lungs(x, y, line, breadth, profile, front)
        self._draw_gas(line, front)

    def _draw_lungs(self, x, y, line, breadth, profile, front) -> None:
        rng, spine = self.rng, self.spine
        dome = spine.body(str(rng.choice(["T9", "T10", "T11", "T12"]))).centre
        for shift, share in ((0.0, 0.5), (rng.uniform(4, 16), 0.5)):
            # A dome in front of the spine, falling to the costophrenic sulcus behind it.
            reach = (x - dome[0] - 55) / 95
            floor = dome[1] + shift - 14 + 34 * reach**2 + 8 * (reach < -0.35) * (np.abs(reach) - 0.35)
            depth = np.clip((floor - y) / 4.0, 0, 1)
            behind = np.clip((x - line + 42) / 10, 0, 1) * np.clip((front - 14 - x) / 10, 0, 1)
            top = np.clip((y - spine.body("T1").centre[1] + 5) / 40, 0, 1)
            # Beside the spine the ray crosses less lung than in front of it.
            fill = 0.52 - 0.16 * np.exp(-(((x - line) / 24) ** 2))
            lung = depth * behind * top * fill * share
            self.soft -= (np.float32(SOFT * 0.78) * breadth * profile * lung).astype(np.float32)
        # Vessels fan out from the hila; what they cannot resolve stays as a fine grain.
        mm = self.shown.mean_spacing_mm
        in_lung = np.clip((dome[1] - y) / 15, 0, 1) * (x > line - 38)
        cloud = 0.035 * texture(rng, self.shown.size, 14 / mm) + 0.02 * texture(rng, self.shown.size, 4 / mm)
        self.soft += (cloud * in_lung).astype(np.float32)
        hilum = np.array(spine.body("T6").centre) + np.array([48.0, 0.0]) * spine.scale
        for _ in range(int(rng.integers(14, 30))):
            angle, long = rng.uniform(0, 2 * np.pi), rng.uniform(30, 110)
            steps = np.linspace(0, 1, 6)
            bend = angle + rng.normal(0, 0.5) * steps
            path = hilum + rng.normal(0, 10, 2) + long * np.stack([np.cos(bend), np.sin(bend)], 1) * steps[:, None]
            if path[-1, 1] > dome[1] - 12 or path[-1, 0] < line.mean() - 40:
                continue
            width = rng.uniform(3, 6) * (1.1 - steps.repeat(4)[: 4 * 5 + 1])
            curve = smooth(path, closed=False, steps=4)
            self.add(self.soft, ribbon(curve, width[: len(curve)]), rng.uniform(0.03, 0.09), 2.5)
        u = (x - hilum[0] - 26 * spine.scale) / (52 * spine.scale)
        v = (y - hilum[1] - rng.uniform(45, 70) * spine.scale) / (62 * spine.scale)
        heart = np.clip(1.25 - np.hypot(u - 0.3 * v, v), 0, 1) * in_lung * (x < front - 14)
        self.soft += (np.float32(SOFT * rng.uniform(25, 75)) * heart).astype(np.float32)

    def _draw_gas(self, line: np.ndarray, front: np.ndarray) -> None:
        """Bowel gas: bunches of bubbles that overlap, some sharp, some blurred by motion."""
        rng, shown = self.rng, self.shown
        y = shown.grid_mm()[1][:, 0]
        lowest = self.spine.body("T12").centre[1] + 20
        rows = np.flatnonzero(y > lowest)
        if not len(rows):
            return
        for _ in range(int(rng.integers(1, 7))):
            row = int(rng.choice(rows))
            room = max(30.0, float(front[row, 0] - line[row, 0]) - 20)
            middle = np.array([line[row, 0] + rng.uniform(8, room), y[row]])
            spread, turn = rng.uniform(5, 22), rng.uniform(0, np.pi)
            for _ in range(int(rng.integers(2, 9))):
                radius = rng.gamma(3.0, 2.3) + 2
                along = rng.normal(0, spread) * np.array([np.cos(turn), np.sin(turn)])
                bubble = ellipse(
                    tuple(middle + along + rng.normal(0, 4, 2)),
                    (radius * rng.uniform(0.8, 1.6), radius * rng.uniform(0.6, 1.0)),
                    np.degrees(turn) + rng.normal(0, 20),
                    10,
                )
                bubble = smooth(bubble + rng.normal(0, radius * 0.07, bubble.shape))
                soft = rng.uniform(1.0, 3.5) / shown.mean_spacing_mm
                self.add(self.soft, bubble, -SOFT * radius * rng.uniform(0.3, 1.3), soft)
