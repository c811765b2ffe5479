"""Readers of labelme and YOLO on files written by hand, as the programs write them; words for levels and points."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import yaml
from two_bodies import HEIGHT, LOWER, NAMES, UPPER, WIDTH, check, only

from spinetk.errors import InputError
from spinetk.formats.files import clean_name
from spinetk.formats.labels import level_in, point_in, split_label, structure_in
from spinetk.formats.loss import lost
from spinetk.formats.record import check_record
from spinetk.formats.registry import detect, format_named, read
from spinetk.formats.results import iter_results
from spinetk.formats.shapes import named_points
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema

# --- words ---


@pytest.mark.parametrize(
    ("text", "level"),
    [
        *[(text, "L3") for text in ("L3", "l3", "vertebra_L3", "L3 vertebra", "L 3", "L03", "vertebrae_L3")],
        *[(text, "T12") for text in ("Th12", "T12", "D12", "th-12")],
        *[(text, None) for text in ("L3-L4", "disc L4", "T2w", "vertebra", "", None, "T14", "AL3", "IVD_L3")],
    ],
)
def test_levels_in_labels(text, level):
    assert level_in(text) == level


def test_names_of_points_and_structures():
    assert point_in("Upper left") == point_in("superior-left") == point_in("left_top") == "top_left"
    assert point_in("nose") is None
    assert point_in("top_left 2") is None
    assert split_label("L3.top_left") == ("L3", "top_left")
    assert split_label("#2 bottom middle") == ("#2", "bottom_middle")
    assert split_label("pedicle") == ("pedicle", None)
    assert structure_in("Femoral head (left)") == "femoral_head_left"
    assert structure_in("S1 endplate") == "s1_endplate"
    assert structure_in("vertebra") is None


def test_outlines_give_corners_and_only_curved_ones_give_middles():
    quad = np.array([UPPER[n] for n in ("top_left", "top_right", "bottom_right", "bottom_left")])
    for turn in range(4):
        found = named_points(np.roll(quad, turn, axis=0), VERTEBRA4)
        np.testing.assert_allclose(found, [UPPER[name] for name in VERTEBRA4.keypoints])
    x = np.linspace(0, 40, 41)
    waisted = np.concatenate(
        [
            np.column_stack([x + 50, 100 + 4 * np.sin(np.pi * x / 40)]),
            np.column_stack([x[::-1] + 50, 130 - 3 * np.sin(np.pi * x[::-1] / 40)]),
        ]
    )
    wanted = {"top_left": (50, 100), "top_middle": (70, 104), "top_right": (90, 100)}
    wanted |= {"bottom_left": (50, 130), "bottom_middle": (70, 127), "bottom_right": (90, 130)}
    found = dict(zip(NAMES, named_points(waisted), strict=True))
    for name, place in wanted.items():
        assert np.hypot(*(found[name] - place)) < 0.6, name


# --- labelme ---


def labelme(folder, shapes, **fields):
    content = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": "film.png", "imageData": None}
    content |= {"imageHeight": HEIGHT, "imageWidth": WIDTH} | fields
    (folder / "film.json").write_text(json.dumps(content))
    return folder


def drawn(label, points, kind="point", group=None):
    return {"label": label, "points": [list(p) for p in points], "group_id": group, "shape_type": kind, "flags": {}}


def by_group():
    for group, points in ((1, UPPER), (7, LOWER)):
        yield from (drawn(name, [place], group=group) for name, place in points.items())
    yield drawn("L3", [(45, 45), (95, 85)], "rectangle", group=1)
    yield drawn("L4", [(45, 105), (105, 145)], "rectangle", group=7)


def by_label():
    for level, points in (("L3", UPPER), ("L4", LOWER)):
        yield from (drawn(f"{level}_{name}", [place]) for name, place in points.items())


def by_rectangle():
    for level, points, box in (("L4", LOWER, [(45, 105), (105, 145)]), ("L3", UPPER, [(95, 85), (45, 45)])):
        yield drawn(level, box, "rectangle")
        yield from (drawn(name, [place]) for name, place in points.items())


@pytest.mark.parametrize("way", [by_group, by_label, by_rectangle])
def test_labelme_points_find_their_vertebra(folder, way):
    labelme(folder, list(way()))
    assert detect(folder)[0].name == "labelme"
    check(only(folder))
    check(only(folder / "film.json", schema=VERTEBRA4), schema=VERTEBRA4)


def test_labelme_outlines_and_structures(folder):
    quads = [[p[n] for n in ("top_left", "top_right", "bottom_right", "bottom_left")] for p in (UPPER, LOWER)]
    shapes = [drawn("L3", quads[0], "polygon"), drawn("vertebra", quads[1], "polygon")]
    shapes += [drawn("femoral head", [(60, 300), (70, 300)], "circle"), drawn("S1", [(50, 200), (90, 210)], "line")]
    shapes += [drawn("pedicle", [(5, 5)]), drawn("rib", [(5, 5), (6, 6), (7, 9)], "polygon")]
    item = only(labelme(folder, shapes))
    check(item, ("L3", None), VERTEBRA4)
    plate, head = item.landmarks
    assert plate.points.tolist() == [[50, 200], [90, 210]]
    assert (head.points.tolist(), head.radius_px) == ([[60, 300]], 10)
    said = "; ".join(item.remarks)
    assert "1 x point 'pedicle'" in said
    assert "1 x outline 'rib'" in said


@pytest.mark.parametrize("named", ["", None, "elsewhere/gone.png"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg"])
@pytest.mark.parametrize("json_name", ["other.json", "other.labelme.json"])
def test_labelme_takes_the_picture_of_its_own_name_where_the_one_it_names_is_gone(folder, named, suffix, json_name):
    labelme(folder, list(by_label()), imagePath=named)
    (folder / "film.json").rename(folder / json_name)
    pixels = cv2.imread(str(folder / "film.png"), cv2.IMREAD_UNCHANGED)
    (folder / "film.png").unlink()
    cv2.imwrite(str(folder / f"other{suffix}"), pixels)
    item = only(folder)
    assert (item.picture, item.case, item.size) == (folder / f"other{suffix}", "other", (WIDTH, HEIGHT))
    assert item.remarks == ([f"picture 'gone.png' is missing: other{suffix} was taken"] if named else [])


def test_labelme_believes_the_name_in_the_file_first_and_says_which_is_missing(folder):
    labelme(folder, list(by_label()))
    (folder / "film.json").rename(folder / "other.json")
    cv2.imwrite(str(folder / "other.png"), np.zeros((HEIGHT, WIDTH), np.uint8))
    item = only(folder)
    assert (item.picture, item.remarks) == (folder / "film.png", [])
    for name in ("film.png", "other.png"):
        (folder / name).unlink()
    (item,) = read(folder, "labelme")
    assert (item.picture.name, item.missing.fault) == ("film.png", "picture 'film.png' is missing")


@pytest.mark.parametrize(
    ("size", "fits"),
    [
        ((1, 1), True),
        ((0, 9), False),
        ((9, 0), False),
        ((True, 9), False),
        ((9.5, 9), False),
        ((9, 1_000_000), False),
        ((9, None), False),
    ],
)
def test_labelme_pictures_have_a_side_of_one_pixel_at_least(folder, size, fits):
    labelme(folder, [], imageWidth=size[0], imageHeight=size[1])
    (item,) = read(folder, "labelme")
    assert (getattr(item, "size", None) == size) == fits
    if not fits:
        assert item.fault == "field 'imageWidth' or 'imageHeight' is no size in px"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda s: [*s, drawn("top_left", [(1, 1)])], "belongs to no vertebra"),
        (lambda s: [*s, drawn("L3_top_left", [(1, 1)])], "two points"),
        (lambda s: [*s, {"label": "x", "points": [["a", 1]]}], "not a list of x and y"),
        (lambda s: [*s, drawn("x", [(float("inf"), 1)])], "coordinate"),
        (lambda s: [*s, 3], "table of fields"),
    ],
)
def test_labelme_faults_are_one_line(folder, change, word):
    text = json.dumps(change(list(by_label())))
    labelme(folder, json.loads(text))
    (error,) = read(folder, "labelme")
    assert isinstance(error, InputError)
    assert word in str(error)


# --- YOLO ---


def yolo(folder, bodies, names=None, order=NAMES, classes=("L3", "L4"), extra=""):
    (folder / "labels").mkdir()
    lines = []
    for k, points in enumerate(bodies):
        flat = " ".join(f"{points[n][0] / WIDTH} {points[n][1] / HEIGHT} 2" for n in order)
        lines.append(f"{min(k, len(classes) - 1)} 0.35 0.2 0.2 0.1 {flat}")
    (folder / "labels" / "film.txt").write_text("\n".join(lines) + "\n" + extra)
    data = f"path: /somewhere\ntrain: images\nkpt_shape: [{len(order)}, 3]\nnames: {list(classes)}\n"
    (folder / "data.yaml").write_text(data + (f"kpt_names:\n  0: {list(names)}\n" if names else ""))
    return folder


def test_yolo_with_names(folder):
    yolo(folder, [UPPER, LOWER], names=NAMES)
    assert detect(folder)[0].name == "yolo"
    item = only(folder)
    check(item)
    # Both have the box of the upper one, which is kept.
    assert item.remarks == ["points of a body lie off its own box: are all x before y, and in px?"]
    for vertebra in item.vertebrae:  # the box of the file, not that of the points
        np.testing.assert_allclose(vertebra.bbox, [0.25 * WIDTH, 0.15 * HEIGHT, 0.45 * WIDTH, 0.25 * HEIGHT])


def test_yolo_parts_have_pictures_of_their_own(folder):
    """Ultralytics' layout: the same place under images as under labels."""
    yolo(folder, [UPPER, LOWER], names=NAMES)
    for part in ("train", "val"):
        for kind, name in (("labels", "film.txt"), ("images", "film.png")):
            (folder / kind / part).mkdir(parents=True)
            (folder / kind / part / name).write_bytes(
                (folder / (name if kind == "images" else f"labels/{name}")).read_bytes()
            )
    (folder / "labels/film.txt").unlink()
    assert [item.picture.relative_to(folder).as_posix() for item in read(folder)] == [
        "images/train/film.png",
        "images/val/film.png",
    ]


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1], ("top_left", "top_right", "bottom_right", "bottom_left")])
def test_yolo_points_without_names_are_named_by_their_places(folder, order):
    item = only(yolo(folder, [UPPER, LOWER], order=order))
    check(item, schema=VERTEBRA6 if len(order) == 6 else VERTEBRA4)
    assert "named by their places in 2 of 2 bodies" in item.remarks[0]


@pytest.mark.parametrize(
    ("extra", "word"), [("0 1 2", "has 3 numbers"), ("a", "not numbers"), ("0 " + "nan " * 22, "not a share")]
)
def test_yolo_faults_name_their_line(folder, extra, word):
    (error,) = read(yolo(folder, [UPPER, LOWER], names=NAMES, extra=extra))
    assert "line 3" in str(error)
    assert word in str(error)


# --- pictures that EXIF turns ---


def test_annotations_of_the_turned_picture_are_measured_on_the_stored_one(tmp_path):
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (WIDTH, HEIGHT)).astype(np.uint8)  # stored lying
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: stored (x, y) is seen at (stored height - y, x)
    Image.fromarray(pixels).save(tmp_path / "film.png", exif=exif)
    ((_, reading),) = iter_results([labelme(tmp_path, list(by_label())) / "film.json"])
    assert (reading.width, reading.height) == (HEIGHT, WIDTH)
    for vertebra, wanted in zip(reading.vertebrae, (UPPER, LOWER), strict=True):
        seen = np.array([wanted[name] for name in NAMES])
        np.testing.assert_allclose(vertebra.points, np.column_stack([seen[:, 1], WIDTH - seen[:, 0]]))
    assert any("turned back" in remark for remark in reading.remarks)


def test_points_on_a_picture_that_exif_turns_by_half_are_said_to_be_as_stored(tmp_path):
    """Its size is the same either way."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint8)).save(tmp_path / "film.png", exif=exif)
    ((_, reading),) = iter_results([labelme(tmp_path, list(by_label())) / "film.json"])
    np.testing.assert_allclose(reading.vertebrae[0].points, np.array([UPPER[name] for name in NAMES]))
    assert any("taken to be about it as stored" in remark for remark in reading.remarks)
    assert any("points are in px as stored" in line for line in lost(format_named("cvat"), [reading]))
    assert not any("as stored" in line for line in lost(format_named("cvat"), [replace(reading, frame=Frame())]))


def test_labelme_labels_end_with_own_names_of_points(folder):
    own = KeypointSchema("own", ("nose", "tail"))
    labelme(folder, [drawn("L3 nose", [(50, 50)]), drawn("L3 tail", [(90, 80)])])
    (body,) = only(folder, "labelme", own).vertebrae
    assert (body.label, body.points.tolist()) == ("L3", [[50, 50], [90, 80]])


def test_a_yolo_file_names_both_parts_that_ultralytics_asks_for(tmp_path):
    body = Vertebra.from_points(np.array([UPPER[name] for name in NAMES], float), label="L3")
    format_named("yolo").write(tmp_path / "data.yaml", [Reading("a.png", HEIGHT, WIDTH, VERTEBRA6, [body])])
    content = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert (content["train"], content["val"]) == ("images", "images")


# --- our own layout ---


def test_a_case_json_alone_is_recognised_and_a_table_of_something_else_is_not(folder):
    case = {"height": HEIGHT, "width": WIDTH, "image_id": "x", "annotations": []}
    (folder / "film.json").write_text(json.dumps(case))
    assert [entry.name for entry in detect(folder / "film.json")] == ["ours"]
    (folder / "film.json").write_text(json.dumps({"image_id": "x", "height": HEIGHT}))
    with pytest.raises(InputError, match="no known format"):
        detect(folder / "film.json")


def test_a_list_is_no_case():
    with pytest.raises(InputError, match=r"^a\.json: is not a table of fields"):
        check_record([], "a.json")


def test_a_reading_keeps_the_name_of_the_network_whose_points_they_are(folder):
    body = Vertebra.from_points(np.array([UPPER[name] for name in NAMES], float), label="L3")
    one = Reading("film.png", HEIGHT, WIDTH, VERTEBRA6, [body], model="xray-lateral 3")
    (folder / "film.json").write_text(json.dumps(one.to_json()))
    assert only(folder / "film.json").reading().model == "xray-lateral 3"


def test_a_folder_of_pictures_with_a_json_beside_each(folder):
    case = {"height": HEIGHT, "width": WIDTH, "image_id": "x", "annotations": []}
    (folder / "film.json").write_text(json.dumps(case))
    item = only(folder, "ours")
    assert (item.picture, item.case, item.vertebrae) == (folder / "film.png", "film", [])


@pytest.mark.parametrize(
    ("text", "name"), [("a:b", "a_b"), ("a/b\\c", "a_b_c"), ("a\tb", "a_b"), (" .a ", "a"), ("..", "case")]
)
def test_names_of_cases_are_names_of_folders(text, name):
    assert clean_name(text) == name
