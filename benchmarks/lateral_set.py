"""The training set of ``xray-lateral``: phantom radiographs and CT slices, and real MR spines drawn as radiographs.

python benchmarks/lateral_set.py MR_CASES OUT [--phantoms 480] [--slices 120] [--copies 1] [--seed 7000] [--cut 0.6]
    [--stored 0.5] [--region lumbar] [--faint 0]

Bodies look alike in a lateral film and in a sagittal CT slice: bright walls around spongy bone. No annotated lateral
radiograph is at hand. Phantoms have exact truth and simple shapes; sagittal MR has real shapes. So each MR slice of
MR_CASES is drawn once more as a film would show it: the slow shading of a phantom radiograph, bodies a little brighter
than discs, bright end plates and walls along the true outline, the fine texture of the slice, grain.

Real films end where the plate ends, mostly within a vertebra, and are often stored small: ``--cut`` of the phantom
films lose their upper edge down to somewhere in their topmost body (which stays, with the points that are left),
``--stored`` of them, and half as many of the drawn ones, are as teaching files have them (``film_looks.py``). Of
``--faint`` the sacrum is hardly to be seen, or not in the film: for the names' probability. Where the endplate of S1
lay before a film was cut stands among its extras: what is taken for it in such a film is wrong by so much.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from film_looks import faint_sacrum, stored

from spinetk.cases.folder import CaseFolder, read_pixels, write_record
from spinetk.formats.files import read_metadata, write_metadata
from spinetk.formats.record import Record, reading_of, record_of
from spinetk.keypoints.pictures import to_grey
from spinetk.phantoms import write_phantom_set
from spinetk.phantoms.choose import REGIONS
from spinetk.reading import Reading

KINDS = (*["lateral"] * 9, "cervical")
WIDTH_PX = 512  # of the drawn films: 1 mm slices are enlarged


def draw(slice_: np.ndarray, reading: Reading, shade: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A film of the spine in an MR slice.

    Args:
        slice_: (H, W) uint8.
        reading: Its bodies.
        shade: (H, W) uint8, a radiograph to take the shading from.
        random: Decides how strong each part is.

    Returns:
        (H, W) uint8.
    """
    height, width = slice_.shape
    bodies, walls = np.zeros((height, width), np.float32), np.full((height, width), 255, np.uint8)
    ring = [reading.schema.index(n) for n in ("top_left", "top_middle", "top_right")]
    ring += [reading.schema.index(n) for n in ("bottom_right", "bottom_middle", "bottom_left")]
    sizes = []
    for vertebra in reading.vertebrae:
        outline = np.round((vertebra.points[ring] - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(bodies, [outline], 1.0, lineType=cv2.LINE_AA, shift=4)
        cv2.polylines(walls, [outline], True, 0, 1, shift=4)
        sizes.append(np.ptp(vertebra.points[:, 1]))
    size = float(np.median(sizes)) if sizes else 30.0
    away = cv2.distanceTransform(walls, cv2.DIST_L2, 5)
    cortex = np.exp(-0.5 * (away / (size * random.uniform(0.02, 0.05))) ** 2)
    slow = cv2.GaussianBlur(shade.astype(np.float32), (0, 0), size * random.uniform(0.5, 1.2))
    grey = slice_.astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), size * 0.35)
    fine /= fine.std() + 1e-6
    film = slow + random.uniform(4, 30) * cv2.GaussianBlur(bodies, (0, 0), size * 0.04)
    film += random.uniform(6, 35) * cortex + random.uniform(2, 9) * fine.clip(-3, 3)
    grain = cv2.GaussianBlur(random.normal(0, 1, film.shape).astype(np.float32), (0, 0), random.uniform(0.5, 1.2))
    film += random.uniform(1, 6) * grain / grain.std()
    return film.clip(0, 255).astype(np.uint8)


def cut_top(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> tuple[np.ndarray, Reading]:
    """The picture from a row within its topmost body (or just above it) on, (H, W) uint8, and its reading."""
    if len(reading.vertebrae) < 4:
        return picture, reading
    top = reading.vertebrae[0].points[:, 1]
    row = int(top.min() + random.uniform(-0.15, 0.6) * np.ptp(top))
    if not 0 < row < reading.height // 3:
        return picture, reading
    return picture[row:], reading.cropped(0, row, reading.width, reading.height)


def rewrite(folder: CaseFolder, record: Record, picture: np.ndarray, reading: Reading) -> None:
    """Write a case anew that was cut or drawn over."""
    seen = [landmark.to_json() for landmark in reading.landmarks]
    known = seen if "landmarks" in record else None
    content = record_of(reading, record["image_id"], case=record["case"], landmarks=known)
    write_record(folder.source(record["case"]), content, cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))


def as_stored(folder: CaseFolder, names: list[str], cut: float, share: float, seed: int, faint: float = 0.0) -> None:
    """Cut these shares of the films, hide their sacrum, or make them what a teaching file has, in place."""
    records, _ = folder.records(names, augmented=False)
    for number, record in enumerate(records):
        random = np.random.default_rng((seed, 1, number))
        picture, reading = to_grey(read_pixels(record)), reading_of(record)
        plates = {own.kind: own.points for own in reading.landmarks if own.kind == "s1"}
        before, reading = picture, replace(reading, extras=plates)
        if random.random() < cut:
            picture, reading = cut_top(picture, reading, random)
        if faint and random.random() < faint:
            picture, reading = faint_sacrum(picture, reading, random)
        if random.random() < share:
            picture, reading = stored(picture, reading, random)
        if picture is not before:
            rewrite(folder, record, picture, reading)


def main() -> None:
    """Write the case folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mr_cases", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--phantoms", type=int, default=480)
    parser.add_argument("--slices", type=int, default=120, help="sagittal CT phantoms")
    parser.add_argument("--copies", type=int, default=1, help="drawn films of each slice; 0: MR_CASES is not read")
    parser.add_argument("--seed", type=int, default=7000)
    parser.add_argument("--cut", type=float, default=0.6, help="share of phantom films whose upper edge cuts a body")
    parser.add_argument("--stored", type=float, default=0.5, help="share of phantom films as teaching files have them")
    parser.add_argument("--faint", type=float, default=0.0, help="share of phantom films with hardly a sacrum to see")
    parser.add_argument("--region", choices=REGIONS, help="of all lateral phantoms, without cervical ones among them")
    options = parser.parse_args()
    kinds = KINDS if options.region is None else ("lateral",)
    names = write_phantom_set(options.out, options.phantoms, seed=options.seed, kinds=kinds, region=options.region)
    donors = [name for k, name in enumerate(names) if kinds[k % len(kinds)] == "lateral"]
    films = CaseFolder(options.out)
    metadata = read_metadata(options.out)
    if options.slices:
        names += write_phantom_set(options.out, options.slices, seed=options.seed + 1, kinds=("ct",), prefix="ct")
        metadata |= read_metadata(options.out)
    groups, records = dict[str, dict[str, Any]](), list[Record]()
    if options.copies:
        source = CaseFolder(options.mr_cases)
        groups, records = read_metadata(options.mr_cases), source.records(source.cases(), augmented=False)[0]
    for number, record in enumerate(records):
        for copy in range(options.copies):
            random = np.random.default_rng((options.seed, number, copy))
            reading, slice_ = reading_of(record), to_grey(read_pixels(record))
            factor = WIDTH_PX / slice_.shape[1]
            slice_ = cv2.resize(slice_, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
            height, width = slice_.shape
            exact = np.array([width / reading.width, height / reading.height])
            vertebrae = [
                replace(v, points=v.points * exact, bbox=tuple(np.asarray(v.bbox) * np.tile(exact, 2)), label=None)
                for v in reading.vertebrae
            ]
            donor, _ = films.records([donors[int(random.integers(len(donors)))]], augmented=False)
            shade = cv2.resize(to_grey(read_pixels(donor[0])), (width, height), interpolation=cv2.INTER_AREA)
            drawn = replace(
                reading, height=height, width=width, vertebrae=vertebrae, frame=reading.frame.resized(*exact),
                view="lateral",
            )  # fmt: skip
            film = draw(slice_, drawn, shade, random)
            case = f"{record['case']}-film{copy}"
            content = record_of(drawn, f"{case}/src-0", case=case)  # where its sacrum lies, nobody said
            write_record(films.source(case), content, cv2.cvtColor(film, cv2.COLOR_GRAY2BGR))
            metadata[case] = {"group": groups.get(record["case"], {}).get("group", record["case"]), "View": "film"}
    phantoms = [name for name in names if name.startswith("phantom")]
    as_stored(films, phantoms, options.cut, options.stored, options.seed, options.faint)
    as_stored(films, [name for name in metadata if "-film" in name], 0.0, options.stored / 2, options.seed + 1)
    for name in names:
        metadata[name]["group"] = name
    write_metadata(options.out, metadata)
    print(f"{len(names)} phantoms and {len(records) * options.copies} drawn films in {options.out}")


if __name__ == "__main__":
    main()
