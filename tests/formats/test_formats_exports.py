"""Readers of what COCO tools, CVAT and Label Studio export, on files written by hand as the programs write them."""

from __future__ import annotations

import itertools
import json

import cv2
import numpy as np
import pytest
from two_bodies import HEIGHT, LOWER, NAMES, UPPER, WIDTH, check, only

from spinetk.cases.preparation import prepare
from spinetk.errors import InputError
from spinetk.formats.cvat import cvat_items
from spinetk.formats.registry import read
from spinetk.formats.results import iter_results
from spinetk.schema import VERTEBRA4

# --- COCO ---


def coco(folder, *entries, **fields):
    category = {"id": 1, "name": "vertebra", "keypoints": list(NAMES), "skeleton": []}
    image = {"id": 1, "width": WIDTH, "height": HEIGHT, "file_name": "film.png"}
    content = {"images": [image], "annotations": list(entries), "categories": [category]} | fields
    (folder / "coco.json").write_text(json.dumps(content))
    return folder


def entry(points, shift=0.5, **fields):
    flat = [v for name in NAMES for v in (points[name][0] - shift, points[name][1] - shift, 2)]
    return {"id": 1, "image_id": 1, "category_id": 1, "keypoints": flat, "iscrowd": 0, **fields}


@pytest.mark.parametrize("attributes", [{"level": "L3"}, {"label": "L3"}])
def test_coco_of_cvat_is_where_its_xml_is(folder, attributes):
    """One task of CVAT, exported twice."""
    text = "".join(f'<points label="{n}" outside="0" points="{x},{y}"/>' for n, (x, y) in UPPER.items())
    level = '<attribute name="level">L3</attribute>'
    image = f'<image id="0" name="film.png" width="{WIDTH}" height="{HEIGHT}"><skeleton label="vertebra">{level}{text}'
    (folder / "a.xml").write_text(f"<annotations>{image}</skeleton></image></annotations>")
    coco(folder, entry(UPPER, shift=0, attributes={"occluded": False, **attributes}))
    xml, again = only(folder / "a.xml"), only(folder / "coco.json")
    np.testing.assert_allclose(again.vertebrae[0].points, xml.vertebrae[0].points, atol=1e-9)
    assert again.vertebrae[0].label == xml.vertebrae[0].label == "L3"
    assert "CVAT wrote it" in again.remarks[-1]


@pytest.mark.parametrize("fields", [{"label": "L3"}, {"attributes": {"level": "L3"}}, {"attributes": {"label": "L3"}}])
def test_coco_levels_stand_in_the_annotation_or_its_attributes(folder, fields):
    assert only(coco(folder, entry(UPPER, **fields))).vertebrae[0].label == "L3"


@pytest.mark.parametrize("info", [{"contributor": "Label Studio"}, {"description": "Exported from roboflow.com"}])
def test_coco_of_programs_that_count_from_the_corner(folder, info):
    item = only(coco(folder, entry(UPPER, shift=0), info=info))
    np.testing.assert_allclose(item.vertebrae[0].points[0], UPPER["bottom_left"])


def test_coco_of_label_studio_that_joins_all_bodies_is_refused(folder):
    category = {"id": 1, "name": "default", "keypoints": list(NAMES)}
    info = {"contributor": "Label Studio"}
    (error,) = read(coco(folder, entry(UPPER), categories=[category], info=info))
    assert "all its vertebrae in one annotation" in str(error)
    assert "JSON or YOLO" in str(error)


@pytest.mark.parametrize("key", ["1", 1.0])
def test_coco_ids_of_other_types(folder, key):
    check(only(coco(folder, entry(UPPER, image_id=key), entry(LOWER, image_id=1))), (None, None))


def test_coco_annotations_that_meet_no_image(folder):
    found = list(read(coco(folder, entry(UPPER, image_id=7), entry(LOWER, image_id=8))))
    assert all(isinstance(one, InputError) for one in found)
    assert "2 annotations of 2 pictures met no image" in str(found[0])
    assert "no annotation, while others" in str(found[1])


def test_coco_outlines_without_keypoints(folder):
    quad = [v for n in ("top_left", "top_right", "bottom_right", "bottom_left") for v in UPPER[n]]
    item = only(coco(folder, {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [quad]}, categories=[{"id": 1, "name": "L3"}]))  # noqa: E501  # fmt: skip
    assert (item.vertebrae[0].label, item.schema) == ("L3", VERTEBRA4)
    np.testing.assert_allclose(item.vertebrae[0].points[0], UPPER["top_left"])


# --- CVAT for video ---


def test_cvat_for_video_takes_the_frames_somebody_annotated(tmp_path):
    (tmp_path / "images").mkdir()
    for number in range(4):
        pixels = np.full((HEIGHT, WIDTH), 10 * number, np.uint8)
        cv2.imwrite(str(tmp_path / "images" / f"frame_{number:06d}.png"), pixels)
    tracks = ""
    for k, (level, points) in enumerate((("L3", UPPER), ("L4", LOWER))):
        tracks += f'<track id="{k}" label="vertebra" source="manual">'
        for frame, key in ((0, 1), (1, 0), (2, 1), (3, 0)):
            tracks += f'<skeleton frame="{frame}" keyframe="{key}" outside="{int(frame == 3)}" z_order="0">'
            tracks += f'<attribute name="level">{level}</attribute>'
            tracks += "".join(
                f'<points label="{n}" keyframe="{key}" outside="0" points="{x + frame},{y}"/>'
                for n, (x, y) in points.items()
            )
            tracks += "</skeleton>"
        tracks += "</track>"
    size = f"<original_size><width>{WIDTH}</width><height>{HEIGHT}</height></original_size>"
    meta = f"<meta><task><mode>interpolation</mode>{size}</task></meta>"
    (tmp_path / "annotations.xml").write_text(f"<annotations><version>1.1</version>{meta}{tracks}</annotations>")
    first, second = cvat_items(tmp_path)
    assert [item.picture.name for item in (first, second)] == ["frame_000000.png", "frame_000002.png"]
    assert [v.label for v in second.vertebrae] == ["L3", "L4"]
    np.testing.assert_allclose(second.vertebrae[0].points[0], np.add(UPPER["bottom_left"], (2, 0)))
    assert first.remarks == ["2 frames between the annotated ones were left out: their points are interpolated"]


def test_cvat_loose_points_in_groups(folder):
    """As datumaro and people write them: a point a label, tied by the group."""
    text = "".join(
        f'<points label="{n}" group_id="{g}" points="{x},{y}"/>'
        for g, points in ((1, UPPER), (2, LOWER))
        for n, (x, y) in points.items()
    )
    image = f'<image id="0" name="film.png" width="{WIDTH}" height="{HEIGHT}">{text}</image>'
    (folder / "a.xml").write_text(f"<annotations>{image}</annotations>")
    check(only(folder / "a.xml"), (None, None))


# --- Label Studio ---


def regions(points, key, **fields):
    for name, (x, y) in points.items():
        yield {
            "id": f"{key}{name}",
            "type": "keypointlabels",
            "original_width": WIDTH,
            "original_height": HEIGHT,
            "value": {"x": 100 * x / WIDTH, "y": 100 * y / HEIGHT, "keypointlabels": [name]},
            **fields,
        }


def test_label_studio_points_tied_by_relations_alone(folder):
    result = [*regions(UPPER, "a"), *regions(LOWER, "b")]
    for key in "ab":
        ties = [f"{key}{name}" for name in NAMES]
        result += [{"type": "relation", "from_id": a, "to_id": b} for a, b in itertools.pairwise(ties)]
    task = {"id": 1, "data": {"image": "/data/local-files/?d=x%2Ffilm.png"}, "annotations": [{"result": result}]}
    (folder / "e.json").write_text(json.dumps([task]))
    check(only(folder), (None, None))


def test_two_annotators_are_two_readings(folder, tmp_path, capsys):
    moved = {name: (x + 1, y) for name, (x, y) in UPPER.items()}
    answers = [
        {"id": 5, "completed_by": 1, "updated_at": "2024-02", "result": list(regions(UPPER, "a", parentID="v"))},
        {"id": 6, "completed_by": {"id": 2, "email": "somebody@example.org"}, "updated_at": "2024-01"}
        | {"result": list(regions(moved, "a", parentID="v"))},
    ]
    (folder / "e.json").write_text(json.dumps([{"id": 1, "data": {"image": "film.png"}, "annotations": answers}]))
    first, second = read(folder / "e.json")
    assert (first.annotator, second.annotator, first.rank, second.rank) == ("annotator 1", "annotator 2", 0, 1)
    assert "the newest counts (by annotator 1)" in first.remarks[0]
    done = prepare(folder / "e.json", tmp_path / "cases", progress=False)
    assert done.cases == ["film"]
    assert any("a further reading (by annotator 2) was left out" in line for line in done.remarks)
    paths = [path.name for path, _ in iter_results([folder / "e.json"])]
    assert paths == ["film.json", "film.annotator-2.json"]
    from spinetk.report.agreement import agree_in

    found = agree_in(folder / "e.json")
    assert found.values["file"].nunique() == 1
    np.testing.assert_allclose(found.values.loc[found.values["unit"] == "px", "difference"], 0, atol=1e-6)
