"""Drawn pictures for the view network: phantoms as they are drawn, lateral films of trunk and neck as teaching files
have them, and sagittal MR drawn over as films.

Used by ``view_set.py``. No real lateral film is read here, and nothing was fitted to one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from film_looks import Film, faint_sacrum, shows, stored, strip
from lateral_set import cut_top, draw
from mr_set import bodies

from spinetk.formats.masks import vertebrae_of
from spinetk.geometry import Frame
from spinetk.images.window import to_uint8
from spinetk.phantoms import Phantom, lateral_radiograph, sagittal_mr
from spinetk.phantoms.cervical import cervical_radiograph
from spinetk.phantoms.ct import sagittal_ct
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

CUT, FAINT, STORED = 0.6, 0.25, 0.85  # shares of the films that are looked at as teaching files have them
LEAST_BODIES = 3  # that show; a film in which fewer do is left as it was drawn
MAKERS = {
    "lateral": lateral_radiograph, "cervical": cervical_radiograph, "sagittal-mr": sagittal_mr,
    "sagittal-ct": sagittal_ct,
}  # fmt: skip
LOOKED_MM = 0.8
REGIONS = {"lumbar": 0.3, "thoracic": 0.35, "whole": 0.35}  # shown by drawn MR that is cut narrow
NARROW = 0.7  # share of it that is cut around the canal, bodies or not; the rest as wide as a coil sees
DONORS = 24  # films that lend their shading to the drawn MR
DRAWN_PX = 512  # width to which an MR slice is enlarged before it is drawn over


@dataclass(frozen=True)
class Drawn:
    """One film, (H, W) uint8, head up; ``front`` is ``left`` or ``right``.

    ``box`` are left, top, right and bottom of what is seen of its bodies, as shares of the picture.
    """

    picture: np.ndarray
    kind: str
    group: str
    front: str
    box: tuple[float, ...]


def phantom_films(
    jobs: list[tuple[str, int, int]], first: int, workers: int, wanted: Callable[[str], bool] = lambda group: True
) -> Iterator[Drawn]:
    """Phantoms, drawn by processes of their own from now on.

    Args:
        jobs: Kind (a key of ``MAKERS``), how many as they are drawn, how many more as teaching files have them.
        first: Seed of the first of each kind.
        workers: How many processes draw.
        wanted: Which groups are drawn.
    """
    all_jobs = [
        (kind, k, first + k, k >= plain)
        for kind, plain, looked in jobs
        for k in range(plain + looked)
        if wanted(f"{kind}-{k}")
    ]
    pool = ProcessPoolExecutor(workers)
    drawn = pool.map(_phantom_film, all_jobs, chunksize=20)
    pool.shutdown(wait=False)
    return drawn


def _phantom_film(job: tuple[str, int, int, bool]) -> Drawn:
    kind, number, seed, looked = job
    random = np.random.default_rng((seed, 9))
    how: dict[str, Any] = {}
    if looked and kind in ("lateral", "sagittal-mr"):
        how["spacing_mm"] = LOOKED_MM  # what is stored small needs no more: more are drawn in the same time
    if looked and kind == "sagittal-mr":
        how["region"] = str(random.choice(list(REGIONS), p=list(REGIONS.values())))
    phantom = MAKERS[kind](seed, **how)
    film = to_uint8(phantom.pixels), phantom.reading
    if looked and kind == "sagittal-mr" and random.random() < NARROW:
        from view_columns import narrow

        picture, box = narrow(*film, random)
        return Drawn(picture, kind, f"{kind}-{number}", front_of(phantom.reading), box)
    if looked and kind.startswith("sagittal"):
        film = column(*film, random)
    elif looked:
        film = as_filed(film[0], phantom, random, trunk=kind == "lateral")
    return Drawn(film[0], kind, f"{kind}-{number}", front_of(phantom.reading), box_of(film[1]))


def column(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> Film:
    """A slice as narrow as the coil sees, or cut out of a long one: the spine and little beside it."""
    if len(reading.vertebrae) < LEAST_BODIES:
        return picture, reading
    picture, reading = strip(picture, reading, random)
    if random.random() < 0.4 and len(reading.vertebrae) > 2 * LEAST_BODIES:
        first = int(random.integers(0, len(reading.vertebrae) - LEAST_BODIES - 1))
        last = int(random.integers(first + LEAST_BODIES, len(reading.vertebrae)))
        boxes = np.array([own.bbox for own in reading.vertebrae[first : last + 1]])
        y0, y1 = max(0, int(boxes[:, 1].min())), min(reading.height, int(boxes[:, 3].max()) + 1)
        picture, reading = picture[y0:y1].copy(), reading.cropped(0, y0, reading.width, y1)
    return picture, reading


def box_of(reading: Reading) -> tuple[float, ...]:
    """Left, top, right and bottom of the bodies as shares of the picture; not a number where there is none."""
    if not reading.vertebrae:
        return (float("nan"),) * 4
    boxes = np.array([own.bbox for own in reading.vertebrae])
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    size = np.array([reading.width, reading.height])
    return tuple(float(own) for own in np.clip(np.concatenate([low / size, high / size]), 0, 1))


def front_of(reading: Reading) -> str:
    """Side of the front of a phantom."""
    return "right" if reading.frame.toward_right == "A" else "left"


def as_filed(picture: np.ndarray, phantom: Phantom, random: np.random.Generator, trunk: bool) -> Film:
    """A phantom film as a teaching file has it: cut above, its sacrum hardly seen, dim, in a strip, small."""
    film = picture, phantom.reading
    if trunk and random.random() < CUT:
        film = cut_top(*film, random)
    if trunk and random.random() < FAINT:
        film = faint_sacrum(*film, random)
    if random.random() < STORED:
        film = stored(*film, random)
    seen = [own for own in film[1].vertebrae if shows(film[0], own)]
    return film if len(seen) >= LEAST_BODIES else (picture, phantom.reading)


def mr_films(data: Path, seed: int) -> Iterator[Drawn]:
    """Sagittal MR drawn over as lateral films of the trunk (``lateral_set.draw``), three quarters of them as filed."""
    donors = [
        to_uint8(lateral_radiograph(700_000_000 + k, facing="left", region="lumbar", spacing_mm=LOOKED_MM).pixels)
        for k in range(DONORS)
    ]
    for number, (group, slice_, mask) in enumerate(labelled(data)):
        random = np.random.default_rng((seed, 8, number))
        vertebrae, _ = vertebrae_of(mask)
        if len(vertebrae) < LEAST_BODIES:
            continue
        height, width = slice_.shape
        frame = Frame(toward_right="P", toward_bottom="F")
        reading = Reading(group, height, width, VERTEBRA6, vertebrae, frame=frame, view="lateral")
        factor = DRAWN_PX / width
        slice_ = cv2.resize(slice_, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        reading = reading.resized(*slice_.shape)
        shade = cv2.resize(donors[number % DONORS], slice_.shape[::-1], interpolation=cv2.INTER_AREA)
        film = draw(slice_, reading, shade, random), reading
        if random.random() < 0.75:
            cut = cut_top(*film, random) if random.random() < CUT else film
            looked = stored(*cut, random)
            if sum(shows(looked[0], own) for own in looked[1].vertebrae) >= LEAST_BODIES:
                film = looked
        yield Drawn(film[0], "lateral", group, "left", box_of(film[1]))


def labelled(data: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Group, slice and labels of the bodies, for MR of two sources; groups are named as ``view_set.mr`` names them."""
    for path in sorted((data / "mr_sagittal").rglob("slice*_label.png")):
        slice_ = cv2.imread(str(path.with_name(path.name.replace("_label", ""))), cv2.IMREAD_GRAYSCALE)
        yield path.parent.name, slice_, cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    for path in sorted((data / "spider_slices" / "masks").glob("*.png")):
        slice_ = cv2.imread(str(data / "spider_slices" / "images" / path.name), cv2.IMREAD_GRAYSCALE)
        yield f"spider-{path.stem.split('_')[0]}", slice_, bodies(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
