"""Centres of vertebrae and discs in a volume: VerSe's centroid JSON, and point labels of the Spinal Cord Toolbox.

Both count voxels from the centre of the first one (0, 0, 0). VerSe's are about the volume turned to the axes that
``direction`` names, SCT's about the volume as stored, and there the figure is that of a vertebra or of a disc (3 is
C2/C3), which only the name of the file tells. The points are projected into the slice that
:func:`spinetk.images.read_picture` shows; a vertebra has one point, ``centre``: levels and places, but no heights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.anchor import SEQUENCE
from spinetk.errors import InputError
from spinetk.formats.files import clean_name, read_json
from spinetk.formats.item import CaseItem
from spinetk.formats.registry import Format, Source
from spinetk.formats.shapes import Shape, assemble
from spinetk.measure.levels import name_of
from spinetk.schema import KeypointSchema

CENTRE = KeypointSchema("centre", ("centre",))
CENTROIDS = "_ctd.json"
VOLUMES = (".nii.gz", ".nii")
# What SCT and its data sets call files of points; "disc" among it makes the figures those of discs.
LABELS = ("_labels-disc-manual", "_labels-disc", "_label-disc_dlabel", "_labels-vert", "_label-vert_dlabel", "_discs")
MOST_LABEL_VOXELS = 20_000
OTHERS = {27: "coccyx"}
"""Of VerSe's labels, what is no vertebra."""

UNKNOWN = "label "
"""Begins the name of a label that is neither a vertebra nor a disc, such as SCT's 49 and 50 for the brainstem."""


def is_centroids(content: Any) -> bool:
    """Whether JSON content is a list of VerSe's centroids."""
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], dict)
        and isinstance(content[0].get("direction"), list)
        and all(isinstance(entry, dict) for entry in content)
    )


def verse_items(source: Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The volumes of VerSe centroid files.

    Args:
        source: A ``*_ctd.json``, with its ``*_ct.nii.gz`` (or another volume whose name begins so) beside it or in
            the ``rawdata`` of the same data set; or a folder of any depth.
        schema: Must be None or have the one point ``centre``.

    Yields:
        One item per file, or the error that keeps it out.

    Raises:
        InputError: There is no such file.
    """
    files = [source] if source.is_file() else sorted(source.rglob(f"*{CENTROIDS}"))
    if not files:
        raise InputError(source, f"holds no *{CENTROIDS}", "give VerSe's centroid files")
    for file in files:
        try:
            _check(schema)
            yield _verse_item(file)
        except InputError as error:
            yield error


def _check(schema: KeypointSchema | None) -> None:
    if schema is not None and schema.keypoints != CENTRE.keypoints:
        raise InputError(f"schema {schema.name!r}", "has points that centroids do not give", "leave --schema out")


def _verse_item(file: Path) -> CaseItem:
    content = read_json(file)
    if not is_centroids(content):
        raise InputError(file, "is not a list of centroids", "it begins with the 'direction' of its axes")
    volume = _volume_of(file, file.name.removesuffix(CENTROIDS).split("_seg")[0].split("_desc")[0])
    places, names, shapes = [], [], _Volume(volume)
    axes = shapes.axes_of(content[0]["direction"], file)
    for number, entry in enumerate(content[1:], start=1):
        try:
            level = name_of(int(entry["label"]), "verse")
            place = [float(entry[axis]) for axis in "XYZ"]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(file, f"entry {number} has no label, X, Y and Z", "fetch the file again") from error
        places.append(place)
        names.append(level or OTHERS.get(int(entry["label"])) or f"{UNKNOWN}{entry['label']}")
    index = shapes.stored_index(np.array(places, np.float64).reshape(-1, 3), axes, file)
    return shapes.item(file, file.name.removesuffix(CENTROIDS), index, names)


def sct_items(source: Path, schema: KeypointSchema | None = None) -> Iterator[CaseItem | InputError]:
    """The volumes of point labels of the Spinal Cord Toolbox: small volumes with a voxel a level.

    Args:
        source: A label file, with its volume beside it or at the same place of the BIDS set it belongs to; or a folder
            of any depth.
        schema: Must be None or have the one point ``centre``.

    Yields:
        One item per file, or the error that keeps it out. Discs are extras (``disc_C2_C3``).

    Raises:
        InputError: There is no such file.
    """
    files = [source] if source.is_file() else sorted(p for p in source.rglob("*.nii*") if _label_of(p) is not None)
    if not files:
        raise InputError(source, "holds no point labels", f"they are named like *{LABELS[0]}.nii.gz")
    for file in files:
        try:
            _check(schema)
            yield _sct_item(file)
        except InputError as error:
            yield error


def _label_of(path: Path) -> str | None:
    stem = path.name.removesuffix(".gz").removesuffix(".nii")
    return next((label for label in LABELS if stem.endswith(label)), None)


def _sct_item(file: Path) -> CaseItem:
    from spinetk.images.volume import read_volume

    label = _label_of(file)
    stem = file.name.removesuffix(".gz").removesuffix(".nii").removesuffix(label or "")
    discs = "disc" in (label or file.name)
    shapes = _Volume(_volume_of(file, stem))
    labels = read_volume(file)
    if labels.grid.oriented != shapes.grid.oriented:
        fault = f"and {shapes.path.name} do not both say where their axes point"
        raise InputError(file, fault, "write the labels with the geometry of their volume")
    values = np.round(labels.values).astype(np.int64)
    found = np.argwhere(values > 0)
    if len(found) > MOST_LABEL_VOXELS:
        raise InputError(file, f"has {len(found)} labelled voxels", "give point labels, not a segmentation")
    places, names = [], []
    for value in np.unique(values[values > 0]).tolist():
        # (slice, row, column) of the array are (k, j, i) of the voxels; labels and volume meet in mm.
        voxel = found[values[tuple(found.T)] == value].mean(axis=0)[::-1]
        places.append(shapes.grid.to_index(labels.grid.to_mm(voxel)))
        names.append(_disc(value) if discs else name_of(value, "sct") or f"{UNKNOWN}{value}")
    return shapes.item(file, stem, np.array(places, np.float64).reshape(-1, 3), names)


def _disc(value: int) -> str:
    below = name_of(value, "sct_disc_above")
    if below is None:
        return f"{UNKNOWN}{value}"
    # SCT counts on over the transitional levels, which it does not have.
    usual = [level for level in SEQUENCE if level not in ("T13", "L6")]
    place = usual.index(below)
    return f"disc_{usual[place - 1]}_{below}" if place else "disc_top_of_C1"


def _volume_of(file: Path, stem: str) -> Path:
    """The volume whose name begins with ``stem``: beside the file, else where its data set keeps the pictures."""
    places = [file.parent]
    parts = file.parent.parts
    for name in ("derivatives", "derivative"):
        if name in parts:
            at = parts.index(name)
            subject = next((k for k in range(at, len(parts)) if parts[k].startswith("sub-")), None)
            if subject is not None:
                rest, root = parts[subject:], Path(*parts[:at])
                places += [root.joinpath(*rest), root.joinpath("rawdata", *rest)]
    for place in places:
        if place.is_dir():
            candidates = [p for p in sorted(place.iterdir()) if p.name.startswith(stem) and p.name.endswith(VOLUMES)]
            candidates = [p for p in candidates if p != file and _label_of(p) is None and "_seg" not in p.name]
            candidates = [p for p in candidates if "_msk" not in p.name]
            if candidates:
                return candidates[0]
    raise InputError(file, f"has no volume {stem}*.nii.gz beside it", "put the volume there")


class _Volume:
    """A volume and the slice of it that is shown."""

    def __init__(self, path: Path) -> None:
        from spinetk.images.cut import describe_volume

        self.path = path
        self.cut, header, _ = describe_volume(path)
        self.grid = header.grid
        self._size = np.array(self.grid.shape[::-1])

    def axes_of(self, direction: Sequence[Any], file: Path) -> tuple[str, ...]:
        """The letters of a ``direction``, checked."""
        letters = tuple(str(letter).upper() for letter in direction)
        pairs = ({"L", "R"}, {"A", "P"}, {"S", "I"})
        if len(letters) != 3 or any(sum(letter in pair for letter in letters) != 1 for pair in pairs):
            raise InputError(file, f"field 'direction' is {list(direction)[:5]}", "it names three axes, as P, I, R")
        return letters

    def stored_index(self, places: np.ndarray, axes: Sequence[str], file: Path) -> np.ndarray:
        """(N, 3) voxel indices of the stored volume, from those of the volume turned to ``axes``."""
        other = {"L": "R", "R": "L", "A": "P", "P": "A", "S": "I", "I": "S"}
        if not self.grid.oriented:
            raise InputError(file, f"{self.path.name} has no directions", "give the volume with its header")
        index = np.zeros_like(places)
        for k, letter in enumerate(axes):
            stored = next(j for j, own in enumerate(self.grid.axes) if own in (letter, other[letter]))
            same = self.grid.axes[stored] == letter
            index[:, stored] = places[:, k] if same else self._size[stored] - 1 - places[:, k]
        return index

    def item(self, file: Path, stem: str, index: np.ndarray, names: Sequence[str]) -> CaseItem:
        """Points at voxel ``index`` as they lie in the slice that is shown."""
        cut = self.cut
        if not np.isfinite(index).all() or (index < -1).any() or (index > self._size).any():
            raise InputError(file, f"has a point outside of {self.path.name}", "give the volume that was labelled")
        shapes = []
        sizes = {axis: self._size[axis] for axis in (cut.row_axis, cut.column_axis)}
        for place, name in zip(index, names, strict=True):
            if name.startswith(UNKNOWN):
                continue
            across, down = place[cut.column_axis] + 0.5, place[cut.row_axis] + 0.5
            across = sizes[cut.column_axis] - across if cut.flip_columns else across
            down = sizes[cut.row_axis] - down if cut.flip_rows else down
            x = across * cut.size[1] / sizes[cut.column_axis]
            y = down * cut.size[0] / sizes[cut.row_axis]
            is_vertebra = name in SEQUENCE
            shapes.append(Shape(name, points={"centre": (float(x), float(y))} if is_vertebra else {}))
            if not is_vertebra:
                shapes[-1].loose = np.array([[x, y]])
        extras = [s for s in shapes if s.label.startswith("disc_")]
        found = assemble([s for s in shapes if s not in extras], CENTRE, (cut.size[1], cut.size[0]))
        found.extras |= {s.label: s.loose for s in extras if s.loose is not None}
        remarks = ["centres projected into the slice that is shown, though they lie in several"]
        remarks += [f"{name} names no vertebra or disc: left out" for name in names if name.startswith(UNKNOWN)]
        return CaseItem(
            picture=self.path,
            case=clean_name(stem),
            schema=CENTRE,
            vertebrae=found.vertebrae,
            landmarks=found.landmarks,
            extras=found.extras,
            view=cut.view,
            size=(cut.size[1], cut.size[0]),
            remarks=[*remarks, *found.remarks],
        )


def _verse_recognises(source: Source) -> bool:
    if source.path.is_file():
        return source.path.suffix == ".json" and is_centroids(source.json(source.path))
    return next(source.path.rglob(f"*{CENTROIDS}"), None) is not None


def _sct_recognises(source: Source) -> bool:
    if source.path.is_file():
        return _label_of(source.path) is not None
    return any(_label_of(path) is not None for path in source.path.rglob("*.nii*"))


FORMAT = (
    Format(
        name="verse",
        title="VerSe centroids",
        suffix=CENTROIDS,
        read=verse_items,
        recognises=_verse_recognises,
        holds=frozenset({"levels"}),
        origin="voxel indices from the centre of the first voxel, about the volume turned to 'direction': half a "
        "voxel is added",
        documented="VerSe 2019 and 2020, TPTBox, SPINEPS",
        source="https://github.com/anjany/verse",
    ),
    Format(
        name="sct",
        title="Spinal Cord Toolbox point labels",
        suffix=f"{LABELS[0]}.nii.gz",
        media_type="application/gzip",
        read=sct_items,
        recognises=_sct_recognises,
        holds=frozenset({"levels"}),
        origin="voxels of the volume, from the centre of the first one: half a voxel is added",
        tools="spine-generic data sets",
        documented="Spinal Cord Toolbox 7, ivadomed",
        source="https://spinalcordtoolbox.com/user_section/tutorials/vertebral-labeling/labeling-conventions.html",
    ),
)
