"""Logistic: what speaks for something, weighed as a model card says, as a probability (Platt, 1999)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from spinetk.validation import OPEN, between

Weight = Annotated[float, between(0, 1000)]
Intercept = Annotated[float, between(-1000, 1000)]


@dataclass(frozen=True)
class Logistic:
    """A logistic function of evidence, as a model card holds it.

    Attributes:
        weights: Of the evidence, none below 0: more of it never counts against what is asked.
        intercept: Of the logistic function.
        fitted_on: The pictures they were fitted on, in words.
    """

    __pydantic_config__ = OPEN

    weights: tuple[Weight, ...]
    intercept: Intercept
    fitted_on: str = ""

    def probability(self, seen: Sequence[float], log_odds: float = 0.0) -> float:
        """That what this evidence speaks for is right, 0 to 1; ``log_odds`` are those that something else gives it."""
        logit = float(np.dot(self.weights, seen)) + self.intercept + log_odds
        return float((1 + np.tanh(logit / 2)) / 2)


def calibrated(scores: np.ndarray | float, calibration: tuple[float, float]) -> np.ndarray:
    """Probabilities of a network's scores, any shape, 0 to 1: Platt's slope and intercept on their logits."""
    slope, intercept = calibration
    scores = np.asarray(scores, np.float64).clip(1e-6, 1 - 1e-6)
    return np.asarray(1 / (1 + np.exp(-(slope * np.log(scores / (1 - scores)) + intercept))))
