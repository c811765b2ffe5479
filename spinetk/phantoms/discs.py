"""Sagittal MR volumes with disc labels, and BIDS data sets of them, laid out as spine-generic is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import write_json, write_text
from spinetk.errors import InputError
from spinetk.images.grid import Grid
from spinetk.images.volume import Volume
from spinetk.measure.levels import TABLE
from spinetk.phantoms.choose import Region, choose_deformities, choose_field, region_extent, stream
from spinetk.phantoms.column import draw_column
from spinetk.phantoms.mr import Weighting, digitise, receive, strong_signal
from spinetk.phantoms.spine import draw_spine
from spinetk.phantoms.tissue import Tissue, tissue_signals

WEIGHTINGS: dict[str, Weighting] = {"T1w": "T1", "T2w": "T2"}
CENTRES = ("alpha", "beta", "gamma")
# How a scanner of each centre stores its volumes; readers must not mind.
ORIENTATIONS = ("AIL", "LPS", "RAS", "PIR")
CANAL_MM = (5.0, 11.0)
"""Distance from the midline at which the canal gives way to the foramina, from and to."""
BEHIND_MM, AHEAD_MM = 45.0, 25.0
"""How far the field of view reaches behind and before the bodies: the narrow one of an examination of the spine."""


@dataclass
class DiscPhantom:
    """A sagittal volume with exact disc points.

    Attributes:
        values: (D, H, W) uint16: slices toward the patient's left, rows toward the feet, columns toward the front.
        spacing_mm: Distance between voxels along those axes.
        discs: Spinal Cord Toolbox number (that of the vertebra below, C1 = 1) to the (slice, row, column) of the back
            end of the disc; 0 is the centre of the first voxel.
    """

    values: np.ndarray
    spacing_mm: tuple[float, float, float]
    discs: dict[int, tuple[float, float, float]]

    def image(self) -> Volume:
        """The volume in patient coordinates, its middle at the origin."""
        return self._placed(self.values.astype(np.int16))

    def labels(self) -> Volume:
        """Single voxels with the discs' numbers, in the geometry of :meth:`image`."""
        voxels = np.zeros(self.values.shape, np.uint8)
        for number, place in self.discs.items():
            voxels[tuple(np.rint(place).astype(int))] = number
        return self._placed(voxels)

    def _placed(self, values: np.ndarray) -> Volume:
        # Columns run to the front (+y), rows to the feet (-z), slices to the left (-x).
        directions = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
        affine = np.eye(4)
        affine[:3, :3] = directions * self.spacing_mm[::-1]
        affine[:3, 3] = -affine[:3, :3] @ ((np.array(values.shape[::-1]) - 1) / 2)
        return Volume(values, Grid(values.shape, affine))


def disc_volume(
    seed: int,
    *,
    weighting: Weighting = "T2",
    region: Region = "lumbar",
    slices: int = 9,
    spacing_mm: tuple[float, float, float] = (3.0, 0.9, 0.9),
    style: int | None = None,
) -> DiscPhantom:
    """A synthetic sagittal MR volume with exact disc points.

    Both weightings of a seed show the same anatomy, up to 4 mm off the middle of the volume to either side. Bodies and
    discs look the same in all slices; the canal gives way to the foramina beside the midline.

    Args:
        seed: Everything not given is a function of it; equal arguments give equal bits.
        weighting: ``T1`` or ``T2``.
        region: ``lumbar``, ``thoracic`` or ``whole``.
        slices: How many.
        spacing_mm: Distance between slices, rows and columns.
        style: Seed of sequence and scanner, for volumes of one centre; None takes ``seed``.

    Raises:
        InputError: An argument is out of range.
    """
    if weighting not in WEIGHTINGS.values():
        raise InputError(f"weighting {weighting!r}", "is unknown", "use T1 or T2")
    if not 1 <= slices <= 256:
        raise InputError(f"{slices} slices", "cannot be drawn", "use 1 to 256")
    spine = draw_spine(stream(seed, 11), choose_deformities(stream(seed, 12), None))
    _, y0, _, y1 = region_extent(stream(seed, 13), spine, region)
    column = np.concatenate([body.points() for body in (*spine.bodies, *spine.sacrum[:2])])
    x = column[(column[:, 1] > y0) & (column[:, 1] < y1), 0]
    extent = (float(x.min()) - BEHIND_MM, y0, float(x.max()) + AHEAD_MM, y1)
    shown = choose_field(extent, None, spacing_mm[1:], spacing_mm[1])
    scanner = seed if style is None else style
    signals = tissue_signals(weighting, stream(scanner, 14))
    painted = []
    for midline in (True, False):
        # The same stream for both, so that the same patient is around the canal and around the foramina.
        tissue = Tissue(shown, spine, signals, stream(seed, 15), midline)
        tissue.draw()
        draw_column(tissue)
        painted.append(tissue)
    off_mm = float(stream(seed, 21).uniform(-4, 4))
    noise = stream(seed, 22 if weighting == "T2" else 23)
    images = []
    for k in range(slices):
        beside = abs((k - (slices - 1) / 2) * spacing_mm[0] - off_mm)
        share = np.float32(np.clip((beside - CANAL_MM[0]) / (CANAL_MM[1] - CANAL_MM[0]), 0, 1))
        signal = painted[0].signal * (1 - share) + painted[1].signal * share
        images.append(receive(signal, shown, painted[0].back_mm, stream(scanner, 17)))
    strong = strong_signal(images[slices // 2])
    values = [digitise(image, strong, stream(scanner, 24), noise) for image in images]
    middle = off_mm / spacing_mm[0] + (slices - 1) / 2
    discs = {}
    for upper, lower in pairwise((*spine.bodies, spine.sacrum[0])):
        across, row = shown.px((upper.points()[0] + lower.points()[5]) / 2) - 0.5
        number = TABLE[lower.label].sct_disc_above
        if number is not None and 2 <= row <= shown.size[0] - 3 and 2 <= across <= shown.size[1] - 3:
            discs[number] = (float(np.clip(middle, 0, slices - 1)), float(row), float(across))
    return DiscPhantom(np.stack(values), spacing_mm, discs)


def write_disc_set(
    root: str | Path,
    subjects: int = 12,
    *,
    seed: int = 0,
    modalities: Sequence[str] = ("T1w", "T2w"),
    centres: Sequence[str] = CENTRES,
    region: Region = "lumbar",
    slices: int = 9,
    spacing_mm: tuple[float, float, float] = (3.0, 0.9, 0.9),
) -> list[str]:
    """Write a BIDS data set of disc phantoms, for ``spinetk discs prepare``.

    Volumes and labels are NIfTI. Every centre has its own contrast and voxel orientation, as centres do.

    Args:
        root: Folder of the set.
        subjects: How many, dealt out to the centres in turn.
        seed: Subject k is drawn from ``seed`` and k alone.
        modalities: ``T1w`` and ``T2w``.
        centres: Their names, letters only.
        region, slices, spacing_mm: As for :func:`disc_volume`.

    Returns:
        The subjects, ``sub-alpha01`` and on.

    Raises:
        InputError: No subject, or an unknown contrast, or a centre whose name BIDS does not allow.
    """
    for modality in modalities:
        if modality not in WEIGHTINGS:
            raise InputError(f"modality {modality!r}", "is unknown", f"use {' or '.join(WEIGHTINGS)}")
    if subjects < 1 or not centres or not all(name.isascii() and name.isalpha() for name in centres):
        fault = "has no subject, no centre, or a centre not named by letters alone"
        raise InputError("disc set", fault, "BIDS wants letters in the name of an entity")
    root, names, rows = Path(root), [], ["participant_id\tinstitution_id"]
    for k in range(subjects):
        place = k % len(centres)
        name = f"sub-{centres[place]}{k // len(centres) + 1:02d}"
        for modality in modalities:
            own = seed * 1_000_003 + k
            how: dict[str, Any] = {"region": region, "slices": slices, "spacing_mm": spacing_mm}
            phantom = disc_volume(own, weighting=WEIGHTINGS[modality], style=7919 * seed + place, **how)
            stem = f"{name}_{modality}"
            labels = root / "derivatives" / "labels" / name / "anat" / f"{stem}_label-discs_dlabel.nii.gz"
            for path, image in ((root / name / "anat" / f"{stem}.nii.gz", phantom.image()), (labels, phantom.labels())):
                turned, _ = image.as_closest(ORIENTATIONS[place % len(ORIENTATIONS)])
                turned.write(turned.values, path)
        names.append(name)
        rows.append(f"{name}\t{centres[place]}")
    write_text(root / "participants.tsv", "\n".join(rows) + "\n")
    write_json(root / "dataset_description.json", {"Name": "spinetk disc phantoms", "BIDSVersion": "1.8.0"})
    return names
