"""Teach ``xray-lateral`` to tell by its surroundings whether a body is L5; all else stays as it is, to the last bit.

python benchmarks/lateral_lumbosacral.py OUT FILMS... [--model xray-lateral] [--steps 6000] [--cuts FOLDER] [--resume]

FILMS are case folders of raw phantoms, of which the same films are made as for ``lateral_sacrum.py``. Cuts lie about
the true points, moved as a network misses them; S1 is shown as if it were a body. Every twentieth phantom is looked
at, not trained on. --cuts keeps what was cut out of the films. Every 500 steps OUT gets ``lumbosacral.pt``, from which
--resume goes on; at the end ``xray-lateral.safetensors`` with its card and graphs. Its card's weights of names
(``naming``) are still those of before: fit them anew.
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from lateral_sacrum import looks
from teaching import release, seen_of, teach
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from spinetk import zoo
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.formats.record import reading_of
from spinetk.keypoints.centre.landmarks import as_body
from spinetk.keypoints.centre.lumbosacral import LumbosacralNet
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.centre.surroundings import L5, LEVELS, SIDE_PX, places, standardized, surroundings
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.torch_engine import open_network
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

RATE, EACH, CHECK_EVERY = 2e-3, 16, 500  # so many cuts of each level a step
CUTS = 2  # of each body of a film
OTHERS = 0.35  # share of the bodies above L2, of which there are many, that are cut out
SMOOTH = 0.02  # of the labels


@dataclass
class Cuts:
    """What lies about the bodies of some films: (N, 2, S, S) uint8, (N,) index of the level, (N,) looked at."""

    seen: Tensor
    levels: Tensor
    looked_at: Tensor


def bodies_of(reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    """(N, 6, 2) px of the bodies of a film, S1 among them, and (N,) index of their levels."""
    points = [vertebra.points for vertebra in reading.vertebrae]
    names = [vertebra.label for vertebra in reading.vertebrae]
    for own in reading.landmarks:
        if own.kind == "s1":
            points.append(as_body(own, VERTEBRA6)[:, :2])
            names.append("S1")
    return np.array(points), np.array([LEVELS.index(name) if name in LEVELS else len(LEVELS) - 1 for name in names])


def moved(where: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Places as far off as points that a network finds may put them."""
    noise = random.normal(size=where.shape)
    where = where.copy()
    where[:, :2] += noise[:, :2] * where[:, 2:3] * (0.035, 0.045)
    where[:, 2] *= np.exp(0.07 * noise[:, 2])
    where[:, 3] += np.radians(6.0) * noise[:, 3]
    return where


def cuts_of(films: Path) -> list[Cuts]:
    """What lies about the bodies in all films that are made of a folder's phantoms."""
    folder, cuts, levels, looked_at = CaseFolder(films), list[np.ndarray](), list[np.ndarray](), list[bool]()
    for record in tqdm(folder.records(folder.cases(), augmented=False)[0], films.name, mininterval=30):
        number = zlib.crc32(f"{films.name} {record['case']}".encode())
        random = np.random.default_rng(number)
        for picture, reading in looks(to_grey(read_pixels(record)), reading_of(record), random):
            if not reading.vertebrae:
                continue
            points, own = bodies_of(reading)
            for _ in range(CUTS):
                kept = (own < len(LEVELS) - 1) | (random.random(len(own)) < OTHERS)
                seen = surroundings(picture, moved(places(points[kept], VERTEBRA6), random))
                cuts.append(np.rint(255 * seen).astype(np.uint8))
                levels.append(own[kept])
                looked_at += [number % 20 == 0] * int(kept.sum())
    told = (torch.from_numpy(np.concatenate(own)) for own in (cuts, levels))
    return [Cuts(*told, torch.tensor(looked_at))]


def worn(cuts: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(N, 2, S, S) float32 in other exposures, softer, noisier, mirrored, now and then cut off at a side."""
    cuts = cuts.astype(np.float32) / 255
    grey, inside = cuts[:, 0], cuts[:, 1]
    grey **= np.exp(random.normal(0, 0.35, (len(cuts), 1, 1))).astype(np.float32)
    for own, seen in zip(grey, inside, strict=True):
        if random.random() < 0.4:
            own[:] = cv2.GaussianBlur(own, (0, 0), random.uniform(0.4, 1.2), borderType=cv2.BORDER_REPLICATE)
        if random.random() < 0.5:
            own += random.uniform(0, 0.08) * random.normal(0, 1, own.shape).astype(np.float32)
        if random.random() < 0.25:
            rest = int(random.integers(SIDE_PX // 2, SIDE_PX))
            side = random.choice(["below", "below", "left", "right"])
            if side == "below":
                seen[rest:] = 0
            elif side == "left":
                seen[:, : (SIDE_PX - rest) // 2] = 0
            else:
                seen[:, -(SIDE_PX - rest) // 2 :] = 0
        if random.random() < 0.5:
            own[:], seen[:] = own[:, ::-1].copy(), seen[:, ::-1].copy()
    cuts[:, 0] = grey.clip(0, 1) * inside
    return cuts


@torch.inference_mode()
def look(network: LumbosacralNet, cuts: Tensor, levels: Tensor) -> str:
    """How many levels are told right, and how often L5 is where it is, and where it is not."""
    network.eval()
    said = torch.cat([network(torch.from_numpy(standardized(own.numpy().astype(np.float32) / 255)))
                      for own in cuts.split(256)]).argmax(1)  # fmt: skip
    lowest, told = levels == L5, said == L5
    share = 100 * float((said == levels).float().mean())
    return (
        f"{share:.1f} % of {len(levels)} levels right; L5 told in {100 * float(told[lowest].float().mean()):.1f} % of "
        f"L5, in {100 * float(told[~lowest].float().mean()):.1f} % of the others"
    )


def fit(network: LumbosacralNet, cuts: Cuts, steps: int, path: Path, resume: bool) -> None:
    """Train; every ``CHECK_EVERY`` steps the weights are kept and looked at."""
    by_level = [torch.nonzero((cuts.levels == k) & ~cuts.looked_at)[:, 0].numpy() for k in range(len(LEVELS))]

    def loss_of(random: np.random.Generator) -> Tensor:
        chosen = np.concatenate([random.choice(own, EACH) for own in by_level])
        given = torch.from_numpy(standardized(worn(cuts.seen[chosen].numpy(), random)))
        network.train()
        return F.cross_entropy(network(given), cuts.levels[chosen], label_smoothing=SMOOTH)

    told = partial(look, network, cuts.seen[cuts.looked_at], cuts.levels[cuts.looked_at])
    teach(network, loss_of, told, path, steps=steps, rate=RATE, seed=3, every=CHECK_EVERY, resume=resume)


def with_lumbosacral(network: CentreNet) -> CentreNet:
    """The network with one more of its own, at random where it had none."""
    wider = CentreNet(replace(network.preset, lumbosacral_look=True), network.schema, network.frozen_norm)
    wider.load_state_dict(wider.state_dict() | network.state_dict())
    return wider.eval()


def main() -> None:
    """Train, and write the release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("films", type=Path, nargs="+")
    parser.add_argument("--model", default="xray-lateral")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--cuts", type=Path, help="a folder to keep what is cut out of the films in")
    parser.add_argument("--only-cut", action="store_true", help="fill --cuts, and stop")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    source = zoo.find(options.model)
    found = seen_of(options.films, cuts_of, Cuts, options.cuts)
    if options.only_cut:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    network = with_lumbosacral(cast("CentreNet", open_network(source)[0]))
    assert network.lumbosacral is not None
    cuts = Cuts(*(torch.cat([getattr(own, field.name) for own in found]) for field in fields(Cuts)))
    fit(network.lumbosacral, cuts, options.steps, options.out / "lumbosacral.pt", options.resume)
    release(network, options.out / "xray-lateral.safetensors", source)


if __name__ == "__main__":
    main()
