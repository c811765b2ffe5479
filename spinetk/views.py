"""Views: what a picture can show, and what follows from it. The one table that is asked about views.

A new view is one more entry of ``View`` and of ``TABLE``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spinetk.errors import InputError

View = Literal["lateral", "ap", "sagittal", "cervical", "axial", "coronal", "unknown"]

# DICOM modalities (PS3.3 C.7.3.1.1.1) of projections of the spine. CT stands for its localizers, OT for secondary
# captures, BMD for densitometers. XA is not among them: nearly all its pictures are of vessels.
PROJECTIONS = frozenset({"CR", "DX", "DR", "RF", "RG", "CT", "OT", "SC", "BMD"})


@dataclass(frozen=True)
class ViewRules:
    """What holds for one view.

    Attributes:
        name: As results, case files and ``--view`` write it.
        title: In words, for overlays and pages.
        article: The title with its article, for sentences.
        not_graded: Why no Genant grade is claimed of such a picture; None where grades are.
        angles: Families of angles that are read on it; all results hold the Cobb angles, whichever are shown.
        front: Whether one side of the picture is the patient's front.
        curve_tells: Whether the curve of the lowest bodies tells that side by itself, the brightness beside them not.
        slant_tells: Whether the slant of the endplates against the line of the bodies tells that side, and only that.
        slips_graded: Whether slips have a Meyerding grade, which was made for the lumbar spine.
        neck: The view of a film of the neck taken the same way, where that is another; None elsewhere.
        trunk: The other way round.
        unmeasured: What is usually measured on such pictures and is not here, as a remark; None where nothing is.
        dim_ends: Whether the bodies at both ends are dim, under lung and ribs and under the iliac wings, so that one
            hardly seen counts where the next must lie (:mod:`spinetk.keypoints.ends`).
        screws_cross: Whether pedicle screws lie across the bodies, and tell metal (:mod:`spinetk.keypoints.metal`).
        modalities: DICOM modalities in which it is read where a model's card names none.
        usual_in: DICOM modalities whose pictures are taken for this view where their file does not say another.
        refused: Why no model reads it; None where one may.
        offered: Whether a user can say that a picture shows it.
    """

    name: View
    title: str
    article: str
    not_graded: str | None = None
    angles: tuple[str, ...] = ("cobb", "lordosis", "kyphosis", "sacral", "pelvic")
    front: bool = True
    curve_tells: bool = False
    slant_tells: bool = False
    slips_graded: bool = True
    neck: View | None = None
    trunk: View | None = None
    unmeasured: str | None = None
    dim_ends: bool = False
    screws_cross: bool = False
    modalities: frozenset[str] = frozenset()
    usual_in: frozenset[str] = frozenset()
    refused: str | None = None
    offered: bool = False


TABLE: dict[View, ViewRules] = {
    rules.name: rules
    for rules in (
        ViewRules(
            "lateral", "lateral", "a lateral view",
            angles=("lordosis", "kyphosis", "sacral", "pelvic"), curve_tells=True, dim_ends=True,
            screws_cross=True, neck="cervical",
            modalities=PROJECTIONS, offered=True,
        ),
        ViewRules(
            "ap", "AP", "an AP view",
            not_graded="Genant grades are read on lateral pictures, this is an AP view",
            angles=("cobb",), front=False, modalities=PROJECTIONS, offered=True,
        ),
        ViewRules(
            "sagittal", "sagittal", "a sagittal view",
            angles=("lordosis", "kyphosis", "sacral", "pelvic"), modalities=frozenset({"MR", "CT"}),
            usual_in=frozenset({"MR"}),
            offered=True,
        ),
        ViewRules(
            "cervical", "lateral cervical", "a lateral view of the neck",
            not_graded="Genant grades are defined for thoracic and lumbar bodies, this is a lateral view of the neck",
            angles=(), slant_tells=True, slips_graded=False, trunk="lateral",
            unmeasured="lordosis C2 to C7 is not measured, as the axis is not looked for; slips have no grade, as "
            "Meyerding's are for the lumbar spine, and where bodies stand in line they read some percent backward",
            modalities=PROJECTIONS, offered=True,
        ),
        ViewRules(
            "axial", "axial", "an axial slice",
            not_graded="an axial slice does not show the heights of bodies",
            angles=(), front=False, refused="an axial slice does not show the heights of bodies",
        ),
        ViewRules(
            "coronal", "coronal", "a coronal slice",
            not_graded="Genant grades are read on lateral pictures, this is a coronal slice",
            angles=("cobb",), front=False, refused="no model is made for coronal slices",
        ),
        ViewRules("unknown", "unknown view", "an unknown view"),
    )
}  # fmt: skip

VIEWS: tuple[View, ...] = tuple(TABLE)
OFFERED: tuple[View, ...] = tuple(name for name, rules in TABLE.items() if rules.offered)


def rules_of(view: View) -> ViewRules:
    """The rules of a view."""
    return TABLE[view]


def akin(one: View, other: View) -> bool:
    """Whether two views are the same but for the end of the spine they show."""
    return one == other or rules_of(one).trunk == other or rules_of(other).trunk == one


def checked_view(name: object, source: str = "view") -> View:
    """A view by its name.

    Raises:
        InputError: There is none of that name.
    """
    if name not in TABLE:
        raise InputError(source, f"{name!r} is not a view", f"use {', '.join(OFFERED[:-1])} or {OFFERED[-1]}")
    return name


def usual_view(modality: str | None) -> View:
    """The view that pictures of a modality as a rule show; ``unknown`` where there is no rule."""
    return next((rules.name for rules in TABLE.values() if modality in rules.usual_in), "unknown")
