"""visualize_sample: look at some records with their points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinetk.cases.folder import read_pixels
from spinetk.errors import InputError
from spinetk.formats.files import clean_name
from spinetk.formats.record import reading_of
from spinetk.report.overlay import draw, write_overlay
from spinetk.schema import schema_field

if TYPE_CHECKING:
    from spinetk.cases.catalog import Metadata


def visualize_sample(
    records: Sequence[Mapping[str, Any]],
    metadata: Metadata | None = None,
    n: int = 3,
    out: str | Path | None = None,
    seed: int | None = None,
) -> list[np.ndarray]:
    """Draw some records with their vertebrae; in a notebook the drawings appear below the cell.

    Args:
        records: As ``DatasetCatalog.get(...)`` gives them.
        metadata: As ``setup_catalogs`` gives it; its schema names the points. None takes each record's own.
        n: How many, chosen at random.
        out: Folder to write ``<image_id>.png`` to.
        seed: Of the choice; None chooses anew each time.

    Returns:
        (H, W, 3) RGB uint8 drawings.

    Raises:
        InputError: There is no record, or a picture cannot be read.
    """
    records = list(records)
    if not records:
        raise InputError("visualize_sample", "got no records", "see whether the part of the split is empty")
    chosen = np.random.default_rng(seed).choice(len(records), size=min(max(n, 1), len(records)), replace=False)
    drawings = []
    for index in sorted(chosen):
        record = dict(records[index])
        if metadata is not None:
            record["schema"] = schema_field(metadata.schema)
        pixels, reading = read_pixels(record), reading_of(record)
        picture = pixels if pixels.ndim == 2 else pixels[..., ::-1]
        drawings.append(draw(picture, reading))
        if out is not None:
            name = clean_name(str(record["image_id"]))
            write_overlay(Path(out) / f"{name}.png", picture, reading)
    if _in_notebook():
        _show(drawings)
    return drawings


def _in_notebook() -> bool:
    import sys

    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and shell.has_trait("kernel")


def _show(drawings: Sequence[np.ndarray]) -> None:
    import cv2
    from IPython.display import Image, display

    for drawing in drawings:
        display(Image(data=cv2.imencode(".png", drawing[..., ::-1])[1].tobytes()))
