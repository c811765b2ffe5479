"""What COCO, records and CVAT hold of a reading in which every field says something, whole, as worked by hand."""

from __future__ import annotations

import json

import numpy as np
from whole import NAMES, rich, small, written

from spinetk.formats.coco import coco_content
from spinetk.formats.record import record_of
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.schema import KeypointSchema

# --- COCO: centres of pixels are whole numbers, so 0.5 px less than ours; https://cocodataset.org/#format-data ---


def coco_point(number, image, category, x, y):
    return {
        "id": number, "image_id": image, "category_id": category, "keypoints": [x - 0.5, y - 0.5, 2],
        "num_keypoints": 1, "bbox": [x - 0.5, y - 0.5, 1, 1], "area": 1, "iscrowd": 0,
    }  # fmt: skip


def test_coco(tmp_path):
    path = written("coco", tmp_path / "coco.json", [rich("somewhere/film.png"), small()])
    upper = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "keypoints": [15.5, 31.5, 2, 47.5, 32.5, 2, 15.5, 63.5, 2, 47.5, 65.5, 2],
        "num_keypoints": 4,
        "bbox": [15, 31, 35, 36],
        "area": 1260,
        "iscrowd": 0,
        "label": "L1",
        "score": 0.75,
        "attributes": {"level": "L1"},
    }
    lower = {
        "id": 2,
        "image_id": 1,
        "category_id": 1,
        "keypoints": [19.5, 79.5, 2, 0, 0, 0, 19.5, 111.5, 2, 51.5, 113.5, 2],
        "num_keypoints": 3,
        "bbox": [19, 79, 34, 36],
        "area": 1224,
        "iscrowd": 0,
        "label": "hook",
        "attributes": {"level": "hook"},
    }
    third = {
        "id": 8,
        "image_id": 2,
        "category_id": 1,
        "keypoints": [3.5, 3.5, 2, 11.5, 3.5, 2, 3.5, 11.5, 2, 11.5, 11.5, 2],
        "num_keypoints": 4,
        "bbox": [4, 4, 8, 8],
        "area": 64,
        "iscrowd": 0,
    }
    beside = [
        coco_point(3, 1, 2, 20, 200), coco_point(4, 1, 3, 56, 212), coco_point(5, 1, 4, 30, 240),
        coco_point(6, 1, 5, 8, 4), coco_point(7, 1, 5, 24, 6),
    ]  # fmt: skip
    kinds = ("s1_left", "s1_right", "femoral_head", "clavicle_left")
    content = json.loads(path.read_text())
    assert content == {
        "info": {"description": "vertebral landmarks"},
        "licenses": [],
        "images": [
            {
                "id": 1, "file_name": "film.png", "width": 128, "height": 256, "spacing_mm": [0.5, 0.25],
                "spacing_source": "PixelSpacing", "orientation": ["P", "F"], "exif_orientation": 3, "view": "sagittal",
                "case": "film", "slice": 3, "series": "7", "not_graded": "made for films", "threshold": 0.5,
                "label_probability": 0.875, "facing": {"side": "left", "source": "sacrum", "confidence": 0.9688},
            },
            {
                "id": 2, "file_name": "größe.png", "width": 16, "height": 32, "view": "unknown", "case": "größe",
            },
        ],
        "annotations": [upper, lower, *beside, third],
        "categories": [
            {
                "id": 1, "name": "vertebra", "supercategory": "spine", "keypoints": NAMES,
                "skeleton": [[1, 2], [2, 4], [4, 3], [3, 1]],
            },
            *(
                {"id": k, "name": kind, "supercategory": "landmark", "keypoints": [kind], "skeleton": []}
                for k, kind in enumerate(kinds, start=2)
            ),
        ],
    }  # fmt: skip
    # pycocotools sums them.
    assert all(type(v) is int for entry in content["annotations"] for v in entry["keypoints"][2::3])


def test_coco_of_records_keeps_group_and_aspect_and_names_by_the_folder(tmp_path):
    told = small(str(tmp_path / "a" / "b" / "film.png"))
    told.frame = Frame(pixel_aspect=2.0)
    content = coco_content([record_of(told, "x", group="ward 3", day=4, origin=["a:b"])], tmp_path)
    (image,) = content["images"]
    assert image == {
        "id": 1, "file_name": "a/b/film.png", "width": 16, "height": 32, "pixel_aspect": 2.0, "view": "unknown",
        "group": "ward 3",
    }  # fmt: skip


def test_coco_scores_stay_with_their_bodies_where_one_is_dropped(tmp_path):
    """A body without any visible point is no annotation; one that lies outside of the picture is none either, and then
    nothing tells whose the scores are.
    """
    told = rich("film.png", extras={}, landmarks=[])
    told.vertebrae.insert(0, Vertebra(np.zeros((4, 2)), np.zeros(4, bool), (0, 0, 1, 1), "T12", 0.25))
    content = json.loads(written("coco", tmp_path / "a.json", [told]).read_text())
    assert [(a["label"], a.get("score")) for a in content["annotations"]] == [("L1", 0.75), ("hook", None)]
    told.vertebrae[0] = Vertebra(np.full((4, 2), 900.0), np.ones(4, bool), (900, 900, 901, 901), "T12", 0.25)
    content = json.loads(written("coco", tmp_path / "a.json", [told]).read_text())
    assert [(a["label"], a.get("score")) for a in content["annotations"]] == [("L1", None), ("hook", None)]


# --- records ---


def test_a_record():
    record = record_of(rich("somewhere/film.png"), "film 1", case="film", day=None, origin=["a:b"])
    assert record == {
        "file_name": "somewhere/film.png",
        "height": 256,
        "width": 128,
        "image_id": "film 1",
        "schema": "vertebra4",
        "view": "sagittal",
        "spacing_mm": [0.5, 0.25],
        "spacing_source": "PixelSpacing",
        "orientation": ["P", "F"],
        "exif_orientation": 3,
        "extras": {"clavicle_left": [[8, 4], [24, 6]]},
        "landmarks": [
            {"kind": "s1", "left": [20, 200], "right": [56, 212]},
            {"kind": "femoral_head", "centre": [30, 240], "radius_px": 9.5, "score": 0.625, "sigma_px": 1.25},
        ],
        "rulers": [{"kind": "length", "points": [[1, 2], [4, 6]]}],
        "facing": {"side": "left", "source": "sacrum", "confidence": 0.9688},
        "case": "film",
        "origin": ["a:b"],
        "annotations": [
            {
                "bbox": [15, 31, 50, 67], "bbox_mode": 0, "category_id": 0, "label": "L1",
                "keypoints": [16, 32, 2, 48, 33, 2, 16, 64, 2, 48, 66, 2],
            },
            {
                "bbox": [19, 79, 53, 115], "bbox_mode": 0, "category_id": 0, "label": "hook",
                "keypoints": [20, 80, 2, 0, 0, 0, 20, 112, 2, 52, 114, 2],
            },
        ],
    }  # fmt: skip
    assert all(type(v) is float for entry in record["annotations"] for v in entry["bbox"])
    own = KeypointSchema("own", ("nose", "tail"))
    told = Reading("a", 9, 9, own, [Vertebra.from_points(np.array([[1, 2], [3, 4.0]]))])
    assert record_of(told, "a")["schema"] == {
        "name": "own", "keypoints": ["nose", "tail"], "swap": [], "skeleton": [], "sigmas": [0.035, 0.035],
        "columns": {}, "category": "vertebra",
    }  # fmt: skip


# --- CVAT: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/ ---

CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <size>2</size>
      <mode>annotation</mode>
      <labels>
        <label>
          <name>vertebra</name>
          <type>skeleton</type>
          <attributes>
            <attribute>
              <name>level</name>
              <mutable>False</mutable>
              <input_type>text</input_type>
            </attribute>
            <attribute>
              <name>score</name>
              <mutable>False</mutable>
              <input_type>number</input_type>
            </attribute>
          </attributes>
        </label>
{points}{others}      </labels>
    </task>
  </meta>
  <image id="0" name="film.png" width="128" height="256">
    <skeleton label="vertebra" source="auto" z_order="0">
      <attribute name="level">L1</attribute>
      <attribute name="score">0.75</attribute>
      <points label="top_left" source="auto" outside="0" occluded="0" points="16.0000,32.0000" />
      <points label="top_right" source="auto" outside="0" occluded="0" points="48.0000,33.0000" />
      <points label="bottom_left" source="auto" outside="0" occluded="0" points="16.0000,64.0000" />
      <points label="bottom_right" source="auto" outside="0" occluded="0" points="48.0000,66.0000" />
    </skeleton>
    <skeleton label="vertebra" source="manual" z_order="0">
      <attribute name="level">hook</attribute>
      <points label="top_left" source="manual" outside="0" occluded="0" points="20.0000,80.0000" />
      <points label="top_right" source="manual" outside="1" occluded="0" points="52.0000,81.0000" />
      <points label="bottom_left" source="manual" outside="0" occluded="0" points="20.0000,112.0000" />
      <points label="bottom_right" source="manual" outside="0" occluded="0" points="52.0000,114.0000" />
    </skeleton>
    <points label="s1_left" source="manual" occluded="0" z_order="0" points="20.0000,200.0000" />
    <points label="s1_right" source="manual" occluded="0" z_order="0" points="56.0000,212.0000" />
    <points label="femoral_head" source="manual" occluded="0" z_order="0" points="30.0000,240.0000" />
    <points label="clavicle_left" source="manual" occluded="0" z_order="0" points="8.0000,4.0000;24.0000,6.0000" />
  </image>
  <image id="1" name="größe.png" width="16" height="32">
    <skeleton label="vertebra" source="manual" z_order="0">
      <points label="top_left" source="manual" outside="0" occluded="0" points="4.0000,4.0000" />
      <points label="top_right" source="manual" outside="0" occluded="0" points="12.0000,4.0000" />
      <points label="bottom_left" source="manual" outside="0" occluded="0" points="4.0000,12.0000" />
      <points label="bottom_right" source="manual" outside="0" occluded="0" points="12.0000,12.0000" />
    </skeleton>
  </image>
</annotations>
"""


def cvat_label(name, parent=""):
    lines = [f"<name>{name}</name>", "<type>points</type>", "<attributes />"]
    lines += [f"<parent>{parent}</parent>"] if parent else []
    inside = "".join(f"          {line}\n" for line in lines)
    return f"        <label>\n{inside}        </label>\n"


def test_cvat(tmp_path):
    path = written("cvat", tmp_path / "annotations.xml", [rich("somewhere/film.png"), small()])
    points = "".join(cvat_label(name, "vertebra") for name in NAMES)
    others = "".join(cvat_label(name) for name in ("s1_left", "s1_right", "femoral_head", "clavicle_left"))
    assert path.read_text(encoding="utf-8") == CVAT.format(points=points, others=others)


def test_cvat_text_that_xml_cannot_hold(tmp_path):
    odd = KeypointSchema("odd", ("a\x01", "b\x02"), category="c\x03")
    told = Reading("film\x04\udce9.png", 9, 9, odd, [Vertebra.from_points(np.eye(2), label="d\x05 \t~")])
    told.extras = {"e\x06": np.zeros((1, 2))}
    text = written("cvat", tmp_path / "a.xml", [told]).read_text(encoding="utf-8")
    for wanted in (
        "<name>c\ufffd</name>", "<name>a\ufffd</name>", "<parent>c\ufffd</parent>", "<name>e\ufffd</name>",
        'name="film\ufffd\ufffd.png"', 'skeleton label="c\ufffd"', ">d\ufffd \t~<", 'points label="b\ufffd"',
        'points label="e\ufffd"',
    ):  # fmt: skip
        assert wanted in text, wanted
