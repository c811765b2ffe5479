from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest

from spinetk.cases.exporting import export
from spinetk.cases.folder import CaseFolder
from spinetk.cases.preparation import prepare
from spinetk.errors import InputError
from spinetk.formats.coco import coco_content, coco_items, write_coco


@pytest.fixture
def folder(tmp_path, make_case):
    for case in ("a", "b"):
        path = make_case(tmp_path, case, spacing_mm=[0.5, 0.5], spacing_source="user")
        content = json.loads(path.read_text())
        first = content["annotations"][0]
        first["label"] = "L3"
        moved = [v + 30 * (k % 3 == 0) for k, v in enumerate(first["keypoints"][:15])]
        second = {**first, "label": "L4", "bbox": [39, 11, 60, 31], "keypoints": [*moved, 0, 0, 0]}
        content["annotations"].append(second)
        path.write_text(json.dumps(content))
    return CaseFolder(tmp_path)


def test_pycocotools_reads_it(folder):
    from pycocotools.coco import COCO

    path = write_coco(folder.base / "coco.json", folder.records(folder.cases())[0], folder.base)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        coco = COCO(str(path))
    assert "rror" not in said.getvalue()
    assert len(coco.getImgIds()) == 2
    assert len(coco.getAnnIds()) == len(set(coco.getAnnIds())) == 4
    annotation = coco.loadAnns(coco.getAnnIds(imgIds=1))[1]
    assert annotation["num_keypoints"] == 5
    assert annotation["keypoints"][-3:] == [0, 0, 0]
    # 0.5 px less than ours: COCO counts from the centre of the first pixel.
    assert annotation["keypoints"][:3] == [39.75, 30.0, 2]
    assert annotation["bbox"] == [39, 11, 21, 20]
    assert annotation["area"] == 21 * 20
    category = coco.loadCats(coco.getCatIds())[0]
    assert category["keypoints"][0] == "bottom_left"
    assert sorted(np.ravel(category["skeleton"]).tolist()) == sorted([1, 2, 3, 4, 5, 6] * 2)
    assert coco.loadImgs(1)[0]["file_name"] == "a/src/0/src-0.png"


def test_oks_of_the_truth_with_itself_is_one(folder):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    content = coco_content(folder.records(folder.cases())[0], folder.base)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = content
        truth.createIndex()
        found = truth.loadRes([{**a, "score": 1.0} for a in content["annotations"]])
        judge = COCOeval(truth, found, "keypoints")
        judge.params.kpt_oks_sigmas = np.full(6, 0.035)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    assert judge.stats[0] == pytest.approx(1)


def test_round_trip(folder, tmp_path):
    before = folder.records(folder.cases())[0]
    write_coco(folder.base / "coco.json", before, folder.base)
    result = prepare(folder.base / "coco.json", tmp_path / "out", progress=False)
    assert result.failures == []
    again = CaseFolder(tmp_path / "out")
    assert again.cases() == ["a", "b"]
    for old, new in zip(before, again.records(["a", "b"])[0], strict=True):
        assert [a["label"] for a in new["annotations"]] == ["L3", "L4"]
        assert new["spacing_mm"] == [0.5, 0.5]
        for a, b in zip(old["annotations"], new["annotations"], strict=True):
            np.testing.assert_allclose(a["keypoints"], b["keypoints"], atol=1e-9)
            np.testing.assert_allclose(a["bbox"], b["bbox"], atol=1e-9)


def cvat(folder, **image) -> dict:
    """As CVAT writes "COCO Keypoints 1.0": attributes, segmentation, an empty second category."""
    names = ["top_left", "top_right", "bottom_left", "bottom_right"]
    return {
        "licenses": [{"name": "", "id": 0, "url": ""}],
        "info": {"contributor": "", "date_created": ""},
        "categories": [
            {"id": 1, "name": "vertebra", "supercategory": "", "keypoints": names, "skeleton": [[1, 2], [2, 4]]},
            {"id": 2, "name": "implant", "supercategory": ""},
        ],
        "images": [{"id": 7, "width": 64, "height": 48, "file_name": "src-0.png", "license": 0, **image}],
        "annotations": [
            {
                "id": 1,
                "image_id": 7,
                "category_id": 1,
                "segmentation": [],
                "area": 100.0,
                "bbox": [9.5, 9.5, 10, 10],
                "iscrowd": 0,
                "attributes": {"occluded": False, "keyframe": False},
                "keypoints": [9.5, 9.5, 2, 19.5, 9.5, 1, 0, 0, 0, 19.5, 19.5, 2],
                "num_keypoints": 3,
            },
            {"id": 2, "image_id": 7, "category_id": 2, "bbox": [1, 1, 2, 2], "area": 4, "iscrowd": 0},
        ],
    }


def write_cvat(folder, content):
    path = folder.base / "cvat/annotations/person_keypoints_default.json"
    path.parent.mkdir(parents=True)
    (path.parents[1] / "images/default").mkdir(parents=True)
    picture = path.parents[1] / "images/default/src-0.png"
    picture.write_bytes((folder.base / "a/src/0/src-0.png").read_bytes())
    path.write_text(json.dumps(content))
    return path.parents[1]


@pytest.mark.parametrize(
    ("fields", "group"),
    [
        ({}, None),
        ({"group": "ward 3"}, "ward 3"),
        ({"patient": 17}, "17"),
        ({"group": None, "patient": "p"}, "p"),
        ({"group": 0, "patient": "p"}, "0"),
    ],
)
def test_the_group_of_an_image_is_kept(folder, fields, group):
    """So that pictures of one patient stay in one part of a split."""
    (item,) = coco_items(write_cvat(folder, cvat(folder, **fields)))
    assert (item.group, item.metadata) == (group, {} if group is None else {"group": group})


@pytest.mark.parametrize(("width", "height", "fits"), [(1, 1, True), (0, 5, False), (5, 0, False), (5, None, False)])
def test_a_picture_has_a_side_of_one_pixel_at_least(folder, width, height, fits):
    content = cvat(folder, width=width, height=height)
    content["annotations"] = []
    (item,) = coco_items(write_cvat(folder, content))
    assert isinstance(item, InputError) == (not fits)
    assert fits == (getattr(item, "size", None) == (width, height))


@pytest.mark.parametrize(
    "name", ["../../../a/src/0/src-0.png", "/etc/passwd", "C:\\x\\..\\..\\a.png", "", "none.png", "a\0"]
)
def test_names_that_lead_out_of_the_set(folder, name):
    """The end of a name is looked for in the set; nothing outside of it is ever opened."""
    base = write_cvat(folder, cvat(folder, file_name=name))
    (item,) = coco_items(base)
    if name.endswith("src-0.png"):
        assert item.picture == base / "images/default/src-0.png"
    else:
        assert item.missing is not None
        assert len(item.picture.parts) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("keypoints", [1, 2, 2]), ("keypoints", [float("nan")] * 12), ("keypoints", "x"), ("bbox", [1, 2])],
)
def test_a_wrong_annotation_is_named(folder, field, value):
    content = cvat(folder)
    content["annotations"][0][field] = value
    (item,) = coco_items(write_cvat(folder, content))
    assert isinstance(item, InputError)
    assert "annotation 1" in str(item)
    assert field in str(item)


def test_files_of_another_kind(tmp_path):
    path = tmp_path / "a.json"
    for text in ("[]", '{"images": []}', '{"images": [], "annotations": [], "categories": [{"id": 1}]}'):
        path.write_text(text)
        with pytest.raises(InputError, match=r"a\.json"):
            list(coco_items(path))


def test_pictures_of_one_name(folder):
    with pytest.raises(InputError, match="two pictures"):
        coco_content(folder.records(folder.cases())[0])
    with pytest.raises(InputError, match="no records"):
        coco_content([])


def test_export_of_a_part(folder):
    assert export(folder.base, folder.base / "all.json") == 2
    with pytest.raises(InputError, match=r"split\.json"):
        export(folder.base, folder.base / "x.json", part="test")
    (folder.base / "split.json").write_text('{"parts": {"test": ["b"]}}')
    assert export(folder.base, folder.base / "x.json", part="test") == 1
    assert json.loads((folder.base / "x.json").read_text())["images"][0]["file_name"] == "b/src/0/src-0.png"
