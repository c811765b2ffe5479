"""The mean of several runs' weights, one network: steadier than each (Wortsman et al., ICML 2022, "Model soups").

python benchmarks/average.py OUT.pth WEIGHTS WEIGHTS ... [--lift 3.0]

The runs must have begun from the same weights, or one from the other; means of strangers are no network. Where only the
last run looks for landmarks, their rows are its own; averaged features let them whisper, so ``--lift`` is added to the
logits of their maps (calibration sets right what that does to the probabilities).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from spinetk import zoo
from spinetk.errors import InputError


def main() -> None:
    """Write OUT with the card of the last run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--lift", type=float, default=0.0)
    options = parser.parse_args()
    loaded = [zoo.load(path) for path in options.weights]
    runs, (last, card, _) = [weights for weights, _, _ in loaded], loaded[-1]
    for path, (weights, other, _) in zip(options.weights, loaded, strict=True):
        if _without_landmarks(other) != _without_landmarks(card) or weights.keys() != last.keys():
            raise InputError(path, "is another network than the last", "average runs of one network")
    mean = {}
    for name, tensor in last.items():
        mean[name] = tensor.clone()
        if tensor.is_floating_point():
            rows = min(len(run[name]) for run in runs)
            mean[name][:rows] = torch.stack([run[name][:rows].double() for run in runs]).mean(0).to(tensor.dtype)
    mean["centre.bias"][1:] += options.lift
    zoo.save(options.out, mean, card)


def _without_landmarks(card: dict[str, Any]) -> dict[str, Any]:
    config = card["config"]
    preset = {key: value for key, value in config["preset"].items() if key != "landmarks"}
    return json.loads(json.dumps({**config, "preset": preset}))  # a run's card has tuples, a release's lists


if __name__ == "__main__":
    main()
