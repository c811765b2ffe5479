"""RITE: ``AV_groundTruth/{training,test}/{images,vessel,av}``, pictures of the retina and masks of their vessels."""

from __future__ import annotations

from pathlib import Path

from spinetk.segmentation.data.case import Found, files, part_of, stem


def find(folder: Path) -> Found | None:
    """Cases, or None where the folder holds none. ``av``, arteries and veins apart, is not read."""
    roots = [folder, *sorted(path for path in folder.rglob("AV_groundTruth") if path.is_dir())]
    found = Found()
    for root in (root for root in roots if root.name == "AV_groundTruth"):
        for place in (root / "training", root / "test"):
            if not ((place / "images").is_dir() and (place / "vessel").is_dir()):
                continue
            masks = {stem(path): path for path in files(place / "vessel")}
            for path in files(place / "images"):
                found.add(stem(path), path, [masks[stem(path)]] if stem(path) in masks else [], part_of(place.name))
    return found if found.cases else None
