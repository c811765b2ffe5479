"""Case folders: ``<base>/<case>/src/0/src-0.{png,json}``, ``augs/<n>/aug-<n>.{png,json}`` and ``metadata.json``.

The layout of the original SpineTK. Case names may be any text that is one folder name.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import replacing, write_json
from spinetk.errors import InputError
from spinetk.formats.record import Record, check_record, own_schema
from spinetk.schema import KeypointSchema

METADATA = "metadata.json"
LONGEST_NAME = 200  # bytes; file systems allow 255


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
            The records that can be used (``case`` filled in), and one error for each file that cannot.
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
                    records.append({"case": case, **read_record(path, schema)})
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


def natural_key(name: str) -> list[tuple[int, int | str]]:
    """Sort key that orders numbers inside names by value."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in parts]


def check_name(case: str) -> str:
    """A case name that can be one folder name, unchanged.

    Raises:
        InputError: It would lead elsewhere or cannot be a folder.
    """
    bad = not case or case.startswith(".") or case != case.strip() or any(c in case for c in '/\\:\0"*?<>|')
    if bad or any(ord(c) < 32 for c in case) or len(case.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        raise InputError(f"case {case[:60]!r}", "cannot be the name of a folder", "use letters, digits, '-' and '_'")
    return case


def clean_name(text: str) -> str:
    """A folder name made from any text: what :func:`check_name` refuses is replaced or cut."""
    name = "".join("_" if c in '/\\:"*?<>|' or not c.isprintable() else c for c in text).strip().lstrip(".").strip()
    return name.encode("utf-8", "replace")[:LONGEST_NAME].decode("utf-8", "ignore").strip() or "case"


def read_record(path: str | Path, schema: KeypointSchema | None = None) -> Record:
    """Read the JSON of one picture, checked.

    The picture is the PNG beside the JSON: what the file says under ``file_name`` is never used as a path.

    Args:
        path: ``.../src-0.json`` or ``.../aug-<n>.json``.
        schema: Meaning of the points; None takes the file's own.

    Returns:
        The record (:mod:`spinetk.formats.record`).

    Raises:
        InputError: The file or the picture is missing, or a field is wrong; the message names it.
    """
    path = Path(path).absolute()
    record = check_record(read_json(path), path, schema)
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
        raise InputError(picture, "cannot be encoded as PNG")
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


def read_json(path: Path) -> Any:
    """JSON of a file; every fault is an ``InputError`` that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(path, "is missing", "every picture of a case has a JSON beside it") from error
    except OSError as error:
        raise InputError(path, "cannot be read", "check the path and its permissions") from error
    except (ValueError, RecursionError) as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(path, f"is not valid JSON{line}", "mend the file or prepare the case again") from error


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


def read_metadata(base: str | Path) -> dict[str, dict[str, Any]]:
    """``metadata.json`` of a case folder: case name to its table of variables; empty when there is none."""
    path = Path(base) / METADATA
    if not path.exists():
        return {}
    content = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(entry, dict) for entry in content.values()):
        raise InputError(path, "is not a table of tables", 'it looks like {"case": {"Hardware": true}}')
    return content


def write_metadata(base: str | Path, content: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write ``metadata.json`` atomically, cases in natural order."""
    path = Path(base) / METADATA
    write_json(path, {case: dict(content[case]) for case in sorted(content, key=natural_key)})
    return path
