"""Sets of phantoms with masks, written in the layouts that real data sets have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.images.grid import Grid
from spinetk.images.volume import Volume
from spinetk.phantoms.gland import gland_picture
from spinetk.phantoms.lesion import lesion_volume
from spinetk.phantoms.skin import PicturePhantom, skin_picture
from spinetk.phantoms.solid import VolumePhantom

PICTURES: dict[str, Callable[..., PicturePhantom]] = {"skin": skin_picture, "gland": gland_picture}
KINDS = ("lesion", *PICTURES)


def write_mask_set(base: str | Path, kind: str, cases: int = 12, *, seed: int = 0, **options: Any) -> list[str]:
    """Write phantoms of one kind.

    ``lesion``: BIDS, ``sub-001/anat/sub-001_T1w.nii.gz`` (or ``_FLAIR``) and
    ``derivatives/lesions/sub-001/anat/sub-001_label-lesion_mask.nii.gz``. ``skin`` and ``gland``: ``images/NAME.png``
    and ``masks/NAME.png``.

    Args:
        base: Folder of the set.
        kind: One of ``KINDS``.
        cases: How many.
        seed: Case k is drawn from ``seed`` and k alone.
        **options: Of :func:`lesion_volume`, :func:`skin_picture` or :func:`gland_picture`.

    Returns:
        The case names.

    Raises:
        InputError: An unknown kind, no case, an option that cannot be drawn.
    """
    if kind not in KINDS:
        raise InputError(f"phantom kind {kind!r}", "is unknown", f"use {', '.join(KINDS)}")
    if cases < 1:
        raise InputError("phantom set", "needs a case", "ask for one or more")
    base, names = Path(base), []
    for number in range(cases):
        draw = seed * 1_000_003 + number
        if kind == "lesion":
            name = f"sub-{number + 1:03d}"
            _write_brain(base, name, lesion_volume(draw, **options), str(options.get("contrast", "T1")))
        else:
            name = f"{kind}-{number + 1:04d}"
            phantom = PICTURES[kind](draw, **options)
            for folder, values in (("images", phantom.pixels), ("masks", phantom.mask.astype(np.uint8) * 255)):
                with replacing(base / folder / f"{name}.png") as temporary:
                    Image.fromarray(values).save(temporary, format="PNG")
        names.append(name)
    return names


def _write_brain(base: Path, name: str, brain: VolumePhantom, contrast: str) -> None:
    suffix = {"T1": "T1w"}.get(contrast, contrast)
    truth = base / "derivatives" / "lesions" / name / "anat" / f"{name}_label-lesion_mask.nii.gz"
    for path, values in (
        (base / name / "anat" / f"{name}_{suffix}.nii.gz", brain.values),
        (truth, brain.mask.astype(np.uint8)),
    ):
        _write_volume(path, values, brain.spacing_mm)


def _write_volume(path: Path, values: np.ndarray, spacing_mm: tuple[float, float, float]) -> None:
    origin = [-(n - 1) * s / 2 for n, s in zip(values.shape[::-1], spacing_mm[::-1], strict=True)]
    Volume(values, Grid.of_lps(values.shape, spacing_mm, origin)).write(values, path)
