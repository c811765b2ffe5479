"""Any folder of image/mask pairs.

Either two folders side by side, such as ``images`` and ``masks``, or one folder in which masks are called like their
image and ``_mask``. Above them, folders called train, val or test say the part.
"""

from __future__ import annotations

from pathlib import Path

from spinetk.errors import InputError
from spinetk.segmentation.data.case import Found, files, part_below, stem

IMAGES = ("images", "image", "imgs", "img", "raw", "input", "inputs")
MASKS = ("masks", "mask", "labels", "label", "groundtruth", "ground_truth", "gt", "segmentations", "annotations")
ENDS = ("_mask", "_label", "_seg", "_segmentation", "_anno", "_lesion", "_gt", "_manual1")


def find_two_folders(folder: Path) -> Found | None:
    """Cases of an ``images`` folder beside a ``masks`` folder, or None where there is no such pair of folders.

    Names agree whole, or the mask's has one of ``ENDS`` or the image's ends in ``_image``.

    Raises:
        InputError: Two masks for one image.
    """
    found = Found()
    for place in [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]:
        inner = {path.name.lower(): path for path in place.iterdir() if path.is_dir()}
        images = next((inner[name] for name in IMAGES if name in inner), None)
        masks = next((inner[name] for name in MASKS if name in inner), None)
        if images is None or masks is None:
            continue
        part = part_below(folder, place)
        by_name: dict[str, Path] = {}
        for path in files(masks):
            name = _bare(stem(path), ENDS)
            if name in by_name:
                raise InputError(path, f"is a second mask beside {by_name[name].name}", "keep one mask an image")
            by_name[name] = path
        for path in files(images):
            name = _bare(stem(path), ("_image", "_img"))
            whole = _prefix(folder, place)
            found.add(f"{whole}{name}", path, [by_name[name]] if name in by_name else [], part)
    return found if found.cases else None


def find_one_folder(folder: Path) -> Found | None:
    """Cases of ``NAME.png`` beside ``NAME_mask.png`` (any of ``ENDS``, any suffix), or None where there are none."""
    found = Found()
    for place in [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]:
        here = {stem(path): path for path in files(place)}
        part = part_below(folder, place)
        for name, path in here.items():
            masks = [here[name + end] for end in ENDS if name + end in here]
            if masks:
                found.add(f"{_prefix(folder, place)}{name}", path, masks, part)
    return found if found.cases else None


def _bare(name: str, ends: tuple[str, ...]) -> str:
    return next((name[: -len(end)] for end in ends if name.lower().endswith(end)), name)


def _prefix(folder: Path, place: Path) -> str:
    """Folders between the root and the files, so that equal names in several folders stay apart."""
    parts = place.relative_to(folder).parts
    return "".join(f"{part}-" for part in parts)
