"""CaseItem: one annotated picture of somebody's data set, as the importers hand it to ``prepare``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spinetk.geometry import Frame
from spinetk.reading import Vertebra, View
from spinetk.schema import KeypointSchema


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
