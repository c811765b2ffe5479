"""A set of phantoms in the case-folder layout of the original."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from spinetk.cases.folder import CaseFolder, write_record
from spinetk.cases.groups import GROUP
from spinetk.cases.preparation import check_width, resized
from spinetk.errors import InputError
from spinetk.formats.files import write_metadata
from spinetk.formats.record import record_of
from spinetk.images.window import to_uint8
from spinetk.phantoms.cervical import cervical_radiograph
from spinetk.phantoms.choose import Region, stream
from spinetk.phantoms.ct import sagittal_ct
from spinetk.phantoms.mr import sagittal_mr
from spinetk.phantoms.phantom import Phantom
from spinetk.phantoms.radiograph import lateral_radiograph

MAKERS: dict[str, Callable[..., Phantom]] = {
    "lateral": lateral_radiograph,
    "sagittal": sagittal_mr,
    "cervical": cervical_radiograph,
    "ct": sagittal_ct,
}
BEARS_HARDWARE = ("lateral", "sagittal")


def write_phantom_set(
    base: str | Path,
    cases: int = 24,
    *,
    seed: int = 0,
    kinds: Sequence[str] = ("lateral", "sagittal"),
    width: int | None = None,
    hardware_share: float = 0.2,
    prefix: str = "phantom",
    region: Region | None = None,
) -> list[str]:
    """Write ``cases`` phantoms as case folders, with ``metadata.json`` (``Hardware``, ``View``, ``group``).

    Args:
        base: Folder of the set.
        cases: How many.
        seed: Case k is drawn from ``seed`` and k alone.
        kinds: Views in turn: ``lateral`` radiographs, ``sagittal`` MR, ``cervical`` radiographs, sagittal ``ct``.
        width: Width in px that every picture is resized to (spacing and points with it); None keeps the drawn one.
        hardware_share: Share of the cases with hardware, spread evenly.
        prefix: Start of the case names.
        region: Of the spine, in ``lateral`` radiographs; None draws one for each.

    Returns:
        The case names, ``PREFIX-0001`` and on.

    Raises:
        InputError: An unknown kind, no case, a share outside 0..1, or a width that no picture can be given.
    """
    for kind in kinds:
        if kind not in MAKERS:
            raise InputError(f"phantom kind {kind!r}", "is unknown", f"use {', '.join(MAKERS)}")
    if cases < 1 or not kinds or not 0 <= hardware_share <= 1:
        fault = "needs a case, a kind, and a hardware share within 0..1"
        raise InputError("phantom set", fault, f"kinds are {', '.join(MAKERS)}")
    check_width(width)
    Path(base).mkdir(parents=True, exist_ok=True)
    folder = CaseFolder(base)
    names, metadata = [], {}
    # A shuffled block of flags: the share is met as exactly as the number allows, and not in step with the kinds.
    flags = np.arange(cases) < round(hardware_share * cases)
    stream(seed, 20).shuffle(flags)
    for number in range(cases):
        kind = kinds[number % len(kinds)]
        name = f"{prefix}-{number + 1:04d}"
        asked: dict[str, Any] = {"hardware": bool(flags[number])} if kind in BEARS_HARDWARE else {}
        if kind == "lateral":
            asked["region"] = region
        phantom = MAKERS[kind](seed * 1_000_003 + number, **asked)
        _write_case(folder, name, phantom, width)
        metadata[name] = {"Hardware": phantom.hardware, "View": kind, GROUP: name}  # a patient each
        names.append(name)
    write_metadata(base, metadata)
    return names


def _write_case(cases: CaseFolder, case: str, phantom: Phantom, width: int | None) -> None:
    picture, reading = to_uint8(phantom.pixels), phantom.reading
    if width is not None and width != reading.width:
        picture, reading = resized(picture, reading, width)
    # Even an empty list: the phantom knows that neither sacrum nor hips are shown.
    seen = [landmark.to_json() for landmark in reading.landmarks]
    record = record_of(reading, f"{case}/src-0", case=case, modality=phantom.modality, landmarks=seen)
    write_record(cases.source(case), record, cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
