"""Readings to and from the browser. The browser sends points and names only; all else is the server's own."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, Field

from spinetk.errors import InputError
from spinetk.geometry import Side
from spinetk.images.spacing import with_spacing
from spinetk.landmark import POINTS, Landmark
from spinetk.measure import angle_words, measure, words
from spinetk.measure.body import scale_of
from spinetk.measure.facing import Seen
from spinetk.measure.levels import head_to_foot, toward_head
from spinetk.measure.pelvis import ends_named
from spinetk.reading import Reading
from spinetk.review.faults import plain
from spinetk.review.lines import lines_of
from spinetk.ruler import Ruler
from spinetk.schema import KeypointSchema
from spinetk.vertebra import Vertebra
from spinetk.views import View, rules_of

MOST_VERTEBRAE = 64
MOST_LANDMARKS, MOST_RULERS = 8, 200
FARTHEST_PX = 1e6
Origin = Literal["given", "predicted", "imported"]


class SentVertebra(BaseModel):
    """One vertebra as the browser holds it: points in the order of the schema, px of the stored picture."""

    points: list[tuple[float, float]] = Field(max_length=64)
    visible: list[bool] = Field(max_length=64)
    label: str | None = Field(None, max_length=12)
    score: float | None = Field(None, ge=0, le=1)
    sigma: list[float] | None = Field(None, max_length=64)
    box: tuple[float, float, float, float] | None = None


class SentLandmark(BaseModel):
    """The S1 endplate (two points) or a femoral head (one, and a radius), px of the stored picture."""

    kind: Literal["s1", "femoral_head"]
    points: list[tuple[float, float]] = Field(max_length=2)
    radius: float | None = Field(None, gt=0)
    score: float | None = Field(None, ge=0, le=1)
    sigma: float | None = Field(None, ge=0)


class SentRuler(BaseModel):
    """A length or an angle that was drawn."""

    kind: Literal["length", "angle", "cobb"]
    points: list[tuple[float, float]] = Field(max_length=4)


class SentReading(BaseModel):
    """The browser's state of one picture.

    ``origin`` says which of the server's readings it began as; ``named`` that the user named the bodies from one of
    them, whether or not a name changed; ``anterior`` and ``spacing_mm`` are the user's word
    when they are given; ``landmarks`` and ``rulers`` left out stay as they are there. ``size`` is (width, height) px of
    the picture on the page.
    """

    vertebrae: list[SentVertebra] = Field(max_length=MOST_VERTEBRAE)
    landmarks: list[SentLandmark] | None = Field(None, max_length=MOST_LANDMARKS)
    rulers: list[SentRuler] | None = Field(None, max_length=MOST_RULERS)
    origin: Origin = "given"
    named: bool = False
    view: View = "unknown"
    anterior: Side | None = None
    spacing_mm: tuple[float, float] | None = None
    size: tuple[int, int] | None = None


def send(reading: Reading) -> dict[str, Any]:
    """The part of a reading that the browser may change."""
    return {
        "view": reading.view,
        "vertebrae": [
            {
                "points": [[round(float(v), 3) for v in point] for point in vertebra.points],
                "visible": [bool(v) for v in vertebra.visible],
                "label": vertebra.label,
                "score": vertebra.score,
                "sigma": None if vertebra.point_sigma_px is None else [float(v) for v in vertebra.point_sigma_px],
                "box": [round(float(v), 3) for v in vertebra.bbox],
            }
            for vertebra in reading.vertebrae
        ],
        "landmarks": [
            {
                "kind": own.kind,
                "points": own.points.round(3).tolist(),
                "radius": own.radius_px,
                "score": own.score,
                "sigma": own.sigma_px,
            }
            for own in reading.landmarks
        ],
        "rulers": [own.to_json() for own in reading.rulers],
    }


def whole(reading: Reading, seen: Seen) -> dict[str, Any]:
    """A reading with all that the browser may change of it, front and scale too, and its figures."""
    sent = send(reading)
    sent |= {"anterior": _front(reading), "spacing_mm": reading.frame.spacing_mm}
    return {"reading": sent, "shown": shown(measured(reading, seen))}


def receive(sent: SentReading, base: Reading, *, sigmas: bool = True) -> Reading:
    """The browser's state as a reading of the server's picture.

    Args:
        sent: Points, names, view, facing and scale.
        base: The reading it began as: file, size, schema, frame, model and remarks are taken from there.
        sigmas: Whether to keep the network's uncertainty (its intervals take a while to compute).

    Raises:
        InputError: It does not fit the schema, or holds numbers that are no points.
    """
    count = len(base.schema)
    vertebrae = []
    for number, one in enumerate(sent.vertebrae, start=1):
        points = np.array(one.points, dtype=np.float64).reshape(-1, 2)
        numbers = [*points.ravel(), *(one.sigma or ()), *(one.box or ())]
        if points.shape != (count, 2) or len(one.visible) != count or (one.sigma and len(one.sigma) != count):
            raise InputError(f"vertebra #{number}", f"does not have {count} points", "reload the page")
        if not all(math.isfinite(v) and abs(v) < FARTHEST_PX for v in numbers):
            raise InputError(f"vertebra #{number}", "has a point that is nowhere", "undo the last step")
        visible = np.array(one.visible, bool)
        vertebra = Vertebra.from_points(points, visible, label=one.label or None, score=one.score)
        if one.box is not None:
            vertebra.bbox = one.box
        if sigmas and one.sigma:
            vertebra.point_sigma_px = np.array(one.sigma)
        vertebrae.append(vertebra)
    if sent.named or not base.keeps_names(vertebrae):
        base = base.named_by_person()
    found = replace(
        base,
        vertebrae=vertebrae,
        view=sent.view,
        landmarks=base.landmarks
        if sent.landmarks is None
        else [_landmark(own, sigmas=sigmas) for own in sent.landmarks],
        rulers=base.rulers if sent.rulers is None else [_ruler(own) for own in sent.rulers],
        **_seen_from(sent, base),
        angles={},
    )
    # Which end of S1 was clicked first does not matter.
    found.landmarks = ends_named(found.landmarks, toward_head(found), scale_of(found))
    return found


def _landmark(sent: SentLandmark, *, sigmas: bool) -> Landmark:
    numbers = [*np.ravel(sent.points), sent.radius or 0.0]
    if not all(math.isfinite(v) and abs(v) < FARTHEST_PX for v in numbers):
        raise InputError(sent.kind, "has a point that is nowhere", "undo the last step")
    content = {
        "kind": sent.kind,
        "radius_px": sent.radius,
        "score": sent.score,
        "sigma_px": sent.sigma if sigmas else None,
    }
    names = POINTS[sent.kind]
    if len(sent.points) != len(names):
        raise InputError(sent.kind, "does not have the points it should", "reload the page")
    return Landmark.from_json(content | dict(zip(names, sent.points, strict=True)), "picture")


def _ruler(sent: SentRuler) -> Ruler:
    if not all(math.isfinite(v) and abs(v) < FARTHEST_PX for v in np.ravel(sent.points)):
        raise InputError("ruler", "has a point that is nowhere", "undo the last step")
    return Ruler.from_json(sent.model_dump(), "picture")


def _front(reading: Reading) -> Side | None:
    """The front that a person or the header names."""
    kept = reading.facing
    return kept.side if kept is not None and kept.source == "user" else reading.frame.anterior


def _seen_from(sent: SentReading, base: Reading) -> dict[str, Any]:
    """Frame and front of what the browser sends; what it does not say stays."""
    if sent.spacing_mm is not None and sent.spacing_mm != base.frame.spacing_mm:
        base = with_spacing(base, sent.spacing_mm)
    frame, facing = base.frame, base.facing
    if sent.anterior is not None and sent.anterior != _front(base):
        # An earlier word of a person, given with the prediction, would win over the frame.
        frame, facing = frame.with_anterior(sent.anterior), None
    return {"frame": frame, "facing": facing, "remarks": base.remarks}


def measured(reading: Reading, picture: Seen, anchor: str | None = None) -> Reading:
    """:func:`spinetk.measure.measure` with the picture, where facing has to be seen in it."""
    looked_at = picture if reading.frame.anterior is None and rules_of(reading.view).front else None
    return measure(reading, anchor=anchor, picture=looked_at)


def order_of(reading: Reading) -> list[int]:
    """Positions of the vertebrae from head to foot."""
    return head_to_foot(reading)


def shown(reading: Reading) -> dict[str, Any]:
    """The figures of a measured reading as texts, the same words as on overlays and pages."""
    unit, sides = words.height_unit(reading), words.sides_of(reading)
    return {
        "unit": unit,
        "sides": [words.SIDES[side] for side in sides],
        "columns": [_column(side, reading) for side in sides],
        "graded": words.any_grade(reading),
        "rows": [_row(reading, index, unit, sides) for index in range(len(reading.vertebrae))],
        "unsure": reading.levels_are_unsure,
        "angles": [
            [
                angle_words.angle_name(reading, key),
                angle_words.angle_text(reading, key),
                angle_words.angle_span(reading, key),
                angle_words.ends_of(reading, key),
            ]
            for key, _ in angle_words.angles_of(reading)
        ],
        # The page has its own means for what the command line's options do.
        "lines": lines_of(reading),
        "remarks": [plain(remark) for remark in words.remarks_of(reading)],
        "spacing": words.spacing_words(reading.frame),
        "spacing_mm": list(reading.frame.spacing_mm) if reading.frame.spacing_mm else None,
        "square": reading.frame.square.tolist(),
        "anterior": next((v.measures.get("anterior_side") for v in reading.vertebrae), reading.frame.anterior),
        "orientation": [reading.frame.toward_right, reading.frame.toward_bottom],
        "model": reading.model,
    }


def _column(side: str, reading: Reading) -> str:
    """The column of the schema whose height stands under a side."""
    if side not in ("anterior", "posterior"):
        return side
    anterior = next(v.measures["anterior_side"] for v in reading.vertebrae)
    return anterior if side == "anterior" else {"left": "right", "right": "left"}[anterior]


def _row(reading: Reading, index: int, unit: str, sides: list[str]) -> dict[str, Any]:
    vertebra = reading.vertebrae[index]
    measures = vertebra.measures
    heights, spans = measures.get(f"heights_{unit}") or {}, measures.get(f"heights_{unit}_interval") or {}
    deformity = measures.get("deformity") or {}
    notes = [measures.get("deformity_reason"), *(deformity.get("notes") or [])]
    ratios = {k: v for k, v in (measures.get("ratios") or {}).items() if v is not None}
    if "wedge" in ratios:
        ratios.pop("left_right", None)  # the same quotient, or its inverse
    return {
        "name": words.name_of(vertebra, index),
        "level": words.level_of(reading, index),
        "score": None if vertebra.score is None else round(float(vertebra.score), 2),
        "heights": [_height(heights.get(side)) for side in sides],
        "spans": [words.span_text(spans.get(side)) for side in sides],
        "grade": words.grade_of(vertebra),
        "deformity": words.deformity_text(vertebra),
        "tilt": None if measures.get("tilt_deg") is None else round(measures["tilt_deg"], 1),
        "ratios": {key.replace("_", "/"): round(value, 2) for key, value in ratios.items()},
        "notes": [str(note) for note in notes if note],
    }


def _height(value: Any) -> str:
    number = words.number(value)
    return "\N{EN DASH}" if number is None else f"{number:.1f}"


def schema_json(schema: KeypointSchema) -> dict[str, Any]:
    """The meaning of the points, for the browser: names, edges, columns, and how a vertebra is clicked."""
    return {
        "points": list(schema.keypoints),
        "edges": [list(edge) for edge in schema.edges],
        "columns": {name: [schema.index(top), schema.index(bottom)] for name, (top, bottom) in schema.columns.items()},
        **corners_of(schema),
    }


def corners_of(schema: KeypointSchema) -> dict[str, Any]:
    """How a new vertebra is clicked: ``clicked`` point positions in order, ``between`` the rest as [k, a, b].

    Where the schema has a left and a right column, the four corners are clicked clockwise from the top left one and
    a middle column starts half-way between them; otherwise every point is clicked.
    """
    columns = schema.columns
    if not {"left", "right"} <= set(columns):
        return {"clicked": list(range(len(schema))), "between": []}
    (top_left, bottom_left), (top_right, bottom_right) = columns["left"], columns["right"]
    clicked = [schema.index(name) for name in (top_left, top_right, bottom_right, bottom_left)]
    between = []
    if "middle" in columns:
        top, bottom = columns["middle"]
        between = [[schema.index(top), clicked[0], clicked[1]], [schema.index(bottom), clicked[3], clicked[2]]]
    if len(clicked) + len(between) < len(schema):
        return {"clicked": list(range(len(schema))), "between": []}
    return {"clicked": clicked, "between": between}
