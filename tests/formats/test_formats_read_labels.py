"""What is made of files of labelme and Label Studio in which every field says something, whole."""

from __future__ import annotations

import json

from whole import HEIGHT, LOWER, NAMES, UPPER, WIDTH, items, save, six, told

# --- labelme ---


def shape(label, kind, points, **fields):
    return {"label": label, "shape_type": kind, "points": points} | fields


def labelme(path, *shapes, **fields):
    content = {"shapes": list(shapes), "imagePath": "a.png", "imageWidth": WIDTH, "imageHeight": HEIGHT} | fields
    path.write_text(json.dumps(content))
    return path


def test_labelme(tmp_path):
    save(tmp_path / "images" / "a.png")
    corner = [" top_left ", "upper-right", "bottom left", "right lower"]
    path = labelme(
        tmp_path / "x.labelme.json",
        *(shape(name, "point", [place], group_id=0) for name, place in zip(corner, LOWER, strict=True)),
        shape("L2", "rectangle", [[53, 115], [19, 79]], group_id=0),
        shape("vertebra", "rectangle", [[14, 30], [50, 68]]),
        shape("all", "rectangle", [[0, 0], [128, 256]]),
        *(shape(name, "point", [place]) for name, place in zip(NAMES, UPPER, strict=True)),
        {"label": "L3", "points": [[20, 140], [52, 141], [52, 174], [20, 172]]},
        shape("s1", "line", [[56, 212], [20, 200]]),
        shape("femoral head", "circle", [[30, 240], [33, 244]]),
        shape("clavicle left", "linestrip", [[8, 4], [24, 6]]),
        shape("clavicle left", "points", [[26, 8]]),
        shape("tool", "circle", [[3, 4]]),
        shape("a", "mask", [[0, 0]]),
        shape("b", "mask", [[0, 0]]),
        shape("c", "ai_polygon", [[0, 0]]),
    )
    (item,) = items("labelme", path)
    third = [[20, 140], [52, 141], [20, 172], [52, 174]]
    assert item == {
        "picture": tmp_path / "images" / "a.png",
        "case": "x",
        "schema": "vertebra6",
        "vertebrae": [
            told(*six(UPPER), [14, 30, 50, 68]),
            told(*six(LOWER), [19, 79, 53, 115], label="L2"),
            told(*six(third, between=True), label="L3"),
        ],
        "extras": {"clavicle_left": [[8, 4], [24, 6], [26, 8]]},
        "landmarks": [
            {"kind": "s1", "points": [[20, 200], [56, 212]]},
            {"kind": "femoral_head", "points": [[30, 240]], "radius_px": 5},
        ],
        "size": [128, 256],
        "remarks": [
            "2 x shape of type 'mask': left out",
            "1 x shape of type 'ai_polygon': left out",
            "1 x box 'all' without the points of vertebra6: left out",
            "1 x point 'tool' without the points of vertebra6: left out",
            "points taken from outlines (1 vertebrae)",
        ],
    }
    assert path.name == "x.labelme.json"


# --- Label Studio ---


def region(label, x, y, kind="keypointlabels", **fields):
    more = {name: fields.pop(name) for name in ("width", "height", "points", "rotation", "radiusX") if name in fields}
    place = {"x": 100 * x / WIDTH, "y": 100 * y / HEIGHT} if x is not None else {}
    value = {**place, kind: [label], **more}
    return {"type": kind, "original_width": WIDTH, "original_height": HEIGHT, "value": value} | fields


def test_label_studio(tmp_path):
    save(tmp_path / "film 1.png")
    box = {"width": 100 * 34 / WIDTH, "height": 100 * 36 / HEIGHT}
    result = [
        region(" L2 ", 19, 79, "rectanglelabels", id="b", score=0.75, **box),
        *(region(name, *place) for name, place in zip(NAMES, LOWER, strict=True)),
        region("all", 0, 0, "rectanglelabels", width=100, height=100, score=1.5),
        *(region(f"L1 {name}", *place) for name, place in zip(NAMES, UPPER, strict=True)),
        *(
            region(name, x, y + 60, parentID="p") for name, (x, y) in zip(NAMES, LOWER, strict=True)
        ),
        region("clavicle left", 8, 4),
        region("clavicle left", 24, 6),
        region("s1", 20, 200), region("s1", 56, 212),
        region("hip", 30, 240, "ellipselabels", radiusX=3),
        region("tool", None, None, "polygonlabels", points=[[1, 1], [2, 1], [2, 2]]),
        {"type": "choices", "value": {"choices": ["good"]}},
        {"type": "choices", "value": {"choices": ["bad"]}},
        {"type": "keypointlabels", "value": {}, "original_width": WIDTH, "original_height": HEIGHT},
        "no table",
    ]  # fmt: skip
    older = {"id": 5, "completed_by": 3, "updated_at": "2024-01", "result": [*result[:5]], "model_version": ""}
    newer = {"id": 6, "completed_by": {"id": 8}, "updated_at": "2024-02", "result": result, "model_version": "v" * 90}
    cancelled = {"id": 7, "completed_by": 1, "updated_at": "2024-03", "result": result, "was_cancelled": True}
    task = {"id": 1, "data": {"image": "/data/local-files/?d=films%2Ffilm%201.png", "more": 3}}
    task["file_upload"] = "0a1b2c3d-film 1.png"
    (tmp_path / "e.json").write_text(json.dumps([task | {"annotations": [older, newer, cancelled]}]))
    first, second = items("labelstudio", tmp_path / "e.json")
    lowest = [[x, y + 60] for x, y in LOWER]
    lower = told(LOWER, box=[19, 79, 53, 115], label="L2", score=0.75)
    common = {"picture": tmp_path / "film 1.png", "case": "film 1", "schema": "vertebra4", "size": [128, 256]}
    assert first == common | {
        "vertebrae": [told(UPPER, label="L1"), lower, told(lowest)],
        "extras": {"clavicle_left": [[8, 4], [24, 6]]},
        "landmarks": [
            {"kind": "s1", "points": [[20, 200], [56, 212]]},
            {"kind": "femoral_head", "points": [[30, 240]]},
        ],
        "annotator": "annotator 8",
        "model": "v" * 80,
        "remarks": [
            "2 annotations of one picture: the newest counts (by annotator 8)",
            "2 x region of type 'choices': left out",
            "1 x box 'all' without the points of vertebra4: left out",
            "1 x outline 'tool' without the points of vertebra4: left out",
        ],
    }
    assert second == common | {"vertebrae": [lower], "annotator": "annotator 3", "rank": 1}
    # The one marked as true counts, however old it is.
    task["annotations"] = [older | {"ground_truth": True, "completed_by": "a@b"}, newer]
    (tmp_path / "e.json").write_text(json.dumps([task]))
    first, second = items("labelstudio", tmp_path / "e.json")
    assert (first["annotator"], second["annotator"]) == ("annotation 5", "annotator 8")
    assert first["remarks"] == ["2 annotations of one picture: the one marked true counts (by annotation 5)"]


def test_label_studio_s_predictions_and_own_names_of_points(tmp_path):
    result = [region(name, x, y, parentID="a") for name, (x, y) in {"nose": (10, 20), "tail": (30, 40)}.items()]
    result += [region("sacrum", 5, 6)]
    task = {"id": 1, "data": "x", "predictions": [{"model_version": "m", "result": result}]}
    (tmp_path / "e.json").write_text(json.dumps([task]))
    (item,) = items("labelstudio", tmp_path / "e.json")
    assert item == {
        "picture": type(tmp_path)("unnamed"),
        "case": "case",
        "schema": ["nose", "tail"],
        "vertebrae": [told([[10, 20], [30, 40]], (1, 1))],
        "extras": {"sacrum": [[5, 6]]},
        "size": [128, 256],
        "model": "m",
        "remarks": ["not annotated yet: the points of the prediction were taken"],
        "missing": f"{tmp_path / 'e.json'}: has an entry without a picture ('') (export it with its pictures)",
    }


def test_label_studio_turned_boxes_hold_the_points_inside_them(tmp_path):
    """A box turned by 90 degrees about its upper left corner lies to the left of it; the smaller of two counts."""
    save(tmp_path / "a.png", 128, 128)
    result = [
        region("L1", 64, 32, "rectanglelabels", width=25, height=37.5, rotation=90, id="turned"),
        region("L2", 0, 0, "rectanglelabels", width=100, height=100, id="large"),
    ]
    # Of 128 px: 32 px long and 48 px wide, turned it covers x 16..64 and y 32..64.
    result += [region(name, x, y) for name, (x, y) in zip(NAMES, ([20, 36], [60, 36], [20, 60], [60, 60]), strict=True)]
    result += [region(name, x, y) for name, (x, y) in zip(NAMES, ([66, 66], [99, 66], [66, 99], [99, 99]), strict=True)]
    for one in result:
        one["original_height"] = 128
        one["value"]["y"] = one["value"]["y"] * 2
    (tmp_path / "e.json").write_text(json.dumps([{"data": {"image": "a.png"}, "annotations": [{"result": result}]}]))
    (item,) = items("labelstudio", tmp_path / "e.json")
    assert item["vertebrae"] == [
        told([[20, 36], [60, 36], [20, 60], [60, 60]], label="L1"),
        told([[66, 66], [99, 66], [66, 99], [99, 99]], box=[0, 0, 128, 128], label="L2"),
    ]
