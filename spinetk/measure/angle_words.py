"""Words for the angles of a reading: their names, figures, signs and end vertebrae."""

from __future__ import annotations

from spinetk.measure.words import marked, number, span_text
from spinetk.reading import Reading
from spinetk.views import rules_of

ANGLE_NAMES = {
    "cobb_max": "Cobb, largest",
    "cobb_upper": "Cobb, curve above",
    "cobb_lower": "Cobb, curve below",
    "lordosis_l1_l5": "Lordosis L1\N{EN DASH}L5",
    "lordosis_l1_s1": "Lordosis L1\N{EN DASH}S1",
    "kyphosis_t1_t12": "Kyphosis T1\N{EN DASH}T12",
    "kyphosis_t4_t12": "Kyphosis T4\N{EN DASH}T12",
    "sacral_slope": "Sacral slope",
    "pelvic_tilt": "Pelvic tilt",
    "pelvic_incidence": "Pelvic incidence",
}


SENSES = {
    "lordosis": ("kyphotic", "may be lordotic or kyphotic"),
    "kyphosis": ("lordotic", "may be kyphotic or lordotic"),
    "sacral_slope": ("front end higher", "front end may be lower or higher"),
    "pelvic_tilt": ("hip axis behind", "hip axis may be in front or behind"),
}
"""What a minus before an angle means, and an interval that holds zero, by the beginning of its name; others have no
sign."""


ANGLE_SIGNS = (
    "Angles: a lordosis below zero is kyphotic, a kyphosis below zero lordotic; sacral slope is positive with the "
    "front end of S1 lower, pelvic tilt with the hip axis in front of the middle of S1. Where the interval includes "
    "zero, it may be either."
)


def angle_name(reading: Reading, key: str) -> str:
    """The name of an angle of :func:`angles_of`; ``?`` after one between levels whose names are likely only."""
    return marked(reading, ANGLE_NAMES[key], key.startswith(("lordosis", "kyphosis")))


def angles_of(reading: Reading) -> list[tuple[str, float]]:
    """(key of `ANGLE_NAMES`, degrees) of the angles that were determined and are read on such a view."""
    shown = rules_of(reading.view).angles
    values = ((key, number(reading.angles.get(key))) for key in ANGLE_NAMES if key.startswith(shown))
    return [(key, value) for key, value in values if value is not None]


def angle_text(reading: Reading, key: str) -> str:
    """An angle of :func:`angles_of` with its unit and, below zero, what that means, e.g. ``-12.8° (kyphotic)``.

    Where its interval holds zero neither name of it is sure: ``-2.1° (may be lordotic or kyphotic)``.
    """
    value, span, senses = float(reading.angles[key]), reading.angles.get(f"{key}_interval"), _senses(key)
    text = f"{value:z.1f}\N{DEGREE SIGN}"
    if senses is None:
        return text
    below, either = senses
    if isinstance(span, list) and len(span) == 2 and None not in span and span[0] <= 0 <= span[1]:
        return f"{text} ({either})"
    return f"{text} ({below})" if text.startswith("-") else text


def angle_span(reading: Reading, key: str) -> str:
    """The 95 % interval of an angle of :func:`angles_of`, without its unit; empty where there is none."""
    return span_text(reading.angles.get(f"{key}_interval"))


def signs_note(reading: Reading) -> list[str]:
    """One sentence on the signs of angles; none where no angle that has a sign is shown."""
    return [ANGLE_SIGNS] if any(_senses(key) for key, _ in angles_of(reading)) else []


def _senses(key: str) -> tuple[str, str] | None:
    return next((senses for name, senses in SENSES.items() if key.startswith(name)), None)


def ends_of(reading: Reading, key: str) -> str:
    """The end vertebrae of an angle, e.g. ``T5-T11`` with a dash, marked as :func:`disc_of`; empty when not given."""
    ends = reading.angles.get(f"{key}_ends")
    if not isinstance(ends, list):
        return ""
    names = [end if isinstance(end, str) else f"#{end + 1}" for end in ends]
    return marked(reading, "\N{EN DASH}".join(names), any(isinstance(end, str) for end in ends))
