"""What is said of a grade: with its probability, or that it is not sure; never normal where it may be otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spinetk.formats.table import rows
from spinetk.measure import angle_words, measure, words
from spinetk.measure.deformity import possible_grades
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Vertebra
from spinetk.report.column import lay_out
from spinetk.report.overlay import _notes
from spinetk.report.page import write_page

FULL = (30.0, 30.0, 30.0)


def vertebra(**deformity) -> Vertebra:
    made = Vertebra.from_points(np.array([[0, 9], [4, 9], [8, 9], [8, 2], [4, 2], [0, 2]], float))
    made.measures = {"deformity": {"thresholds_percent": [20.0, 25.0, 40.0], **deformity}}
    return made


@pytest.mark.parametrize(
    ("deformity", "said", "grade"),
    [
        ({"type": "normal", "grade": 0, "loss_percent": 8.2}, "normal (8 %)", 0),
        # 19.97 % reaches no grade: 20 % would say it does.
        ({"type": "normal", "grade": 0, "loss_percent": 19.97}, "normal (19.97 %)", 0),
        ({"type": "normal", "grade": 0, "loss_percent": 19.94}, "normal (19.9 %)", 0),
        # A limit of the user's own, from above: 20 % would say that it is not reached.
        (
            {"type": "wedge", "grade": 1, "loss_percent": 20.5, "thresholds_percent": [20.5, 25.0, 40.0]},
            "wedge, grade 1 (20.5 %)", 1,
        ),
        ({"type": "wedge", "grade": 1, "loss_percent": 24.6}, "wedge, grade 1 (24.6 %)", 1),
        ({"type": "wedge", "grade": 2, "loss_percent": 25.0}, "wedge, grade 2 (25 %)", 2),
        (
            {"type": "wedge", "grade": 2, "loss_percent": 31, "grade_probability": [0, 0.03, 0.965, 0.005],
             "grade_interval": [1, 2]},
            "wedge, grade 2 (31 %), 96 % sure", 2,
        ),
        (
            {"type": "normal", "grade": 0, "loss_percent": 4, "grade_probability": [1.0, 0, 0, 0]},
            "normal (4 %), 99 % sure", 0,
        ),
        (
            {"type": "uncertain", "grade": 0, "loss_percent": 18, "grade_probability": [0.7, 0.26, 0.04, 0],
             "grade_interval": [0, 1]},
            "uncertain: grade 0 or 1 (18 %)", None,
        ),
        (
            {"type": "crush", "grade": 1, "loss_percent": 24, "grade_probability": [0.02, 0.6, 0.38, 0],
             "grade_interval": [1, 2]},
            "crush, uncertain: grade 1 or 2 (24 %)", None,
        ),
        # Nine in ten, but the interval spans three grades: the docs call it no finding.
        (
            {"type": "uncertain", "grade": 0, "loss_percent": 9, "grade_probability": [0.91, 0.05, 0.04, 0],
             "grade_interval": [0, 2]},
            "uncertain: grade 0 to 2 (9 %)", None,
        ),
        # A file written by others may say anything.
        (
            {"type": "normal", "grade": 0, "loss_percent": 4, "grade_probability": ["x"], "grade_interval": [None, 9]},
            "normal (4 %)", 0,
        ),
        ({"type": "normal", "grade": 7, "loss_percent": 4}, "not determinable", None),
    ],
)  # fmt: skip
def test_the_grade_in_words(deformity, said, grade):
    own = vertebra(**deformity)
    assert words.deformity_text(own) == said
    assert words.grade_of(own) == grade
    assert words.is_doubtful(own) == ("uncertain" in said)


def test_what_was_not_judged_has_no_words_and_what_could_not_be_has():
    own = vertebra(type="normal", grade=0, loss_percent=4)
    own.measures = {}
    assert words.deformity_text(own) == ""
    own.measures = {"deformity": None}
    assert words.deformity_text(own) == "not determinable"


def test_measured_probabilities_are_shares_of_the_normal_distribution(spine):
    """A loss of 18 % whose SD is known: P(grade 0) is that of a normal variable below 20 %."""
    from scipy.stats import norm

    heights = [FULL, (30 * 0.82, 30.0, 30.0), FULL]
    for sigma in (0.1, 0.8):
        answer = measure(spine(heights, labels=["L1", "L2", "L3"], sigma=sigma)).vertebrae[1].measures["deformity"]
        sd = 100 * np.sqrt(2) * sigma / 60 * np.sqrt(1 + 0.82**2)
        assert answer["grade_probability"][0] == pytest.approx(norm.cdf((20 - 18) / sd), abs=0.03)
        assert sum(answer["grade_probability"]) == pytest.approx(1, abs=2e-3)
        assert answer["type"] == ("normal" if sigma == 0.1 else "uncertain")
        assert possible_grades(answer) == ([0] if sigma == 0.1 else [0, 1])


@pytest.mark.parametrize(("sigma", "grades"), [(0.8, (0, 1)), (1.3, (0, 2))])
def test_words_and_table_name_the_grades_of_the_95_percent_interval(spine, sigma, grades):
    """A loss of 18 %: its interval ends at 22.8 or at 25.8 %, where grade 2 begins, though that has 4 % alone."""
    sd = 100 * np.sqrt(2) * sigma / 60 * np.sqrt(1 + 0.82**2)
    assert np.searchsorted((20, 25, 40), (18 - 1.96 * sd, 18 + 1.96 * sd)).tolist() == list(grades)
    reading = measure(spine([FULL, (30 * 0.82, 30.0, 30.0), FULL], labels=["L1", "L2", "L3"], sigma=sigma))
    own, row = reading.vertebrae[1], rows(reading)[1]
    assert own.measures["deformity"]["grade_probability"][2] < 0.05
    between = "0 or 1" if grades == (0, 1) else "0 to 2"
    assert words.deformity_text(own).startswith(f"uncertain: grade {between} (")
    assert (row["deformity_grade_low"], row["deformity_grade_high"]) == grades


def test_points_placed_by_a_person_have_a_grade_without_probability(spine):
    answer = measure(spine([FULL, (30 * 0.82, 30.0, 30.0), FULL])).vertebrae[1].measures["deformity"]
    assert (answer["type"], answer["grade_probability"], answer["grade_interval"]) == ("normal", None, None)


def test_an_unknown_front_does_not_make_a_grade_sure(spine):
    heights = [FULL, (30 * 0.83, 30.0, 30.0), FULL]
    reading = spine(heights, labels=["L1", "L2", "L3"], sigma=1.5, facing=None, spacing=(0.5, 0.5))
    own = measure(reading).vertebrae[1]
    assert own.measures["anterior_side"] is None
    assert own.measures["deformity"]["type"] == "uncertain"
    assert words.deformity_text(own).startswith("uncertain: grade 0")
    assert "normal" not in " ".join([words.deformity_text(own), *own.measures["deformity"]["notes"]])


def test_the_width_of_the_intervals_is_said_once(spine):
    (said,) = words.heights_spread(measure(spine([FULL] * 3, sigma=1.0)))
    # The height moves by sqrt(2) px of 0.5 mm.
    assert said == f"95 % intervals of the heights: \N{PLUS-MINUS SIGN}{1.96 * 2**0.5 * 0.5:.1f} mm (median)"
    assert words.heights_spread(measure(spine([FULL] * 3))) == []


@pytest.mark.parametrize(
    ("kinds", "named"),
    [
        (["height"], "heights"),
        (["height", "tilt"], "heights and tilts"),
        (["height", "tilt", "loss"], "heights, tilts and losses of height"),
    ],
)
def test_intervals_nobody_calibrated_are_named(kinds, named, monkeypatch):
    monkeypatch.setattr("spinetk.measure.words.not_fitted", lambda _: kinds)
    monkeypatch.setattr(
        "spinetk.measure.words.KINDS", {"height": "heights", "tilt": "tilts", "loss": "losses of height"}
    )
    said = f"95 % intervals of {named} were not calibrated on patients: they may be too narrow"
    assert words.intervals_note(None) == said
    monkeypatch.setattr("spinetk.measure.words.not_fitted", lambda _: [])
    assert words.intervals_note(None) == ""


def test_lines_of_the_command_line_name_their_columns_once():
    """Heights to 0.1, under a head that says which side and unit; another where those of the next picture differ."""
    front = measure(lateral_radiograph(4, region="lumbar", facing="right").reading)
    count = len(front.vertebrae)
    said = list(words.lines_of([front, front, measure(replace(front, view="ap"))]))
    heads = [k for k, line in enumerate(said) if line.startswith("picture")]
    # Why nothing is graded is said once, under the first picture that it is about.
    frontal = list(words.lines_of([measure(replace(front, view="ap"))] * 2))
    assert [line for line in frontal if "AP" in line] == [
        "not graded: Genant grades are read on lateral pictures, this is an AP view"
    ]
    assert frontal.index("not graded: Genant grades are read on lateral pictures, this is an AP view") == count + 1
    assert all(line.endswith("  not graded") for line in frontal[1 : count + 1])
    assert heads == [0, 2 * count + 1]
    assert said[0].split()[:5] == ["picture", "level", "ant.", "mid.", "post."]
    assert said[0].endswith("height in mm")
    assert "image left" in said[heads[1]]
    one = front.vertebrae[0]
    assert f"{one.measures['heights_mm']['anterior']:.1f}" in said[1].split()
    assert one.label in said[1].split()


def test_pictures_of_one_name_are_told_apart_in_lines(spine):
    """By as little of their folders as does it; cases by their own; of a long name by its end, 32 characters."""
    files = ["x/a/IM01", "x/b/IM01", "x/b/IM02", "y/b/IM03", "z/b/IM03", *(f"c/{k}/src/0/src-0.png" for k in "mn")]
    files.append("d/" + "a-film-of-the-loin-standing-" + "0123456789.dcm")
    said = list(words.lines_of([measure(replace(spine([FULL] * 3), file=file)) for file in files]))
    names = list(dict.fromkeys(line[:32].rstrip() for line in said if not line.startswith("picture")))
    long = "\N{HORIZONTAL ELLIPSIS}" + files[-1][-31:]
    assert names == ["a/IM01", "b/IM01", "IM02", "y/b/IM03", "z/b/IM03", "m", "n", long]


@pytest.mark.parametrize(
    ("key", "value", "span", "said"),
    [
        ("lordosis_l1_l5", -12.84, [-20, -0.1], "-12.8\N{DEGREE SIGN} (kyphotic)"),
        ("lordosis_l1_s1", 12.84, [0.1, 20], "12.8\N{DEGREE SIGN}"),
        ("kyphosis_t4_t12", -3.0, None, "-3.0\N{DEGREE SIGN} (lordotic)"),
        ("sacral_slope", -1.0, None, "-1.0\N{DEGREE SIGN} (front end higher)"),
        ("pelvic_tilt", -8.0, [-9, -1], "-8.0\N{DEGREE SIGN} (hip axis behind)"),
        # Zero has no sign, on whichever side it was rounded.
        ("lordosis_l1_l5", -0.04, None, "0.0\N{DEGREE SIGN}"),
        # Where the interval holds zero, neither direction is claimed, whichever the figure has.
        ("lordosis_l1_l5", -2.1, [-6, 0], "-2.1\N{DEGREE SIGN} (may be lordotic or kyphotic)"),
        ("lordosis_l1_s1", 2.1, [-1, 6], "2.1\N{DEGREE SIGN} (may be lordotic or kyphotic)"),
        ("kyphosis_t1_t12", 0.0, [-1, 6], "0.0\N{DEGREE SIGN} (may be kyphotic or lordotic)"),
        ("sacral_slope", -1.0, [-3, 1], "-1.0\N{DEGREE SIGN} (front end may be lower or higher)"),
        ("pelvic_tilt", 8.0, [-9, 12], "8.0\N{DEGREE SIGN} (hip axis may be in front or behind)"),
        ("pelvic_incidence", 2.0, [-9, 12], "2.0\N{DEGREE SIGN}"),
        ("cobb_max", 12.0, [0.0, 20], "12.0\N{DEGREE SIGN}"),
    ],
)
def test_an_angle_below_zero_says_what_that_means(key, value, span, said, spine):
    reading = replace(spine([FULL]), angles={key: value, f"{key}_interval": span})
    assert angle_words.angle_text(reading, key) == said


@pytest.mark.parametrize(
    ("span", "decimals", "said"),
    [
        ([42.9486, 76.3684], 1, "42.9\N{EN DASH}76.4"),
        ([-8.66, 6.41], 1, "-8.7 to 6.4"),
        ([-8.66, -6.41], 0, "-9 to -6"),
        # What rounds to zero has no minus, but its partner is told apart from it all the same.
        ([-0.04, 6.0], 1, "0.0 to 6.0"),
        ((0.0, 6.0), 1, "0.0\N{EN DASH}6.0"),
        ([None, 6.0], 1, ""),
        (None, 1, ""),
    ],
)
def test_an_interval_in_words(span, decimals, said):
    assert words.span_text(span, decimals) == said


def test_an_interval_is_not_rounded_across_a_limit():
    """7.81 % is below the 8 % from which a slip is claimed: it does not read 8."""
    assert words.span_text([2.2, 7.81], 0, lambda value: value >= 8) == "2\N{EN DASH}7.8"


def test_a_spine_bent_forward_is_called_kyphotic(spine):
    """Drawn with its lumbar bodies turned the other way: L1 to L5 open to the back by 8 degrees a level."""
    tilts = [8.0 * k for k in range(5)]
    labels = [f"L{k}" for k in range(1, 6)]
    said = {}
    for facing in ("left", "right"):
        reading = measure(spine([FULL] * 5, labels=labels, tilts=tilts), facing=facing)
        (key,) = [own for own, _ in angle_words.angles_of(reading) if own == "lordosis_l1_l5"]
        said[facing] = angle_words.angle_text(reading, key)
        assert angle_words.signs_note(reading) == [angle_words.ANGLE_SIGNS]
    assert sorted(said.values()) == ["-32.0\N{DEGREE SIGN} (kyphotic)", "32.0\N{DEGREE SIGN}"]
    assert angle_words.signs_note(replace(reading, view="ap")) == []


@pytest.mark.parametrize(("sure", "mark"), [(0.899, " ?"), (0.9, ""), (None, "")])
def test_likely_names_are_marked_wherever_a_reader_looks(tmp_path, sure, mark):
    """On the command line, in the overlay and on the page; the files for programs hold names and probability apart."""
    reading = measure(replace(lateral_radiograph(3).reading, label_probability=sure, model="a model"))
    wanted = [f"{vertebra.label}{mark}" for vertebra in reading.vertebrae]
    assert [words.level_of(reading, index) for index in range(len(wanted))] == wanted
    assert all(f" {name} " in line for name, line in zip(wanted, list(words.lines_of([reading]))[1:], strict=False))
    anchors = [(0.0, 20.0 * index) for index in range(len(wanted))]
    drawn = [label.cells[0].text for label in lay_out(reading, anchors, 0.0, 0.0, 900.0, 12).labels]
    write_page(tmp_path / "page.html", reading, np.zeros((reading.height, reading.width), np.uint8))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert set(drawn) == set(wanted)
    assert all(f"<b>{name}</b>" in page for name in wanted)
    assert [row["label"] for row in rows(reading)] == [vertebra.label for vertebra in reading.vertebrae]


@pytest.mark.parametrize("mark", [" ?", ""])
def test_discs_and_angles_between_likely_names_are_marked_as_the_names_are(tmp_path, mark):
    """One mark a disc, a pair of ends or an angle between levels; places from the top and S1 are not in doubt."""
    told = lateral_radiograph(3, region="lumbar").reading
    reading = measure(replace(told, label_probability=0.85 if mark else 0.95, model="a model"))
    assert words.disc_of(reading, "L4-L5") == f"L4-L5{mark}"
    assert words.disc_of(reading, "#4-S1") == "#4-S1"
    assert words.disc_of(reading, "#4-L5") == f"#4-L5{mark}"
    write_page(tmp_path / "page.html", reading, np.zeros((reading.height, reading.width), np.uint8))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert all(f"<b>{name}{mark}</b>" in page for name in ("L4-L5", "L5-S1"))
    assert f"<td>Lordosis L1\N{EN DASH}L5{mark}</td>" in page
    (line,) = (own for own in _notes(reading) if "Lordosis" in own)
    assert f"Lordosis L1\N{EN DASH}L5{mark} " in line.replace("\N{NO-BREAK SPACE}", " ")
    reading.angles |= {"cobb_max": 12.0, "cobb_max_ends": ["T12", 4], "cobb_upper": 5.0, "cobb_upper_ends": [0, 2]}
    assert angle_words.ends_of(reading, "cobb_max") == f"T12\N{EN DASH}#5{mark}"
    assert angle_words.ends_of(reading, "cobb_upper") == "#1\N{EN DASH}#3"
    assert rows(reading)[0]["cobb_max_ends"] == "T12-#5"  # for programs, beside the probability
    assert angle_words.angle_name(reading, "sacral_slope") == "Sacral slope"
