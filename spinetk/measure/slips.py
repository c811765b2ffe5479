"""Slips: their grades in words, and those that spines hardly have, which speak for a misplaced outline.

What a model found keeps its figures; a slip that is doubted gets no Meyerding grade and is not called a finding. What a
person has marked is not doubted. The limits and their sources stand in :mod:`spinetk.measure.plausibility`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from spinetk.measure.discs import WIDEST_LUMBOSACRAL_DEG, meyerding
from spinetk.measure.plausibility import limit_of
from spinetk.measure.rounding import beside

LOW = ("L3", "L4", "L5", "L6")
"""Levels that slip forward by more than a quarter, where the posterior arch is broken or dysplastic."""


def doubt(
    percent: float, upper: str | None, lower: str | None, above: float, below: float, angle_deg: float | None
) -> str | None:
    """What speaks against a slip, as the end of a sentence; None where nothing does, or no slip would be claimed.

    Args:
        percent: The slip, positive forward, in percent of the endplate below.
        upper: Level of the body that slips, None where it has no name.
        lower: What lies below it: a level, ``S1`` for the endplate of the sacrum, None without a name.
        above, below: Lengths of the endplates on either side of the disc.
        angle_deg: Opening of the disc to the front; None where it is not known.
    """
    if not meyerding(percent):
        return None
    if lower == "S1" and opens_wide(angle_deg):
        return f"the disc opens by {angle_deg:.0f} degrees"
    limit, way = _most(percent, upper, lower)
    if limit is not None and abs(percent) > limit:
        return f"short of a fracture-dislocation, slips of more than {limit:g} % {way} are hardly seen there"
    # S1 is often shorter than L5 is, and shorter still where it is domed by a slip.
    apart = below / above if lower == "S1" or below > above else above / below
    if apart > limit_of("plates"):
        return f"one of the two facing endplates is {apart:.2f} times as long as the other"
    return None


def _most(percent: float, upper: str | None, lower: str | None) -> tuple[float | None, str]:
    """The greatest slip in percent that is known of the level, None without one, and its way in words."""
    if percent < 0:
        return limit_of("slip_backward"), "backward"
    if lower == "S1":
        return None, "forward"
    return limit_of("slip_forward_low" if upper is None or upper in LOW else "slip_forward"), "forward"


def grade_in_words(disc: Mapping[str, Any]) -> str:
    """The Meyerding grade of a slip, ``1``; all that its interval allows where that is more, ``0 or 1``, ``0 to 2``.

    ``doubtful`` where the slip is doubted; empty where there is no grade.
    """
    grade, span = disc.get("meyerding"), disc.get("meyerding_interval")
    if grade is None:
        return "doubtful" if disc.get("meyerding_reason") else ""
    first, last = span if isinstance(span, list) and len(span) == 2 else (grade, grade)
    first, last = min(first, grade), max(last, grade)
    return str(grade) if first == last else f"{first} {'or' if last - first == 1 else 'to'} {last}"


def in_words(names: Sequence[str], measures: Sequence[dict[str, Any] | None]) -> list[str]:
    """A sentence for each slip that its interval does not explain away, or for what makes it doubtful.

    Where the disc over S1 opens too wide, the body above it is doubtful: a slip on that body is said with the doubt.
    """
    found = []
    pairs = list(zip(itertools.pairwise([*names, "S1"]), measures, strict=True))
    wide = [lower == "S1" and opens_wide((own or {}).get("angle_deg")) for (_, lower), own in pairs]
    for k, ((upper, lower), own) in enumerate(pairs):
        if own is None:
            continue
        if wide[k]:
            angle = own["angle_deg"]
            found.append(
                f"the disc between {upper} and S1 opens by {angle:.0f} degrees, about as much as healthy spines "
                f"do from L4 to S1: an endplate of {upper} or S1 is probably wrong, and what is taken from it with it."
            )
            continue
        percent, reason = own["listhesis_percent"], own["meyerding_reason"]
        low_high = own["listhesis_percent_interval"]
        explained = low_high is not None and low_high[0] <= 0 <= low_high[1]
        if explained or not (own["meyerding"] or reason):
            continue
        way, kind = ("forward", "anterolisthesis") if percent > 0 else ("backward", "retrolisthesis")
        far = beside(abs(percent), meyerding)
        if reason:
            found.append(
                f"{upper} seems to lie {far} % {way} on {lower}, but {reason}: an outline is probably misplaced, "
                "and no slip is graded."
            )
            continue
        doubtful = f", if {lower} is right, which the disc below it makes doubtful" if any(wide[k + 1 : k + 2]) else ""
        found.append(
            f"{upper} lies {far} % {way} on {lower} ({kind}, Meyerding grade {grade_in_words(own)}){doubtful}."
        )
    return found


def opens_wide(angle_deg: float | None) -> bool:
    """Whether a disc over S1 opens so wide that one of its endplates is probably wrong."""
    return angle_deg is not None and angle_deg > WIDEST_LUMBOSACRAL_DEG
