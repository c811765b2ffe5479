"""3D Slicer markups (``.mrk.json``): one point list a picture, points named ``LEVEL keypoint``.

Slicer puts the centre of the first pixel at the origin of a picture, spinetk its outer corner, so half a pixel lies
between the two. Positions are LPS:

* with the DICOM source, in mm of its patient coordinate system (image position, orientation and spacing);
* else, with a known spacing, in mm of the picture's plane (x right, y down, z = 0), as Slicer shows a picture that has
  a spacing but no position;
* else in px of that plane, as Slicer shows a PNG.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.measure.levels import head_to_foot
from spinetk.reading import Reading, Vertebra

if TYPE_CHECKING:
    from pydicom import Dataset

SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
REMEDY = "give a point list that `spinetk` wrote and 3D Slicer saved"


@dataclass(frozen=True)
class _Plane:
    """Position of pixel centres: origin + right * (x - 0.5) + down * (y - 0.5), mm in LPS (or px)."""

    origin: np.ndarray
    right: np.ndarray
    down: np.ndarray

    def to_space(self, points_px: np.ndarray) -> np.ndarray:
        across = np.asarray(points_px, np.float64) - 0.5
        return self.origin + across[..., :1] * self.right + across[..., 1:] * self.down

    def to_picture(self, positions: np.ndarray) -> np.ndarray:
        """Orthogonal projection into the plane, px."""
        axes = np.stack([self.right, self.down], axis=1)
        return np.linalg.lstsq(axes, (positions - self.origin).T, rcond=None)[0].T + 0.5


def write_markups(path: str | Path, reading: Reading, *, source_dicom: str | Path | Dataset | None = None) -> None:
    """Write the points of a reading for 3D Slicer, atomically.

    Args:
        path: The file to write; Slicer knows it by the ending ``.mrk.json``.
        reading: Its points; those not visible get the status ``missing``.
        source_dicom: A single-slice DICOM with a position in the patient, for LPS coordinates.

    Raises:
        InputError: The DICOM source has no position in the patient.
    """
    plane = _plane(reading, source_dicom)
    controls = []
    for name, vertebra in zip(_names(reading), reading.vertebrae, strict=True):
        positions = plane.to_space(vertebra.points)
        for keypoint, position, seen in zip(reading.schema.keypoints, positions, vertebra.visible, strict=True):
            controls.append(
                {
                    "id": str(len(controls) + 1),
                    "label": f"{name} {keypoint}",
                    "description": vertebra.label or "",
                    "position": [float(v) for v in position],
                    "selected": True,
                    "locked": False,
                    "visibility": True,
                    "positionStatus": "defined" if seen else "missing",
                }
            )
    markup = {
        "type": "Fiducial",
        "coordinateSystem": "LPS",
        **({"coordinateUnits": "mm"} if source_dicom is not None or reading.frame.spacing_mm else {}),
        "locked": False,
        "labelFormat": "%N-%d",
        "controlPoints": controls,
    }
    write_json(path, {"@schema": SCHEMA, "markups": [markup]})


def read_markups(path: str | Path, base: Reading, *, source_dicom: str | Path | Dataset | None = None) -> Reading:
    """Read corrected points back.

    Args:
        path: The ``.mrk.json`` file.
        base: The reading that was written: it gives picture, size, spacing and schema.
        source_dicom: As for `write_markups`; give it where it was given there.

    Returns:
        A new reading with the points of the file, head to foot. Points that left the plane are projected back.
        Measurements and point uncertainties, no longer true, are left out; scores stay with their vertebra.

    Raises:
        InputError: The file is no point list, or its points are not named after the schema.
    """
    positions, labels = _controls(path)
    plane = _plane(base, source_dicom)
    scores = dict(zip(_names(base), (vertebra.score for vertebra in base.vertebrae), strict=True))
    levels = dict(zip(_names(base), (vertebra.label for vertebra in base.vertebrae), strict=True))
    vertebrae = []
    for name, found in positions.items():
        unknown = sorted(set(found) - set(base.schema.keypoints))
        if unknown:
            remedy = f"name points 'LEVEL keypoint' with {', '.join(base.schema.keypoints)}"
            raise InputError(path, f"point {name + ' ' + unknown[0]!r} is not of {base.schema.name}", remedy)
        points, visible = np.zeros((len(base.schema), 2)), np.zeros(len(base.schema), bool)
        for keypoint, (position, seen) in found.items():
            k = base.schema.index(keypoint)
            points[k], visible[k] = plane.to_picture(position[None])[0], seen
        label = labels[name] or levels.get(name) or (None if name.startswith("#") else name)
        vertebrae.append(Vertebra.from_points(points, visible, label=label, score=scores.get(name)))
    reading = replace(base, vertebrae=vertebrae, angles={})
    reading.vertebrae = [vertebrae[k] for k in head_to_foot(reading)]
    return reading


def _names(reading: Reading) -> list[str]:
    """A name a vertebra: its level where that is unique, else its place counted from the top."""
    levels = [vertebra.label for vertebra in reading.vertebrae]
    return [level if level and levels.count(level) == 1 else f"#{k + 1}" for k, level in enumerate(levels)]


def _controls(path: str | Path) -> tuple[dict[str, dict[str, tuple[np.ndarray, bool]]], dict[str, str]]:
    """Positions in LPS and whether they are defined, by vertebra name and keypoint; and the levels noted there."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path") from error
    except ValueError as error:
        raise InputError(path, "is not valid JSON", REMEDY) from error
    found: dict[str, dict[str, tuple[np.ndarray, bool]]] = {}
    levels: dict[str, str] = {}
    try:
        for markup in content["markups"]:
            # Slicer writes names, older versions numbers: 0 = RAS, 1 = LPS.
            system = str(markup.get("coordinateSystem", "LPS"))
            turn = np.array([-1.0, -1.0, 1.0]) if system in ("RAS", "0") else np.ones(3)
            for control in markup["controlPoints"]:
                name, _, keypoint = str(control["label"]).strip().rpartition(" ")
                seen = control.get("positionStatus", "defined") == "defined"
                place = control.get("position") if seen else (control.get("position") or [0, 0, 0])
                position = np.array(place, dtype=np.float64) * turn
                if position.shape != (3,) or not np.isfinite(position).all():
                    raise ValueError("position")
                found.setdefault(name, {})[keypoint] = position, seen
                levels[name] = str(control.get("description") or levels.get(name, "")).strip()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(path, "is not a markups file with points", REMEDY) from error
    return found, levels


def _plane(reading: Reading, source_dicom: str | Path | Dataset | None) -> _Plane:
    if source_dicom is not None:
        return _patient_plane(source_dicom)
    row, column = reading.frame.spacing_mm or (1.0, 1.0)
    return _Plane(np.zeros(3), np.array([column, 0.0, 0.0]), np.array([0.0, row, 0.0]))


def _patient_plane(source_dicom: str | Path | Dataset) -> _Plane:
    """PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    name = "DICOM data set" if isinstance(source_dicom, pydicom.Dataset) else str(source_dicom)
    tags: list[Any] = ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
    try:
        data = source_dicom
        if not isinstance(data, pydicom.Dataset):
            data = pydicom.dcmread(source_dicom, stop_before_pixels=True, specific_tags=tags)
        position, orientation, spacing = (np.array(data[tag].value, dtype=np.float64) for tag in tags)
        plane = _Plane(position, orientation[:3] * spacing[1], orientation[3:] * spacing[0])
        if np.linalg.matrix_rank(np.stack([plane.right, plane.down])) != 2 or not np.isfinite(position).all():
            raise ValueError("degenerate")
    except (InvalidDicomError, OSError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        fault = "has no position in the patient (image position, orientation and pixel spacing)"
        raise InputError(name, fault, "leave the DICOM source out to use the picture's own plane") from error
    return plane
