"""Packed: ZIPs of annotations, as the page itself and annotation programs hand them out, unpacked to be read."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from spinetk.errors import InputError

KINDS = (".json", ".xml", ".yaml", ".yml", ".txt", ".fcsv")
"""What holds annotations. Pictures stay packed: those of the list are meant."""
MOST_FILES = 20_000
MOST_BYTES = 1 << 30
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
REMEDY = "unpack it and drop the files that are in it"


@contextmanager
def unpacked(file: Path) -> Iterator[Path]:
    """The annotations of a ZIP in a folder beside it, which is gone afterwards.

    A ZIP may hold its set in a folder; then that is the one.

    Raises:
        InputError: It is damaged, encrypted or too large, or holds no annotations.
    """
    with tempfile.TemporaryDirectory(dir=file.parent) as name:
        try:
            with zipfile.ZipFile(file) as archive:
                _unpack(archive, file, Path(name))
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(file, "is a ZIP that cannot be unpacked here", REMEDY) from error
        folder = Path(name)
        while len(inside := list(folder.iterdir())) == 1 and inside[0].is_dir() and inside[0].name != "labels":
            (folder,) = inside
        yield folder


def _unpack(archive: zipfile.ZipFile, file: Path, folder: Path) -> None:
    wanted = [(info, parts) for info in archive.infolist() if (parts := _parts(info))]
    if not wanted:
        raise InputError(file, "is a ZIP without annotations", "drop pictures on the page")
    if len(wanted) > MOST_FILES or sum(info.file_size for info, _ in wanted) > MOST_BYTES:
        limit = f"{MOST_FILES} files, {MOST_BYTES >> 30} GB"
        raise InputError(file, f"is a ZIP of too much ({limit} at most)", "export fewer pictures at once")
    if any(info.flag_bits & 1 for info, _ in wanted):
        raise InputError(file, "is an encrypted ZIP", REMEDY)
    if any(info.compress_type not in PLAIN for info, _ in wanted):
        raise InputError(file, "is a ZIP of an uncommon kind", REMEDY)
    for info, parts in wanted:
        path = folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as packed, open(path, "xb") as stream:  # never more than info.file_size
            shutil.copyfileobj(packed, stream)


def _parts(info: zipfile.ZipInfo) -> list[str]:
    """The path of a file of annotations below the folder, nothing of one that is none."""
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    parts = tuple(part for part in parts if part not in ("/", "//", "..", ".") and not part.endswith(":"))
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return [] if info.is_dir() or hidden or not info.filename.lower().endswith(KINDS) else list(parts)
