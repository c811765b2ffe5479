"""How often metal is noticed on lateral films, and taken for seen where there is none.

python benchmarks/lateral_metal.py [--films 400] [--seed 83000] [--model xray-lateral]

Phantoms, every second with implants, two of three as teaching files have them (``film_looks.py``). A body is crossed
where metal hides more than 15 % of its inside. Bodies are the true outlines, each moved by some 5 % of its height, or,
with ``--model``, those that a model finds.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from typing import NamedTuple
from unittest import mock

import cv2
import film_looks
import numpy as np

from spinetk.images.window import to_uint8
from spinetk.keypoints.metal import crossed
from spinetk.keypoints.predictor import Predictor
from spinetk.phantoms import radiograph
from spinetk.phantoms.attenuation import Attenuation
from spinetk.phantoms.choose import stream
from spinetk.reading import Reading

CROSSED = 0.15
DENSE = 0.8  # line integral above which a ray has met metal or cement: that of bone is below
KINDS = ["screws", "screws", "cement", "clips"]  # as spinetk.phantoms.bones draws them


class Film(NamedTuple):
    """A picture (H, W) uint8, where metal is in it, what kind, and its true reading."""

    picture: np.ndarray
    metal: np.ndarray
    kind: str
    reading: Reading


def film(seed: int, implants: bool) -> Film | None:
    """One phantom; None where nothing of its bodies is to be seen."""
    masks = []
    draw = radiograph.draw_implants

    def draw_and_tell(own: Attenuation, random: np.random.Generator) -> None:
        before = own.bone.copy()
        draw(own, random)
        masks.append(own.bone - before)

    with mock.patch.object(radiograph, "draw_implants", draw_and_tell):
        phantom = radiograph.lateral_radiograph(seed, hardware=implants)
    picture, reading = to_uint8(phantom.pixels), phantom.reading
    metal = (np.clip(sum(masks, np.zeros(picture.shape)) / DENSE, 0, 1) * 255).astype(np.uint8)
    if reading.frame.anterior == "left":
        metal = np.ascontiguousarray(metal[:, ::-1])
    random = np.random.default_rng((seed, 1))
    if reading.vertebrae and random.random() < 0.67:
        twin = np.random.default_rng((seed, 2))
        metal, _ = film_looks.strip(metal, reading, twin)
        picture, reading = film_looks.strip(picture, reading, np.random.default_rng((seed, 2)))
        for look in (film_looks.under_lung, film_looks.over_pelvis, film_looks.flat):
            if random.random() < 0.6:
                picture = look(picture, reading, random)
        if random.random() < 0.7:
            picture, reading = film_looks.small(picture, reading, random)
            metal = cv2.resize(metal, picture.shape[::-1], interpolation=cv2.INTER_AREA)
    seen = [own for own in reading.vertebrae if film_looks.shows(picture, own)]
    kind = str(stream(seed, 5).choice(KINDS)) if implants else "none"
    return Film(picture, metal, kind, replace(reading, vertebrae=seen)) if seen else None


def hidden(own: Film, points: np.ndarray) -> float:
    """The share of a body's inside, (K, 2) px, that metal hides."""
    middle = points.mean(axis=0)
    inside = cv2.convexHull(np.round(middle + 0.72 * (points - middle)).astype(np.int32))
    within = cv2.fillConvexPoly(np.zeros_like(own.metal), inside, 1) > 0
    return float((own.metal[within] > 90).mean()) if within.any() else 0.0


def outlines(own: Film, model: Predictor | None, seed: int) -> np.ndarray:
    """(N, K, 2) px of the bodies that are asked about."""
    if model is not None:
        found = model.read(own.picture, view="lateral").vertebrae
        return np.array([vertebra.points for vertebra in found]).reshape(len(found), -1, 2)
    random, height = np.random.default_rng((seed, 3)), film_looks.body_height(own.reading)
    points = np.array([vertebra.points for vertebra in own.reading.vertebrae])
    return points + random.normal(0, 0.05 * height, (len(points), 1, 2)) + random.normal(0, 0.03 * height, points.shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=400)
    parser.add_argument("--seed", type=int, default=83000)
    parser.add_argument("--model")
    options = parser.parse_args()
    model = Predictor.load(options.model) if options.model else None
    count = Counter[tuple[str, str]]()
    for seed in range(options.seed, options.seed + options.films):
        own = film(seed, seed % 2 == 0)
        points = outlines(own, model, seed) if own else np.zeros((0, 6, 2))
        if own is None or not len(points):
            continue
        shares = np.array([hidden(own, body) for body in points])
        marked = crossed(own.picture, points, own.reading.schema)
        kind = own.kind if own.kind == "none" or shares.max() > CROSSED else f"{own.kind} elsewhere"
        over = "some metal" if (shares > 0).any() else "no metal"
        count.update({(kind, "films"): 1, (kind, "films noticed"): int(marked.any())})
        for share, told in zip(shares, marked, strict=True):
            place = "crossed" if share > CROSSED else "grazed" if share > 0 else f"free, {over} in the film"
            count.update({(kind, place): 1, (kind, f"{place}: marked"): int(told)})
    for (kind, what), number in sorted(count.items()):
        print(f"{kind}: {what}: {number}")


if __name__ == "__main__":
    main()
