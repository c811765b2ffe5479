"""How view networks do side by side, on pictures that none of them was trained on.

python benchmarks/view_judge.py SET.npz view RUN/view.pth [--drawn cervical=NECKS lateral=TRUNKS] [--films DATA]
                                [--watched]

SET.npz is what ``view_set.py`` writes, of which a fifth of the groups is held out: these are judged as they are stored
and twice more, turned, mirrored and varied mildly; with ``--watched`` the tenth that candidates are chosen by, which
gives the temperatures in any case. ``--drawn`` names case folders of phantoms (``neck_set.py``,
``lateral_set.py``) by the kind that they show. ``--films`` are the real lateral films of DATA, which are for measuring
and looking only: nothing is chosen by them.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional as F
from view_pictures import ViewSet, posed, vary

from spinetk import filling, zoo
from spinetk.keypoints.viewing.card import ViewCard
from spinetk.keypoints.viewing.kinds import KINDS
from spinetk.keypoints.viewing.network import ViewNet, as_function
from spinetk.keypoints.viewing.recognition import SURE, in_all_turns, standardise

BANDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.01)  # of the probability, to compare it with how often it is right
FILMS = ("lateral_films", "lateral_masks")


def opened(name: str | Path) -> ViewNet:
    """A network from released or trained weights."""
    weights, card, _ = zoo.load(name, ViewCard)
    config = card.config
    return filling.fill(lambda: ViewNet(config.widths, config.kinds, config.side_px), weights, name)


def answers(network: ViewNet, pictures: list[np.ndarray]) -> list[torch.Tensor]:
    """The logarithms of the three answers for many pictures, averaged over their quarter turns."""
    function = as_function(network)
    inputs = np.stack([standardise(own, network.side_px) for own in pictures])[:, None]
    parts = [in_all_turns(function, inputs[k : k + 64]) for k in range(0, len(inputs), 64)]
    return [torch.from_numpy(np.concatenate(column)) for column in zip(*parts, strict=True)]


class Unseen:
    """Pictures of a set that no network was trained on, each upright as it is and in two other poses, varied mildly.

    Args:
        data: The set.
        chosen: (N,) bool, which of its pictures; None for those held out for the table.

    Attributes:
        pictures: (H, W) uint8 each.
        truth: Kind, quarter turn and front of each, (N,) each; -1 where there is none.
        groups: (N,) names of the groups.
    """

    def __init__(self, data: ViewSet, chosen: np.ndarray | None = None) -> None:
        random = np.random.default_rng(12345)
        self.pictures, truth, groups = [], [], []
        for index in np.flatnonzero(data.held if chosen is None else chosen):
            poses = [(0, False)] + [(int(random.integers(4)), bool(random.random() < 0.5)) for _ in range(2)]
            for number, (turn, mirrored) in enumerate(poses):
                picture = (
                    data.pictures[index] if number == 0 else vary(data.pictures[index], random, 0.5, data.boxes[index])
                )
                own, front = posed(picture, int(data.fronts[index]), turn, mirrored)
                kind = int(data.kinds[index])
                self.pictures.append(own)
                truth.append((kind, turn if kind else -1, front))
                groups.append(str(data.groups[index]))
        self.truth = torch.tensor(truth).T
        self.groups = np.array(groups)


def temperature(logits: torch.Tensor, truth: torch.Tensor) -> float:
    """The temperature of least cross-entropy."""
    known = truth >= 0
    tried = torch.linspace(-1.5, 2.0, 141).exp()
    return float(tried[int(torch.stack([F.cross_entropy(logits[known] / t, truth[known]) for t in tried]).argmin())])


def fitted(said: list[torch.Tensor], unseen: Unseen) -> list[float]:
    """The temperatures of the three answers."""
    return [temperature(own, wanted) for own, wanted in zip(said, unseen.truth, strict=True)]


def report(said: list[torch.Tensor], unseen: Unseen, temperatures: list[float]) -> dict[str, Any]:
    """The table of what is said of the unseen pictures; printed, too."""
    kinds, best = unseen.truth[0], said[0].argmax(1)
    right = (best == kinds).float()
    table = torch.zeros(len(KINDS), len(KINDS), dtype=torch.int64)
    for wanted, own in zip(kinds, best, strict=True):
        table[wanted, own] += 1
    print("truth \\ said".ljust(14) + "".join(name.rjust(13) for name in KINDS))
    for name, row in zip(KINDS, table, strict=True):
        print(name.ljust(14) + "".join(str(int(v)).rjust(13) for v in row))
    sure = (said[0] / temperatures[0]).softmax(1).amax(1) >= SURE
    figures: dict[str, Any] = {
        "part": f"held-out groups, {len(kinds)} pictures (as stored, and twice turned, mirrored and varied)",
        "kind_right_percent": _percent(right),
        "sure_percent": _percent(sure.float()),
        "kind_right_when_sure_percent": _percent(right[sure]),
    }
    for name, own, wanted in zip(("turn", "front"), said[1:], unseen.truth[1:], strict=True):
        known = wanted >= 0
        figures[f"{name}_right_percent"] = _percent((own.argmax(1) == wanted)[known].float())
    figures["confusion"] = {name: [int(v) for v in row] for name, row in zip(KINDS, table, strict=True)}
    print({k: v for k, v in figures.items() if k != "confusion"}, "temperatures", temperatures)
    return figures


def by_source(logits: torch.Tensor, unseen: Unseen) -> None:
    """Print how many pictures of each source of each kind are told right."""
    right = (logits.argmax(1) == unseen.truth[0]).numpy()
    sources = [f"{KINDS[k]} {own.split('-')[0][:3]}" for k, own in zip(unseen.truth[0], unseen.groups, strict=True)]
    counts = {own: [right[k] for k, one in enumerate(sources) if one == own] for own in sorted(set(sources))}
    print(", ".join(f"{own} {sum(all_)} of {len(all_)}" for own, all_ in counts.items()))


def calibration(logits: torch.Tensor, unseen: Unseen) -> None:
    """Print how often answers of a probability are right, with the temperature that other groups gave."""
    kinds = unseen.truth[0]
    names = sorted(set(unseen.groups))
    half = torch.from_numpy(np.isin(unseen.groups, names[::2]))
    chance, right = [], []
    for fitted, judged in ((half, ~half), (~half, half)):
        own = (logits[judged] / temperature(logits[fitted], kinds[fitted])).softmax(1)
        chance.append(own.amax(1))
        right.append(own.argmax(1) == kinds[judged])
    said, hit = torch.cat(chance), torch.cat(right).float()
    for low, high in pairwise(BANDS):
        own = (said >= low) & (said < high)
        if own.any():
            print(f"said {100 * float(said[own].mean()):.1f} %: right {_percent(hit[own])} % of {int(own.sum())}")


def _percent(right: torch.Tensor) -> float:
    return round(100 * float(right.mean()), 2)


def on_drawn(network: ViewNet, temperatures: list[float], kind: str, folder: Path) -> None:
    """Print what phantoms of a kind are taken for."""
    pictures = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(folder.rglob("src-0.png"))]
    chance = (answers(network, pictures)[0] / temperatures[0]).softmax(1)
    counts = torch.bincount(chance.argmax(1), minlength=len(KINDS))
    said = ", ".join(f"{int(n)} {name}" for n, name in zip(counts, KINDS, strict=True) if n)
    sure = int((chance[:, KINDS.index(kind)] >= 0.9).sum())
    print(f"{len(pictures)} drawn {kind}: {said}; {sure} of them {kind} with 0.9 and more")


def on_films(network: ViewNet, temperatures: list[float], data: Path) -> dict[str, Any]:
    """What real lateral films of the trunk are taken for, in all eight poses each; printed, too."""
    result = {}
    for name in FILMS:
        right: dict[str, list[float]] = {"kind": [], "sure": [], "turn": [], "front": [], "probability": []}
        for path in sorted((data / name / "images").glob("*.png")):
            picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            poses = [(turn, mirrored) for turn in range(4) for mirrored in (False, True)]
            said = answers(network, [posed(picture, 0, *pose)[0] for pose in poses])
            best = said[0].argmax(1)
            chance = (said[0] / temperatures[0]).softmax(1)
            for k, (turn, mirrored) in enumerate(poses):
                kind = KINDS[int(best[k])] == "lateral"
                right["kind"].append(kind)
                right["sure"].append(kind and float(chance[k].max()) >= SURE)
                right["probability"].append(float(chance[k, KINDS.index("lateral")]))
                right["turn"].append(int(said[1][k].argmax()) == turn)
                right["front"].append(int(said[2][k].argmax()) == int(mirrored))
                if not kind and turn == 0 and not mirrored:
                    print(name, path.name, "taken for", KINDS[int(best[k])], round(float(chance[k].max()), 3))
        upright = {key: own[::8] for key, own in right.items()}
        result[name] = {
            "films": len(upright["kind"]),
            "as_stored_percent": {key: round(100 * float(np.mean(own)), 1) for key, own in upright.items()},
            "eight_poses_percent": {key: round(100 * float(np.mean(own)), 1) for key, own in right.items()},
        }
        print(name, result[name])
    return result


def main() -> None:
    """Judge each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("weights", nargs="+", help="released names or weights of a training")
    parser.add_argument("--drawn", nargs="*", default=[], metavar="KIND=FOLDER")
    parser.add_argument("--films", type=Path)
    parser.add_argument("--watched", action="store_true", help="judge on the groups that candidates are chosen by")
    options = parser.parse_args()
    data = ViewSet(options.set)
    watched = Unseen(data, data.watched)
    unseen = watched if options.watched else Unseen(data)
    for name in options.weights:
        print(f"--- {name}")
        network = opened(name)
        temperatures = fitted(answers(network, watched.pictures), watched)
        said = answers(network, unseen.pictures)
        report(said, unseen, temperatures)
        by_source(said[0], unseen)
        calibration(said[0], unseen)
        for own in options.drawn:
            kind, folder = own.split("=", 1)
            on_drawn(network, temperatures, kind, Path(folder))
        if options.films:
            on_films(network, temperatures, options.films)


if __name__ == "__main__":
    main()
