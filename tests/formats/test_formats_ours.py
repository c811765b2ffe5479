"""Results and cases of our own, read back: other points than all, wrong bodies among right ones, nothing there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.formats.item import in_schema
from spinetk.formats.record import annotation_of, check_record, reading_of, record_of
from spinetk.formats.registry import read
from spinetk.formats.results import find_results
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema


def test_a_result_in_the_points_of_another_schema(drawn, tmp_path):
    for number, vertebra in enumerate(drawn.vertebrae):
        vertebra.visible[[number, number + 2]] = False
        vertebra.point_sigma_px, vertebra.score = np.arange(6) + 0.25, 0.5 + number / 10
    (tmp_path / "column.json").write_text(json.dumps(drawn.to_json()))
    (item,) = read(tmp_path / "column.json", "ours", VERTEBRA4)
    assert item.schema == VERTEBRA4
    assert len(item.vertebrae) == 3
    for found, wanted in zip(item.vertebrae, drawn.vertebrae, strict=True):
        assert (found.label, found.score, found.bbox) == (
            wanted.label,
            wanted.score,
            pytest.approx(wanted.bbox, abs=0.01),
        )
        for k, name in enumerate(VERTEBRA4.keypoints):
            own = VERTEBRA6.keypoints.index(name)
            assert found.points[k] == pytest.approx(wanted.points[own], abs=0.01)
            assert found.visible[k] == wanted.visible[own]
            assert found.point_sigma_px[k] == pytest.approx(wanted.point_sigma_px[own])


def test_without_a_word_on_the_schema_nothing_changes(drawn, tmp_path):
    assert in_schema(drawn, None, tmp_path) is drawn
    assert in_schema(drawn, VERTEBRA6, tmp_path) is drawn
    turned = in_schema(drawn, KeypointSchema("turned", VERTEBRA6.keypoints[::-1]), tmp_path)
    assert [v.point_sigma_px for v in turned.vertebrae] == [None] * 3
    np.testing.assert_array_equal(turned.vertebrae[0].points, drawn.vertebrae[0].points[::-1])


def test_points_that_a_result_lacks_are_named(drawn, tmp_path):
    with pytest.raises(InputError, match="has no points for schema 'nose'"):
        in_schema(drawn, KeypointSchema("nose", ("tip",)), tmp_path / "a.json")


@pytest.fixture
def one_wrong(tmp_path, make_case):
    """A case of two bodies, the second with a point that is no number."""
    path = make_case(tmp_path, "a")
    content = json.loads(path.read_text())
    wrong = json.loads(json.dumps(content["annotations"][0]))
    wrong["keypoints"][0] = "x"
    content["annotations"].append(wrong)
    path.write_text(json.dumps(content))
    return path


def test_a_wrong_body_among_right_ones_is_left_out_and_said(one_wrong):
    (item,) = read(one_wrong.parents[3], "ours")
    assert len(item.vertebrae) == 1
    (said,) = item.remarks
    assert "annotations[1]" in said
    assert "left out, the other 1 of the picture are kept" in said
    # Alone it is refused, as there is nowhere to say it.
    with pytest.raises(InputError, match=r"annotations\[1\]"):
        check_record(json.loads(one_wrong.read_text()), one_wrong)


def test_only_wrong_bodies_are_refused(one_wrong):
    content = json.loads(one_wrong.read_text())
    del content["annotations"][0]
    left_out: list[InputError] = []
    with pytest.raises(InputError, match=r"annotations\[0\]"):
        check_record(content, one_wrong, left_out=left_out)
    assert left_out == []


@pytest.mark.parametrize("extras", [{"hip": [[1]]}, {"hip": [["a", 2]]}, {"hip": [[float("nan"), 1]]}, 7])
def test_wrong_extras_of_a_case_are_refused(extras, one_wrong):
    content = json.loads(one_wrong.read_text()) | {"extras": extras}
    with pytest.raises(InputError, match="field 'extras' is not a list"):
        check_record(content, one_wrong, left_out=[])


def test_folders_without_a_result_are_all_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with pytest.raises(InputError) as error:
        find_results([tmp_path / "a", tmp_path / "b"])
    assert (error.value.source, error.value.fault) == (f"{tmp_path / 'a'}, {tmp_path / 'b'}", "holds no result")


def test_boxes_of_records_end_at_the_border_of_the_picture():
    points = np.array([[2.0, 3.0], [9.0, 3.0], [9.0, 8.0], [2.0, 8.0]])
    seen = np.ones(4, bool)
    assert annotation_of(points, seen, (10, 9), (-4.0, -1.0, 12.0, 8.5))["bbox"] == [0, 0, 10, 8.5]
    assert annotation_of(points, seen, (10, 9), (0.25, 0.5, 9.75, 8.5))["bbox"] == [0.25, 0.5, 9.75, 8.5]
    assert annotation_of(points, seen, (10, 9), (10.0, 1.0, 12.0, 8.0)) is None
    # Points outside are unknown, and the box is that of the others.
    points[2] = (10.5, 8.0)
    found = annotation_of(points, seen, (10, 9))
    assert found["bbox"] == [2, 3, 9, 8]
    assert found["keypoints"] == [2, 3, 2, 9, 3, 2, 0, 0, 0, 2, 8, 2]


def test_results_of_several_folders_and_files_are_all_found(drawn, tmp_path):
    places = [tmp_path / "a/x.json", tmp_path / "b/y.json", tmp_path / "z.json"]
    for path in places:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(drawn.to_json()))
    assert find_results([tmp_path / "a", tmp_path / "b", tmp_path / "z.json"]) == places


def test_the_front_that_a_person_named_is_kept_with_a_case_and_turned_with_its_picture(drawn):
    """Right by the user's word; in the mirrored picture that is left. What the header says stands in the letters."""
    drawn.facing = Facing("right", "user", 1.0)
    told = record_of(drawn, "a")
    assert told["facing"] == {"side": "right", "source": "user", "confidence": 1.0}
    found = reading_of(check_record(json.loads(json.dumps(told)), "a.json"))
    assert found.facing == Facing("right", "user", 1.0)
    assert reading_of(record_of(found.flipped(), "a")).facing == Facing("left", "user", 1.0)
    assert "facing" not in record_of(replace(drawn, facing=Facing("right", "header", 1.0)), "a")
    for wrong in ("right", {"side": "up"}, {"side": "left", "confidence": "x"}):
        with pytest.raises(InputError, match="field 'facing'"):
            check_record(told | {"facing": wrong}, "a.json")


def test_results_beside_their_overlays_become_cases_of_the_pictures_they_name(drawn, tmp_path):
    """The overlay of a.png is a.png, too, and larger; a picture that is gone is looked for beside its result."""
    picture = Path(drawn.file)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "column.json").write_text(json.dumps(drawn.to_json()))
    cv2.imwrite(str(tmp_path / "results" / "column.png"), np.zeros((900, 900), np.uint8))
    (item,) = read(tmp_path / "results", "ours")
    assert (item.picture, item.case) == (picture, "column")
    line = json.dumps({"input": str(picture), "stem": "column"})
    (tmp_path / "results" / "journal.jsonl").write_text(line)
    gone = picture.rename(tmp_path / "gone.png")
    (error,) = read(tmp_path / "results", "ours")
    assert (error.source, error.fault) == (str(picture), "is no longer there")
    (tmp_path / "results" / "journal.jsonl").unlink()
    gone.rename(tmp_path / "results" / "column.png")
    (item,) = read(tmp_path / "results", "ours")
    assert item.picture == tmp_path / "results" / "column.png"


@pytest.mark.parametrize(("count", "said"), [(1, "its picture has no JSON"), (3, "none of its 3 pictures has a JSON")])
def test_pictures_without_annotations_are_one_fault_that_says_what_reads_them(tmp_path, count, said):
    """It was a line for each picture, whose JSON "is missing"."""
    for number in range(count):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((50, 40), np.uint8))
    with pytest.raises(InputError, match=f"holds no annotations: {said} beside it .*`spinetk predict`"):
        list(read(tmp_path, "ours"))
    (tmp_path / "0.json").write_text("{}")
    assert all(isinstance(found, InputError) for found in read(tmp_path, "ours"))
