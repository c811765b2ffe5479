"""Evaluation: COCO AP/OKS with the schema's sigmas, and the errors a reader cares about.

AP comes from pycocotools. Beside it: point errors in px, mm and % of vertebra height over matched vertebrae, and how
many vertebrae were missed, found twice or invented (:mod:`spinetk.keypoints.matching`).
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.splitting import make_split
from spinetk.errors import InputError
from spinetk.formats.item import in_schema
from spinetk.formats.record import reading_of
from spinetk.keypoints.matching import point_errors
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.reading import Reading
from spinetk.report.overlay import write_overlay
from spinetk.schema import KeypointSchema
from spinetk.training.launch import Distributed
from spinetk.training.quiet import quiet
from spinetk.training.record import known_again
from spinetk.vertebra import Vertebra

PARTS = ("train", "val", "test")
AP_THRESHOLD = 0.05  # AP integrates over confidence: low-scoring detections count, unlike for a reader


def evaluate(
    base: str | Path,
    part: str,
    predictor: Predictor,
    out: str | Path,
    *,
    worst: int = 5,
    strat_var: str | None = None,
    distributed: Distributed | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Score a predictor on the source pictures of a part of a split.

    Args:
        base: The case folder; its saved split is used, or made.
        part: ``train``, ``val``, ``test`` or ``all``.
        predictor: Its threshold is that of a reader; AP is computed over all detections of at least 5 %.
        out: ``evaluation.json`` (all numbers, and a row per case) and the overlays of the worst cases, with truth.
        worst: How many; the worst first by vertebrae missed, duplicated or invented, then by mean point error.
        strat_var: As given to ``make_split``.
        distributed: Of several processes, this one: each reads its share of the pictures, the first writes.
        progress: Show a progress bar.

    Returns:
        Point errors and counts (:func:`spinetk.keypoints.matching.point_errors`) and AP (:func:`coco_scores`). Of a
        model that knows what it was trained on ``pictures_trained_on``, too, how many of these that were: a warning
        says so.

    Raises:
        InputError: The part is empty, or a case lacks points of the model.
    """
    from tqdm import tqdm

    records, failures = CaseFolder(base).records(cases_of(base, part, strat_var), augmented=False)
    if not records:
        raise failures[0] if failures else InputError(base, f"part {part!r} holds no case", "choose another part")
    distributed = distributed or Distributed()
    known = predictor.trained_on  # most releases say nothing of it: then no file is read for it
    seen = sum(digest in known for digest in known_again(record["file_name"] for record in records)) if known else 0
    if seen and distributed.first:
        said = (
            f"{seen} of {len(records)} pictures of part {part!r} are among those that {predictor.name} was trained on"
        )
        warnings.warn(f"{said}: the figures are better than on new ones", stacklevel=2)
    own: list[tuple[int, Reading, Reading, Reading]] = []
    shared = list(enumerate(records))[distributed.rank :: distributed.world_size]
    for number, record in tqdm(shared, "evaluate", disable=not (progress and distributed.first)):
        truth = by_name(reading_of(record), predictor.schema)
        pixels = to_grey(read_pixels(record))
        reading, loose = predictor.read_at(
            pixels, (predictor.threshold, AP_THRESHOLD), file=truth.file, frame=truth.frame
        )
        own.append((number, truth, reading, loose))
    entries = sorted((entry for part in distributed.gather(own) for entry in part), key=lambda entry: entry[0])
    truths, sure, all_found = (list(column) for column in list(zip(*entries, strict=True))[1:])
    scores: dict[str, Any] = {"part": part, "model": predictor.name, "threshold": predictor.threshold}
    if known:
        scores["pictures_trained_on"] = seen
    scores |= point_errors(sure, truths) | coco_scores(all_found, truths)
    scores["failed"] = [str(failure) for failure in failures]
    if not distributed.first:
        return scores
    out = Path(out)
    write_json(out / "evaluation.json", scores)
    for stale in out.glob("worst-*.png"):
        stale.unlink()
    ranked = sorted(range(len(truths)), key=lambda i: _badness(scores["cases"][i]), reverse=True)
    for rank, i in enumerate(ranked[:worst], start=1):
        name = f"worst-{rank}-{records[i]['case']}.png" if "case" in records[i] else f"worst-{rank}.png"
        write_overlay(out / name, to_grey(read_pixels(records[i])), sure[i], truth=truths[i])
    return scores


def cases_of(base: str | Path, part: str, strat_var: str | None = None) -> list[str]:
    """Names of the cases of a part of the split of a case folder; of ``all`` the parts one after the other."""
    parts = dict(zip(PARTS, make_split(base, strat_var)[:3], strict=True))
    return [case for name in (PARTS if part == "all" else (part,)) for case in parts[name].index]


def by_name(truth: Reading, schema: KeypointSchema) -> Reading:
    """A truth with the points of a model, by their names, as training takes them; its OKS constants stay its own.

    Raises:
        InputError: It lacks some of them.
    """
    own = truth.schema
    missing = [name for name in schema.keypoints if name not in own.keypoints]
    if missing:
        fault = f"has the points of {own.name!r}, of those of the model {schema.name!r} it lacks {', '.join(missing)}"
        raise InputError(truth.file, fault, "evaluate a model trained on such cases")
    sigmas = [own.sigmas[own.index(name)] for name in schema.keypoints]
    return in_schema(truth, schema.with_sigmas(sigmas), Path(truth.file))


def _badness(case: dict[str, Any]) -> tuple[int, float]:
    return case["missed"] + case["duplicated"] + case["false"], case["mean_percent"] or 0.0


def coco_scores(found: Sequence[Reading], truths: Sequence[Reading]) -> dict[str, float]:
    """AP of boxes and keypoints from pycocotools, with the sigmas of the schema.

    The true area of a vertebra is that of its box. Keys: ``bbox_AP``, ``bbox_AP50``, ``bbox_AP75``,
    ``keypoints_AP``, ``keypoints_AP50``, ``keypoints_AP75``, ``keypoints_AR`` in 0..1; -1 where there is no truth.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    schema = truths[0].schema
    images = [{"id": i + 1, "height": t.height, "width": t.width} for i, t in enumerate(truths)]
    annotations: list[dict[str, Any]] = []
    detections: list[dict[str, Any]] = []
    for number, (f, t) in enumerate(zip(found, truths, strict=True), start=1):
        for v in t.vertebrae:
            box = _xywh(v)
            flat = np.column_stack([v.points, np.where(v.visible, 2, 0)])
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": 1, "iscrowd": 0, "bbox": box,
                 "area": box[2] * box[3], "keypoints": flat.ravel().tolist(), "num_keypoints": int(v.visible.sum())}
            )  # fmt: skip
        for v in f.vertebrae:
            flat = np.column_stack([v.points, np.full(len(v.points), 2)])
            detections.append(
                {"image_id": number, "category_id": 1, "score": float(v.score or 0), "bbox": _xywh(v),
                 "keypoints": flat.ravel().tolist()}
            )  # fmt: skip
    names = {"bbox": ("AP", "AP50", "AP75"), "keypoints": ("AP", "AP50", "AP75")}
    scores: dict[str, float] = {}
    with contextlib.redirect_stdout(io.StringIO()), quiet():
        coco = COCO()
        coco.dataset = {"images": images, "annotations": annotations, "categories": [schema.coco_category()]}
        coco.createIndex()
        results = coco.loadRes(detections) if detections else None
        for kind, keys in names.items():
            if results is None:
                scores |= {f"{kind}_{key}": 0.0 if annotations else -1.0 for key in keys}
                continue
            evaluation = COCOeval(coco, results, kind)
            evaluation.params.maxDets = [1, 10, 100] if kind == "bbox" else [100]
            if kind == "keypoints":
                evaluation.params.kpt_oks_sigmas = np.array(schema.sigmas)
                # COCO's size classes are for persons: vertebrae of small pictures would count as "small" and be
                # left out of keypoint AP altogether.
                evaluation.params.areaRng = [[0, 1e10]] * 3
            evaluation.evaluate()
            evaluation.accumulate()
            precision = evaluation.eval["precision"]
            for key, index in zip(keys, (slice(None), 0, 5), strict=True):
                values = precision[index, :, :, 0, -1]
                values = values[values > -1]
                scores[f"{kind}_{key}"] = round(float(values.mean()), 5) if values.size else -1.0
    return scores


def _xywh(vertebra: Vertebra) -> list[float]:
    x0, y0, x1, y1 = vertebra.bbox
    return [x0, y0, x1 - x0, y1 - y0]
