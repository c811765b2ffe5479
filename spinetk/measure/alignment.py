"""Alignment: pelvic angles, discs and slips of a reading, as JSON content with 95 % intervals."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from spinetk.anchor import SEQUENCE
from spinetk.geometry import Side, median
from spinetk.measure import slips
from spinetk.measure.body import column, direction_deg, endplates, number, scale_of, stack, turn_deg
from spinetk.measure.discs import Endplate, angle_deg, heights, meyerding, meyerding_interval, slip
from spinetk.measure.levels import adjacent, places
from spinetk.measure.pelvis import Pelvis, pelvis_of
from spinetk.measure.plausibility import limit_of
from spinetk.measure.rounding import DECIMALS, beside
from spinetk.measure.uncertainty import DRAWS, SACRAL, SEED, interval, scaled
from spinetk.reading import Reading
from spinetk.views import rules_of

PELVIC = ("sacral_slope", "pelvic_tilt", "pelvic_incidence")
NAMES = ("anterior", "middle", "posterior")
FARTHEST = 1.6  # times the usual step between centres: farther apart, a body may be missing between two
# On phantoms the interval that the points give the slope holds the truth in 55 to 81 % where the endplate was seen with
# less, and mostly where it was seen with more.
SURE_ENDPLATE = 0.8
NEAREST_SACRUM = 0.9  # of the last body's height: S1 farther away than this is not the neighbour of the last body


Plates = tuple[Endplate, Endplate]
"""Above and below a disc."""


def pelvic_angles(reading: Reading, side: Side | None) -> dict[str, Any]:
    """``sacral_slope``, ``pelvic_tilt``, ``pelvic_incidence`` in degrees, ``NAME_interval``, ``hip_axis_heads``.

    Empty when no S1 endplate was looked for or seen, or the front is not known: then there is nothing to say.
    """
    if side is None or "pelvic" not in rules_of(reading.view).angles:
        return {}
    scale = scale_of(reading)
    seen = pelvis_of(reading.landmarks, side, scale)
    if seen is None:
        return {}
    moved = pelvis_of(reading.landmarks, side, scale, _draws(reading))
    sigma = all(own.sigma_px is not None for own in reading.landmarks)
    content: dict[str, Any] = {}
    for name in PELVIC:
        value = getattr(seen, f"{name}_deg")()
        draws = getattr(moved, f"{name}_deg")() if sigma else None
        content[name] = None if value is None else number(value)
        content[f"{name}_interval"] = None if value is None or draws is None else interval(draws)
    content["hip_axis_heads"] = seen.heads
    lordosis = _lordosis_l1_s1(reading, side, seen, moved if sigma else None)
    return content | (lordosis or {})


def has_one_head(reading: Reading) -> bool:
    """Whether pelvic tilt and incidence rest on one femoral head, where the hip axis is midway between two."""
    kinds = [own.kind for own in reading.landmarks]
    return "pelvic" in rules_of(reading.view).angles and "s1" in kinds and kinds.count("femoral_head") == 1


def marked_too_often(reading: Reading) -> list[str]:
    """Sentences on what is marked more often than it is there, in views with pelvic angles.

    More than one S1 endplate, more than two femoral heads, S1 as a vertebra and as a landmark.
    """
    kinds = [own.kind for own in reading.landmarks]
    if "pelvic" not in rules_of(reading.view).angles:
        return []
    plates, heads = kinds.count("s1"), kinds.count("femoral_head")
    found = [f"{plates} S1 endplates are marked: the first is measured from."] if plates > 1 else []
    if plates and any(vertebra.label == "S1" for vertebra in reading.vertebrae):
        found.append(
            "S1 is marked as a vertebra, which lordosis is taken to, and as an endplate, which gives the slope."
        )
    return found + ([f"{heads} femoral heads are marked: no hip axis, no tilt, no incidence."] if heads > 2 else [])


def odd_incidence(reading: Reading, incidence_deg: float | None) -> list[str]:
    """A sentence on a pelvic incidence that hardly any pelvis has; none of what a person has marked.

    Args:
        reading: With its landmarks.
        incidence_deg: Of it; None where it was not measured.
    """
    least, most = limit_of("incidence_least"), limit_of("incidence_most")
    by_network = any(own.score is not None for own in reading.landmarks)
    if incidence_deg is None or not by_network or least <= incidence_deg <= most:
        return []
    said = beside(incidence_deg, lambda own: least <= own <= most)
    return [
        f"a pelvic incidence of {said} degrees is hardly seen (adults: {least:g} to {most:g}): the endplate of S1, a "
        "femoral head or the front is probably wrong, and slope and tilt with it."
    ]


def unsure_sacrum(reading: Reading) -> str | None:
    """A sentence where an S1 endplate that was hardly seen is measured from; its views are those of pelvic angles."""
    scores = [own.score for own in reading.landmarks if own.kind == "s1" and own.score is not None]
    if "pelvic" not in rules_of(reading.view).angles or not scores or scores[0] >= SURE_ENDPLATE:
        return None
    seen = beside(scores[0], lambda own: own >= SURE_ENDPLATE, 2)
    widened = any(name in reading.interval_scale for name in SACRAL)
    what = "angles, disc and slip that are taken from it"
    how = f"intervals of {what} are as wide as films of phantoms ask for that were seen no better"
    so = how if widened else f"{what} may be off by more than their intervals say"
    return f"the endplate of S1 was seen with a confidence of {seen} only: {so}."


def disc_measures(reading: Reading, side: Side | None, moved: np.ndarray | None) -> list[dict[str, Any] | None]:
    """For each vertebra what lies below it, or None: at the last one, over a gap, without a known front, in AP views.

    Args:
        reading: Vertebrae head to foot.
        side: The front.
        moved: (DRAWS, n, K, 2) disturbed points in px, or None.

    Returns:
        Per disc: ``name`` (``L4-L5``) or null; ``heights_px`` and, with a spacing, ``heights_mm``, by anterior, middle
        and posterior; ``angle_deg``; ``listhesis_px``, ``listhesis_mm``, ``listhesis_percent`` (positive forward) and
        ``meyerding``, the grade of that, null on a neck and where ``meyerding_reason`` says why it is doubted; each
        number with ``..._interval`` where the points carry standard deviations.
    """
    count = len(reading.vertebrae)
    if side is None or not rules_of(reading.view).front or not count or not reading.schema.columns:
        return [None] * count
    below = [_neighbour(reading, k) for k in range(count)]
    scale = scale_of(reading)
    chain, known_mm = stack(reading), reading.frame.spacing_mm is not None
    scales = reading.interval_scale
    # An endplate that a person has placed bears no score: how surely it was seen no longer counts.
    by_network = any(own.kind == "s1" and own.score is not None for own in reading.landmarks)
    found: list[dict[str, Any] | None] = []
    for k, where in enumerate(below):
        if where is None:
            found.append(None)
            continue
        high, turned, slipped = (
            scales.get(own if where == "S1" and by_network else kind, scales.get(kind, 1.0))
            for own, kind in list(SACRAL.items())[-3:]
        )
        name = _name(reading, k, where)
        content: dict[str, Any] = {"name": name}
        draws = draws_px = None
        plain = _plates(reading, chain, k, where, side, np.ones(2))
        real = _plates(reading, chain, k, where, side, scale)
        if moved is not None and reading.vertebrae[k].point_sigma_px is not None:
            draws = _plates(reading, moved, k, where, side, scale)
            draws_px = _plates(reading, moved, k, where, side, np.ones(2))
        units: list[tuple[str, Plates | None, Plates | None]] = [
            ("px", plain, draws_px),
            ("mm", real if known_mm else None, draws if known_mm else None),
        ]
        for unit, plates, other in units:
            own = content[f"heights_{unit}"] = None if plates is None else _named(heights(*plates))
            spans = None if own is None or other is None else heights(*other)
            content[f"heights_{unit}_interval"] = (
                None
                if spans is None or own is None
                else {n: scaled(interval(spans[:, i]), own[n], high, 0.0) for i, n in enumerate(NAMES)}
            )
            moved_by = content[f"listhesis_{unit}"] = None if plates is None else number(slip(*plates)[0])
            content[f"listhesis_{unit}_interval"] = (
                None if plates is None or other is None else scaled(interval(slip(*other)[0]), moved_by, slipped)
            )
        percent, angle = float(slip(*real)[1]), number(angle_deg(*real, side))
        span = None if draws is None else scaled(interval(slip(*draws)[1]), number(percent), slipped)
        content |= {
            "angle_deg": angle,
            "angle_deg_interval": None if draws is None else scaled(interval(angle_deg(*draws, side)), angle, turned),
            "listhesis_percent": number(percent),
            "listhesis_percent_interval": span,
            **_grade(reading, k, where, real, angle, span),
        }
        found.append(content)
    return found


def _grade(
    reading: Reading, index: int, where: int | str, plates: Plates, angle: float | None, span: list[float] | None
) -> dict[str, Any]:
    """The Meyerding grade of a slip, or why there is none; what a person has placed is not doubted."""
    percent = round(float(slip(*plates)[1]), DECIMALS)  # the figure written beside it
    lower: str | None
    if isinstance(where, str):
        lower, score = where, next(own.score for own in reading.landmarks if own.kind == "s1")
    else:
        lower, score = reading.vertebrae[where].label, reading.vertebrae[where].score
    upper, doubt = reading.vertebrae[index], None
    if reading.model is not None and (upper.score, score) != (None, None):
        above, below = plates
        doubt = slips.doubt(percent, upper.label, lower, float(above.length), float(below.length), angle)
    graded = rules_of(reading.view).slips_graded
    return {
        "meyerding": meyerding(percent) if graded and doubt is None else None,
        "meyerding_interval": meyerding_interval(span) if graded and doubt is None else None,
        "meyerding_reason": doubt if graded else None,
    }


def _named(values: np.ndarray) -> dict[str, float | None]:
    return {name: number(value) for name, value in zip(NAMES, values, strict=True)}


def _neighbour(reading: Reading, index: int) -> int | str | None:
    """What lies below a vertebra: the position of the next one, ``S1``, or None when something may be missing."""
    vertebrae, scale = reading.vertebrae, scale_of(reading)
    centres = np.array([vertebra.centre for vertebra in vertebrae]) * scale
    if index + 1 < len(vertebrae):
        above, own = vertebrae[index].label, vertebrae[index + 1].label
        if above and own:
            return index + 1 if above in SEQUENCE and own in SEQUENCE and adjacent(above, own) else None
        steps, apart = np.hypot(*np.diff(centres, axis=0).T), np.diff(places(reading))
        return index + 1 if steps[index] <= FARTHEST * median(steps) and apart[index] == 1 else None
    sacral = [own for own in reading.landmarks if own.kind == "s1"]
    if not sacral:
        return None
    top, bottom = (column(stack(reading)[index] * scale, reading.schema, name) for name in ("left", "right"))
    low, high = (top[1] + bottom[1]) / 2, (top[0] + bottom[0]) / 2
    reach = np.hypot(*((sacral[0].points * scale).mean(axis=0) - low))
    label = vertebrae[index].label
    fits = label is None or label in ("L4", "L5", "L6")
    return "S1" if fits and reach < NEAREST_SACRUM * np.hypot(*(low - high)) else None


def _name(reading: Reading, index: int, where: int | str) -> str | None:
    upper = reading.vertebrae[index].label
    lower = where if isinstance(where, str) else reading.vertebrae[where].label
    return f"{upper}-{lower}" if upper and lower else None


def _plates(reading: Reading, chain: np.ndarray, index: int, where: int | str, side: Side, scale: np.ndarray) -> Plates:
    """The endplates above and below a disc, of (..., n, K, 2) points in px."""
    schema = reading.schema
    upper = [column(chain[..., index, :, :] * scale, schema, name)[1] for name in ("left", "middle", "right")]
    if isinstance(where, str):
        mark = next(k for k, own in enumerate(reading.landmarks) if own.kind == "s1")
        points = reading.landmarks[mark].points
        if chain.ndim > 3:
            points = points + _draws(reading)[:, mark]
        left, right = points[..., 0, :] * scale, points[..., 1, :] * scale
        lower = [left, (left + right) / 2, right]
    else:
        lower = [column(chain[..., where, :, :] * scale, schema, name)[0] for name in ("left", "middle", "right")]
    return (
        Endplate.of(upper[0], upper[1], upper[2], side),
        Endplate.of(lower[0], lower[1], lower[2], side),
    )


def _lordosis_l1_s1(reading: Reading, side: Side, seen: Pelvis, moved: Pelvis | None) -> dict[str, Any] | None:
    """Lordosis between the upper endplates of L1 and S1, where the sacrum is a landmark rather than a vertebra."""
    labels = [vertebra.label for vertebra in reading.vertebrae]
    if "L1" not in labels or "S1" in labels:
        return None
    scale, k = scale_of(reading), labels.index("L1")
    plates = endplates(stack(reading) * scale, reading.schema)[0][k]
    sign = 1 if side == "right" else -1
    sacral = (seen.anterior - seen.posterior) * sign
    value = sign * turn_deg(direction_deg(plates), direction_deg(sacral))
    draws, sigma = None, reading.vertebrae[k].point_sigma_px
    if moved is not None and sigma is not None:
        from spinetk.measure.uncertainty import disturbed

        other = disturbed(reading)
        assert other is not None
        upper = endplates(other * scale, reading.schema)[0][:, k]
        draws = sign * turn_deg(direction_deg(upper), direction_deg((moved.anterior - moved.posterior) * sign))
    return {
        "lordosis_l1_s1": number(value),
        "lordosis_l1_s1_interval": None if draws is None else interval(draws),
    }


def _draws(reading: Reading) -> np.ndarray:
    """(DRAWS, M, 2, 2) offsets in px of the landmarks' points."""
    sigma = np.array([own.sigma_px or 0.0 for own in reading.landmarks])
    return _noise(len(sigma)) * sigma[:, None, None]


@lru_cache(maxsize=4)
def _noise(count: int) -> np.ndarray:
    noise = np.random.default_rng(SEED + 1).standard_normal((DRAWS, count, 2, 2))
    noise.flags.writeable = False
    return noise
