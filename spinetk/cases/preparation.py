"""prepare: somebody's annotated pictures become a case folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import write_json
from spinetk.cases.days import day_of
from spinetk.cases.folder import CaseFolder, write_record
from spinetk.cases.groups import GROUP, origin_of, salt_of, strongest
from spinetk.cases.outlines import said_of
from spinetk.errors import InputError
from spinetk.formats.files import METADATA, read_json, read_metadata, write_metadata
from spinetk.formats.item import OTHER_PIXELS, CaseItem
from spinetk.formats.record import Record, record_of
from spinetk.formats.registry import read, readable
from spinetk.geometry import Frame, turn
from spinetk.images import Picture, to_uint8
from spinetk.images.digest import of_file
from spinetk.images.picture import pixel_hash
from spinetk.images.source import is_same
from spinetk.images.spacing import contradiction
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema, get_schema

RECIPE = 1  # raise it when the same input gives other files


@dataclass
class PreparedSet:
    """What ``prepare`` did.

    Attributes:
        base: The case folder.
        cases: Every case of the source that is there now, new or not.
        written: Those written by this run; the others were there already.
        failures: One error per picture that was left out.
        remarks: What was decided about single vertebrae or groups.
    """

    base: Path
    cases: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    failures: list[InputError] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def prepare(
    source: str | Path,
    destination: str | Path,
    *,
    layout: str | None = None,
    width: int | None = None,
    spacing_mm: tuple[float, float] | None = None,
    schema: str | Path | KeypointSchema | None = None,
    progress: bool = True,
) -> PreparedSet:
    """Write a case folder from annotated pictures (PNG, JPEG, TIFF, DICOM).

    Pictures become 8-bit by the window of the original (:func:`spinetk.images.to_uint8`), as stored; where they lie
    turned, the frame in the JSON says so and training turns them. A case that is there already
    from the same picture, annotation and settings is kept as it is, with whatever was corrected in it; one whose input
    changed is written anew and loses its augmented copies. Entries of ``metadata.json`` that exist are kept.

    Args:
        source: A folder, or the file of an annotation program.
        destination: The case folder to make or add to.
        layout: Name of a format (:func:`spinetk.formats.registry.readable`), e.g. ``ours`` (a JSON beside each
            picture), ``coco`` or ``cvat``; None looks.
        width: Width in px to resize every picture to (the original used 800); points and spacing follow. None keeps
            the size.
        spacing_mm: The user's own (row, column) spacing of the stored pictures; wins over headers and annotations.
        schema: Points to write; None means ``vertebra4`` for AASCE, ``vertebra6`` for masks, else what
            the files say.
        progress: Whether to show a bar.

    Returns:
        The cases, and what was left out.

    Raises:
        InputError: The source as a whole, or a setting, cannot be used.
    """
    from tqdm import tqdm

    source, destination = Path(source), Path(destination)
    if not source.exists():
        raise InputError(source, "does not exist", "give the folder of pictures and annotations")
    check_width(width)
    frame = None if spacing_mm is None else Frame(spacing_mm=spacing_mm, spacing_source="user")
    items = list(read(source, layout, None if schema is None else get_schema(schema)))
    if not items:
        raise InputError(source, "holds no annotated picture", f"layouts are {', '.join(readable())}")
    destination.mkdir(parents=True, exist_ok=True)
    metadata = read_metadata(destination)
    result = PreparedSet(destination)
    groups = _Groups()
    used: set[str] = set()
    try:
        for item in tqdm(items, desc="prepare", unit="picture", disable=not progress):
            if isinstance(item, InputError):
                result.failures.append(item)
                continue
            if item.missing is not None:
                result.failures.append(item.missing)
                continue
            if item.rank:
                result.remarks.append(f"{item.case}: a further reading{_by(item)} was left out (see `spinetk agree`)")
                continue
            case = _unique(_case_name(item, destination), used)
            try:
                record, new = _prepare_one(item, case, destination, width, frame)
            except InputError as error:
                result.failures.append(error)
                continue
            result.cases.append(case)
            if new:
                result.written.append(case)
            result.remarks += [f"{case}: {remark}" for remark in item.remarks]
            entry = dict(item.metadata)
            group = item.group or strongest(record.get("origin") or [])
            if group is not None:
                first = groups.join(record["pixels_sha256"], group)
                if first is not None:
                    result.remarks.append(f"{case}: the same picture is in group {first}; the groups are made one")
                entry[GROUP] = group
            metadata[case] = {**entry, **metadata.get(case, {})}
    finally:
        for entry in metadata.values():
            if isinstance(entry.get(GROUP), str):
                entry[GROUP] = groups.whole(entry[GROUP])
        if metadata:
            write_metadata(destination, metadata)
    return result


def _prepare_one(
    item: CaseItem, case: str, destination: Path, width: int | None, user: Frame | None
) -> tuple[Record, bool]:
    """The record of a case and whether it had to be written."""
    path = CaseFolder(destination).source(case)
    digest = _digest(item, width, user)
    origin = item.origin or origin_of(item.picture, salt_of(destination))
    if path.exists() and path.with_suffix(".png").exists():
        there = read_json(path)
        if isinstance(there, dict) and there.get("prepared_from") == digest and "pixels_sha256" in there:
            if origin and not there.get("origin"):  # made before cases noted it
                there["origin"] = origin
                write_json(path, there)
            return there, False
    picture = item.shown()
    if picture.burned_in:
        item.remarks.append("its header says that text is burned into the pixels: see that it names nobody")
    pixels, frame = _as_annotated(picture, item, _frame(picture, item, user))
    reading = Reading(
        file=path.with_suffix(".png").name,
        height=pixels.shape[0],
        width=pixels.shape[1],
        schema=item.schema,
        vertebrae=item.vertebrae,
        landmarks=item.landmarks,
        extras=item.extras,
        rulers=item.rulers,
        facing=item.facing,
        frame=frame,
        view=picture.view if picture.view != "unknown" else item.view,
    )
    if width is not None:
        pixels, reading = resized(pixels, reading, width)
    record = record_of(
        reading,
        f"{case}-src-0",
        case=case,
        augmentation=0,
        modality=picture.modality,
        prepared_from=digest,
        pixels_sha256=pixel_hash(pixels),
        origin=origin or None,
        day=item.day if item.origin else day_of(item.picture, salt_of(destination)),
    )
    lost = len(item.vertebrae) - len(record["annotations"])
    if lost:
        item.remarks.append(f"{lost} vertebrae outside the picture left out")
    item.remarks += said_of([reading])
    if not record["annotations"]:
        item.remarks.append("no vertebra is left: a training takes it for a picture that shows none")
    write_record(path, record, pixels)
    # Copies of the picture that was here before would contradict the new one.
    shutil.rmtree(path.parents[2] / "augs", ignore_errors=True)
    return record, True


def _as_annotated(picture: Picture, item: CaseItem, frame: Frame) -> tuple[np.ndarray, Frame]:
    """The picture in the px of its annotation: as stored, or as EXIF turns it where only that has the right size."""
    pixels, exif = to_uint8(picture.pixels, picture.padding), frame.exif_orientation
    size = picture.width, picture.height
    if not is_same(picture, pixels, item):
        item.remarks.append(OTHER_PIXELS)
    if item.size is None or item.size == size:
        if exif != 1:
            item.remarks.append("its annotation was taken to be about the picture as stored, not as EXIF turns it")
        return pixels, frame
    if exif >= 5 and item.size == size[::-1]:
        return turn(pixels, exif), frame.turned(exif)
    fault = f"has {size[0]} x {size[1]} px, its annotation is about {item.size[0]} x {item.size[1]} px"
    raise InputError(item.picture, fault, "give the picture that was annotated")


def check_width(width: int | None) -> None:
    """Raise ``InputError`` for a width in px that no picture can be given; None leaves each as it is."""
    if width is not None and not 16 <= width <= 16384:
        raise InputError("width", f"{width} px is not between 16 and 16384", "the original used 800")


def resized(pixels: np.ndarray, reading: Reading, width: int) -> tuple[np.ndarray, Reading]:
    """Picture and points at another width; the height follows, rounded to whole px, and so does the spacing."""
    import cv2

    height = max(1, round(reading.height * width / reading.width))
    way = cv2.INTER_AREA if width < reading.width else cv2.INTER_CUBIC
    return cv2.resize(pixels, (width, height), interpolation=way), reading.resized(height, width)


def _frame(picture: Picture, item: CaseItem, user: Frame | None) -> Frame:
    frame, noted = picture.frame, item.frame
    if noted is not None and frame.toward_right is None:
        frame = replace(frame, toward_right=noted.toward_right, toward_bottom=noted.toward_bottom)
    for better in (user, noted):
        if better is not None and better.spacing_mm is not None:
            item.remarks += contradiction(better, frame)
            return replace(frame, spacing_mm=better.spacing_mm, spacing_source=better.spacing_source, pixel_aspect=None)
    return frame


def _digest(item: CaseItem, width: int | None, user: Frame | None) -> str:
    """Changes whenever the case file would."""
    settings: dict[str, Any] = {
        "recipe": RECIPE,
        "schema": item.schema.to_json(),
        "vertebrae": [[v.points.tolist(), v.visible.tolist(), list(v.bbox), v.label] for v in item.vertebrae],
        "frames": [None if f is None else f.to_json() for f in (item.frame, user)],
        "view": item.view,
        "width": width,
    }
    if item.slice is not None or item.series is not None:
        settings["place"] = [item.slice, item.series]
    if item.facing is not None:
        settings["facing"] = item.facing.to_json()
    if item.rulers:
        settings["rulers"] = [ruler.to_json() for ruler in item.rulers]
    if item.extras or item.landmarks:
        settings["extras"] = {name: points.tolist() for name, points in item.extras.items()}
        settings["landmarks"] = [landmark.to_json() for landmark in item.landmarks]
    try:
        file = of_file(item.picture)
    except OSError as error:
        raise InputError(item.picture, "cannot be read", "check the path and its permissions") from error
    file.update(json.dumps(settings, sort_keys=True).encode())
    return file.hexdigest()


def _by(item: CaseItem) -> str:
    return f" (by {item.annotator})" if item.annotator else ""


def _case_name(item: CaseItem, destination: Path) -> str:
    """DICOM files often bear the patient's name: their cases get a hash."""
    from spinetk.images.identity import case_id
    from spinetk.images.kind import sniff

    try:
        if sniff(item.picture) != "dicom":
            return item.case
        return case_id(item.picture, salt_of(destination))
    except (InputError, OSError):
        return item.case  # the reader says what is wrong


def _unique(name: str, used: set[str]) -> str:
    # Compared without case: on some systems "A" and "a" are one folder.
    number, candidate = 1, name
    while candidate.casefold() in used or candidate == METADATA:
        number += 1
        candidate = f"{name}-{number}"
    used.add(candidate.casefold())
    return candidate


class _Groups:
    """Groups that hold the same picture, which are one."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._same: dict[str, str] = {}

    def join(self, digest: str, group: str) -> str | None:
        """Note a picture of a group; the other group that has it, where the two were not one yet."""
        first = self._first.setdefault(digest, group)
        if self.whole(first) == self.whole(group):
            return None
        self._same[self.whole(group)] = self.whole(first)
        return first

    def whole(self, group: str) -> str:
        """The group that a group has become."""
        while group in self._same:
            group = self._same[group]
        return group
