"""The files of a folder that may be pictures, without opening any."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from spinetk.errors import InputError

OTHER_KINDS = (
    "json jsonl csv tsv txt md log html htm xml yaml yml toml ini py ipynb sh bat pdf doc docx xls xlsx ppt pptx",
    "zip tar tgz bz2 xz 7z rar pth pt pkl ckpt safetensors onnx npy npz mat gif svg mp4 avi mov exe dll so",
    "db sqlite lock tmp bak raw zraw img h5 hdf5 bib tex css js",
)
OTHER_SUFFIXES = frozenset(f".{suffix}" for line in OTHER_KINDS for suffix in line.split())
MAX_FILES = 200_000
MAX_DEPTH = 32


def list_files(folder: Path) -> list[Path]:
    """Picture candidates directly in a folder, sorted.

    Raises:
        InputError: It cannot be listed, or holds more than ``MAX_FILES`` entries.
    """
    return sorted(path for path in _entries(folder, folder.resolve()) if path.is_file())


def walk(root: Path) -> Iterator[Path]:
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
    if suffix == ".hdr" and not any(os.path.exists(entry.path[:-4] + voxels) for voxels in (".img", ".IMG")):
        return False  # programs for photographs and remote sensing have headers of that name
    if suffix in OTHER_SUFFIXES or (suffix == ".gz" and not name.endswith(".nii.gz")):
        return False
    try:
        if entry.is_symlink() and not Path(entry.path).resolve(strict=True).is_relative_to(inside):
            return False
        return entry.is_file()
    except (OSError, RuntimeError):
        return False
