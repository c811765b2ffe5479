"""Everything that is measured on one film, whole, as worked by hand from its points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spinetk.facing import Facing
from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.measure import angle_words, measure, words
from spinetk.measure.comparison import compare
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

UPPER = [[30, 60], [50, 60], [70, 60], [70, 40], [50, 40], [30, 40]]
WEDGE = [[30, 90], [50, 88.5], [70, 87], [70, 73], [50, 71.5], [30, 70]]
LOWER = [[34, 120], [54, 120], [74, 120], [74, 100], [54, 100], [34, 100]]
NONE = {"loss_percent_interval": None, "grade_interval": None, "grade_probability": None, "not_judged": [],
        "thresholds_percent": [20.0, 25.0, 40.0]}  # fmt: skip
OWN = "posterior height of the same body"


def film(**changes):
    """Front on the right by its header, pixels 0.8 mm high and 0.5 mm wide; the last body stands 4 px farther right."""
    bodies = [
        Vertebra.from_points(np.array(points, float), label=label)
        for points, label in zip((UPPER, WEDGE, LOWER), ("L3", "L4", "L5"), strict=True)
    ]
    marks = [Landmark("s1", np.array([[36.0, 124], [60, 139]]))]
    marks += [Landmark("femoral_head", np.array([[x, y]])) for x, y in ((70, 169.5), (66, 173.5))]
    told = Reading("a/film.dcm", 200, 100, VERTEBRA6, bodies, Frame((0.8, 0.5), "user", "A", "F"), "lateral")
    return replace(told, **({"landmarks": marks} | changes))


def sides(left, middle, right):
    return {"left": left, "middle": middle, "right": right, "anterior": right, "posterior": left}


def disc(name, px, mm, angle, slip, grade):
    found = {"name": name, "angle_deg": angle, "meyerding": grade, "meyerding_interval": None}
    found["meyerding_reason"] = None
    for unit, three in (("px", px), ("mm", mm)):
        found[f"heights_{unit}"] = dict(zip(("anterior", "middle", "posterior"), three, strict=True))
        found[f"heights_{unit}_interval"] = None
    for unit, value in zip(("px", "mm", "percent"), slip, strict=True):
        found |= {f"listhesis_{unit}": value, f"listhesis_{unit}_interval": None}
    return found | {"angle_deg_interval": None}


def body(px, mm, area, ratios, deformity, below):
    names = ("left_right", "wedge", "biconcavity", "crush")
    return {
        "heights_px": sides(*px), "heights_mm": sides(*mm), "heights_px_interval": None, "heights_mm_interval": None,
        "anterior_side": "right", "area_px2": area[0], "area_mm2": area[1], "tilt_deg": 0, "tilt_deg_interval": None,
        "ratios": dict(zip(names, ratios, strict=True)), "deformity": deformity, "deformity_reason": None,
        "disc_below": below,
    }  # fmt: skip


def losses(anterior, middle, posterior):
    return {"anterior": anterior, "middle": middle, "posterior": posterior}


ANGLES = {
    "cobb_max": 0, "cobb_max_ends": ["L3", "L4"], "cobb_upper": 0, "cobb_upper_ends": ["L3", "L3"], "cobb_lower": 0,
    "cobb_lower_ends": ["L4", "L5"], "cobb_form": "C",
    "cobb_max_endplates": 6.8428,  # arctan(2.4 / 20): the lower endplate of the wedge
    "lordosis_l1_l5": None, "lordosis_l1_s1": None, "kyphosis_t1_t12": None, "kyphosis_t4_t12": None,
    "sacral_slope": 45, "pelvic_tilt": 17.354, "pelvic_incidence": 62.354,  # arctan(10 / 32)
}  # fmt: skip
SLIP = (
    "Measurement: L4 lies 10 % backward on L5 (retrolisthesis, Meyerding grade 1), if L5 is right, which the disc "
    "below it makes doubtful."
)
OPEN = (
    "Measurement: the disc between L5 and S1 opens by 45 degrees, about as much as healthy spines do from L4 to S1: an "
    "endplate of L5 or S1 is probably wrong, and what is taken from it with it."
)


def test_a_lateral_film():
    found = measure(film())
    normal = {"type": "normal", "grade": 0, "loss_percent": 0, "losses_percent": losses(0, 0, 0), "reference": OWN}
    alone = {"posterior_reference": "posterior height of L4", "notes": ["posterior height judged against one neighbour only"]}  # noqa: E501  # fmt: skip
    wedge = {
        "type": "wedge", "grade": 2, "loss_percent": 30, "losses_percent": losses(30, 15, 0), "reference": OWN,
        "posterior_reference": "posterior height of L3 and L5", "notes": [],
    }  # fmt: skip
    assert [v.measures for v in found.vertebrae] == [
        body(
            (20, 20, 20), (16, 16, 16), (800, 320), (1, 1, 1, 1), NONE | normal | alone,
            disc("L3-L4", (13, 11.5, 10), (10.4, 9.2, 8), 6.8428, (-0.7479, -0.9532, -4.7319), 0),
        ),
        body(
            (20, 17, 14), (16, 13.6, 11.2), (680, 272), (1.4286, 0.7, 0.85, 1), NONE | wedge,
            disc("L4-L5", (13.6015, 12.1758, 10.7703), (10.5906, 9.4149, 8.2462), 6.8428, (-4, -2, -10), 1),
        ),
        body(
            (20, 20, 20), (16, 16, 16), (800, 320), (1, 1, 1, 1), NONE | normal | alone,
            disc("L5-S1", (23.6008, 12.9711, 4.4721), (16.7344, 9.6768, 3.3526), 45, (-3.816, -2.9698, -17.5), 1),
        ),
    ]  # fmt: skip
    angles = {f"{name}_interval": None for name in ANGLES if not name.endswith(("_ends", "_form"))}
    assert found.angles == ANGLES | angles | {"hip_axis_heads": 2}
    assert found.facing == Facing("right", "header", 1.0)
    assert found.remarks == [SLIP, OPEN]


def test_a_frontal_film_has_no_grades_no_discs_and_no_front():
    found = measure(film(view="ap"))
    own = found.vertebrae[1].measures
    assert own["heights_mm"] == {"left": 16, "middle": 13.6, "right": 11.2}
    assert own["ratios"] == {"left_right": 1.4286, "wedge": None, "biconcavity": None, "crush": None}
    assert (own["anterior_side"], own["deformity"], own["disc_below"]) == (None, None, None)
    assert own["deformity_reason"]
    assert found.facing is None
    assert "sacral_slope" not in found.angles
    assert found.angles["cobb_max_endplates"] == 6.8428
    assert found.remarks == []


def test_a_film_of_which_nothing_is_known():
    told = film(frame=Frame(), landmarks=[])
    for own in told.vertebrae:
        own.label = None
    found = measure(told)
    own = found.vertebrae[1].measures
    assert own["heights_px"] == {"left": 20, "middle": 17, "right": 14}
    assert (own["heights_mm"], own["area_mm2"], own["area_px2"]) == (None, None, 680)
    assert own["deformity_reason"] == (
        "a height is reduced, but the anterior side is unknown, so neither type nor direction can be told"
    )
    assert found.vertebrae[0].measures["deformity"]["notes"] == [
        "the anterior side is unknown: normal whichever side it is"
    ]
    assert found.vertebrae[0].measures["deformity"]["losses_percent"] is None
    assert found.angles["cobb_max_ends"] == [0, 1]
    assert found.remarks == [
        "Measurement: the anterior side is unknown: no wedge direction is claimed, and lordosis and kyphosis bear no "
        "sign (give it with --facing).",
        "Measurement: pixel spacing is unknown: heights in px only, square pixels assumed for ratios and angles.",
        "Measurement: no level names: lordosis and kyphosis need them (give one with --anchor, e.g. L5=last).",
    ]
    stated = measure(replace(told, frame=Frame(pixel_aspect=1.6)))
    assert (
        "Measurement: pixel spacing is unknown: heights in px only, ratios and angles by the pixels' stated shape, "
        "height to width 1.6." in stated.remarks
    )


def test_remarks_of_a_film_that_must_not_be_graded():
    told = film(not_graded="the model was made for children", threshold=0.6, landmarks=film().landmarks[:2])
    told.vertebrae[0].score, told.vertebrae[1].score, told.vertebrae[2].score = 0.5, None, 0.6
    found = measure(told)
    assert [v.measures["deformity_reason"] for v in found.vertebrae] == ["the model was made for children"] * 3
    assert [v.measures["disc_below"] for v in found.vertebrae] == [None] * 3
    assert [v.measures.get("below_threshold") for v in found.vertebrae] == [True, None, None]
    assert found.remarks == [
        "Measurement: no grades: the model was made for children.",
        "Measurement: below the threshold of 0.6, kept as part of the column: L3.",
        "Measurement: one femoral head is seen: if the other lies apart from it, pelvic tilt and incidence are off.",
    ]


@pytest.mark.parametrize("toward", ["AF", "PH"])  # as it is, and upside down
def test_measured_again_a_body_keeps_what_others_said_of_it_and_no_mark_that_is_no_longer_so(toward):
    """The first body was seen with 0.5 where 0.6 was asked for; then a person set it."""
    told = film(threshold=0.6, frame=Frame((0.8, 0.5), "user", *toward))
    told.vertebrae[0].score, told.vertebrae[0].measures = 0.5, {"bmd_g_cm2": 0.9}
    weak = measure(told)
    assert weak.vertebrae[0].measures["below_threshold"] is True
    weak.vertebrae[0].score = None
    found = measure(weak)
    assert found.vertebrae[0].measures["bmd_g_cm2"] == 0.9
    assert "below_threshold" not in found.vertebrae[0].measures
    assert weak.vertebrae[0].measures["below_threshold"] is True  # what is measured is not changed


def test_one_body_and_none():
    told = film(landmarks=[])
    told.vertebrae = told.vertebrae[:1]
    assert measure(told).remarks == [
        "Measurement: one vertebra only: no angles, and a crushed body cannot be told without neighbours."
    ]
    told.vertebrae = []
    assert measure(told).remarks == ["Measurement: no vertebra, nothing to measure."]


def test_two_readings_of_one_film():
    """The second reader sets the middle body 3 px to the right and 4 px down, and knows no level of the last one."""
    other = film()
    other.vertebrae[1] = Vertebra.from_points(np.array(WEDGE, float) + (3, 4), label="L4")
    other.vertebrae[0].label = "L2"
    found = compare(film(), other)
    same = {"difference": 0, "percent": 0}
    heights = {side: {"first": v, "second": v} | same for side, v in sides(16, 13.6, 11.2).items()}
    assert (found["matched"], found["only_first"], found["only_second"]) == (2, ["L3"], ["L2"])
    assert found["vertebrae"][0] == {
        "first": 1,
        "second": 1,
        "label": "L4",
        "point_error_px": 5,
        "point_error_mm": 3.5341,  # 1.5 mm across and 3.2 mm down
        "heights_px": {side: {"first": v, "second": v} | same for side, v in sides(20, 17, 14).items()},
        "heights_mm": heights,
        "deformity": {"first_type": "wedge", "second_type": "wedge", "first_grade": 2, "second_grade": 2},
    }
    assert found["angles"]["cobb_max_endplates"] == {"first": 6.8428, "second": 6.8428, "difference": 0}
    assert found["angles"]["lordosis_l1_l5"] == {"first": None, "second": None, "difference": None}
    assert list(found["angles"]) == [
        "cobb_max", "cobb_upper", "cobb_lower", "cobb_max_endplates", "lordosis_l1_l5", "lordosis_l1_s1",
        "kyphosis_t1_t12", "kyphosis_t4_t12", "sacral_slope", "pelvic_tilt", "pelvic_incidence",
    ]  # fmt: skip
    scaled = compare(film(), replace(other, frame=Frame((0.8, 0.6), "user", "A", "F")))
    assert (scaled["vertebrae"][0]["point_error_mm"], scaled["vertebrae"][0]["heights_mm"]) == (None, None)


# --- words ---


@pytest.mark.parametrize(
    ("frame", "text", "line"),
    [
        (Frame(), "(pixel spacing unknown)", "unknown: lengths are in px"),
        (Frame((0.8, 0.5)), "(unnamed source)", "0.8 mm high, 0.5 mm wide (unnamed source)"),
        (Frame((0.5, 0.50001), "user"), "(user)", "0.5 mm (user)"),
        (Frame((0.5, 0.5), "ImagerPixelSpacing"), "at the detector plane, magnified (ImagerPixelSpacing)",
         "0.5 mm at the detector plane, magnified (ImagerPixelSpacing)"),
        (Frame((0.5, 0.5), "NominalScannedPixelSpacing"),
         "on the scanned film, perhaps magnified (NominalScannedPixelSpacing)",
         "0.5 mm on the scanned film, perhaps magnified (NominalScannedPixelSpacing)"),
    ],
)  # fmt: skip
def test_where_the_scale_comes_from(frame, text, line):
    assert (words.spacing_text(frame), words.spacing_words(frame)) == (text, line)


def test_lines_of_a_film():
    found = measure(film())
    assert list(words.lines_of([found])) == [
        f"{'picture':<32} level        ant.        mid.       post.  height in mm",
        f"{'film.dcm':<32}    L3        16.0        16.0        16.0  normal (0 %)",
        f"{'film.dcm':<32}    L4        11.2        13.6        16.0  wedge, grade 2 (30 %)",
        f"{'film.dcm':<32}    L5        16.0        16.0        16.0  normal (0 %)",
    ]
    refused = measure(film(not_graded="made for children", file="a\\b.dcm"))
    lines = list(words.lines_of([refused, refused]))
    assert [line.startswith("b.dcm ") for line in lines] == [False, True, True, True, False, True, True, True]
    assert lines[4] == "not graded: made for children"
    assert all(line.endswith("  not graded") for line in lines[1:4])


def test_angles_and_ends_in_words():
    found = measure(film())
    assert angle_words.angles_of(found)[-3:] == [
        ("sacral_slope", 45),
        ("pelvic_tilt", 17.354),
        ("pelvic_incidence", 62.354),
    ]
    assert angle_words.ends_of(found, "cobb_lower") == "L4\N{EN DASH}L5"
    assert angle_words.ends_of(replace(found, angles={"cobb_max_ends": ["T5", 6]}), "cobb_max") == "T5\N{EN DASH}#7"
    assert angle_words.ends_of(found, "sacral_slope") == ""
    assert words.remarks_of(found)[0] == SLIP.removeprefix("Measurement: ")
    assert (words.height_unit(found), words.sides_of(found)) == ("mm", ["anterior", "middle", "posterior"])
    flat = measure(film(frame=Frame(), landmarks=[], view="ap"))
    assert (words.height_unit(flat), words.sides_of(flat)) == ("px", ["left", "middle", "right"])


@pytest.mark.parametrize(
    ("score", "threshold", "weak", "text"),
    [
        (None, 0.6, False, ""),
        (0.414, 0.6, False, "0.41"),
        (0.414, None, True, "0.41"),
        (0.414, 0.6, True, "0.41 < 0.60"),
        (0.598, 0.6, True, "0.598 < 0.600"),
        (0.59996, 0.6, True, "0.6000 < 0.6000"),
    ],
)
def test_confidence_in_words(score, threshold, weak, text):
    own = Vertebra.from_points(np.array(UPPER, float), score=score, measures={"below_threshold": weak})
    assert words.score_text(own, threshold) == text
