"""Second look: what the look of a picture leaves open is settled by what a model finds in it.

Where the network that tells the view is not sure, the likeliest view is read all the same, and stands if a column of
bodies is found: pictures without a spine give single bodies at most. Where it is not sure how a lateral film lies, the
film is read in both positions and the one with more in it is kept: a body looks the same upside down, the sacrum does
not. So it is where the bodies found are no column, or grow narrower from head to foot: of 50 real films 3 do when
upright, 46 when upside down. A film that looks like a neck is read by the model of the trunk, too, for real films of
the trunk are taken for necks (3 of 50): a sure hip settles it, or names and a hip, or clearly more bodies. Of 155
phantoms of necks 5 have so many more; on many an S1 is seen that is none, on some a hip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from spinetk.geometry import Frame
from spinetk.keypoints.chain import body_axes, find_gaps
from spinetk.keypoints.viewing.sight import Sight
from spinetk.reading import Reading

LEAST = 2
"""Bodies without which a film that only looks like a view is refused."""
FEWEST = 4
"""Whole bodies in an unbroken column that show that there is a spine."""
LEAST_SCORE = 0.8
"""Their least mean confidence."""
SACRUM_WEIGHT = 2.0
"""What an S1 endplate counts beside a body."""
SURE_HIP = 0.9
"""From which a femoral head alone shows a trunk: on phantoms of necks up to 0.75 are seen, where there is none."""
SMALLER = -0.03
"""From which growth on (:func:`growth`) a slice is doubted to be upright: on 36 real slices of MR, read upright, it was
0.003 and more, on 4 read upside down -0.12 and less; of 6 of CT read upside down it told 3."""
CLEARLY = 1.0
"""By how much a turned picture must have more in it, in bodies, than the picture as it stands."""

OPPOSITE = {1: 3, 3: 1, 6: 8, 8: 6}
"""EXIF numbers of the quarter turns, and what turns a picture upside down."""
NARROWS = "the bodies found grow narrower from head to foot: check that the picture is upright"
FEW = "no unbroken column of bodies is found in any position: check that the picture is upright and shows a spine"
SHRINKS = "the bodies found grow smaller from head to foot: check that the picture is upright"
TURNED = "the picture seems not to be upright by what is found in it when turned: it was turned for the network"
HEAD = "the head does not look to be where the file says (probability {:.2f}): check how the picture stands"
FRONT = (
    "the front looks to be on the {} (probability {:.2f}), which contradicts the file: if that is right, wedges, slips "
    "and the signs of angles are the wrong way round (give the front with --facing)"
)
TRUNK = "it looks like a neck, but more of a trunk is found in it: read as one"


def shows_column(reading: Reading) -> bool:
    """Whether the bodies found prove that a spine is shown the way that was assumed."""
    # What was added above the highest sure body, because a column goes on, proves no column.
    sure = [(vertebra.score or 0.0) >= (reading.threshold or 0.0) for vertebra in reading.vertebrae]
    column = reading.vertebrae[sure.index(True) :] if any(sure) else []
    whole = [vertebra for vertebra in column if vertebra.visible.all()]
    if len(whole) < FEWEST or np.mean([vertebra.score or 0.0 for vertebra in whole]) < LEAST_SCORE:
        return False
    return not find_gaps(np.array([vertebra.points for vertebra in whole]), reading.schema)


def narrows(reading: Reading) -> bool:
    """Whether whole bodies, three or more, grow narrower from head to foot, as those of a spine upside down do."""
    whole = np.array([vertebra.points for vertebra in reading.vertebrae if vertebra.visible.all()])
    if len(whole) < 3 or not reading.schema.columns:
        return False
    widths = np.log(np.maximum(body_axes(whole, reading.schema)[1], 1e-6))
    return bool(np.polyfit(np.arange(len(widths)), widths, 1)[0] < 0)


def growth(reading: Reading) -> float:
    """By how much whole bodies grow from head to foot: width, height and distance of centres, each as the mean change
    of its logarithm from one body to the next, in sum; 0 of fewer than four bodies.
    """
    whole = [vertebra for vertebra in reading.vertebrae if vertebra.visible.all()]
    if len(whole) < FEWEST or not reading.schema.columns:
        return 0.0
    axes, widths = body_axes(np.array([vertebra.points for vertebra in whole]), reading.schema)
    steps = np.diff([vertebra.centre for vertebra in whole], axis=0)
    sizes = (widths, np.linalg.norm(axes, axis=1), np.linalg.norm(steps, axis=1))
    return float(sum(np.polyfit(np.arange(len(own)), np.log(np.maximum(own, 1e-6)), 1)[0] for own in sizes))


def evidence(reading: Reading) -> float:
    """How much is found, in bodies: the sum of the confidences of whole bodies and, with more weight, of S1."""
    return _bodies(reading) + SACRUM_WEIGHT * sum(own.score or 0.0 for own in reading.landmarks if own.kind == "s1")


def _bodies(reading: Reading) -> float:
    return sum(vertebra.score or 0.0 for vertebra in reading.vertebrae if vertebra.visible.all())


def most_found(read: Callable[[int], Reading], start: int, turns: Sequence[int], others: Sequence[int]) -> Reading:
    """What is found in the position in which clearly most is.

    Args:
        read: Reads the picture in a position, an EXIF number.
        start: The position in which it stands.
        turns: Positions that the look of the picture speaks for; they are tried in any case.
        others: The remaining ones: all are tried where there is no column, and the opposite one where bodies grow
            narrower from head to foot.

    Where the look and the widths of the bodies both say that the picture is upside down, it is turned unless clearly
    less is then found: as many bodies are seen in a neck or a CT slice that stands on its head.
    """
    found = read(start)
    for turn in (*turns, *others):
        upside_down = turn == OPPOSITE.get(found.frame.exif_orientation) and narrows(found)
        if not upside_down and turn not in turns and shows_column(found):
            continue
        other = read(turn)
        agreed = upside_down and turn in turns and shows_column(other) and not narrows(other)
        if evidence(other) > evidence(found) + (-CLEARLY if agreed else CLEARLY):
            found = other
            found.remarks.insert(0, TURNED)
    return found


def shrinking(found: Reading) -> list[str]:
    """A remark where the bodies found in a slice, and their distances, grow smaller from head to foot.

    The slice is not turned for it: of 58 readings of MR that were right 6 would have been turned wrongly.
    """
    return [SHRINKS] if growth(found) <= SMALLER else []


def oddities(found: Reading) -> list[str]:
    """A remark where what was found may lie another way up than it was read."""
    if found.vertebrae and not shows_column(found):
        return [FEW]
    return [NARROWS] if narrows(found) and not any(own.kind == "s1" for own in found.landmarks) else []


def upright_spine(found: Reading) -> bool:
    """Whether what was found bears out that the picture stands upright: an unbroken column that widens downward."""
    return shows_column(found) and not narrows(found)


def against_file(sight: Sight, frame: Frame, least: float, front: bool = True) -> str | None:
    """A remark where a picture surely looks as if its head or its front lay elsewhere than its file says.

    Args:
        sight: How it looks once it stands as its file says.
        frame: What its file says.
        least: Probability from which a look is sure.
        front: Whether the front is asked about, too. Of lateral films it never is: their look is often wrong about it.
    """
    if sight.turn != 1:
        sure = frame.says_head and sight.turn_probability >= least
        return HEAD.format(sight.turn_probability) if sure else None
    said = frame.turned(frame.upright_orientation()).anterior
    sure = front and sight.posed and sight.front_probability >= least
    if not sure or frame.anterior is None or sight.front in (None, said):
        return None
    return FRONT.format("left" if frame.anterior == "right" else "right", sight.front_probability)


def missing(found: Reading, unproven: bool, looks: str | None) -> str | None:
    """Why a picture is refused of which only its look says the view; None where what was found bears it out.

    Args:
        found: What was found in it.
        unproven: Whether its look is not sure.
        looks: What it looks like, in words, where that is sure.
    """
    if unproven and not shows_column(found):
        return "does not say which view it is"
    if looks is not None and len(found.vertebrae) < LEAST:
        return f"looks like {looks}, but hardly a vertebra is found in it"
    return None


def too_strict(found: Reading, usual: Reading, unproven: bool, looks: str | None) -> str | None:
    """Why next to nothing is found in a picture, where it is the threshold that leaves out what is seen; else None.

    Args:
        found: What reaches the threshold that was asked for.
        usual: What reaches the usual one.
        unproven, looks: As of :func:`missing`.
    """
    if len(usual.vertebrae) < LEAST or missing(usual, unproven, looks):
        return None
    least, scores = found.threshold or 0.0, [vertebra.score or 0.0 for vertebra in usual.vertebrae]
    reaching = sum(score >= least for score in scores)
    surest = np.floor(1e4 * max(scores)) / 1e4  # what does not reach 1 is not said to
    verb = "reach" if reaching > 1 else "reaches"
    said = f"{reaching or 'none'} of the {len(scores)} bodies that are seen {verb} the confidence of {least:g}"
    return f"{said} that was asked for: the surest has {surest:.4f}"


def neck_or_trunk(neck: Reading, trunk: Reading) -> Reading:
    """The reading that stands of a film that looks like a neck, of two by the models of both.

    What is taken for a sacrum may be the lower end of a neck: it settles nothing alone. A sure hip does, names with a
    hip, and clearly more bodies; of the last the trunk keeps the names that it has: in 160 drawn necks none were sure.
    """
    heads = [own.score or 0.0 for own in trunk.landmarks if own.kind == "femoral_head"]
    named = any(vertebra.label for vertebra in trunk.vertebrae)
    hips = bool(heads) and (max(heads) >= SURE_HIP or named)
    if not hips and _bodies(trunk) <= _bodies(neck) + CLEARLY:
        return neck
    return replace(trunk, remarks=[TRUNK, *trunk.remarks])
