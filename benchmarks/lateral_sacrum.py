"""Teach ``xray-lateral`` S1 and femoral heads by layers of their own; the bodies stay as they are, to the last bit.

python benchmarks/lateral_sacrum.py OUT FILMS... [--model xray-lateral] [--steps 2400] [--features FOLDER] [--resume]
                                   [--places-only] [--passes 1]

FILMS are case folders of raw phantoms (``lateral_set.py none FILMS --slices 0 --copies 0 --cut 0 --stored 0``); of each
film the script makes several: as it is, as a teaching file has it, with a sacrum hardly seen, partly hidden, or close
above the lower edge; half of all are mirrored. What the bodies' trunk sees of them is computed once and kept in
--features. The layers of a model without them begin as what it reads landmarks with (each convolution hands on what it
is given), so that training starts from its figures; those of one that has them are trained on; with --places-only it is
where the points lie that is trained, and what is seen as S1, and how surely, stays. The refining network stays;
--passes says how often it looks at S1. Every twentieth film is looked at, not trained on. Every 200 steps OUT gets
``layers.pt``, from which --resume goes on; at the end ``xray-lateral.safetensors`` with its card and graphs. Its card's
probabilities and intervals (``landmarks``, ``naming``, ``fronts``, ``sacral_spread``) are still those of before: fit
them anew.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from film_looks import body_height, faint_sacrum, flat, over_pelvis, small, stored, strip
from lateral_set import cut_top
from teaching import release, seen_of, teach
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from spinetk import zoo
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.formats.record import reading_of
from spinetk.keypoints.centre.crop import body_boxes
from spinetk.keypoints.centre.decoding import OFFSET_UNIT, STRIDE, padded
from spinetk.keypoints.centre.landmarks import as_body
from spinetk.keypoints.centre.network import CLOSE, CentreNet
from spinetk.keypoints.centre.target import centre_maps, focal_loss
from spinetk.keypoints.pictures import network_scale, resize, to_channels, to_grey
from spinetk.keypoints.torch_engine import open_network
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

RATE, BATCH, WINDOW, CHECK_EVERY = 1.5e-3, 8, 48, 200
NOISE = 0.1  # of the usual start of a convolution, beside handing on: else its channels would learn in step
KINDS = ("s1", "femoral_head")
Film = tuple[np.ndarray, Reading]


@dataclass
class Shown:
    """What the trunk sees of a picture, (C, h, w) half, and its landmarks: (M, 6, 2) px of the input, (M,) of KINDS."""

    features: Tensor
    points: Tensor
    kinds: Tensor
    looked_at: bool


def hidden_sacrum(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> Film:
    """Iliac wings, gas or metal over part of the endplate of S1, and now and then the film's edge close below it."""
    picture = over_pelvis(picture, reading, random)
    plates = [own.points for own in reading.landmarks if own.kind == "s1"]
    if not plates or not reading.vertebrae:
        return picture, reading
    size, (left, right) = body_height(reading), plates[0]
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    grey, level = picture.astype(np.float32), np.percentile(picture, (3, 99.5))
    for _ in range(int(random.integers(1, 4))):
        middle = left + (right - left) * random.uniform(-0.2, 1.2) + random.normal(0, 0.25 * size, 2)
        turn, (wide, tall) = random.uniform(0, np.pi), size * random.uniform((0.2, 0.1), (1.1, 0.5))
        along = (x - middle[0]) * np.cos(turn) + (y - middle[1]) * np.sin(turn)
        across = (y - middle[1]) * np.cos(turn) - (x - middle[0]) * np.sin(turn)
        away = np.clip((np.hypot(along / wide, across / tall) - 1) / random.uniform(0.05, 0.5), -30, 30)
        veil = random.uniform(0.2, 0.95) / (1 + np.exp(away))
        grey += veil * (level[int(random.random() < 0.5)] - grey)
    picture = grey.clip(0, 255).astype(np.uint8)
    row = int(max(left[1], right[1]) + size * random.uniform(0.12, 1.5))
    if random.random() < 0.5 and row < reading.height:
        picture, reading = picture[:row].copy(), reading.cropped(0, 0, reading.width, row)
    return picture, reading


def looks(picture: np.ndarray, reading: Reading, random: np.random.Generator) -> Iterator[Film]:
    """The films that are made of a phantom."""
    yield cut_top(picture, reading, random) if random.random() < 0.5 else (picture, reading)
    yield stored(*cut_top(picture, reading, random), random)
    if not reading.vertebrae:
        return
    film = faint_sacrum(picture, reading, random)
    yield stored(*film, random) if random.random() < 0.7 else film
    picture, reading = hidden_sacrum(*cut_top(picture, reading, random), random)
    if random.random() < 0.6:
        picture, reading = strip(picture, reading, random)
    if random.random() < 0.7:
        picture, reading = small(flat(picture, reading, random), reading, random)
    if random.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), body_height(reading) * random.uniform(0.01, 0.05))
    yield picture, reading


@torch.inference_mode()
def seen(network: CentreNet, films: Path) -> list[Shown]:
    """What the trunk sees of all films that are made of a folder's phantoms."""
    preset, result, kept = network.preset, list[Shown](), dict[str, Tensor]()
    hook = network.trunk.register_forward_hook(lambda _module, _given, answer: kept.update(own=answer))
    folder = CaseFolder(films)
    for record in tqdm(folder.records(folder.cases(), augmented=False)[0], films.name, mininterval=30):
        number = zlib.crc32(f"{films.name} {record['case']}".encode())
        random = np.random.default_rng(number)
        for picture, reading in looks(to_grey(read_pixels(record)), reading_of(record), random):
            if random.random() < 0.5:
                picture, reading = np.ascontiguousarray(picture[:, ::-1]), reading.flipped()
            scale = network_scale(*picture.shape, preset.short_px[-1], preset.long_px)
            shown, factors = resize(picture, scale, preset.layout)
            network.maps(torch.from_numpy(padded(to_channels(shown, preset.local_contrast))[None]))
            h, w = (-(-side // STRIDE) for side in shown.shape)
            points = np.array([as_body(own, VERTEBRA6)[:, :2] * factors for own in reading.landmarks])
            kinds = torch.tensor([KINDS.index(own.kind) for own in reading.landmarks], dtype=torch.long)
            features = kept["own"][0, :, :h, :w].half().clone()
            result.append(Shown(features, torch.from_numpy(points.reshape(-1, 6, 2)), kinds, number % 20 == 0))
    hook.remove()
    return result


def window(own: Shown, random: np.random.Generator) -> tuple[Tensor, np.ndarray]:
    """A part of the features, mostly one with a landmark in it, and its landmarks' points in px of it."""
    size, points = own.features.shape[1:], own.points.numpy()
    if len(points) and random.random() < 0.8:
        middle = points[random.integers(len(points))].mean(0)[::-1] / STRIDE
    else:
        middle = random.uniform(0, size)
    wanted = middle - WINDOW * random.uniform(0.25, 0.75, 2)
    y, x = (int(np.clip(start, 0, max(side - WINDOW, 0))) for start, side in zip(wanted, size, strict=True))
    return own.features[:, y : y + WINDOW, x : x + WINDOW].float(), points - np.array([x, y]) * STRIDE


def loss_of(layers: nn.ModuleDict, batch: list[tuple[Tensor, np.ndarray, np.ndarray]]) -> Tensor:
    """Focal loss of the centre maps, smooth L1 of the offsets around the centres: (features, points, kinds) each."""
    size = [max(own[0].shape[axis] for own in batch) for axis in (1, 2)]
    laid = [F.pad(own[0], (0, size[1] - own[0].shape[2], 0, size[0] - own[0].shape[1])) for own in batch]
    x = layers["trunk"](torch.stack(laid))
    said, offset = layers["centre"](x), layers["offset"](x).unflatten(1, (len(KINDS), 6, 2))
    wanted, truths, places = [], [], []
    for k, (_, points, kinds) in enumerate(batch):
        boxes = body_boxes(points.astype(np.float32), VERTEBRA6)
        tensor = torch.from_numpy(boxes)
        for kind, name in enumerate(KINDS):
            own = tensor[torch.from_numpy(kinds == kind)]
            sharp = CLOSE.get(name, 1.0)
            wanted.append(centre_maps(own[:, :2] / STRIDE, own[:, 3] / STRIDE * sharp, (size[0], size[1])))
        for body, kind, box in zip(points, kinds, boxes, strict=True):
            column, row = np.floor(box[:2] / STRIDE).astype(int)
            for dy, dx in np.ndindex(3, 3):
                cell = np.array([column + dx - 1, row + dy - 1])
                if (cell >= 0).all() and cell[0] < size[1] and cell[1] < size[0]:
                    places.append((k, kind, cell[1], cell[0]))
                    truths.append((body / STRIDE - (cell + 0.5)) / OFFSET_UNIT)
    target = torch.stack(wanted).unflatten(0, (len(batch), len(KINDS)))
    loss = sum((focal_loss(said[:, kind], target[:, kind]) for kind in range(len(KINDS))), torch.zeros(()))
    if places:
        at = torch.tensor(np.array(places)).unbind(1)
        missed = F.smooth_l1_loss(
            offset.permute(0, 1, 4, 5, 2, 3)[at], torch.tensor(np.array(truths)).float(), beta=0.05
        )
        loss = loss + 10 * missed
    return loss


@torch.inference_mode()
def look(layers: nn.ModuleDict, shown: list[Shown]) -> str:
    """How often the best peak is S1, how far off its slope is, and how many heads are among the two best."""
    hits, slopes, best, heads = 0, list[float](), list[float](), [0, 0]
    for own in shown:
        x = layers["trunk"](own.features[None].float())
        said, offset = layers["centre"](x)[0].sigmoid(), layers["offset"](x).unflatten(1, (2, 6, 2))[0]
        top = F.max_pool2d(said[None], 3, 1, 1)[0]
        for kind, most in enumerate((1, 2)):
            flat_map = (said[kind] * (said[kind] == top[kind])).flatten()
            cells = [divmod(int(k), said.shape[2]) for k in flat_map.topk(most).indices]
            found = [((offset[kind, :, :, r, c].numpy() * OFFSET_UNIT) + (c + 0.5, r + 0.5)) * STRIDE for r, c in cells]
            for true in own.points[own.kinds == kind].numpy():
                away = [np.linalg.norm(body.mean(0) - true.mean(0)) for body in found]
                wide = float(np.linalg.norm(true[VERTEBRA6.index("top_right")] - true[VERTEBRA6.index("top_left")]))
                near = min(away) < 0.25 * wide
                if kind:
                    heads[0] += near
                    heads[1] += 1
                    continue
                hits += near
                best.append(float(flat_map.max()))
                if near:
                    ends = [VERTEBRA6.index("top_left"), VERTEBRA6.index("top_right")]
                    a, b = (np.subtract(*body[ends[::-1]]) for body in (found[0], true))
                    slopes.append(abs(np.degrees(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b))))
    return (
        f"S1 {hits} of {len(best)} (mean score {np.mean(best):.2f}), slope {np.median(slopes):.2f} degrees off, "
        f"p90 {np.percentile(slopes, 90):.2f}; heads {heads[0]} of {heads[1]}"
    )


def fit(layers: nn.ModuleDict, shown: list[Shown], steps: int, path: Path, resume: bool, places_only: bool) -> None:
    """Train the layers, or the places alone; every ``CHECK_EVERY`` steps they are kept and looked at."""
    own, other = ([one for one in shown if one.looked_at == flag] for flag in (False, True))
    for name, layer in layers.items():
        layer.requires_grad_(name == "offset" or not places_only)
    print(f"{len(own)} films, {len(other)} looked at")

    def loss(random: np.random.Generator) -> Tensor:
        chosen = [own[k] for k in random.choice(len(own), BATCH)]
        return loss_of(layers, [(*window(one, random), one.kinds.numpy()) for one in chosen])

    told = partial(look, layers, other)
    teach(layers, loss, told, path, steps=steps, rate=RATE, seed=1, every=CHECK_EVERY, resume=resume)


def with_layers(network: CentreNet) -> CentreNet:
    """The network with layers for its landmarks that at first hand on what they are given: it reads as before.

    One that has such layers stays as it is, and is trained on.
    """
    if network.landmarks is not None:
        return network
    preset = replace(network.preset, landmark_channels=network.preset.channels)
    wider = CentreNet(preset, network.schema, network.frozen_norm).eval()
    assert wider.landmarks is not None
    old = network.state_dict()
    each = 2 * len(network.schema)
    for name, rows in (("centre", 1), ("offset", each)):
        for key in ("weight", "bias"):
            whole = old[f"{name}.{key}"]
            old[f"{name}.{key}"], old[f"landmarks.{name}.{key}"] = whole[:rows].clone(), whole[rows:].clone()
    for module in cast("nn.ModuleDict", wider.landmarks)["trunk"].modules():
        if isinstance(module, nn.Conv2d):
            with torch.no_grad():
                given = module.weight * NOISE
                nn.init.dirac_(module.weight)
                module.weight += given
    left = wider.load_state_dict(old, strict=False)
    assert not left.unexpected_keys, left
    assert all(key.startswith("landmarks.trunk") for key in left.missing_keys), left
    return wider


def main() -> None:
    """Train, and write the release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("films", type=Path, nargs="+")
    parser.add_argument("--model", default="xray-lateral")
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--features", type=Path, help="a folder to keep what the trunk sees in")
    parser.add_argument("--only-see", action="store_true", help="compute --features, and stop")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--passes", type=int, default=2, help="how often the refining network looks at S1")
    parser.add_argument("--places-only", action="store_true", help="train where points lie, not what is seen as S1")
    options = parser.parse_args()
    torch.manual_seed(0)
    source = zoo.find(options.model)
    network = cast("CentreNet", open_network(source)[0]).eval()
    shown = seen_of(options.films, partial(seen, network), Shown, options.features)
    if options.only_see:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    wider = with_layers(network)
    layers = cast("nn.ModuleDict", wider.landmarks)
    fit(layers, shown, options.steps, options.out / "layers.pt", options.resume, options.places_only)
    wider.preset = replace(wider.preset, endplate_passes=options.passes)
    release(wider, options.out / "xray-lateral.safetensors", source)


if __name__ == "__main__":
    main()
