"""Deformity: Genant's semi-quantitative type and grade of a vertebral body, from its heights.

Genant HK, Wu CY, van Kuijk C, Nevitt MC, J Bone Miner Res 1993;8:1137. A wedge has lost anterior height, a biconcave
body middle height, a crushed body posterior height (and with it, as a rule, all of it). Grade 1, 2 and 3 begin at 20,
25 and 40 % of loss.

What each loss refers to:

* anterior and middle: the posterior height of the same body, as long as that is not itself reduced;
* posterior: the posterior height expected from the neighbours, interpolated between the nearest sound one above and
  below (see :func:`spinetk.measure.heights.references`);
* anterior and middle of a crushed body: the larger of its posterior height and of the height expected from the
  neighbours.

L5 is often lower behind than L4 (by a median of 14 % in 41 lumbar MR slices). Its posterior loss counts only when its
anterior height has fallen behind the neighbours as well; the same holds for the lowest body of a picture without level
names, which may be L5.

The reading is defined on lateral pictures of thoracic and lumbar bodies and needs to know which side is anterior.
"Not determinable" is an answer: None, with the reason in words. So is "not sure": where the points carry standard
deviations, every grade has a probability (the share of disturbed copies that reach it), and no type is given where
no deformity is one of several possible answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.measure.body import number
from spinetk.measure.heights import ANATOMICAL, expected
from spinetk.measure.uncertainty import interval

THRESHOLDS_PERCENT = (20.0, 25.0, 40.0)
GRADES = 4
UNCERTAIN = "uncertain"
SURE = 0.9
"""Least probability of a grade that is stated; below it, and where the interval spans three grades, it is not sure."""
TYPES = ("normal", "wedge", "biconcave", "crush")
# Bodies that are often lower in front without fracture; a loss from this size on gets a note.
OFTEN_WEDGED = ("T8", "T9", "T10", "T11", "T12", "T13", "L1")
NOTED_WEDGE_PERCENT = 10.0
FALLEN_BEHIND_PERCENT = 10.0
NO_HEIGHT = "anterior or posterior height cannot be measured"
OWN_POSTERIOR = "posterior height of the same body"
# 19.999999999 % that should read 20 % is rounding of the coordinates, not anatomy; and a loss that a result file, with
# four decimals, gives as 20 % has the grade of 20 %.
ROUNDING_PERCENT = 0.5e-4


def checked(thresholds: Sequence[float | str]) -> tuple[float, float, float]:
    """The three thresholds in percent as floats.

    Raises:
        InputError: They are not three rising percentages.
    """
    try:
        first, second, third = (float(value) for value in thresholds)
    except (TypeError, ValueError) as error:
        raise InputError("thresholds", f"{thresholds!r} are not three numbers", "give e.g. 20 25 40") from error
    if not 0 < first < second < third < 100:
        raise InputError("thresholds", f"{(first, second, third)} do not rise within 0..100 %", "give e.g. 20 25 40")
    return first, second, third


def losses_percent(
    values: np.ndarray,
    index: int,
    neighbours: tuple[int, ...],
    crush_from: float,
    low_behind: bool = False,
    places: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Losses of one vertebra of a chain.

    Args:
        values: (..., n, 3) anterior, middle, posterior heights, head to foot, in one unit.
        index: The vertebra.
        neighbours: Its references.
        crush_from: Posterior loss in percent from which the body counts as crushed.
        low_behind: The body may be lower behind by nature (see the module).
        places: (n,) of the chain, counted in levels; None where none is missing.

    Returns:
        (..., 3) anterior, middle, posterior loss in percent, negative where higher than the reference, NaN where it
        cannot be said; and (...) whether the posterior loss counts.
    """
    own = values[..., index, :]
    hoped = np.stack([expected(values[..., k], index, neighbours, places) for k in range(3)], axis=-1)
    posterior = _loss(own[..., 2], hoped[..., 2])
    counts = np.isfinite(posterior)
    if low_behind:
        counts &= np.nan_to_num(_loss(own[..., 0], hoped[..., 0]), nan=100.0) >= FALLEN_BEHIND_PERCENT
    crushed = counts & (np.nan_to_num(posterior, nan=-1.0) >= crush_from - ROUNDING_PERCENT)
    reference = np.where(crushed[..., None], np.fmax(hoped[..., :2], own[..., 2:]), own[..., 2:])
    front = _loss(own[..., :2], np.broadcast_to(reference, own[..., :2].shape))
    return np.concatenate([front, posterior[..., None]], axis=-1), counts


def _loss(value: np.ndarray, reference: np.ndarray) -> np.ndarray:
    sound = np.nan_to_num(reference) > 0
    return np.where(sound, 100 * (1 - value / np.where(sound, reference, 1.0)), np.nan)


def grade(loss_percent: np.ndarray | float, thresholds: Sequence[float]) -> np.ndarray:
    """(...) grade 0..3 of (...) losses in percent; a loss equal to a threshold reaches its grade."""
    return np.searchsorted(np.asarray(thresholds) - ROUNDING_PERCENT, loss_percent, side="right")


def judge(
    values: np.ndarray,
    index: int,
    neighbours: tuple[int, ...],
    *,
    names: Sequence[str],
    thresholds: Sequence[float] = THRESHOLDS_PERCENT,
    draws: np.ndarray | None = None,
    low_behind: bool = False,
    places: np.ndarray | None = None,
) -> tuple[dict[str, Any] | None, str | None]:
    """Type and grade of one vertebra whose anterior side is known.

    Args:
        values: (n, 3) anterior, middle, posterior heights of the chain, head to foot.
        index: The vertebra.
        neighbours: Its references.
        names: (n,) what to call each vertebra in sentences, its level name if it has one.
        thresholds: Percent at which grades 1, 2, 3 begin.
        draws: (N, n, 3) disturbed heights for the interval, or None.
        low_behind: The body may be lower behind by nature.
        places: (n,) of the chain, counted in levels; None where none is missing.

    Returns:
        The JSON field ``deformity`` or None, and the reason when it is None. With draws ``loss_percent_interval`` and
        ``grade_interval`` (with the grade itself) are 95 % intervals, ``grade_probability`` is that of each grade 0..3,
        and ``type`` is ``uncertain`` where it may or may not be ``normal`` (:func:`is_sure`).
    """
    losses, counts = losses_percent(values, index, neighbours, thresholds[0], low_behind, places)
    if np.isnan(losses[:2]).all():
        return None, NO_HEIGHT
    counted = np.where(np.array([True, True, bool(counts)]), losses, np.nan)
    kind, worst = _type(counted, thresholds)
    if kind == "normal" and np.isnan(losses[0]):
        return None, NO_HEIGHT
    by_neighbours = " and ".join(names[k] for k in neighbours)
    notes = _notes(names[index], kind, worst, losses)
    if len(neighbours) == 1:
        notes.append("posterior height judged against one neighbour only")
    if np.isfinite(losses[2]) and not counts and losses[2] >= thresholds[0]:
        notes.append(f"{names[index]} is lower behind, as L5 often is by nature: not counted")
    content: dict[str, Any] = {
        "type": kind,
        "grade": int(grade(worst, thresholds)),
        "loss_percent": number(max(worst, 0.0)),
        "losses_percent": {name: number(v) for name, v in zip(ANATOMICAL, losses, strict=True)},
        "reference": f"heights expected from {by_neighbours}" if kind == "crush" else OWN_POSTERIOR,
        "posterior_reference": f"posterior height of {by_neighbours}" if neighbours else None,
        "not_judged": [t for t, v in zip(TYPES[1:], losses, strict=True) if np.isnan(v)],
        "loss_percent_interval": None,
        "grade_interval": None,
        "grade_probability": None,
        "thresholds_percent": [float(t) for t in thresholds],
        "notes": notes,
    }
    if draws is not None:
        moved, counts = losses_percent(draws, index, neighbours, thresholds[0], low_behind, places)
        moved[..., 2] = np.where(counts, moved[..., 2], np.nan)
        moved = np.fmax.reduce(np.nan_to_num(moved, nan=0.0), axis=-1, initial=0.0)
        content["loss_percent_interval"] = interval(moved)
        if content["loss_percent_interval"]:
            spanned = [content["grade"], *grade(np.array(content["loss_percent_interval"]), thresholds)]
            content["grade_interval"] = [int(min(spanned)), int(max(spanned))]
        reached = np.bincount(grade(moved, thresholds), minlength=len(thresholds) + 1)
        content["grade_probability"] = [round(float(share), 3) for share in reached / len(moved)]
        if 0 in possible_grades(content) and not is_sure(content):
            content["type"] = UNCERTAIN
    return content, None


def is_sure(deformity: Mapping[str, Any]) -> bool:
    """Whether the grade of a ``deformity`` field can be stated; always, where nothing is known of its uncertainty."""
    chances, span = chances_of(deformity), _grades_in(deformity)
    wide = len(span) == 2 and span[1] - span[0] > 1
    return not wide and (chances is None or chances[deformity["grade"]] >= SURE)


def chances_of(deformity: Mapping[str, Any]) -> list[float] | None:
    """The probability of each grade 0..3 in a ``deformity`` field, or None where it says none."""
    said = deformity.get("grade_probability")
    if not isinstance(said, list) or len(said) != GRADES or not all(isinstance(share, int | float) for share in said):
        return None
    return [float(share) for share in said]


def _grades_in(deformity: Mapping[str, Any]) -> list[int]:
    span = deformity.get("grade_interval")
    return [int(g) for g in span] if isinstance(span, list) and all(g in range(GRADES) for g in span) else []


def possible_grades(deformity: Mapping[str, Any]) -> list[int]:
    """The grade of a ``deformity`` field where it is sure; else all that its 95 % interval spans, and its own."""
    if is_sure(deformity):
        return [deformity["grade"]]
    found = [deformity["grade"], *_grades_in(deformity)]
    return list(range(min(found), max(found) + 1))


def _type(losses: np.ndarray, thresholds: Sequence[float]) -> tuple[str, float]:
    worst = float(np.nanmax(losses))
    if grade(worst, thresholds) == 0:
        return "normal", worst
    if np.nan_to_num(losses[2], nan=-1.0) >= thresholds[0] - ROUNDING_PERCENT:
        return "crush", worst
    anterior, middle = np.nan_to_num(losses[:2], nan=-np.inf)
    return ("wedge" if anterior >= middle else "biconcave"), worst


def _notes(name: str, kind: str, worst: float, losses: np.ndarray) -> list[str]:
    notes = []
    if name in OFTEN_WEDGED and kind in ("normal", "wedge") and losses[0] >= NOTED_WEDGE_PERCENT and worst < 25:
        notes.append(f"{name} is often wedged by nature: a small anterior loss alone does not make a fracture")
    return notes


def judge_unsided(
    values: np.ndarray, index: int, neighbours: tuple[int, ...], **known: Any
) -> tuple[dict[str, Any] | None, str | None]:
    """As :func:`judge` when the anterior side is unknown: only "normal", and only if it is so either way round.

    Args:
        values: (n, 3) left, middle, right heights.
        index, neighbours, known: As for :func:`judge`.
    """
    draws = known.get("draws")
    both = [
        judge(
            values if side == 0 else values[..., ::-1],
            index,
            neighbours,
            **(known | {"draws": draws if side == 0 or draws is None else draws[..., ::-1]}),
        )
        for side in (0, 1)
    ]
    answers = [answer for answer, _ in both if answer is not None]
    if len(answers) < len(both):
        return both[0] if both[0][0] is None else both[1]
    if all(answer["grade"] == 0 for answer in answers):
        # The less sure of the two counts.
        worst = min(answers, key=lambda answer: ((answer["grade_probability"] or [1])[0], -answer["loss_percent"]))
        worst["losses_percent"] = None
        sure = worst["type"] != UNCERTAIN
        said = "normal whichever side it is" if sure else "uncertain, whichever side it is"
        worst["notes"] = [f"the anterior side is unknown: {said}"]
        return worst, None
    return None, "a height is reduced, but the anterior side is unknown, so neither type nor direction can be told"


def gradable(label: str | None) -> str | None:
    """Why a level is not graded, or None when it is (thoracic, lumbar and unnamed bodies are)."""
    if label is not None and not re.fullmatch(r"[TL]\d{1,2}", label):
        return f"Genant grades are defined for thoracic and lumbar bodies, not for {label}"
    return None
