"""Which files of a folder are pictures, and which folders are one DICOM series."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from spinetk.images.walk import walk

JOURNAL = "journal.jsonl"
"""Lies in a folder of results: a line for each input, with its path and the stem of its results."""


def stems_in(name: str) -> list[str]:
    """Stems of the inputs whose results could bear a name: overlays, labels of discs, masks (whose stems are names)."""
    discs = [name.partition("_desc-")[0]] if "_desc-" in name else []
    return [name, *discs, *([name[:-4]] if name.lower().endswith(".png") else [])]


def are_results(paths: Iterable[Path]) -> set[Path]:
    """Those of some files that earlier runs made of other files, by the journals of their folders."""

    @cache
    def owners(folder: Path) -> dict[str, str]:
        found: dict[str, str] = {}
        try:
            lines = (folder / JOURNAL).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return found
        for line in lines:
            try:
                entry = json.loads(line)
                found[str(entry["stem"])] = str(entry["input"])
            except (ValueError, KeyError, TypeError, RecursionError):
                continue  # the settings of a run, or a line cut off
        return found

    return {
        path
        for path in paths
        if any(owners(path.parent).get(s) not in (None, os.path.abspath(path)) for s in stems_in(path.name))
    }


def find_pictures(inputs: Iterable[str | Path]) -> Iterator[Path]:
    """Files that may be pictures, in sorted order.

    A file named explicitly is always given on. In folders, hidden names, DICOMDIR, plain other kinds (by suffix),
    FIFOs, sockets, devices and links that lead out of the folder are skipped.

    Args:
        inputs: Files and folders, of any depth.

    Yields:
        Each file once per input that names it.

    Raises:
        InputError: A folder cannot be listed, or holds more than ``MAX_FILES`` files.
    """
    for given in inputs:
        path = Path(given)
        if path.is_dir():
            yield from walk(path)
        else:
            yield path


def find_inputs(inputs: Iterable[str | Path]) -> Iterator[Path]:
    """Pictures among files and folders of any depth, as ``read_picture`` takes them.

    As :func:`find_pictures`, but a folder that holds a DICOM series is given once, in place of its slices. A slice that
    is named explicitly is a picture of its own. What earlier runs left in a folder (overlays, masks) is no picture.

    Raises:
        InputError: As :func:`find_pictures` and :func:`find_series`.
    """
    for given in map(Path, inputs):
        if not given.is_dir():
            yield given
            continue
        slices: dict[Path, set[Path]] = {}
        for path in _not_made(given):
            folder = path.parent
            if folder not in slices:
                slices[folder] = {one for files in find_series(folder).values() for one in files}
                if slices[folder]:
                    yield folder
            if path not in slices[folder]:
                yield path


def find_volumes(inputs: Iterable[str | Path]) -> list[Path]:
    """Volumes among files and folders of any depth, as :func:`spinetk.images.dicom_volume.volume_of` takes them.

    Of a folder NIfTI, NRRD and MetaImage files by their suffix (headers alone too, so that it is said that they are not
    read), folders that hold a DICOM series, and DICOM files of several frames where no series lies beside them. A file
    that is named explicitly is always given on.

    Raises:
        InputError: A folder cannot be listed.
    """
    from spinetk.images.series import scan
    from spinetk.images.volume import SUFFIXES

    found: list[Path] = []
    for given in map(Path, inputs):
        if not given.is_dir():
            found.append(given)
            continue
        files = _not_made(given)
        volumes = [path for path in files if path.name.lower().endswith((*SUFFIXES, ".nhdr", ".hdr"))]
        folders = sorted({path.parent for path in files if path not in set(volumes)})
        # Of files of several frames each is a volume; a folder of slices beside them says that they are left out.
        found += volumes
        for folder in folders:
            slices, several = scan(folder)
            found += [folder] if slices else several
    return found


def _not_made(folder: Path) -> list[Path]:
    """The files of a folder of any depth, without those that earlier runs made."""
    files = list(walk(folder))
    made = are_results(files)
    return [path for path in files if path not in made]


def find_series(folder: str | Path) -> dict[str, list[Path]]:
    """DICOM series whose slices lie in one folder (not in its subfolders).

    Args:
        folder: The folder.

    Returns:
        Series key (no patient text) -> its files in sorted order; only series of at least two slices that share size
        and orientation and have a position. ``read_picture(folder)`` reads the first: the largest sagittal one, else
        the largest.

    Raises:
        InputError: The folder cannot be listed, or holds too many files.
    """
    from spinetk.images.series import group_series

    groups = group_series(Path(folder))
    return {key: [entry.path for entry in entries if entry.path is not None] for key, entries in groups.items()}
