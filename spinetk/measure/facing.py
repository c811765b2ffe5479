"""Facing: which side of the picture is the patient's front.

The user's word counts before the header's, the header's before what a reading keeps from when its picture was looked
at, and that before what can be seen now. Three things can be seen:

* curvature: lumbar and cervical spines are as a rule lordotic, thoracic spines kyphotic. Without level names the lowest
  vertebrae are taken for lumbar ones, which is often but not always so;
* sacrum: where the endplate of S1 is seen, its front end hangs lower; this is taken before the others, with the
  confidence that was calibrated for the model that saw it (on phantoms), if it was;
* picture: close behind the bodies lie the canal (bright on T2-weighted MR) and the posterior elements (bright on
  radiographs and CT), close in front of them mostly dark vessels and soft tissue.

Neither is proof: single clues other than a named lumbar spine stay below ``MIN_CONFIDENCE``, two that agree pass it,
and two that disagree cancel. The confidences are set by judgement, not fitted. On 148 sagittal lumbar MR slices without
level names (62 patients and 86 slices of SPIDER) both clues together gave the right side in 138, none in 10 and the
wrong one in none; the curvature alone pointed the right way in 141, the picture in 147.

On lateral films the brightness is not asked: on 33 real ones (all facing left) it pointed the wrong way in 25, the
curvature in 2. There the curve of the five lowest bodies, if none seems to be missing among them, is enough by itself
from 18 degrees on: of 1,755 annotated lumbar films 98.5 % are lordotic from L1 to L5, and 1 in 200 is kyphotic by ten
degrees. A film of the thorax alone can mislead it: of 300 phantoms 26 bend so far the other way, 274 too little; of 300
of the lumbar spine 288 are right and none is wrong.

On films of necks, which are straight or kyphotic often enough, neither is asked but the slant of the bodies
(:mod:`spinetk.measure.slant`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.geometry import Side, turn
from spinetk.measure import slant
from spinetk.measure.body import column, direction_deg, midline, scale_of, stack, turn_deg
from spinetk.measure.levels import order_faults
from spinetk.measure.pelvis import front_of
from spinetk.reading import Reading
from spinetk.views import rules_of

# Below this an answer is not given.
MIN_CONFIDENCE = 0.8
# Region: (first letter of the level, +1 lordotic or -1 kyphotic, highest confidence it can give).
REGIONS = (("L", 1, 0.9), ("T", -1, 0.75), ("C", 1, 0.75))
UNNAMED_CONFIDENCE = 0.75
UNNAMED_COUNT = 5
FILM_CONFIDENCE = 0.9  # the same on a lateral film that shows UNNAMED_COUNT bodies
PICTURE_CONFIDENCE = 0.75
SACRUM_CONFIDENCE = 0.97
FEWEST = 3
# Curves of this size, and brightness differences of this many standard deviations of the picture, count in full.
FULL_TURN_DEG = 20.0
FULL_CONTRAST = 0.5
# Where the picture is looked at beside a body, in body widths from its wall, and along the wall, in wall heights.
BESIDE_WIDTHS = (0.1, 0.7)
ALONG_HEIGHTS = (-0.5, 0.5)


class Seen:
    """A picture that is looked at again and again, as while a point is dragged: its spread is computed once.

    Attributes:
        pixels: (H, W) uint8; not to be changed afterwards.
    """

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = np.asarray(pixels)
        self._turned: dict[int, Seen] = {}

    def turned(self, orientation: int) -> Seen:
        """The picture turned as an EXIF ``orientation`` says; turned once, then remembered."""
        if orientation not in self._turned:
            self._turned[orientation] = Seen(turn(self.pixels, orientation))
        return self._turned[orientation]

    @cached_property
    def spread(self) -> float:
        """Standard deviation of the grey values."""
        return float(self.pixels.std())


def anterior_side(reading: Reading, facing: str = "auto", picture: np.ndarray | Seen | None = None) -> Facing:
    """Decide which side is anterior: the user's word, else the header's, else what the spine and the picture show.

    Args:
        reading: The vertebrae, head to foot, in a picture that stands head up, and the frame. What it keeps of an
            earlier look (``reading.facing``) stands until the user or the header says otherwise.
        facing: ``left``, ``right`` or ``auto``.
        picture: (H, W) uint8 picture the reading is about, or :class:`Seen`, or None.

    Raises:
        InputError: ``facing`` is another word, or the picture has another size.
    """
    if facing not in ("auto", "left", "right"):
        raise InputError("facing", f"{facing!r} is not a side", "give left, right or auto")
    if facing != "auto":
        return Facing("left" if facing == "left" else "right", "user", 1.0)
    kept = reading.facing
    if kept is not None and kept.source == "user":
        return kept
    if reading.frame.anterior is not None:
        return Facing(reading.frame.anterior, "header", 1.0)
    by_sacrum = front_of(reading.landmarks, scale_of(reading))
    if by_sacrum is not None:
        # The model that found it may know better how often it is right; a point that was moved since counts anew.
        told = kept is not None and kept.source == "sacrum" and kept.side == by_sacrum
        confidence = kept.confidence if kept is not None and told else SACRUM_CONFIDENCE
        if confidence >= MIN_CONFIDENCE:
            return Facing(by_sacrum, "sacrum", confidence)
        kept = None if told else kept
    if kept is not None and kept.side is not None and kept.source != "header":
        return kept
    if rules_of(reading.view).slant_tells:
        belief = slant.belief(reading)
        if abs(belief) < MIN_CONFIDENCE:
            return Facing(None, "slant" if belief else "none", abs(belief))
        return Facing("right" if belief > 0 else "left", "slant", abs(belief))
    # In a film the belly is often brighter than the back: the brightness beside the bodies says nothing there.
    shade = 0.0 if picture is None or rules_of(reading.view).curve_tells else brightness(reading, picture)
    curve = curvature(reading)
    belief, source = curve, "curvature"
    if shade and not curve:
        belief, source = shade, "picture"
    elif shade and curve * shade > 0:
        # Two clues for the same side, each wrong with 1 - confidence, taken as independent.
        belief, source = np.sign(curve) * (1 - (1 - abs(curve)) * (1 - abs(shade))), "curvature and picture"
    elif shade:
        belief, source = (curve if abs(curve) > abs(shade) else shade) * 0.5, "curvature and picture"
    confidence = float(abs(belief))
    if confidence < MIN_CONFIDENCE:
        return Facing(None, source if confidence else "none", confidence)
    return Facing("right" if belief > 0 else "left", source, confidence)


def contradiction(reading: Reading, side: Facing) -> str | None:
    """What the spine of a film says against a front that the user or the header named; None where it does not.

    A film can come with letters that the system writes into every one of them, and a mirrored film with those from
    before; in MR and CT the header's front is geometry. The word is believed all the same: a flat back is rare, not
    impossible.
    """
    rules = rules_of(reading.view)
    if side.source not in ("user", "header") or not (rules.curve_tells or rules.slant_tells):
        return None
    other = "left" if side.side == "right" else "right"
    if rules.slant_tells:
        belief = slant.belief(reading)
        against = abs(belief) >= MIN_CONFIDENCE and (belief > 0) == (other == "right")
        return f"the endplates slant as if the front were on the {other}" if against else None
    if front_of(reading.landmarks, scale_of(reading)) == other:
        return f"the endplate of S1 hangs lower on the {other}"
    belief = curvature(reading)
    if abs(belief) >= MIN_CONFIDENCE and (belief > 0) == (other == "right"):
        return f"the spine bends as if the front were on the {other}"
    return None


def curvature(reading: Reading) -> float:
    """What the curve of the spine says: confidence 0..1, positive = anterior right, negative = left, 0 = nothing.

    A column that names fewer than three levels of each region is read as one without names, so that to name a single
    vertebra takes nothing away.
    """
    labels = [vertebra.label for vertebra in reading.vertebrae]
    tilts = direction_deg(midline(stack(reading) * scale_of(reading), reading.schema))
    named = [[k for k, label in enumerate(labels) if label and label[0] == region] for region, _, _ in REGIONS]
    if max(map(len, named)) < FEWEST:
        tilts = tilts[np.isfinite(tilts)][-UNNAMED_COUNT:]
        film = rules_of(reading.view).curve_tells and len(tilts) == UNNAMED_COUNT and _unbroken(reading)
        return _belief(tilts, 1, FILM_CONFIDENCE if film else UNNAMED_CONFIDENCE)
    found = [0.0]
    for (_, bend, most), chosen in zip(REGIONS, named, strict=True):
        found.append(_belief(tilts[[k for k in chosen if np.isfinite(tilts[k])]], bend, most))
    return max(found, key=abs)


def _unbroken(reading: Reading) -> bool:
    """Whether the lowest bodies follow one another: a false one below the spine would bend the curve."""
    return not order_faults(replace(reading, vertebrae=reading.vertebrae[-UNNAMED_COUNT:]))


def _belief(tilts: np.ndarray, bend: int, most: float) -> float:
    if len(tilts) < FEWEST:
        return 0.0
    # In lordosis the lower vertebrae dip in front: clockwise on the screen when that is the right side.
    bent = bend * float(turn_deg(tilts[0], tilts[-1]))
    return float(np.sign(bent)) * most * min(abs(bent) / FULL_TURN_DEG, 1.0)


def brightness(reading: Reading, picture: np.ndarray | Seen) -> float:
    """What the picture beside the bodies says: confidence 0..1, positive for anterior right, negative for left.

    Args:
        reading: The vertebrae.
        picture: (H, W) uint8.

    Raises:
        InputError: The picture has another size than the reading.
    """
    seen = picture if isinstance(picture, Seen) else Seen(picture)
    picture = seen.pixels
    if picture.shape != (reading.height, reading.width):
        fault = f"is {picture.shape}, the reading is about {(reading.height, reading.width)}"
        raise InputError("picture", fault, "give the picture itself, grey, not resized")
    if not reading.vertebrae or not seen.spread > 0:
        return 0.0
    points = stack(reading)
    left, right = (_beside(points, reading, picture, side) for side in ("left", "right"))
    known = np.isfinite(left) & np.isfinite(right)
    if known.sum() < FEWEST:
        return 0.0
    # The brighter side is the posterior one.
    contrast = float((left - right)[known].mean()) / seen.spread
    return float(np.sign(contrast)) * PICTURE_CONFIDENCE * min(abs(contrast) / FULL_CONTRAST, 1.0)


def _beside(points: np.ndarray, reading: Reading, picture: np.ndarray, side: Side) -> np.ndarray:
    """(n,) mean brightness beside each body on one side; NaN where the points or the picture end."""
    top, bottom = column(points, reading.schema, side)
    outward = midline(points, reading.schema) * (1 if side == "right" else -1)
    out = np.linspace(*BESIDE_WIDTHS, 12)[:, None, None]
    along = np.linspace(*ALONG_HEIGHTS, 9)[None, :, None]
    result = np.full(len(points), np.nan)
    for k in range(len(points)):
        spots = (top[k] + bottom[k]) / 2 + out * outward[k] + along * (top[k] - bottom[k])
        if not np.isfinite(spots).all():
            continue
        column_index, row_index = (np.floor(spots[..., axis]).astype(int).ravel() for axis in (0, 1))
        inside = (column_index >= 0) & (column_index < reading.width) & (row_index >= 0) & (row_index < reading.height)
        if inside.mean() > 0.5:
            result[k] = picture[row_index[inside], column_index[inside]].mean()
    return result
