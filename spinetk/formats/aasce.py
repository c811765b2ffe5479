"""AASCE 2019 / BoostNet folders: AP radiographs with four corners of the 17 vertebrae T1..L5.

``data/<part>/<file>.jpg`` with ``labels/<part>/<file>.mat``, whose ``p2`` is (68, 2): x and y in px of top left, top
right, bottom left, bottom right of T1, then T2, ... Where there are no .mat files, row i of ``landmarks.csv`` beside
row i of ``filenames.csv`` holds the 68 x and then the 68 y, as shares of the width and the height. The values are taken
as they stand: nothing in the set says whether its pixel counting starts at 0, 0.5 or 1, and its reading error is
several px.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.formats.files import clean_name
from spinetk.formats.item import CaseItem
from spinetk.formats.registry import Format, Source
from spinetk.schema import VERTEBRA4, KeypointSchema
from spinetk.vertebra import Vertebra

LEVELS = (*(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6)))
CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")
SUFFIXES = (".jpg", ".jpeg", ".png")
# "sunhl-1th-02-Jan-2017-162 A AP.jpg": day of labelling, patient, film. The number runs on over the days and one
# number's letters may spread over two days, so the number alone names the patient.
PATIENT = re.compile(r"-(\d+) [A-Z] AP\b")


def aasce_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The radiographs of an AASCE folder.

    Args:
        source: The folder with ``data`` and ``labels``.
        schema: Any whose names are corners, or middles of endplates (then halfway along them). None: ``vertebra4``.

    Yields:
        One item per radiograph, or the error that keeps it out. Metadata: ``group`` (patient, from the file name),
        ``cobb_degrees`` (the set's three angles) and ``qc_flags`` where ``qc_flags.csv`` has one.

    Raises:
        InputError: The folder has another layout, or the schema has other points.
    """
    source, schema = Path(source), schema or VERTEBRA4
    if not set(schema.keypoints) <= {*CORNERS, "top_middle", "bottom_middle"}:
        raise InputError(f"schema {schema.name!r}", "has points AASCE does not give", "use vertebra4 or vertebra6")
    parts = [p for p in sorted((source / "data").glob("*")) if (source / "labels" / p.name).is_dir()]
    if not parts:
        raise InputError(source, "is not an AASCE folder", "it holds data/<part>/*.jpg and labels/<part>/*.mat")
    flags = _table(source / "qc_flags.csv")
    for part in parts:
        labels = source / "labels" / part.name
        angles, rows = _by_file(labels, "angles.csv", 3), _by_file(labels, "landmarks.csv", 8 * len(LEVELS))
        for picture in sorted(p for p in part.iterdir() if p.suffix.lower() in SUFFIXES):
            try:
                mat = labels / f"{picture.name}.mat"
                points = _corners(mat) if mat.exists() or not rows else _shares(rows, picture, labels)
            except InputError as error:
                yield error
                continue
            item = CaseItem(picture, _case(picture, part.name, len(parts)), schema, group=_patient(picture), view="ap")
            points, mended = in_order(points)
            item.vertebrae = [
                Vertebra.from_points(_named(corners, schema), label=level)
                for corners, level in zip(points, LEVELS, strict=True)
            ]
            if mended:
                item.remarks.append("labels put in order: " + ", ".join(mended))
            item.metadata = {"group": item.group}
            if picture.name in angles:
                item.metadata["cobb_degrees"] = angles[picture.name]
            flagged = flags.get((part.name, picture.name), {}).get("flags")
            if flagged:
                item.metadata["qc_flags"] = flagged.split("|")
            yield item


def _case(picture: Path, part: str, parts: int) -> str:
    return clean_name(picture.stem if parts == 1 else f"{part}_{picture.stem}")


def _patient(picture: Path) -> str:
    found = PATIENT.search(picture.name)
    return found.group(1) if found else picture.stem


def _corners(path: Path) -> np.ndarray:
    """(17, 4, 2) corners in the order of CORNERS, px."""
    from scipy.io import loadmat

    if not path.is_file():
        raise InputError(path, "is missing", "every radiograph has its .mat in labels")
    try:
        points = np.asarray(loadmat(path, variable_names=["p2"])["p2"], dtype=np.float64)
    except Exception as error:  # a damaged .mat raises whatever its bytes lead to
        raise InputError(path, "holds no readable p2", "fetch the label file again") from error
    if points.shape != (4 * len(LEVELS), 2) or not np.isfinite(points).all():
        fault = f"p2 is {points.shape}, not {(4 * len(LEVELS), 2)} finite numbers"
        raise InputError(path, fault, "fetch the label file again")
    return points.reshape(len(LEVELS), 4, 2)


def in_order(points: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Put vertebrae head to foot, and corners on the side their names say.

    In some files of the set the lowest list entry is the uppermost vertebra, or a body has its sides exchanged.

    Args:
        points: (N, 4, 2) corners in the order of CORNERS, px.

    Returns:
        The same points in order, and what was out of order.
    """
    order = np.argsort(points[..., 1].mean(axis=1), kind="stable")
    mended = [] if (order == np.arange(len(order))).all() else ["vertebrae"]
    points = points[order]
    for n, corners in enumerate(points):
        left, right = corners[[0, 2]], corners[[1, 3]]
        if (left[:, 0] > right[:, 0]).all():
            points[n] = corners = corners[[1, 0, 3, 2]]
            mended.append(f"left and right of {LEVELS[n]}")
        top, bottom = corners[:2], corners[2:]
        if (top[:, 1] > bottom[:, 1]).all():
            points[n] = corners[[2, 3, 0, 1]]
            mended.append(f"top and bottom of {LEVELS[n]}")
    return points, mended


def _named(corners: np.ndarray, schema: KeypointSchema) -> np.ndarray:
    points = dict(zip(CORNERS, corners, strict=True))
    for edge in ("top", "bottom"):
        points[f"{edge}_middle"] = (points[f"{edge}_left"] + points[f"{edge}_right"]) / 2
    return np.stack([points[name] for name in schema.keypoints])


def _shares(rows: dict[str, list[float]], picture: Path, labels: Path) -> np.ndarray:
    """(17, 4, 2) corners in px, from their shares of the picture's size."""
    from spinetk.images import read_picture

    if picture.name not in rows:
        raise InputError(labels / "landmarks.csv", f"has no row of {picture.name}", "fetch the label files again")
    shares = np.array(rows[picture.name], np.float64).reshape(2, len(LEVELS), 4)
    if not (np.isfinite(shares).all() and (np.abs(shares) <= 2).all()):
        raise InputError(labels / "landmarks.csv", f"row of {picture.name} holds no shares", "fetch it again")
    seen = read_picture(picture)
    return np.stack([shares[0] * seen.width, shares[1] * seen.height], axis=-1)


def _by_file(labels: Path, table: str, count: int) -> dict[str, list[float]]:
    """Rows of a table by file: row i belongs to row i of filenames.csv."""
    names, path = labels / "filenames.csv", labels / table
    if not (names.is_file() and path.is_file()):
        return {}
    try:
        files = [line.strip() for line in names.read_text(encoding="utf-8-sig").splitlines()]
        rows = path.read_text(encoding="utf-8-sig").splitlines()
        found = {file: [float(v) for v in row.split(",")] for file, row in zip(files, rows, strict=True)}
        if any(len(row) != count for row in found.values()):
            raise ValueError("length")
    except ValueError as error:
        raise InputError(path, "does not fit filenames.csv", f"one row of {count} numbers per file") from error
    return found


def _table(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    if not path.is_file():
        return {}
    with open(path, encoding="utf-8", newline="") as stream:
        return {(row.get("split", ""), row.get("file", "")): row for row in csv.DictReader(stream)}


def _recognises(source: Source) -> bool:
    return (source.path / "data").is_dir() and (source.path / "labels").is_dir()


FORMAT = Format(
    name="aasce",
    title="AASCE 2019 / BoostNet folder",
    suffix=".mat",
    media_type="application/octet-stream",
    read=aasce_items,
    recognises=_recognises,
    holds=frozenset({"levels"}),
    origin="not said by the set, whose reading error is several px: taken as it stands",
    tools="AASCE 2019 (SpineWeb set 16)",
    source="Wu H. et al., MICCAI 2017",
)
