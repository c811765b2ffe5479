"""Small case folders written by hand, as the original README lays them out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

# bottom_left, bottom_middle, bottom_right, top_right, top_middle, top_left
BODY = [[10.25, 30.5], [20.0, 29.0], [30.0, 31.0], [29.0, 12.0], [19.5, 13.0], [9.0, 11.0]]


def annotation(points: list[list[float]]) -> dict:
    xs, ys = zip(*points, strict=True)
    flat = [v for x, y in points for v in (x, y, 2.0)]
    return {"bbox": [min(xs), min(ys), max(xs), max(ys)], "bbox_mode": 0, "category_id": 0, "keypoints": flat}


@pytest.fixture
def make_case() -> Callable[..., Path]:
    """Write ``<base>/<case>/src/0/src-0.{png,json}`` (or an augmented copy) without the code under test."""

    def write(base: Path, case: str, *, copy: int = 0, size: tuple[int, int] = (64, 48), **changes) -> Path:
        stem = f"src/0/src-{0}" if copy == 0 else f"augs/{copy}/aug-{copy}"
        path = base / case / f"{stem}.json"
        path.parent.mkdir(parents=True)
        # Every case gets pixels of its own.
        pixels = np.random.default_rng([copy, *case.encode()]).integers(0, 256, size[::-1])
        cv2.imwrite(str(path.with_suffix(".png")), pixels.astype(np.uint8))
        content = {
            "file_name": f"./elsewhere/{stem}.png",
            "height": size[1],
            "width": size[0],
            "image_id": f"{case}-{copy}",
            "annotations": [annotation(BODY)],
        }
        path.write_text(json.dumps({**content, **changes}))
        return path

    return write
