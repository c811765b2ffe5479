"""CVAT XML and Label Studio JSON become case folders."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from spinetk.cases.folder import CaseFolder
from spinetk.cases.preparation import prepare
from spinetk.errors import InputError
from spinetk.formats.cvat import cvat_items
from spinetk.formats.labelstudio import labelstudio_items
from spinetk.formats.registry import detect
from spinetk.schema import VERTEBRA4, VERTEBRA6

WIDTH, HEIGHT = 200, 160
CORNERS = {"top_left": (50, 40), "top_right": (90, 44), "bottom_left": (50, 70), "bottom_right": (92, 72.5)}
LOWER = {name: (x + 4, y + 60) for name, (x, y) in CORNERS.items()}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "images" / "film.png"), pixels)
    return tmp_path


def skeleton(points, level=None):
    text = f'<attribute name="level">{level}</attribute>' if level else ""
    text += "".join(
        f'<points label="{name}" outside="0" occluded="0" points="{x:.2f},{y:.2f}"/>' for name, (x, y) in points.items()
    )
    return f'<skeleton label="vertebra">{text}</skeleton>'


def cvat(folder, shapes, name="film.png", more=""):
    image = f'<image id="0" name="{name}" width="{WIDTH}" height="{HEIGHT}">{shapes}</image>'
    (folder / "annotations.xml").write_text(f"<annotations><version>1.1</version>{image}{more}</annotations>")
    return folder


def check(items, levels):
    (item,) = items
    assert item.picture.name == "film.png"
    assert item.case == "film"
    assert item.schema == VERTEBRA4
    assert item.size == (WIDTH, HEIGHT)
    assert [v.label for v in item.vertebrae] == levels
    for vertebra, wanted in zip(item.vertebrae, (CORNERS, LOWER), strict=True):
        points = [wanted[name] for name in VERTEBRA4.keypoints]
        np.testing.assert_allclose(vertebra.points, points, atol=1e-9)


def test_cvat_skeletons(folder):
    cvat(folder, skeleton(LOWER) + skeleton(CORNERS, "L3"))
    assert detect(folder)[0].name == detect(folder / "annotations.xml")[0].name == "cvat"
    check(cvat_items(folder), ["L3", None])
    check(cvat_items(folder / "annotations.xml"), ["L3", None])


def test_a_faulty_cvat_image_does_not_cost_the_others(folder):
    more = '<image id="1" name="b.png" width="9" height="x"/>'
    more += f'<image id="2" name="none.png" width="9" height="9">{skeleton(CORNERS)}</image>'
    more += f'<image id="3" name="../film.png" width="9" height="9">{skeleton(CORNERS)}</image>'
    more += '<image id="4" name="film.png" width="9" height="9"/>'
    cvat(folder, skeleton(CORNERS), more=more)
    first, *others = cvat_items(folder)
    assert first.case == "film"
    said = [str(error if isinstance(error, InputError) else error.missing) for error in others]
    for line, word in zip(said, ("height", "none.png", "only one film.png", "no annotation"), strict=True):
        assert word in line


def region(label, x, y, kind="keypointlabels", **fields):
    value = {"x": 100 * x / WIDTH, "y": 100 * y / HEIGHT, "width": 0.5, kind: [label]}
    if kind == "rectanglelabels":
        value |= {"width": 100 * fields.pop("w") / WIDTH, "height": 100 * fields.pop("h") / HEIGHT, "rotation": 0}
    return {"type": kind, "value": value, "original_width": WIDTH, "original_height": HEIGHT, **fields}


def by_box():
    yield region("L3", 45, 35, "rectanglelabels", w=55, h=45, id="b1")
    yield region("vertebra", 45, 95, "rectanglelabels", w=60, h=50, id="b2")
    for points in (LOWER, CORNERS):
        yield from (region(name, x, y) for name, (x, y) in points.items())


def by_parent():
    yield region("L3", 0, 0, "rectanglelabels", w=200, h=160, id="b1")
    for parent, points in (("b1", CORNERS), ("b2", LOWER)):
        yield from (region(name, x, y, parentID=parent) for name, (x, y) in points.items())


def by_name():
    for level, points in (("L3", CORNERS), ("lower one", LOWER)):
        yield from (region(f"{level}_{name}", x, y) for name, (x, y) in points.items())


def task(result, **fields):
    annotations = [{"id": 1, "result": list(result), "was_cancelled": False, "updated_at": "2024-02-01"}]
    data = {"image": "/data/upload/3/0a1b2c3d-film.png"}
    return {"id": 7, "file_upload": "0a1b2c3d-film.png", "data": data, "annotations": annotations, **fields}


def labelstudio(folder, *tasks):
    (folder / "project.json").write_text(json.dumps(tasks))
    return folder


@pytest.mark.parametrize("way", [by_box, by_parent, by_name])
def test_label_studio_points_find_their_vertebra(folder, way):
    labelstudio(folder, task(way()))
    assert detect(folder)[0].name == detect(folder / "project.json")[0].name == "labelstudio"
    check(labelstudio_items(folder), ["L3", None])


def test_label_studio_local_files_and_the_newest_annotation(folder):
    old = {"id": 1, "result": [region("x", 1, 1)], "updated_at": "2023-01-01"}
    gone = {"id": 2, "result": [region("y", 1, 1)], "updated_at": "2025-01-01", "was_cancelled": True}
    entry = task(by_name(), file_upload=None, data={"image": "/data/local-files/?d=some/where/film.png"})
    entry["annotations"] += [old, gone]
    items = list(labelstudio_items(labelstudio(folder, entry)))
    check(items[:1], ["L3", None])
    assert "2 annotations of one picture: the newest counts" in items[0].remarks[0]
    assert "no keypoint" in str(items[1])


def test_label_studio_six_points_and_missing_ones(folder):
    result = [*by_box(), region("top_middle", 70, 42)]
    (item,) = labelstudio_items(labelstudio(folder, task(result)))
    assert item.schema == VERTEBRA6
    assert [int(v.visible.sum()) for v in item.vertebrae] == [5, 4]
    (item,) = labelstudio_items(folder, VERTEBRA4)
    assert item.schema == VERTEBRA4


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda r: r[2:], "belongs to no vertebra"),
        (lambda r: [*r, region("top_left", 60, 50)], "two points"),
        (lambda r: r[:2], "no keypoint"),
        (lambda r: [], "no annotation"),
        (lambda r: [{**r[0], "image_rotation": 90}, *r[1:]], "rotated"),
        (lambda r: [{**r[0], "original_width": 7}, *r[1:]], "how large"),
        (lambda r: [{**one, "original_width": None} for one in r], "how large"),
        (lambda r: [*r, region("top_left", float("nan"), 3)], "coordinate"),
        (lambda r: [*r, {**r[-1], "value": {"x": "a", "y": 1, "keypointlabels": ["top_left"]}}], "no number"),
    ],
)
def test_label_studio_faults_are_one_line_each(folder, change, word):
    labelstudio(folder, task(change(list(by_box()))), task(by_box()))
    wrong, right = labelstudio_items(folder)
    assert isinstance(wrong, InputError)
    assert word in str(wrong)
    assert "\n" not in str(wrong)
    assert right.case == "film"


@pytest.mark.parametrize("name", ["../../secret.png", "/etc/passwd", "", "none.png", "a\0.png"])
def test_label_studio_names_cannot_lead_out(folder, name):
    (folder.parent / "secret.png").write_bytes((folder / "images" / "film.png").read_bytes())
    (item,) = labelstudio_items(labelstudio(folder, task(by_box(), file_upload=None, data={"image": name})))
    assert item.missing is not None
    assert len(item.picture.parts) == 1


def test_label_studio_points_beside_the_vertebrae(folder):
    more = [region("femoral_head", 20, 150), region("Femoral head", 60, 150), region("nose", 5, 5)]
    (item,) = labelstudio_items(labelstudio(folder, task([*by_box(), *more])))
    check([item], ["L3", None])
    np.testing.assert_allclose([mark.points[0] for mark in item.landmarks], [[20, 150], [60, 150]])
    assert {mark.kind for mark in item.landmarks} == {"femoral_head"}
    assert item.remarks == ["1 x point 'nose' without the points of vertebra4: left out"]


def test_what_is_no_export_is_refused(folder):
    (folder / "a.json").write_text("[1, 2]")
    for source in (folder, folder / "a.json"):
        with pytest.raises(InputError, match="Label Studio"):
            list(labelstudio_items(source))
    with pytest.raises(InputError, match="CVAT"):
        list(cvat_items(folder))


@pytest.mark.parametrize("tool", ["cvat", "labelstudio"])
def test_prepare_writes_cases_of_both(folder, tmp_path, tool):
    if tool == "cvat":
        cvat(folder, skeleton(LOWER) + skeleton(CORNERS, "L3"))
    else:
        labelstudio(folder, task(by_box()))
    done = prepare(folder, tmp_path / "cases", progress=False)
    assert (done.cases, done.failures) == (["film"], [])
    record = json.loads(CaseFolder(tmp_path / "cases").source("film").read_text())
    assert record["annotations"][0]["label"] == "L3"
    np.testing.assert_allclose(np.reshape(record["annotations"][0]["keypoints"], (-1, 3))[0, :2], (50, 40))


def test_a_body_with_all_points_hidden_is_counted(folder):
    cvat(folder, skeleton(CORNERS, "L3") + skeleton(LOWER).replace('outside="0"', 'outside="1"'))
    (item,) = cvat_items(folder)
    assert [v.label for v in item.vertebrae] == ["L3"]
    assert "1 x without a visible point: left out" in item.remarks


def test_a_turn_that_is_no_number_names_the_file(folder):
    regions = list(by_box())
    regions[0]["value"]["rotation"] = "some"
    (error,) = labelstudio_items(labelstudio(folder, task(regions)))
    assert str(error).startswith(str(folder / "project.json"))
    assert "has a coordinate that is no number" in str(error)
