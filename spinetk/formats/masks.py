"""Instance masks of vertebral bodies: ``<stem>_label.png`` beside ``<stem>.png`` (or JPEG, TIFF, DICOM).

Each value of a label picture but 0 is one body; a picture with a single value that names no level is split into its
connected parts. An ``annotations.json`` at the top may give, per subject folder, ``spacing_mm`` and ``levels``, the
latter also once for all: "label 1..5 = L1..L5", or the table that the values are of (:data:`TABLES`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.anchor import SEQUENCE
from spinetk.errors import InputError
from spinetk.formats.files import natural_key, read_json
from spinetk.formats.item import CaseItem, case_from
from spinetk.formats.outline import six_points
from spinetk.formats.registry import Format, Source
from spinetk.geometry import Frame
from spinetk.images.guard import silent_stderr
from spinetk.measure.levels import SYSTEMS, name_of
from spinetk.schema import VERTEBRA6, KeypointSchema
from spinetk.vertebra import Vertebra

LABEL = "_label.png"
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm")
SMALLEST_PX = 40  # area of a body worth six points
SMALLEST_SHARE = 0.4  # of the median area: a body cut more than this by the border shows too little
LEAST_OVERLAP = 0.65  # Jaccard index of the mask and the hexagon of its points; waisted bodies have 0.75
TABLES = tuple(system for system in SYSTEMS if system != "sct_disc_above")
"""Whose numbers of levels values may be (:data:`spinetk.measure.levels.TABLE`)."""
RIVALS = {"totalsegmentator": "totalsegmentator_v3", "totalsegmentator_v3": "totalsegmentator"}
"""Tables that differ in one number, so that a mask does not show which it is of."""
LEAST_NUMBER = 8
"""Values from here on may be numbers of levels; single bodies are numbered from 1."""
RANGE = re.compile(r"labels?\s+(\d+)\.\.(\d+)\s*=\s*([A-Z])(\d+)\.\.", re.IGNORECASE)


def mask_items(source: str | Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The pictures of a folder tree that have a label picture beside them.

    Args:
        source: Any depth; the first folder level below it is the subject.
        schema: Any whose names are among those of ``vertebra6``, which is what None means.

    Yields:
        One item per picture, or the error that keeps it out.

    Raises:
        InputError: There is no label picture, or the schema has other points.
    """
    source, schema = Path(source), schema or VERTEBRA6
    if not set(schema.keypoints) <= set(VERTEBRA6.keypoints):
        raise InputError(f"schema {schema.name!r}", "has points a mask does not give", "use vertebra6 or vertebra4")
    labels = sorted(source.rglob(f"*{LABEL}"), key=lambda path: natural_key(str(path)))
    if not labels:
        raise InputError(source, f"holds no *{LABEL}", "each picture has its label picture beside it")
    notes = read_json(source / "annotations.json") if (source / "annotations.json").is_file() else {}
    for label in labels:
        try:
            yield _item(label, source, schema, notes if isinstance(notes, Mapping) else {})
        except InputError as error:
            yield error


def _item(label: Path, source: Path, schema: KeypointSchema, notes: Mapping[str, Any]) -> CaseItem:
    import cv2

    stem = label.name[: -len(LABEL)]
    picture = next((p for p in (label.with_name(stem + suffix) for suffix in PICTURES) if p.is_file()), None)
    if picture is None:
        raise InputError(label, "has no picture beside it", f"name the picture {stem}.png")
    try:
        with silent_stderr():
            mask = cv2.imdecode(np.fromfile(label, np.uint8), cv2.IMREAD_UNCHANGED) if label.stat().st_size else None
    except (OSError, cv2.error):
        mask = None
    if mask is None or mask.ndim != 2:
        raise InputError(label, "is not a grey label picture", "save one value per body, 0 as background")
    subject = label.relative_to(source).parts[0] if label.parent != source else None
    note = notes.get(subject, {}) if subject else {}
    if not isinstance(note, Mapping):
        fault = f"field {subject!r} is not a table of fields"
        raise InputError(source / "annotations.json", fault, "name each subject's fields in braces")
    frame = Frame.from_json({**note, "spacing_source": "annotations.json"}, str(source / "annotations.json"))
    mask, levels, said = _named(mask, str(note.get("levels") or notes.get("levels") or ""), source)
    vertebrae, remarks = vertebrae_of(mask, schema, levels)
    return CaseItem(
        picture=picture,
        case=case_from(picture, source),
        schema=schema,
        vertebrae=vertebrae,
        group=subject,
        metadata={} if subject is None else {"group": subject},
        frame=frame,
        view="sagittal",
        size=mask.shape[::-1],
        remarks=[*said, *remarks],
    )


def _named(mask: np.ndarray, text: str, source: Path) -> tuple[np.ndarray, dict[int, str], list[str]]:
    """A mask without what is no body by its table, the levels of its values, and what the user should know.

    Raises:
        InputError: ``text`` is one word and no table.
    """
    values = [int(v) for v in np.unique(mask) if v]
    if (levels := _levels(text)) or len(text.split()) != 1:
        if not text and len(values) > 1 and values[0] >= LEAST_NUMBER:
            many = f"values {values[0]} to {values[-1]} may be numbers of levels, and nothing says whose: none is named"
            return mask, {}, [f"{many} (give 'levels' in annotations.json: {', '.join(TABLES)})"]
        return mask, levels, []
    if text not in TABLES:
        remedy = f"use one of {', '.join(TABLES)}, or 'labels 1..5 = L1..L5'"
        raise InputError(source / "annotations.json", f"names no table of levels ({text[:40]!r})", remedy)
    names = {value: name_of(value, text) for value in values}
    levels = {value: name for value, name in names.items() if name in SEQUENCE and name != "S1"}
    remarks = []
    if other := RIVALS.get(text):
        for value, name in names.items():
            if name != (rival := name_of(value, other)):
                remarks.append(f"value {value} is {name} by {text}, {rival} by {other}: check which made the masks")
    if left := [f"{value} ({name or 'none'})" for value, name in names.items() if value not in levels]:
        remarks.append(f"values that are no bodies by {text} left out: {', '.join(left)}")
    return np.where(np.isin(mask, list(levels)), mask, 0), levels, remarks


def vertebrae_of(
    mask: np.ndarray, schema: KeypointSchema = VERTEBRA6, levels: Mapping[int, str] | None = None
) -> tuple[list[Vertebra], list[str]]:
    """The bodies of a label picture with their landmarks.

    A body cut by the picture's border keeps the points that are not at that border; with less than two fifths of the
    median area, or fewer than three points left, it is dropped. So is a shape that its own six points do not describe.

    Args:
        mask: (H, W) integers, 0 = background.
        schema: Names of the points wanted, among those of ``vertebra6``.
        levels: Level name of a mask value, where known.

    Returns:
        Vertebrae from head to foot and a remark for each body left out.
    """
    bodies, remarks = [], []
    levels = levels or {}
    values = [int(v) for v in np.unique(mask) if v]
    for body in _bodies(mask, values, split=len(values) == 1 and values[0] not in levels):
        if body.other >= max(SMALLEST_PX, SMALLEST_SHARE * body.area):
            remarks.append(
                f"body {body.value} has parts that do not touch: only the largest was taken, not one of "
                f"{body.other} px: give each body its own value"
            )
        if body.area < SMALLEST_PX:
            remarks.append(f"body {body.value} left out: only {body.area} px")
        else:
            bodies.append(body)
    bodies.sort(key=lambda body: body.centre[1])
    usual = float(np.median([body.area for body in bodies])) if bodies else 0.0
    vertebrae = []
    for n, body in enumerate(bodies):
        if body.cut.any() and body.area < SMALLEST_SHARE * usual:
            remarks.append(f"body {body.value} left out: cut by the border of the picture")
            continue
        above, below = bodies[max(n - 1, 0)].centre, bodies[min(n + 1, len(bodies) - 1)].centre
        try:
            points = six_points(body.mask, below - above if len(bodies) > 1 else np.array([0.0, 1.0]))
        except ValueError as error:
            remarks.append(f"body {body.value} left out: {error}")
            continue
        overlap = _overlap(body.mask, points)
        if overlap < LEAST_OVERLAP:
            remarks.append(f"body {body.value} left out: its six points describe only {100 * overlap:.0f} % of it")
            continue
        points += body.corner
        gaps = np.concatenate([points, mask.shape[::-1] - points], axis=1)
        visible = ~((gaps < 1.5) & body.cut).any(axis=1)
        if visible.sum() < 3:
            remarks.append(f"body {body.value} left out: cut by the border of the picture")
            continue
        low = np.minimum(points[visible].min(axis=0), body.corner)
        high = np.maximum(points[visible].max(axis=0), body.corner + body.mask.shape[::-1])
        order = [VERTEBRA6.index(name) for name in schema.keypoints]
        box = (*low.tolist(), *high.tolist())
        level = None if body.part else levels.get(body.value)
        vertebrae.append(Vertebra(points[order], visible[order], box, label=level))
    return vertebrae, remarks


@dataclass
class _Body:
    """A connected body: its value, the mask cut to its box, and where that lies in the picture; and the area of the
    largest other part of that value, which is left out. Where one value is split, ``value`` counts its parts."""

    value: int
    mask: np.ndarray
    corner: np.ndarray  # (x, y) of the box's upper left corner, px
    cut: np.ndarray  # (4,) bool: reaches the left, top, right, bottom border over more than one pixel
    other: int = 0  # px
    part: bool = False

    @property
    def area(self) -> int:
        return int(self.mask.sum())

    @property
    def centre(self) -> np.ndarray:
        rows, columns = np.nonzero(self.mask)
        return np.array([columns.mean(), rows.mean()]) + 0.5 + self.corner


def _bodies(mask: np.ndarray, values: Sequence[int], *, split: bool) -> Iterator[_Body]:
    """The largest connected part of each value, holes filled; every part of the only value that is to be ``split``."""
    import cv2
    from scipy.ndimage import binary_fill_holes

    for value in values:
        count, parts, stats, _ = cv2.connectedComponentsWithStats((mask == value).astype(np.uint8), connectivity=4)
        largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        others = [int(stats[part, cv2.CC_STAT_AREA]) for part in range(1, count) if part != largest]
        for part in range(1, count) if split else [largest]:
            x, y, width, height = (int(v) for v in stats[part, :4])
            body = binary_fill_holes(parts[y : y + height, x : x + width] == part)
            sides = [(x == 0, body[:, 0]), (y == 0, body[0])]
            sides += [(x + width == mask.shape[1], body[:, -1]), (y + height == mask.shape[0], body[-1])]
            cut = np.array([at_border and edge.sum() > 1 for at_border, edge in sides])
            corner = np.array([x, y], dtype=np.float64)
            left = 0 if split else max(others, default=0)
            yield _Body(part if split else value, body, corner, cut, left, split)


def _overlap(body: np.ndarray, points: np.ndarray) -> float:
    """Jaccard index of the body and the hexagon of its points (``vertebra6`` is a loop)."""
    import cv2

    drawn = np.zeros(body.shape, np.uint8)
    cv2.fillPoly(drawn, [np.round((points - 0.5) * 16).astype(np.int32)], 1, shift=4)
    return float((body & (drawn > 0)).sum() / (body | (drawn > 0)).sum())


def _levels(text: str) -> dict[int, str]:
    found = RANGE.search(text)
    if not found:
        return {}
    first, last, region, number = int(found[1]), int(found[2]), found[3].upper(), int(found[4])
    return {first + k: f"{region}{number + k}" for k in range(min(last - first + 1, 25))}


def _recognises(source: Source) -> bool:
    return source.path.is_dir() and next(source.path.rglob(f"*{LABEL}"), None) is not None


FORMAT = Format(
    name="masks",
    title="Masks of vertebral bodies",
    suffix=LABEL,
    media_type="image/png",
    read=mask_items,
    recognises=_recognises,
    holds=frozenset({"levels"}),
    origin="pixels; points are found between their centres, to about half a pixel",
    documented="any segmentation program that saves label pictures",
    source="docs/how-to/formats.md",
)
