"""What is made of YOLO sets, masks, cases and results in which every field says something, whole."""

from __future__ import annotations

import json

import cv2
import numpy as np
from whole import HEIGHT, LOWER, NAMES, UPPER, WIDTH, flat, items, plain, rich, save, told

from spinetk.facing import Facing
from spinetk.geometry import Frame

# --- YOLO ---


def line(kind, points, box, v=(2, 2, 2, 2), size=(WIDTH, HEIGHT), more=""):
    x0, y0, x1, y1 = box
    numbers = [(x0 + x1) / 2 / size[0], (y0 + y1) / 2 / size[1], (x1 - x0) / size[0], (y1 - y0) / size[1]]
    for (x, y), seen in zip(points, v, strict=True):
        numbers += [x / size[0], y / size[1], *([] if seen is None else [seen])]
    return f"{kind} {' '.join(map(str, numbers))}{more}\n"


def test_yolo(tmp_path):
    save(tmp_path / "images" / "train" / "a.png")
    save(tmp_path / "images" / "b.JPG", 32, 16)
    labels = tmp_path / "labels" / "train"
    labels.mkdir(parents=True)
    lines = [
        line(0, LOWER, (19, 79, 53, 115), (2, 0, 1, 2), more=" 0.75"),
        "\n",
        line(1, UPPER, (15, 31, 50, 67), more=" 7"),
    ]
    (labels / "a.txt").write_text("".join(lines))
    (tmp_path / "labels" / "b.txt").write_text(line(5, np.array(UPPER) / 8, (1, 3, 8, 9), size=(16, 32)))
    (tmp_path / "data.yaml").write_text(
        f"kpt_shape: [4, 3]\nnames: {{0: L2, 1: L1}}\nkpt_names: {{0: {json.dumps(NAMES)}}}\n"
    )
    (tmp_path / "notes.txt").write_text("no labels")
    second, first = items("yolo", tmp_path)
    assert first == {
        "picture": tmp_path / "images" / "train" / "a.png",
        "case": "a",
        "schema": "vertebra4",
        "vertebrae": [
            told(UPPER, box=[15, 31, 50, 67], label="L1"),
            told(LOWER, (1, 0, 1, 1), box=[19, 79, 53, 115], label="L2", score=0.75),
        ],
        "size": [128, 256],
    }
    assert second == {
        "picture": tmp_path / "images" / "b.JPG",
        "case": "b",
        "schema": "vertebra4",
        "vertebrae": [told([[2, 4], [6, 4.125], [2, 8], [6, 8.25]], box=[1, 3, 8, 9])],
        "size": [16, 32],
    }


def test_yolo_without_names_and_without_visibility(tmp_path):
    """Of two numbers a point, 0 0 is one that was not seen; what was found about the names is said once."""
    for name in "ab":
        save(tmp_path / f"{name}.png")
    (tmp_path / "labels").mkdir()
    nothing = [[0, 0] if k == 1 else place for k, place in enumerate(LOWER)]
    (tmp_path / "labels" / "a.txt").write_text(
        line(0, UPPER, (15, 31, 50, 67), (None,) * 4) + line(0, nothing, (19, 79, 53, 115), (None,) * 4)
    )
    (tmp_path / "labels" / "b.txt").write_text(line(0, UPPER, (15, 31, 50, 67), (None,) * 4))
    (tmp_path / "x.yml").write_text("kpt_shape: [4, 2]\n")
    first, second = items("yolo", tmp_path)
    assert first["vertebrae"] == [
        told(UPPER, box=[15, 31, 50, 67]),
        told(nothing, (1, 0, 1, 1), box=[19, 79, 53, 115]),
    ]
    assert first["remarks"] == ["its points have no names: named by their places in 2 of 2 bodies"]
    assert "remarks" not in second


def test_label_studio_s_yolo(tmp_path):
    save(tmp_path / "images" / "film.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "0a1b2c3d-film.txt").write_text(line(3, UPPER, (15, 31, 50, 67)))
    categories = [{"id": 3, "name": "L1", "keypoints": NAMES}, {"id": 4, "name": "L2"}]
    (tmp_path / "notes.json").write_text(json.dumps({"categories": categories}))
    (item,) = items("yolo", tmp_path)
    assert item == {
        "picture": tmp_path / "images" / "film.png",
        "case": "0a1b2c3d-film",
        "schema": "vertebra4",
        "vertebrae": [told(UPPER, box=[15, 31, 50, 67], label="L1")],
        "size": [128, 256],
    }


# --- masks ---


def test_masks(tmp_path):
    mask = np.zeros((64, 48), np.uint8)
    mask[10:26, 12:36], mask[34:50, 12:36], mask[60:62, 2:4] = 5, 4, 9
    (tmp_path / "p1" / "deep").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "p1" / "deep" / "a_label.png"), mask)
    save(tmp_path / "p1" / "deep" / "a.jpg", 64, 48)
    note = {"spacing_mm": [0.5, 0.25], "levels": "label 4..5 = L2.."}
    (tmp_path / "annotations.json").write_text(json.dumps({"p1": note, "p2": {"spacing_mm": [9, 9]}}))
    (item,) = items("masks", tmp_path)
    upper = [[12, 26], [24, 26], [36, 26], [36, 10], [24, 10], [12, 10]]
    lower = [[x, y + 24] for x, y in upper]
    for one in item["vertebrae"]:
        one["points"] = np.round(one["points"], 1).tolist()
        one["bbox"] = np.round(one["bbox"], 1).tolist()
    assert item == {
        "picture": tmp_path / "p1" / "deep" / "a.jpg",
        "case": "p1_deep_a",
        "schema": "vertebra6",
        "vertebrae": [told(upper, [1] * 6, label="L3"), told(lower, [1] * 6, label="L2")],
        "group": "p1",
        "metadata": {"group": "p1"},
        "frame": Frame((0.5, 0.25), "annotations.json"),
        "view": "sagittal",
        "size": [48, 64],
        "remarks": ["body 9 left out: only 4 px"],
    }


# --- ours ---


def test_ours(tmp_path):
    """A case of a case folder, and a picture with a case JSON beside it: what the file says, under its case's name."""
    told_body = {"bbox": [15, 31, 50, 67], "keypoints": flat(UPPER, shift=0), "label": "L1"}
    record = {
        "height": HEIGHT, "width": WIDTH, "image_id": 1, "annotations": [told_body], "view": "sagittal",
        "spacing_mm": [0.5, 0.25], "spacing_source": "user", "orientation": ["A", "F"], "pixel_aspect": 2.0,
        "exif_orientation": 1, "extras": {"dens": [[1, 2]]}, "origin": ["patient:x"], "day": 4,
        "landmarks": [{"kind": "femoral_head", "centre": [30, 240], "radius_px": 9.5}],
        "rulers": [{"kind": "length", "points": [[1, 2], [4, 6]]}],
    }  # fmt: skip
    for path in (
        tmp_path / "case 1" / "src" / "0" / "src-0",
        tmp_path / "sub" / "b",
        tmp_path / "case 1" / "augs" / "1" / "aug-1",
    ):
        save(path.with_suffix(".png"))
        path.with_suffix(".json").write_text(json.dumps(record))
    (tmp_path / "metadata.json").write_text(json.dumps({"case 1": {"patient": 7, "sex": "F"}, "b": {"group": "g"}}))
    first, second = items("ours", tmp_path)
    common = {
        "schema": "vertebra4",
        "vertebrae": [told(UPPER, box=[15, 31, 50, 67], label="L1")],
        "landmarks": [{"kind": "femoral_head", "points": [[30, 240]], "radius_px": 9.5}],
        "extras": {"dens": [[1, 2]]},
        "rulers": [{"kind": "length", "points": [[1, 2], [4, 6]]}],
        "origin": ["patient:x"],
        "day": 4,
        "frame": Frame((0.5, 0.25), "user", "A", "F", 2.0),
        "view": "sagittal",
        "size": [128, 256],
    }
    assert first == common | {
        "picture": tmp_path / "case 1" / "src" / "0" / "src-0.png",
        "case": "case 1",
        "group": "7",
        "metadata": {"patient": 7, "sex": "F"},
    }
    assert second == common | {
        "picture": tmp_path / "sub" / "b.png", "case": "sub_b", "group": "g", "metadata": {"group": "g"},
    }  # fmt: skip


def test_a_result(tmp_path):

    save(tmp_path / "film.png")
    wanted = rich("/elsewhere/film.png")
    (tmp_path / "a.json").write_text(json.dumps(wanted.to_json()))
    (item,) = items("ours", tmp_path / "a.json")
    fields = plain(wanted)
    for name in ("file", "height", "width", "angles", "remarks"):
        del fields[name]
    fields["facing"] = Facing("left", "sacrum", 0.9688)
    assert item == fields | {"picture": tmp_path / "film.png", "case": "a", "size": [128, 256]}
