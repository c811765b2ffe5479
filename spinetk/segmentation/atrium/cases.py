"""Which atrium cases are for training, validation and test, and phantom cases in the layout of the challenge."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from spinetk.errors import InputError
from spinetk.images.grid import Grid
from spinetk.images.volume import Volume
from spinetk.segmentation.data.files import Pair, find_pairs
from spinetk.segmentation.data.twins import once, say_shared
from spinetk.segmentation.split import write_split

PARTS = ("train", "val", "test")
FOLDERS = {"train": ("train",), "val": ("validate", "val", "validation"), "test": ("test",)}
SHARES = (0.7, 0.1, 0.2)

Parts = dict[str, list[Pair]]


def read_parts(source: str | Path, seed: int = 0, kept: str | Path | None = None) -> Parts:
    """The cases of a folder by part.

    A folder with ``train/`` and ``validate/`` or ``test/``, each with ``raw/`` and ``label/``, is taken as it is. One
    with ``raw/`` and ``label/`` alone (or in ``train/`` alone) is split by case, 70 / 10 / 20, each part but the first
    at least one case where there are three. An image that is there under two names is taken once; parts that are given
    and share one are a warning.

    Args:
        source: The folder.
        seed: Of the split.
        kept: Split of an earlier run (JSON of :func:`write_parts`). Where it is there, it decides, whatever the seed;
            cases it does not name are left out.

    Raises:
        InputError: No cases, files without partners, or a split that names none of the cases.
    """
    source = Path(source)
    given = {part: _folder(source, part) for part in PARTS}
    if given["train"] and (given["val"] or given["test"]):
        parts = {part: [] if folder is None else find_pairs(folder) for part, folder in given.items()}
        say_shared(parts)
        return parts
    pairs = find_pairs(given["train"] or source)
    if kept is not None and Path(kept).is_file():
        return _as_kept(pairs, Path(kept))
    pairs = once(pairs)
    order = np.random.default_rng(seed).permutation(len(pairs))
    least = 1 if len(pairs) >= 3 else 0
    val, test = (max(least, round(share * len(pairs))) for share in SHARES[1:])
    chosen = {"test": order[:test], "val": order[test : test + val], "train": order[test + val :]}
    return {part: [pairs[i] for i in sorted(chosen[part])] for part in PARTS}


def write_parts(parts: Parts, path: str | Path, weights: Iterable[str] = ()) -> None:
    """Names of the cases by part for the weights that will lie beside them (:func:`write_split`)."""
    write_split(Path(path), {part: [pair.name for pair in parts[part]] for part in PARTS}, weights)


def write_phantoms(
    folder: str | Path,
    cases: int,
    seed: int = 0,
    shape: tuple[int, int, int] = (48, 144, 144),
    spacing_mm: tuple[float, float, float] = (2.0, 1.5, 1.5),
) -> list[Pair]:
    """Phantom atria as ``folder/raw/phantomNNN_lgemri.nrrd`` and ``folder/label/phantomNNN_laendo.nrrd``.

    Args:
        folder: Receives the files.
        cases: How many; case k is the phantom of seed ``seed + k``.
        seed: Of the first.
        shape: (D, H, W) of each.
        spacing_mm: Along those axes.
    """
    from spinetk.phantoms.atrium import atrium_volume

    folder = Path(folder)
    for number in range(cases):
        phantom = atrium_volume(seed + number, shape=shape, spacing_mm=spacing_mm)
        volume = Volume(phantom.values, Grid.of_lps(phantom.values.shape, phantom.spacing_mm))
        name = f"phantom{seed + number:03d}"
        volume.write(phantom.values, folder / "raw" / f"{name}_lgemri.nrrd")
        volume.write(phantom.mask.astype(np.uint8) * np.uint8(255), folder / "label" / f"{name}_laendo.nrrd")
    return find_pairs(folder)


def _folder(source: Path, part: str) -> Path | None:
    return next((source / name for name in FOLDERS[part] if (source / name / "raw").is_dir()), None)


def _as_kept(pairs: list[Pair], path: Path) -> Parts:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        wanted = {part: set(content[part]) for part in PARTS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(path, "is not a split of cases", "delete it to split again") from error
    parts = {part: [pair for pair in pairs if pair.name in wanted[part]] for part in PARTS}
    if not any(parts.values()):
        raise InputError(path, "names none of these cases", "give the folder that was trained on")
    return parts
