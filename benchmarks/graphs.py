"""Write the graphs of released models anew, as `release` writes them, and compare them with PyTorch.

    python benchmarks/graphs.py [NAME ...] [--check] [--runs 5]

Without names all models that have graphs, where they are released. ``--check`` writes nothing. Printed for each graph:
the processor time (one thread, the least of ``--runs``) that opening it takes and that it takes to run on an input of
common size, the largest difference from PyTorch of what it computes, and the largest value.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from spinetk import filling, zoo
from spinetk.keypoints.centre.export import parts, write_graphs
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.centre.runtime import CROPS, PARTS, functions, graph_file
from spinetk.keypoints.centre.strip import COLUMNS, ROWS
from spinetk.keypoints.torch_engine import open_network
from spinetk.keypoints.viewing.card import ViewCard
from spinetk.keypoints.viewing.kinds import SIDE_PX
from spinetk.keypoints.viewing.network import ViewNet


def networks(path: Path) -> dict[str, tuple[nn.Module, Tensor]]:
    """The networks of a release by the names of their graphs, with an example for the exporter."""
    if graph_file(path, "whole").exists():
        weights, card, _ = zoo.load(path, ViewCard)
        network = filling.fill(lambda: ViewNet(card.config.widths, card.config.kinds), weights, path)
        return {"whole": (network.eval(), torch.zeros(2, 1, SIDE_PX, SIDE_PX))}
    return parts(cast("CentreNet", open_network(path)[0]))


def usual(part: str, network: nn.Module, example: Tensor) -> np.ndarray:
    """A random input of the size that reading asks for."""
    generator = np.random.default_rng(0)
    if part == "maps":
        preset = cast("CentreNet", network.network).preset
        return generator.random((1, 3, preset.long_px, preset.short_px[-1]), np.float32)
    shape = {"column": (2, 4, ROWS, COLUMNS), "whole": (4, *example.shape[1:])}.get(part, (CROPS, *example.shape[1:]))
    return generator.standard_normal(shape, np.float32)


def least(act: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """The least ms of processor time, and what was given back."""
    found, answer = np.inf, None
    for _ in range(runs):
        started = time.process_time()
        answer = act()
        found = min(found, 1e3 * (time.process_time() - started))
    return float(found), answer


def main() -> None:
    """Write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = options.names or [
        name for name, _ in zoo.released() if any(graph_file(zoo.find(name), p).exists() for p in (*PARTS, "whole"))
    ]
    print(f"{'graph':24}{'kB':>6}{'open, ms':>10}{'run, ms':>9}{'largest difference':>20}{'of':>9}")
    for path in map(zoo.find, names):
        own = networks(path)
        if not options.check:
            write_graphs(own, path)
        for part, (network, example) in own.items():
            opening, (run,) = least(partial(functions, path, (part,)), options.runs)
            given = usual(part, network, example)
            running, found = least(partial(run, given), options.runs)
            with torch.inference_mode():
                wanted = network(torch.from_numpy(given))
            wanted = wanted if isinstance(wanted, tuple) else (wanted,)
            away = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, wanted, strict=True))
            size = max(float(np.abs(values).max()) for values in found)
            kb = graph_file(path, part).stat().st_size / 1e3
            print(
                f"{path.stem + ' ' + part:24}{kb:6.0f}{opening:10.1f}{running:9.1f}{away:20.1e}{size:9.1f}", flush=True
            )


if __name__ == "__main__":
    main()
