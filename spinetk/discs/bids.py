"""BIDS: the images and disc labels of a data set laid out as spine-generic is."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from spinetk.errors import InputError

MODALITIES = ("T1w", "T2w")
DERIVED = re.compile(r"desc-(warp|reg|auto|pred|model)", re.IGNORECASE)
DISCS = r"_labels?-discs?([-_][A-Za-z0-9-]+)*"
CORD = r"(_label-(SC|spine)|)_(seg|mask)([-_][A-Za-z0-9-]+)*"
CENTRE_COLUMNS = ("institution_id", "institution", "centre", "center", "site")


@dataclass(frozen=True)
class Subject:
    """One labelled image.

    Attributes:
        stem: ``sub-x[_ses-y]_T2w``.
        name: ``sub-x``.
        centre: Where it was acquired.
        modality: ``T1w`` or ``T2w``.
        image, labels: Files.
        cord: Mask of the spinal cord, or None.
    """

    stem: str
    name: str
    centre: str
    modality: str
    image: Path
    labels: Path
    cord: Path | None


@dataclass(frozen=True)
class Skipped:
    """A subject that cannot be used, and why; ``failed`` where it has all it needs and yet cannot be read."""

    name: str
    why: str
    failed: bool = False


def find_subjects(root: str | Path, modality: str) -> tuple[list[Subject], list[Skipped]]:
    """Labelled images of one contrast; what lacks an image or a label is listed.

    Labels are looked for in ``derivatives/labels*/sub-x/.../``, as ``<stem>_labels-disc-manual.nii.gz`` (spine-generic
    to 2023) or ``<stem>_label-disc*.nii.gz`` (since then: ``label-discs_dlabel``). One that was set by hand is
    preferred to one whose name says that it was warped or predicted (``desc-warp``). The folders that DeepSpine's
    ``create_dataset.py`` made are read too: ``sub-x/<stem>.nii.gz`` with its labels beside it.

    Raises:
        InputError: There is no ``sub-*`` folder, or the contrast is unknown.
    """
    root = Path(root)
    if modality not in MODALITIES:
        raise InputError(f"modality {modality!r}", "is unknown", f"use {' or '.join(MODALITIES)}")
    named = sorted(p for p in root.glob("sub-*") if p.is_dir())
    folders = [p for p in named if re.fullmatch(r"sub-[A-Za-z0-9]+", p.name)]
    if not folders:
        raise InputError(root, "holds no sub-* folder", "give the root of a BIDS data set")
    centres = _centres(root)
    found = []
    skipped = [Skipped(p.name, "BIDS names a subject by letters and digits alone") for p in named if p not in folders]
    for folder in folders:
        images: dict[str, Path] = {}
        for path in sorted([*folder.glob(f"**/anat/*_{modality}.nii*"), *folder.glob(f"*_{modality}.nii*")]):
            images.setdefault(path.name.split(".nii")[0], path)
        if not images:
            skipped.append(Skipped(folder.name, f"no {modality} image"))
        for stem, image in images.items():
            labels = _derivative(root, image, folder.name, stem, DISCS)
            if labels is None:
                skipped.append(Skipped(stem, "no disc labels" + _elsewhere(root, folder.name, stem)))
                continue
            cord = _derivative(root, image, folder.name, stem, CORD)
            centre = centres.get(folder.name) or re.sub(r"\d+$", "", folder.name.removeprefix("sub-")) or "unknown"
            found.append(Subject(stem, folder.name, centre, modality, image, labels, cord))
    return found, skipped


def _derivative(root: Path, image: Path, name: str, stem: str, ending: str) -> Path | None:
    """A file about an image, from the derivatives or, as DeepSpine's ``create_dataset.py`` leaves it, beside it."""
    for found in (root.glob(f"derivatives/labels*/{name}/**/anat/{stem}_*"), image.parent.glob(f"{stem}_*")):
        pattern = re.compile(re.escape(stem) + ending + r"\.nii(\.gz)?")
        # A label that was warped from another contrast, or predicted, is not the truth where somebody set one by hand.
        files = sorted((bool(DERIVED.search(p.name)), p) for p in found if pattern.fullmatch(p.name))
        if files:
            return files[0][1]
    return None


def _elsewhere(root: Path, name: str, stem: str) -> str:
    """Where disc labels of an image lie, if not where they are looked for."""
    pattern = re.compile(re.escape(stem) + DISCS + r"\.nii(\.gz)?")
    found = sorted(p for p in root.glob(f"derivatives/*/{name}/**/{stem}_*") if pattern.fullmatch(p.name))
    return f" in derivatives/labels*, but {found[0].relative_to(root)}" if found else ""


def _centres(root: Path) -> dict[str, str]:
    path = root / "participants.tsv"
    if not path.is_file():
        return {}
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    column = next((c for c in CENTRE_COLUMNS if rows and rows[0].get(c)), None)
    return {row["participant_id"]: row[column] for row in rows if column and row.get("participant_id")}
