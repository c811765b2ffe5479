"""Case folders: ``<base>/<case>/src/0/src-0.{png,json}``, ``augs/<n>/aug-<n>.{png,json}`` and ``metadata.json``.

The layout of the original SpineTK. Case names may be any text that is one folder name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import replacing, write_json
from spinetk.errors import InputError
from spinetk.formats.files import METADATA, check_name, natural_key, read_json, read_metadata
from spinetk.formats.record import Record, check_record, own_schema
from spinetk.schema import KeypointSchema


class CaseFolder:
    """The cases below one folder.

    Args:
        base: The folder that holds one subfolder per case.

    Raises:
        InputError: ``base`` is no folder.
    """

    def __init__(self, base: str | Path) -> None:
        self.base = Path(base).absolute()
        if not self.base.is_dir():
            raise InputError(base, "is not a folder", "give the folder that holds one subfolder per case")

    def cases(self) -> list[str]:
        """Case names (subfolders with a ``src`` folder), in natural order: 2 before 10.

        Raises:
            InputError: There is none.
        """
        found = [p.name for p in self.base.iterdir() if not p.name.startswith(".") and (p / "src").is_dir()]
        if not found:
            raise InputError(self.base, "holds no case", "run `spinetk prepare` or see the case layout in the README")
        return sorted(found, key=natural_key)

    def source(self, case: str) -> Path:
        """Where the JSON of the case's own picture belongs (it need not exist)."""
        return self.base / check_name(case) / "src" / "0" / "src-0.json"

    def augmented(self, case: str) -> list[Path]:
        """The JSON files of the case's augmented copies, by number."""
        folder = self.base / check_name(case) / "augs"
        numbers = [int(p.name) for p in folder.iterdir() if p.name.isdecimal()] if folder.is_dir() else []
        paths = (self.copy(case, number) for number in sorted(set(numbers)))
        return [path for path in paths if path.exists()]

    def copy(self, case: str, number: int) -> Path:
        """Where the JSON of augmented copy ``number`` (from 1) belongs."""
        return self.base / check_name(case) / "augs" / str(number) / f"aug-{number}.json"

    def records(
        self, cases: Iterable[str], *, augmented: bool = True, schema: KeypointSchema | None = None
    ) -> tuple[list[Record], list[InputError]]:
        """Read the records of some cases.

        Args:
            cases: Case names.
            augmented: Whether the augmented copies follow each source picture.
            schema: Meaning of the points; None takes each file's own.

        Returns:
            The records that can be used (``case`` filled in), and one error for each file that cannot, and for each
            wrong annotation that a record goes without.
        """
        records, failures = [], []
        for case in cases:
            try:
                paths = [self.source(case), *(self.augmented(case) if augmented else [])]
            except InputError as error:
                failures.append(error)
                continue
            for path in paths:
                try:
                    records.append({"case": case, **read_record(path, schema, left_out=failures)})
                except InputError as error:
                    failures.append(error)
        return records, failures

    def schema(self) -> KeypointSchema:
        """Meaning of the points as the first readable file says; ``vertebra6``, the original's, where it says nothing.

        Raises:
            InputError: No case can be read.
        """
        faults = []
        for case in self.cases():
            path = self.source(case)
            try:
                content = read_json(path)
                return own_schema(content if isinstance(content, dict) else {}, path)
            except InputError as error:
                faults.append(error)
        raise faults[0]

    def metadata(self) -> dict[str, dict[str, Any]]:
        """``metadata.json``; empty when there is none.

        Raises:
            InputError: It is malformed or speaks of a case that has no folder.
        """
        content = read_metadata(self.base)
        strays = sorted(set(content) - set(self.cases())) if content else []
        if strays:
            more = f" and {len(strays) - 1} more" if len(strays) > 1 else ""
            fault = f"names case {strays[0]!r}{more}, which has no folder"
            raise InputError(self.base / METADATA, fault, "remove the entry or add the case")
        return content


def read_record(
    path: str | Path, schema: KeypointSchema | None = None, *, left_out: list[InputError] | None = None
) -> Record:
    """Read the JSON of one picture, checked.

    The picture is the PNG beside the JSON: what the file says under ``file_name`` is never used as a path.

    Args:
        path: ``.../src-0.json`` or ``.../aug-<n>.json``.
        schema: Meaning of the points; None takes the file's own.
        left_out: As of :func:`spinetk.formats.record.check_record`.

    Returns:
        The record (:mod:`spinetk.formats.record`).

    Raises:
        InputError: The file or the picture is missing, or a field is wrong; the message names it.
    """
    path = Path(path).absolute()
    record = check_record(read_json(path), path, schema, left_out=left_out)
    picture = path.with_suffix(".png")
    size = png_size(picture)
    if size != (record["width"], record["height"]):
        fault = f"fields 'width' and 'height' say {record['width']} x {record['height']} px"
        raise InputError(path, f"{fault}, the picture has {size[0]} x {size[1]} px", "prepare the case again")
    record["file_name"] = str(picture)
    return record


def write_record(path: str | Path, record: Mapping[str, Any], pixels: np.ndarray) -> Path:
    """Write a picture and then its JSON, so that a JSON always has its picture.

    Args:
        path: ``.../src-0.json`` or ``.../aug-<n>.json``; missing folders are made.
        record: As :mod:`spinetk.formats.record`; ``file_name`` is replaced by the name of the PNG.
        pixels: (H, W) or (H, W, 3) BGR uint8.

    Returns:
        The path of the JSON.

    Raises:
        InputError: The record is not a valid one, or not of the picture's size.
    """
    import cv2

    path = Path(path)
    picture = path.with_suffix(".png")
    checked = check_record({**record, "file_name": picture.name}, path)
    if pixels.dtype != np.uint8 or pixels.shape[:2] != (checked["height"], checked["width"]):
        raise InputError(path, "the picture is not 8-bit or not of the record's size", "prepare the case again")
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise InputError(picture, "cannot be encoded as PNG", "prepare the case from a smaller picture")
    path.unlink(missing_ok=True)
    with replacing(picture) as temporary:
        temporary.write_bytes(data.tobytes())
    write_json(path, checked)
    return path


def read_pixels(record: Mapping[str, Any]) -> np.ndarray:
    """The picture of a record: (H, W) or (H, W, 3) BGR uint8."""
    import cv2

    path = record["file_name"]
    try:
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_ANYCOLOR)
    except (OSError, cv2.error):
        pixels = None
    if pixels is None or pixels.shape[:2] != (record["height"], record["width"]):
        raise InputError(path, "cannot be read as a picture", "prepare the case again")
    return pixels


def png_size(path: Path) -> tuple[int, int]:
    """(width, height) from the header of a PNG."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(24)
    except FileNotFoundError as error:
        raise InputError(path, "is missing", "every JSON of a case has its picture beside it") from error
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path and its permissions") from error
    if len(head) < 24 or head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        raise InputError(path, "is not a PNG", "prepare the case again")
    return struct.unpack(">II", head[16:24])
