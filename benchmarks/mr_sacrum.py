"""Teach ``sagittal-mr`` where S1 lies: layers of their own for its endplate, the bodies as they are, to the last bit.

python benchmarks/mr_sacrum.py DATA CASES OUT [--model sagittal-mr] [--phantoms 100] [--steps 700]

No set labels S1. In ``spider_slices`` of DATA the lower side of the disc below the lowest body is its endplate. In
``mr_sagittal`` the lowest labelled body of the groups vb2 and vb3 is L5: where S1 lies is guessed from it (a disc and
its usual wedge below), and such a guess counts less. Phantoms of MR say it exactly. CASES is the case folder of
``mr_set.py``, split; its val part is not trained on. What the bodies' trunk sees is computed once a picture, mirrored
and cut, and the new layers are trained on that. The refining maps of S1 begin as those of a body, whose upper corners
look alike, and stay so. OUT gets ``sagittal-mr.safetensors``, its card and graphs; ``sacral_naming.py`` then makes its
names a probability.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from mr_set import DISC, SPIDER, bodies
from teaching import release
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from spinetk import zoo
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.splitting import make_split
from spinetk.formats.record import reading_of
from spinetk.images import to_uint8
from spinetk.keypoints.centre.crop import body_boxes
from spinetk.keypoints.centre.decoding import OFFSET_UNIT, STRIDE, padded
from spinetk.keypoints.centre.landmarks import as_body
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.centre.preset import CENTRE_MR
from spinetk.keypoints.centre.target import centre_maps, focal_loss
from spinetk.keypoints.naming import ALONG, WEDGE_DEG
from spinetk.keypoints.pictures import network_scale, resize, to_channels, to_grey
from spinetk.keypoints.torch_engine import open_network
from spinetk.landmark import Landmark
from spinetk.phantoms import sagittal_mr
from spinetk.schema import VERTEBRA6

RATE, BATCH, GUESSED = 2e-3, 8, 0.3
SHARES = {"spider": 3.0, "sub": 1.0, "phantom": 0.6}  # how often a picture of each source is drawn


@dataclass
class Shown:
    """What the trunk sees of a picture, (C, h, w) float16, and S1 in it, (6, 2) px of the network's input or None."""

    case: str
    features: np.ndarray
    body: np.ndarray | None
    guessed: bool


def endplate(mask: np.ndarray) -> np.ndarray | None:
    """(2, 2) px, left end first, of S1's endplate in a SPIDER mask; None where no disc lies below the lowest body."""
    labels = bodies(mask)
    centres = sorted(
        (np.argwhere(labels == k).mean(0)[::-1] for k in range(1, labels.max() + 1)), key=lambda own: own[1]
    )
    if len(centres) < 3:
        return None
    discs = cv2.morphologyEx((mask == DISC).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, pieces, stats, places = cv2.connectedComponentsWithStats(discs, connectivity=4)
    usual = np.median(stats[1:count, cv2.CC_STAT_AREA])
    reach = 1.6 * np.linalg.norm(centres[-1] - centres[-2])
    below = [
        k for k in range(1, count)
        if stats[k, cv2.CC_STAT_AREA] > usual / 4 and places[k][1] > centres[-1][1]
        and np.linalg.norm(places[k] - centres[-1]) < reach
    ]  # fmt: skip
    if not below:
        return None
    points = np.argwhere(pieces == max(below, key=lambda k: places[k][1]))[:, ::-1] + 0.5
    middle = points.mean(0)
    across = np.linalg.eigh(np.cov((points - middle).T))[1][:, 1]
    across = across * np.sign(across[0])
    down = np.array([-across[1], across[0]])
    along, deep = (points - middle) @ across, (points - middle) @ down
    ends = np.percentile(along, [1, 99])
    edges = np.linspace(*ends, 25)[2:23]
    rows = [(a, b, (along >= a) & (along < b)) for a, b in itertools.pairwise(edges)]
    lowest = np.array([((a + b) / 2, deep[own].max()) for a, b, own in rows if own.sum() > 1])
    if len(lowest) < 8:
        return None
    line = np.polyfit(*lowest.T, 1)
    return np.array([middle + across * x + down * np.polyval(line, x) for x in ends])


def guess(lowest: np.ndarray) -> np.ndarray:
    """(2, 2) px of the endplate under L5, (6, 2), of a patient whose front is the left of the picture."""
    left, right, right_top, left_top = (
        lowest[VERTEBRA6.index(name)] for name in ("bottom_left", "bottom_right", "top_right", "top_left")
    )
    down = (left - left_top + right - right_top) / 2
    angle = np.radians(-WEDGE_DEG)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    half = turn @ (right - left) / 2
    middle = (left + right) / 2 + ALONG * down
    return np.array([middle - half, middle + half])


def pictures(data: Path, cases: Path, phantoms: int) -> Iterator[tuple[str, np.ndarray, np.ndarray | None, bool]]:
    """(case, picture, endplate, whether it is a guess) of all that is trained on."""
    split = make_split(cases)
    folder = CaseFolder(cases)
    for record in folder.records([*split[0].index, *split[2].index], augmented=False)[0]:
        case, picture, truth = str(record["case"]), to_grey(read_pixels(record)), reading_of(record)
        if case.startswith("spider"):
            mask = cv2.imread(str(data / SPIDER / "masks" / f"{case.split('_', 1)[1]}.png"), cv2.IMREAD_GRAYSCALE)
            plate = endplate(mask)
            if plate is not None:
                yield case, picture, plate * (np.array(picture.shape[::-1]) / mask.shape[::-1]), False
        elif case.startswith(("sub-vb2", "sub-vb3")):
            yield case, picture, guess(truth.vertebrae[-1].points), True
    for number in range(phantoms):
        phantom = sagittal_mr(77 * 1_000_003 + number)
        plates = [own.points for own in phantom.reading.landmarks if own.kind == "s1"]
        yield f"phantom-{number}", to_uint8(phantom.pixels), plates[0] if plates else None, False


def variants(
    picture: np.ndarray, plate: np.ndarray | None, guessed: bool, random: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """The picture, its mirror, and a part of it that shows the endplate where it does."""
    yield picture, plate
    height, width = picture.shape
    mirrored = None if plate is None else ((width, 0) + plate * (-1, 1))[::-1]
    yield np.ascontiguousarray(picture[:, ::-1]), mirrored
    x0, x1 = int(random.uniform(0, 0.15) * width), int(width * (1 - random.uniform(0, 0.15)))
    y0, y1 = int(random.uniform(0.05, 0.4) * height), int(height * (1 - random.uniform(0, 0.06)))
    if plate is not None:
        kept = plate[:, 0].min() > x0 + 5 and plate[:, 0].max() < x1 - 5 and y0 < plate[:, 1].min()
        if guessed or not kept or plate[:, 1].max() > y1 - 25:
            return
    yield np.ascontiguousarray(picture[y0:y1, x0:x1]), None if plate is None else plate - (x0, y0)


@torch.inference_mode()
def seen(network: CentreNet, data: Path, cases: Path, phantoms: int) -> list[Shown]:
    """What the trunk sees of everything that is trained on."""
    random, preset, result, kept = np.random.default_rng(0), network.preset, [], {}
    hook = network.trunk.register_forward_hook(lambda _module, _given, answer: kept.update(own=answer))
    for case, whole, known, guessed in tqdm(pictures(data, cases, phantoms), "trunk"):
        for picture, plate in variants(whole, known, guessed, random):
            scale = network_scale(*picture.shape, preset.short_px[-1], preset.long_px)
            small, factors = resize(picture, scale, preset.layout)
            network.maps(torch.from_numpy(padded(to_channels(small, preset.local_contrast))[None]))
            h, w = (-(-side // STRIDE) for side in small.shape)
            body = None if plate is None else as_body(Landmark("s1", plate), VERTEBRA6)[:, :2] * factors
            result.append(Shown(case, kept["own"][0, :, :h, :w].numpy().astype(np.float16), body, guessed))
    hook.remove()
    return result


def fit(layers: nn.ModuleDict, shown: list[Shown], steps: int) -> None:
    """Train the layers: focal loss of the centre map, L1 of the offsets around it."""
    random = np.random.default_rng(0)
    share = np.array([SHARES[own.case.split("-")[0]] for own in shown])
    optimiser = torch.optim.AdamW(layers.parameters(), lr=RATE, weight_decay=1e-4)
    layers.train()
    bar = tqdm(range(steps), "layers")
    for step in bar:
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 30) * max(0.02, 0.5 * (1 + np.cos(np.pi * step / steps)))
        batch = [shown[k] for k in random.choice(len(shown), BATCH, p=share / share.sum())]
        size = [max(own.features.shape[axis] for own in batch) for axis in (1, 2)]

        def laid(values: Tensor, size: list[int] = size) -> Tensor:
            return F.pad(values, (0, size[1] - values.shape[-1], 0, size[0] - values.shape[-2]))

        x = layers["trunk"](torch.stack([laid(torch.from_numpy(own.features.astype(np.float32))) for own in batch]))
        said, offset = layers["centre"](x)[:, 0], layers["offset"](x)
        wanted, away, count = [], said.sum() * 0, 0.0
        for k, own in enumerate(batch):
            if own.body is None:
                wanted.append(torch.zeros(size))
                continue
            box = torch.from_numpy(body_boxes(own.body[None].astype(np.float32), VERTEBRA6))
            spread = 1.5 if own.guessed else 1.0
            wanted.append(centre_maps(box[:, :2] / STRIDE, box[:, 3] / STRIDE * spread, (size[0], size[1])))
            column, row = (int(v) for v in box[0, :2] / STRIDE)
            weight = GUESSED if own.guessed else 1.0
            for y in range(max(row - 1, 0), min(row + 2, size[0])):
                for x_ in range(max(column - 1, 0), min(column + 2, size[1])):
                    truth = (own.body / STRIDE - (np.array([x_, y]) + 0.5)) / OFFSET_UNIT
                    missed = F.smooth_l1_loss(offset[k, :, y, x_], torch.from_numpy(truth).float().ravel(), beta=0.05)
                    away, count = away + weight * missed, count + 1
        loss = focal_loss(said, torch.stack(wanted)) + 10 * away / max(count, 1)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(layers.parameters(), 5.0)
        optimiser.step()
        bar.set_postfix(loss=f"{float(loss.detach()):.3f}")
    layers.eval()


def with_layers(network: CentreNet) -> CentreNet:
    """The network with layers for S1, untrained; its refining maps are those of a body once more."""
    preset = replace(CENTRE_MR, box_margin=network.preset.box_margin)
    wider = CentreNet(preset, network.schema, network.frozen_norm).eval()
    old = network.state_dict()
    for name in ("refine.head.weight", "refine.head.bias"):
        old[name] = torch.cat([old[name], old[name]])
    left = wider.load_state_dict(old, strict=False)
    if left.unexpected_keys or any(not key.startswith("landmarks.") for key in left.missing_keys):
        sys.exit(f"not a network without landmarks: {left}")
    return wider


def main() -> None:
    """Train, and write the release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("cases", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", default="sagittal-mr")
    parser.add_argument("--phantoms", type=int, default=100)
    parser.add_argument("--steps", type=int, default=700)
    options = parser.parse_args()
    torch.manual_seed(0)
    opened, _ = open_network(zoo.find(options.model))
    network = with_layers(cast("CentreNet", opened))
    fit(
        cast("nn.ModuleDict", network.landmarks),
        seen(network, options.data, options.cases, options.phantoms),
        options.steps,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    release(network, options.out / "sagittal-mr.safetensors", zoo.find(options.model), unmeasured=["s1"])


if __name__ == "__main__":
    main()
