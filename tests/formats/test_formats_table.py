import csv
import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from spinetk.formats.table import LEADING_COLUMNS, columns, rows, write_table
from spinetk.geometry import Frame
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6


def reading(file="a.png"):
    points = np.array([[1.25, 9], [4, 8.5], [8, 9], [8, 2], [4, 2.5], [1, 2]], dtype=float)
    seen = np.array([True, True, True, True, False, True])
    first = Vertebra.from_points(points, seen, label="L3", score=0.5)
    first.measures = {
        "heights_px": {"anterior": 7.0, "middle": None, "posterior": 7.03},
        "heights_mm": {"anterior": 14.0, "middle": None, "posterior": 14.06},
        "deformity": {"type": "wedge", "grade": 1, "loss_percent": 22.5},
    }
    second = Vertebra.from_points(points + np.array([0, 10]))
    second.measures = {"deformity": None}
    return Reading(file, 30, 12, VERTEBRA6, [first, second], Frame((2.0, 1.5), "PixelSpacing"), "sagittal", "net")


def test_rows_hold_the_measures_and_none_where_unknown():
    first, second = rows(reading())
    assert (first["index"], first["label"], first["score"], first["view"]) == (1, "L3", 0.5, "sagittal")
    assert (first["height_anterior_mm"], first["height_posterior_px"], first["height_middle_mm"]) == (14.0, 7.03, None)
    assert (first["deformity_type"], first["deformity_grade"], first["deformity_loss_percent"]) == ("wedge", 1, 22.5)
    assert (first["spacing_row_mm"], first["spacing_column_mm"], first["spacing_source"]) == (2.0, 1.5, "PixelSpacing")
    assert (first["bottom_left_x_px"], first["bottom_left_y_px"]) == (1.25, 9.0)
    assert first["top_middle_x_px"] is None
    assert second["index"] == 2
    assert second["deformity_grade"] is None
    assert second["height_left_px"] is None


def test_angles_of_the_picture_stand_in_each_of_its_rows():
    one = reading()
    one.angles = {"sacral_slope": 41.5, "pelvic_tilt": None, "sacral_slope_interval": [40.0, 43.0]}
    assert [row["sacral_slope_deg"] for row in rows(one)] == [41.5, 41.5]
    assert [row["pelvic_tilt_deg"] for row in rows(one)] == [None, None]
    assert (rows(one)[0]["sacral_slope_deg_low"], rows(one)[1]["sacral_slope_deg_high"]) == (40.0, 43.0)
    assert rows(one)[0]["pelvic_incidence_deg"] is None


def test_file_is_read_back_by_the_csv_module(tmp_path):
    write_table(tmp_path / "t.csv", [reading('odd, "name"\n.png'), reading("b.png")])
    with open(tmp_path / "t.csv", encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert len(table) == 4
    assert table[0]["file"] == 'odd, "name"\n.png'
    assert float(table[0]["bottom_left_x_px"]) == 1.25
    assert table[0]["top_middle_y_px"] == ""
    assert [row["index"] for row in table] == ["1", "2", "1", "2"]


def test_column_order_is_the_same_for_every_built_in_schema(tmp_path):
    four = Reading("c.png", 9, 9, VERTEBRA4, [Vertebra.from_points([[1, 1], [5, 1], [1, 5], [5, 5]])])
    assert columns([four]) == columns([reading()]) == columns([reading(), four])
    write_table(tmp_path / "none.csv", [])
    assert (tmp_path / "none.csv").read_text().strip().split(",") == columns([])
    assert columns([])[: len(LEADING_COLUMNS)] == list(LEADING_COLUMNS)


def test_formulas_from_file_names_are_text(tmp_path):
    names = ["=cmd|' /C calc'!A0", "+1", "-1.png", "@SUM(A1)", "\t=1", "  =1", "a=b.png"]
    write_table(tmp_path / "t.csv", [reading(name) for name in names])
    with open(tmp_path / "t.csv", encoding="utf-8", newline="") as stream:
        written = [row["file"] for row in list(csv.DictReader(stream))[::2]]
    assert written == ["'" + name for name in names[:-1]] + names[-1:]


def test_negative_numbers_stay_numbers(tmp_path):
    one = reading()
    one.vertebrae[0].points[0] = (-3.5, 2)
    write_table(tmp_path / "t.csv", [one])
    with open(tmp_path / "t.csv", encoding="utf-8", newline="") as stream:
        assert next(csv.DictReader(stream))["bottom_left_x_px"] == "-3.5"


def test_bytes_that_are_no_utf8_are_replaced(tmp_path):
    write_table(tmp_path / "t.csv", [reading(b"caf\xe9.png".decode("utf-8", "surrogateescape"))])
    assert "caf\ufffd.png" in (tmp_path / "t.csv").read_bytes().decode("utf-8", "strict")


def test_discs_and_slips_have_columns():
    reading = measure(lateral_radiograph(5, region="lumbar", facing="right").reading)
    disc = reading.vertebrae[0].measures["disc_below"]
    row = rows(reading)[0]
    assert row["disc_below"] == disc["name"]
    assert row["disc_anterior_mm"] == disc["heights_mm"]["anterior"]
    assert row["listhesis_percent"] == disc["listhesis_percent"]
    assert row["meyerding"] == disc["meyerding"]
    assert (row["meyerding_low"], row["meyerding_high"]) == (None, None)
    disc["meyerding_interval"] = [0, 2]
    row = rows(reading)[0]
    assert (row["meyerding_low"], row["meyerding_high"]) == (0, 2)
    assert set(row) <= set(columns([reading]))


def test_bodies_below_the_threshold_are_marked(tmp_path):
    unsure = replace(reading(), threshold=0.6)
    write_table(tmp_path / "t.csv", [measure(unsure)])
    with open(tmp_path / "t.csv", encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [(row["score"], row["below_threshold"]) for row in table] == [("0.5", "1"), ("", "0")]


def test_a_name_carries_its_probability_until_a_person_gives_another():
    """In the table and the JSON, on named vertebrae alone; an anchor's names have none."""
    sure = replace(reading(), label_probability=0.97126)
    assert [row["label_probability"] for row in rows(sure)] == [0.9713, None]
    content = sure.to_json()
    assert content["label_probability"] == 0.9713
    assert [entry["label_probability"] for entry in content["vertebrae"]] == [0.9713, None]
    again = Reading.from_json(content)
    assert again.label_probability == 0.9713
    assert "label_probability" not in again.vertebrae[0].measures
    assert measure(again).label_probability == 0.9713
    told = measure(again, anchor="L4=last")
    assert [row["label_probability"] for row in rows(told)] == [None, None]
    assert "label_probability" not in told.to_json()


def test_which_slice_and_series_a_row_is_about(tmp_path):
    """Slices count from 0, and so does the first; a file of one picture has neither."""
    write_table(tmp_path / "t.csv", [replace(reading(), slice=0, series="3"), reading("b.png")])
    with open(tmp_path / "t.csv", encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [(row["slice"], row["series"]) for row in table] == [("0", "3")] * 2 + [("", "")] * 2


def test_the_documentation_names_every_column_and_no_other():
    page = Path(__file__).parents[2] / "docs" / "how-to" / "measurements.md"
    section = page.read_text(encoding="utf-8").split("## Columns of `vertebrae.csv`")[1].split("\n## ")[0]
    told = [
        name for line in section.splitlines() if line[:3] == "| `" for name in re.findall("`(.*?)`", line.split("|")[1])
    ]
    parts = [[part.split(",") for part in re.split(r"[{}]", name)] for name in told]
    named = ["".join(words) for one in parts for words in itertools.product(*one)]
    assert sorted(named) == sorted(columns([]))


def test_a_cobb_angle_comes_with_its_ends_and_a_tilt_with_its_hip_axis():
    one = reading()
    one.angles = {
        "cobb_max_ends": ["T5", "T11"],
        "cobb_upper_ends": [2, 8],
        "cobb_lower_ends": None,
        "hip_axis_heads": 1,
    }
    row = rows(one)[1]
    assert [row[f"cobb_{name}_ends"] for name in ("max", "upper", "lower")] == ["T5-T11", "#3-#9", None]
    assert row["hip_axis_heads"] == 1


def test_the_table_holds_what_a_page_shows_of_a_body():
    measured = measure(lateral_radiograph(11, region="lumbar").reading)
    for vertebra, row in zip(measured.vertebrae, rows(measured), strict=True):
        assert row["anterior_side"] == measured.frame.anterior
        assert row["wedge_ratio"] == vertebra.measures["ratios"]["wedge"] is not None
        assert row["tilt_deg"] == vertebra.measures["tilt_deg"] is not None
