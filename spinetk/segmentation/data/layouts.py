"""Layouts by name, and which of them a folder has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spinetk.errors import InputError
from spinetk.segmentation.data import atlas, bids, glas, isic, pairs, ph2, rite, segpc
from spinetk.segmentation.data.case import Found, VolumeCase

TASK_KINDS = {"lesion": "volumes", "gland": "pictures", "vessel": "pictures", "skin": "pictures", "cells": "pictures"}
Finder = Callable[..., Found | None]
FINDERS: dict[str, Finder] = {
    "atlas-1": atlas.find_release_1,
    "atlas-2": atlas.find_release_2,
    "glas": glas.find,
    "rite": rite.find,
    "isic": isic.find,
    "ph2": ph2.find,
    "segpc": segpc.find,
    "bids": bids.find,
    "pairs": pairs.find_two_folders,
    "beside": pairs.find_one_folder,
    "patients": bids.find_patient_folders,
}
"""In the order they are tried: what has a form of its own comes first."""
WITH_CONTRAST = ("bids", "patients")


def find_cases(
    folder: str | Path, task: str, layout: str | None = None, contrast: str | None = None
) -> tuple[str, Found]:
    """The cases of a data set.

    A layout is known by the whole names of its files and folders under ``folder``, never by the path to it.

    Args:
        folder: Root of the data set.
        task: Of ``TASK_KINDS``.
        layout: Of ``FINDERS``; None takes the first that finds a case.
        contrast: Which images, where there are several of each patient.

    Returns:
        The layout, and what it found, sorted by name.

    Raises:
        InputError: No such folder, no case, an unknown layout, equal names, pictures for a task of volumes or the
            other way round.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "give the root of a data set")
    if layout is not None and layout not in FINDERS:
        raise InputError(f"layout {layout!r}", "is unknown", f"use one of {', '.join(FINDERS)}")
    for name in [layout] if layout else FINDERS:
        finder = FINDERS[name]
        found = finder(folder, contrast) if name in WITH_CONTRAST else finder(folder)
        if found is not None and found.cases:
            _check(folder, found, task)
            found.cases.sort(key=lambda case: case.name)
            return name, found
    hint = f"it does not have the layout {layout}" if layout else f"layouts: {', '.join(FINDERS)}"
    raise InputError(folder, "holds no image with a mask", hint)


def _check(folder: Path, found: Found, task: str) -> None:
    volumes = TASK_KINDS[task] == "volumes"
    seen: set[str] = set()
    for case in found.cases:
        if isinstance(case, VolumeCase) != volumes:
            raise InputError(case.image, f"is not what the task {task} is about", f"give {TASK_KINDS[task]}")
        if case.name in seen:
            raise InputError(folder, f"has two cases {case.name}", "give the folder of one data set")
        seen.add(case.name)
