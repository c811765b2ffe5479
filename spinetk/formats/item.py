"""CaseItem: one annotated picture of somebody's data set, as the importers hand it to ``prepare``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.schema import KeypointSchema
from spinetk.views import View


@dataclass
class CaseItem:
    """A picture file with its vertebrae.

    Attributes:
        picture: The file, inside the folder the user named.
        case: Proposed case name, derived from the file's place in that folder.
        schema: Meaning of the points.
        vertebrae: Truth, in px of the stored picture (pixel centres at integer + 0.5), head to foot.
        group: Patient (or whatever must not be torn apart by a split), or None when unknown.
        metadata: Entries for ``metadata.json``.
        frame: Spacing and orientation the annotations give, or None.
        view: Projection.
        size: (width, height) the annotations are about in px, or None when they do not say.
        remarks: What was left out or decided, one short sentence each.
    """

    picture: Path
    case: str
    schema: KeypointSchema
    vertebrae: list[Vertebra] = field(default_factory=list)
    group: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    frame: Frame | None = None
    view: View = "unknown"
    size: tuple[int, int] | None = None
    remarks: list[str] = field(default_factory=list)


def case_from(path: Path, root: Path) -> str:
    """A case name from a file's place below ``root``: ``sub-1/t2.png`` gives ``sub-1_t2``."""
    from spinetk.cases.folder import clean_name

    return clean_name("_".join(path.relative_to(root).with_suffix("").parts))


def picture_named(name: str, file: Path, folders: Sequence[Path]) -> Path:
    """The picture an entry of an annotation file means, never outside the set's own folders.

    Raises:
        InputError: The name leads out of the folders, or there is no such picture.
    """
    pure = Path(name.replace("\\", "/"))
    if not name or pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise InputError(file, f"field 'file_name' {name[:60]!r} leads out of the set", "use relative names")
    for folder in folders:
        for candidate in (folder / pure, folder / pure.name):
            if candidate.is_file() and candidate.resolve().is_relative_to(folder.resolve()):
                return candidate
    raise InputError(file, f"picture {name!r} is missing", "put the pictures beside the file or in 'images'")


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
    vertebrae = [replace(v, points=v.points[order], visible=v.visible[order]) for v in reading.vertebrae]
    return replace(reading, schema=schema, vertebrae=vertebrae)
