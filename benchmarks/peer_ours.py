"""Our part of ``benchmarks/peers.py``: the released network trained from random weights for as long as a peer.

python benchmarks/peer_ours.py CASES RUN --minutes 15 [--preset centre-ap]

All of it is trained together, as ``spinetk train`` does. How many iterations the minutes of processor hold is measured
first (two short runs, thrown away). What is left: RUN/ours.safetensors with its graphs, calibrated on the val part,
which is to it what the choice of the least score is to a peer; RUN/trained.json with the minutes that it took.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import cast

from train_released import parts_of

from spinetk import zoo
from spinetk.cases.catalog import setup_catalogs
from spinetk.cases.folder import CaseFolder
from spinetk.keypoints.calibration import calibrate
from spinetk.keypoints.centre.export import parts, write_graphs
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.torch_engine import TorchEngine, open_network
from spinetk.keypoints.trainer import train

SHORT = 4, 20  # iterations of the runs that are timed
BATCH = 4


def trained(preset: str, run: Path, iterations: int) -> tuple[Path, float]:
    """Weights, and seconds of processor."""
    shutil.rmtree(run, ignore_errors=True)
    start = time.process_time()
    weights = train("ours", iterations, preset=preset, output=run, batch=BATCH, seed=0, workers=0)
    return weights, time.process_time() - start


def main() -> None:
    """Train, calibrate, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--preset", default="centre-ap")
    options = parser.parse_args()
    note, path = options.run / "trained.json", options.run / "ours.safetensors"
    if note.exists():
        return
    kept, val = parts_of(options.cases)
    setup_catalogs("ours", kept, val.iloc[:0], val.iloc[:0], schema=CaseFolder(options.cases).schema())
    few, more = (trained(options.preset, options.run / "timed", count)[1] for count in SHORT)
    iterations = max(1, round(60 * options.minutes * (SHORT[1] - SHORT[0]) / (more - few)))
    weights, seconds = trained(options.preset, options.run / "training", iterations)
    shutil.rmtree(options.run / "timed")
    network, _ = open_network(weights)
    records = CaseFolder(options.cases).records(val.index, augmented=False)[0]
    calibration = [round(value, 4) for value in calibrate(Predictor(TorchEngine(network, "cpu"), "ours"), records)]
    state, card, _ = zoo.load(weights)
    zoo.save(path, state, card | {"name": "ours", "calibration": calibration})
    write_graphs(parts(cast(CentreNet, open_network(path)[0])), path)
    note.write_text(json.dumps({"minutes": seconds / 60, "films": iterations * BATCH}), encoding="utf-8")


if __name__ == "__main__":
    main()
