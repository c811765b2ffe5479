"""CaseItem: one annotated picture of somebody's data set, as every reader of a format hands it on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.fields import check_share
from spinetk.formats.files import clean_name
from spinetk.formats.names import case_source
from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.reading import Reading
from spinetk.ruler import Ruler
from spinetk.schema import KeypointSchema
from spinetk.upright import Upright
from spinetk.vertebra import Vertebra
from spinetk.views import View

if TYPE_CHECKING:
    from spinetk.images import Picture

OTHER_PIXELS = "its pixels are not those that were read: check that it is the same picture"
TURNED_BACK = "annotated as EXIF turns it: the points were turned back to the picture as stored"
AS_STORED = "EXIF turns the picture; its annotation was taken to be about it as stored"
# Label Studio puts this before the name of an uploaded file.
UPLOAD = re.compile(r"^[0-9a-f]{8}-")


@dataclass
class CaseItem:
    """A picture file with its vertebrae.

    Attributes:
        picture: The file, inside the folder the user named; its name alone where ``missing`` says that it is not there.
        case: Proposed case name, derived from the file's place in that folder.
        schema: Meaning of the points.
        vertebrae: In px of the stored picture (pixel centres at integer + 0.5), head to foot.
        landmarks: First sacral endplate and femoral heads, where they were annotated.
        extras: Other structures by name (``clavicle_left``, ``sacrum``): (N, 2) points in px.
        rulers: Lengths and angles that a reader has drawn, in px.
        interval_scale: Factors of the network's intervals by kind (:attr:`spinetk.reading.Reading.interval_scale`).
        group: Patient (or whatever must not be torn apart by a split), or None when unknown.
        origin: Keyed hashes of where it came from, as a case folder noted them (:mod:`spinetk.cases.groups`).
        day: Of the picture on the scale of its patient, as a case folder noted it (:mod:`spinetk.cases.days`).
        metadata: Entries for ``metadata.json``.
        frame: Spacing and orientation the annotations give, or None.
        view: Projection.
        size: (width, height) the annotations are about in px, or None when they do not say.
        annotator: Who set the points, where a file holds the work of several; else None.
        rank: 0 for the reading of the picture that counts; 1, 2, ... for further ones (other annotators or versions).
        model: The network whose points these are, or None.
        slice: Place of the slice or frame it is about, of a volume or series (:attr:`spinetk.reading.Reading.slice`);
            None for the one that is read where none is named.
        series: Which of several series it is about, or None.
        remarks: What was left out or decided, one short sentence each.
        missing: Why the picture cannot be used, or None.
        pixels_sha256, stored_sha256: Of the picture that was annotated (:class:`spinetk.reading.Reading`), or None.
    """

    picture: Path
    case: str
    schema: KeypointSchema
    vertebrae: list[Vertebra] = field(default_factory=list)
    landmarks: list[Landmark] = field(default_factory=list)
    extras: dict[str, np.ndarray] = field(default_factory=dict)
    rulers: list[Ruler] = field(default_factory=list)
    interval_scale: dict[str, float] = field(default_factory=dict)
    group: str | None = None
    origin: list[str] = field(default_factory=list)
    day: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    frame: Frame | None = None
    view: View = "unknown"
    size: tuple[int, int] | None = None
    annotator: str | None = None
    rank: int = 0
    model: str | None = None
    slice: int | None = None
    series: str | None = None
    facing: Facing | None = None
    not_graded: str | None = None
    threshold: float | None = None
    label_probability: float | None = None
    remarks: list[str] = field(default_factory=list)
    missing: InputError | None = None
    pixels_sha256: str | None = None
    stored_sha256: str | None = None

    def shown(self) -> Picture:
        """The picture that was annotated: of a volume the same slice, of several series the same one.

        Raises:
            InputError: It cannot be read, or has no such slice or series.
        """
        from spinetk.images import read_picture

        return read_picture(
            self.picture, slice_choice=self.slice if self.slice is not None else "central", series=self.series
        )

    def reading(self) -> Reading:
        """The annotation as a reading.

        Raises:
            InputError: The annotations do not say how large their picture is, and it is not there to be looked at.
        """
        from spinetk.images import to_uint8
        from spinetk.images.source import is_same

        size, frame, view = self.size, self.frame or Frame(), self.view
        number = None
        remarks = list(self.remarks)
        if self.missing is None:
            picture = self.shown()
            number = picture.frame_number
            digested = self.pixels_sha256 is not None  # else a picture need not be windowed for it
            if digested and not is_same(picture, to_uint8(picture.pixels, picture.padding), self):
                remarks.append(OTHER_PIXELS)
            # What a report was written from said its picture's remarks already.
            known = [remark for remark in picture.remarks if remark not in remarks]
            if picture.frame.exif_orientation >= 5 and size == (picture.height, picture.width):
                return self._as_stored(picture, [*remarks, *known])
            if size is not None and picture.frame.exif_orientation != 1:
                # Turned by 180 degrees or mirrored, it has the same size.
                remarks.append(AS_STORED)
            if size is not None and size != (picture.width, picture.height):
                fault = f"has {picture.width} x {picture.height} px, its annotation is about {size[0]} x {size[1]} px"
                raise InputError(self.picture, fault, "give the picture that was annotated")
            size = (picture.width, picture.height)
            view = picture.view if picture.view != "unknown" else view
            frame = _completed(frame, picture.frame)
            remarks += known
        elif size is None:
            raise self.missing
        return Reading(
            file=str(self.picture),
            height=size[1],
            width=size[0],
            schema=self.schema,
            vertebrae=self.vertebrae,
            landmarks=self.landmarks,
            extras=self.extras,
            rulers=self.rulers,
            interval_scale=self.interval_scale,
            frame=frame,
            view=view,
            model=self.model,
            slice=self.slice,
            frame_number=number,
            series=self.series,
            pixels_sha256=self.pixels_sha256,
            stored_sha256=self.stored_sha256,
            facing=self.facing,
            not_graded=self.not_graded,
            threshold=self.threshold,
            label_probability=self.label_probability,
            remarks=remarks,
        )

    def _as_stored(self, picture: Picture, remarks: list[str]) -> Reading:
        """An annotation of the picture as EXIF turns it, in px of the picture as stored."""
        number, stored, turned = picture.frame.exif_orientation, (picture.height, picture.width), picture.pixels.T.shape
        way = Upright(stored, picture.frame, number, turned, picture.frame.turned(number))
        height, width = turned
        about = Reading(str(self.picture), height, width, self.schema, self.vertebrae, view=self.view, model=self.model)
        about.landmarks, about.extras, about.rulers = self.landmarks, self.extras, self.rulers
        about.interval_scale, about.facing, about.not_graded = self.interval_scale, self.facing, self.not_graded
        about.threshold, about.label_probability = self.threshold, self.label_probability
        remarks.append(TURNED_BACK)
        return replace(about.stored(way), remarks=remarks)


def _completed(own: Frame, picture: Frame) -> Frame:
    """The frame that annotations bring, and what they leave open as the file of the picture says it."""
    if own.spacing_mm is None:
        own = replace(own, spacing_mm=picture.spacing_mm, spacing_source=picture.spacing_source)
        own = own if own.pixel_aspect is not None else replace(own, pixel_aspect=picture.pixel_aspect)
    if own.toward_right is None and own.toward_bottom is None:
        own = replace(own, toward_right=picture.toward_right, toward_bottom=picture.toward_bottom)
    return own if own.exif_orientation != 1 else replace(own, exif_orientation=picture.exif_orientation)


def judged(content: Mapping[str, Any], source: str) -> dict[str, Any]:
    """What a format keeps of a reading beside its points: fields of :class:`CaseItem` from those of a JSON.

    Raises:
        InputError: One of them is malformed.
    """
    facing, refusal = content.get("facing"), content.get("not_graded")
    numbers = {name: content.get(name) for name in ("threshold", "label_probability")}
    for name, value in numbers.items():
        check_share(value, name, source)
    try:
        front = None if facing is None else Facing.from_json(facing, source)
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(source, "field 'facing' is malformed", "mend or remove it") from error
    return {"facing": front, "not_graded": None if refusal is None else str(refusal), **numbers}


def case_from(path: Path, root: Path) -> str:
    """A case name from a file's place below ``root``: ``sub-1/t2.png`` gives ``sub-1_t2``."""
    return clean_name("_".join(path.relative_to(root).with_suffix("").parts))


def parts_of(name: str) -> list[str]:
    """The parts of a path that a file names, without what leads elsewhere: drives, roots, steps up."""
    parts = PurePosixPath(name.rpartition("?d=")[2].replace("\\", "/")).parts  # Label Studio's local files
    return [part for part in parts if part not in ("/", "//", "..", ".") and not part.endswith(":")]


def case_named(name: str) -> str:
    """A case name from a picture's name in an annotation file: ``sub-1/t2.png`` gives ``sub-1_t2``."""
    return clean_name("_".join(PurePosixPath("/".join(parts_of(name)) or "case").with_suffix("").parts))


def picture_named(name: str, file: Path, folders: Sequence[Path]) -> Path:
    """The picture an entry of an annotation file means, never outside the set's own folders.

    Tools write the places of their own server (``/data/upload/3/a.png``, or paths that climb): the longest end of such
    a path that exists in one of the folders is the picture. In a case folder ``CASE.png`` is that of the case.

    Raises:
        InputError: There is no such picture.
    """
    parts = parts_of(name)
    if not parts or "\0" in name:
        raise InputError(file, f"has an entry without a picture ({name[:60]!r})", "export it with its pictures")
    candidates = [(folder, folder.joinpath(*parts[start:])) for start in range(len(parts)) for folder in folders]
    if parts[-1].endswith(".png"):
        candidates += [(folder, case_source(parts[-1], folder)) for folder in folders]
    for folder, candidate in candidates:
        try:
            if candidate.is_file() and candidate.resolve().is_relative_to(folder.resolve()):
                return candidate
        except (OSError, ValueError):  # a name no file can have
            continue
    raise InputError(file, f"picture {parts[-1][:120]!r} is missing", "put the pictures beside the file or in 'images'")


class Pictures:
    """The pictures of one annotation file; two entries of different names may not mean one picture."""

    def __init__(self, file: Path, *folders: Path) -> None:
        self.file = file
        self.folders = folders or (file.parent, file.parent / "images")
        self._names: dict[Path, str] = {}

    def find(self, *names: str) -> tuple[Path, InputError | None]:
        """The first of these names that is there; else the first name alone, and what is wrong."""
        fault: InputError | None = None
        for name in names:
            try:
                found = picture_named(name, self.file, self.folders)
            except InputError as error:
                fault = fault or error
                continue
            if self._names.setdefault(found, names[0]) != names[0]:
                fault = InputError(
                    self.file,
                    f"has the pictures {self._names[found][:80]!r} and {names[0][:80]!r}, and only one {found.name}",
                    "keep the folders of the export",
                )
                return found, fault
            return found, None
        plain = names[0].replace("\\", "/").rpartition("/")[2] if names else ""
        return Path(plain or "unnamed"), fault


def in_schema(reading: Reading, schema: KeypointSchema | None, file: Path) -> Reading:
    """The reading with the points of ``schema``, which must be among its own; None keeps them all.

    Raises:
        InputError: The schema has other points.
    """
    if schema is None or schema.keypoints == reading.schema.keypoints:
        return reading
    if not set(schema.keypoints) <= set(reading.schema.keypoints):
        raise InputError(file, f"has no points for schema {schema.name!r}", "annotate them or use another schema")
    order = [reading.schema.index(name) for name in schema.keypoints]
    vertebrae = [
        replace(
            v,
            points=v.points[order],
            visible=v.visible[order],
            point_sigma_px=None if v.point_sigma_px is None else np.asarray(v.point_sigma_px)[order],
        )
        for v in reading.vertebrae
    ]
    return replace(reading, schema=schema, vertebrae=vertebrae)
