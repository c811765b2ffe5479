"""BIDS, and folders of one patient each: an image or several contrasts, and masks of its lesions.

BIDS: ``sub-X[_ses-Y]_..._T1w.nii.gz`` and ``sub-X[_ses-Y]_..._mask.nii.gz`` (or ``_roi``, ``_lesion``, ``_dseg``) at
any depth, masks mostly under ``derivatives``. A mask goes with the images of its ``sub``, ``ses`` and ``space``. So do
masks named as neuropoly's data sets and ivadomed name them: the image's own name and ``_lesion-manual``,
``_label-lesion_seg``, ``_lesionseg`` behind it; with several contrasts such a mask belongs to its own image alone.

Folder a patient: volumes of which those with the word lesion, mask, seg or label in the name are masks, the others
images: ``patient07/FLAIR.nii.gz``, ``T1.nii.gz``, ``lesion.nii.gz``. Below it may be a folder a visit (``visit1``,
``2``, ``2021-03-05``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from spinetk.errors import InputError
from spinetk.segmentation.data.case import Found, files, is_volume, part_below, part_of, stem

MASKS = ("mask", "roi", "lesion", "dseg")
LESION_WORDS = frozenset(("lesion", "lesions", "mask", "masks", "seg", "label", "labels"))
# Derivatives of whole organs that are masks, too.
OTHER_LABELS = frozenset(("brain", "head", "gm", "wm", "csf", "gmset", "brainmask"))
VISIT = re.compile(
    r"(visit|ses|session|time|timepoint|tp|t|v|scan|exam|study|day|week|month|year|m|fu|follow-?_?up)[-_ ]?\d{1,2}"
    r"|baseline|follow-?_?up|pre|post|(19|20)\d{2}[-_]?\d{2}[-_]?\d{2}"
)
PATIENT = re.compile(r"(patient|pat|subject|subj|sub|case|id|p|s|ms)?[-_ ]?\d+")
"""Folders of a visit below that of a patient: by word and number or by date, or by a number below such a name."""
SITE = re.compile(
    r"(site|cent(er|re)|hospital|clinic|scanner|vendor|batch|fold|group|cohort|study|data(set)?|set|year|images?|nifti"
    r"|volumes?|lesions?|patients|subjects|cases|controls?)([-_ ]?(\d+|[a-z]))?|(19|20)\d{2}"
)
"""Folders that hold patients: what lies below them is no visit of one."""
NAME = re.compile(r"sub-[A-Za-z0-9]+(_[a-z]+-[A-Za-z0-9]+)*_[A-Za-z0-9]+")
# Behind the whole name of an image: sub-01_T2w_lesion-manual, sub-01_T2w_label-lesion_seg, sub-01_T2w_lesionseg.
OF_AN_IMAGE = re.compile(
    rf"(?P<image>{NAME.pattern})"
    r"_(lesions?-manual|lesions?-?seg|lesions?-?mask|label-lesions?_(seg|mask|dseg|desc-[A-Za-z0-9]+_(seg|mask|dseg)))"
)


def find(folder: Path, contrast: str | None = None) -> Found | None:
    """Cases of a BIDS tree, or None where no name is one of BIDS.

    Args:
        folder: Its root.
        contrast: Suffix of the images (``T1w``, ``FLAIR``); not needed where there is only one.

    Raises:
        InputError: Several contrasts and none chosen, or several images for one mask.
    """
    images, masks, owned = defaultdict(list), defaultdict(list), defaultdict(list)
    for path in files(folder, deep=True):
        own = OF_AN_IMAGE.fullmatch(stem(path)) if is_volume(path) else None
        if own is not None and own["image"].rsplit("_", 1)[-1] not in MASKS:
            owned[own["image"]].append(path)
            continue
        if not is_volume(path) or NAME.fullmatch(stem(path)) is None:
            continue
        *pairs, suffix = stem(path).split("_")
        entities = dict(pair.split("-", 1) for pair in pairs)
        scan = tuple(f"{key}-{entities[key]}" for key in ("sub", "ses") if key in entities)
        if suffix not in MASKS:
            images[scan].append((path, suffix, entities.get("space")))
        elif entities.get("label", entities.get("desc", "")).lower() not in OTHER_LABELS:
            masks[scan].append((path, entities.get("space")))
    if not images:
        return None
    labelled = {of for scan in images for path, of, _ in images[scan] if scan in masks or stem(path) in owned}
    suffix = choose(folder, labelled, contrast)
    found = Found()
    for scan, entries in sorted(images.items()):
        own_images = [(path, space) for path, of, space in entries if of == suffix]
        named = [(path, space) for path, space in own_images if stem(path) in owned]
        if len(named) > 1:
            for path, _ in named:
                part = part_below(folder, path)
                found.add(stem(path).removesuffix(f"_{suffix}"), path, owned[stem(path)], part, scan[0])
            continue
        spaces = {space for _, space in masks.get(scan, ())}
        if len(spaces) > 1:
            raise InputError("_".join(scan), "has masks in several spaces", "keep those of one space")
        fitting = [path for path, space in named or own_images if not spaces or space in spaces]
        if len(fitting) > 1 and spaces:
            raise InputError(fitting[1], f"is a second {suffix} of this scan", "keep one image a scan")
        for path in fitting[:1]:
            whole = [mask for mask, _ in masks.get(scan, ())] + owned.get(stem(path), [])
            found.add("_".join(scan), path, whole, part_below(folder, path), scan[0])
    return found


def find_patient_folders(folder: Path, contrast: str | None = None) -> Found | None:
    """Cases of folders of one patient each, or None where no folder has an image beside a mask.

    Args:
        folder: Holds the folders, at any depth.
        contrast: Name of the image without its suffix; not needed where there is only one.

    Raises:
        InputError: Several images and none chosen.
    """
    places: dict[Path, tuple[dict[str, Path], list[Path]]] = {}
    for place in sorted({path.parent for path in files(folder, deep=True) if is_volume(path)}):
        images, masks = {}, []
        for path in files(place):
            if LESION_WORDS & set(re.split(r"[_.\- ]", stem(path).lower())):
                masks.append(path)
            elif is_volume(path):
                images[stem(path)] = path
        if images and masks:
            places[place] = images, masks
    if not places:
        return None
    chosen = choose(folder, set.union(*(set(images) for images, _ in places.values())), contrast)
    found = Found()
    for place, (images, masks) in places.items():
        if chosen not in images:
            raise InputError(place, f"has no {chosen}", "name the images alike in every folder")
        name = "-".join(place.relative_to(folder).parts) or place.name
        found.add(name, images[chosen], masks, part_below(folder, place), _patient(place.relative_to(folder).parts))
    return found


def _patient(parts: tuple[str, ...]) -> str:
    """Whose visit a folder is: visits must not be dealt to different parts. Nothing where it is no visit."""
    *above, own = (name.lower() for name in parts if part_of(name) is None) if parts else ("",)
    if (
        above
        and not SITE.fullmatch(above[-1])
        and (VISIT.fullmatch(own) or (own.isdigit() and PATIENT.fullmatch(above[-1])))
    ):
        return "-".join(above)
    return ""


def choose(folder: Path, contrasts: set[str], wanted: str | None) -> str:
    """The contrast to take.

    Raises:
        InputError: Several and none wanted, or another than those there.
    """
    listed = ", ".join(sorted(contrasts)) or "none beside a mask"
    if wanted is None and len(contrasts) == 1:
        return next(iter(contrasts))
    if wanted not in contrasts:
        fault = "holds several contrasts" if wanted is None else f"holds no {wanted}"
        raise InputError(folder, f"{fault}: {listed}", "choose one with --set contrast=NAME")
    return wanted
