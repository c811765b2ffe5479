"""Which way a DICOM picture looks: letters, and the kind of view."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spinetk.geometry import OPPOSITE, Frame
from spinetk.images.elements import functional_group, items, numbers, raw, word, words
from spinetk.images.grid import OBLIQUE_DEGREES, Grid
from spinetk.images.spacing import PROJECTION, SLICES, oblong
from spinetk.views import View

if TYPE_CHECKING:
    from pydicom import Dataset

Axes = tuple[np.ndarray, np.ndarray]
Letters = tuple[str | None, str | None]
LETTERS = "LPH"
"""Patient directions of +x, +y, +z in DICOM (and, after a change of sign, NIfTI) coordinates."""

OBLIQUE_PICTURE = "degrees oblique"
LATERAL = frozenset({"LL", "RL", "LATERAL", "LAT"})
FRONTAL = frozenset({"AP", "PA"})
DECUBITUS = frozenset({"LLD", "RLD"})
OBLIQUE = frozenset({"LLO", "RLO", "LAO", "RAO", "LPO", "RPO"})
VIEW_CODES = {
    **dict.fromkeys(("399348003", "R-10206", "272479007", "R-40888", "399033003", "R-10202"), "AP"),
    **dict.fromkeys(("399067008", "R-102CD", "399173006", "R-10236", "399198007", "R-10232"), "LATERAL"),
}
"""Codes of PS3.16 CID 4010 (SNOMED CT, and the identifiers it had before) for frontal and lateral projections."""
PROJECTED: dict[str | None, View] = {"sagittal": "lateral", "coronal": "ap", "axial": "axial", None: "unknown"}
SLICED: dict[str | None, View] = {"sagittal": "sagittal", "coronal": "coronal", "axial": "axial", None: "unknown"}
TURN_WORDS = {
    2: "mirrored left to right",
    3: "turned by 180 degrees",
    4: "mirrored top to bottom",
    5: "turned by 90 degrees and mirrored",
    6: "turned by 90 degrees clockwise",
    7: "turned by 90 degrees and mirrored",
    8: "turned by 90 degrees anticlockwise",
}


def read_axes(dataset: Dataset, frame: int) -> Axes | None:
    """Unit vectors of +x (along a row) and +y (down a column) in patient coordinates, or None when absent or absurd."""
    group = functional_group(dataset, frame, "PlaneOrientationSequence")
    cosines = numbers(dataset if group is None else group, "ImageOrientationPatient")
    if len(cosines) != 6:
        return None
    right, down = np.array(cosines[:3]), np.array(cosines[3:])
    lengths = np.linalg.norm(right), np.linalg.norm(down)
    if max(abs(length - 1) for length in lengths) > 0.05 or abs(right @ down) > 0.05:
        return None
    return right / lengths[0], down / lengths[1]


def read_position(dataset: Dataset, frame: int) -> np.ndarray | None:
    """(3,) patient coordinates of the centre of the upper left pixel in mm, or None."""
    group = functional_group(dataset, frame, "PlanePositionSequence")
    position = numbers(dataset if group is None else group, "ImagePositionPatient")
    return np.array(position) if len(position) == 3 and max(abs(v) for v in position) < 1e5 else None


def letter(direction: np.ndarray) -> str:
    """The patient direction a vector is nearest to."""
    axis = int(np.argmax(np.abs(direction)))
    return LETTERS[axis] if direction[axis] > 0 else OPPOSITE[LETTERS[axis]]


def letters_of(axes: Axes) -> tuple[str, str]:
    """Patient directions nearest to +x and +y, of two different axes of the patient."""
    strength = np.abs(axes)
    pairs = ((a, b) for a in range(3) for b in range(3) if a != b)
    nearest = max(pairs, key=lambda pair: strength[0, pair[0]] + strength[1, pair[1]])
    right, bottom = (LETTERS[k] if axis[k] > 0 else OPPOSITE[LETTERS[k]] for axis, k in zip(axes, nearest, strict=True))
    return right, bottom


def oblique_degrees(axes: Axes) -> float:
    """Greatest angle between +x, +y or the normal and the patient's axis that it is nearest to, as of a volume."""
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack([*axes, np.cross(*axes)])
    return Grid((1, 1, 1), affine).oblique_degrees


def read_letters(dataset: Dataset, frame: int, axes: Axes | None, remarks: list[str]) -> tuple[str | None, str | None]:
    """Patient directions of +x and +y, from ImageOrientationPatient, else PatientOrientation (0020,0020)."""
    given = [value[:1] for value in words(dataset, "PatientOrientation") if value]
    sane = len(given) == 2 and all(v in OPPOSITE for v in given) and given[1] not in (given[0], OPPOSITE[given[0]])
    if given and not sane:
        remarks.append("PatientOrientation is not plausible and was ignored")
    if axes is None:
        group = functional_group(dataset, frame, "PlaneOrientationSequence")
        if raw(dataset if group is None else group, "ImageOrientationPatient") not in (None, ""):
            remarks.append("ImageOrientationPatient is not plausible and was ignored")
        return (given[0], given[1]) if sane else (None, None)
    angle = oblique_degrees(axes)
    if angle > OBLIQUE_DEGREES:
        remarks.append(f"the picture is {angle:.0f} {OBLIQUE_PICTURE}: orientation letters name the nearest direction")
    letters = letters_of(axes)
    if sane and tuple(given) != letters:
        stated, found = "\\".join(given), "\\".join(letters)
        remarks.append(f"PatientOrientation {stated} contradicts ImageOrientationPatient ({found}), which was believed")
    return letters


def read_view(
    dataset: Dataset, frame: int, axes: Axes | None, letters: Letters, remarks: list[str]
) -> tuple[View, Letters]:
    """The view the headers describe, ``unknown`` when they do not, and the letters as far as they can be believed.

    Words for a projection come before its letters: systems for computed radiography write L\\F into every film, LL ones
    too (seen in real files), so that a letter across the film that contradicts the stated view is dropped.
    """
    plane = Frame(toward_right=letters[0], toward_bottom=letters[1]).plane
    if not _is_projection(dataset, frame, axes):
        return SLICED[plane], letters
    position = word(dataset, "ViewPosition").replace("-", "")
    coded = next((view for item in items(dataset, "ViewCodeSequence") if (view := _view_of_code(item))), "")
    stated = _stated(position)
    if coded and stated not in ("unknown", _stated(coded)):
        remarks.append(f"ViewCodeSequence ({coded.lower()}) contradicts ViewPosition {position}, which was believed")
    elif coded and stated == "unknown" and position not in OBLIQUE:
        position, stated = coded, _stated(coded)
    if stated == "unknown":
        if position in OBLIQUE:
            remarks.append(
                f"ViewPosition {position} is an oblique view: bodies are not shown from the side or the front"
            )
        elif any(map(_is_oblique, items(dataset, "ViewCodeSequence"))):
            remarks.append("ViewCodeSequence says an oblique view: bodies are not shown from the side or the front")
        if plane is None and position in DECUBITUS:
            remarks.append(f"ViewPosition {position} (lying on the side) does not say whether the film is frontal")
        return PROJECTED[plane], letters
    if plane is not None and PROJECTED[plane] != stated:
        remarks.append(f"the letters of its orientation contradict the stated view ({position}), which was believed")
        right, bottom = (letter if letter in ("H", "F") else None for letter in letters)
        letters = (right, bottom)
    return stated, letters


def standing(frame: Frame) -> list[str]:
    """Remarks on how a picture is turned and its pixels made square before it is read; none where it stands."""
    found = []
    orientation = frame.upright_orientation()
    if orientation != 1:
        by_letters = replace(frame, exif_orientation=1).upright_orientation() != 1
        source = "header" if by_letters else f"EXIF orientation ({frame.exif_orientation})"
        what = f"{TURN_WORDS[orientation]} for reading, as its {source} says"
        found.append(f"the picture was {what}; points stay in pixels of the picture as stored")
    return [*found, *oblong(frame)]


def facts_of(frame: Frame) -> dict[str, Any]:
    """What a description says of a frame, every key there (:func:`spinetk.images.info.describe`)."""
    facts = {"orientation": None, "pixel_aspect": None, "exif_orientation": 1} | frame.to_json()
    return facts | {"anterior": frame.anterior}


def _is_projection(dataset: Dataset, frame: int, axes: Axes | None) -> bool:
    modality = word(dataset, "Modality")
    if modality == "CT":
        group = functional_group(dataset, frame, "CTImageFrameTypeSequence")
        kinds = words(dataset, "ImageType") + (words(group, "FrameType") if group is not None else ())
        return "LOCALIZER" in kinds
    return modality in PROJECTION or (modality not in SLICES and axes is None)


def _stated(position: str) -> View:
    return "lateral" if position in LATERAL else "ap" if position in FRONTAL else "unknown"


def _is_oblique(item: Dataset) -> bool:
    return "oblique" in str(raw(item, "CodeMeaning") or "").lower()


def _view_of_code(item: Dataset) -> str:
    """``LATERAL``, ``AP`` or nothing: by the code, whose meaning may be in any language, else by its meaning."""
    code = word(item, "CodeValue")
    if code in VIEW_CODES:
        return VIEW_CODES[code]
    text = str(raw(item, "CodeMeaning") or "").lower().replace("-", "").replace(" ", "")
    if _is_oblique(item) or "medial" in text:
        return ""
    if "lateral" in text:
        return "LATERAL"
    return "AP" if "anteroposterior" in text or "posteroanterior" in text else ""
