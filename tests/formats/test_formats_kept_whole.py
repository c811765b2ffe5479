"""What corrections keep of a result, what is said to be lost, and records as they are checked: whole, by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from whole import plain, rich, save

from spinetk.errors import InputError
from spinetk.formats.loss import lost
from spinetk.formats.masks import vertebrae_of
from spinetk.formats.record import check_record
from spinetk.formats.registry import Format, formats
from spinetk.formats.results import iter_results, several_runs
from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.reading import Reading


@pytest.mark.parametrize("renamed", [False, True])
def test_a_correction_replaces_points_and_names_and_keeps_everything_else(tmp_path, renamed):
    base = rich(str(tmp_path / "film.png"))
    base.remarks.append("levels: counted, right with probability 0.88")
    save(tmp_path / "film.png")
    (tmp_path / "film.json").write_text(json.dumps(base.to_json()))
    moved = rich("film.png")
    moved.vertebrae[0].points = moved.vertebrae[0].points + 1
    if renamed:
        moved.vertebrae[0].label = "L2"
    formats()["cvat"].write(tmp_path / "annotations.xml", [moved])
    ((path, found),) = iter_results([tmp_path / "annotations.xml"])
    assert path == tmp_path / "film.json"
    got, wanted = plain(found), plain(base)
    assert got["vertebrae"][0]["points"] == [[17, 33], [49, 34], [17, 65], [49, 67]]
    assert [v["label"] for v in got["vertebrae"]] == ["L2" if renamed else "L1", "hook"]
    for name in ("vertebrae", "facing"):
        del got[name], wanted[name]
    del wanted["angles"]
    if renamed:  # both were about the network's names
        del wanted["label_probability"]
        wanted["remarks"].pop()
    assert got == wanted


@pytest.mark.parametrize("name", ["coco", "labelme", "labelstudio", "cvat", "slicer", "fcsv", "yolo"])
def test_what_nobody_moved_is_as_unsure_as_it_was(tmp_path, name):
    """One body and one femoral head are moved elsewhere; YOLO holds no landmarks, so none is taken away by it."""
    place = save(tmp_path / ("yolo/images" if name == "yolo" else "") / "film.png")
    heads = [Landmark("femoral_head", np.array([[x, 240.0]]), 9.5, 0.625, 1.25) for x in (30.0, 60.0)]
    base = rich(str(place), slice=None, series=None, frame=Frame(), landmarks=[rich("").landmarks[0], *heads])
    base.vertebrae[1].label = "L2"
    for vertebra in base.vertebrae:
        vertebra.point_sigma_px = np.array([1.0, 2, 3, 4])
    elsewhere = Reading.from_json(base.to_json())
    elsewhere.vertebrae[0].points = elsewhere.vertebrae[0].points + (0.0, 0.07)
    elsewhere.landmarks[2].points = elsewhere.landmarks[2].points + 1.0
    chosen = formats()[name]
    (file, *_) = chosen.write(chosen.path_in(tmp_path, "film"), [elsewhere])
    (tmp_path / "film.json").write_text(json.dumps(base.to_json()))
    ((path, found),) = iter_results([file])
    assert path == tmp_path / "film.json"
    moved, left = plain(found)["vertebrae"]
    assert ("point_sigma_px" in moved, moved["points"][0]) == (False, pytest.approx([16, 32.07], abs=1e-3))
    assert "score" not in moved  # it was 0.75, the network's
    assert left == plain(base.vertebrae[1])
    assert [own.sigma_px for own in found.landmarks] == [None, 1.25, 1.25 if name == "yolo" else None]
    assert list(found.extras) == ["clavicle_left"]


# Where a point (x, y) of a picture of w x h px as stored is shown by a program that heeds its EXIF orientation.
SHOWN = {
    2: lambda x, y, w, h: (w - x, y), 3: lambda x, y, w, h: (w - x, h - y), 4: lambda x, y, w, h: (x, h - y),
    5: lambda x, y, w, h: (y, x), 6: lambda x, y, w, h: (h - y, x), 7: lambda x, y, w, h: (h - y, w - x),
    8: lambda x, y, w, h: (y, w - x),
}  # fmt: skip


@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("number", SHOWN)
def test_a_correction_in_a_program_that_turns_by_exif_is_turned_back(tmp_path, number, turned):
    """Both bodies are moved by 2 px to the right as stored. A mirror changes the names of left and right."""
    place = save(tmp_path / "film.png")
    base = rich(str(place), slice=None, series=None, frame=Frame(exif_orientation=number), landmarks=[], extras={})
    (tmp_path / "film.json").write_text(json.dumps(base.to_json()))
    size, mirrored = (base.width, base.height), number in (2, 4, 5, 7)
    drawn = rich("film.png", landmarks=[], extras={})
    for vertebra in drawn.vertebrae:
        moved = vertebra.points + (2, 0)
        vertebra.points = np.array([SHOWN[number](x, y, *size) for x, y in moved]) if turned else moved
        if turned and mirrored:
            order = [1, 0, 3, 2]
            vertebra.points, vertebra.visible = vertebra.points[order], vertebra.visible[order]
    if turned and number > 4:
        drawn.width, drawn.height = size[::-1]
    formats()["cvat"].write(tmp_path / "annotations.xml", [drawn])
    ((_, found),) = iter_results([tmp_path / "annotations.xml"])
    assert (found.width, found.height) == size
    by_name = {vertebra.label: vertebra for vertebra in found.vertebrae}
    for vertebra in rich("").vertebrae:
        back = by_name[vertebra.label]
        np.testing.assert_array_equal(back.visible, vertebra.visible)
        np.testing.assert_allclose(
            (back.points - vertebra.points)[back.visible], [[2, 0]] * back.visible.sum(), atol=1e-3
        )
    assert ("annotated as EXIF turns it" in " ".join(found.remarks)) is turned


def test_everything_that_a_format_may_lose_is_counted():
    told = rich("a.png", frame=Frame((1, 1), exif_orientation=3))
    told.vertebrae[0].points[0] = (-1, 32)
    told.vertebrae[1].points[1] = (-9, -9)  # not seen
    nothing = Format(name="x", title="X", holds=frozenset())
    said = [
        "X cannot hold level names (4)",
        "X cannot hold vertebrae with unseen points (2)",
        "X cannot hold points beside the vertebrae (10)",
        "X cannot hold lengths and angles drawn by a reader (2)",
        "X cannot hold points outside the picture (2)",
        "X cannot hold the slice or series of a reading (2): read again, it is taken to be of the central slice of the "
        "main series",
        "X cannot hold the patient's front (2): give --facing to measure it again",
        "X cannot hold why a reading has no grades (2): measured again, it gets grades",
        "EXIF turns 2 of the pictures: points are in px as stored, and off in programs that turn them (CVAT, Label "
        "Studio, labelme); give those copies without the tag",
    ]
    assert lost(nothing, [told, told]) == said
    levels = replace(nothing, holds=frozenset({"levels"}), stored=True)
    one = [line.replace("(10)", "(5)").replace("(2)", "(1)") for line in said]
    assert lost(levels, [told]) == [*one[1:5], "X cannot hold names that are no levels (1)", *one[5:8]]
    by_series = rich("a.png", slice=None, frame=Frame(toward_right="A"), not_graded=None, rulers=[], extras={}, landmarks=[], vertebrae=[])  # noqa: E501  # fmt: skip
    assert lost(nothing, [by_series]) == [one[5]]
    by_series.series = None
    assert lost(nothing, [by_series]) == []


def record(**fields):
    flat = [16, 32, 2, 48, 33, 1, 0, 0, 0, 48, 66, 2]
    body = {"bbox": [15, 31, 50, 67], "keypoints": flat, "label": "L1", "more": "kept"}
    return {
        "file_name": "a.png", "height": 256.0, "width": 128, "image_id": 7, "view": "sagittal", "day": 3,
        "origin": ["a:b"], "annotations": [body], "landmarks": [{"kind": "femoral_head", "centre": [3, 4], "more": 1}],
        "rulers": [{"kind": "length", "points": [[1, 2], [4, 6]], "value": 5}], "other": [1],
    } | fields  # fmt: skip


def test_a_record_as_it_is_checked():
    found = check_record(record(), "a.json")
    assert found == record() | {
        "height": 256, "schema": "vertebra4",
        "annotations": [
            {
                "bbox": [15, 31, 50, 67], "bbox_mode": 0, "category_id": 0, "label": "L1", "more": "kept",
                "keypoints": [16, 32, 2, 48, 33, 1, 0, 0, 0, 48, 66, 2],
            }
        ],
        "landmarks": [{"kind": "femoral_head", "centre": [3, 4]}],
        "rulers": [{"kind": "length", "points": [[1, 2], [4, 6]]}],
    }  # fmt: skip
    assert type(found["height"]) is int
    (body,) = found["annotations"]
    assert [type(v) for v in body["bbox"]] == [float] * 4
    assert [type(v) for v in body["keypoints"]] == [float, float, int] * 4


def test_bodies_of_a_record_that_are_left_out_are_told_with_how_many_stay():
    good = record()["annotations"][0]
    wrong = [good, good, good | {"label": 3}, None, good | {"bbox": [15, 31, 50, 68]}]
    left: list[InputError] = []
    found = check_record(record(annotations=wrong), "a.json", left_out=left)
    kept = "and is left out, the other 2 of the picture are kept"
    assert [str(error) for error in left] == [
        f"a.json: field 'annotations[1]' is a copy of another of its bodies, {kept} (remove one)",
        f"a.json: field 'annotations[2].label' is not text, {kept} (use names like 'L3')",
        f"a.json: field 'annotations[3]' is not a table of fields, {kept} (mend or remove this annotation)",
    ]
    assert [body["bbox"][3] for body in found["annotations"]] == [67, 68]


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_a_body_at_any_border_of_an_oblong_picture_keeps_its_other_points(side):
    """40 x 90 px; a body of 24 x 16 px lies against one border, another in the middle."""
    mask = np.zeros((90, 40), np.uint8)
    x, y = {"left": (0, 8), "top": (8, 0), "right": (16, 8), "bottom": (8, 74)}[side]
    mask[y : y + 16, x : x + 24], mask[38:54, 8:32] = 1, 2
    found, remarks = vertebrae_of(mask)
    assert remarks == []
    ((own,),) = ([v for v in found if not v.visible.all()],)
    names = ("bottom_left", "bottom_middle", "bottom_right", "top_right", "top_middle", "top_left")
    assert [name for name, seen in zip(names, own.visible, strict=True) if not seen] == [
        name for name in names if side in name.split("_")
    ]
    assert own.bbox == pytest.approx((x, y, x + 24, y + 16), abs=0.1)


def test_masks_are_named_by_where_they_lie(tmp_path):
    """A label picture at the top has no subject, and wrong notes of no one are no notes."""
    mask = np.zeros((64, 48), np.uint8)
    mask[10:26, 12:36] = 5
    cv2.imwrite(str(tmp_path / "a_label.png"), mask)
    save(tmp_path / "a.tiff", 64, 48)
    (tmp_path / "annotations.json").write_text("[1]")
    (item,) = formats()["masks"].read(tmp_path)
    assert (item.case, item.group, item.metadata, item.frame.spacing_mm) == ("a", None, {}, None)
    assert item.frame.spacing_source == "annotations.json"


def test_runs_of_different_settings_are_said(tmp_path):
    runs = {"1": {"model": "a", "threshold": 0.5}, "2": {"model": "b", "threshold": 0.5, "tta": True}, "3": None}
    (tmp_path / "run.json").write_text(json.dumps({"runs": runs}))
    said = f"{tmp_path} holds results of 2 runs, which differ in model, tta (see run.json)"
    assert several_runs([tmp_path, tmp_path / "a.json", tmp_path / "b.json"]) == [said]
    (tmp_path / "run.json").write_text(json.dumps({"runs": {"1": runs["1"]}}))
    assert several_runs([tmp_path]) == []
    assert several_runs([tmp_path / "none" / "a.json"]) == []
