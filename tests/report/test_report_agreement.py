"""Agreement of two readers, against figures worked by hand."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from dataclasses import replace

import pytest

from spinetk.atomic import write_json
from spinetk.cli import main
from spinetk.errors import InputError
from spinetk.formats.table import write_table
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Reading
from spinetk.report.about import renamed
from spinetk.report.agreement import agree, draw, write_agreement

FIRST = """file,label,height_anterior_mm,deformity_grade
a.png,L1,20,0
a.png,L2,21,0
b.png,L1,22,1
b.png,L2,,2
"""
SECOND = """file;level;height_anterior_mm;deformity_grade
reader/a.dcm;L2;23;1
reader/a.dcm;L1;21;0
reader/b.dcm;L1;25;1
reader/b.dcm;L2;30;2
reader/c.dcm;L1;30;3
"""


@pytest.fixture
def tables(tmp_path):
    paths = tmp_path / "one.csv", tmp_path / "two.csv"
    for path, text in zip(paths, (FIRST, SECOND), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


@pytest.fixture(scope="module")
def measured_twice(tmp_path_factory):
    """The truth of three phantoms, and the same 2 % taller."""
    folder = tmp_path_factory.mktemp("results")
    readings = []
    for seed in range(3):
        reading = replace(lateral_radiograph(seed, region="lumbar").reading, file=f"film-{seed}.png")
        taller = [replace(v, points=v.points * (1, 1.02)) for v in reading.vertebrae]
        for who, vertebrae in (("a", reading.vertebrae), ("b", taller)):
            measured = measure(replace(reading, vertebrae=vertebrae))
            write_json(folder / who / f"film-{seed}.json", measured.to_json())
            readings.append((who, measured))
    for who in "ab":
        write_table(folder / f"{who}.csv", [reading for name, reading in readings if name == who])
    return folder


@pytest.fixture
def results(measured_twice, tmp_path):
    """A copy of them to change."""
    shutil.copytree(measured_twice, tmp_path, dirs_exist_ok=True)
    return tmp_path


def by_name(found):
    return {row["quantity"]: row for row in found.quantities}


def test_tables_by_hand(tables):
    """Differences 1, 2, 3: bias 2, SD 1, limits 2 -/+ 1.96."""
    found = agree(*tables)
    height, grade = (by_name(found)[name] for name in ("height_anterior", "grade"))
    assert (height["unit"], height["n"]) == ("mm", 3)
    assert height["bias"] == pytest.approx(2)
    assert height["sd"] == pytest.approx(1)
    assert [height["lower"], height["upper"]] == pytest.approx([0.04, 3.96])
    assert height["mape"] == pytest.approx(100 * (1 / 20 + 2 / 21 + 3 / 22) / 3, abs=1e-5)
    # Grades 0 0 1 2 and 0 1 1 2: one step apart of 3.5 expected by chance.
    assert grade["kappa_linear"] == pytest.approx(1 - 1 / 3.5, abs=1e-6)
    assert grade["same_percent"] == 75
    assert grade["table"] == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert (found.only_first, found.only_second) == ([], ["c"])


def test_the_slice_that_was_read_is_no_measurement(tmp_path):
    """A table says which slice and series its rows are about; two readers may well have taken different ones."""
    for name, place in (("one", 8), ("two", 9)):
        (tmp_path / f"{name}.csv").write_text(f"file,label,slice,series,height_anterior_mm\na,L1,{place},{place},20\n")
    assert list(by_name(agree(tmp_path / "one.csv", tmp_path / "two.csv"))) == ["height_anterior"]


def test_results_of_two_folders(results):
    """Every height is 2 % larger; no grade changes when all heights grow alike."""
    found = agree(results / "a", results / "b")
    rows = by_name(found)
    assert found.values["file"].nunique() == 3
    heights = found.values[found.values["quantity"].str.startswith("height") & (found.values["unit"] == "mm")]
    assert len(heights) > 30
    # Upright bodies grow by 2 %, leaning ones by less.
    assert heights["percent"].between(1.0, 2.01).all()
    assert rows["grade"]["same_percent"] == 100
    assert rows["height_anterior"]["icc_3_1"] > 0.99


@pytest.mark.parametrize("pair", [("a", "b.csv"), ("a.csv", "b"), ("a.csv", "b.csv")])
def test_tables_and_results_mix(results, pair):
    """A table of the same results says the same of heights and grades."""
    whole, mixed = (by_name(agree(*(results / name for name in names))) for names in (("a", "b"), pair))
    for name in ("height_anterior", "height_middle", "height_posterior"):
        assert mixed[name]["n"] == whole[name]["n"]
        assert mixed[name]["bias"] == pytest.approx(whole[name]["bias"], abs=1e-3)
    assert mixed["grade"]["table"] == whole["grade"]["table"]
    assert {n: row["unit"] for n, row in mixed.items() if row["unit"] not in {"mm", "grade", "deg", "%"}} == {}


def test_a_bad_result_does_not_cost_the_others(results):
    (results / "b" / "film-1.json").write_text("{")
    found = agree(results / "a", results / "b")
    assert found.values["file"].nunique() == 2
    (line,) = found.failures
    assert line.startswith(f"{results / 'b' / 'film-1.json'}: ")
    assert found.only_first == ["film-1"]


def test_files(results, tmp_path):
    out = tmp_path / "out"
    files = write_agreement(agree(results / "a", results / "b"), out)
    assert sorted(path.name for path in files) == ["agreement.csv", "agreement.json", "bland_altman.png", "pairs.csv"]
    assert (out / "bland_altman.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((out / "agreement.csv").open(encoding="utf-8")))
    content = json.loads((out / "agreement.json").read_text(encoding="utf-8"))
    assert [row["quantity"] for row in rows] == [row["quantity"] for row in content["quantities"]]
    interval = content["quantities"][0]["upper_interval"]
    assert [float(rows[0][f"upper_{end}"]) for end in ("low", "high")] == pytest.approx(interval)
    assert content["pictures"] == 3


def test_panels_bear_the_names_that_pages_use(results):
    titles = {axes.get_title().rpartition(" (")[0] for axes in draw(agree(results / "a", results / "b").values).axes}
    assert {"Height middle", "Lordosis L1\N{EN DASH}L5", "Cobb, largest"} <= titles
    assert not any("_" in title or title[0].islower() for title in titles)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("label,height_anterior_mm\nL1,20\n", "no column 'file'"),
        ("file,label,height_anterior_mm\na,L1,20\na.png,L1,21\n", "two rows about L1 of 'a'"),
        ("file,label,deformity_grade\na,L1,7\n", "not all 0, 1, 2 or 3"),
        ("file,label,height_anterior_mm\nother,L1,20\n", "nothing in common"),
        ("", "no column 'file'"),
        ("\x00", "no column 'file'|cannot be read"),
    ],
)
def test_refuses_tables(tables, text, fault):
    tables[1].write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=fault):
        agree(*tables)


def test_command(results, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["spinetk", "agree", *(str(results / who) for who in "ab"), "--json"])
    with pytest.raises(SystemExit, match="0"):
        main()
    assert json.loads(capsys.readouterr().out)["pictures"] == 3
    monkeypatch.setattr(sys, "argv", ["spinetk", "agree", str(results / "a"), str(results / "none")])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2


def written(folder, readings):
    for name, reading in readings.items():
        write_json(folder / f"{name}.json", measure(replace(reading, file=f"{name}.png")).to_json())
    return folder


def scaled(reading, factor, spacing=None):
    """The same film at another size, of another pixel size or none."""
    taller = [replace(v, points=v.points * factor, bbox=tuple(b * factor for b in v.bbox)) for v in reading.vertebrae]
    frame = replace(reading.frame, spacing_mm=spacing, spacing_source=None if spacing is None else "user")
    size = round(reading.height * 3), round(reading.width * 3)
    return replace(reading, vertebrae=taller, frame=frame, height=size[0], width=size[1], landmarks=[])


def test_px_of_films_of_unknown_scale_are_not_pooled_as_they_are(tmp_path):
    """The second reader is 2 % taller on both films, one of which has three times the pixels."""
    film = lateral_radiograph(1, region="lumbar").reading
    one = written(tmp_path / "a", {"small": scaled(film, 1.0), "large": scaled(film, 3.0)})
    other = written(tmp_path / "b", {"small": scaled(film, 1.02), "large": scaled(film, 3.06)})
    row = by_name(agree(one, other))["height_middle"]
    assert (row["unit"], row["icc_2_1"]) == ("% of first", None)
    assert row["n"] == 2 * len(film.vertebrae)
    assert row["bias"] == pytest.approx(2, abs=0.01)
    assert row["sd"] == pytest.approx(0, abs=0.01)
    (other / "small.json").unlink()
    assert by_name(agree(one, other))["height_middle"]["unit"] == "px"


def test_readers_who_give_a_film_other_pixel_sizes_are_compared_in_px(tmp_path):
    film = lateral_radiograph(1, region="lumbar").reading
    one = written(tmp_path / "a", {"film": scaled(film, 1.0, (0.4, 0.4))})
    other = written(tmp_path / "b", {"film": scaled(film, 1.0, (0.5, 0.5))})
    found = agree(one, other)
    row = by_name(found)["height_middle"]
    assert (row["unit"], row["bias"]) == ("px", pytest.approx(0, abs=1e-6))
    assert found.failures == [
        "film: the readings say pixels of 0.4 x 0.4 and 0.5 x 0.5 mm: its lengths are compared in px"
    ]


def test_grades_by_other_thresholds_are_not_compared(tmp_path):
    film = replace(lateral_radiograph(1, region="lumbar").reading, file="film.png")
    for who, thresholds in (("a", (20, 25, 40)), ("b", (15, 25, 40))):
        write_json(tmp_path / who / "film.json", measure(film, thresholds=thresholds).to_json())
    assert "grade" in by_name(agree(tmp_path / "a", tmp_path / "a"))
    assert "grade" not in by_name(agree(tmp_path / "a", tmp_path / "b"))


def test_decimal_commas_are_read(tables):
    """Of 20,5 and 21 the first was left out, and the bias was that of the other alone."""
    first, second = tables
    first.write_text("file;level;height_anterior_mm\na;L1;20,5\na;L2;21\na;L3;,5\n", encoding="utf-8")
    second.write_text("file;level;height_anterior_mm\na;L1;21,5\na;L2;21\na;L3;-1,5\n", encoding="utf-8")
    found = agree(first, second)
    (row,) = found.quantities
    assert row["n"] == 3
    assert row["bias"] == pytest.approx((1 + 0 - 2) / 3, abs=1e-6)
    assert found.failures == []


def test_cells_that_are_no_numbers_are_said(tables):
    first, second = tables
    first.write_text("file,level,height_anterior_mm,type\na,L1,20,wedge\na,L2,>21,crush\na,L3,-,\n", encoding="utf-8")
    second.write_text("file,level,height_anterior_mm\na,L1,21\na,L2,21\na,L3,22\n", encoding="utf-8")
    found = agree(first, second)
    assert found.quantities[0]["n"] == 1
    assert found.failures == [f"{first}: 1 of 2 cells of height_anterior_mm are no numbers and were left out"]


def test_readers_who_see_the_front_on_other_sides_are_named(results):
    path = results / "b" / "film-1.json"
    reading = Reading.from_json(json.loads(path.read_text(encoding="utf-8")))
    assert agree(results / "a", results / "b").failures == []
    other = "left" if reading.facing.side == "right" else "right"
    write_json(path, measure(reading, facing=other).to_json())
    (line,) = agree(results / "a", results / "b").failures
    assert line.startswith("film-1: the readings have the front on other sides")


def tabled(folder, name, *readings):
    write_table(folder / name, readings)
    return folder / name


def test_angles_of_a_picture_count_once_in_tables(results):
    """They stand in each row of `vertebrae.csv`: three films are three pairs, not one a vertebra."""
    found, whole = (by_name(agree(results / f"a{end}", results / f"b{end}")) for end in (".csv", ""))
    for name in ("cobb_max", "lordosis_l1_l5", "sacral_slope"):
        assert (found[name]["n"], whole[name]["n"]) == (3, 3)
        assert found[name]["bias"] == pytest.approx(whole[name]["bias"], abs=1e-4)
        assert found[name]["unit"] == "deg"


def test_angles_that_differ_from_row_to_row_stay_with_their_rows(tmp_path):
    text = "file,label,cobb_max_deg\na,T5,{}\na,L1,{}\n"
    for name, values in (("one", (20, 30)), ("two", (22, 34))):
        (tmp_path / f"{name}.csv").write_text(text.format(*values))
    (row,) = agree(tmp_path / "one.csv", tmp_path / "two.csv").quantities
    assert (row["n"], row["bias"]) == (2, 3)


def test_tables_that_say_another_spacing_are_compared_in_px(tmp_path):
    """22 and 33 mm are 110 px of 0.2 and of 0.3 mm: the readers agree."""
    text = "file,label,height_anterior_px,height_anterior_mm,spacing_row_mm,spacing_column_mm\n"
    (tmp_path / "one.csv").write_text(f"{text}a,L1,110,22,0.2,0.2\nb,L1,100,20,0.2,0.2\n")
    (tmp_path / "two.csv").write_text(f"{text}a,L1,110,33,0.3,0.3\nb,L1,105,21,0.2001,0.2\n")
    found = agree(tmp_path / "one.csv", tmp_path / "two.csv")
    assert found.failures == [
        "a: the readings say pixels of 0.2 x 0.2 and 0.3 x 0.3 mm: its lengths are compared in px"
    ]
    values = found.values.set_index("file")[["unit", "first", "second"]]
    assert values.loc["a"].tolist() == ["px", 110, 110]
    assert values.loc["b"].tolist() == ["mm", 20, 21]


def test_of_one_quantity_percents_stand_beside_lengths_which_are_in_mm_where_both_have_them(tmp_path):
    """A slip of 8 px is one of 4 mm; its share of the endplate is a figure of its own. Only b has no mm."""
    text = "file,label,listhesis_px,listhesis_mm,listhesis_percent\n"
    (tmp_path / "one.csv").write_text(f"{text}a,L4,8,4,10\nb,L4,6,,9\n")
    (tmp_path / "two.csv").write_text(f"{text}a,L4,10,5,13\nb,L4,9,,11\n")
    values = agree(tmp_path / "one.csv", tmp_path / "two.csv").values
    assert sorted(values[["file", "unit", "difference"]].itertuples(index=False, name=None)) == [
        ("a", "%", 3), ("a", "mm", 1), ("b", "%", 2), ("b", "px", 3),
    ]  # fmt: skip


def test_bodies_without_names_are_paired_by_place_only_where_as_many_are_there(tmp_path):
    text = "file,index,height_anterior_mm\n"
    (tmp_path / "one.csv").write_text(f"{text}a,1,20\na,2,21\na,3,22\nb,1,20\n")
    (tmp_path / "two.csv").write_text(f"{text}a,1,21\na,2,22\nb,1,21\n")
    found = agree(tmp_path / "one.csv", tmp_path / "two.csv")
    assert found.values["file"].tolist() == ["b"]
    assert found.failures == [
        "a: 3 and 2 bodies have no level name and cannot be paired by their place: name them",
        "bodies without level names were paired by their place from the top (pictures: 1)",
    ]


def test_levels_are_paired_however_they_are_written(tmp_path):
    (tmp_path / "one.csv").write_text("file,label,height_anterior_mm\na,L1,20\na,T12,19\na,L2,21\n")
    (tmp_path / "two.csv").write_text("File,Level, Height_anterior_mm\na ,l1,21\na, Th12,20\na,LWK2,22\n")
    found = agree(tmp_path / "one.csv", tmp_path / "two.csv")
    assert by_name(found)["height_anterior"]["n"] == 2
    assert found.failures == ["labels that are no level and stand in one table only: LWK2; their rows were left out"]


def test_a_column_of_which_no_cell_is_a_number_is_said(tmp_path):
    (tmp_path / "one.csv").write_text("file,label,height_anterior_mm,grade,reader\na,L1,20,1,ann\n")
    (tmp_path / "two.csv").write_text('file,label,height_anterior_mm,grade,reader\na,L1,"20,5",1,bob\n')
    found = agree(tmp_path / "one.csv", tmp_path / "two.csv")
    assert found.failures == [
        f"{tmp_path / 'two.csv'}: 1 of 1 cells of height_anterior_mm are no numbers and were left out"
    ]


def test_readings_of_two_slices_are_named(results):
    """One slice further to the side, bodies are lower: that is no disagreement of readers."""
    for who, place in (("a", 7), ("b", 8)):
        path = results / who / "film-1.json"
        write_json(path, json.loads(path.read_text()) | {"slice": place})
    found = agree(results / "a", results / "b")
    assert found.failures == ["film-1: the readings are of two slices (8 and 9)"]


@pytest.mark.parametrize(("first", "second"), [("", ""), ("", ".csv"), (".csv", ""), (".csv", ".csv")])
def test_what_readers_say_otherwise_is_told_of_tables_too(tmp_path, first, second):
    """The same film read one level higher, facing the other way, of another slice: in any mix of results and tables."""
    film = replace(lateral_radiograph(1, region="lumbar").reading, file="film.png", slice=7)
    names = [v.label for v in film.vertebrae]
    same, higher = measure(film), measure(replace(film, slice=8), anchor="L4=last", facing=opposite(film))
    for who, reading in (("one", same), ("two", higher)):
        write_json(tmp_path / who / "film.json", reading.to_json())
        tabled(tmp_path, f"{who}.csv", reading)
    assert agree(tmp_path / f"one{first}", tmp_path / f"one{second}").failures == []
    found = agree(tmp_path / f"one{first}", tmp_path / f"two{second}")
    assert names[-1] == "L5"
    assert found.failures == [
        "film: the readings have the front on other sides: the anterior height of one is compared with the posterior "
        "height of the other",
        "film: the readings are of two slices (8 and 9)",
        "film: the readings name one body otherwise (L5 of the first is L4 of the second): figures of one level are of "
        "two bodies",
    ]


def opposite(reading):
    return {"left": "right", "right": "left"}[measure(reading).facing.side]


def test_films_of_two_days_are_not_said_to_be_named_otherwise(tmp_path):
    """What lies at one place of two films need not be one body; that the films differ is said."""
    film = replace(lateral_radiograph(1, region="lumbar").reading, file="film.png")
    for who, anchor in (("one", "L5=last"), ("two", "L4=last")):
        reading = replace(measure(film, anchor=anchor), pixels_sha256={"one": "1", "two": "2"}[who] * 64)
        write_json(tmp_path / who / "film.json", reading.to_json())
    assert agree(tmp_path / "one", tmp_path / "two").failures == [
        "film: the readings are of pictures with other pixels: are they the same film?"
    ]


def test_a_body_that_one_reader_missed_renames_nothing():
    """Bodies 100 px apart, lying on their side as some films are stored: 24 px off is one body, 26 perhaps another."""
    column = {"L1": (50.0, 10.0), "L2": (150.0, 12.0), "L4": (350.0, 10.0), "L5": (450.0, 11.0)}
    assert renamed(column, column | {"L3": (250.0, 10.0)}) == []
    assert renamed(column, {"L3": (374.0, 10.0)}) == [("L4", "L3")]
    assert renamed(column, {"L3": (376.0, 10.0)}) == []
    assert renamed({"L1": (0.0, 0.0)}, {"L2": (0.0, 0.0)}) == []
    assert renamed({}, column) == []


def test_grades_have_no_panel(tables):
    """Three pairs of heights and three of grades: grades are no lengths, and have a kappa."""
    (axes,) = draw(agree(*tables).values).axes
    assert axes.get_title().startswith("Height anterior")
