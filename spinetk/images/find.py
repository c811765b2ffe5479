"""Which files of a folder are pictures, and which folders are one DICOM series."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from spinetk.errors import InputError

OTHER_KINDS = (
    "json jsonl csv tsv txt md log html htm xml yaml yml toml ini py ipynb sh bat pdf doc docx xls xlsx ppt pptx",
    "zip tar tgz bz2 xz 7z rar pth pt pkl ckpt safetensors onnx npy npz mat gif svg mp4 avi mov exe dll so",
    "db sqlite lock tmp bak raw img hdr nhdr h5 hdf5 bib tex css js",
)
OTHER_SUFFIXES = frozenset(f".{suffix}" for line in OTHER_KINDS for suffix in line.split())
MAX_FILES = 200_000
MAX_DEPTH = 32


def find_pictures(inputs: Iterable[str | Path]) -> Iterator[Path]:
    """Files that may be pictures, in sorted order.

    A file named explicitly is always given on. In folders, hidden names, DICOMDIR, plain other kinds (by suffix),
    FIFOs, sockets, devices and links that lead out of the folder are passed over.

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
            yield from _walk(path)
        else:
            yield path


def find_inputs(inputs: Iterable[str | Path]) -> Iterator[Path]:
    """Pictures among files and folders of any depth, as ``read_picture`` takes them.

    As :func:`find_pictures`, but a folder that holds a DICOM series is given once, in place of its slices. A slice that
    is named explicitly is a picture of its own.

    Raises:
        InputError: As :func:`find_pictures` and :func:`find_series`.
    """
    for given in map(Path, inputs):
        if not given.is_dir():
            yield given
            continue
        slices: dict[Path, set[Path]] = {}
        for path in _walk(given):
            folder = path.parent
            if folder not in slices:
                slices[folder] = {one for files in find_series(folder).values() for one in files}
                if slices[folder]:
                    yield folder
            if path not in slices[folder]:
                yield path


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

    return {key: [entry.path for entry in entries] for key, entries in group_series(Path(folder)).items()}


def list_files(folder: Path) -> list[Path]:
    """Picture candidates directly in a folder, sorted.

    Raises:
        InputError: It cannot be listed, or holds more than ``MAX_FILES`` entries.
    """
    return sorted(path for path in _entries(folder, folder.resolve()) if path.is_file())


def _walk(root: Path) -> Iterator[Path]:
    inside = root.resolve()
    budget = MAX_FILES
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        entries = sorted(_entries(folder, inside))
        budget -= len(entries)
        if budget < 0:
            raise InputError(root, f"holds more than {MAX_FILES} files", "give smaller folders")
        yield from (path for path in entries if path.is_file())
        # Links to folders are not followed: they could lead round in a ring.
        folders = [path for path in entries if not path.is_symlink() and path.is_dir()]
        if depth < MAX_DEPTH:
            waiting.extend((path, depth + 1) for path in reversed(folders))


def _entries(folder: Path, inside: Path) -> list[Path]:
    found = []
    try:
        with os.scandir(folder) as listing:
            for count, entry in enumerate(listing):
                if count >= MAX_FILES:
                    raise InputError(folder, f"holds more than {MAX_FILES} files", "give smaller folders")
                if entry.name.startswith(".") or entry.name.upper() == "DICOMDIR":
                    continue
                if entry.is_dir(follow_symlinks=False) or _is_candidate(entry, inside):
                    found.append(Path(entry.path))
    except OSError as error:
        raise InputError(folder, "cannot be listed", "check the path and its permissions") from error
    return found


def _is_candidate(entry: os.DirEntry[str], inside: Path) -> bool:
    name = entry.name.lower()
    suffix = os.path.splitext(name)[1]
    if suffix in OTHER_SUFFIXES or (suffix == ".gz" and not name.endswith(".nii.gz")):
        return False
    try:
        if entry.is_symlink() and not Path(entry.path).resolve(strict=True).is_relative_to(inside):
            return False
        return entry.is_file()
    except (OSError, RuntimeError):
        return False
