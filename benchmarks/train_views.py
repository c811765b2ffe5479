"""Train the network that tells the view from the picture, and write it for release.

python benchmarks/train_views.py SET.npz RUN --draw 24000
python benchmarks/train_views.py SET.npz RUN --minutes 25 [--release data/weights] [--resume]
python benchmarks/train_views.py SET.npz RUN --films DATA       (real lateral films: scored once, at the very end)

SET.npz is what view_set.py writes. Pictures are cropped, framed, stretched, lettered, inverted, blurred and compressed;
every one is met in all quarter turns and both mirror images. A fifth of the groups (patients, volumes, files) is held
out for the temperatures and the table. RUN keeps a checkpoint every two minutes; with --resume the run goes on.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from spinetk import __version__, zoo
from spinetk.keypoints.centre.export import write_graphs
from spinetk.keypoints.viewing.kinds import KINDS, SIDE_PX
from spinetk.keypoints.viewing.network import ViewNet, as_function
from spinetk.keypoints.viewing.recognition import in_all_turns, standardise
from spinetk.training.device import pick_precision

BATCH = 48
# How often a kind is shown; what shows no spine has the most faces.
SHARES = {"none": 0.34, "ap": 0.14, "lateral": 0.17, "sagittal-mr": 0.13, "sagittal-ct": 0.11, "cervical": 0.11}


class ViewSet:
    """The pictures of a set, upright."""

    def __init__(self, path: Path) -> None:
        content = np.load(path)
        self.kinds, self.fronts, self.held = content["kinds"], content["fronts"], content["held"]
        self.groups = content["groups"]
        pixels, sizes = content["pixels"], content["sizes"]
        ends = np.cumsum(sizes.prod(1, dtype=np.int64))
        self.pictures = [pixels[end - h * w : end].reshape(h, w) for end, (h, w) in zip(ends, sizes, strict=True)]

        self.sources = np.array([str(group).split("-")[0] for group in self.groups])

    def draw(self, random: np.random.Generator) -> int:
        """Index of a picture to train on: kind first, then group, then picture."""
        kind = KINDS.index(str(random.choice(list(SHARES), p=list(SHARES.values()))))
        own = np.flatnonzero((self.kinds == kind) & ~self.held)
        if random.random() < 0.4:  # every source alike, so that a small one is not drowned
            sources = self.sources[own]
            own = own[sources == random.choice(np.unique(sources))]
        return int(random.choice(own))


def vary(picture: np.ndarray, random: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """One way in which a picture could have been stored; upright still."""
    if random.random() < 0.55 * strength:
        high, wide = (min(side, max(24, int(side * random.uniform(0.6, 1)))) for side in picture.shape)
        y, x = (int(random.integers(0, whole - own + 1)) for whole, own in
                zip(picture.shape, (high, wide), strict=True))  # fmt: skip
        picture = picture[y : y + high, x : x + wide]
    stretch = np.exp(random.normal(0, 0.08, 2))
    size = tuple(max(16, round(side * s)) for side, s in zip(picture.shape[::-1], stretch, strict=True))
    picture = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    if random.random() < 0.5 * strength:
        h, w = picture.shape
        matrix = cv2.getRotationMatrix2D((w / 2, h / 2), random.uniform(-14, 14), random.uniform(0.85, 1.1))
        fill = float(random.choice([0, 0, picture[0, 0], 255 * (random.random() < 0.2)]))
        picture = cv2.warpAffine(picture, matrix, (w, h), borderValue=fill)
    ramp = np.linspace(0, 1, 256) ** np.exp(random.normal(0, 0.4))
    ramp = (ramp - 0.5) * random.uniform(0.5, 1.8) + 0.5 + random.normal(0, 0.12)
    picture = (ramp.clip(0, 1) * 255).astype(np.uint8)[picture]
    if random.random() < 0.25 * strength:  # exposure that falls off along one axis
        axis = np.linspace(-1, 1, picture.shape[int(random.integers(2))])
        slope = np.exp(axis * random.normal(0, 0.6))
        slope = slope[:, None] if len(axis) == picture.shape[0] else slope[None]
        picture = (picture * slope).clip(0, 255).astype(np.uint8)
    if random.random() < 0.25:
        picture = 255 - picture
    if random.random() < 0.3 * strength:
        top, bottom, left, right = (random.uniform(0, 0.35, 4) * (random.random(4) < 0.6) * max(picture.shape)).astype(
            int
        )
        tone = int(random.choice([0, 0, 0, 255, random.integers(256)]))
        picture = cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=tone)
    picture = np.ascontiguousarray(picture)
    for _ in range(int(random.integers(0, 4)) if random.random() < 0.4 else 0):
        _letter(picture, random)
    if random.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 1.6))
    if random.random() < 0.4:
        picture = (picture + random.normal(0, random.uniform(2, 16), picture.shape)).clip(0, 255).astype(np.uint8)
    if random.random() < 0.25:
        quality = int(random.integers(15, 80))
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)
    return picture


def _letter(picture: np.ndarray, random: np.random.Generator) -> None:
    """A marker, in place: letters, mirrored or not, in a box or not."""
    text = "".join(random.choice(list("LRTAPStanding. 0123456789cm:-"), int(random.integers(1, 9))))
    size = random.uniform(0.3, 0.9) * max(picture.shape) / 256
    plate = np.zeros((int(40 * size) + 6, int(20 * size * len(text)) + 8), np.uint8)
    cv2.putText(plate, text, (2, plate.shape[0] - 6), cv2.FONT_HERSHEY_SIMPLEX, size, 255, 1, cv2.LINE_AA)
    plate = plate[:, ::-1] if random.random() < 0.3 else plate
    plate = plate[: picture.shape[0], : picture.shape[1]]
    h, w = plate.shape
    y, x = (int(random.integers(0, whole - own + 1)) for whole, own in zip(picture.shape, (h, w), strict=True))
    window = picture[y : y + h, x : x + w]
    if random.random() < 0.3:
        window[:] = 255 if random.random() < 0.7 else 0
        window[plate > 90] = 255 - window[0, 0]
    else:
        np.maximum(window, plate, out=window)


def posed(picture: np.ndarray, front: int, turns: int, mirrored: bool) -> tuple[np.ndarray, int]:
    """The picture mirrored, then turned counter-clockwise; and its front in the upright picture."""
    if mirrored:
        picture, front = picture[:, ::-1], (1 - front if front >= 0 else front)
    return np.rot90(picture, turns), front


class Samples:
    """Pictures drawn from a set beforehand, ready for the network: so the training itself does little else."""

    STEP = 1 / 24  # of a standard deviation, in which the standardised pictures are stored

    def __init__(self, path: Path) -> None:
        content = np.load(path)
        self.pictures, self.answers = content["pictures"], torch.from_numpy(content["answers"])

    @classmethod
    def write(cls, path: Path, data: ViewSet, count: int, seed: int) -> None:
        """Draw ``count`` pictures in any pose."""
        pictures = np.zeros((count, SIDE_PX, SIDE_PX), np.int8)
        answers = np.full((count, 3), -1)
        for number in range(count):
            random = np.random.default_rng((seed, number))
            index = data.draw(random)
            turn, mirrored = int(random.integers(4)), bool(random.random() < 0.5)
            if turn and random.random() < 0.35:  # upright is what is met most
                turn = 0
            kind = int(data.kinds[index])
            own, front = posed(vary(data.pictures[index], random), int(data.fronts[index]), turn, mirrored)
            pictures[number] = np.clip(np.rint(standardise(own) / cls.STEP), -127, 127)
            answers[number] = kind, turn if kind else -1, front
        np.savez(path, pictures=pictures, answers=answers)

    def batch(self, random: np.random.Generator) -> tuple[torch.Tensor, ...]:
        """Pictures and the three answers; -1 where there is none."""
        chosen = np.sort(random.choice(len(self.pictures), BATCH, replace=False))
        pictures = torch.from_numpy(self.pictures[chosen]).float()[:, None] * self.STEP
        return pictures.contiguous(memory_format=torch.channels_last), *self.answers[chosen].T


def losses(answers: tuple[torch.Tensor, ...], truth: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Sum of the cross-entropies; the kind's with a little smoothing."""
    total = F.cross_entropy(answers[0], truth[0], label_smoothing=0.02)
    for own, wanted, weight in zip(answers[1:], truth[1:], (0.7, 0.7), strict=True):
        if (wanted >= 0).any():
            total = total + weight * F.cross_entropy(own, wanted, ignore_index=-1)
    return total


def train(data: Samples, run: Path, minutes: float, rate: float, seed: int, resume: bool) -> ViewNet:
    """Train until the minutes are spent; the rate falls to zero with them."""
    torch.manual_seed(seed)
    bf16 = pick_precision("cpu") == "bf16-mixed"
    network = ViewNet().to(memory_format=torch.channels_last)
    groups = [{"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": 0.02},
              {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0}]  # fmt: skip
    optimiser = torch.optim.AdamW(groups, rate)
    spent, step, checkpoint = 0.0, 0, run / "checkpoint.pth"
    mean = {k: v.clone() for k, v in network.state_dict().items()}
    if resume and checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        spent, step, mean = state["spent"], state["step"], state["mean"]
    start, saved = time.monotonic() - spent, spent
    while (spent := time.monotonic() - start) < minutes * 60:
        share = spent / (minutes * 60)
        for group in optimiser.param_groups:
            group["lr"] = float(rate * min(1.0, (step + 1) / 60) * 0.5 * (1 + np.cos(np.pi * share)))
        random = np.random.default_rng((seed, step))
        pictures, *truth = data.batch(random)
        network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            said = network(pictures)
        loss = losses(tuple(own.float() for own in said), tuple(truth))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        step += 1
        decay = min(0.99, step / (step + 20))
        for key, value in network.state_dict().items():
            mean[key] = decay * mean[key] + (1 - decay) * value if value.is_floating_point() else value
        if step % 25 == 0:
            print(f"{spent / 60:.1f} min, step {step}, loss {float(loss):.3f}", flush=True)
        if spent - saved > 120:
            saved = spent
            torch.save({"network": network.state_dict(), "optimiser": optimiser.state_dict(), "mean": mean,
                        "spent": spent, "step": step}, checkpoint)  # fmt: skip
    network.load_state_dict(mean)
    zoo.save(run / "view.pth", network.state_dict(), {"config": network.config(), "training": {"steps": step}})
    return network


def answers(network: ViewNet, pictures: list[np.ndarray]) -> list[torch.Tensor]:
    """The logarithms of the three answers for many pictures, averaged over their quarter turns."""
    function = as_function(network)
    inputs = np.stack([standardise(own) for own in pictures])[:, None]
    parts = [in_all_turns(function, inputs[k : k + 64]) for k in range(0, len(inputs), 64)]
    return [torch.from_numpy(np.concatenate(column)) for column in zip(*parts, strict=True)]


def unseen(data: ViewSet, random: np.random.Generator) -> tuple[list[np.ndarray], torch.Tensor, ...]:
    """The held-out pictures, each upright as it is and in two of its other poses, varied mildly."""
    pictures, kinds, turns, fronts = [], [], [], []
    for index in np.flatnonzero(data.held):
        poses = [(0, False)] + [(int(random.integers(4)), bool(random.random() < 0.5)) for _ in range(2)]
        for number, (turn, mirrored) in enumerate(poses):
            picture = data.pictures[index] if number == 0 else vary(data.pictures[index], random, 0.5)
            own, front = posed(picture, int(data.fronts[index]), turn, mirrored)
            pictures.append(own)
            kinds.append(int(data.kinds[index]))
            turns.append(turn if kinds[-1] else -1)
            fronts.append(front)
    return pictures, torch.tensor(kinds), torch.tensor(turns), torch.tensor(fronts)


def temperature(logits: torch.Tensor, truth: torch.Tensor) -> float:
    """The temperature of least cross-entropy."""
    known = truth >= 0
    tried = torch.linspace(-1.5, 2.0, 141).exp()
    return float(tried[int(torch.stack([F.cross_entropy(logits[known] / t, truth[known]) for t in tried]).argmin())])


def report(network: ViewNet, data: ViewSet) -> tuple[list[float], dict]:
    """Temperatures, and the table of the unseen pictures."""
    pictures, *truth = unseen(data, np.random.default_rng(12345))
    said = answers(network, pictures)
    temperatures = [temperature(own, wanted) for own, wanted in zip(said, truth, strict=True)]
    kinds = truth[0]
    best = said[0].argmax(1)
    table = torch.zeros(len(KINDS), len(KINDS), dtype=torch.int64)
    for wanted, own in zip(kinds, best, strict=True):
        table[wanted, own] += 1
    print("truth \\ said".ljust(14) + "".join(name.rjust(13) for name in KINDS))
    for name, row in zip(KINDS, table, strict=True):
        print(name.ljust(14) + "".join(str(int(v)).rjust(13) for v in row))
    sure = (said[0] / temperatures[0]).softmax(1).amax(1) >= 0.8
    figures = {
        "part": f"held-out groups, {len(kinds)} pictures (as stored, and twice turned, mirrored and varied)",
        "kind_right_percent": _percent((best == kinds).float()),
        "sure_percent": _percent(sure.float()),
        "kind_right_when_sure_percent": _percent((best == kinds)[sure].float()),
    }
    for name, own, wanted in zip(("turn", "front"), said[1:], truth[1:], strict=True):
        known = wanted >= 0
        figures[f"{name}_right_percent"] = _percent((own.argmax(1) == wanted)[known].float())
    figures["confusion"] = {name: [int(v) for v in row] for name, row in zip(KINDS, table, strict=True)}
    print({k: v for k, v in figures.items() if k != "confusion"}, "temperatures", temperatures)
    return temperatures, figures


def _percent(right: torch.Tensor) -> float:
    return round(100 * float(right.mean()), 2)


def films(network: ViewNet, temperatures: list[float], data: Path) -> dict:
    """The real lateral films, in all eight poses each."""
    result = {}
    for name in ("lateral_films", "lateral_masks"):
        right = {"kind": [], "sure": [], "turn": [], "front": []}
        for path in sorted((data / name / "images").glob("*.png")):
            picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            poses = [(turn, mirrored) for turn in range(4) for mirrored in (False, True)]
            said = answers(network, [posed(picture, 0, *pose)[0] for pose in poses])
            best = said[0].argmax(1)
            chance = (said[0] / temperatures[0]).softmax(1).amax(1)
            for k, (turn, mirrored) in enumerate(poses):
                kind = KINDS[int(best[k])] == "lateral"
                right["kind"].append(kind)
                right["sure"].append(kind and float(chance[k]) >= 0.8)
                right["turn"].append(int(said[1][k].argmax()) == turn)
                right["front"].append(int(said[2][k].argmax()) == int(mirrored))
                if not kind and turn == 0 and not mirrored:
                    print(name, path.name, "taken for", KINDS[int(best[k])], round(float(chance[k]), 3))
        upright = {key: [v for k, v in enumerate(own) if k % 8 == 0] for key, own in right.items()}
        result[name] = {
            "films": len(upright["kind"]),
            "as_stored_percent": {key: round(100 * float(np.mean(own)), 1) for key, own in upright.items()},
            "eight_poses_percent": {key: round(100 * float(np.mean(own)), 1) for key, own in right.items()},
        }
        print(name, result[name])
    return result


def main() -> None:
    """Train, report, release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--draw", type=int, help="only draw so many pictures for the training into RUN")
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--report", action="store_true", help="score RUN/view.pth instead of training")
    parser.add_argument("--films", type=Path, help="score the real lateral films below this folder, too")
    parser.add_argument("--release", type=Path, help="folder for view.safetensors and its card")
    parser.add_argument("--about", type=Path, default=Path(__file__).parent / "cards" / "view.toml")
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    data = ViewSet(options.set)
    samples = options.run / "samples.npz"
    if options.draw:
        Samples.write(samples, data, options.draw, options.seed)
        return
    if options.report or options.films:
        weights, _, _ = zoo.load(options.run / "view.pth")
        network = ViewNet()
        network.load_state_dict(weights)
    else:
        network = train(Samples(samples), options.run, options.minutes, options.rate, options.seed, options.resume)
    temperatures, figures = report(network, data)
    if options.films:
        figures["real lateral films"] = films(network, temperatures, options.films)
    if options.release:
        card = zoo.read_about(options.about, ("task", "licence", "use", "data", "command"))
        card = {"name": "view", "parameters": sum(p.numel() for p in network.parameters()), **card,
                "metrics": figures, "temperatures": [round(t, 4) for t in temperatures],
                "spinetk": __version__, "config": network.config()}  # fmt: skip
        zoo.check_size("view", network.state_dict())
        path = options.release / "view.safetensors"
        zoo.save(path, network.state_dict(), card)
        network.load_state_dict(zoo.load(path)[0])
        write_graphs({"whole": (network, torch.zeros(2, 1, SIDE_PX, SIDE_PX))}, path)


if __name__ == "__main__":
    main()
