"""Sampler: the order of the samples, exact over resumes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler


class EndlessSampler(Sampler):
    """(epoch, index) pairs without end, each epoch a permutation drawn from (seed, epoch).

    Args:
        count: Number of samples.
        seed: Seed of the run.
        start: Samples already used; the sequence goes on from there, which makes a resumed run exact.
    """

    def __init__(self, count: int, seed: int, start: int = 0) -> None:
        self.count, self.seed, self.start = count, seed, start

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, offset = divmod(self.start, self.count)
        while True:
            order = np.random.default_rng((self.seed, epoch)).permutation(self.count)
            yield from ((epoch, int(index)) for index in order[offset:])
            epoch, offset = epoch + 1, 0
