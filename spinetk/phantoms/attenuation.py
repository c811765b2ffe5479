"""Line integrals of the linear attenuation coefficient through a patient who stands sideways to the beam."""

from __future__ import annotations

import numpy as np

from spinetk.phantoms.phantom import Field
from spinetk.phantoms.shape import cover, coverage, distance, ellipse, ribbon, smooth, texture
from spinetk.phantoms.spine import Body, Spine

# Linear attenuation per mm at about 80 kVp effective: soft tissue, and what spongy and compact bone add to it.
SOFT = 0.0195
SPONGY = 0.0075
COMPACT = 0.034
METAL = 0.35
# Outline of an iliac bone seen from the side, mm from the centre of the vertebra that its crest reaches.
ILIAC = [(-64, 60), (-60, 20), (-38, -4), (0, -10), (34, 2), (58, 28), (64, 58), (52, 92), (60, 135), (32, 180)]
ILIAC += [(-8, 176), (-24, 130), (-52, 98)]


class Attenuation:
    """The picture while it is being built, in line integrals (dimensionless).

    Args:
        shown: Field of view, patient facing right.
        spine: The anatomy.
        rng: Source of everything that the anatomy leaves open.
    """

    def __init__(self, shown: Field, spine: Spine, rng: np.random.Generator) -> None:
        self.shown, self.spine, self.rng = shown, spine, rng
        self.soft = np.zeros(shown.size, np.float32)
        self.bone = np.zeros(shown.size, np.float32)

    def total(self) -> np.ndarray:
        """(H, W) float32 line integrals."""
        return np.maximum(self.soft, 0) + self.bone

    def _add(self, target: np.ndarray, outline_mm: np.ndarray, amount: float, soft_px: float = 1.0) -> None:
        """Add a shape of even thickness."""
        found = cover(self.shown.px(outline_mm), self.shown.size, soft_px)
        if found:
            target[found[0]] += np.float32(amount) * found[1]

    def _add_shell(
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
        nodes = [body.centre for body in (*spine.bodies, *spine.sacrum)]
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
            self._add(self.soft, ribbon(curve, width[: len(curve)]), rng.uniform(0.03, 0.09), 2.5)
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
                self._add(self.soft, bubble, -SOFT * radius * rng.uniform(0.3, 1.3), soft)

    def draw_bones(self) -> None:
        """Vertebrae with their posterior elements, sacrum, iliac bones and ribs."""
        for body in (*self.spine.bodies, *self.spine.sacrum):
            self._draw_body(body)
            if body.label[0] != "S":
                self._draw_posterior(body)
        self._draw_pelvis()
        self._draw_ribs()
        mm = self.shown.mean_spacing_mm
        # Trabeculae: the upright ones remain longest, so old bone looks striped.
        grain = texture(self.rng, self.shown.size, 1.2 / mm) + 0.8 * texture(self.rng, self.shown.size, 3.5 / mm)
        upright = texture(self.rng, self.shown.size, (7 / mm, 1.3 / mm))
        self.bone *= 1 + np.float32(0.06) * grain + np.float32(0.03 + 0.06 * self.spine.age) * upright

    def _draw_body(self, body: Body) -> None:
        found = distance(self.shown.px(body.contour()), self.shown.size, 4.0)
        if not found:
            return
        window, signed = found
        mm = np.float32(self.shown.mean_spacing_mm)
        x, y = self.shown.grid_mm()
        down = (x[:, window[1]] - body.centre[0]) * -body.up[0] + (y[window[0]] - body.centre[1]) * -body.up[1]
        front = (x[:, window[1]] - body.centre[0]) * body.front[0] + (y[window[0]] - body.centre[1]) * body.front[1]
        half = body.depth_mm / 2
        # Width across the beam: a kidney shape, full behind the middle, narrow at the front.
        width = 1.35 * body.depth_mm * np.sqrt(np.clip(1 - (np.abs(front + 0.15 * half) / (1.2 * half)) ** 2.2, 0, 1))
        deep = np.maximum(signed, 0) * mm
        inside = coverage(signed)
        bone = SPONGY * body.density * (0.5 + 0.5 * body.density) * width * inside
        # Walls are curved across the beam (thin bright line); endplates lie along it (broader and brighter).
        flat = np.clip(np.abs(down) / (body.middle_mm / 2) - 0.35, 0, 1)
        patchy = 1 + 0.3 * texture(self.rng, signed.shape, 7 / float(mm))
        shell = np.exp(-deep / np.float32(self.rng.uniform(0.6, 1.0))) * inside * np.clip(patchy, 0.3, 1.7)
        near_end = np.exp(-np.maximum(body.middle_mm / 2 - np.abs(down), 0) / 3.5)
        bone = bone * (1 + 0.22 * near_end)
        bone = bone + COMPACT * (0.5 + 0.5 * body.density) * shell * (5.0 + 10.0 * flat)
        self.bone[window] += bone.astype(np.float32)
        self._draw_rims(body)

    def _draw_rims(self, body: Body) -> None:
        """The far rim of each endplate: a fainter second line where the beam is oblique to the disc space."""
        if abs(body.obliquity_mm) < 0.4:
            return
        bottom_back, bottom, bottom_front, top_front, top, top_back = body.points()
        for points, sign in (((top_back, top, top_front), 1), ((bottom_back, bottom, bottom_front), -1)):
            arc = smooth(np.array(points) - sign * body.up * abs(body.obliquity_mm), closed=False, steps=8)
            taper = np.sqrt(np.clip(1 - np.linspace(-1, 1, len(arc)) ** 2, 0.02, 1))
            self._add(self.bone, ribbon(arc, 1.1 * taper + 0.2), COMPACT * 5.5, 1.4)

    def _draw_posterior(self, body: Body) -> None:
        rng = self.rng
        h, d, s = body.posterior_mm, body.depth_mm, body.density
        back = -d / 2
        thoracic = body.label[0] == "T" and body.label not in ("T11", "T12")
        canal = 15.0 * self.spine.scale
        pedicle = [(back + 1.5, -0.42 * h), (back - 8, -0.37 * h), (back - 10, -0.03 * h), (back + 1.5, 0.04 * h)]
        facet = [
            (back - 6, -0.62 * h),
            (back - 10, -0.78 * h),
            (back - 14, -0.5 * h),
            (back - 15, 0.1 * h),
            (back - 17, 0.62 * h),
            (back - 13, 0.72 * h),
            (back - 9, 0.3 * h),
            (back - 6, -0.1 * h),
        ]
        long = (30 if not thoracic else 34) * self.spine.scale
        drop = 0.18 * h if not thoracic else 0.75 * h
        tall = 0.42 * h if not thoracic else 0.2 * h
        tip = back - canal - long
        spinous = [
            (back - canal + 3, -0.05 * h),
            (back - canal - 0.5 * long, 0.02 * h + 0.5 * drop),
            (tip, drop),
            (tip - 2, drop + tall),
            (back - canal - 0.5 * long, tall + 0.25 * h + 0.4 * drop),
            (back - canal + 3, 0.42 * h),
        ]
        wobble = 0.04 * h
        for shift in (rng.uniform(-1.5, 1.5, 2), rng.uniform(-1.5, 1.5, 2)):
            bent = np.array(pedicle) + rng.normal(0, wobble, (4, 2)) * [0.3, 0.5]
            self._add_shell(body.place(smooth(bent) + shift), 0.13 * s, 0.12 * s, 1.0, 2.5)
            bent = np.array(facet) + rng.normal(0, wobble, (8, 2))
            self._add_shell(body.place(smooth(bent) + shift), 0.17 * s, 0.12 * s, 1.0, 4)
        bent = np.array(spinous) + rng.normal(0, 1.5 * wobble, (6, 2))
        self._add_shell(body.place(smooth(bent)), 0.20 * s, 0.11 * s, 1.0, 3.5)
        if not thoracic:
            # Transverse processes point along the beam: a dense spot over the pedicle's root.
            root = ellipse((back - rng.uniform(3, 7), -0.15 * h), (4.5, 5.5), rng.uniform(-30, 30), 14)
            self._add_shell(body.place(root), 0.10 * s, 0.12 * s, 1.2, 4)

    def _draw_pelvis(self) -> None:
        rng, spine = self.rng, self.spine
        top = spine.body("L5" if rng.random() < 0.6 else "L4").centre
        s = spine.sacrum[0].density
        for shift in (rng.normal(0, 3, 2), rng.uniform((-10, -9), (10, 9))):
            outline = smooth(np.array(ILIAC) * spine.scale + np.array(top) + shift)
            outline = outline + 1.5 * np.sin(np.arange(len(outline)) / 4 + rng.uniform(0, 6))[:, None]
            self._add_shell(outline, 0.28 * s, 0.26 * s, 1.3, 12)

    def _draw_ribs(self) -> None:
        rng, spine = self.rng, self.spine
        lie = (rng.uniform(0.85, 1.1), rng.uniform(0.75, 1.2))
        for body in spine.bodies:
            if body.label[0] != "T":
                continue
            number = int(body.label[1:])
            length = {11: 0.45, 12: 0.25}.get(number, 1.0) * rng.uniform(0.9, 1.1)
            for side in range(2):
                start = body.place([(-body.depth_mm * 0.55, -body.posterior_mm * 0.35)])[0]
                turn = rng.normal(0, 4, 2) + np.array([0, rng.uniform(-5, 5) * side])
                path = np.array([(0, 0), (-24, 8), (-30, 22), (-12, 46), (28, 76), (74, 98), (104, 96)], dtype=float)
                path = path[: max(3, round(len(path) * length))] * spine.scale * lie + start + turn
                line = smooth(path, closed=False, steps=8)
                width = np.full(len(line), rng.uniform(7.5, 10.5) * spine.scale)
                self._add_shell(ribbon(line, width), 0.11 * body.density, 0.14 * body.density, 0.9, 3)

    def draw_hardware(self, rng: np.random.Generator) -> None:
        """Pedicle screws with rods, bone cement, or surgical clips."""
        kind = str(rng.choice(["screws", "screws", "cement", "clips"]))
        labels = [body.label for body in self.spine.bodies]
        first = int(rng.integers(labels.index("T11"), labels.index("L4")))
        span = self.spine.bodies[first : first + int(rng.integers(2, 5))]
        if kind == "screws":
            for offset in (rng.normal(0, 1.0, 2), rng.normal(0, 2.0, 2)):
                heads = []
                for body in span:
                    h, d = body.posterior_mm, body.depth_mm
                    shaft = np.array([(d * rng.uniform(0.1, 0.32), -0.14 * h), (-d / 2 - 16, -0.28 * h)]) + offset
                    shaft = np.linspace(shaft[0], shaft[1], 40)
                    thread = 4.6 + 1.2 * (np.arange(40) % 3 == 0) - 2.5 * (np.arange(40) < 3)
                    self._add(self.bone, body.place(ribbon(shaft, thread)), METAL * 5, 1.0)
                    head = ellipse(tuple(shaft[-1]), (5.5, 6.5), 0.0)
                    self._add(self.bone, body.place(head), METAL * 8, 1.0)
                    heads.append(body.place(shaft[-1] - np.array([2.0, 0.0])))
                rod = smooth(np.array([heads[0] - (0, 9), *heads, heads[-1] + (0, 9)]), closed=False)
                self._add(self.bone, ribbon(rod, 5.5), METAL * 6, 1.0)
        elif kind == "cement":
            for body in span[:2]:
                blob = ellipse((0, 0), (body.depth_mm * 0.28, body.middle_mm * 0.28), 0, 12)
                blob = smooth(blob + rng.normal(0, 1.8, blob.shape))
                self._add(self.bone, body.place(blob), rng.uniform(0.9, 1.8), 2.0)
        else:
            for _ in range(int(rng.integers(3, 8))):
                body = span[int(rng.integers(len(span)))]
                spot = np.array(body.centre) + rng.uniform((25, -25), (90, 25))
                turn = rng.uniform(0, np.pi)
                end = spot + 6 * np.array([np.cos(turn), np.sin(turn)])
                self._add(self.bone, ribbon(np.array([spot, end]), 1.4), METAL * 3, 1.0)
