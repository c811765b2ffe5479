"""The training set of ``sagittal-ct``: phantoms of sagittal CT, and real MR spines drawn as CT by their masks.

python benchmarks/ct_set.py TREE OUT [--phantoms 240] [--copies 1] [--seed 8000] && spinetk split OUT --group group

TREE is what ``mr_set.py`` writes: MR slices with a label picture of the bodies. No real CT is in the set. Each MR slice
is drawn anew in Hounsfield units: soft tissue by the slice's own grey (fat is bright in MR, dark in CT), bodies filled
with spongy bone, a cortex along the true outline that is now thick, now hardly there, spinous processes behind, and by
chance lung, contrast agent or calcified vessels in front; then a reconstruction's blur and noise, and a window.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from lateral_set import cut_top, rewrite

from spinetk.cases.folder import CaseFolder, read_pixels, write_record
from spinetk.formats.files import read_metadata, write_metadata
from spinetk.formats.masks import vertebrae_of
from spinetk.formats.record import reading_of, record_of
from spinetk.geometry import Frame
from spinetk.keypoints.pictures import to_grey
from spinetk.phantoms import write_phantom_set
from spinetk.phantoms.shape import ellipse, smooth, texture
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

BODY_MM = 27.0  # usual height of a body, where a slice has no scale
LABEL = "_label.png"
WINDOWS = ((400, 1800), (300, 1500), (500, 2500), (50, 400), (60, 600), (250, 1000), (100, 2000))
AIR, LUNG = -1000.0, -850.0
ALIKE = {"sub-vb333": "sub-vb332"}  # subjects whose slices are nearly the same: one group, so one part
FRONT = -1  # of all slices of the tree, as looked at: the left


@dataclass
class Drawing:
    """A slice in HU while it is drawn.

    Attributes:
        hounsfield: (H, W) float32.
        mm: Millimetres per px.
        random: Source of all that is drawn.
        front: -1 where the front is the left of the picture, 1 where it is the right.
    """

    hounsfield: np.ndarray
    mm: float
    random: np.random.Generator
    front: int

    def field(self, grain_mm: float) -> np.ndarray:
        """A random field with blobs of this size."""
        return texture(self.random, self.hounsfield.shape[:2], max(grain_mm / self.mm, 1.0))

    def lay(self, share: np.ndarray, values: np.ndarray | float) -> None:
        """Cover a share (H, W) of 0..1."""
        self.hounsfield += share * (values - self.hounsfield)

    def filled(self, outline: np.ndarray, soft_mm: float = 0.4) -> np.ndarray:
        """(H, W) share of a closed outline in px."""
        mask = np.zeros(self.hounsfield.shape, np.float32)
        cv2.fillPoly(mask, [np.round((outline - 0.5) * 16).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=4)
        return cv2.GaussianBlur(mask, (0, 0), max(soft_mm / self.mm, 0.3))

    def bone(self, share: np.ndarray, marrow: float, grit: np.ndarray, walls: float) -> None:
        """Spongy bone with a cortex inside an outline.

        Args:
            share: (H, W) 0..1.
            marrow: Its mean HU.
            grit: (H, W) HU that are added to it.
            walls: How bright front and back wall are beside the endplates.
        """
        random = self.random
        deep = cv2.distanceTransform((share > 0.5).astype(np.uint8), cv2.DIST_L2, 5) * self.mm
        smoothed = cv2.GaussianBlur(share, (0, 0), 2.0 / self.mm)
        dy, dx = np.gradient(smoothed)
        flat = np.abs(dy) / (np.hypot(dx, dy) + 1e-6)  # 1 at endplates, 0 at walls
        thick = random.uniform(0.5, 1.5)
        rim = np.exp(-0.5 * ((deep - 0.5 * thick) / (0.6 * thick)) ** 2)
        rim = rim * (walls + (1 - walls) * flat**2) * np.clip(0.8 + 0.35 * self.field(7.0), 0.05, 1.5)
        self.lay(share, marrow + grit + rim * random.uniform(150, 800))


def soft_tissue(slice_: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(H, W) HU of an MR slice (uint8) without its bones: bright is fat, dark is muscle, black is air."""
    grey = slice_.astype(np.float32)
    grey /= np.percentile(grey, 98) + 1e-6
    fat, muscle, water = random.uniform(-115, -70), random.uniform(35, 75), random.uniform(0, 60)
    tissue = np.interp(grey, [0.0, 0.15, 0.4, 0.7, 1.0], [muscle, muscle, water, random.uniform(-60, 50), fat])
    middle = float(np.median(tissue))
    tissue = middle + (tissue - middle) * random.uniform(0.15, 1.0)
    outside = cv2.GaussianBlur(grey, (0, 0), 0.02 * grey.shape[1]) < random.uniform(0.02, 0.06)
    return np.where(outside, AIR, tissue).astype(np.float32)


def spinous(drawing: Drawing, reading: Reading, marrow: float, grit: np.ndarray) -> None:
    """Spinous processes behind the bodies, as a midsagittal slice meets them."""
    random = drawing.random
    near, long = random.uniform(17, 24), random.uniform(18, 32)
    for vertebra in reading.vertebrae:
        points = vertebra.points
        height, width = (points[:3] - points[3:][::-1])[:, 1].mean(), np.ptp(points[:, 0])
        back = points.mean(0) - [drawing.front * width / 2, 0]
        across = (near + long / 2) / drawing.mm
        middle = back + [-drawing.front * across, height * random.uniform(0.2, 0.6)]
        radii = (long / 2 / drawing.mm * random.uniform(0.8, 1.1), height * random.uniform(0.25, 0.42))
        outline = ellipse(tuple(middle), radii, -drawing.front * random.uniform(-5, 35), 12)
        outline = smooth(outline + random.normal(0, 0.06 * height, outline.shape))
        if random.random() < 0.85:
            drawing.bone(drawing.filled(outline), marrow * random.uniform(0.7, 1.3), grit, random.uniform(0.5, 1))


def before(drawing: Drawing, reading: Reading) -> None:
    """Lung, contrast agent, calcified vessels or bowel gas in front of the bodies, each by chance."""
    random, mm = drawing.random, drawing.mm
    height, width = drawing.hounsfield.shape
    ends = [own.points[:, 0].min() if drawing.front < 0 else own.points[:, 0].max() for own in reading.vertebrae]
    rows = [own.centre[1] for own in reading.vertebrae]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    line = np.interp(y[:, 0], rows, ends)[:, None]
    ahead = drawing.front * (x - line) * mm  # mm before the bodies
    if random.random() < 0.3:
        wave = cv2.GaussianBlur(drawing.field(25.0), (0, 0), 4 / mm)
        low = random.uniform(0.1, 0.8) * height
        lung = np.clip((ahead - random.uniform(0, 25) - 5 * wave) / 2, 0, 1)
        lung *= np.clip((low - y - 0.3 * ahead / mm + 6 * wave) / 3, 0, 1)
        drawing.lay(lung.astype(np.float32), LUNG + 60 * drawing.field(4.0))
    for _ in range(int(random.integers(0, 9))):
        kind = str(random.choice(["gas", "contrast", "calcium", "organ"], p=[0.25, 0.25, 0.25, 0.25]))
        row = random.uniform(0, height)
        away = random.uniform(4, 14) if kind == "calcium" else random.uniform(10, 90)
        size = random.uniform(1.5, 5) if kind == "calcium" else random.uniform(5, 30)
        middle = (float(np.interp(row, rows, ends)) + drawing.front * (away + size) / mm, row)
        outline = ellipse(middle, (size / mm * random.uniform(0.5, 1), size / mm), random.uniform(-40, 40), 12)
        outline = smooth(outline + random.normal(0, 0.1 * size / mm, outline.shape))
        values = {"gas": AIR, "contrast": random.uniform(120, 380), "calcium": random.uniform(250, 900)}
        free = (ahead > 1.5).astype(np.float32)
        drawing.lay(drawing.filled(outline, 0.8) * free, values.get(kind, random.uniform(40, 110)))


def scanned(drawing: Drawing) -> np.ndarray:
    """(H, W) uint8: the drawing after a reconstruction's blur and noise, in a window."""
    random = drawing.random
    image = cv2.GaussianBlur(drawing.hounsfield, (0, 0), random.uniform(0.35, 1.1))
    noise = random.standard_normal(image.shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), random.uniform(0.4, 1.2))
    image += noise / noise.std() * np.exp(random.uniform(np.log(6), np.log(110)))
    centre, width = WINDOWS[int(random.integers(len(WINDOWS)))]
    centre, width = centre + random.normal(0, 60), width * np.exp(random.normal(0, 0.2))
    return (np.clip((image - centre) / width + 0.5, 0, 1) * 255).astype(np.uint8)


def drawn(
    slice_: np.ndarray, labels: np.ndarray, random: np.random.Generator, facing: int
) -> tuple[np.ndarray, Reading] | None:
    """An MR slice (H, W) uint8 as a CT slice, with its reading; None where its masks hold fewer than three bodies."""
    whole = np.ptp(np.nonzero(labels)[0]) if labels.any() else 0
    factor = random.uniform(480, 900) / max(slice_.shape)
    count = len(np.unique(labels)) - 1
    if count < 3 or not whole:
        return None
    mm = BODY_MM * 1.25 * count / (whole * factor)
    size = tuple(round(side * factor) for side in slice_.shape[::-1])
    slice_ = cv2.resize(slice_, size, interpolation=cv2.INTER_CUBIC)
    shares = {}
    for value in np.unique(labels)[1:]:
        own = cv2.resize((labels == value).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        shares[int(value)] = np.clip((cv2.GaussianBlur(own, (0, 0), 0.6 * factor) - 0.5) * 2.5 + 0.5, 0, 1)
    masks = np.zeros(slice_.shape, np.uint8)
    for value, share in shares.items():
        masks[share > 0.5] = value
    frame = Frame((mm, mm), "guessed")
    reading = Reading("slice", *slice_.shape, VERTEBRA6, vertebrae_of(masks)[0], frame, "sagittal")
    if len(reading.vertebrae) < 3:
        return None
    drawing = Drawing(soft_tissue(slice_, random), mm, random, facing)
    before(drawing, reading)
    marrow, spongy = random.uniform(40, 330), random.uniform(0.05, 0.45)
    fine = slice_.astype(np.float32) - cv2.GaussianBlur(slice_.astype(np.float32), (0, 0), 4 / mm)
    grit = (drawing.field(random.uniform(0.8, 2.5)) + fine.clip(-40, 40) / 25) * spongy * (60 + 0.5 * marrow)
    spinous(drawing, reading, marrow, grit)
    disc = cv2.dilate((masks > 0).astype(np.uint8), np.ones((3, 3)), iterations=round(3.5 / mm)).astype(np.float32)
    drawing.lay(cv2.GaussianBlur(disc, (0, 0), 1 / mm) * random.uniform(0, 1), random.uniform(60, 130))
    walls = random.uniform(0.1, 0.9)
    for share in shares.values():
        drawing.bone(share, marrow * random.normal(1, 0.12), grit, walls)
    return scanned(drawing), reading


def main() -> None:
    """Write the case folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--phantoms", type=int, default=240)
    parser.add_argument("--copies", type=int, default=1, help="CT slices drawn of each MR slice")
    parser.add_argument("--seed", type=int, default=8000)
    options = parser.parse_args()
    names = write_phantom_set(options.out, options.phantoms, seed=options.seed, kinds=("ct",), prefix="ct")
    folder = CaseFolder(options.out)
    metadata = read_metadata(options.out)
    for number, record in enumerate(folder.records(names, augmented=False)[0]):
        random = np.random.default_rng((options.seed, 0, number))
        picture, reading = to_grey(read_pixels(record)), reading_of(record)
        if random.random() < 0.4:
            rewrite(folder, record, *cut_top(picture, reading, random))
        metadata[record["case"]]["group"] = record["case"]
    written = 0
    for number, path in enumerate(sorted(options.tree.rglob(f"*{LABEL}"))):
        source = path.with_name(path.name.removesuffix(LABEL) + ".png")
        slice_, labels = (cv2.imread(str(own), cv2.IMREAD_GRAYSCALE) for own in (source, path))
        for copy in range(options.copies):
            random = np.random.default_rng((options.seed, 1 + copy, number))
            made = drawn(slice_, labels, random, FRONT)
            if made is None:
                continue
            picture, reading = made
            if random.random() < 0.4:
                picture, reading = cut_top(picture, reading, random)
            case = f"{path.parent.name}-{source.stem}-ct{copy}"
            content = record_of(reading, f"{case}/src-0", case=case)
            write_record(folder.source(case), content, cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
            metadata[case] = {"group": ALIKE.get(path.parent.name, path.parent.name), "View": "ct"}
            written += 1
    write_metadata(options.out, metadata)
    print(f"{len(names)} phantoms and {written} drawn slices in {options.out}")


if __name__ == "__main__":
    main()
