"""Train the network that tells the view from the picture, and write it for release.

python benchmarks/train_views.py SET.npz RUN --draw 32000
python benchmarks/train_views.py SET.npz RUN --steps 7000 [--start view] [--resume]
python benchmarks/train_views.py SET.npz RUN --release data/weights [--films DATA] [--start view --keep 0.25]

SET.npz is what view_set.py writes. Pictures are cropped, framed, stretched, lettered, inverted, blurred and compressed;
every one is met in all quarter turns and both mirror images. A fifth of the groups (patients, volumes, files) is held
out for the table; a tenth more gives the temperatures, and is what candidates are compared on (``view_judge.py
--watched``). RUN keeps a checkpoint every hundred steps; with --resume the run goes on. --start begins with released
weights, of which --keep leaves a share in what is released.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from view_judge import Unseen, answers, fitted, on_films, opened, report
from view_pictures import ViewSet, posed

from spinetk import __version__, zoo
from spinetk.keypoints.centre.export import write_graphs
from spinetk.keypoints.viewing.kinds import SIDE_PX
from spinetk.keypoints.viewing.network import ViewNet
from spinetk.keypoints.viewing.recognition import standardise
from spinetk.training.device import pick_precision

BATCH = 48


class Samples:
    """Pictures drawn from a set beforehand, ready for the network: so the training itself does little else."""

    STEP = 1 / 24  # of a standard deviation, in which the standardised pictures are stored

    def __init__(self, path: Path) -> None:
        content = np.load(path)
        self.pictures, self.answers = content["pictures"], content["answers"]

    @classmethod
    def write(cls, path: Path, data: ViewSet, count: int, seed: int, workers: int = 2) -> None:
        """Draw ``count`` pictures."""
        parts = np.array_split(np.arange(count), workers)
        with ProcessPoolExecutor(workers, get_context("fork")) as pool:
            drawn = list(pool.map(partial(cls._drawn, data, seed), parts))
        pictures, answers = (np.concatenate(own) for own in zip(*drawn, strict=True))
        np.savez(path, pictures=pictures, answers=answers)

    @classmethod
    def _drawn(cls, data: ViewSet, seed: int, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Upright pictures of these numbers, each by a generator of its own, with kind and front."""
        pictures = np.zeros((len(numbers), SIDE_PX, SIDE_PX), np.int8)
        answers = np.full((len(numbers), 2), -1)
        for place, number in enumerate(numbers):
            picture, *answers[place] = data.drawn(np.random.default_rng((seed, int(number))))
            pictures[place] = np.clip(np.rint(standardise(picture) / cls.STEP), -127, 127)
        return pictures, answers

    def batch(self, random: np.random.Generator) -> tuple[torch.Tensor, ...]:
        """Pictures in any of their eight poses and the three answers; -1 where there is none."""
        chosen = np.sort(random.choice(len(self.pictures), BATCH, replace=False))
        pictures = np.empty((BATCH, SIDE_PX, SIDE_PX), np.int8)
        truth = np.full((3, BATCH), -1)
        for place, index in enumerate(chosen):
            turn, mirrored = int(random.integers(4)), bool(random.random() < 0.5)
            kind, front = self.answers[index]
            pictures[place], front = posed(self.pictures[index], int(front), turn, mirrored)
            truth[:, place] = kind, turn if kind else -1, front
        shown = torch.from_numpy(pictures).float()[:, None] * self.STEP
        return shown.contiguous(memory_format=torch.channels_last), *torch.from_numpy(truth)


def losses(answers: tuple[torch.Tensor, ...], truth: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Sum of the cross-entropies; the kind's with a little smoothing."""
    total = F.cross_entropy(answers[0], truth[0], label_smoothing=0.02)
    for own, wanted, weight in zip(answers[1:], truth[1:], (0.7, 0.7), strict=True):
        if (wanted >= 0).any():
            total = total + weight * F.cross_entropy(own, wanted, ignore_index=-1)
    return total


def train(
    data: Samples, run: Path, steps: int, rate: float, seed: int, start: str | None = None, resume: bool = False
) -> None:
    """Train so many steps, over which the rate falls to zero, and write the mean of the weights."""
    torch.manual_seed(seed)
    bf16 = pick_precision("cpu") == "bf16-mixed"
    network = opened(start) if start else ViewNet()
    network.side_px = SIDE_PX  # of the pictures drawn: the layers take any
    network = network.to(memory_format=torch.channels_last)
    groups = [{"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": 0.02},
              {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0}]  # fmt: skip
    optimiser = torch.optim.AdamW(groups, rate)
    done, checkpoint = 0, run / "checkpoint.pth"
    mean = {k: v.clone() for k, v in network.state_dict().items()}
    if resume and checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        done, mean = state["step"], state["mean"]
    for step in range(done, steps):
        for group in optimiser.param_groups:
            group["lr"] = float(rate * min(1.0, (step + 1) / 60) * 0.5 * (1 + np.cos(np.pi * step / steps)))
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
        decay = min(0.997, (step + 1) / (step + 21))
        for key, value in network.state_dict().items():
            mean[key] = decay * mean[key] + (1 - decay) * value if value.is_floating_point() else value
        if (step + 1) % 25 == 0:
            print(f"step {step + 1}, loss {loss.item():.3f}, {time.process_time():.0f} s of processor", flush=True)
        if (step + 1) % 100 == 0:
            torch.save({"network": network.state_dict(), "optimiser": optimiser.state_dict(), "mean": mean,
                        "step": step + 1}, checkpoint)  # fmt: skip
    network.load_state_dict(mean)
    zoo.save(run / "view.pth", network.state_dict(), {"config": network.config(), "training": {"steps": steps}})


def main() -> None:
    """Draw, train, release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--draw", type=int, help="only draw so many pictures for the training into RUN")
    parser.add_argument("--steps", type=int, help="train so many steps")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", help="released name or weights to begin with; left out, random ones")
    parser.add_argument("--keep", type=float, default=0.0, help="with --release: share of the weights of --start")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--films", type=Path, help="with --release: the real lateral films below it are scored, too")
    parser.add_argument("--release", type=Path, help="folder for view.safetensors and its card")
    parser.add_argument("--about", type=Path, default=Path(__file__).parent / "cards" / "view.toml")
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    samples = options.run / "samples.npz"
    if options.draw:
        Samples.write(samples, ViewSet(options.set), options.draw, options.seed)
    if options.steps:
        train(Samples(samples), options.run, options.steps, options.rate, options.seed, options.start, options.resume)
    if options.release:
        network = mixed(options.run / "view.pth", options.start, options.keep)
        release(network, ViewSet(options.set), options.release, options.about, options.films)


def mixed(weights: Path, start: str | None, keep: float) -> ViewNet:
    """The trained network, its weights drawn back by a share toward those that it began with."""
    network = opened(weights)
    if start and keep:
        old = opened(start).state_dict()
        network.load_state_dict({
            key: (1 - keep) * own + keep * old[key] if own.is_floating_point() else own
            for key, own in network.state_dict().items()
        })  # fmt: skip
    return network


def release(network: ViewNet, data: ViewSet, folder: Path, about: Path, films: Path | None) -> None:
    """Write a network with its card, its temperatures and its graph."""
    watched, unseen = Unseen(data, data.watched), Unseen(data)
    temperatures = fitted(answers(network, watched.pictures), watched)
    figures = report(answers(network, unseen.pictures), unseen, temperatures)
    if films:
        figures["real lateral films"] = on_films(network, temperatures, films)
    card = zoo.read_about(about, ("task", "licence", "use", "data", "command"))
    card = {"name": "view", "parameters": sum(p.numel() for p in network.parameters()), **card,
            "metrics": figures, "temperatures": [round(t, 4) for t in temperatures],
            "spinetk": __version__, "config": network.config()}  # fmt: skip
    zoo.check_size("view", network.state_dict())
    path = folder / "view.safetensors"
    zoo.save(path, network.state_dict(), card)
    write_graphs({"whole": (opened(path), torch.zeros(2, 1, network.side_px, network.side_px))}, path)


if __name__ == "__main__":
    main()
