"""A whole volume through SPiN on the CPU: 189 slices of 197 x 233, as `spinetk segment predict` does it.

``python benchmarks/spin_volume.py [--slices 189] [--batch 4]`` prints seconds for float32 with weights as PyTorch lays
them out, for float32 with channels last, and for the predictor as it is (channels last and half precision where the
hardware computes it). Weights are random; time does not depend on them.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from spinetk.phantoms.lesion import lesion_volume
from spinetk.segmentation.registry import get_entry
from spinetk.segmentation.slices.predictor import SlicePredictor, Statistics


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=189)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--quick", action="store_true", help="only the predictor as it is")
    chosen = parser.parse_args()
    values = lesion_volume(0, shape=(chosen.slices, 197, 233), spacing_mm=(1.0, 1.0, 1.0)).values
    statistics = Statistics.of([values])
    torch.manual_seed(0)
    network = get_entry("spin").build()
    print(f"{values.shape}, {torch.get_num_threads()} threads, batches of {chosen.batch}")
    exact = None
    for name, half, last in (
        ("float32", False, False),
        ("float32, channels last", False, True),
        ("as it is", True, True),
    ):
        if chosen.quick and name != "as it is":
            continue
        predictor = SlicePredictor(network, 5, statistics, batch=chosen.batch, half=half)
        if not last:
            for parameter in network.parameters():
                parameter.data = parameter.data.contiguous()
        start, processor = time.perf_counter(), time.process_time()
        found = predictor.probability(values)
        wall, spent = time.perf_counter() - start, time.process_time() - processor
        exact = found if exact is None else exact
        worst = np.abs(found - exact).max()
        print(
            f"{name}: {wall:.1f} s, processor {spent:.1f} s ({spent / len(values):.3f} a slice), "
            f"probability differs by at most {worst:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
