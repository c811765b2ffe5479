"""A set of phantoms in the case-folder layout of the original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from spinetk.atomic import replacing, write_json
from spinetk.errors import InputError
from spinetk.images.window import to_uint8
from spinetk.phantoms.choose import stream
from spinetk.phantoms.mr import sagittal_mr
from spinetk.phantoms.phantom import Phantom
from spinetk.phantoms.radiograph import lateral_radiograph
from spinetk.reading import Reading

MAKERS = {"lateral": lateral_radiograph, "sagittal": sagittal_mr}


def write_phantom_set(
    base: str | Path,
    cases: int = 24,
    *,
    seed: int = 0,
    kinds: Sequence[str] = ("lateral", "sagittal"),
    width: int | None = None,
    hardware_share: float = 0.2,
) -> list[str]:
    """Write ``cases`` phantoms as case folders, with ``metadata.json`` (``Hardware``, ``View``).

    Args:
        base: Folder of the set.
        cases: How many.
        seed: Case k is drawn from ``seed`` and k alone.
        kinds: Views in turn: ``lateral`` radiographs and ``sagittal`` MR.
        width: Width in px that every picture is resized to (spacing and points with it); None keeps the drawn one.
        hardware_share: Share of the cases with hardware, spread evenly.

    Returns:
        The case names, ``phantom-0001`` and on.

    Raises:
        InputError: An unknown kind, no case, or a share outside 0..1.
    """
    for kind in kinds:
        if kind not in MAKERS:
            raise InputError(f"phantom kind {kind!r}", "is unknown", f"use {' or '.join(MAKERS)}")
    if cases < 1 or not kinds or not 0 <= hardware_share <= 1:
        raise InputError("phantom set", "needs a case, a kind, and a hardware share within 0..1")
    base = Path(base)
    names, metadata = [], {}
    # A shuffled block of flags: the share is met as exactly as the number allows, and not in step with the kinds.
    flags = np.arange(cases) < round(hardware_share * cases)
    stream(seed, 20).shuffle(flags)
    for number in range(cases):
        kind = kinds[number % len(kinds)]
        name = f"phantom-{number + 1:04d}"
        phantom = MAKERS[kind](seed * 1_000_003 + number, hardware=bool(flags[number]))
        _write_case(base / name / "src" / "0", phantom, width)
        metadata[name] = {"Hardware": phantom.hardware, "View": kind}
        names.append(name)
    write_json(base / "metadata.json", metadata)
    return names


def _write_case(folder: Path, phantom: Phantom, width: int | None) -> None:
    picture, reading = to_uint8(phantom.pixels), phantom.reading
    if width is not None and width != reading.width:
        picture, reading = _resize(picture, reading, width)
    with replacing(folder / "src-0.png") as temporary:
        cv2.imwrite(str(temporary), cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    write_json(folder / "src-0.json", _annotation(reading, folder.parents[1].name))


def _resize(picture: np.ndarray, reading: Reading, width: int) -> tuple[np.ndarray, Reading]:
    height = max(1, round(reading.height * width / reading.width))
    factors = np.array([width / reading.width, height / reading.height])
    shrinking = width < reading.width
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)
    vertebrae = [
        replace(v, points=v.points * factors, bbox=tuple(np.asarray(v.bbox) * np.tile(factors, 2)))
        for v in reading.vertebrae
    ]
    frame = reading.frame.resized(*factors)
    return picture, replace(reading, height=height, width=width, vertebrae=vertebrae, frame=frame)


def _annotation(reading: Reading, case: str) -> dict[str, Any]:
    return {
        "file_name": "src-0.png",
        "height": reading.height,
        "width": reading.width,
        "image_id": f"{case}/src-0",
        "schema": reading.schema.name,
        **reading.frame.to_json(),
        "view": reading.view,
        "annotations": [
            {
                "bbox": [round(float(value), 4) for value in vertebra.bbox],
                "bbox_mode": 0,
                "category_id": 0,
                "keypoints": [round(float(v), 4) for point in vertebra.points for v in (*point, 2.0)],
                "label": vertebra.label,
            }
            for vertebra in reading.vertebrae
        ],
    }
