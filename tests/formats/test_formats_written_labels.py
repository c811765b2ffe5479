"""What is written for YOLO, labelme and Label Studio of a reading in which every field says something, whole."""

from __future__ import annotations

import json

import numpy as np
import yaml
from whole import LOWER, NAMES, UPPER, bodies, rich, small, written

from spinetk.formats.labelstudio import write_tasks
from spinetk.formats.registry import formats
from spinetk.schema import VERTEBRA6

# --- YOLO: https://docs.ultralytics.com/datasets/pose/ ---


def test_yolo(tmp_path):
    first, second = rich("somewhere/film.png"), small()
    second.vertebrae[0].label = "T12"
    path = tmp_path / "yolo" / "data.yaml"
    files = formats()["yolo"].write(path, [first, second])
    assert files == [path, path.parent / "labels" / "film.txt", path.parent / "labels" / "größe.txt"]
    text = path.read_text()
    assert text.startswith("# Put the pictures into the folder images, and name other ones for val.\npath: .\ntrain: i")
    assert yaml.safe_load(text) == {
        "path": ".",
        "train": "images",
        "val": "images",
        "kpt_shape": [4, 3],
        "flip_idx": [1, 0, 3, 2],
        "names": {0: "T12", 1: "L1", 2: "vertebra"},
        "kpt_names": dict.fromkeys(range(3), NAMES),
    }
    # Of 128 x 256 px: boxes (15, 31, 50, 67) and (19, 79, 53, 115) by centre and extent.
    assert files[1].read_text() == (
        "1 0.253906250 0.191406250 0.273437500 0.140625000 0.125000000 0.125000000 2 0.375000000 0.128906250 2 "
        "0.125000000 0.250000000 2 0.375000000 0.257812500 2\n"
        "2 0.281250000 0.378906250 0.265625000 0.140625000 0.156250000 0.312500000 2 0 0 0 "
        "0.156250000 0.437500000 2 0.406250000 0.445312500 2\n"
    )
    assert files[2].read_text() == (
        "0 0.500000000 0.250000000 0.500000000 0.250000000 0.250000000 0.125000000 2 0.750000000 0.125000000 2 "
        "0.250000000 0.375000000 2 0.750000000 0.375000000 2\n"
    )


# --- labelme ---


def labelme_point(label, place, group):
    return {
        "label": label, "points": [place], "group_id": group, "description": "", "shape_type": "point", "flags": {},
        "mask": None,
    }  # fmt: skip


def test_labelme(tmp_path):
    path = written("labelme", tmp_path / "out" / "a.labelme.json", [rich("somewhere/größe.png")])
    text = path.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert '\n "flags": {},\n' in text
    assert "größe" in text
    shapes = [labelme_point(f"L1_{name}", place, 1) for name, place in zip(NAMES, UPPER, strict=True)]
    shapes += [labelme_point(f"hook_{NAMES[k]}", LOWER[k], 2) for k in (0, 2, 3)]
    shapes += [labelme_point("s1_left", [20, 200], None), labelme_point("s1_right", [56, 212], None)]
    shapes += [labelme_point("femoral_head", [30, 240], None)]
    shapes += [labelme_point("clavicle_left", [8, 4], None), labelme_point("clavicle_left", [24, 6], None)]
    assert json.loads(text) == {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": "größe.png",
        "imageData": None,
        "imageHeight": 256,
        "imageWidth": 128,
    }
    # A picture that is there is named as seen from the file, and a body without a name has bare points.
    (tmp_path / "film.png").write_bytes(b"x")
    content = json.loads(written("labelme", path, [small(str(tmp_path / "film.png"))]).read_text())
    assert content["imagePath"] == "../film.png"
    assert [shape["label"] for shape in content["shapes"]] == NAMES


# --- Label Studio: percent of the picture ---


def region(name, kind, control, label, x, y, **more):
    return {
        "id": name, "type": kind, "from_name": control, "to_name": "image", "original_width": 128,
        "original_height": 256, "image_rotation": 0,
        "value": {"x": x / 128 * 100, "y": y / 256 * 100, kind: [label], **more},
    }  # fmt: skip


def test_label_studio(tmp_path):
    path = tmp_path / "labelstudio.json"
    second = small()
    assert formats()["labelstudio"].write(path, [rich("somewhere/film.png"), second]) == [
        path, tmp_path / "labelstudio.xml",
    ]  # fmt: skip
    first, other = json.loads(path.read_text())
    wanted = [
        region("v0", "rectanglelabels", "vertebra", "L1", 15, 31, width=27.34375, height=14.0625, rotation=0)
        | {"score": 0.75}
    ]
    wanted += [
        region(f"v0-{name}", "keypointlabels", "points", name, *place, width=0.5) | {"parentID": "v0"}
        for name, place in zip(NAMES, UPPER, strict=True)
    ]
    # A name that is no level is none of the labels that the set-up has.
    wanted += [
        region("v1", "rectanglelabels", "vertebra", "vertebra", 19, 79, width=26.5625, height=14.0625, rotation=0)
    ]
    wanted += [
        region(f"v1-{NAMES[k]}", "keypointlabels", "points", NAMES[k], *LOWER[k], width=0.5) | {"parentID": "v1"}
        for k in (0, 2, 3)
    ]
    for name, number, place in (
        ("s1_left", 0, (20, 200)), ("s1_right", 0, (56, 212)), ("femoral_head", 0, (30, 240)),
        ("clavicle_left", 0, (8, 4)), ("clavicle_left", 1, (24, 6)),
    ):  # fmt: skip
        wanted.append(region(f"{name}-{number}", "keypointlabels", "points", name, *place, width=0.5))
    assert first == {
        "data": {"image": "/data/local-files/?d=film.png"},
        "predictions": [{"model_version": "net 1", "result": wanted, "score": 0.75}],
    }
    assert other["data"] == {"image": "/data/local-files/?d=größe.png"}
    (prediction,) = other["predictions"]
    assert (prediction["model_version"], len(prediction["result"]), "score" in prediction) == ("spinetk", 5, False)
    second.vertebrae = [*bodies(), *bodies()]
    second.vertebrae[2].score = 0.25
    write_tasks(path, [second])
    (task,) = json.loads(path.read_text())
    assert task["data"] == {"image": "/data/local-files/?d=größe.png"}
    assert task["predictions"][0]["score"] == 0.25


SET_UP = """<View>
  <Image name="image" value="$image" zoom="true" zoomControl="true" />
  <RectangleLabels name="vertebra" toName="image">
{levels}  </RectangleLabels>
  <KeyPointLabels name="points" toName="image">
{points}  </KeyPointLabels>
</View>
"""


def test_label_studio_s_set_up(tmp_path):
    formats()["labelstudio"].write(tmp_path / "a.json", [rich("film.png"), rich("b.png", extras={"dens": np.eye(2)})])
    levels = [f"{region}{n}" for region, count in (("C", 7), ("T", 12), ("L", 5)) for n in range(1, count + 1)]
    levels += ["T13", "L6", "S1", "sacrum", "vertebra"]
    points = [*NAMES, "s1_left", "s1_right", "femoral_head", "clavicle_left", "dens"]
    assert (tmp_path / "a.xml").read_text() == SET_UP.format(
        levels="".join(f'    <Label value="{level}" />\n' for level in levels),
        points="".join(f'    <Label value="{name}" model_index="{k}" />\n' for k, name in enumerate(points)),
    )
    formats()["labelstudio"].write(tmp_path / "b.json", [])
    assert [f'"{name}" model_index="{k}"' in (tmp_path / "b.xml").read_text() for k, name in enumerate(VERTEBRA6.keypoints)] == [True] * 6  # noqa: E501  # fmt: skip
