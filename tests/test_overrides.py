"""Overrides: the user's word, for all pictures and for each of a table."""

import json
from dataclasses import replace

import pytest

from spinetk.errors import InputError
from spinetk.overrides import Overrides, OverridesTable, parse_spacing


def table(tmp_path, text, usual=None):
    path = tmp_path / "views.csv"
    path.write_text(text, encoding="utf-8-sig")
    return OverridesTable.read(path, usual)


def test_a_row_wins_over_what_holds_for_all(tmp_path):
    read = table(
        tmp_path,
        'file,view,spacing,facing,anchor\nfilms/a.png,AP,"0.3,0.2",,\nb.png,lateral,0.5,left,L5=last\nc.png,,,,\n',
        Overrides(view="sagittal", facing="right"),
    )
    assert read.of(tmp_path / "films" / "a.png") == Overrides("ap", (0.3, 0.2), "right")
    assert read.of("somewhere/else/b.png") == Overrides("lateral", (0.5, 0.5), "left", "L5=last")
    for other in ("c.png", "d.png", "a.png"):  # a row without a word, no row, and the same name in another folder
        assert read.of(other) == Overrides(view="sagittal", facing="right")
    assert read.unmet([tmp_path / "films" / "a.png", "c.png"]) == ["b.png"]


def test_a_table_may_be_parted_by_semicolons_as_spreadsheets_of_some_countries_do(tmp_path):
    read = table(tmp_path, "file;view;spacing\na.png;ap;0.3\nb, c.png;;0.3,0.2\n")
    assert read.of("a.png") == Overrides("ap", (0.3, 0.3))
    assert read.of("b, c.png") == Overrides(None, (0.3, 0.2))
    with pytest.raises(InputError, match=r"line 2: spacing 0,3: may be one number with a decimal comma \(write 0\.3"):
        table(tmp_path, "file;view;spacing\na.png;ap;0,3\n")


def test_a_name_that_is_a_file_is_no_other_and_one_of_several_is_said(tmp_path):
    for patient in ("ann", "ben"):
        (tmp_path / patient).mkdir()
        (tmp_path / patient / "1.dcm").touch()
    films = [tmp_path / "ann" / "1.dcm", tmp_path / "ben" / "1.dcm"]
    (tmp_path / "ann" / "views.csv").write_text("file,spacing,anchor\n1.dcm,0.2,L5=last\n")
    beside = OverridesTable.read(tmp_path / "ann" / "views.csv")
    assert [beside.of(film).anchor for film in films] == ["L5=last", None]
    assert beside.shared(films) == []
    above = table(tmp_path, "file,view\n1.dcm,lateral\nben/1.dcm,ap\n")
    assert [above.of(film).view for film in films] == ["lateral", "ap"]
    assert above.shared(films) == []
    both = table(tmp_path, "file,view\n1.dcm,lateral\n")
    assert [both.of(film).view for film in films] == ["lateral", "lateral"]
    assert [words.split(",")[0] for words in both.shared([*films, films[0]])] == ["1.dcm is the name of 2 pictures"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,view\na.png,ap\n", "no column 'file'|column 'name'"),
        ("file,wiev\na.png,ap\n", "column 'wiev'"),
        ("file,view\na.png,oblique\n", "line 2.*is not a view"),
        ("file,view\na.png,axial\n", "line 2.*cannot be read"),
        ("file,spacing\na.png,wide\n", "line 2.*spacing wide"),
        ("file,spacing\na.png,0\n", "line 2.*not plausible"),
        ("file,facing\na.png,up\n", "line 2.*not a side"),
        ("file,view\na.png,ap\na.png,lateral\n", "line 3.*twice"),
        ("file,view\na.png,ap,left\n", "line 2.*cells"),
        ("file,view\n,ap\n", "line 2.*no file"),
        ("", "no column 'file'"),
    ],
)
def test_what_a_table_cannot_say(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        table(tmp_path, text)


def test_a_table_that_is_none(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        OverridesTable.read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        OverridesTable.read(tmp_path)
    assert OverridesTable.read(None).of("a.png") == Overrides()


def test_measure_takes_the_options_of_predict(drawn, tmp_path):
    """The same words for both verbs; without one, an untouched result stays as it is."""
    from typer.testing import CliRunner

    from spinetk.cli import app
    from spinetk.measure import measure

    result = tmp_path / "column.json"
    result.write_text(json.dumps(measure(drawn.rounded(), facing="left").to_json()))
    (tmp_path / "views.csv").write_text("file,view,spacing\ncolumn.png,ap,0.5\nother.png,ap,\n")
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["measure", str(result), "-o", str(out)])
    assert done.exit_code == 0
    assert json.loads((out / "column.json").read_text()) == json.loads(result.read_text())
    assert "dropped" not in done.stderr
    done = CliRunner().invoke(app, ["measure", str(result), "-o", str(out), "--views", str(tmp_path / "views.csv")])
    assert done.exit_code == 0
    content = json.loads((out / "column.json").read_text())
    assert (content["view"], content["spacing_mm"], content.get("facing")) == ("ap", [0.5, 0.5], None)
    said = done.stderr
    assert "front: dropped (left)" in said
    assert "no result is about other.png" in said
    given = ["--view", "ap", "--spacing", "0.5", "--facing", "auto", "--anchor", "L3=last"]
    done = CliRunner().invoke(app, ["measure", str(result), "-o", str(out), *given])
    assert done.exit_code == 0
    assert isinstance(CliRunner().invoke(app, ["measure", str(result), "--view", "axial"]).exception, InputError)


def test_measure_says_the_remarks_of_readings_once(drawn, tmp_path):
    """What the numbers may be wrong for was in the JSON alone, which `measure` without --out does not write."""
    from typer.testing import CliRunner

    from spinetk.cli import app
    from spinetk.measure import measure

    files = []
    for name, said in (("a", True), ("b", True), ("c", True), ("d", True), ("e", False)):
        reading = measure(replace(drawn.rounded(), file=f"{name}.png", remarks=["padded"] if said else []))
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps(reading.to_json()))
    own = [remark.removeprefix("Measurement: ") for remark in reading.remarks]
    assert own
    said = CliRunner().invoke(app, ["measure", *map(str, files)]).stderr.splitlines()
    assert said[0] == "spinetk: a.png, b.png, c.png and 1 more: padded"
    assert said[1:] == [f"spinetk: a.png, b.png, c.png and 2 more: {remark}" for remark in own]
    again = CliRunner().invoke(app, ["measure", str(files[4]), "--view", "ap"]).stderr.splitlines()
    assert f"spinetk: e.png: view: ap, before {reading.view}" in again


@pytest.mark.parametrize("text", ["1,5", "0,3", "2,1"])
def test_a_decimal_comma_is_not_taken_for_rows_and_columns(text):
    with pytest.raises(InputError, match=f"decimal comma.*write {text.replace(',', '.')} for square pixels"):
        parse_spacing(text)


def test_rows_and_columns_are_taken_where_they_can_be_meant_alone():
    assert parse_spacing("1.0,5.0") == (1.0, 5.0)
    assert parse_spacing("1,5.0") == (1.0, 5.0)
    assert parse_spacing("2,2") == (2.0, 2.0)
    assert parse_spacing("1") == (1.0, 1.0)
