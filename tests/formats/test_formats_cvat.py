from dataclasses import replace

import numpy as np
import pytest

from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.formats.cvat import read_cvat, write_cvat
from spinetk.formats.results import iter_results
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema


def body(x, y, **fields):
    points = np.array([[0, 12.125], [10, 12], [20, 12], [20, 0], [10, 0.5], [0, 0]]) + np.array([x, y])
    return Vertebra.from_points(points, **fields)


def reading(file="folder/a.png"):
    vertebrae = [body(10.25, 20, label="L1", score=0.75), body(12, 50.5, label='<&">'), body(13, 80, score=0.5)]
    vertebrae[1].visible[2] = False
    return Reading(file, 120, 90, VERTEBRA6, vertebrae)


def same(found, wanted):
    assert (found.height, found.width, found.schema) == (wanted.height, wanted.width, wanted.schema)
    assert len(found.vertebrae) == len(wanted.vertebrae)
    for a, b in zip(found.vertebrae, wanted.vertebrae, strict=True):
        assert (a.label, a.score) == (b.label, b.score)
        assert (a.visible == b.visible).all()
        assert a.points[a.visible] == pytest.approx(b.points[b.visible], abs=5e-5)


def test_round_trip(tmp_path):
    four = Reading("b.png", 50, 60, VERTEBRA4, [Vertebra.from_points([[1, 1], [9, 1.5], [1, 9], [9, 9.25]])])
    write_cvat(tmp_path / "a.xml", [reading(), four, Reading("c.png", 5, 6, VERTEBRA4)])
    found = read_cvat(tmp_path / "a.xml")
    assert [r.file for r in found] == ["a.png", "b.png", "c.png"]
    same(found[0], reading())
    same(found[1], four)
    assert found[2].vertebrae == []


def test_own_schema(tmp_path):
    schema = KeypointSchema("custom", ("nose", "tail_left", "tail_right"), swap=(("tail_left", "tail_right"),))
    mine = Reading("b.png", 50, 60, schema, [Vertebra.from_points([[1, 1], [9, 1.5], [1, 9]])])
    write_cvat(tmp_path / "a.xml", [mine])
    same(read_cvat(tmp_path / "a.xml", schema)[0], mine)
    assert read_cvat(tmp_path / "a.xml")[0].schema.keypoints == schema.keypoints


CORRECTED = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><job><id>7</id></job></meta>
<image id="3" name="x.png" subset="default" task_id="1" width="64" height="80">
 <skeleton label="vertebra" source="manual" z_order="0">
  <points label="top_left" source="manual" outside="0" occluded="1" points="10.00,40.00"></points>
  <points label="top_right" source="manual" outside="0" occluded="0" points="30.50,41.25"></points>
  <points label="bottom_right" source="manual" outside="1" occluded="0" points="30.00,55.00"></points>
  <points label="bottom_left" source="manual" outside="0" occluded="0" points="10.00,54.00"></points>
  <attribute name="level"></attribute>
 </skeleton>
 <points label="vertebra" source="manual" occluded="0" points="11,10;31,10;11,24;31,25" z_order="0"></points>
</image></annotations>"""


def test_file_as_cvat_exports_it(tmp_path):
    (tmp_path / "a.xml").write_text(CORRECTED)
    (found,) = read_cvat(tmp_path / "a.xml")
    assert (found.file, found.height, found.width, found.schema.name) == ("x.png", 80, 64, "vertebra4")
    upper, lower = found.vertebrae
    assert upper.points.tolist() == [[11, 10], [31, 10], [11, 24], [31, 25]]
    assert lower.points[1].tolist() == [30.5, 41.25]
    assert lower.visible.tolist() == [True, True, True, False]
    assert lower.label is None


@pytest.mark.parametrize(
    "text",
    [
        "no xml",
        "<annotations>",
        "<other/>",
        CORRECTED.replace("10.00,40.00", "10.00"),
        CORRECTED.replace("10.00,40.00", "nan,4"),
        CORRECTED.replace('width="64"', ""),
        CORRECTED.replace("<annotations>", '<!DOCTYPE a [<!ENTITY b "c">]><annotations>'),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(InputError, match=r"a\.xml"):
        read_cvat(tmp_path / "a.xml", "vertebra4")


def test_absent_file():
    with pytest.raises(InputError, match="cannot be read"):
        read_cvat("absent.xml")


def test_hostile_file_names_stay_names(tmp_path):
    write_cvat(tmp_path / "a.xml", [reading('../../x"/><image name="y\x00\x1b.png')])
    assert len(read_cvat(tmp_path / "a.xml")) == 1


def test_what_is_no_vertebra_is_named_and_left_out(tmp_path):
    text = CORRECTED.replace("top_left", "nonsense").replace("11,10;31,10;", "11,10;")
    (tmp_path / "a.xml").write_text(text)
    (found,) = read_cvat(tmp_path / "a.xml", "vertebra4")
    assert [v.visible.tolist() for v in found.vertebrae] == [[False, True, True, False]]
    said = " ".join(found.remarks)
    assert "'nonsense'" in said
    assert "point 'vertebra' without the points of vertebra4" in said


def test_a_correction_of_another_size_is_refused(tmp_path):
    """Points of a resized picture would be taken for points of the one that was read."""
    wide = replace(reading("a.png"), width=91)
    tall = replace(reading("b.png"), height=60)
    write_cvat(tmp_path / "a.xml", [wide, tall, reading("c.png")])
    for name in "abc":
        write_json(tmp_path / f"{name}.json", reading(f"{name}.png").to_json())
    found = list(iter_results([tmp_path / "a.xml"]))
    refused = [str(error) for _, error in found if isinstance(error, InputError)]
    assert len(refused) == 2
    assert all("has another size than the result's picture" in line for line in refused)
    ((path, corrected),) = [(path, reading) for path, reading in found if isinstance(reading, Reading)]
    assert path == tmp_path / "c.json"
    assert len(corrected.vertebrae) == 3
