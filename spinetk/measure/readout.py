"""Readout: every measurement of one reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spinetk.anchor import named
from spinetk.facing import Facing
from spinetk.measure import alignment, levels, plausibility
from spinetk.measure import angles as spine_angles
from spinetk.measure.body import IMPOSSIBLE, area, faults, number, scale_of, stack
from spinetk.measure.deformity import THRESHOLDS_PERCENT, checked, gradable, judge, judge_unsided
from spinetk.measure.doubts import is_below, remarks
from spinetk.measure.facing import Seen, anterior_side
from spinetk.measure.heights import ANATOMICAL, COLUMNS, anatomical, expected, heights, references
from spinetk.measure.pelvis import ends_named
from spinetk.measure.uncertainty import disturbed, interval, intervals, scale_angles
from spinetk.reading import Reading
from spinetk.views import rules_of

# Marks the remarks of this room, so that measuring again replaces them.
PREFIX = "Measurement: "
COUNTED = "the vertebrae are not ordered from head to foot: they are measured, and counted here, from the head down."


def measure(
    reading: Reading,
    *,
    facing: str = "auto",
    anchor: str | None = None,
    thresholds: Sequence[float] = THRESHOLDS_PERCENT,
    picture: np.ndarray | Seen | None = None,
) -> Reading:
    """Measure every vertebra and the spine as a whole.

    Args:
        reading: Vertebrae in any order, which stays; they are measured from head to foot. It is not changed.
        facing: The side of the picture the patient faces, seen with the head up: ``left``, ``right``, or ``auto`` to
            take it from the header, else from what the reading keeps, else from the curve of the spine and the picture.
        anchor: Names the levels, e.g. ``L5=last``, ``T1=first``, ``L1=3``; None keeps the labels there are.
        thresholds: Height loss in percent at which grades 1, 2 and 3 begin.
        picture: (H, W) uint8, the same picture, for finding the anterior side; or :class:`spinetk.measure.facing.Seen`.

    Returns:
        A new reading with the same points. Each vertebra's ``measures`` holds, as strict JSON (null = not measurable):

        * ``heights_px``, ``heights_mm`` (null when the spacing is unknown): left, middle, right and, when the side is
          known, anterior and posterior. Plain distances; with oblong pixels only those in mm are comparable.
        * ``heights_px_interval``, ``heights_mm_interval``: 95 % [low, high] of each, null without ``point_sigma_px``.
        * ``anterior_side``; ``area_px2``, ``area_mm2``; ``tilt_deg`` of the mid-line, 0 = level, positive = the right
          side hangs lower, and ``tilt_deg_interval``.
        * ``ratios``: ``left_right``; ``wedge`` (anterior/posterior), ``biconcavity`` (middle/posterior), ``crush``
          (posterior/expected from the neighbours); in mm where the spacing is known.
        * ``deformity`` (:func:`spinetk.measure.deformity.judge`) or null, then ``deformity_reason`` says why.
        * ``disc_below``: heights and angle of the disc below and the slip over it
          (:func:`spinetk.measure.alignment.disc_measures`), or null.
        * ``below_threshold``: true where the network was less sure of the body than it was asked to be; else left out.

        Sides, tilts and the order from head to foot are those of the picture turned head up, by what its frame says.
        ``facing`` is kept in the reading, so that measuring it again changes nothing.

        ``angles`` holds degrees or null: ``cobb_max``, ``cobb_upper``, ``cobb_lower``, ``cobb_max_endplates``,
        ``lordosis_l1_l5``, ``lordosis_l1_s1``, ``kyphosis_t1_t12``, ``kyphosis_t4_t12``; for each ``NAME_interval``;
        ``cobb_max_ends``, ``cobb_upper_ends``, ``cobb_lower_ends``: the two end vertebrae, upper first, by label or,
        without one, by position counted from 0; and ``cobb_form`` (``C`` or ``S``).

    Raises:
        InputError: ``facing``, ``anchor`` or ``thresholds`` cannot be used.
    """
    limits = checked(thresholds)
    # What others say of a body beside our measures stays; what we leave out where it is not so must go.
    gone = ("below_threshold", "disc_below")
    old = [{key: said for key, said in v.measures.items() if key not in gone} for v in reading.vertebrae]
    vertebrae = [replace(v, measures=own) for v, own in zip(reading.vertebrae, old, strict=True)]
    if anchor is not None and vertebrae:
        names = named(len(vertebrae), anchor)
        for place, label in zip(levels.head_to_foot(reading), names, strict=True):
            vertebrae[place].label = label
        reading = reading.named_by_person()
    kept = [remark for remark in reading.remarks if not remark.startswith(PREFIX)]
    measured = replace(reading, vertebrae=vertebrae, remarks=kept)
    measured.landmarks = ends_named(reading.landmarks, levels.toward_head(measured), scale_of(measured))
    # Neighbours are those that lie beside one another, in whatever order a file has the bodies.
    order = levels.in_order(measured)
    column = replace(measured, vertebrae=[vertebrae[k] for k in order])
    # Head up by quarter turns, and by a mirror where EXIF asks for one: lengths in px stay, left and right are those
    # that everybody sees.
    turn = reading.frame.upright_orientation(mirror=False)
    upright = column if turn == 1 else column.turned(turn)
    seen = picture if picture is None else _seen(picture, turn)
    side = anterior_side(upright, facing, seen) if rules_of(reading.view).front else Facing(None, "none", 0.0)
    moved = disturbed(upright)
    wrong = faults(stack(upright) * scale_of(upright), upright.schema)
    doubtful = plausibility.doubts(upright)
    _measure_bodies(upright, side, limits, moved, wrong, doubtful)
    below = alignment.disc_measures(upright, side.side, moved)
    # Points that are not seen leave the others right; outlines that cannot be say nothing of the discs beside them.
    broken = [fault in IMPOSSIBLE for fault in wrong]
    sound = [not (reading.not_graded or doubt or bad) for doubt, bad in zip(doubtful, broken, strict=True)]
    below = [own if all(sound[k : k + 2]) else None for k, own in enumerate(below)]
    disorder = levels.order_faults(column)
    if order != sorted(order):
        disorder = [COUNTED, *(fault for fault in disorder if fault != levels.OUT_OF_ORDER)]
    for vertebra, turned, own in zip(column.vertebrae, upright.vertebrae, below, strict=True):
        vertebra.measures |= {**turned.measures, "disc_below": own}
    angles = _angles(upright, side, moved) | alignment.pelvic_angles(upright, side.side)
    for name in spine_angles.COBB:
        if ends := angles[f"{name}_ends"]:
            angles[f"{name}_ends"] = [order[end] if isinstance(end, int) else end for end in ends]
    measured.angles = scale_angles(angles, reading.interval_scale)
    measured.facing = side if side.side is not None else None
    said = remarks(upright, side, anchor, wrong, doubtful, below, disorder)
    said += alignment.odd_incidence(upright, angles.get("pelvic_incidence"))
    measured.remarks += [PREFIX + remark for remark in said]
    return measured


def _seen(picture: np.ndarray | Seen, turn: int) -> Seen:
    seen = picture if isinstance(picture, Seen) else Seen(picture)
    return seen if turn == 1 else seen.turned(turn)


def _measure_bodies(
    reading: Reading,
    side: Facing,
    limits: tuple[float, ...],
    moved: np.ndarray | None,
    wrong: list[str | None],
    doubtful: list[str | None],
) -> None:
    scale, schema, chain = scale_of(reading), reading.schema, stack(reading)
    known_mm = reading.frame.spacing_mm is not None
    plain = heights(chain, schema)
    real = heights(chain * scale, schema) if known_mm else plain
    moved_px = moved_real = None
    if moved is not None:
        moved_px = heights(moved, schema)
        moved_real = heights(moved * scale, schema) if known_mm else moved_px
        spans_px = _spans(plain, moved_px)
        spans_mm = _spans(real, moved_real) if known_mm else spans_px
    usable = np.array(
        [
            fault is None and doubt is None and gradable(vertebra.label) is None
            for fault, doubt, vertebra in zip(wrong, doubtful, reading.vertebrae, strict=True)
        ],
        dtype=bool,
    )
    names = [v.label or f"vertebra #{k + 1}" for k, v in enumerate(reading.vertebrae)]
    order = anatomical(real, side.side or "left")
    moved_order = None if moved_real is None else anatomical(moved_real, side.side or "left")
    posterior = order[:, 2] if side.side else np.fmax(real[:, 0], real[:, 2])
    places = levels.places(reading)
    neighbours = references(posterior, usable, places) if len(chain) else []
    areas_px, areas_real = area(chain, schema), area(chain * scale, schema)
    tilts = spine_angles.tilts_deg(chain * scale, schema)
    if moved is not None:
        moved_tilts = spine_angles.tilts_deg(moved * scale, schema)
        spans_deg = _spans(tilts, tilts + (moved_tilts - tilts + 180) % 360 - 180)
    for k, vertebra in enumerate(reading.vertebrae):
        draws = moved_order if vertebra.point_sigma_px is not None else None
        answer, reason = None, rules_of(reading.view).not_graded or reading.not_graded
        reason = reason or wrong[k] or gradable(vertebra.label) or doubtful[k]
        if reason is None:
            ask = judge if side.side else judge_unsided
            last = k == len(chain) - 1
            low = vertebra.label in ("L5", "L6") or (vertebra.label is None and last)
            known: dict[str, Any] = {"names": names, "thresholds": limits, "draws": draws, "places": places}
            answer, reason = ask(order, k, neighbours[k], low_behind=low, **known)
        with_sigma = vertebra.point_sigma_px is not None
        vertebra.measures |= {
            "heights_px": _named(plain[k], side),
            "heights_mm": _named(real[k], side) if known_mm else None,
            "heights_px_interval": _named_intervals(spans_px[k], side) if with_sigma else None,
            "heights_mm_interval": _named_intervals(spans_mm[k], side) if with_sigma and known_mm else None,
            "anterior_side": side.side,
            "area_px2": number(areas_px[k]) if wrong[k] is None else None,
            "area_mm2": number(areas_real[k]) if wrong[k] is None and known_mm else None,
            "tilt_deg": number(tilts[k]),
            "tilt_deg_interval": spans_deg[k] if with_sigma else None,
            "ratios": _ratios(real, order, k, neighbours[k], side, places),
            "deformity": answer,
            "deformity_reason": reason,
        }
        if is_below(vertebra, reading):
            vertebra.measures["below_threshold"] = True


def _spans(values: np.ndarray, draws: np.ndarray | None) -> np.ndarray:
    """Intervals of values by their draws; none where the value cannot be measured, though most draws may have one."""
    found = intervals(np.asarray(draws))
    found[~np.isfinite(values)] = None
    return found


def _named(values: np.ndarray, side: Facing) -> dict[str, float | None]:
    content = {name: number(value) for name, value in zip(COLUMNS, values, strict=True)}
    if side.side:
        sided = dict(zip(ANATOMICAL, anatomical(values, side.side), strict=True))
        content |= {name: number(sided[name]) for name in ("anterior", "posterior")}
    return content


def _named_intervals(spans: np.ndarray, side: Facing) -> dict[str, list[float] | None]:
    content = dict(zip(COLUMNS, spans, strict=True))
    if side.side:
        other = "right" if side.side == "left" else "left"
        content |= {"anterior": content[side.side], "posterior": content[other]}
    return content


def _ratios(
    real: np.ndarray, order: np.ndarray, index: int, neighbours: tuple[int, ...], side: Facing, places: np.ndarray
) -> dict[str, float | None]:
    def ratio(a: np.ndarray | float, b: np.ndarray | float) -> float | None:
        return number(a / b) if np.isfinite(b) and b > 0 else None

    content: dict[str, float | None] = {"left_right": ratio(real[index, 0], real[index, 2])}
    anterior, middle, posterior = order[index]
    hoped = expected(order[:, 2], index, neighbours, places)
    content["wedge"] = ratio(anterior, posterior) if side.side else None
    content["biconcavity"] = ratio(middle, posterior) if side.side else None
    content["crush"] = ratio(posterior, hoped) if side.side else None
    return content


def _angles(reading: Reading, side: Facing, moved: np.ndarray | None) -> dict[str, Any]:
    scale, schema = scale_of(reading), reading.schema
    chain = stack(reading) * scale
    moved = None if moved is None else moved * scale
    labels = [v.label for v in reading.vertebrae]
    with_sigma = [v.point_sigma_px is not None for v in reading.vertebrae]
    content: dict[str, Any] = {}

    def add(name: str, value: Any, draws: Any, ends: Sequence[int]) -> None:
        content[name] = None if value is None else number(value)
        known = value is not None and draws is not None and all(with_sigma[k] for k in ends)
        # A curve that ends with the film has one vertebra at both ends: 0 by the rule, whatever the points do.
        known &= len(set(ends)) > 1
        content[f"{name}_interval"] = interval(draws) if known else None

    found = spine_angles.cobb(chain, schema, reading.height * scale[1])
    for k, name in enumerate(spine_angles.COBB):
        if found is None:
            add(name, None, None, ())
            content[f"{name}_ends"] = None
            continue
        ends = found.ends[k]
        draws = None if moved is None else spine_angles.cobb_deg(moved, schema, ends)
        add(name, spine_angles.cobb_deg(chain, schema, ends), draws, ends)
        content[f"{name}_ends"] = [labels[e] or e for e in ends]
    if found is None:
        add("cobb_max_endplates", None, None, ())
    else:
        draws = None if moved is None else spine_angles.endplate_cobb_deg(moved, schema, found.ends[0])
        value = spine_angles.endplate_cobb_deg(chain, schema, found.ends[0])
        add("cobb_max_endplates", value, draws, found.ends[0])
    content["cobb_form"] = found.form if found else None

    for name, (top, _, bottom, _, _) in spine_angles.SAGITTAL.items():
        angle = spread = None
        if name.startswith(rules_of(reading.view).angles):
            angle = spine_angles.sagittal_deg(chain, schema, labels, name, side.side)
            spread = None if moved is None else spine_angles.sagittal_deg(moved, schema, labels, name, side.side)
        add(name, angle, spread, [] if angle is None else [labels.index(top), labels.index(bottom)])
    return content
