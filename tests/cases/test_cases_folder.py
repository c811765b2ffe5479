from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from spinetk.cases.folder import CaseFolder, png_size, read_pixels, read_record, write_record
from spinetk.errors import InputError
from spinetk.formats.files import check_name, clean_name, natural_key, read_metadata, write_metadata
from spinetk.formats.record import annotation_of, reading_of, record_of
from spinetk.schema import VERTEBRA4, VERTEBRA6


def edit(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content, content["annotations"][0])
    path.write_text(json.dumps(content))


def test_the_layout_of_the_original_readme(tmp_path, make_case):
    for case in ("image-id-10", "image-id-2", "Fall Ü 1"):
        make_case(tmp_path, case)
        for n in (1, 2, 10):
            make_case(tmp_path, case, copy=n)
    (tmp_path / "metadata.json").write_text('{"image-id-2": {"Hardware": true}}')
    folder = CaseFolder(tmp_path)
    assert folder.cases() == ["Fall Ü 1", "image-id-2", "image-id-10"]
    assert folder.source("image-id-2") == tmp_path / "image-id-2/src/0/src-0.json"
    assert [p.name for p in folder.augmented("image-id-2")] == ["aug-1.json", "aug-2.json", "aug-10.json"]
    assert folder.metadata() == {"image-id-2": {"Hardware": True}}
    records, failures = folder.records(["image-id-2"])
    assert len(records) == 4
    assert failures == []
    assert records[0]["schema"] == "vertebra6"
    assert len(folder.records(["image-id-2"], augmented=False)[0]) == 1


def test_the_picture_is_the_one_beside_the_json(tmp_path, make_case):
    path = make_case(tmp_path, "a", file_name="/etc/passwd")
    assert read_record(path)["file_name"] == str(path.with_suffix(".png"))


FAULTS = {
    "keypoint count": (lambda c, a: a["keypoints"].pop(), "keypoints"),
    "four points of six": (lambda c, a: a.update(keypoints=a["keypoints"][:15]), "keypoints"),
    "NaN": (lambda c, a: a["keypoints"].__setitem__(0, math.nan), "keypoints"),
    "infinity": (lambda c, a: a["bbox"].__setitem__(2, math.inf), "bbox"),
    "text": (lambda c, a: a["keypoints"].__setitem__(0, "1"), "keypoints"),
    "visibility": (lambda c, a: a["keypoints"].__setitem__(2, 3), "keypoints"),
    "point outside": (lambda c, a: a["keypoints"].__setitem__(0, 66), "bottom_left outside"),
    "box outside": (lambda c, a: a.update(bbox=[10, 10, 70, 20]), "bbox"),
    "box inverted": (lambda c, a: a.update(bbox=[30, 10, 10, 20]), "bbox"),
    "box of XYWH": (lambda c, a: a.update(bbox_mode=1), "bbox_mode"),
    "category": (lambda c, a: a.update(category_id=1), "category_id"),
    "size": (lambda c, a: c.update(width=60), "width"),
    "no height": (lambda c, a: c.pop("height"), "height"),
    "height of text": (lambda c, a: c.update(height="48"), "height"),
    "no annotations": (lambda c, a: c.pop("annotations"), "annotations"),
    "no image_id": (lambda c, a: c.pop("image_id"), "image_id"),
    "spacing": (lambda c, a: c.update(spacing_mm=[0, 1]), "spacing_mm"),
    "schema": (lambda c, a: c.update(schema="/etc/passwd.json"), "schema"),
    "view": (lambda c, a: c.update(view="oblique"), "view"),
    "annotation": (lambda c, a: c.update(annotations=[7]), "annotations[0]"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_field_is_named(tmp_path, make_case, fault):
    path = make_case(tmp_path, "a")
    change, field = FAULTS[fault]
    edit(path, change)
    with pytest.raises(InputError) as caught:
        read_record(path)
    assert field in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", "[" * 100_000])
def test_text_that_is_no_record(tmp_path, make_case, text):
    path = make_case(tmp_path, "a")
    path.write_text(text)
    with pytest.raises(InputError, match=r"src-0\.json"):
        read_record(path)


def test_missing_files_and_pictures_that_are_none(tmp_path, make_case):
    path = make_case(tmp_path, "a")
    path.with_suffix(".png").write_bytes(b"GIF89a")
    with pytest.raises(InputError, match=r"src-0\.png: is not a PNG"):
        read_record(path)
    path.with_suffix(".png").unlink()
    with pytest.raises(InputError, match=r"src-0\.png: is missing"):
        read_record(path)
    path.unlink()
    with pytest.raises(InputError, match=r"src-0\.json: is missing"):
        read_record(path)


def test_a_truncated_picture_is_one_line(tmp_path, make_case):
    path = make_case(tmp_path, "a")
    picture = path.with_suffix(".png")
    picture.write_bytes(picture.read_bytes()[:40])
    with pytest.raises(InputError, match="cannot be read as a picture"):
        read_pixels(read_record(path))


def test_one_bad_file_does_not_stop_the_others(tmp_path, make_case):
    make_case(tmp_path, "good")
    edit(make_case(tmp_path, "bad"), lambda c, a: a["keypoints"].pop())
    records, failures = CaseFolder(tmp_path).records(["bad", "good", "gone", "../good"])
    assert [r["image_id"] for r in records] == ["good-0"]
    assert [type(f) for f in failures] == [InputError] * 3


def test_a_picture_without_vertebra_is_a_record(tmp_path, make_case):
    assert read_record(make_case(tmp_path, "a", annotations=[]))["annotations"] == []


def test_a_picture_of_one_pixel(tmp_path, make_case):
    assert read_record(make_case(tmp_path, "a", size=(1, 1), annotations=[]))["width"] == 1


def test_an_empty_folder_and_no_folder(tmp_path):
    with pytest.raises(InputError, match="holds no case"):
        CaseFolder(tmp_path).cases()
    with pytest.raises(InputError, match="not a folder"):
        CaseFolder(tmp_path / "none")


@pytest.mark.parametrize(
    ("strays", "said"), [(["x"], "names case 'x', which"), (["z", "x", "y"], "'x' and 2 more, which")]
)
def test_metadata_names_the_first_case_that_has_no_folder(tmp_path, make_case, strays, said):
    make_case(tmp_path, "a")
    write_metadata(tmp_path, {name: {"Hardware": False} for name in ["a", *strays]})
    with pytest.raises(InputError, match=rf"metadata\.json: .*{said} has no folder"):
        CaseFolder(tmp_path).metadata()


def test_a_picture_that_cannot_be_opened_is_one_line(tmp_path, make_case):
    picture = make_case(tmp_path, "a").with_suffix(".png")
    picture.unlink()
    picture.mkdir()
    with pytest.raises(InputError, match=r"src-0\.png: cannot be read \(check the path"):
        png_size(picture)


def test_metadata_of_a_case_that_is_not_there(tmp_path, make_case):
    make_case(tmp_path, "a")
    write_metadata(tmp_path, {"a": {"Hardware": False}, "../b": {"Hardware": True}})
    with pytest.raises(InputError, match=r"metadata\.json: names case '\.\./b'"):
        CaseFolder(tmp_path).metadata()


@pytest.mark.parametrize("text", ["[]", '{"a": true}', "{"])
def test_metadata_of_another_form(tmp_path, text):
    (tmp_path / "metadata.json").write_text(text)
    with pytest.raises(InputError, match=r"metadata\.json"):
        read_metadata(tmp_path)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\0b", ".hidden", " a", "x" * 201, "a\nb", "c:"])
def test_names_that_lead_elsewhere(name):
    with pytest.raises(InputError):
        check_name(name)
    assert check_name(clean_name(name))


def test_names_are_kept_where_they_can_be():
    assert clean_name("sub-1 Ü (2)") == "sub-1 Ü (2)"


def test_natural_order():
    assert sorted(["10", "9", "a10", "a9", "2"], key=natural_key) == ["2", "9", "10", "a9", "a10"]


def test_reading_and_back(tmp_path, make_case):
    path = make_case(
        tmp_path, "a", spacing_mm=[0.5, 0.25], spacing_source="user", orientation=["P", "F"], view="lateral"
    )
    record = read_record(path)
    reading = reading_of(record)
    assert reading.frame.spacing_mm == (0.5, 0.25)
    assert reading.frame.anterior == "left"
    np.testing.assert_array_equal(reading.vertebrae[0].points[0], [10.25, 30.5])
    back = record_of(reading, record["image_id"])
    assert back == record


def test_write_and_read_back(tmp_path, make_case):
    record = read_record(make_case(tmp_path / "old", "a"))
    pixels = cv2.imread(record["file_name"], cv2.IMREAD_GRAYSCALE)
    path = write_record(CaseFolder(tmp_path).source("new"), record, pixels)
    again = read_record(path)
    assert again["annotations"] == record["annotations"]
    np.testing.assert_array_equal(read_pixels(again), pixels)
    assert not list(path.parent.glob(".tmp*"))


def test_a_wrong_record_is_not_written(tmp_path, make_case):
    record = read_record(make_case(tmp_path / "old", "a"))
    with pytest.raises(InputError):
        write_record(tmp_path / "x.json", record, np.zeros((48, 65), np.uint8))
    record["annotations"][0]["keypoints"][0] = math.nan
    with pytest.raises(InputError):
        write_record(tmp_path / "x.json", record, np.zeros((48, 64), np.uint8))
    assert not (tmp_path / "x.json").exists()
    assert not (tmp_path / "x.png").exists()


def test_points_outside_become_unknown():
    points = np.array([[-1.0, 5.0], [5.0, 5.0], [8.0, 9.0]])
    entry = annotation_of(points, np.array([True, True, False]), (10, 10), (-1, 5, 8, 9))
    assert entry["keypoints"] == [0, 0, 0, 5, 5, 2, 0, 0, 0]
    assert entry["bbox"] == [0, 5, 8, 9]
    assert annotation_of(points - 50, np.ones(3, bool), (10, 10)) is None
    single = annotation_of(points[1:2], np.ones(1, bool), (10, 10))
    assert (single["keypoints"], single["bbox"]) == ([5, 5, 2], [4.5, 4.5, 5.5, 5.5])


def test_the_schema_of_a_folder(tmp_path, make_case):
    path = make_case(tmp_path, "a")
    assert CaseFolder(tmp_path).schema().name == "vertebra6"
    edit(path, lambda c, a: a.update(keypoints=a["keypoints"][:12]))
    assert CaseFolder(tmp_path).schema().name == "vertebra4"
    edit(path, lambda c, a: c.update(schema="../x.json"))
    with pytest.raises(InputError, match="schema"):
        CaseFolder(tmp_path).schema()


def test_points_of_another_order_are_taken_by_their_names(tmp_path, make_case):
    """Cases of several sets in one folder: each file says which of its points is which."""
    usual = reading_of(read_record(make_case(tmp_path, "a")))
    path = make_case(tmp_path, "b")
    turned = ("top_left", "top_middle", "top_right", "bottom_right", "bottom_middle", "bottom_left")

    def reorder(content, _):
        content["schema"] = {"name": "mine", "keypoints": list(turned)}
        for entry in content["annotations"]:
            entry["keypoints"] = [v for k in (5, 4, 3, 2, 1, 0) for v in entry["keypoints"][3 * k : 3 * k + 3]]

    edit(path, reorder)
    folder = CaseFolder(tmp_path)
    records, failures = folder.records(["a", "b"], schema=folder.schema())
    assert failures == []
    for record in records:
        np.testing.assert_array_equal(reading_of(record).vertebrae[0].points, usual.vertebrae[0].points)
    (corners,), _ = folder.records(["b"], schema=VERTEBRA4)
    order = [VERTEBRA6.index(name) for name in VERTEBRA4.keypoints]
    np.testing.assert_array_equal(reading_of(corners).vertebrae[0].points, usual.vertebrae[0].points[order])


def test_points_of_another_meaning_are_none_of_the_sets(tmp_path, make_case):
    make_case(tmp_path, "a")
    names = ("pedicle_left", "pedicle_right", "lamina_left", "lamina_right", "spinous", "body")
    edit(make_case(tmp_path, "b"), lambda content, _: content.update(schema={"name": "mine", "keypoints": list(names)}))
    folder = CaseFolder(tmp_path)
    records, (failure,) = folder.records(["a", "b"], schema=folder.schema())
    assert [record["case"] for record in records] == ["a"]
    assert "has the points of mine, not those of vertebra6" in str(failure)
