"""The mean of several runs' weights, one network: steadier than each (Wortsman et al., ICML 2022, "Model soups").

python benchmarks/average.py OUT.pth WEIGHTS WEIGHTS ...

The runs must have begun from the same weights, or one from the other; means of strangers are no network.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from spinetk import zoo
from spinetk.errors import InputError


def main() -> None:
    """Write OUT with the card of the last run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("weights", nargs="+")
    options = parser.parse_args()
    loaded = [zoo.load(path) for path in options.weights]
    runs, (last, card, _) = [weights for weights, _, _ in loaded], loaded[-1]
    for path, (weights, other, _) in zip(options.weights, loaded, strict=True):
        if other["config"] != card["config"] or weights.keys() != last.keys():
            raise InputError(path, "is another network than the last", "average runs of one network")
    mean = {
        name: torch.stack([run[name].double() for run in runs]).mean(0).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in last.items()
    }
    zoo.save(options.out, mean, card)


if __name__ == "__main__":
    main()
