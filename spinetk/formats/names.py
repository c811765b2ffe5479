"""Names that sets of annotations give to pictures: without folders, each its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spinetk.errors import InputError
from spinetk.measure.words import CASE_SOURCE, picture_name
from spinetk.reading import Reading


def file_name(reading: Reading) -> str:
    """The file name of a picture; of one in a case folder, where all bear one name, the case's: ``CASE.png``."""
    name = picture_name(reading)
    return name if name == Path(reading.file).name else name + Path(CASE_SOURCE[-1]).suffix


def file_names(readings: Sequence[Reading], file: Path, *, ending: bool = True) -> list[str]:
    """The file names of some pictures, or what they are without their endings.

    Args:
        readings: One for each picture.
        file: The file they are for.
        ending: False leaves it out.

    Raises:
        InputError: Two pictures have one name, so that they could not be told apart on the way back.
    """
    names = [file_name(reading) if ending else Path(file_name(reading)).stem for reading in readings]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(file, f"two pictures are named {twice!r}", "export their results apart")
    return names


def case_source(name: str, folder: Path) -> Path:
    """The picture of the case that ``CASE.png`` names, in a case folder."""
    return folder.joinpath(Path(name).stem, *CASE_SOURCE)
