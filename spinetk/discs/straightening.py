"""Straightening of volumes along the spinal cord, by the commands of Spinal Cord Toolbox (SCT) where it is installed.

The published pipelines before this one straightened; it is slow, fails on some volumes, and is not needed here. It is
offered to repeat what was done. Labels are carried along by SCT's own warp, as points.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from spinetk.discs.bids import Subject
from spinetk.errors import InputError

CENTRELINE, STRAIGHTEN, APPLY = "sct_get_centerline", "sct_straighten_spinalcord", "sct_apply_transfo"
CONTRASTS = {"T1w": "t1", "T2w": "t2"}
WIDTH_MM = 100.0
"""Side of the straightened field of view: SCT's own 35 mm cut the vertebral bodies off."""
MOST_SECONDS = 3600


def find_sct() -> dict[str, str]:
    """Paths of the commands by name, on ``PATH`` or in ``$SCT_DIR/bin``.

    Raises:
        InputError: One is missing.
    """
    home = os.environ.get("SCT_DIR")
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *([str(Path(home) / "bin")] if home else [])])
    found = {name: shutil.which(name, path=places) for name in (CENTRELINE, STRAIGHTEN, APPLY)}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise InputError(
            "Spinal Cord Toolbox",
            f"is not installed, {missing[0]} is not on PATH",
            "install it from https://spinalcordtoolbox.com and open a new terminal, or leave out --straighten",
        )
    return {name: path for name, path in found.items() if path is not None}


def straighten(subject: Subject, folder: Path) -> Subject:
    """Straighten image and labels of a subject.

    The cord is followed by its mask where the data set has one, else by SCT's own detection.

    Args:
        subject: Labelled image.
        folder: An empty one, for the results.

    Returns:
        The subject with the straightened files; the cord then runs through the middle of the volume.

    Raises:
        InputError: SCT is missing or fails on this volume.
    """
    commands, folder = find_sct(), folder.resolve()
    image, labels = subject.image.resolve(), subject.labels.resolve()
    along = subject.cord.resolve() if subject.cord is not None else folder / "centreline.nii.gz"
    if subject.cord is None:
        contrast = CONTRASTS[subject.modality]
        _run([commands[CENTRELINE], "-i", image, "-c", contrast, "-o", along], along, subject)
    straight, warp = folder / "straight.nii.gz", folder / "warp_curve2straight.nii.gz"
    given = ["-o", straight.name, "-ofolder", folder, "-xy-size", WIDTH_MM, "-disable-straight2curved"]
    _run([commands[STRAIGHTEN], "-i", image, "-s", along, *given], straight, subject)
    moved = folder / "labels.nii.gz"
    given = ["-w", warp, "-o", moved, "-x", "label"]
    _run([commands[APPLY], "-i", labels, "-d", straight, *given], moved, subject)
    return replace(subject, image=straight, labels=moved, cord=None)


def _run(command: list[object], result: Path, subject: Subject) -> None:
    """Run a command of SCT; what it prints may name files and is not passed on."""
    name = Path(str(command[0])).name
    try:
        done = subprocess.run(
            [str(part) for part in command], cwd=result.parent, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=MOST_SECONDS, check=False,
        )  # fmt: skip
        fault = f"{name} ended with code {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired:
        fault = f"{name} took more than an hour"
    except OSError as error:
        fault = f"{name} cannot be started ({error.strerror})"
    if not fault and not result.is_file():
        fault = f"{name} left no result"
    if fault:
        remedy = "look at it with Spinal Cord Toolbox, or leave out --straighten"
        raise InputError(subject.image.name, f"could not be straightened: {fault}", remedy)
