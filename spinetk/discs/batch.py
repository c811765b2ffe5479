"""Batch: files to labels, JSON and overlays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from spinetk import zoo
from spinetk._version import __version__
from spinetk.atomic import write_json
from spinetk.batch.pools import Pool
from spinetk.batch.run import Names, Run, plain_stem, run_batch
from spinetk.batch.sources import sources
from spinetk.batch.task import Maker, Work, content
from spinetk.discs.card import DiscCard, PointCard
from spinetk.discs.levels import FIRST_UNKNOWN
from spinetk.discs.pictures import attention_overlay, draw, heat_overlay, write_png
from spinetk.discs.points import DiscReading
from spinetk.discs.predictor import DiscPredictor, Evidence
from spinetk.discs.slab import Slab, read_slab, to_bytes, to_grid
from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.images import find_inputs, read_picture
from spinetk.images.dicom_volume import frames_of, modality_of_volume, volume_of
from spinetk.images.identity import safe_name
from spinetk.images.read import not_chosen
from spinetk.images.spacing import PROJECTION
from spinetk.images.volume import SUFFIXES
from spinetk.overrides import Facing
from spinetk.pacs.address import is_address
from spinetk.upright import upright
from spinetk.views import rules_of

TRAILER = "_desc-discs_labels"
SURELY = 0.95
"""Least probability at which the look of a picture is remarked."""


@dataclass
class Batch:
    """Outcome of :func:`predict_files`.

    Attributes:
        readings: By stem of their results, those that this process read now.
        results: The JSON file of every input that is done, by stem.
        failures: One line for each that is not.
        skipped: How many were done before.
    """

    readings: dict[str, DiscReading] = field(default_factory=dict)
    results: dict[str, Path] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    skipped: int = 0


@dataclass(frozen=True)
class Options:
    """How discs are labelled; see :func:`predict_files`."""

    method: str | None = None
    spacing_mm: tuple[float, float] | None = None
    facing: Facing = "auto"
    show_attention: bool = False
    series: str | None = None

    def __post_init__(self) -> None:
        Frame(self.spacing_mm)  # refuses what is no spacing, before a picture is read


@dataclass(frozen=True)
class PredictorMaker:
    """Makes the predictor where it is to work; travels to other processes."""

    model: str
    points: str | None
    device: str
    options: Options

    def __call__(self) -> Work:
        """Load the model, and return what labels one input."""
        return partial(_label, DiscPredictor.load(self.model, self.points, self.device), self.options, None)


def predict_files(
    files: Sequence[str | Path],
    out: str | Path,
    predictor: DiscPredictor | PredictorMaker,
    *,
    method: str | None = None,
    spacing_mm: tuple[float, float] | None = None,
    facing: Facing = "auto",
    show_attention: bool = False,
    series: str | None = None,
    lists: Sequence[str | Path] = (),
    pool: Pool | None = None,
    again: bool = True,
    aet: str = "SPINETK",
) -> Batch:
    """Label the discs of volumes and sagittal pictures.

    For each input ``OUT/<stem>_desc-discs_labels.json`` and ``.png`` (overlay), for a volume also ``.nii.gz``: single
    voxels in its own geometry with Spinal Cord Toolbox numbers, or 101, 102, ... from the head where the level cannot
    be known. ``OUT/run.json`` says what was done and what failed. Points of pictures are in px of the picture as
    stored; overlays are drawn upright.

    Args:
        files: Volumes: NIfTI, NRRD, MetaImage, folders of a DICOM series, DICOM files of several frames (enhanced MR).
            Pictures: PNG, JPEG, TIFF, DICOM; a slice alone where DICOM is no volume, or its spacing is given. Folders
            of these.
        out: Folder for the results.
        predictor: The model, or what makes it in other processes (whose options then count).
        method: See :func:`spinetk.discs.decision.decide`; None for the predictor's own.
        spacing_mm: The user's (row, column) spacing, for pictures.
        facing: Side that the patient's front faces, head up, for pictures that do not say.
        show_attention: Also write ``<stem>_attention.png`` and ``<stem>_heatmaps.png``.
        series: Which of several series of a folder or file, as of :func:`spinetk.images.read_picture`.
        lists: Files with one input per line.
        pool: Processes or a cluster; this process by default.
        again: Label what is there already anew.
        aet: Our own AE title, for archives by DIMSE.

    Raises:
        InputError: The folder is another run's or cannot be written, the disk is full, or the model is none.
    """
    batch = Batch()
    settings: dict[str, Any] = {"spinetk": __version__, "unknown_levels_from": FIRST_UNKNOWN}
    if isinstance(predictor, PredictorMaker):
        maker: Maker = predictor
        settings |= {"model": predictor.model, "method": predictor.options.method, "device": predictor.device}
        settings |= {"options": str(predictor.options), "weights": _digests(predictor)}
    else:
        options = Options(method, spacing_mm, facing, show_attention, series)
        maker = partial(partial, _label, predictor, options, batch.readings)
        settings |= {"model": predictor.name, "method": method or predictor.method, "options": str(options)}
        settings["device"] = predictor.device.type
    lost: list[str] = []
    found = sources(files, lists, expand=lambda paths: _inputs(paths, lost), aet=aet)
    run = run_batch(
        list(found), out, maker, settings,
        names=Names(f"{{}}{TRAILER}.json", ("run", "journal"), _stem), pool=pool, again=again,
        aet=aet, progress=pool is not None, finish=lambda run: _finish(run, lost), empty=False,
    )  # fmt: skip
    own = list(run.own())
    batch.results = {entry.stem: run.out / f"{entry.stem}{TRAILER}.json" for _, entry in own if entry.state == "done"}
    batch.failures, batch.skipped = lost + run.failures(), run.skipped
    if not own:
        _finish(run, lost)
    return batch


def _finish(run: Run, lost: list[str]) -> None:
    own = list(run.own())
    about = {name: value for name, value in run.readers[run.reader].items() if name not in ("options", "weights")}
    about |= {
        "inputs": run.sources, "done": sum(entry.state == "done" for _, entry in own), "failed": lost + run.failures(),
        "seconds": round(sum(entry.seconds for _, entry in own), 3),
    }  # fmt: skip
    write_json(run.out / "run.json", about)


def _digests(maker: PredictorMaker) -> list[str]:
    """SHA-256 of the weights a maker loads.

    Raises:
        InputError: There are none, or they are of another task by their card.
    """
    found = []
    for name, kind in ((maker.model, DiscCard), (maker.points, PointCard)):
        if name is None:
            continue
        path = zoo.find(name)
        zoo.check_card(path, kind, name)
        found.append(content(path))
    return found


def _label(
    predictor: DiscPredictor,
    options: Options,
    readings: dict[str, DiscReading] | None,
    file: Path,
    source: str,
    out: Path,
    stem: str,
) -> dict[str, Any]:
    """The work of a batch: one input to its files."""
    way = None
    remarks: list[str] = []
    slab = _slab(file, options, remarks)
    if slab is not None:
        remarks += _other_modality(*modality_of_volume(slab.volume))
        reading, evidence = predictor.read_slab(slab, file=source, method=options.method)
        reading.remarks[:0] = remarks
        if options.spacing_mm is not None:
            reading.remarks.append("the spacing given was not used: a volume has its own")
        if options.facing != "auto":
            reading.remarks.append("the front given was not used: a volume has its own")
        values = [d.number or FIRST_UNKNOWN + k for k, d in enumerate(reading.discs)]
        slab.write_labels(out / f"{stem}{TRAILER}.nii.gz", reading.points, values)
        pixels = slab.pixels
    else:
        picture = read_picture(file, spacing_mm=options.spacing_mm, series=options.series)
        if picture.modality in PROJECTION or "CR" in rules_of(picture.view).modalities:
            fault = f"is a radiograph ({picture.modality}) by its file, and discs are looked for in MR"
            raise InputError(source, fault, "give a sagittal MR slice or a volume")
        remarks += _other_modality(picture.modality, f"its file says {picture.modality}")
        pixels, way = upright(picture.pixels, picture.frame)
        if picture.modality is None:
            remarks += _other_look(to_bytes(pixels))
        frame = _facing(way.frame, options.facing)
        if options.facing not in ("auto", frame.anterior):
            remarks.append(f"the front given was not used: the file says that it is on the {frame.anterior}")
        reading, evidence = predictor.read(pixels, frame, file=source, method=options.method)
        reading.remarks = [*remarks, *picture.remarks, *reading.remarks]
    write_png(out / f"{stem}{TRAILER}.png", draw(to_bytes(pixels), reading))
    if options.show_attention:
        _show(out / stem, pixels, reading.frame, evidence, predictor.grid_mm)
    if way is not None and way.changes:
        reading = reading.stored(way)
    # The JSON last: where it is, all is there.
    write_json(out / f"{stem}{TRAILER}.json", reading.to_json())
    if readings is not None:
        readings[stem] = reading
    return {"discs": len(reading.discs)}


def _other_modality(modality: str | None, known: str) -> list[str]:
    """A remark on slices of a modality that no model of discs was taught on, and how that is known."""
    if modality in (None, "MR", "OT"):
        return []
    return [f"{known}, and models of discs were taught on MR: discs and levels may be wrong"]


def _other_look(grey: np.ndarray) -> list[str]:
    """A remark on a picture of no stated modality that surely looks like anything but a sagittal MR slice.

    Args:
        grey: (H, W) uint8.
    """
    from spinetk.keypoints.viewing.recognition import find_view

    sight = find_view(grey)
    if sight is None or sight.probability < SURELY or sight.modality == "MR":
        return []
    looks = f"looks like {sight.words} ({sight.probability:.0%} sure)"
    return [f"{looks}, and models of discs were taught on MR: discs and levels may be wrong"]


def _slab(file: Path, options: Options, remarks: list[str]) -> Slab | None:
    """The middle slices of a volume; None for a picture, and for DICOM that is no volume, which is remarked.

    Raises:
        InputError: A volume of another kind cannot be read.
    """
    if file.name.lower().endswith(SUFFIXES):
        remarks += not_chosen(options.series)
        return read_slab(file)
    if not file.is_dir() and frames_of(file) < 2:
        return None
    alone = "one slice was read, without its neighbours: "
    if options.spacing_mm is not None:
        remarks.append(f"{alone}the spacing given is about pictures")
        return None
    try:
        return read_slab(file, volume=volume_of(file, options.series))
    except InputError as error:
        remarks.append(f"{alone}it {error.fault}")
        return None


def _inputs(files: Sequence[str | Path], failures: list[str]) -> list[Path]:
    """Files, and folders that are one DICOM series; other folders are searched, derivatives of BIDS apart."""
    found = []
    for file in map(Path, files):
        if not file.is_dir():
            found.append(file)
            continue
        try:
            inside = [p for p in find_inputs([file]) if "derivatives" not in p.relative_to(file).parts]
        except InputError as error:
            failures.append(str(error))
            continue
        if not inside:
            failures.append(str(InputError(file, "holds no picture", "give files or another folder")))
        found += inside
    return found


def _stem(source: str) -> str:
    """The name of an input without its suffix."""
    if is_address(source):
        return plain_stem(source)
    name = Path(source).name
    lowered = name.lower()
    suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if lowered.endswith(s)), Path(name).suffix)
    return safe_name(name[: len(name) - len(suffix)] or "input")


def _facing(frame: Frame, facing: Facing) -> Frame:
    if frame.anterior is not None or facing == "auto":
        return frame
    toward = "P" if facing == "left" else "A"
    return Frame(frame.spacing_mm, frame.spacing_source, toward, frame.toward_bottom)


def _show(stem: Path, pixels: Any, frame: Frame, evidence: Evidence, grid_mm: float) -> None:
    """Heatmaps and attention on the model's grid, front left."""
    grey = pixels[:, ::-1] if frame.anterior == "right" else pixels
    height, width = evidence.maps.shape[1:]
    spacing = (height * grid_mm / grey.shape[0], width * grid_mm / grey.shape[1])
    grid = to_bytes(to_grid(grey, spacing, grid_mm)[0])
    write_png(stem.with_name(f"{stem.name}_heatmaps.png"), heat_overlay(grid, evidence.maps))
    if evidence.attention is not None:
        write_png(stem.with_name(f"{stem.name}_attention.png"), attention_overlay(grid, evidence.attention))
