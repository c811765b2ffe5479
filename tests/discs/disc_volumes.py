"""Drawn volumes with disc labels, written as BIDS."""

from __future__ import annotations

from pathlib import Path

import numpy as np

STEPS = {20: (0.0, 0.0), 21: (1.0, 22.0), 22: (3.0, 45.0), 23: (6.0, 69.0)}


def draw_volume(seed: int, numbers=tuple(STEPS)):
    """A standing volume (R, I, P), 1 x 1 x 1.25 mm, bright bodies between dark discs, and its disc voxels."""
    random = np.random.default_rng(seed)
    values = random.normal(40, 5, (10, 112, 60)).clip(0)
    top, left = 20 + random.integers(-4, 5), 30 + random.integers(-3, 4)
    places = {}
    for number in numbers:
        x, y = round(left + STEPS[number][0]), round(top + STEPS[number][1])
        values[:, y + 3 : y + 18, x - 16 : x] += 120
        values[:, y - 2 : y + 3, x - 16 : x + 1] -= 20
        places[number] = (5, y, x)
    return values.clip(0).astype(np.int16), places


def write_subject(root: Path, name: str, seed: int, *, orientation="LPS", ending="labels-disc-manual", modality="T2w"):
    """Image and labels of a subject in BIDS; gives the labels' places in mm (axes of NIfTI)."""
    import SimpleITK as sitk

    values, places = draw_volume(seed)
    labels = np.zeros(values.shape, np.uint8)
    for number, voxel in places.items():
        labels[voxel] = number
    mm = {}
    for array, folder, stem in (
        (values, root / name / "anat", f"{name}_{modality}"),
        (labels, root / "derivatives" / "labels" / name / "anat", f"{name}_{modality}_{ending}"),
    ):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((1.0, 1.0, 1.25))
        image.SetOrigin((-20.0, 33.0, 110.0))
        image.SetDirection((0, 0, -1, 1, 0, 0, 0, -1, 0))  # columns: back, feet, right
        mm = {
            n: np.array(image.TransformIndexToPhysicalPoint((v[2], v[1], v[0]))) * (-1, -1, 1)
            for n, v in places.items()
        }
        folder.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(sitk.DICOMOrient(image, orientation), str(folder / f"{stem}.nii.gz"))
    return mm
