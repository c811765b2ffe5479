"""The order in which training cases are drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler


class EndlessDraws(Sampler):
    """(draw, case) without end, every case once a round in a new order.

    Args:
        cases: Number of cases.
        seed: Of the orders.
        start: Draws already done by an earlier start.
    """

    def __init__(self, cases: int, seed: int, start: int = 0) -> None:
        self.cases, self.seed, self.start = cases, seed, start

    def __iter__(self) -> Iterator[tuple[int, int]]:
        draw = self.start
        while True:
            order = np.random.default_rng([self.seed, draw // self.cases]).permutation(self.cases)
            for case in order[draw % self.cases :]:
                yield draw, int(case)
                draw += 1
