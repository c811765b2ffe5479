"""Release: a trained network as ``NAME.safetensors`` and its model card, with calibrated scores and its figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from spinetk import zoo
from spinetk._version import __version__
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.groups import FIELDS
from spinetk.formats.record import reading_of
from spinetk.keypoints.calibration import (
    calibrate,
    calibrate_landmarks,
    calibrate_outcomes,
    counted,
    fit_counting,
    fit_naming,
    sacral_outcomes,
)
from spinetk.keypoints.centre.export import parts, write_graphs
from spinetk.keypoints.evaluation import cases_of, evaluate
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.registry import kind_of
from spinetk.keypoints.spread import Case, spread_of
from spinetk.keypoints.torch_engine import TorchEngine, open_network

if TYPE_CHECKING:
    from spinetk.keypoints.centre.network import CentreNet

REQUIRED = ("task", "licence", "use", "data", "command")
METRICS = (
    "pictures", "vertebrae", "missed", "duplicated", "false", "pictures_complete", "median_px", "median_mm",
    "median_percent", "mean_percent", "bbox_AP", "keypoints_AP",
)  # fmt: skip


def release(
    model: str | Path,
    name: str,
    base: str | Path,
    about: str | Path,
    out: str | Path,
    part: str = "val",
    *,
    intervals: str | Path | None = None,
) -> Path:
    """Calibrate a model on a part of a split, score it there and write it for release.

    Args:
        model: Weights of a run.
        name: Name of the release.
        base: Case folder whose split the model was trained with.
        about: TOML with the fields of the card that only its maker knows: ``task``, ``licence``, ``use``, ``data``,
            ``command``, and optionally ``views``, ``modalities``, ``failures``, ...
        out: Folder for ``NAME.safetensors``, ``NAME.json`` and a centre network's graphs (``NAME-maps.onnx``, ...).
        part: ``val``, ``test``, ``train`` or ``all``.
        intervals: Case folder of annotated pictures that are new to the model, to fit the points' standard deviations
            on; None takes ``part``. Name one where ``base`` holds phantoms: errors on patients are larger.

    Returns:
        Path of the weights.

    Raises:
        InputError: A field of the card is missing, or the model cannot be loaded or is larger than 25 MB.
    """
    card = zoo.read_about(about, REQUIRED)
    weights, training, _ = zoo.load(model)
    zoo.check_size(model, weights)
    network, _ = open_network(zoo.find(model))
    predictor = Predictor(TorchEngine(network), Path(model).stem)
    cases = cases_of(base, part)
    records = CaseFolder(base).records(cases, augmented=False)[0]
    predictor.calibration = calibrate(predictor, records)
    sacral: dict[str, Any] = {}
    if network.preset.landmarks:
        predictor.landmark_calibration = calibrate_landmarks(predictor, records)
        sacral["landmarks"] = {kind: [round(v, 4) for v in own] for kind, own in predictor.landmark_calibration.items()}
        told = sacral_outcomes(predictor, records)
        naming = fit_naming(told.names, f"{part} part, {len(records)} pictures")
        if naming is not None:
            sacral["naming"] = asdict(naming)
        fronts = calibrate_outcomes(told.fronts)
        if fronts is not None:
            sacral["fronts"] = [round(value, 4) for value in fronts]
    if network.preset.levels:
        films = [film for record in records for film in counted(predictor, record)]
        predictor.counting = fit_counting(films, f"{part} part, {len(records)} pictures, as they are and spoilt")
    if intervals is None:
        pairs, words = read_part(predictor, base, cases), f"{part} part"
    else:
        pairs = read_part(predictor, intervals, CaseFolder(intervals).cases())
        words = f"pictures of {Path(intervals).name}"
    spread = spread_of(pairs, network.schema, _said(words, pairs))
    if spread is not None:
        predictor.spread, predictor.scales = np.array(spread.points), spread.scales_of_all
    predictor.name = name
    scores = evaluate(base, part, predictor, Path(out) / f"{name}-evaluation", worst=0)
    (Path(out) / f"{name}-evaluation" / "evaluation.json").unlink()
    (Path(out) / f"{name}-evaluation").rmdir()
    described = f"{part} part, {scores['pictures']} pictures, threshold {predictor.threshold}"
    card = {
        "name": name,
        "parameters": sum(p.numel() for p in network.parameters()),
        **card,
        "metrics": {"part": described} | {key: scores[key] for key in METRICS if scores.get(key) is not None},
        "calibration": [round(v, 4) for v in predictor.calibration],
        **sacral,
        **({} if predictor.counting is None else {"counting": asdict(predictor.counting)}),
        **({} if spread is None else {"spread": asdict(spread)}),
        "training": {key: said for key, said in training.get("training", {}).items() if key != "pictures"},
        "spinetk": __version__,
        "config": training["config"],
    }
    path = Path(out) / f"{name}.safetensors"
    zoo.save(path, weights, card)
    released = open_network(path)[0]
    if kind_of(released.preset).maps:
        write_graphs(parts(cast("CentreNet", released)), path)
    return path


def _said(part: str, pairs: Sequence[Case]) -> str:
    return f"{part}, {len(pairs)} pictures of {len({name for name, *_ in pairs})} patients"


def read_part(predictor: Predictor, base: str | Path, cases: Iterable[str]) -> list[Case]:
    """(patient, prediction, truth) of some cases; a case without a patient is one by itself.

    Args:
        predictor: Its readings carry its standard deviations as they are: without ``spread``, the network's own.
        base: The case folder.
        cases: Their names.

    Raises:
        InputError: None of them can be used, or has the points of the model.
    """
    folder, found = CaseFolder(base), []
    metadata = folder.metadata()
    records, failures = folder.records(cases, augmented=False, schema=predictor.schema)
    if failures and not records:
        raise failures[0]
    for record in records:
        truth, case = reading_of(record), str(record["case"])
        picture = to_grey(read_pixels(record))
        own = predictor.read(picture, file=truth.file, frame=truth.frame, view=truth.view)
        said = (metadata.get(case, {}).get(name) for name in FIELDS)
        found.append((next((str(name) for name in said if name is not None), case), own, truth))
    return found
