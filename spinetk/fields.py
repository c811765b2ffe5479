"""Fields: of a result file, which people and other programs edit, checked before anything is measured from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spinetk.errors import InputError


def check_vertebra(entry: Mapping[str, Any], seen: Mapping[str, Any], sigma: Any, source: str) -> None:
    """Refuse what would be measured as something else, or could not be written again."""
    spread = np.array([] if sigma is None else list(sigma.values()), np.float64)
    for right, field, what in (
        (isinstance(entry.get("label"), str | None), "label", "text"),
        (all(value in (True, False) for value in seen.values()), "visible", "true or false per name"),
        (bool((np.isfinite(spread) & (spread >= 0)).all()), "point_sigma_px", "a length in px per name"),
        (bool(np.isfinite(np.array(entry["bbox"], np.float64)).all()), "bbox", "four finite numbers"),
    ):
        if not right:
            raise InputError(source, f"field {field!r} is not {what}", "mend or remove it")
    check_share(entry.get("score"), "score", source)


def check_share(value: Any, field: str, source: str) -> None:
    """Refuse what is neither absent nor a probability."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1):
        raise InputError(source, f"field {field!r} is not a number from 0 to 1", "mend or remove it")
