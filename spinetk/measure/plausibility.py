"""Plausibility: what no spine looks like. The gate behind every model, as one table with its sources.

A network says where a vertebra is most likely, not whether there is one: given a hip it finds a body too. What the
table rules out is refused before or after the network has looked, or keeps its points but gets no grade. What a person
has marked (a reading without a model) is never overruled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from spinetk.geometry import median
from spinetk.measure.body import column, midline, scale_of, stack
from spinetk.measure.heights import COLUMNS, heights
from spinetk.reading import ABOUT_LEVELS, Reading
from spinetk.views import rules_of

Effect = Literal["refused", "not graded", "remarked"]


@dataclass(frozen=True)
class Rule:
    """One thing that cannot be.

    Attributes:
        limit: The figure it turns on, or None.
        effect: ``refused``: the picture is bad input. ``not graded``: the points stay, no grade is claimed.
            ``remarked``: all stays, and it is said.
        source: Where the figure comes from.
    """

    limit: float | None
    effect: Effect
    source: str


HEIGHTS = (
    "Adult bodies are about 11 mm (C3 to C6) to 30 mm (lumbar) high: Gilad and Nissan, J Anat 1985;143:115; Panjabi et"
    " al., Spine 1991;16:861 and 888, 1992;17:299. Newborns' are well above half the adult cervical height: Brandner,"
    " AJR 1970;110:618. A film enlarges by less than 1.5. Our margin is wide on both sides."
)
SIZES = (
    "From T1 to L5 endplates grow by less than 2, and from one level to the next by some percent: Panjabi et al., Spine"
    " 1991;16:861 and 888, 1992;17:299. A fracture lowers a body, it does not narrow it."
)
TALL = (
    "A true body against those beside it, as `_tall` counts: at most 1.17 times as high in 62 MR subjects and 1.19 in"
    " 120 phantoms; over 1.3 in 1 of 8,775 bodies of 1,755 lateral films (front heights) and 42 of 8,177 of 481 frontal"
    " films, swapped corners included (`benchmarks/tall.py`). A body with its disc is about 1.4 times as high."
)
SLIPS = (
    "Degenerative slips end at some 30 % (Rosenberg, J Bone Joint Surg Am 1975;57:467); known thoracic ones are of"
    " grade 1 (Tachi et al., J Spine Dis 2020;1:20). Front corners of 1,755 lateral films"
    " lie at most 23 % behind the median of their level; before it at most 19 % at L1 and L2, 32 % at L3, 47 % at L4"
    " (`benchmarks/slips.py`). A broken or dysplastic arch lets L5, rarely L4 and L3, slip further."
)
PLATES = (
    "Facing endplates of 304 discs of 62 MR subjects, px of 1 mm: one is over 1.18 times as long as the other in 8"
    " (`benchmarks/slips.py`). A slip is counted between their back corners."
)
ADULTS = (
    "The lowest five bodies of 62 MR subjects (the higher side of each, the median of a column) are 24.0 to 31.6 mm"
    " high; no adult body is lower than those of the neck, 11 mm (sources as of the limits above). Some 30 % are left"
    " for small people and for films that enlarge: lumbar bodies at half or twice their size stand out."
)
INCIDENCE = (
    "Standing adults without complaints have an incidence of 55 (SD 10.6) degrees, 33 to 82, n = 300: Vialle et al., J"
    " Bone Joint Surg Am 2005;87:260; with a slip of L5 it is larger, 72 (SD 15): Labelle et al., Spine 2004;29:2049."
    " We leave some three SD on either side."
)
USUAL_MM = {"lumbar": (16.0, 42.0), "trunk": (11.0, 42.0), "neck": (7.5, 24.0)}
"""Heights of adults' bodies in the middle of a column, films that enlarge included, by what is known of the levels."""
RULES: dict[str, Rule] = {
    "picture_px": Rule(32, "refused", "Geometry: two bodies of eight px with a disc between them are 24 px high."),
    "plane": Rule(None, "refused", "spinetk.views: DICOM cosines or letters of an axial or coronal slice."),
    "modality": Rule(None, "refused", "spinetk.views and the models' cards: DICOM modalities (PS3.3 C.7.3.1.1.1)."),
    "body_part": Rule(None, "refused", "BodyPartExamined (0018,0015), defined terms of DICOM PS3.16 annex L."),
    "lowest_mm": Rule(4.0, "refused", HEIGHTS),
    "highest_mm": Rule(60.0, "refused", HEIGHTS),
    "adult": Rule(None, "remarked", ADULTS),
    "body_px": Rule(6.0, "not graded", "Geometry: one px is 17 % of six; grades begin at 20, 25 and 40 %."),
    "lone": Rule(None, "not graded", "Genant et al., J Bone Miner Res 1993;8:1137: bodies are judged beside others."),
    "overlap": Rule(0.25, "not graded", "Anatomy: a disc lies between two bodies; shares of the smaller outline."),
    "step": Rule(0.6, "not graded", SIZES),
    "shrink": Rule(0.3, "not graded", SIZES),
    "tall": Rule(1.3, "not graded", TALL),
    "slip_backward": Rule(25.0, "not graded", SLIPS),
    "slip_forward": Rule(25.0, "not graded", SLIPS),
    "slip_forward_low": Rule(50.0, "not graded", SLIPS),
    "plates": Rule(1.18, "not graded", PLATES),
    "incidence_least": Rule(20.0, "remarked", INCIDENCE),
    "incidence_most": Rule(115.0, "remarked", INCIDENCE),
    "hardly_seen": Rule(0.4, "not graded", "Judgement: shares of the confidence that was asked for."),
}  # fmt: skip

# Defined terms of BodyPartExamined for parts that show no thoracic or lumbar spine and no neck. Terms of the trunk, and
# words that are no defined term, say nothing against a spine.
OTHER_PARTS = frozenset(
    """ACJOINT ANKLE ANUS ARM BRACHIALARTERY BRAIN BREAST CALCANEUS CALF CAROTID CEREBELLUM CEREBRALARTERY CLAVICLE
    CORONARYARTERY EAR ELBOW EXTREMITY EYE EYELID FACE FEMORALARTERY FEMUR FIBULA FINGER FOOT FOREARM FOREFOOT FOREHEAD
    HAND HEAD HEART HIP HUMERUS JAW KNEE LEG LOWERARM LOWERLEG MANDIBLE MAXILLA NOSE ORBIT PATELLA PENIS POPLITEALARTERY
    RADIUS RADIUSULNA SCAPULA SCROTUM SELLA SHOULDER SKULL TESTIS THIGH THUMB TIBIA TIBIAFIBULA TMJ TOE TONGUE ULNA
    UPPERARM UTERUS WRIST ZYGOMA""".split()  # noqa: SIM905
)

# Defined terms for parts that have the spine in them, but whose films are not taken of it.
AROUND_SPINE = frozenset(
    """ABDOMEN ABDOMENPELVIS ADRENAL AORTA BLADDER BRONCHUS CHEST CHESTABDOMEN CHESTABDPELVIS COLON DUODENUM ESOPHAGUS
    GALLBLADDER ILIUM KIDNEY LIVER LUNG MEDIASTINUM NECKCHEST NECKCHESTABDOMEN NECKCHESTABDPELV PANCREAS PELVIS RIB
    SPLEEN STERNUM STOMACH THORAX URETER""".split()  # noqa: SIM905
)

# Regions of the levels (first letters) that a film of a part shows, by the same terms; NECK and the spines of PS3.16.
PART_REGIONS = {
    "NECK": "C", "CSPINE": "C", "CTSPINE": "CT", "TSPINE": "T", "CHEST": "T", "TLSPINE": "TL", "LSPINE": "L",
    "LSSPINE": "LS",
}  # fmt: skip


def limit_of(name: str) -> float:
    """The figure of a rule that turns on one."""
    limit = RULES[name].limit
    assert limit is not None, f"rule {name!r} has no figure"
    return limit


def other_part(body_part: str | None) -> bool:
    """Whether BodyPartExamined names a part that shows no vertebral column."""
    return _term(body_part) in OTHER_PARTS


def around_spine(body_part: str | None) -> bool:
    """Whether BodyPartExamined names a part whose films show the spine without having been taken of it."""
    return _term(body_part) in AROUND_SPINE


def _term(body_part: str | None) -> str:
    """A part as PS3.16 writes it, without the blanks and dashes that many devices put in."""
    return (body_part or "").upper().replace(" ", "").replace("-", "")


def names_region(body_part: str | None) -> bool:
    """Whether BodyPartExamined names one end of the spine; ``SPINE`` does not."""
    return _term(body_part) in PART_REGIONS


def is_neck(body_part: str | None) -> bool:
    """Whether BodyPartExamined names the neck."""
    return PART_REGIONS.get(_term(body_part)) == "C"


def elsewhere(body_part: str | None, labels: Sequence[str | None]) -> str | None:
    """What speaks against level names of which more than half lie outside the part examined, or None."""
    regions, named = PART_REGIONS.get(_term(body_part)), [label for label in labels if label]
    if regions is None or 2 * sum(label[0] in regions for label in named) >= len(named):
        return None
    return f"{ABOUT_LEVELS}named {named[0]} to {named[-1]}, but BodyPartExamined is {body_part}"


def too_small(height: int, width: int) -> bool:
    """Whether a picture has too few px to show vertebrae."""
    return min(height, width) < limit_of("picture_px")


def impossible_size(reading: Reading) -> str | None:
    """Why the bodies of a reading cannot have the size its spacing gives them; None where they can, or it is unknown.

    It is the bodies' middle size that counts: of one body alone :func:`doubts` tells.
    """
    if reading.frame.spacing_mm is None or not reading.vertebrae:
        return None
    sizes = _tallest(stack(reading) * scale_of(reading), reading)
    return _beyond(median(sizes[~np.isnan(sizes)]))


def unusual_size(reading: Reading) -> str | None:
    """What is odd about the size of the bodies that no :func:`impossible_size` is; None where nothing is, or no scale.

    A picture that was made smaller, or cut out of a screen, and kept the spacing of the one it was made of has bodies
    of a size that exists, and is wrong.
    """
    if reading.frame.spacing_mm is None or not reading.vertebrae or impossible_size(reading):
        return None
    lumbar = np.array([(v.label or "").startswith("L") for v in reading.vertebrae])
    named = "lumbar" if lumbar.sum() > 1 else "trunk"
    region = named if rules_of(reading.view).trunk is None else "neck"
    sizes = _tallest(stack(reading) * scale_of(reading), reading)[lumbar if region == "lumbar" else slice(None)]
    size, (low, high) = median(sizes[~np.isnan(sizes)]), USUAL_MM[region]
    if not np.isfinite(size) or low <= size <= high:
        return None
    which = "lumbar bodies" if region == "lumbar" else "bodies"
    child = "the patient is a child or " if size < low else ""
    return (
        f"the {which} are {size:.3g} mm high in the median, where those of adults are {low:g} to {high:g} mm: "
        f"{child}the spacing is wrong"
    )


def doubts(reading: Reading) -> list[str | None]:
    """Why each body found by a model is no plausible one, as a phrase; None where nothing speaks against it.

    Args:
        reading: Head up, ordered head to foot.
    """
    count = len(reading.vertebrae)
    if reading.model is None or not count:
        return [None] * count
    points = stack(reading)
    found: list[list[str]] = [[] for _ in range(count)]
    if count == 1:
        found[0].append("no other body was found beside it")
    pixels, real = _tallest(points, reading), _tallest(points * scale_of(reading), reading)
    for k in range(count):
        beyond = _beyond(real[k]) if reading.frame.spacing_mm is not None else None
        if beyond:
            found[k].append(beyond)
        score = reading.vertebrae[k].score
        if score is not None and score < limit_of("hardly_seen") * (reading.threshold or 0.0):
            found[k].append(f"it was hardly seen (confidence {score:.2f}) and lies where the column must continue")
        if pixels[k] < limit_of("body_px"):
            found[k].append(f"the body is {pixels[k]:.1f} px high")
    for a, b, share in _overlaps(points, reading):
        if share > limit_of("overlap"):
            for one, other in ((a, b), (b, a)):
                found[one].append(f"its outline covers that of {_name(reading, other)}")
    for k, words in [*_steps(points, reading), *_tall(points * scale_of(reading), reading)]:
        found[k].append(words)
    return [words[0] if words else None for words in found]


def _beyond(size_mm: float) -> str | None:
    low, high = limit_of("lowest_mm"), limit_of("highest_mm")
    if not np.isfinite(size_mm) or low <= size_mm <= high:
        return None
    said = f"{size_mm:.3g}"
    if low <= float(said) <= high:  # 60.01 mm is more than 60
        said = f"{size_mm:.4f}"
    return f"{said} mm high, where vertebral bodies are {low:g} to {high:g} mm"


def _tallest(points: np.ndarray, reading: Reading) -> np.ndarray:
    """(n,) the highest column of each body: a crushed one is still high somewhere."""
    found = heights(points, reading.schema)
    return np.array([np.nanmax(row) if np.isfinite(row).any() else np.nan for row in found])


def _overlaps(points: np.ndarray, reading: Reading) -> list[tuple[int, int, float]]:
    """Pairs of bodies whose outlines overlap, with the share of the smaller outline."""
    hulls = []
    names = [name for name in COLUMNS if name in reading.schema.columns]
    for body in points:
        ends = np.concatenate([np.stack(column(body, reading.schema, name)) for name in names]) if names else body
        ends = ends[np.isfinite(ends).all(axis=1)].astype(np.float32)
        hulls.append(cv2.convexHull(ends) if len(ends) >= 3 else None)
    pairs = []
    for a in range(len(hulls)):
        for b in range(a + 1, len(hulls)):
            one, other = hulls[a], hulls[b]
            if one is None or other is None:
                continue
            smaller = min(cv2.contourArea(one), cv2.contourArea(other))
            shared = cv2.intersectConvexConvex(one, other)[0] if smaller > 0 else 0.0
            if shared > 0:
                pairs.append((a, b, shared / smaller))
    return pairs


def _steps(points: np.ndarray, reading: Reading) -> list[tuple[int, str]]:
    """Bodies much narrower than those beside them, and columns that grow narrower and narrower."""
    across = midline(points * scale_of(reading), reading.schema)
    widths = np.hypot(across[:, 0], across[:, 1])
    seen = np.flatnonzero(np.isfinite(widths) & (widths > 0))
    if len(seen) < 2:
        return []
    found = []
    if widths[seen].min() < limit_of("shrink") * widths[seen].max():
        share = 100 * widths[seen].min() / widths[seen].max()
        words = f"the narrowest body of the column has {share:.0f} % of the widest one's width"
        found += [(int(k), words) for k in seen]
    for place, k in enumerate(seen):
        beside = widths[np.concatenate([seen[max(0, place - 2) : place], seen[place + 1 : place + 3]])]
        if widths[k] < limit_of("step") * median(beside):
            share = 100 * widths[k] / median(beside)
            found.append((int(k), f"it has {share:.0f} % of the width of the bodies beside it"))
    return found


def too_tall(reading: Reading) -> list[int]:
    """Indices of bodies so much higher than those beside them that they may be two, or one may be missed there."""
    return [k for k, _ in _tall(stack(reading) * scale_of(reading), reading)] if reading.vertebrae else []


def _tall(points: np.ndarray, reading: Reading) -> list[tuple[int, str]]:
    """Bodies much higher than each of those beside them, up to two levels away and at least two.

    A body counts by the median of its columns, so that one point drawn wrongly hides nothing; the highest of those
    beside it counts, so that a fracture there does not make a sound body too high.
    """
    columns, found = heights(points, reading.schema), []
    own = np.array([median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in columns])
    known = np.flatnonzero(np.isfinite(own) & (own > 0))
    for place, k in enumerate(known):
        beside = own[np.concatenate([known[max(0, place - 2) : place], known[place + 1 : place + 3]])]
        if len(beside) < 2:
            continue
        share = own[k] / beside.max()
        if share > limit_of("tall"):
            words = f"it is {share:.1f} times as high as any body beside it: two may be taken for one, or one missed"
            found.append((int(k), words))
    return found


def _name(reading: Reading, index: int) -> str:
    return reading.vertebrae[index].label or f"vertebra #{index + 1}"
