"""Atrium weights: of a stage, of a run, or released with both stages in one file; and their release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import nn

from spinetk import filling, zoo
from spinetk._version import __version__
from spinetk.errors import InputError
from spinetk.segmentation.atrium.predictor import AtriumPredictor, Geometry
from spinetk.segmentation.card import AtriumCard, StageConfig
from spinetk.segmentation.registry import Options, get_entry
from spinetk.training.device import pick_device

STAGES: tuple[Literal["locator", "segmenter"], ...] = ("locator", "segmenter")


@dataclass(frozen=True)
class Part:
    """One network of a model.

    Attributes:
        weights: Of the network.
        network: Registered name.
        options: Of the network.
        geometry: Of its training.
        training: What the card says of it.
        source: File it comes from.
        modalities: DICOM modalities it was made for, where the card says so.
    """

    weights: zoo.Weights
    network: str
    options: Options
    geometry: Geometry
    training: Mapping[str, Any]
    source: str
    modalities: tuple[str, ...] = ()

    def build(self) -> nn.Module:
        """The network with its weights."""
        return filling.fill(lambda: get_entry(self.network).build(**self.options), self.weights, self.source)

    @property
    def parameters(self) -> int:
        """Numbers that were trained; running statistics are not."""
        return sum(p.numel() for p in get_entry(self.network).build(**self.options).parameters())


def read_parts(name: str | Path) -> dict[str, Part]:
    """The stages of a model: of the folder of a run, a weights file, or a released name.

    Raises:
        InputError: There is none, or it is of another task.
    """
    folder = Path(name)
    if folder.is_dir():
        files = [folder / f"{stage}.pth" for stage in STAGES if (folder / f"{stage}.pth").is_file()]
        if not files:
            raise InputError(folder, "holds no trained network", "give the folder of an atrium training")
        return {stage: part for file in files for stage, part in read_parts(file).items()}
    weights, card, _ = zoo.load(name, AtriumCard)
    config, training = card.config, card.training or {}
    if isinstance(config, StageConfig):
        part = Part(weights, config.network, config.options, config.geometry, training, str(name), card.modalities)
        return {config.stage: part}
    strange = sorted(key for key in weights if key.split(".", 1)[0] not in STAGES)
    if strange:
        raise InputError(name, f"holds the tensor {strange[0]!r} of neither stage", "train or release it again")
    parts: dict[str, Part] = {}
    for stage in STAGES:
        own = {k.removeprefix(f"{stage}."): v for k, v in weights.items() if k.startswith(f"{stage}.")}
        described = getattr(config, stage)
        said = training.get(stage, training)
        parts[stage] = Part(
            own, described.network, described.options, config.geometry, said, str(name), card.modalities
        )
    return parts


def load_predictor(
    segmenters: Sequence[str | Path],
    locator: str | Path | None = None,
    device: str = "auto",
    flips: Sequence[str] = (),
) -> AtriumPredictor:
    """A predictor from models; several segmenters are averaged.

    Args:
        segmenters: Folders of runs, weights files or released names.
        locator: The same; None for the first that comes with a segmenter.
        device: ``auto``, ``cpu`` or ``cuda``.
        flips: Axes of the flipped copies that are averaged too.

    Raises:
        InputError: Weights that are no atrium networks, or segmenters of different geometries.
    """
    models = [read_parts(name) for name in segmenters]
    if not models:
        raise InputError("model", "is missing", "give weights by name or path")
    for name, parts in zip(segmenters, models, strict=True):
        if "segmenter" not in parts:
            raise InputError(name, "is not a segmenter of the task atrium", "give the segmenter of a training run")
        if parts["segmenter"].geometry != models[0]["segmenter"].geometry:
            raise InputError(name, "was trained at another spacing or crop", "average networks of one geometry")
    finder = next((parts["locator"] for parts in models if "locator" in parts), None)
    if locator is not None:
        finder = read_parts(locator).get("locator")
        if finder is None:
            raise InputError(locator, "is not a locator of the task atrium", "give the locator of a training run")
    geometry = models[0]["segmenter"].geometry
    networks = [parts["segmenter"].build() for parts in models]
    found = None if finder is None else finder.build()
    modalities = models[0]["segmenter"].modalities
    return AtriumPredictor(networks, geometry, found, pick_device(device), flips, modalities=modalities)


def release(run: str | Path, path: str | Path, **fields: Any) -> Path:
    """Write locator and segmenter of a run as one ``NAME.safetensors`` (fp16) with ``NAME.json``.

    Args:
        run: Folder of a training of both stages.
        path: ``NAME.safetensors``.
        **fields: Of the card: ``use``, ``data``, ``licence``, ``command``, ``metrics``, ``commit`` ...

    Raises:
        InputError: A stage is missing, or the file would be larger than 25 MB.
    """
    path, parts = Path(path).with_suffix(".safetensors"), read_parts(run)
    for stage in STAGES:
        if stage not in parts:
            raise InputError(run, f"holds no {stage}", "train both stages into one folder")
    weights = {f"{stage}.{key}": value for stage in STAGES for key, value in parts[stage].weights.items()}
    smaller = "--stage locator --locator-network monai-unet3d --set locator_width=8"
    zoo.check_size(path, weights, f"train a smaller locator into the folder of the run: {smaller}")
    described: dict[str, Any] = {
        stage: {"network": parts[stage].network, "options": parts[stage].options} for stage in STAGES
    }
    card = {
        "name": path.stem,
        "task": "atrium",
        "parameters": sum(part.parameters for part in parts.values()),
        **fields,
        "preprocessing": "Resampled to the grid, standardised within the volume (locator) and the crop (segmenter)",
        "spinetk": __version__,
        "config": {
            "task": "atrium",
            "stage": "both",
            **described,
            "geometry": parts["segmenter"].geometry.to_json(),
        },
        "training": {stage: parts[stage].training for stage in STAGES},
    }
    zoo.save(path, weights, card)
    return path
