"""Release: a trained network as ``NAME.safetensors`` and its model card, with calibrated scores and its figures."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from spinetk import __version__, zoo
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.record import reading_of
from spinetk.cases.splitting import make_split
from spinetk.errors import InputError
from spinetk.keypoints.evaluation import PARTS, evaluate
from spinetk.keypoints.matching import MATCH_SHARE, mean_height
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor

REQUIRED = ("task", "licence", "use", "data", "command")
METRICS = (
    "pictures", "vertebrae", "missed", "duplicated", "false", "pictures_complete", "median_px", "median_mm",
    "median_percent", "mean_percent", "bbox_AP", "keypoints_AP",
)  # fmt: skip


def release(
    model: str | Path, name: str, base: str | Path, about: str | Path, out: str | Path, part: str = "val"
) -> Path:
    """Calibrate a model on a part of a split, score it there and write it for release.

    Args:
        model: Weights of a run.
        name: Name of the release.
        base: Case folder whose split the model was trained with.
        about: TOML with the fields of the card that only its maker knows: ``task``, ``licence``, ``use``, ``data``,
            ``command``, and optionally ``views``, ``modalities``, ``failures``, ...
        out: Folder for ``NAME.safetensors`` and ``NAME.json``.
        part: ``val`` or ``test``.

    Returns:
        Path of the weights.

    Raises:
        InputError: A field of the card is missing, or the model cannot be loaded.
    """
    try:
        card: dict[str, Any] = tomllib.loads(Path(about).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(about, "cannot be read as TOML", f"write the fields {', '.join(REQUIRED)}") from error
    for field in REQUIRED:
        if field not in card:
            raise InputError(about, f"has no field {field!r}", "a model card says what it was made of and for whom")
    weights, training, _ = zoo.load(model)
    predictor = Predictor.load(model)
    predictor.calibration = calibrate(predictor, base, part)
    predictor.name = name
    scores = evaluate(base, part, predictor, Path(out) / f"{name}-evaluation", worst=0)
    (Path(out) / f"{name}-evaluation" / "evaluation.json").unlink()
    (Path(out) / f"{name}-evaluation").rmdir()
    described = f"{part} part, {scores['pictures']} pictures, threshold {predictor.threshold}"
    card = {
        "name": name,
        "parameters": sum(p.numel() for p in predictor.network.parameters()),
        **card,
        "metrics": {"part": described} | {key: scores[key] for key in METRICS if scores.get(key) is not None},
        "calibration": [round(v, 4) for v in predictor.calibration],
        "training": training.get("training", {}),
        "spinetk": __version__,
        "config": training["config"],
    }
    path = Path(out) / f"{name}.safetensors"
    zoo.save(path, weights, card)
    return path


def calibrate(predictor: Predictor, base: str | Path, part: str) -> tuple[float, float]:
    """Slope and intercept that turn scores into the share of detections that are vertebrae (Platt scaling).

    Every detection of the network counts, before any ordering: it is one when its centre lies within half a height
    of a true one.
    """
    from sklearn.linear_model import LogisticRegression

    index = dict(zip(PARTS, make_split(base)[:3], strict=True))[part].index
    records, _ = CaseFolder(base).records(index, augmented=False)
    logits: list[float] = []
    hits: list[bool] = []
    for record in records:
        truth = reading_of(record)
        points, scores = predictor.detections(to_grey(read_pixels(record)))
        centres = np.array([v.centre for v in truth.vertebrae]).reshape(-1, 2)
        limits = np.array([MATCH_SHARE * mean_height(v, truth.schema) for v in truth.vertebrae])
        away = np.linalg.norm(points.mean(1)[:, None] - centres, axis=-1) if len(points) else np.zeros((0, len(limits)))
        hits += (away <= limits).any(1).tolist()
        logits += np.log(scores / (1 - scores)).tolist()
    if len(set(hits)) < 2:
        return 1.0, 0.0
    fitted = LogisticRegression(C=1e6).fit(np.array(logits)[:, None], hits)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
