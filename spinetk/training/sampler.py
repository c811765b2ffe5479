"""Sampler: the order of the samples, exact over resumes and over processes."""

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
        batch: Samples of an iteration, over all processes and parts.
        parts: Parts that a batch is computed in, one after the other.
        rank, world_size: Which process of how many this is. All together they see what one process would: of each part
            the first process takes the first share, and so on.
    """

    def __init__(
        self,
        count: int,
        seed: int,
        start: int = 0,
        *,
        batch: int = 1,
        parts: int = 1,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if batch % (parts * world_size):
            raise ValueError(f"a batch of {batch} cannot be divided into {parts} parts in {world_size} processes")
        self.count, self.seed, self.start = count, seed, start
        self.share = batch // (parts * world_size)
        self.rank, self.world_size = rank, world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for place, sample in enumerate(self._all()):
            if place // self.share % self.world_size == self.rank:
                yield sample

    def _all(self) -> Iterator[tuple[int, int]]:
        epoch, offset = divmod(self.start, self.count)
        while True:
            order = np.random.default_rng((self.seed, epoch)).permutation(self.count)
            yield from ((epoch, int(index)) for index in order[offset:])
            epoch, offset = epoch + 1, 0
