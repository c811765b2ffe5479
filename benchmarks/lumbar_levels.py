"""Teach ``xray-lateral`` which of the lowest bodies one is (`LumbarNet`); all else stays as it is, to the last bit.

python benchmarks/lumbar_levels.py OUT FILMS... [--model xray-lateral] [--steps 3000] [--looks FOLDER] [--resume]

FILMS are case folders of raw phantoms, as of ``lateral_sacrum.py``, of which the same films are made; they are kept in
--looks, with a body 20 px wide. A step shows the network a body of each of 48 of them, its box as wrong as a
detector's, mirrored or not, darker, blurred, grainy, unevenly lit or partly covered; the film stretched along or
across, the sacrum longer or shorter, often little of it shown: how far below a body the pelvis lies must not tell
alone, as no phantom has the proportions of all people. Beside its answer, layers that are not released ask for the ends
of the S1 endplate, so that it learns where to look. Every twentieth phantom is looked at, not trained on. Every 200
steps OUT gets ``lumbar.pt``, from which --resume goes on; at the end ``xray-lateral.safetensors`` with its card and
graphs. The card's ``naming`` is still that of before: fit it anew (``sacral_naming.py``).
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from lateral_sacrum import looks
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from spinetk import zoo
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.formats.record import reading_of
from spinetk.keypoints.centre.crop import body_boxes
from spinetk.keypoints.centre.export import parts, write_graphs
from spinetk.keypoints.centre.lumbar import LumbarNet
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.centre.surroundings import COLUMNS, LEFT, PX, ROWS, TOP, around, balanced, size_of
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.sacrum import SPINE
from spinetk.keypoints.torch_engine import open_network
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

RATE, BATCH, CHECK_EVERY, DECAY, SMOOTHING = 2e-3, 48, 200, 1e-2, 0.02
KEPT_PX = 20.0  # width of a body in the films that are kept
SHARES = (0.32, 0.28, 0.3, 0.1)  # of the bodies shown: L5, L4, a higher one, S1
S1_HEIGHT = 0.75  # in widths of its endplate: were it taken for a body
FARTHEST = 6.0  # sizes: an endplate beyond is not asked for
BELOW = 0.3  # sizes below the centre of a body, from where on the film may be longer or shorter


@dataclass
class Look:
    """A film, (H, W) uint8; its bodies' boxes, (N, 5) px, and answers, (N,); S1's endplate, (2, 2) px or NaN."""

    film: Tensor
    boxes: Tensor
    answers: Tensor
    plate: Tensor
    looked_at: bool


def s1_as_body(plate: np.ndarray) -> np.ndarray:
    """(5,) box of S1 below its endplate, (2, 2) px."""
    right = plate[1] - plate[0]
    width = float(np.linalg.norm(right))
    down = np.array([-right[1], right[0]]) / width
    centre = plate.mean(0) + down * width * S1_HEIGHT / 2
    return np.array([*centre, width, width * S1_HEIGHT, np.arctan2(right[1], right[0])])


def look_of(film: np.ndarray, reading: Reading, looked_at: bool) -> Look | None:
    """What is kept of a film; None where no body in it bears a lumbar or thoracic name."""
    named = [own for own in reading.vertebrae if own.label in SPINE]
    if not named:
        return None
    boxes = body_boxes(np.array([own.points for own in named]), VERTEBRA6)
    answers = [min(len(SPINE) - 1 - SPINE.index(str(own.label)), 2) for own in named]
    plates = [own.points for own in reading.landmarks if own.kind == "s1"]
    if plates:
        boxes, answers = np.concatenate([boxes, s1_as_body(plates[0])[None]]), [*answers, 3]
    plate = plates[0] if plates else np.full((2, 2), np.nan)
    factor = KEPT_PX / float(np.median(boxes[:, 2]))
    if factor < 1:
        size = tuple(max(1, round(side * factor)) for side in film.shape[::-1])
        film, factor = cv2.resize(film, size, interpolation=cv2.INTER_AREA), size[1] / film.shape[0]
    else:
        factor = 1.0
    boxes[:, :4] *= factor
    return Look(
        torch.from_numpy(film), torch.from_numpy(boxes).float(), torch.tensor(answers),
        torch.from_numpy(plate * factor).float(), looked_at,
    )  # fmt: skip


def looks_of(folder: CaseFolder) -> list[Look]:
    """All films that are made of a folder's phantoms."""
    result = []
    records = folder.records(folder.cases(), augmented=False)[0]
    for record in tqdm(records, folder.base.name, mininterval=30):
        number = zlib.crc32(f"{folder.base.name} {record['case']}".encode())
        random = np.random.default_rng(number)
        for film, reading in looks(to_grey(read_pixels(record)), reading_of(record), random):
            own = look_of(film, reading, number % 20 == 0)
            result += [] if own is None else [own]
    return result


def disturbed(box: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A box as wrong as a detector's."""
    box = box.copy()
    box[:2] += random.normal(0, 0.08, 2) * box[2]
    box[2] *= np.exp(random.normal(0, 0.07))
    box[4] += random.normal(0, 0.06)
    return box


def spoilt(grey: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Other exposure, blur, grain, uneven light, something laid over it."""
    if random.random() < 0.5:
        grey = 255 * (grey / 255).clip(0, 1) ** np.exp(random.normal(0, 0.35))
    if random.random() < 0.3:
        grey = cv2.GaussianBlur(grey, (0, 0), random.uniform(0.3, 1.6))
    if random.random() < 0.5:
        grey = grey + random.normal(0, random.uniform(0, 10), grey.shape)
    if random.random() < 0.4:
        light = cv2.resize(random.normal(0, 1, (3, 3)), (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC)
        grey = grey * (1 + 0.25 * light)
    if random.random() < 0.3:
        for _ in range(int(random.integers(1, 3))):
            (tall, wide), values = random.integers(5, 25, 2), (grey.min(), grey.mean(), grey.max())
            row, column = random.integers(0, ROWS - tall), random.integers(0, COLUMNS - wide)
            grey[row : row + tall, column : column + wide] = random.choice(values)
    return grey.astype(np.float32)


def windowed(inside: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Where something is to be seen, of half of the films no more than a window around the body."""
    if random.random() < 0.5:
        return inside
    left, right = (int((own - LEFT) * PX) for own in (random.uniform(LEFT, -0.8), random.uniform(0.8, -LEFT)))
    top, bottom = (int((own - TOP) * PX) for own in (random.uniform(TOP, -0.6), random.uniform(1.0, 5)))
    window = np.zeros_like(inside)
    window[max(0, top) : bottom, max(0, left) : right] = True
    return inside & window


def stretched(
    grey: np.ndarray, inside: np.ndarray, plate: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What lies around a body, and S1's endplate (2, 2) there, stretched along and across, and once more below it."""
    (wide, tall), more = np.exp(random.normal(0, 0.06, 2)), float(np.exp(random.normal(0, 0.15)))
    x, y = (np.arange(COLUMNS) + 0.5) / PX + LEFT, (np.arange(ROWS) + 0.5) / PX + TOP
    y = np.where(y > BELOW, BELOW + (y - BELOW) / more, y)
    columns, rows = np.meshgrid((x / wide - LEFT) * PX - 0.5, (y / tall - TOP) * PX - 0.5)
    where = columns.astype(np.float32), rows.astype(np.float32)
    plate = plate * (wide, tall)
    plate[:, 1] = np.where(plate[:, 1] > BELOW, BELOW + (plate[:, 1] - BELOW) * more, plate[:, 1])
    shown = cv2.remap(inside.astype(np.uint8), *where, cv2.INTER_NEAREST) > 0
    return cv2.remap(grey, *where, cv2.INTER_LINEAR), shown, plate


def place_of(plate: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(2, 2) ends of an endplate in sizes of a box from its centre, along and across its axes."""
    cos, sin = np.cos(box[4]), np.sin(box[4])
    return (plate - box[:2]) @ np.array([[cos, -sin], [sin, cos]]) / size_of(box)


def shown(look: Look, k: int, random: np.random.Generator | None = None) -> tuple[np.ndarray, np.ndarray]:
    """What the network is shown of a body, and where S1's endplate lies there; disturbed where ``random`` is given."""
    box = look.boxes[k].numpy().astype(np.float64)
    if random is None:
        return balanced(*around(look.film.numpy(), box)), place_of(look.plate.numpy(), box)
    box = disturbed(box, random)
    grey, inside = around(look.film.numpy(), box)
    grey, inside, plate = stretched(grey, inside, place_of(look.plate.numpy(), box), random)
    if random.random() < 0.5:
        grey, inside = np.ascontiguousarray(grey[:, ::-1]), np.ascontiguousarray(inside[:, ::-1])
        plate = plate[::-1] * np.array([-1.0, 1.0])
    return balanced(spoilt(grey, random), windowed(inside, random)), plate


def chosen(looks: list[Look], random: np.random.Generator) -> tuple[Look, int]:
    """A body of a film: first which answer is wanted, then a film that shows such a body."""
    wanted = int(random.choice(len(SHARES), p=SHARES))
    while True:
        look = looks[int(random.integers(len(looks)))]
        own = torch.nonzero(look.answers == wanted)[:, 0]
        if len(own):
            low = own[-3:] if random.random() < 0.6 else own
            return look, int(low[int(random.integers(len(low)))])


class Steps(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """What the network is shown, asked for, and where S1's endplate lies, step by step."""

    def __init__(self, looks: list[Look], first: int, last: int) -> None:
        self.looks, self.first, self.last = looks, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        random = np.random.default_rng((1, self.first + index))
        bodies = [chosen(self.looks, random) for _ in range(BATCH)]
        given, plates = zip(*(shown(look, k, random) for look, k in bodies), strict=True)
        truth = torch.stack([look.answers[k] for look, k in bodies])
        return torch.from_numpy(np.stack(given)), truth, torch.from_numpy(np.stack(plates)).float()


@torch.inference_mode()
def look_at(network: LumbarNet, looks: list[Look]) -> str:
    """How often each answer is right, mirrored answers averaged."""
    right, every, surprise = np.zeros(len(SHARES), int), np.zeros(len(SHARES), int), list[float]()
    network.eval()
    for look in looks:
        lowest = [k for k in range(len(look.boxes)) if look.answers[k] != 2 or k >= len(look.boxes) - 4]
        given = torch.from_numpy(np.stack([shown(look, k)[0] for k in lowest]))
        said = (network(given).softmax(1) + network(given.flip(3)).softmax(1)) / 2
        for one, answer in zip(said, look.answers[lowest], strict=True):
            right[answer] += int(one.argmax() == answer)
            every[answer] += 1
            surprise.append(-float(one[answer].clamp_min(1e-6).log()))
    network.train()
    told = ", ".join(f"{own} of {of}" for own, of in zip(right, every, strict=True))
    return f"{told} of L5, L4, higher, S1; surprise {np.mean(surprise):.3f}"


def fit(network: LumbarNet, looks: list[Look], steps: int, path: Path, resume: bool) -> None:
    """Train; every ``CHECK_EVERY`` steps the layers are kept and looked at."""
    own, other = ([one for one in looks if one.looked_at == flag] for flag in (False, True))
    plates = nn.Linear(network.answer.in_features, 4)
    every = nn.ModuleDict({"network": network, "plates": plates})
    optimiser = torch.optim.AdamW(every.parameters(), lr=RATE, weight_decay=DECAY)
    first = 0
    if resume and path.is_file():
        known = torch.load(path, weights_only=True)
        every.load_state_dict(known["layers"])
        optimiser.load_state_dict(known["optimiser"])
        first = known["step"]
    print(f"{len(own)} films, {len(other)} looked at", flush=True)
    total = 0.0
    every.train()
    for step, (given, truth, ends) in enumerate(
        DataLoader(Steps(own, first, steps), batch_size=None, num_workers=1), first
    ):
        torch.manual_seed(step)
        for group in optimiser.param_groups:
            group["lr"] = float(RATE * min(1, (step + 1) / 100) * max(0.01, 0.5 * (1 + np.cos(np.pi * step / steps))))
        features = network.features(given)
        loss = F.cross_entropy(network.answer(features), truth, label_smoothing=SMOOTHING)
        near = (ends.abs() < FARTHEST).all(2).all(1)  # never NaN
        if near.any():
            loss = loss + 2 * F.smooth_l1_loss(plates(features).view(-1, 2, 2)[near], ends[near], beta=0.05)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(every.parameters(), 5.0)
        optimiser.step()
        total += float(loss.detach())
        if (step + 1) % CHECK_EVERY == 0 or step + 1 == steps:
            torch.save({"layers": every.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}, path)
            print(f"step {step + 1}: loss {total / CHECK_EVERY:.3f}; {look_at(network, other)}", flush=True)
            total = 0.0
    network.eval()


def with_lumbar(network: CentreNet) -> CentreNet:
    """The network with an untrained `LumbarNet`, or as it is where it has one."""
    if network.lumbar is not None:
        return network
    wider = CentreNet(replace(network.preset, lumbar=True), network.schema, network.frozen_norm).eval()
    left = wider.load_state_dict(network.state_dict(), strict=False)
    assert all(key.startswith("lumbar.") for key in left.missing_keys), left
    return wider


def main() -> None:
    """Train, and write the release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("films", type=Path, nargs="+")
    parser.add_argument("--model", default="xray-lateral")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--looks", type=Path, help="a folder to keep the films in")
    parser.add_argument("--only-look", action="store_true", help="make --looks, and stop")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    cv2.setNumThreads(1)
    every = list[Look]()
    for films in options.films:
        kept = None if options.looks is None else options.looks / f"{films.name}.pt"
        if kept is not None and kept.is_file():
            every += [Look(*own) for own in torch.load(kept, weights_only=True, mmap=True)]
            continue
        own = looks_of(CaseFolder(films))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            torch.save([(one.film, one.boxes, one.answers, one.plate, one.looked_at) for one in own], kept)
        every += own
    if options.only_look:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    source = zoo.find(options.model)
    network = with_lumbar(cast("CentreNet", open_network(source)[0]).eval())
    assert network.lumbar is not None
    fit(network.lumbar, every, options.steps, options.out / "lumbar.pt", options.resume)
    path = options.out / "xray-lateral.safetensors"
    content = zoo.read_card(source.with_suffix(".json"))
    content |= {"parameters": sum(own.numel() for own in network.parameters()), "config": network.config()}
    zoo.save(path, network.state_dict(), content)
    write_graphs(parts(cast("CentreNet", open_network(path)[0])), path)  # as rounded for the release


if __name__ == "__main__":
    main()
