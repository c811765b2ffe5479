"""Point lists, tables and results of a reading in which every field says something, whole."""

from __future__ import annotations

import csv
import json

import pytest
from whole import LOWER, NAMES, UPPER, rich, written

from spinetk.formats.slicer import write_fcsv, write_markups
from spinetk.formats.table import columns, rows
from spinetk.geometry import Frame

# --- 3D Slicer: mm in LPS of the first pixel's centre ---


def control(number, label, note, place, status="defined"):
    return {
        "id": str(number), "label": label, "description": note, "position": place, "selected": True, "locked": False,
        "visibility": True, "positionStatus": status,
    }  # fmt: skip


def slicer_points(across, down):
    """(label, note, place, whether it is seen), in the order in which they stand in a reading."""
    for level, places in (("L1", UPPER), ("hook", LOWER)):
        for name, (x, y) in zip(NAMES, places, strict=True):
            yield (
                f"{level} {name}",
                level,
                [(x - 0.5) * across, (y - 0.5) * down, 0],
                (level, name) != ("hook", NAMES[1]),
            )
    for name, (x, y) in (
        ("s1_left", (20, 200)), ("s1_right", (56, 212)), ("femoral_head", (30, 240)), ("clavicle_left", (8, 4)),
        ("clavicle_left", (24, 6)),
    ):  # fmt: skip
        yield name, "", [(x - 0.5) * across, (y - 0.5) * down, 0], True


@pytest.mark.parametrize("spacing", [(0.5, 0.25), None])
def test_slicer_markups(tmp_path, spacing):
    told = rich("film.png", frame=Frame(spacing))
    write_markups(tmp_path / "a.mrk.json", told)
    controls = [
        control(number, label, note, place, "defined" if seen else "missing")
        for number, (label, note, place, seen) in enumerate(slicer_points(*(spacing or (1, 1))[::-1]), start=1)
    ]
    markup = {
        "type": "Fiducial", "coordinateSystem": "LPS", "coordinateUnits": "mm", "locked": False, "labelFormat": "%N-%d",
        "controlPoints": controls,
    }  # fmt: skip
    if spacing is None:
        del markup["coordinateUnits"]
    assert json.loads((tmp_path / "a.mrk.json").read_text()) == {
        "@schema": "https://raw.githubusercontent.com/Slicer/Slicer/main/Modules/Loadable/Markups/Resources/Schema/"
        "markups-schema-v1.0.3.json#",
        "markups": [markup],
    }


def test_slicer_fiducials(tmp_path):
    write_fcsv(tmp_path / "a.fcsv", rich("film.png", frame=Frame((0.5, 0.25))))
    rows = [
        f"{number},{','.join(f'{v:.6f}' for v in place)},0,0,0,1,1,1,0,{label},{note},,2,0"
        for number, (label, note, place, _) in enumerate(filter(lambda one: one[3], slicer_points(0.25, 0.5)), start=1)
    ]
    assert (tmp_path / "a.fcsv").read_text().splitlines() == [
        "# Markups fiducial file version = 5.6",
        "# CoordinateSystem = LPS",
        "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID",
        *rows,
    ]


# --- the table ---


def test_a_row_of_the_table_has_every_figure_at_its_place(tmp_path):
    """Every figure is another one, so that none can stand in the column of another."""
    told = rich("somewhere/film.png", view="lateral")
    number = iter(range(1, 200))
    sides = ("left", "anterior", "middle", "right", "posterior")
    wanted = {"file": "somewhere/film.png", "index": 1, "label": "L1", "label_probability": 0.875, "score": 0.75,
              "below_threshold": 1, "view": "lateral", "slice": 3, "series": "7", "spacing_row_mm": 0.5,
              "spacing_column_mm": 0.25, "spacing_source": "PixelSpacing", "model": "net 1"}  # fmt: skip
    measures: dict = {"below_threshold": True}
    for unit in ("px", "mm"):
        measures[f"heights_{unit}"] = {side: next(number) for side in sides}
        measures[f"heights_{unit}_interval"] = {side: [next(number), next(number)] for side in sides}
        for side in sides:
            wanted[f"height_{side}_{unit}"] = measures[f"heights_{unit}"][side]
            wanted[f"height_{side}_{unit}_low"], wanted[f"height_{side}_{unit}_high"] = measures[
                f"heights_{unit}_interval"
            ][side]
    measures["deformity"] = {
        "type": "wedge", "grade": 2, "grade_interval": [1, 3], "loss_percent": 31.5,
        "loss_percent_interval": [28.5, 33.5], "grade_probability": [0.125, 0.25, 0.5, 0.125],
    }  # fmt: skip
    measures["deformity_reason"] = "no neighbours"
    wanted |= {"deformity_type": "wedge", "deformity_grade": 2, "deformity_grade_low": 1, "deformity_grade_high": 3,
               "deformity_grade_probability": 0.5, "deformity_loss_percent": 31.5, "deformity_loss_percent_low": 28.5,
               "deformity_loss_percent_high": 33.5, "deformity_reason": "no neighbours"}  # fmt: skip
    disc: dict = {"name": "L1/L2", "meyerding": 1, "meyerding_interval": [0, 2], "meyerding_reason": "too far"}
    wanted |= {"disc_below": "L1/L2", "meyerding": 1, "meyerding_low": 0, "meyerding_high": 2,
               "meyerding_reason": "too far"}  # fmt: skip
    for unit in ("px", "mm"):
        disc[f"heights_{unit}"], disc[f"heights_{unit}_interval"] = {}, {}
        for side in ("anterior", "middle", "posterior"):
            own, low, high = (next(number) for _ in range(3))
            disc[f"heights_{unit}"][side], disc[f"heights_{unit}_interval"][side] = own, [low, high]
            wanted |= {f"disc_{side}_{unit}{end}": v for end, v in (("", own), ("_low", low), ("_high", high))}
    for field in ("angle_deg", "listhesis_px", "listhesis_mm", "listhesis_percent"):
        own, low, high = (next(number) for _ in range(3))
        disc |= {field: own, f"{field}_interval": [low, high]}
        name = "disc_angle_deg" if field == "angle_deg" else field
        wanted |= {f"{name}{end}": value for end, value in (("", own), ("_low", low), ("_high", high))}
    measures["disc_below"] = disc
    measures |= {"anterior_side": "left", "tilt_deg": -4.5, "tilt_deg_interval": [-6.5, -2.5]}
    measures["ratios"] = {"left_right": 1.5, "wedge": 0.625, "biconcavity": 0.6875, "crush": 0.9375}
    wanted |= {"anterior_side": "left", "tilt_deg": -4.5, "tilt_deg_low": -6.5, "tilt_deg_high": -2.5,
               "wedge_ratio": 0.625, "biconcavity_ratio": 0.6875, "crush_ratio": 0.9375}  # fmt: skip
    angles = ("cobb_max", "cobb_upper", "cobb_lower", "lordosis_l1_l5", "lordosis_l1_s1", "kyphosis_t1_t12",
              "kyphosis_t4_t12", "sacral_slope", "pelvic_tilt", "pelvic_incidence")  # fmt: skip
    told.angles = {
        "hip_axis_heads": 2,
        "cobb_max_ends": ["T5", "T11"],
        "cobb_upper_ends": [0, 2],
        "cobb_lower_ends": [],
    }
    wanted |= {"hip_axis_heads": 2, "cobb_max_ends": "T5-T11", "cobb_upper_ends": "#1-#3", "cobb_lower_ends": None}
    for angle in angles:
        told.angles |= {angle: next(number), f"{angle}_interval": [next(number), next(number)]}
        wanted[f"{angle}_deg"] = told.angles[angle]
        wanted[f"{angle}_deg_low"], wanted[f"{angle}_deg_high"] = told.angles[f"{angle}_interval"]
    for name, (x, y) in zip(NAMES, UPPER, strict=True):
        wanted |= {f"{name}_x_px": x, f"{name}_y_px": y}
    told.vertebrae[0].measures = measures
    first, second = rows(told)
    assert first == wanted
    assert set(first) == set(columns([told])) - {
        f"{edge}_middle_{axis}_px" for edge in ("top", "bottom") for axis in "xy"
    }
    # Of the other nothing was measured.
    assert {name: value for name, value in second.items() if value is not None and not name.endswith("_px")} == {
        **{name: value for name, value in wanted.items() if "_deg" in name and not name.startswith(("disc", "tilt"))},
        **{name: wanted[name] for name in ("cobb_max_ends", "cobb_upper_ends", "hip_axis_heads")},
        **{name: wanted[name] for name in ("file", "view", "slice", "series", "model", "spacing_source")},
        **{name: wanted[name] for name in ("spacing_row_mm", "spacing_column_mm", "label_probability")},
        "index": 2, "label": "hook", "below_threshold": 0,
    }  # fmt: skip
    assert (second["top_right_x_px"], second["bottom_right_y_px"]) == (None, 114)
    path = written("csv", tmp_path / "t.csv", [told])
    with open(path, encoding="utf-8", newline="") as stream:
        header, cells, _ = csv.reader(stream)
    assert header == columns([told])
    assert dict(zip(header, cells, strict=True)) == {
        name: "" if wanted.get(name) is None else str(wanted[name]) for name in header
    }


def test_ours(tmp_path):
    told = rich("somewhere/größe.png")
    path = written("ours", tmp_path / "a.json", [told])
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(told.to_json(), indent=1, ensure_ascii=False) + "\n"
