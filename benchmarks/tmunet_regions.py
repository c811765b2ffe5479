"""Painting TMUnet's regions without a loop, against the loop over patches of the published code.

``python benchmarks/tmunet_regions.py [--batch 4] [--size 256] [--repeat 5]`` prints times and the peak of what each way
allocates; the maps must be equal, aligned and shifted.

The loop paints 512 features of each patch onto the full picture and reduces them to 64 channels afterwards, and the one
coefficient of each patch beside it. Without a loop the features are reduced first, patch by patch, and then painted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from spinetk.segmentation.networks.tmunet import PATCH_PX, WIDTH, TMUnet, paint


def by_loop(network: TMUnet, tokens: Tensor, rows: int, columns: int, first: int) -> tuple[Tensor, Tensor]:
    """Regions (N, 1, H, W) and context (N, 64, H, W) as the published code makes them.

    Args:
        network: Gives the 1x1 convolution.
        tokens: (N, 1 + patches, 512).
        rows, columns: Of patches.
        first: Token of the first patch: 1 aligned, 0 shifted.
    """
    count, p = len(tokens), PATCH_PX
    coefficients = tokens.mean(2).sigmoid()
    painted = tokens.new_zeros(count, WIDTH, rows * p, columns * p)
    regions = tokens.new_zeros(count, 1, rows * p, columns * p)
    for row in range(rows):
        for column in range(columns):
            number = first + row * columns + column
            window = (slice(row * p, (row + 1) * p), slice(column * p, (column + 1) * p))
            painted[:, :, window[0], window[1]] = tokens[:, number, :, None, None]
            regions[:, :, window[0], window[1]] = coefficients[:, number, None, None, None]
    return regions, network.context(painted)


def without_loop(network: TMUnet, tokens: Tensor, rows: int, columns: int, first: int) -> tuple[Tensor, Tensor]:
    """The same, as the toolkit makes them."""
    chosen = tokens[:, first : first + rows * columns]
    grid = chosen.transpose(1, 2).unflatten(2, (rows, columns))
    return paint(grid.mean(1, keepdim=True).sigmoid()), paint(network.context(grid))


def seconds(run: Callable[[], object], repeat: int) -> float:
    """Least processor time of ``repeat`` runs after one to warm up."""
    run()
    times = []
    for _ in range(repeat):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def allocated(run: Callable[[], object]) -> float:
    """MB of all tensors that a run makes."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        run()
    return sum(max(event.self_cpu_memory_usage, 0) for event in profile.key_averages()) / 1e6


def main() -> None:
    """Compare both ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=256, help="side of the picture in px, a multiple of 32")
    parser.add_argument("--repeat", type=int, default=5)
    chosen = parser.parse_args()
    side = chosen.size // PATCH_PX
    torch.manual_seed(0)
    network = TMUnet().eval()
    tokens = torch.randn(chosen.batch, 1 + side * side, WIDTH)
    print(
        f"{chosen.batch} x 3 x {chosen.size} x {chosen.size}, {side * side} patches, {torch.get_num_threads()} threads"
    )
    with torch.inference_mode():
        for name, first in (("aligned", 1), ("shifted", 0)):
            one, other = (way(network, tokens, side, side, first) for way in (by_loop, without_loop))
            worst = max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))
            loop = seconds(lambda: by_loop(network, tokens, side, side, first), chosen.repeat)  # noqa: B023
            fast = seconds(lambda: without_loop(network, tokens, side, side, first), chosen.repeat)  # noqa: B023
            print(f"{name}: loop {1e3 * loop:.1f} ms, without {1e3 * fast:.1f} ms, {loop / fast:.1f} times as fast")
            print(f"{name}: largest difference {worst:.1e}")
            if worst > 1e-5:
                raise SystemExit("the two ways differ")
        memory = [allocated(lambda: way(network, tokens, side, side, 1)) for way in (by_loop, without_loop)]  # noqa: B023
    print(f"allocated: loop {memory[0]:.0f} MB, without {memory[1]:.0f} MB")


if __name__ == "__main__":
    main()
