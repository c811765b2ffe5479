"""Correction: what of a result still holds after its points went through another program and came back.

A body that nobody touched is still the network's: its confidence and the standard deviations of its points stay, so
that a grade which was not sure does not come back as sure. A body that was moved is the person's who moved it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from spinetk.formats.item import AS_STORED, TURNED_BACK, CaseItem
from spinetk.landmark import Landmark
from spinetk.reading import Reading
from spinetk.upright import Upright
from spinetk.vertebra import Vertebra

CLEARLY = 0.5
"""Points lie so much nearer to those of a result, or it is not clear which way the picture stood."""
SAME_SCORE = 1e-3
UNMOVED_PX = 0.05
"""Points nearer than this to where they were have not been moved: formats hold them to 0.01 px."""


def corrected_by(item: CaseItem, base: Reading, *, holds: Collection[str]) -> Reading:
    """A result with the points of an annotation of its picture.

    Args:
        item: Of the same picture, slice and size.
        base: The result. Picture, spacing, view and model stay its own; how sure the names are as long as they are the
            same.
        holds: What the format of the annotation holds (:data:`spinetk.formats.registry.HOLDS`): landmarks and extras
            that it cannot hold stay.

    Returns:
        The result, not measured. Bodies and landmarks that lie where they lay keep what the network said of them.
    """
    bodies = list(item.vertebrae)
    if item.schema.keypoints == base.schema.keypoints:
        bodies = _untouched(base, bodies)
    landmarks = [next((one for one in base.landmarks if _lies_there(one, own)), own) for own in item.landmarks]
    if "landmarks" not in holds:
        landmarks = landmarks or list(base.landmarks)
    extras = item.extras if "extras" in holds else item.extras or base.extras
    known = base if base.keeps_names(bodies) else base.named_by_person()
    remarks = [*known.remarks, *item.remarks]
    return replace(
        known, schema=item.schema, vertebrae=bodies, landmarks=landmarks, extras=extras, angles={}, remarks=remarks
    )


def in_stored_px(item: CaseItem, base: Reading) -> CaseItem:
    """An annotation of a picture that EXIF turns, in px of the picture as stored, in which the result's are.

    Some programs show such a picture turned. The size that was annotated tells which of the two it was; where both have
    one size, the bodies of the result do.
    """
    number, size = base.frame.exif_orientation, (base.width, base.height)
    turned = size if number < 5 else size[::-1]
    if number == 1 or item.size not in (None, turned):
        return item
    about = Reading("", turned[1], turned[0], item.schema, item.vertebrae)
    about.landmarks, about.extras, about.rulers = item.landmarks, item.extras, item.rulers
    way = Upright(size[::-1], base.frame, number, turned[::-1], base.frame.turned(number))
    back = about.stored(way)
    found = replace(
        item, size=size, vertebrae=back.vertebrae, landmarks=back.landmarks, extras=back.extras, rulers=back.rulers,
        remarks=[*item.remarks, TURNED_BACK],
    )  # fmt: skip
    if item.size == turned and turned != size:
        return found
    plain, other = (_away(base, own.vertebrae) for own in (item, found))
    if not np.isfinite(plain) or min(plain, other) > CLEARLY * max(plain, other):
        return replace(item, remarks=[*item.remarks, AS_STORED])
    return item if plain < other else found


def _away(base: Reading, bodies: Sequence[Vertebra]) -> float:
    """Mean distance of bodies from those of the result that are nearest to them, px; infinite without bodies."""
    if not bodies or not base.vertebrae:
        return float("inf")
    ours, theirs = (np.array([own.centre for own in some]) for some in (bodies, base.vertebrae))
    return float(np.linalg.norm(ours[:, None] - theirs, axis=2).min(axis=1).mean())


def _untouched(base: Reading, bodies: list[Vertebra]) -> list[Vertebra]:
    """The bodies, those that came back as they were as the result has them; their names stay.

    Of a body that was moved the network's confidence goes: it is the person's now.
    """
    there, size = list(base.vertebrae), np.array([base.width, base.height])
    scores = [one.score for one in there if one.score is not None]
    found = []
    for body in bodies:
        place = next((k for k, one in enumerate(there) if _is_same(one, body, size)), None)
        if place is not None:
            body = replace(there.pop(place), label=body.label, measures={})
        elif body.score is not None and any(abs(body.score - score) < SAME_SCORE for score in scores):
            body = replace(body, score=None)
        found.append(body)
    return found


def _is_same(one: Vertebra, back: Vertebra, size: np.ndarray) -> bool:
    """Whether a body came back as it was; points outside the picture are left out by some formats."""
    outside = ((one.points < 0) | (one.points > size)).any(axis=1)
    both = one.visible & back.visible
    if ((one.visible != back.visible) & ~outside).any() or not both.any():
        return False
    return bool(np.hypot(*(one.points - back.points)[both].T).max() < UNMOVED_PX)


def _lies_there(one: Landmark, back: Landmark) -> bool:
    if one.kind != back.kind or abs((back.radius_px or one.radius_px or 0.0) - (one.radius_px or 0.0)) >= UNMOVED_PX:
        return False
    return bool(np.hypot(*(one.points - back.points).T).max() < UNMOVED_PX)
