"""Many volumes: each mask is written beside the others, what fails is recorded, the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from spinetk._version import __version__
from spinetk.batch.pools import Pool
from spinetk.batch.run import plain_stem
from spinetk.batch.task import Maker, Work
from spinetk.images.dicom_volume import modality_of_volume, volume_of
from spinetk.images.find import find_volumes
from spinetk.images.grid import AXIAL
from spinetk.images.kind import sniff
from spinetk.images.volume import SUFFIXES, one_file
from spinetk.pacs.address import is_address
from spinetk.segmentation.atrium.predictor import AtriumPredictor
from spinetk.segmentation.batch import digests, maker_of, mask_files
from spinetk.segmentation.card import AtriumCard
from spinetk.segmentation.mask import SEG_SUFFIX, write_mask

Draw = Callable[..., None]
DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")


def predict_files(
    predictor: AtriumPredictor | AtriumMaker,
    inputs: Iterable[str | Path],
    output: str | Path,
    how: Literal["locate", "slide"] = "locate",
    draw: Draw | None = None,
    *,
    lists: Sequence[str | Path] = (),
    pool: Pool | None = None,
    again: bool = True,
    aet: str = "SPINETK",
) -> dict[str, Any]:
    """Write ``output/<name of the input>`` for every volume, in its format and geometry, and ``output/run.json``.

    Args:
        predictor: Of the task, or what makes it in other processes (whose ``how`` and drawings then count).
        inputs: NIfTI, NRRD or MetaImage files, folders of a DICOM series, or folders of these at any depth. The mask
            of a series is a DICOM segmentation, ``<folder>.seg.dcm``.
        output: Folder. Where another input has the name of one already, a hash of its path is added.
        how: As in :meth:`AtriumPredictor.predict`.
        draw: Called with the name of the mask without its suffix, values, spacing_mm and mask of every volume.
        lists: Files with one input per line.
        pool: Processes or a cluster; this process by default.
        again: Do what is there already anew.
        aet: Our own AE title, for archives by DIMSE.

    Returns:
        What ``run.json`` holds: ``written`` (file, mask, voxels, seconds, remarks) and ``failed`` (file, why).
    """
    if isinstance(predictor, AtriumMaker):
        maker: Maker = predictor
        settings = {
            "spinetk": __version__,
            "device": predictor.device,
            "how": predictor.how,
            "maker": asdict(predictor) | {"weights": digests([*predictor.models, predictor.locator], AtriumCard)},
        }
    else:
        maker = maker_of(_mask, predictor, how, draw)
        settings = {"spinetk": __version__, "device": str(predictor.device), "how": how}
    return mask_files(
        inputs, output, maker, settings, expand=find_volumes, name_of=_name_of, lists=lists, pool=pool, again=again,
        aet=aet,
    )  # fmt: skip


@dataclass(frozen=True)
class AtriumMaker:
    """Makes the predictor where it is to work; travels to other processes.

    Attributes:
        models, locator, flips, device: As of :func:`spinetk.segmentation.atrium.models.load_predictor`.
        how: As of :func:`predict_files`.
        out: Folder of the drawings.
        pictures, surface: Whether contours and turning surfaces are drawn.
    """

    models: tuple[str, ...]
    locator: str | None
    flips: tuple[str, ...]
    device: str
    how: Literal["locate", "slide"]
    out: str
    pictures: bool
    surface: bool

    def __call__(self) -> Work:
        """Load the models, and return what segments one volume."""
        from spinetk.segmentation.atrium.models import load_predictor
        from spinetk.segmentation.atrium.pictures import drawing

        predictor = load_predictor(self.models, self.locator, self.device, self.flips)
        return partial(_mask, predictor, self.how, drawing(Path(self.out), self.pictures, self.surface))


def _mask(
    predictor: AtriumPredictor,
    how: Literal["locate", "slide"],
    draw: Draw | None,
    path: Path,
    source: str,
    out: Path,
    name: str,
) -> dict[str, Any]:
    """The work of a batch: one volume to its mask."""
    volume = volume_of(path).finite(path)
    mask = predictor.predict_volume(volume, how)
    if draw is not None:
        axial, turn = volume.as_closest(AXIAL)
        draw(_split(name)[0], axial.values, axial.spacing_mm, turn.take(mask))
    write_mask(volume, mask, out / name)
    remarks = [*volume.remarks]
    modality, known = modality_of_volume(volume)
    if modality not in (None, "OT", *predictor.modalities) and predictor.modalities:
        remarks.append(f"{known}, and the model was taught on {', '.join(predictor.modalities)}: the mask may be wrong")
    return {"mask": name, "voxels": int(mask.sum()), "remarks": remarks}


def _name_of(source: str) -> str:
    """The input's own name; ``.nrrd`` for one without a suffix of volumes, a segmentation's for DICOM."""
    path = Path(source)
    if is_address(source):
        return plain_stem(source) + SEG_SUFFIX
    stem, suffix = (path.resolve().name or "series", SEG_SUFFIX) if path.is_dir() else _split(path.name)
    if not suffix and path.is_file() and sniff(path) == "dicom":
        return path.stem + SEG_SUFFIX if path.suffix.lower() in DICOM_SUFFIXES else path.name + SEG_SUFFIX
    return stem + one_file(suffix or ".nrrd")


def _split(name: str) -> tuple[str, str]:
    suffix = next((s for s in (*SUFFIXES, SEG_SUFFIX) if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)], suffix
