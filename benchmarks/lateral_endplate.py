"""Teach ``xray-lateral`` a refining network of S1's own; all else stays as it is, to the last bit.

python benchmarks/lateral_endplate.py OUT FILMS... [--model xray-lateral] [--steps 4000] [--passes 2] [--keep 0]
                                      [--patches FOLDER] [--resume]

FILMS are case folders of raw phantoms, of which the same films are made as for ``lateral_sacrum.py``. The network
begins as a copy of the one that refines bodies (or goes on from its own, where the model has one) and is trained on
crops that lie where the model, as it is, has its rough points of S1, or about where it might have them. Every twentieth
phantom is looked at, not trained on. --patches keeps what the films show about S1. Every 250 steps OUT gets
``endplate.pt``, from which --resume goes on; at the end ``xray-lateral.safetensors`` with its card and graphs. Its
intervals (``sacral_spread``) are still those of before: fit them anew. S1's rows in the network of bodies stay, unused.
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from lateral_sacrum import looks
from teaching import release, seen_of, teach
from torch import Tensor
from tqdm import tqdm

from spinetk import zoo
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.formats.record import reading_of
from spinetk.keypoints.centre.crop import body_boxes, cut, to_crop
from spinetk.keypoints.centre.decoding import CentreDecoder, padded, sigmoid
from spinetk.keypoints.centre.landmarks import as_body
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.centre.refine import refine_loss
from spinetk.keypoints.pictures import network_scale, resize, to_channels, to_grey
from spinetk.keypoints.torch_engine import open_network
from spinetk.schema import VERTEBRA6

RATE, BATCH, CHECK_EVERY = 1.5e-3, 48, 250
NEAR_WIDTHS = 0.4  # rough points farther from the truth are another thing seen
AROUND = 2.2  # of a patch's half side, in widths of S1: room for every crop about it
OWN_PLACE = 0.35  # of the crops lie where the model has S1
FLIP = list(VERTEBRA6.flip_indices)
KIND = 1  # of S1: bodies, S1, femoral heads
ENDS = [VERTEBRA6.index("top_left"), VERTEBRA6.index("top_right")]


@dataclass
class Patch:
    """What a film shows about S1: (h, w) uint8 at the network's size, (6, 2) px true and rough, or empty, points."""

    grey: Tensor
    truth: Tensor
    rough: Tensor
    looked_at: bool


def patches_of(network: CentreNet, films: Path) -> list[Patch]:
    """The surroundings of S1 in all films that are made of a folder's phantoms."""
    preset, folder, found = network.preset, CaseFolder(films), list[Patch]()
    for record in tqdm(folder.records(folder.cases(), augmented=False)[0], films.name, mininterval=30):
        number = zlib.crc32(f"{films.name} {record['case']}".encode())
        random = np.random.default_rng(number)
        for picture, reading in looks(to_grey(read_pixels(record)), reading_of(record), random):
            plates = [own for own in reading.landmarks if own.kind == "s1"]
            if not plates:
                continue
            scale = network_scale(*picture.shape, preset.short_px[-1], preset.long_px)
            shown, factors = resize(picture, scale, preset.layout)
            truth = as_body(plates[0], VERTEBRA6)[:, :2] * factors
            rough = rough_points(network, shown, truth)
            reach = AROUND * float(np.linalg.norm(truth[ENDS[1]] - truth[ENDS[0]]))
            low = np.maximum(np.floor(truth.mean(0) - reach).astype(int), 0)
            high = np.ceil(truth.mean(0) + reach).astype(int)
            grey = np.ascontiguousarray(shown[low[1] : high[1], low[0] : high[0]])
            points = (torch.from_numpy((own - low).astype(np.float32)) for own in (truth, rough))
            found.append(Patch(torch.from_numpy(grey), *points, number % 20 == 0))
    return found


@torch.inference_mode()
def rough_points(network: CentreNet, shown: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(6, 2) px where the maps have S1, if they have it; (0, 2) else."""
    batch = torch.from_numpy(padded(to_channels(shown, network.preset.local_contrast))[None])
    centre, offset = (own[0].numpy() for own in network.maps(batch))
    _, points = network.decoder().peaks(sigmoid(centre[KIND]), offset[KIND])
    wide = float(np.linalg.norm(truth[ENDS[1]] - truth[ENDS[0]]))
    near = [own for own in points[:2] if np.linalg.norm(own.mean(0) - truth.mean(0)) < NEAR_WIDTHS * wide]
    return near[0] if near else np.zeros((0, 2))


def crop_of(patch: Patch, preset: CentrePreset, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A crop (1, S, S) about where the model has S1, or might have it, and the true points (6, 2) in it, 0 to 1."""
    truth = patch.truth.numpy()
    own_place = len(patch.rough) and random.random() < OWN_PLACE
    box = body_boxes((patch.rough.numpy() if own_place else truth)[None], VERTEBRA6)
    noise, much = random.normal(size=5), 0.3 if own_place else random.choice([0.5, 1.0, 2.0])
    box[0, :2] += much * noise[:2] * box[0, 2:4] * (0.05, 0.07)
    box[0, 2:4] *= np.exp(much * 0.1 * noise[2:4])
    box[0, 4] += much * np.radians(6.0) * noise[4]
    picture = worn(grey_of(patch), random)
    return cut(picture, box, preset.crop_share, preset.crop_px)[0], to_crop(truth[None], box, preset.crop_share)[0]


def worn(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Another exposure, softer or noisier."""
    if random.random() < 0.5:
        picture = picture ** np.float32(np.exp(random.normal(0, 0.35)))
    if random.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 2.0))
    if random.random() < 0.4:
        spread = random.uniform(0, 0.25) * float(picture.std())
        picture = picture + random.normal(0, 1, picture.shape).astype(np.float32) * np.float32(spread)
    return picture


def refined(decoder: CentreDecoder, patch: Patch, passes: int) -> np.ndarray:
    """(1, 6, 2) px: rough points as a release refines them."""
    return decoder.look(grey_of(patch)[None], patch.rough.numpy()[None], None, passes, KIND)["points"]


def grey_of(patch: Patch) -> np.ndarray:
    """(h, w) in 0 to 1."""
    return patch.grey.numpy().astype(np.float32) / 255


@torch.inference_mode()
def look(network: CentreNet, patches: list[Patch], passes: int) -> str:
    """How far off slopes and middles are where the model has S1, read as a release reads it."""
    assert network.endplate is not None
    network.endplate.eval()
    decoder = network.decoder()
    points = np.concatenate([refined(decoder, own, passes) for own in patches])
    truth = np.array([own.truth.numpy() for own in patches])
    a, b = (own[:, ENDS[1]] - own[:, ENDS[0]] for own in (points, truth))
    off = np.degrees(np.arctan2(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (a * b).sum(1)))
    moved = np.linalg.norm((points[:, ENDS] - truth[:, ENDS]).mean(1), axis=1) / np.linalg.norm(b, axis=1)
    size = np.abs(off)
    return (
        f"slope off {np.median(size):.2f} degrees, p90 {np.percentile(size, 90):.2f}, bias {np.median(off):+.2f}, over "
        f"10 in {(size > 10).sum()}; middle {100 * np.median(moved):.2f} % of the width"
    )


def fit(network: CentreNet, patches: list[Patch], steps: int, passes: int, path: Path, resume: bool) -> None:
    """Train; every ``CHECK_EVERY`` steps the weights are kept and looked at."""
    refine = network.endplate
    assert refine is not None
    own, other = ([one for one in patches if one.looked_at == flag] for flag in (False, True))
    other = [one for one in other if len(one.rough)]
    print(f"{len(own)} films, {len(other)} looked at")

    def loss_of(random: np.random.Generator) -> Tensor:
        chosen = [crop_of(own[k], network.preset, random) for k in random.choice(len(own), BATCH)]
        crops, points = (torch.from_numpy(np.array(values, np.float32)) for values in zip(*chosen, strict=True))
        if random.random() < 0.5:
            crops, points = crops.flip(-1), points[:, FLIP] * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0])
        refine.train()
        with torch.autocast("cpu", torch.bfloat16):
            logits = refine(crops.contiguous(memory_format=torch.channels_last))
        seen = torch.ones(points.shape[:2], dtype=torch.bool)
        return refine_loss(logits.float(), points * logits.shape[-1], seen)

    told = partial(look, network, other, passes)
    teach(refine, loss_of, told, path, steps=steps, rate=RATE, seed=2, every=CHECK_EVERY, resume=resume)


def mixed(network: CentreNet, keep: float) -> None:
    """Move S1's own network toward the one that refines bodies, of which it began as a copy, by a share.

    Between what drawn films teach and what was there before lies what does better on other films than either
    (weight-space ensembles, Wortsman et al., CVPR 2022).
    """
    assert network.endplate is not None
    before = of_bodies(network)
    state = network.endplate.state_dict()
    for name, own in state.items():
        if own.is_floating_point():
            own.copy_((1 - keep) * own + keep * before[name])


def of_bodies(network: CentreNet) -> dict[str, Tensor]:
    """The weights of the network that refines bodies, with its maps of S1 alone."""
    rows = slice(KIND * len(VERTEBRA6), (KIND + 1) * len(VERTEBRA6))
    state = network.refine.state_dict()
    return {name: (own[rows] if name.startswith("head") else own).clone() for name, own in state.items()}


def with_endplate(network: CentreNet, passes: int) -> CentreNet:
    """The network with a refining network of S1's own, which begins as what it is refined by."""
    preset = replace(network.preset, endplate_refine=True, endplate_passes=passes)
    wider = CentreNet(preset, network.schema, network.frozen_norm)
    state = network.state_dict()
    if network.endplate is None:
        state |= {f"endplate.{name}": values for name, values in of_bodies(network).items()}
    wider.load_state_dict(state)
    return wider.eval()


def main() -> None:
    """Train, and write the release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("films", type=Path, nargs="+")
    parser.add_argument("--model", default="xray-lateral")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--patches", type=Path, help="a folder to keep what the films show about S1 in")
    parser.add_argument("--only-see", action="store_true", help="cut --patches, and stop")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--keep", type=float, default=0.0, help="share of the network of bodies in the release's")
    parser.add_argument("--passes", type=int, default=2, help="how often S1 is refined")
    options = parser.parse_args()
    torch.manual_seed(0)
    source = zoo.find(options.model)
    network = cast("CentreNet", open_network(source)[0]).eval()
    patches = seen_of(options.films, partial(patches_of, network), Patch, options.patches)
    if options.only_see:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    network = with_endplate(network, options.passes)
    fit(network, patches, options.steps, options.passes, options.out / "endplate.pt", options.resume)
    mixed(network, options.keep)
    release(network, options.out / "xray-lateral.safetensors", source)


if __name__ == "__main__":
    main()
