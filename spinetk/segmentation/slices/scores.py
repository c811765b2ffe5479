"""Scores of one model over many cases, with a picture of each, and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from spinetk.errors import InputError
from spinetk.images.volume import Volume
from spinetk.segmentation.data.case import Case
from spinetk.segmentation.data.colour import write_png
from spinetk.segmentation.data.said import say, summed
from spinetk.segmentation.evaluation import Evaluation
from spinetk.segmentation.lesion_rule import TOUCH, LesionRule
from spinetk.segmentation.slices import contours
from spinetk.segmentation.slices.batch import Predictor
from spinetk.segmentation.slices.evaluation import LegacyDoubleTruth, PictureEvaluation, SmallLesions
from spinetk.segmentation.slices.predictor import SlicePredictor


@summed()
def score(
    predictor: Predictor,
    cases: Sequence[Case],
    out: Path,
    task: str,
    pictures: bool,
    small_px: int,
    rule: LesionRule = TOUCH,
) -> tuple[dict[str, Any], Evaluation]:
    """Compare every case with its truth; ``cases.csv`` and the pictures are written as they come.

    Args:
        predictor: Of slices for the task lesion, else of pictures.
        cases: To be read one at a time; one that cannot be is reported and skipped.
        out: Folder.
        task: ``lesion``, or one of pictures.
        pictures: Draw outlines of every case.
        small_px: Volumes: largest lesion of the slices that are scored apart.
        rule: What makes a lesion found.

    Returns:
        The content of ``scores.json``, and the evaluation itself.

    Raises:
        InputError: No case could be read.
    """
    small, legacy = SmallLesions(small_px, rule), LegacyDoubleTruth()
    volumes = task == "lesion"
    result = (Evaluation if volumes else PictureEvaluation)(lesion_wise=True, lesion_rule=rule)
    failed: list[str] = []
    doubts: dict[str, list[str]] = {}
    for case in cases:
        try:
            image, truth = case.read()
        except InputError as error:
            failed.append(str(error))
            typer.echo(f"spinetk: {error}", err=True)
            continue
        values, spacing = (image.values, image.spacing_mm) if isinstance(image, Volume) else (image, (1.0, 1.0))
        if isinstance(image, Volume) and isinstance(predictor, SlicePredictor):
            known = image.header is None or image.header.spacing_known
            doubts[case.name] = predictor.statistics.remarks(case.image, values, spacing if known else None)
            for doubt in doubts[case.name]:
                say(case.image, doubt)
        predicted = predictor.predict(values)
        result.add(case.name, predicted, truth, spacing)
        (small if volumes else legacy).add(predicted, truth)
        if pictures:
            row = result.rows[-1]
            title = f"{case.name}   Dice {row['dice']:.3f}   F1 of {'lesions' if volumes else 'regions'} "
            title += f"{row['lesion_f1']:.3f}"
            drawn = (
                contours.volume_case(values, predicted, truth, title, spacing)
                if volumes
                else contours.picture_case(values, predicted, truth, title)
            )
            write_png(out / "pictures" / f"{case.name}.png", drawn)
    if not result.rows:
        raise InputError(f"{len(cases)} cases", "could not be evaluated", "see the lines above")
    result.write(out / "cases.csv")
    scores: dict[str, Any] = {"cases": len(result.rows), "failed": failed, "lesion_rule": str(rule), **result.summary()}
    scores |= {"small_lesions": small.summary(), "remarks": {k: v for k, v in doubts.items() if v}} if volumes else {}
    scores |= {"legacy_double_truth": legacy.summary()} if task == "skin" else {}
    return scores, result


def render(scores: dict[str, Any]) -> str:
    """A line a figure: mean and SD over the cases, pooled over all pixels."""
    head = f"{scores['cases']} cases, part {scores['part']}, lesions by {scores['lesion_rule']}"
    lines = [f"{'':<22}{'mean':>10}{'sd':>10}{'pooled':>10}   {head}"]
    lines += _lines(scores)
    small = scores.get("small_lesions")
    if small and small["slices"]:
        what = f"lesions of at most {small['largest_px']} px only"
        lines.append(f"slices with {what}: {small['slices']} of {small['cases']} cases")
        lines += _lines(small)
        lines.append(f"{'lesion_f1':<42}{small['lesion_f1']:>10.3f}")
    return "\n".join(lines)


def _lines(scores: dict[str, Any]) -> list[str]:
    lines = []
    for name, mean in scores["mean"].items():
        pooled = f"{scores['pooled'][name]:.3f}" if name in scores["pooled"] else ""
        lines.append(f"{name:<22}{mean:>10.3f}{scores['sd'][name]:>10.3f}{pooled:>10}")
    return lines


def small_rows(scores: Sequence[dict[str, Any]]) -> str:
    """Below the table of several models: pooled Dice in the slices with small lesions only."""
    lines = []
    for one in scores:
        small = one.get("small_lesions")
        if small and small["slices"]:
            dice = f"Dice pooled {small['pooled']['dice']:.3f}, mean {small['mean']['dice']:.3f}"
            lines.append(f"{one['model']}: {small['slices']} slices with small lesions only, {dice}")
    return "\n".join(lines)
