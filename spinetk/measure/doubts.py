"""Doubts: what the user should know about the measurements of a reading, in sentences."""

from __future__ import annotations

from typing import Any

from spinetk.facing import Facing
from spinetk.measure import alignment, levels, plausibility, slips
from spinetk.measure.facing import contradiction
from spinetk.reading import Reading
from spinetk.vertebra import Vertebra
from spinetk.views import rules_of


def remarks(
    reading: Reading,
    side: Facing,
    anchor: str | None,
    wrong: list[str | None],
    doubtful: list[str | None],
    below: list[dict[str, Any] | None],
    order: list[str],
) -> list[str]:
    """What is said of a reading, one sentence each.

    Args:
        reading: Measured, upright.
        side: Where the patient's front is.
        anchor: As the user gave it.
        wrong, doubtful: What is wrong or doubtful with each body, or None.
        below: Measures of the disc below each body, head to foot.
        order: What was said of the order of the bodies.
    """
    if not reading.vertebrae:
        return ["no vertebra, nothing to measure."]
    found = [*_about_front(reading, side), *_about_sizes(reading), *_about_levels(reading, anchor, order)]
    if side.side is not None and alignment.has_one_head(reading):
        found.append("one femoral head is seen: if the other lies apart from it, pelvic tilt and incidence are off.")
    if side.side is not None:
        found += alignment.marked_too_often(reading)
    unsure = alignment.unsure_sacrum(reading) if side.side is not None else None
    if unsure:
        found.append(unsure)
    names = [_called(reading, k) for k in range(len(reading.vertebrae))]
    found += slips.in_words(names, below)
    for k, (fault, doubt) in enumerate(zip(wrong, doubtful, strict=True)):
        if fault:
            found.append(f"{_called(reading, k)}: {fault}.")
        elif doubt:
            found.append(f"{_called(reading, k)} is doubtful: {doubt}.")
    return found


def _about_front(reading: Reading, side: Facing) -> list[str]:
    """What is said of the patient's front, in views that have one."""
    found = []
    if rules_of(reading.view).front:
        if side.side is None:
            found.append(
                "the anterior side is unknown: no wedge direction is claimed, and lordosis and kyphosis bear no sign "
                "(give it with --facing)."
            )
        elif side.source == "user" and reading.frame.anterior not in (None, side.side):
            found.append(f"anterior is {side.side} by the user's word, against the header.")
        elif side.source not in ("user", "header"):
            found.append(f"anterior is {side.side}, from the {side.source} (confidence {side.confidence:.2f}).")
        against = contradiction(reading, side)
        if against:
            by_user = side.source == "user"
            word, remedy = ("the user's word", "") if by_user else ("the header", " (give the front with --facing)")
            found.append(
                f"anterior is {side.side} by {word}, but {against}: if that is right, wedges, slips and the signs of "
                f"angles are the wrong way round{remedy}."
            )
    return found


def _about_sizes(reading: Reading) -> list[str]:
    """What is said of the scale, of grades not given, and of bodies that are hardly seen or of no possible size."""
    found = []
    if reading.frame.spacing_mm is None:
        shape = (
            "square pixels assumed for ratios and angles"
            if reading.frame.pixel_aspect is None
            else f"ratios and angles by the pixels' stated shape, height to width {reading.frame.pixel_aspect:.4g}"
        )
        found.append(f"pixel spacing is unknown: heights in px only, {shape}.")
    if reading.not_graded and rules_of(reading.view).not_graded is None:
        found.append(f"no grades: {reading.not_graded}.")
    weak = [_called(reading, k) for k, v in enumerate(reading.vertebrae) if is_below(v, reading)]
    if weak:
        found.append(f"below the threshold of {reading.threshold:g}, kept as part of the column: {', '.join(weak)}.")
    impossible = plausibility.impossible_size(reading)
    if impossible:
        found.append(f"the bodies are {impossible}: the spacing or what was found is wrong.")
    unusual = plausibility.unusual_size(reading)
    if unusual:
        found.append(f"{unusual}.")
    return found


def _about_levels(reading: Reading, anchor: str | None, order: list[str]) -> list[str]:
    """What is said of the column as a whole and of its names."""
    found = []
    n, rules = len(reading.vertebrae), rules_of(reading.view)
    if n == 1:
        found.append("one vertebra only: no angles, and a crushed body cannot be told without neighbours.")
    found += levels.faults([v.label for v in reading.vertebrae])
    found += order
    if levels.on_its_head(reading):
        where = "by its file the head is at the top" if reading.frame.says_head else "if it is not"
        found.append(f"the points' names put the head at the bottom of the picture: {where}, all is upside down.")
    unnamed = anchor is None and all(v.label is None for v in reading.vertebrae)
    if unnamed and "lordosis" in rules.angles:
        found.append("no level names: lordosis and kyphosis need them (give one with --anchor, e.g. L5=last).")
    if unnamed and n > 1 and rules.slant_tells:
        found.append("no level names: give one with --anchor, e.g. C3=first where the highest outline is that of C3.")
    if rules.unmeasured:
        found.append(f"{rules.unmeasured}.")
    return found


def _called(reading: Reading, index: int) -> str:
    return reading.vertebrae[index].label or f"vertebra #{index + 1}"


def is_below(vertebra: Vertebra, reading: Reading) -> bool:
    """Whether the network was less sure of a body than it was asked to be (it may fill a gap between sure ones)."""
    score, threshold = vertebra.score, reading.threshold
    return score is not None and threshold is not None and score < threshold
