"""Which way a DICOM picture looks: letters, and the kind of view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spinetk.geometry import OPPOSITE
from spinetk.images.elements import functional_group, items, numbers, raw, word, words
from spinetk.images.spacing import PROJECTION
from spinetk.views import View

if TYPE_CHECKING:
    from pydicom import Dataset

Axes = tuple[np.ndarray, np.ndarray]
LETTERS = "LPH"
"""Patient directions of +x, +y, +z in DICOM (and, after a change of sign, NIfTI) coordinates."""

LATERAL = frozenset({"LL", "RL", "LLD", "RLD", "LATERAL", "LAT"})
FRONTAL = frozenset({"AP", "PA"})


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


def read_letters(dataset: Dataset, axes: Axes | None, remarks: list[str]) -> tuple[str | None, str | None]:
    """Patient directions of +x and +y, from ImageOrientationPatient, else PatientOrientation (0020,0020)."""
    if axes is not None:
        if min(np.abs(axis).max() for axis in axes) < 0.8:
            remarks.append("the picture plane is oblique: orientation letters name the nearest direction")
        return letter(axes[0]), letter(axes[1])
    if numbers(dataset, "ImageOrientationPatient"):
        remarks.append("ImageOrientationPatient is not plausible and was ignored")
    given = [value[:1] for value in words(dataset, "PatientOrientation")]
    if len(given) == 2 and all(v in OPPOSITE for v in given) and given[1] not in (given[0], OPPOSITE[given[0]]):
        return given[0], given[1]
    return None, None


def read_view(dataset: Dataset, axes: Axes | None, letters: tuple[str | None, str | None]) -> View:
    """The view the headers describe; ``unknown`` when they do not."""
    if word(dataset, "Modality") not in PROJECTION:
        if axes is not None and letter(np.cross(*axes)) in "LR":
            return "sagittal"
        return "unknown"
    position = word(dataset, "ViewPosition").replace("-", "")
    for item in items(dataset, "ViewCodeSequence"):
        position = position or _view_of_code(str(raw(item, "CodeMeaning") or ""))
    if position in LATERAL:
        return "lateral"
    if position in FRONTAL:
        return "ap"
    plane = {"A": "x", "P": "x", "L": "y", "R": "y"}
    across = [plane[v] for v in letters if v in plane]
    if len(across) == 1:
        return "lateral" if across == ["x"] else "ap"
    return "unknown"


def _view_of_code(meaning: str) -> str:
    text = meaning.lower().replace("-", "").replace(" ", "")
    if "oblique" in text:
        return ""
    if "lateral" in text:
        return "LATERAL"
    return "AP" if "anteroposterior" in text or "posteroanterior" in text else ""
