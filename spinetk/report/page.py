"""Page: a reading, or a folder of readings, as HTML that needs nothing but itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.atomic import write_text
from spinetk.measure import angle_words, words
from spinetk.measure.discs import meyerding
from spinetk.measure.levels import in_order
from spinetk.measure.rounding import beside
from spinetk.measure.slips import grade_in_words
from spinetk.reading import Reading
from spinetk.report.html import DASH, bullets, chip, data_uri, document, escaped, foot, link_to, table
from spinetk.report.overlay import draw, outline
from spinetk.vertebra import Vertebra

DEGREE = "\N{DEGREE SIGN}"
THUMBNAIL_PX = 300
THUMBNAIL_QUALITY = 85
PICTURE_QUALITY = 93
SMALL_PRINT = (
    "Small print is the 95 % interval; a grade is called sure by its probability. Left and right are those of the "
    "picture, not of the patient. Wedge: anterior by posterior height; biconcavity: middle by posterior; crush: "
    "posterior by that expected from the neighbours. Tilt: right side down is positive."
)
DISC_PRINT = (
    "Discs: an angle that opens to the front is positive. Slips: forward is positive; where the interval includes "
    "zero, there may be none. Meyerding: all grades that the interval of the slip allows."
)
NAMES = {"anterior": "Anterior", "left": "Image left", "middle": "Middle", "right": "Image right"}
NAMES["posterior"] = "Posterior"
DISC_SIDES = ("anterior", "middle", "posterior")
RATIOS = {"wedge": "Wedge", "biconcavity": "Biconcavity", "crush": "Crush", "left_right": "Left/right"}


def write_page(path: str | Path, reading: Reading, picture: np.ndarray) -> None:
    """Write the report of one picture, atomically.

    Args:
        path: The HTML file.
        reading: A measured reading (`spinetk.measure.measure`); fields that are absent leave no column.
        picture: (H, W) or (H, W, 3) RGB uint8, the picture as stored.

    Raises:
        InputError: The picture does not fit the reading.
    """
    name = _name(reading, path)
    overlay = data_uri(draw(picture, reading), PICTURE_QUALITY)
    parts = [
        f"<header><h1>Vertebral measurements</h1><p class='file'>{escaped(name)}</p></header>",
        _facts(reading),
        f"<figure><img src='{overlay}' alt='{escaped(f'{name} with the outlines of {_count(reading)}')}'></figure>",
        _vertebra_table(reading),
        discs := _disc_table(reading),
        _angle_table(reading),
        f"<p><small>{escaped(note)}.</small></p>" if (note := words.intervals_note(reading)) else "",
        _reasons(reading),
        bullets("Doubtful slips", _doubts(reading)),
        bullets("Remarks", words.remarks_of(reading)),
        foot(SMALL_PRINT, *([DISC_PRINT] if discs else []), *angle_words.signs_note(reading)),
    ]
    write_text(path, document(name, parts))


def write_summary(
    path: str | Path,
    readings: Sequence[Reading],
    cards: Iterable[str],
    *,
    failed: Mapping[str, str] | None = None,
) -> None:
    """Write the overview of a batch, atomically: one card a picture, worst grade first to the eye.

    Args:
        path: The HTML file.
        readings: The readings, in the order to show them.
        cards: Of each reading (:func:`card`).
        failed: What could not be read: file name to reason.
    """
    vertebrae = [vertebra for reading in readings for vertebra in reading.vertebrae]
    grades = Counter(words.grade_of(vertebra) for vertebra in vertebrae)
    counted = [
        ("pictures", len(readings)),
        ("vertebrae", len(vertebrae)),
        ("pictures without a vertebra", sum(not reading.vertebrae for reading in readings)),
        ("not read", len(failed or {})),
    ]
    totals = "".join(f"<div><dt>{escaped(name)}</dt><dd>{number}</dd></div>" for name, number in counted)
    chips = "".join(f"<div><dt>{chip(grade)}</dt><dd>{grades[grade]}</dd></div>" for grade in words.GRADE_NAMES)
    parts = [
        "<header><h1>Vertebral measurements: overview</h1></header>",
        f"<dl class='facts'>{totals}</dl>",
        f"<dl class='facts'>{chips}</dl>" if vertebrae else "",
        f"<div class='cards'>{''.join(cards)}</div>",
        bullets("Not read", [f"{name}: {reason}" for name, reason in (failed or {}).items()]),
        foot(),
    ]
    write_text(path, document("Vertebral measurements: overview", parts))


def _name(reading: Reading, page: str | Path) -> str:
    """The name of a picture, with that of its page where pictures of one name have pages of their own."""
    name, stem = words.picture_name(reading), Path(page).stem
    marked = re.fullmatch(re.escape(name.rpartition(".")[0] or name) + "-[0-9a-f]{8,64}", stem)
    return f"{name} ({stem})" if marked else name


def _count(reading: Reading) -> str:
    number = len(reading.vertebrae)
    return f"{number} vertebra{'' if number == 1 else 'e'}" if number else "no vertebra"


def _facts(reading: Reading) -> str:
    facts = [
        ("View", words.view_of(reading)),
        ("Found", _count(reading)),
        ("Picture", f"{reading.width} \N{MULTIPLICATION SIGN} {reading.height} px"),
        ("Pixel size", words.spacing_words(reading.frame)),
        ("Read by", reading.model or "hand"),
    ]
    return "<dl class='facts'>" + "".join(f"<div><dt>{k}</dt><dd>{escaped(v)}</dd></div>" for k, v in facts) + "</dl>"


def _vertebra_table(reading: Reading) -> str:
    unit, sides = words.height_unit(reading), words.sides_of(reading)
    head = ["Level", *(f"{NAMES[side]} ({unit})" for side in sides), *RATIOS.values(), "Area", "Tilt"]
    head += [words.DEFORMITY.capitalize(), "Score"]
    graded = words.any_grade(reading)
    rows = []
    for index, vertebra in enumerate(reading.vertebrae):
        measures = vertebra.measures
        heights, spans = measures.get(f"heights_{unit}") or {}, measures.get(f"heights_{unit}_interval") or {}
        ratios = dict(measures.get("ratios") or {})
        if words.number(ratios.get("wedge")) is not None:
            # The same quotient, or its inverse, by another name.
            ratios.pop("left_right", None)
        area_mm2, area_px2 = words.number(measures.get("area_mm2")), words.number(measures.get("area_px2"))
        area = f"{area_mm2:.0f} mm\N{SUPERSCRIPT TWO}" if area_mm2 is not None else _number(area_px2, 0, " px²")
        rows.append(
            [
                f"<b>{escaped(words.level_of(reading, index))}</b>",
                *(_number(heights.get(side), 1) + _span(spans.get(side), 1) for side in sides),
                *(_number(ratios.get(key), 2) for key in RATIOS),
                area,
                _number(measures.get("tilt_deg"), 1, DEGREE) + _span(measures.get("tilt_deg_interval"), 1),
                _deformity(vertebra) if graded else "",
                escaped(words.score_text(vertebra, reading.threshold)) or DASH,
            ]
        )
    numeric = [False, *[True] * (len(sides) + len(RATIOS) + 2), False, True]
    return table("Vertebrae", head, rows, numeric)


def _discs(reading: Reading) -> list[tuple[str, Mapping[str, Any]]]:
    """Names and measures of the discs, head to foot."""
    order = in_order(reading)
    names = [*(words.name_of(reading.vertebrae[index], index) for index in order), "S1"]
    found = [reading.vertebrae[index].measures.get("disc_below") for index in order]
    return [
        (words.disc_of(reading, str(disc.get("name") or f"{upper}-{lower}")), disc)
        for disc, (upper, lower) in zip(found, pairwise(names), strict=True)
        if disc
    ]


def _doubts(reading: Reading) -> list[str]:
    """Why slips are doubtful, also of those that may be none, of which no remark speaks."""
    return [f"{name}: {why}" for name, disc in _discs(reading) if (why := disc.get("meyerding_reason"))]


def _disc_table(reading: Reading) -> str:
    """Discs by the names of the bodies above and below, with slips; empty where none was measured."""
    unit = words.height_unit(reading)
    rows = []
    for name, disc in _discs(reading):
        heights, spans = disc.get(f"heights_{unit}") or {}, disc.get(f"heights_{unit}_interval") or {}
        slip = f"listhesis_{unit}"
        rows.append(
            [
                f"<b>{escaped(name)}</b>",
                *(_number(heights.get(side), 1) + _span(spans.get(side), 1) for side in DISC_SIDES),
                _number(disc.get("angle_deg"), 1, DEGREE) + _span(disc.get("angle_deg_interval"), 1),
                _number(disc.get(slip), 1) + _span(disc.get(f"{slip}_interval"), 1),
                _number(disc.get("listhesis_percent"), 0, " %", meyerding)
                + _span(disc.get("listhesis_percent_interval"), 0, meyerding),
                escaped(grade_in_words(disc)) or DASH,
            ]
        )
    head = ["Disc", *(f"{NAMES[side]} ({unit})" for side in DISC_SIDES), "Angle", f"Slip ({unit})", "Slip", "Meyerding"]
    return table("Discs and slips", head, rows, [False, *[True] * (len(DISC_SIDES) + 4)])


def _number(value: object, decimals: int, unit: str = "", decided: Callable[[float], object] | None = None) -> str:
    """A number with its unit, or a dash; ``decided`` as of :func:`spinetk.measure.rounding.beside`."""
    number = words.number(value)
    if number is None:
        return DASH
    text = f"{number:z.{decimals}f}" if decided is None else beside(number, decided, decimals)
    return f"{text}{unit}".replace("-", "\N{MINUS SIGN}")


def _span(value: object, decimals: int, decided: Callable[[float], object] | None = None) -> str:
    """A 95 % interval in small print."""
    text = words.span_text(value, decimals, decided).replace("-", "\N{MINUS SIGN}")
    return f" <small>{text}</small>" if text else ""


def _deformity(vertebra: Vertebra) -> str:
    text, deformity = words.deformity_text(vertebra), vertebra.measures.get("deformity") or {}
    span = _span(deformity.get("loss_percent_interval"), 0, words.grading(deformity))
    return chip(words.grade_of(vertebra), text) + span.replace("</small>", " %</small>") if text else ""


def _angle(reading: Reading, key: str) -> str:
    return escaped(angle_words.angle_text(reading, key).replace("-", "\N{MINUS SIGN}"))


def _angle_table(reading: Reading) -> str:
    rows = []
    for key, _ in angle_words.angles_of(reading):
        span = _span(reading.angles.get(f"{key}_interval"), 1)
        cells = angle_words.angle_name(reading, key), angle_words.ends_of(reading, key)
        rows.append([escaped(cells[0]), _angle(reading, key) + span, escaped(cells[1])])
    return table("Angles", ["Angle", "Degrees", "End vertebrae"], rows, [False, True, False])


def _reasons(reading: Reading) -> str:
    """What was noted about single vertebrae; a reason that all share is said once."""
    notes: dict[str, list[str]] = {}
    for index, vertebra in enumerate(reading.vertebrae):
        deformity = vertebra.measures.get("deformity") or {}
        for note in [vertebra.measures.get("deformity_reason"), *(deformity.get("notes") or [])]:
            if note:
                notes.setdefault(str(note), []).append(words.level_of(reading, index))
    everywhere = len(reading.vertebrae)
    lines = [f"{'All' if len(names) == everywhere > 1 else ', '.join(names)}: {note}" for note, names in notes.items()]
    return bullets("Notes on vertebrae", lines)


def card(reading: Reading, page: Path, summary: Path, picture: np.ndarray) -> str:
    """The card of one picture in an overview, as HTML, with a link to its page."""
    scale = THUMBNAIL_PX / max(reading.height, reading.width)
    image = f"<img src='{data_uri(outline(picture, reading, scale=scale, dots=False), THUMBNAIL_QUALITY)}' alt=''>"
    grades = [grade for grade in map(words.grade_of, reading.vertebrae) if grade is not None]
    lines = [f"{escaped(_count(reading))}, {escaped(words.view_of(reading))}"]
    doubtful = sum(words.is_doubtful(vertebra) for vertebra in reading.vertebrae)
    worst = max(grades, default=None)
    if worst is not None and (worst > 0 or not doubtful):
        lines.append(chip(worst, ("worst: " if worst else "") + words.GRADE_NAMES[worst]))
    if doubtful:
        lines.append(chip(None, f"grade of {doubtful} uncertain"))
    lines += [
        f"{escaped(angle_words.angle_name(reading, key))} {_angle(reading, key)}"
        for key, _ in angle_words.angles_of(reading)
    ]
    body = f"{image}<h2>{escaped(_name(reading, page))}</h2>" + "".join(f"<p>{line}</p>" for line in lines)
    return f"<article><a href='{escaped(link_to(page, summary))}'>{body}</a></article>"
