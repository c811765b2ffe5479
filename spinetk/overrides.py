"""Overrides: what the user says of a picture, in place of what its file says; for all pictures or for each of many.

The table (``--views FILE.csv``) has a column ``file`` and any of ``view``, ``spacing``, ``facing``, ``anchor``, written
as the options of the same names; an empty cell leaves what holds for all.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePath
from typing import Literal, get_args

from spinetk.anchor import check_anchor
from spinetk.errors import InputError
from spinetk.views import OFFERED, View, checked_view

Facing = Literal["left", "right", "auto"]
"""Side of the picture that the patient's front faces."""
FACINGS: tuple[Facing, ...] = get_args(Facing)
COLUMNS = ("file", "view", "spacing", "facing", "anchor")


@dataclass(frozen=True)
class Overrides:
    """The user's word on one picture.

    Attributes:
        view: What it shows, or None.
        spacing_mm: (row, column) distance between pixel centres of the picture as stored, mm, or None.
        facing: Side the patient's front faces, seen with the head up: ``left``, ``right``; ``auto``: the user says
            nothing.
        anchor: Level naming such as ``L5=last``, or None.

    Raises:
        InputError: A view or side that there is not, an absurd spacing, or an anchor that fits no picture.
    """

    view: View | None = None
    spacing_mm: tuple[float, float] | None = None
    facing: str = "auto"
    anchor: str | None = None

    def __post_init__(self) -> None:
        if self.view is not None and checked_view(self.view) not in OFFERED:
            raise InputError("view", f"{self.view!r} cannot be read", f"give {', '.join(OFFERED)}")
        if self.facing not in FACINGS:
            raise InputError("facing", f"{self.facing!r} is not a side", "give left, right or auto")
        if self.anchor is not None:
            check_anchor(self.anchor)
        if self.spacing_mm is not None:
            from spinetk.geometry import Frame  # numpy is slow to import, and the command line imports this

            object.__setattr__(self, "spacing_mm", Frame(self.spacing_mm).spacing_mm)

    def over(self, others: Overrides) -> Overrides:
        """These, and where they say nothing, the others."""
        plain = Overrides()
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(others, **{name: value for name, value in said.items() if value != getattr(plain, name)})


def parse_spacing(text: str | None, option: str = "--spacing") -> tuple[float, float] | None:
    """``0.3`` or ``0.3,0.25`` (row, column) in mm; None stays None.

    Raises:
        InputError: It is neither, or two whole numbers that differ: ``1,5`` may be meant as one with a decimal comma.
    """
    if text is None:
        return None
    try:
        values = [float(v) for v in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 2) or not all(map(math.isfinite, values)):
        raise InputError(f"{option} {text}", "is not MM or ROW,COLUMN", "for example --spacing 0.3 or 0.3,0.25")
    if "." not in text and values[0] != values[-1]:
        first, second = text.split(",")
        remedy = f"write {first}.{second} for square pixels, {first}.0,{second}.0 for rows and columns"
        raise InputError(f"{option} {text}", "may be one number with a decimal comma", remedy)
    return values[0], values[-1]


@dataclass
class OverridesTable:
    """Overrides of many pictures.

    Attributes:
        usual: What holds for all.
        rows: For each file as the table writes it, what it says.
        folder: Where relative names of the table start, beside the current folder.
    """

    usual: Overrides = field(default_factory=Overrides)
    rows: dict[str, Overrides] = field(default_factory=dict)
    folder: Path = field(default_factory=Path)

    @classmethod
    def read(cls, path: str | Path | None, usual: Overrides | None = None) -> OverridesTable:
        """A table from a CSV file (UTF-8, parted by commas or semicolons); without one, what holds for all.

        Raises:
            InputError: It cannot be read, has an unknown column, names a file twice, or a cell is not as its option.
        """
        usual = usual or Overrides()
        if path is None:
            return cls(usual)
        path = Path(path)
        try:
            with open(path, encoding="utf-8-sig", newline="") as stream:
                head = stream.readline()
                stream.seek(0)
                # Spreadsheets of some countries part columns by semicolons.
                between = ";" if ";" in head and "," not in head else ","
                reader = csv.DictReader(stream, skipinitialspace=True, delimiter=between)
                names = [name.strip().lower() for name in reader.fieldnames or []]
                lines = [(reader.line_num, list(row.values())) for row in reader]
        except FileNotFoundError as error:
            raise InputError(path, "does not exist", "check the path") from error
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(path, "cannot be read as CSV", "save it as CSV, UTF-8") from error
        unknown = [name for name in names if name not in COLUMNS]
        if "file" not in names or unknown:
            fault = f"has a column {unknown[0]!r}" if unknown else "has no column 'file'"
            raise InputError(path, fault, f"the columns are {', '.join(COLUMNS)}")
        rows: dict[str, Overrides] = {}
        for line, cells in lines:
            where = f"{path} line {line}"
            if len(cells) != len(names) or None in cells:
                raise InputError(where, f"does not have {len(names)} cells", "quote cells that hold commas")
            said = dict(zip(names, (str(cell).strip() for cell in cells), strict=True))
            name = said.pop("file")
            if not name or name in rows:
                raise InputError(where, "names no file" if not name else "names a file twice", "one line a file")
            try:
                rows[name] = Overrides(
                    view=checked_view(said["view"].lower()) if said.get("view") else None,
                    spacing_mm=parse_spacing(said.get("spacing") or None, "spacing"),
                    facing=(said.get("facing") or "auto").lower(),
                    anchor=said.get("anchor") or None,
                )
            except InputError as error:
                raise InputError(where, f"{error.source}: {error.fault}", error.remedy) from error
        return cls(usual, rows, path.parent)

    def of(self, file: str | Path) -> Overrides:
        """What holds for a picture."""
        name = self._row(file)
        return self.usual if name is None else self.rows[name].over(self.usual)

    def unmet(self, files: Iterable[str | Path]) -> list[str]:
        """Names of the table that none of these pictures bears: most likely mistyped."""
        met = {self._row(file) for file in files}
        return [name for name in self.rows if name not in met]

    def shared(self, files: Iterable[str | Path]) -> list[str]:
        """In words, names of the table that several of these pictures bear, as each patient's ``IM0001.dcm``."""
        met: dict[str, set[Path]] = {}
        for file in files:
            name = self._row(file)
            if name is not None:
                met.setdefault(name, set()).add(Path(file).absolute())
        return [
            f"{name} is the name of {len(own)} pictures, and its row holds for all of them (name the folder, too, if "
            "one is meant)"
            for name, own in met.items()
            if len(own) > 1
        ]

    def _row(self, file: str | Path) -> str | None:
        """The row of a file: its path, else the longest name that its path ends with and that is no file itself."""
        if not self.rows:
            return None
        there = Path(file).absolute()
        for name in self.rows:
            if there in self._paths(name):
                return name
        ends = [name for name in self.rows if _ends_with(there, PurePath(name))]
        ends = [name for name in ends if not any(path.is_file() for path in self._paths(name))]
        return max(ends, key=lambda name: len(PurePath(name).parts), default=None)

    def _paths(self, name: str) -> tuple[Path, Path]:
        """The files that a name of the table would be, seen from here and from the table."""
        return Path(name).absolute(), (self.folder / name).absolute()


def _ends_with(path: Path, end: PurePath) -> bool:
    parts = end.parts
    return not end.is_absolute() and bool(parts) and path.parts[-len(parts) :] == parts
