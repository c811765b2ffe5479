"""Many volumes or pictures: each mask is written beside the others, what fails is recorded, the rest goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from spinetk._version import __version__
from spinetk.batch.pools import Pool
from spinetk.batch.run import plain_stem
from spinetk.batch.task import Maker, Work
from spinetk.images.dicom_volume import volume_of
from spinetk.images.find import find_volumes
from spinetk.images.grid import AXIAL
from spinetk.images.volume import SUFFIXES, Volume, one_file
from spinetk.pacs.address import is_address
from spinetk.segmentation.batch import digests, maker_of, mask_files
from spinetk.segmentation.card import PictureCard, SliceCard
from spinetk.segmentation.data.case import files, is_picture, stem
from spinetk.segmentation.data.colour import read_both_ways, write_png
from spinetk.segmentation.slices import contours
from spinetk.segmentation.slices.pictures import CleanUp, PicturePredictor
from spinetk.segmentation.slices.predictor import SlicePredictor

Predictor = SlicePredictor | PicturePredictor
TURNED = "the picture and its mask are turned as its EXIF says: the stored pixels lie otherwise"


@dataclass(frozen=True)
class SliceMaker:
    """Makes the predictor where it is to work; travels to other processes.

    Attributes:
        weights, task, flips, threshold, opening, device: As of :func:`spinetk.segmentation.slices.models.load_any`.
        pictures: As of :func:`predict_files`.
    """

    weights: str
    task: str
    flips: tuple[str, ...]
    threshold: float
    opening: int
    device: str
    pictures: bool

    def __post_init__(self) -> None:
        CleanUp(self.threshold, self.opening)  # refuses what is none

    def __call__(self) -> Work:
        """Load the model, and return what segments one input."""
        from spinetk.segmentation.slices.models import load_any

        predictor = load_any(self.weights, self.task, self.flips, self.threshold, self.opening, self.device)
        return partial(_mask, predictor, self.pictures)


def predict_files(
    predictor: Predictor | SliceMaker,
    inputs: Iterable[str | Path],
    output: str | Path,
    pictures: bool = False,
    *,
    lists: Sequence[str | Path] = (),
    pool: Pool | None = None,
    again: bool = True,
    aet: str = "SPINETK",
) -> dict[str, Any]:
    """Write a mask for every input: a volume in its format and geometry, a picture as PNG of its size.

    Args:
        predictor: Of slices (volumes in) or of pictures, or what makes it in other processes (whose ``pictures`` then
            counts).
        inputs: Files, folders of a DICOM series, or folders of these at any depth. The mask of DICOM is NRRD.
        output: Folder. Where another input has the name of one already, a hash of its path is added.
        pictures: Also draw outlines, as ``output/pictures/<name>.png``.
        lists: Files with one input per line.
        pool: Processes or a cluster; this process by default.
        again: Do what is there already anew.
        aet: Our own AE title, for archives by DIMSE.

    Returns:
        What ``output/run.json`` holds: ``written`` (file, mask, pixels, seconds, remarks) and ``failed`` (file, why).
    """
    if isinstance(predictor, SliceMaker):
        maker: Maker = predictor
        volumes = predictor.task == "lesion"
        kind = SliceCard if volumes else PictureCard
        about = asdict(predictor) | {"digests": digests([predictor.weights], kind)}
        settings = {"spinetk": __version__, "device": predictor.device, "maker": about}
    else:
        maker, volumes = maker_of(_mask, predictor, pictures), isinstance(predictor, SlicePredictor)
        settings = {"spinetk": __version__, "device": str(predictor.device)}
    return mask_files(
        inputs, output, maker, settings, expand=partial(_inputs, volumes), name_of=partial(_name_of, volumes),
        lists=lists, pool=pool, again=again, aet=aet,
    )  # fmt: skip


def segment_volume(predictor: SlicePredictor, volume: Volume) -> np.ndarray:
    """(D, H, W) bool mask of a volume as stored, segmented in axial slices."""
    axial, turn = volume.as_closest(AXIAL)
    return turn.back(predictor.predict(axial.values))


def _mask(predictor: Predictor, draw: bool, path: Path, source: str, out: Path, name: str) -> dict[str, Any]:
    """The work of a batch: one input to its mask."""
    drawn = None
    remarks: tuple[str, ...] = ()
    if isinstance(predictor, SlicePredictor):
        volume = volume_of(path).finite(path)
        known = volume.header is None or volume.header.spacing_known  # else a remark says so
        spacing = volume.as_closest(AXIAL)[0].spacing_mm if known else None
        remarks = (*volume.remarks, *predictor.statistics.remarks(path, volume.values, spacing))
        mask = segment_volume(predictor, volume)
        if draw:
            axial, turn = volume.as_closest(AXIAL)
            drawn = contours.volume_case(axial.values, turn.take(mask), None, name, axial.spacing_mm)
        volume.write(mask, out / name)
    else:
        picture, stored = read_both_ways(path)
        said = predictor.form.remark(picture)
        remarks = () if said is None else (said,)
        if picture is not stored:
            remarks = (TURNED, *remarks)
        mask = predictor.predict(picture)
        drawn = contours.picture_case(picture, mask, None, name) if draw else None
        write_png(out / name, mask)
    if drawn is not None:
        write_png(out / "pictures" / f"{stem(Path(name))}.png", drawn)
    return {"mask": name, "pixels": int(mask.sum()), "remarks": list(remarks)}


def _inputs(volumes: bool, inputs: Iterable[str | Path]) -> list[Path]:
    if volumes:
        return find_volumes(inputs)
    found: list[Path] = []
    for given in map(Path, inputs):
        found += filter(is_picture, files(given, deep=True)) if given.is_dir() else [given]
    return found


def _name_of(volumes: bool, source: str) -> str:
    """The input's own name, with the suffix of its mask."""
    path = Path(source)
    suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), ".nrrd") if volumes else ".png"
    if is_address(source):
        return plain_stem(source) + suffix
    return (path.resolve().name or "series" if path.is_dir() else stem(path)) + one_file(suffix)
