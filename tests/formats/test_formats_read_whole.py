"""What is made of files of COCO and CVAT in which every field says something, whole, as worked by hand."""

from __future__ import annotations

import json

import pytest
from whole import LOWER, NAMES, UPPER, flat, items, save, six, told

from spinetk.facing import Facing
from spinetk.geometry import Frame

# --- COCO ---


def coco(path, images, annotations, **fields):
    categories = [
        {"id": 4, "name": "vertebra", "keypoints": NAMES},
        {"id": 5, "name": "implant"},
        {"id": 6, "name": "clavicle left", "keypoints": ["clavicle_left"]},
        {"id": 7, "name": "T12"},
        {"id": 8, "name": "pelvis", "keypoints": ["centre", "rim"]},
    ]
    content = {"images": images, "annotations": annotations, "categories": categories} | fields
    path.write_text(json.dumps(content))
    return path


def test_coco(tmp_path):
    image = {
        "id": 9, "file_name": "sub/a.png", "width": 128.0, "height": "256", "spacing_mm": [0.5, 0.25],
        "spacing_source": "user", "orientation": ["A", "F"], "pixel_aspect": 2.0, "exif_orientation": 6,
        "view": "sagittal", "case": "größe: 1", "group": "g", "patient": "p", "slice": 0, "series": 7,
        "facing": {"side": "left", "source": "user", "confidence": 1}, "not_graded": "why", "threshold": 0.25,
        "label_probability": 1,
    }  # fmt: skip
    other = {"id": "10", "file_name": "b.png", "width": 16, "height": 32, "patient": 3, "view": "sideways"}
    annotations = [
        {"id": 1, "image_id": 9, "category_id": 4, "keypoints": flat(LOWER, (2, 0, 1, 2)), "bbox": [19, 79, 34, 36],
         "label": "L2", "attributes": {"level": "L3", "label": "L4"}, "score": 0.75},
        {"id": 2, "image_id": 9.0, "category_id": 4, "keypoints": flat(UPPER), "bbox": [15, 31, 0, 36],
         "attributes": {"level": "L1", "label": "L4", "score": 0.5}},
        {"id": 3, "image_id": "9", "category_id": 4, "keypoints": flat(UPPER), "iscrowd": 1},
        {"id": 4, "image_id": 9, "category_id": 5, "bbox": [1, 2, 3, 4], "score": 2},
        {"id": 5, "image_id": 9, "category_id": 5, "segmentation": [[0, 0, 9, 0, 9]], "score": True},
        {"id": 6, "image_id": 9, "category_id": 6, "keypoints": [7.5, 3.5, 2]},
        {"id": 7, "image_id": 9, "category_id": 6, "keypoints": [23.5, 5.5, 1]},
        {"id": 8, "image_id": 9, "category_id": 6, "keypoints": [99.5, 5.5, 0]},
        {"id": 10, "image_id": 10, "category_id": 7, "segmentation": [[1, 1, 2, 1, 2, 2, 1, 2], [5, 5, 6, 5, 6, 6]]},
        {"id": 11, "image_id": 10, "category_id": 8, "keypoints": [2.5, 20.5, 2, 5.5, 20.5, 2]},
    ]  # fmt: skip
    (tmp_path / "sub").mkdir()
    save(tmp_path / "sub" / "a.png")
    path = coco(tmp_path / "coco.json", [image, other], annotations)
    first, second = items("coco", path)
    assert first == {
        "picture": tmp_path / "sub" / "a.png",
        "case": "größe_ 1",
        "schema": "vertebra4",
        "vertebrae": [
            told(UPPER, label="L1", score=0.5),
            told(LOWER, (1, 0, 1, 1), [19, 79, 53, 115], label="L2", score=0.75),
        ],
        "extras": {"clavicle_left": [[8, 4], [24, 6]]},
        "group": "g",
        "metadata": {"group": "g"},
        "frame": Frame((0.5, 0.25), "user", "A", "F", 2.0, 6),
        "view": "sagittal",
        "size": [128, 256],
        "slice": 0,
        "series": "7",
        "facing": Facing("left", "user", 1.0),
        "not_graded": "why",
        "threshold": 0.25,
        "label_probability": 1,
        "remarks": [
            "2 x box 'implant' without the points of vertebra4: left out",
            "1 x without a visible point: left out",
        ],
    }  # fmt: skip
    assert second == {
        "picture": type(tmp_path)("b.png"),
        "case": "b",
        "schema": "vertebra4",
        "extras": {"pelvis_centre": [[3, 21]], "pelvis_rim": [[6, 21]]},
        "group": "3",
        "metadata": {"group": "3"},
        "frame": Frame(),
        "size": [16, 32],
        "remarks": ["1 x box 'T12' without the points of vertebra4: left out"],
        "missing": f"{path}: picture 'b.png' is missing (put the pictures beside the file or in 'images')",
    }


def test_coco_outlines(tmp_path):
    """Areas do not shift; a score beyond 0 to 1 is none."""
    image = {"id": 1, "file_name": "a.png", "width": 16, "height": 32}
    outline = {"id": 1, "image_id": 1, "category_id": 7, "segmentation": [[4, 4, 12, 4, 12, 12, 4, 12]]}
    (item,) = items("coco", coco(tmp_path / "a.json", [image], [outline | {"score": -1, "bbox": [1, 2, 13, 14]}]))
    assert item["vertebrae"] == [
        told(*six([[4, 4], [12, 4], [4, 12], [12, 12]], between=True), [1, 2, 14, 16], label="T12")
    ]
    assert item["remarks"] == ["points taken from outlines (1 vertebrae)"]


def test_coco_of_a_program_that_counts_from_the_corner_says_so_once(tmp_path):
    annotations = [
        {"id": n, "image_id": n, "category_id": 4, "keypoints": flat(UPPER, shift=0), "attributes": {"occluded": False}}
        for n in (1, 2)
    ]
    images = [{"id": n, "file_name": f"{n}.png", "width": 128, "height": 256} for n in (1, 2)]
    for n, place in ((1, tmp_path / "images" / "train" / "1.png"), (2, tmp_path / "images" / "2.png")):
        save(place)
        images[n - 1]["file_name"] = place.name
    (tmp_path / "annotations").mkdir()
    first, second = items("coco", coco(tmp_path / "annotations" / "person_keypoints_train.json", images, annotations))
    assert first.pop("remarks") == [
        "CVAT wrote it: its points count from the outer corner of the first pixel, not its centre"
    ]
    assert (first.pop("picture"), second.pop("picture")) == (
        tmp_path / "images" / "train" / "1.png",
        tmp_path / "images" / "2.png",
    )
    assert (first.pop("case"), second.pop("case")) == ("1", "2")
    assert first == second == {
        "schema": "vertebra4", "vertebrae": [told(UPPER)], "frame": Frame(), "size": [128, 256],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("info", "shift"),
    [({}, 0.5), ({"description": "Roboflow"}, 0), ({"contributor": "Label Studio"}, 0), ({"year": 2020}, 0.5)],
)
def test_coco_s_writers(tmp_path, info, shift):
    image = {"id": 1, "file_name": "a.png", "width": 128, "height": 256}
    annotation = {"id": 1, "image_id": 1, "category_id": 4, "keypoints": flat(UPPER, shift=0)}
    (item,) = items("coco", coco(tmp_path / "a.json", [image], [annotation], info=info))
    assert item["vertebrae"][0]["points"] == [[x + shift, y + shift] for x, y in UPPER]


# --- CVAT ---


def test_cvat(tmp_path):
    save(tmp_path / "images" / "a.png")
    (tmp_path / "a.xml").write_text(
        """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><labels>
<label><name>vertebra</name></label><label><name>top_left</name><parent>vertebra</parent></label>
</labels></task></meta>
<image id="0" name="sub/a.png" width="128" height="256">
 <tag label="top_left"/>
 <skeleton label="vertebra">
  <attribute name="LEVEL"> L2 </attribute><attribute name="score">0.75</attribute>
  <points label="top_left" outside="0" points="20,80"/><points label="top_right" outside="1" points="52,81"/>
  <points label="bottom_left" points="20,112"/><points label="bottom_right" outside="0" points="52,114"/>
 </skeleton>
 <skeleton label="vertebra" outside="1"><points label="top_left" points="1,1"/></skeleton>
 <points label="L1 top_left" points="16,32"/><points label="L1 top_right" points="48,33"/>
 <points label="L1 bottom_left" points="16,64"/>
 <points label="L1 bottom_right" points="48,66"><attribute name="level"></attribute></points>
 <points label="top_left" group_id="7" points="20,140"><attribute name="level">L4</attribute></points>
 <points label="top_right" group_id="7" points="52,141"/>
 <points label="bottom_left" group_id="7" points="20,172"/>
 <points label="bottom_right" group_id="7" points="52,174"/>
 <points label="clavicle left" points="8,4;24,6"/>
 <polyline label="s1" points="20,200;56,212"/>
 <ellipse label="femoral head" cx="30" cy="240" rx="9" ry="10"/>
 <box label="tool" xtl="1" ytl="2" xbr="3" ybr="4"/><box label="tool" xtl="1" ytl="2" xbr="3" ybr="4"/>
 <polygon label="tool" points="1,1;2,1;2,2"><attribute name="score">7</attribute></polygon>
 <mask label="tool"/><cuboid label="tool"/>
 <skeleton label="vertebra">
  <attribute name="label">hook</attribute><attribute name="score">1</attribute>
  <points label="top_left" points="20,100"/><points label="top_right" points="52,101"/>
  <points label="bottom_left" points="20,122"/><points label="bottom_right" points="52,124"/>
 </skeleton>
</image>
<image id="1" name="b.png" width="16" height="32"/>
</annotations>""",
        encoding="utf-8",
    )
    first, second = items("cvat", tmp_path / "a.xml")
    hook = [[20, 100], [52, 101], [20, 122], [52, 124]]
    fourth = [[20, 140], [52, 141], [20, 172], [52, 174]]
    assert first == {
        "picture": tmp_path / "images" / "a.png",
        "case": "sub_a",
        "schema": "vertebra4",
        "vertebrae": [
            told(UPPER, label="L1"),
            told(LOWER, (1, 0, 1, 1), label="L2", score=0.75),
            told(hook, label="hook", score=1),
            told(fourth, label="L4"),
        ],
        "extras": {"clavicle_left": [[8, 4], [24, 6]]},
        "landmarks": [
            {"kind": "s1", "points": [[20, 200], [56, 212]]},
            {"kind": "femoral_head", "points": [[30, 240]], "radius_px": 9.5},
        ],
        "size": [128, 256],
        "remarks": [
            "4 x box 'tool' without the points of vertebra4: left out",
            "1 x outline 'tool' without the points of vertebra4: left out",
        ],
    }
    assert second == f"{tmp_path / 'a.xml'}: image b.png: has no annotation of a vertebra (annotate it or leave it out)"


def test_a_video_of_cvat_names_its_stills_by_their_order(tmp_path):
    """Stills of other names are taken in natural order; frames that somebody set are kept, others counted."""
    for n in (1, 2, 10):
        save(tmp_path / f"s{n}.png")
    (tmp_path / "notes.txt").write_text("no still")
    shapes = "".join(
        f'<points frame="{frame}" keyframe="{key}" outside="{out}" points="20,80;52,81;20,112;52,114"/>'
        for frame, key, out in ((2, 1, 0), (0, 1, 0), (1, 0, 0), (7, 1, 0), (3, 1, 1))
    )
    size = "<original_size><width>128</width><height>256</height></original_size>"
    (tmp_path / "v.xml").write_text(
        f'<annotations><meta><job>{size}</job></meta><track id="3" label="vertebra">{shapes}</track></annotations>'
    )
    first, second, third = items("cvat", tmp_path / "v.xml")
    taken = "points without names taken in the order of vertebra4 (1 vertebrae)"
    assert first == {
        "picture": tmp_path / "s1.png", "case": "s1", "schema": "vertebra4", "vertebrae": [told(LOWER)],
        "size": [128, 256],
        "remarks": ["2 frames between the annotated ones were left out: their points are interpolated", taken],
    }  # fmt: skip
    assert second == first | {"picture": tmp_path / "s10.png", "case": "s10", "remarks": [taken]}
    assert third["case"] == "frame_000007"
    assert third["picture"] == type(tmp_path)("frame_000007.png")
    assert third["missing"] == (
        f"{tmp_path / 'v.xml'}: picture 'frame_000007.png' is missing (put the pictures beside the file or in 'images')"
    )
