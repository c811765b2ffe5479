"""Words and colours shared by the overlay and the pages, so that both say the same of a vertebra."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from spinetk.geometry import Frame
from spinetk.measure.deformity import UNCERTAIN, chances_of, is_sure, possible_grades
from spinetk.measure.deformity import grade as grade_of_loss
from spinetk.measure.rounding import beside
from spinetk.measure.uncertainty import KINDS, not_fitted
from spinetk.reading import Reading
from spinetk.vertebra import Vertebra
from spinetk.views import rules_of

# Okabe & Ito, Color Universal Design (2008): told apart with every common colour vision. The grades also differ in
# lightness and are always written out.
GRADE_COLOURS: dict[int | None, tuple[int, int, int]] = {
    None: (200, 204, 208),
    0: (86, 180, 233),
    1: (240, 228, 66),
    2: (230, 159, 0),
    3: (213, 94, 0),
}
TRUTH_COLOUR = (204, 121, 167)
LANDMARK_COLOUR = (0, 158, 115)
RULER_COLOUR = (243, 217, 164)
GRADE_NAMES: dict[int | None, str] = {
    0: "normal",
    1: "grade 1, mild",
    2: "grade 2, moderate",
    3: "grade 3, severe",
    None: "not graded, or uncertain",
}
# Order of the height columns, head word of each. The left of an AP picture is as a rule the right of the patient.
SIDES = {"anterior": "ant.", "left": "image left", "middle": "mid.", "right": "image right", "posterior": "post."}
DEFORMITY = "deformity (height loss)"
CASE_SOURCE = ("src", "0", "src-0.png")
MOST_NAMED = 3
"""Most pictures that a remark names."""
LONGEST_NAME = 32
RESEARCH_USE = "Research use only. Not a medical device."


def number(value: Any) -> float | None:
    """The value as a float, or None when it is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _graded(vertebra: Vertebra) -> dict[str, Any] | None:
    """The deformity of a vertebra, where it has a grade, sure or not."""
    deformity = vertebra.measures.get("deformity") or {}
    return deformity if deformity.get("grade") in (0, 1, 2, 3) else None


def grade_of(vertebra: Vertebra) -> int | None:
    """Deformity grade 0..3, or None when it was not determined or is not sure."""
    deformity = _graded(vertebra)
    return int(deformity["grade"]) if deformity is not None and is_sure(deformity) else None


def is_doubtful(vertebra: Vertebra) -> bool:
    """Whether a grade was determined and is not sure."""
    deformity = _graded(vertebra)
    return deformity is not None and not is_sure(deformity)


def any_grade(reading: Reading) -> bool:
    """Whether any vertebra could be graded: where none could (an AP view), a column of refusals says nothing."""
    return any(_graded(vertebra) is not None for vertebra in reading.vertebrae)


def name_of(vertebra: Vertebra, index: int) -> str:
    """The level name, or ``#n`` counted from the top (``index`` is 0-based)."""
    return vertebra.label or f"#{index + 1}"


def level_of(reading: Reading, index: int) -> str:
    """:func:`name_of` a vertebra of a reading; ``L5 ?`` where the names are likely, but not sure."""
    vertebra = reading.vertebrae[index]
    return marked(reading, name_of(vertebra, index), vertebra.label is not None)


def disc_of(reading: Reading, name: str) -> str:
    """The name of a disc, ``L4-L5`` or ``#4-S1``; ``L4-L5 ?`` where the levels in it are likely, but not sure."""
    return marked(reading, name, any(part != "S1" and not part.startswith("#") for part in name.split("-")))


def marked(reading: Reading, text: str, has_level: bool) -> str:
    """A text, marked where the level that it names is likely only."""
    return f"{text} ?" if has_level and reading.levels_are_unsure else text


def score_text(vertebra: Vertebra, threshold: float | None) -> str:
    """The network's confidence; ``0.41 < 0.60`` where it is below what it was asked to be. Empty without one."""
    if vertebra.score is None:
        return ""
    if not is_weak(vertebra) or threshold is None:
        return f"{vertebra.score:.2f}"
    # As many decimals as it takes to tell the two apart.
    decimals = next((d for d in (2, 3) if f"{vertebra.score:.{d}f}" != f"{threshold:.{d}f}"), 4)
    return f"{vertebra.score:.{decimals}f} < {threshold:.{decimals}f}"


def is_weak(vertebra: Vertebra) -> bool:
    """Whether the network was less sure of a vertebra than it was asked to be."""
    return bool(vertebra.measures.get("below_threshold"))


def deformity_text(vertebra: Vertebra) -> str:
    """The grade with the loss, and how probable it is where that is known; empty when nothing was measured.

    E.g. ``wedge, grade 2 (31 %), 97 % sure``, ``normal (8 %)``, ``uncertain: grade 0 or 1 (18 %)``.
    """
    if not vertebra.measures.get("deformity"):
        return "not determinable" if "deformity" in vertebra.measures else ""
    deformity = _graded(vertebra)
    if deformity is None:
        return "not determinable"
    share = _loss_text(deformity)
    grade, kind = int(deformity["grade"]), str(deformity.get("type") or "").replace("_", " ")
    kinds = [kind] if kind and kind != UNCERTAIN else []
    if not is_sure(deformity):
        first, last = (pick(possible_grades(deformity)) for pick in (min, max))
        between = f"{first} or {last}" if last - first == 1 else f"{first} to {last}"
        return ", ".join([*(kinds if first else []), f"uncertain: grade {between}"]) + share
    chances = chances_of(deformity)
    sure = "" if chances is None else f", {_percent(chances[grade])} sure"
    return ("normal" if grade == 0 else ", ".join([*kinds, f"grade {grade}"])) + share + sure


def _percent(chance: float) -> str:
    """A probability; a thousand draws cannot tell more than 99 %."""
    return f"{min(99, int(100 * chance))} %"


def _loss_text(deformity: Mapping[str, Any]) -> str:
    """The loss in brackets, never rounded to a grade that it does not have."""
    loss = number(deformity.get("loss_percent"))
    return "" if loss is None else f" ({beside(loss, grading(deformity))} %)"


def grading(deformity: Mapping[str, Any]) -> Callable[[float], int]:
    """What makes a loss in percent the grade of a ``deformity`` field."""
    limits = [float(limit) for limit in deformity.get("thresholds_percent") or ()]
    return lambda loss: int(grade_of_loss(loss, limits))


def height_unit(reading: Reading) -> str:
    """``mm`` when every measured vertebra has heights in mm, else ``px``."""
    measured = [v.measures for v in reading.vertebrae if v.measures.get("heights_px") or v.measures.get("heights_mm")]
    return "mm" if measured and all(m.get("heights_mm") for m in measured) else "px"


def sides_of(reading: Reading) -> list[str]:
    """The height columns to show: anterior, middle, posterior where known, else left, middle, right of the picture."""
    unit = height_unit(reading)
    heights = (v.measures.get(f"heights_{unit}") or {} for v in reading.vertebrae)
    present = {side for one in heights for side, height in one.items() if number(height) is not None}
    hidden = {"left", "right"} if present >= {"anterior", "posterior"} else set()
    return [side for side in SIDES if side in present - hidden]


def lines_of(readings: Iterable[Reading]) -> Iterator[str]:
    """The heights and grades of readings as aligned text, a line a vertebra; a head wherever other columns follow.

    Why no body of a reading can be graded is said below it, once for all readings of one reason.
    """
    known, told = None, set()
    readings = list(readings)
    for reading, name in zip(readings, _told_apart(readings), strict=True):
        unit, sides = height_unit(reading), sides_of(reading)
        if (unit, sides) != known and reading.vertebrae:
            known = unit, sides
            yield f"{'picture':<32} {'level':>5}{''.join(f'{SIDES[side]:>12}' for side in sides)}  height in {unit}"
        why = _shared_reason(reading)
        for index, vertebra in enumerate(reading.vertebrae):
            heights = vertebra.measures.get(f"heights_{unit}") or {}
            cells = ("-" if (own := number(heights.get(side))) is None else f"{own:.1f}" for side in sides)
            verdict = "not graded" if why else deformity_text(vertebra) or "not graded"
            yield f"{name:<32} {level_of(reading, index):>5}{''.join(f'{cell:>12}' for cell in cells)}  {verdict}"
        if why and why not in told:
            told.add(why)
            yield f"not graded: {why}"


def all_remarks(readings: Sequence[Reading]) -> list[str]:
    """The remarks of readings as lines, each once, with the pictures that it is true of."""
    true_of: dict[str, list[str]] = {}
    for reading, name in zip(readings, _told_apart(readings), strict=True):
        for remark in dict.fromkeys(remarks_of(reading)):
            true_of.setdefault(remark, []).append(name)
    found = []
    for remark, names in true_of.items():
        some, more = ", ".join(names[:MOST_NAMED]), len(names) - MOST_NAMED
        found.append(f"{some}{f' and {more} more' if more > 0 else ''}: {remark}")
    return found


def picture_name(reading: Reading) -> str:
    """The file name of a picture; of one in a case folder the case, since all of these bear one name."""
    parts = reading.file.replace("\\", "/").split("/")
    case = parts[-4:-3] if tuple(parts[-3:]) == CASE_SOURCE else []
    return next(iter(case), parts[-1] or reading.file)


def _told_apart(readings: Sequence[Reading]) -> list[str]:
    """Names of pictures, at most 32 characters, with as many of their folders as tell those of one name apart."""
    places = [tuple(reading.file.replace("\\", "/").split("/")) for reading in readings]
    found = []
    for reading, own in zip(readings, places, strict=True):
        name = picture_name(reading)
        others = {place for place in places if place[-1] == own[-1] and place != own}
        if others and name == own[-1]:
            least = next((k for k in range(2, len(own)) if all(place[-k:] != own[-k:] for place in others)), len(own))
            name = "/".join(own[-least:])
        found.append(name if len(name) <= LONGEST_NAME else "\N{HORIZONTAL ELLIPSIS}" + name[1 - LONGEST_NAME :])
    return found


def _shared_reason(reading: Reading) -> str:
    """Why none of the bodies has a grade, where it is one reason for all; else empty."""
    reasons = {str(vertebra.measures.get("deformity_reason") or "") for vertebra in reading.vertebrae}
    return reasons.pop() if len(reasons) == 1 else ""


def heights_spread(reading: Reading) -> list[str]:
    """One sentence on how wide the 95 % intervals of the heights are; none without intervals."""
    unit = height_unit(reading)
    halves = [
        (span[1] - span[0]) / 2
        for vertebra in reading.vertebrae
        for side, span in (vertebra.measures.get(f"heights_{unit}_interval") or {}).items()
        if side in sides_of(reading) and isinstance(span, list) and None not in span
    ]
    if not halves:
        return []
    return [f"95 % intervals of the heights: \N{PLUS-MINUS SIGN}{median(halves):.1f} {unit} (median)"]


def intervals_note(reading: Reading) -> str:
    """What is not known of the 95 % intervals of a measured reading, in one sentence; empty where nothing is amiss."""
    kinds = [KINDS[kind] for kind in not_fitted(reading)]
    if not kinds:
        return ""
    named = kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} and {kinds[-1]}"
    return f"95 % intervals of {named} were not calibrated on patients: they may be too narrow"


def spacing_text(frame: Frame) -> str:
    """Where the scale comes from, for the scale bar and the pages."""
    if frame.spacing_mm is None:
        return "(pixel spacing unknown)"
    source = frame.spacing_source or "unnamed source"
    if source == "ImagerPixelSpacing":
        return "at the detector plane, magnified (ImagerPixelSpacing)"
    if source == "NominalScannedPixelSpacing":
        return "on the scanned film, perhaps magnified (NominalScannedPixelSpacing)"
    return f"({source})"


def span_text(span: Any, decimals: int = 1, decided: Callable[[float], object] | None = None) -> str:
    """The ends of a 95 % interval, e.g. ``42.9-76.4`` with a dash; empty where there is none.

    A dash between ends of which one is negative would read as one more minus: ``-8.7 to 6.4``.

    Args:
        span: [low, high], or what stands in its place where nothing is known.
        decimals: Of either end.
        decided: As of :func:`spinetk.measure.rounding.beside`.
    """
    if not isinstance(span, list | tuple) or len(span) != 2 or None in span:
        return ""
    ends = (beside(end, decided, decimals) if decided else f"{end:z.{decimals}f}" for end in map(float, span))
    return (" to " if min(span) < 0 else "\N{EN DASH}").join(ends)


def remarks_of(reading: Reading) -> list[str]:
    """The remarks without the mark of the room they come from."""
    return [remark.removeprefix("Measurement: ") for remark in reading.remarks]


def view_of(reading: Reading) -> str:
    """The view in words."""
    return rules_of(reading.view).title


def spacing_words(frame: Frame) -> str:
    """The pixel size with its source, for a line of text."""
    if frame.spacing_mm is None:
        return "unknown: lengths are in px"
    row, column = frame.spacing_mm
    size = f"{row:.4g} mm" if f"{row:.4g}" == f"{column:.4g}" else f"{row:.4g} mm high, {column:.4g} mm wide"
    return f"{size} {spacing_text(frame)}"
