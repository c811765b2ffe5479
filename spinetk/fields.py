"""Fields: of a result file, which people and other programs edit, checked before anything is measured from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.schema import SCHEMAS, VERTEBRA6, KeypointSchema, schema_for_names


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


SHA256 = re.compile("[0-9a-f]{64}")


def schema_from(named: Any, entries: Sequence[Mapping[str, Any]], source: str) -> KeypointSchema:
    """The schema that a result names or describes; of an older one that of its points."""
    if isinstance(named, Mapping):
        return KeypointSchema.from_json(named, source)
    if named in SCHEMAS or not entries:  # any other text must not become a path
        return SCHEMAS.get(str(named), VERTEBRA6)
    return schema_for_names(list(entries[0]["keypoints"]))


def digests_from(content: Mapping[str, Any], source: str) -> dict[str, str | None]:
    digests = {name: content.get(name) for name in ("pixels_sha256", "stored_sha256")}
    for name, digest in digests.items():
        if digest is not None and not (isinstance(digest, str) and SHA256.fullmatch(digest)):
            raise InputError(source, f"field {name!r} is no SHA-256", "remove it")
    return digests


def scales_from(content: Mapping[str, Any]) -> dict[str, float]:
    """Factors of intervals by kind, as a file has them.

    Raises:
        ValueError: One is no factor.
    """
    scales = {str(kind): float(value) for kind, value in content.items()}
    if not all(0 < value < 100 for value in scales.values()):
        raise ValueError("field 'interval_scale' holds what is no factor")
    return scales


def extras_json(extras: Mapping[str, np.ndarray]) -> dict[str, list[list[float]]]:
    """Extras as JSON: a list of [x, y] by name."""
    return {name: [[round(float(v), 3) for v in point] for point in points] for name, points in extras.items()}


def extras_from(content: Any, source: str | Path) -> dict[str, np.ndarray]:
    """Inverse of :func:`extras_json`; None means that there are none.

    Raises:
        InputError: It is no table of finite points.
    """
    try:
        extras = {
            str(name): np.array(points, np.float64).reshape(-1, 2) for name, points in dict(content or {}).items()
        }
        if not all(np.isfinite(points).all() for points in extras.values()):
            raise ValueError("not finite")
    except (TypeError, ValueError) as error:
        raise InputError(source, "field 'extras' is not a list of [x, y] by name", "mend or remove it") from error
    return extras
