"""Wrong files that a user can have: each is refused in one line that names the file and what is wrong in it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from wrong_files import BODY, body, film, refused

from spinetk.errors import InputError
from spinetk.formats.coco import write_coco
from spinetk.formats.cvat import read_cvat
from spinetk.formats.record import check_record
from spinetk.formats.registry import format_named, read
from spinetk.formats.results import iter_results
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema

AASCE = "sunhl-1th-02-Jan-2017-162 A AP.jpg"


# --- nothing there ---


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("coco", "holds no COCO JSON"),
        ("labelme", "holds no labelme JSON"),
        ("slicer", "holds no point list"),
        ("labelstudio", "holds no Label Studio export"),
        ("cvat", "holds no CVAT XML"),
    ],
)
def test_a_folder_with_other_files_only(tmp_path, name, fault):
    (tmp_path / "notes.json").write_text('{"day": "Monday"}')
    (tmp_path / "notes.xml").write_text("<notes/>")
    error = refused(tmp_path, name)
    assert (error.source, error.fault) == (str(tmp_path), fault)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("labelme", "is not labelme JSON"),
        ("labelstudio", "is no Label Studio export"),
        ("coco", "field 'images' is missing or not a list of tables"),
    ],
)
def test_the_file_of_another_program(tmp_path, name, fault):
    (tmp_path / "notes.json").write_text('{"day": "Monday"}')
    error = refused(tmp_path / "notes.json", name)
    assert (error.source, error.fault) == (str(tmp_path / "notes.json"), fault)


def test_results_that_are_not_there(tmp_path):
    ((path, error),) = iter_results([tmp_path / "a.xml"])
    assert (path, error.source, error.fault) == (tmp_path / "a.xml", str(tmp_path / "a.xml"), "does not exist")


@pytest.mark.parametrize(
    ("failed", "fault", "remedy"),
    [
        ([{"why": "a.png: is empty"}], "all 1 pictures failed, the first with 'a.png: is empty'", "mend it and"),
        (["b", {"why": "c"}], "all 2 pictures failed, the first with 'b'", "see run.json for the others"),
    ],
)
def test_a_batch_of_which_nothing_came(tmp_path, failed, fault, remedy):
    (tmp_path / "run.json").write_text(json.dumps({"failed": failed}))
    ((path, error),) = iter_results([tmp_path])
    assert (path, error.source) == (tmp_path, str(tmp_path))
    assert error.fault == f"holds no result: {fault}"
    assert error.remedy.startswith(remedy)
    # The manifest alone, as *.json gives it, is passed by.
    ((_, alone),) = iter_results([tmp_path / "run.json"])
    assert (alone.source, alone.fault) == (str(tmp_path / "run.json"), "holds no result")


def test_an_annotation_that_may_correct_two_results(tmp_path):
    """Two hospitals call their film a.png; the annotation lies beside both results and neither picture."""
    for name in ("one", "two"):
        told = Reading(str(tmp_path / name / "a.png"), 10, 9, VERTEBRA6, [body(label="L1")])
        (tmp_path / f"{name}.json").write_text(json.dumps(told.to_json()))
    format_named("cvat").write(tmp_path / "a.xml", [told])
    ((_, error),) = iter_results([tmp_path / "a.xml"])
    assert error.source == f"{tmp_path / 'a.xml'}: image a.png"
    assert error.fault == "may correct any of 2 results of pictures of that name (one.json, two.json)"


# --- AASCE ---


@pytest.fixture
def aasce(tmp_path):
    """As the set is distributed: a table of shares beside the names of the files."""
    film(tmp_path / "data/training" / AASCE)
    labels = tmp_path / "labels/training"
    labels.mkdir(parents=True)
    (labels / "filenames.csv").write_text(f"{AASCE}\n")
    (labels / "landmarks.csv").write_text(",".join(["0.5"] * 136) + "\n")
    return tmp_path


def test_aasce_tables_that_are_right(aasce):
    (item,) = read(aasce, "aasce")
    assert item.vertebrae[0].points[0].tolist() == [4.5, 5]


@pytest.mark.parametrize(
    ("names", "row", "fault"),
    [
        ("other.jpg", ["0.5"] * 136, f"has no row of {AASCE}"),
        (AASCE, ["250"] * 136, f"row of {AASCE} holds no shares"),
        (AASCE, ["nan"] * 136, f"row of {AASCE} holds no shares"),
        (AASCE, ["0.5"] * 135, "does not fit filenames.csv"),
        (AASCE, ["0.5"] * 135 + ["x"], "does not fit filenames.csv"),
        (f"{AASCE}\nb.jpg", ["0.5"] * 136, "does not fit filenames.csv"),
    ],
)
def test_aasce_tables_that_are_wrong(aasce, names, row, fault):
    (aasce / "labels/training/filenames.csv").write_text(names + "\n")
    (aasce / "labels/training/landmarks.csv").write_text(",".join(row) + "\n")
    error = refused(aasce, "aasce")
    assert (error.source, error.fault) == (str(aasce / "labels/training/landmarks.csv"), fault)


def test_aasce_gives_corners_and_middles_of_endplates_only(aasce):
    error = refused(aasce, "aasce", KeypointSchema("x", ("nose",)))
    assert (error.source, error.fault) == ("schema 'x'", "has points AASCE does not give")


# --- volumes ---


@pytest.mark.parametrize("name", ["verse", "sct"])
def test_a_volume_that_does_not_say_where_its_axes_point(tmp_path, name):
    import nibabel

    def save(path, code, values):
        image = nibabel.Nifti1Image(values, np.diag([1.0, 2, 3, 1]))
        image.header.set_qform(None, code=0)
        image.set_sform(np.diag([1.0, 2, 3, 1]), code=code)
        image.set_qform(None, code=0)
        nibabel.save(image, path)

    values = np.zeros((8, 10, 12), np.uint8)
    save(tmp_path / "sub-1_T2w.nii.gz", 0, values + np.arange(12, dtype=np.uint8))
    values[4, 5, 6] = 20
    if name == "verse":
        (tmp_path / "sub-1_ctd.json").write_text(
            json.dumps([{"direction": ["P", "I", "R"]}, {"label": 20, "X": 1, "Y": 1, "Z": 1}])
        )
        file, fault = "sub-1_ctd.json", "sub-1_T2w.nii.gz has no directions"
    else:
        save(tmp_path / "sub-1_T2w_labels-disc.nii.gz", 1, values)
        file, fault = "sub-1_T2w_labels-disc.nii.gz", "and sub-1_T2w.nii.gz do not both say where their axes point"
    error = refused(tmp_path, name)
    assert (error.source, error.fault) == (str(tmp_path / file), fault)


# --- COCO ---


def coco(folder, names, flat, **fields):
    annotation = {"id": 3, "image_id": 1, "category_id": 1, "keypoints": flat, **fields}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 9, "height": 10}],
        "annotations": [annotation],
        "categories": [{"id": 1, "name": "vertebra", "keypoints": names}],
    }
    (folder / "coco.json").write_text(json.dumps(content))
    return folder / "coco.json"


def test_a_coco_category_with_one_name_twice(tmp_path):
    path = coco(tmp_path, ["top_left", "top_left"], [1, 1, 2, 2, 2, 2])
    error = refused(path, "coco")
    assert error.source == f"{path}: annotation 3"
    assert error.fault == "its category has two keypoints named 'top_left'"


def test_a_coco_set_of_other_points_than_asked_for(tmp_path):
    path = coco(tmp_path, ["nose", "left_eye"], [1, 1, 2, 2, 2, 2])
    error = refused(path, "coco", VERTEBRA4)
    assert (error.source, error.fault) == (str(path), "has points nose, left_eye, not those of schema 'vertebra4'")


def record(name, schema, points):
    flat = [float(v) for x, y in points for v in (x, y, 2)]
    entry = {"bbox": [2, 2, 8, 8], "bbox_mode": 0, "category_id": 0, "keypoints": flat}
    return check_record(
        {"file_name": name, "height": 10, "width": 9, "image_id": name, "annotations": [entry], "schema": schema}, name
    )


def test_coco_holds_the_points_of_one_schema(tmp_path):
    records = [record("a.png", "vertebra6", BODY), record("b.png", "vertebra4", BODY[:4])]
    with pytest.raises(InputError) as error:
        write_coco(tmp_path / "coco.json", records)
    assert (error.value.source, error.value.fault) == ("b.png", "has the points of vertebra4, others of vertebra6")


@pytest.mark.parametrize("box", [[-3, 2, 8, 8], [2, -3, 8, 8], [2, 2, 12, 8], [2, 2, 8, 13]])
def test_boxes_of_a_record_lie_in_the_picture(box):
    told = record("a.png", "vertebra6", BODY)
    told["annotations"][0]["bbox"] = box
    with pytest.raises(InputError) as error:
        check_record(told, "a.json")
    fault = "field 'annotations[0].bbox' reaches outside the picture of 9 x 10 px"
    assert (error.value.source, error.value.fault) == ("a.json", fault)


# --- CVAT ---


def cvat(folder, shapes, more=""):
    image = f'<image id="0" name="a.png" width="9" height="10">{shapes}</image>'
    (folder / "a.xml").write_text(f"<annotations>{image}{more}</annotations>")
    return folder / "a.xml"


def test_two_cvat_points_of_one_name(tmp_path):
    path = cvat(tmp_path, '<points label="L3 top_left" points="{},2"/>'.format("1") * 2)
    error = refused(path, "cvat")
    assert error.source == f"{path}: image 'a.png'"
    assert error.fault == "has two points 'L3 top_left' in one vertebra"


def test_cvat_in_another_encoding(tmp_path):
    (tmp_path / "a.xml").write_bytes('<annotations name="Würfel"/>'.encode("latin-1"))
    error = refused(tmp_path / "a.xml", "cvat")
    assert (error.source, error.fault) == (str(tmp_path / "a.xml"), "is not valid XML")


def test_cvat_of_another_size_than_its_picture(tmp_path):
    film(tmp_path / "a.png", 20, 30)
    points = "".join(
        f'<points label="{name}" points="{x},{y}"/>' for name, (x, y) in zip(VERTEBRA6.keypoints, BODY, strict=True)
    )
    error = refused(cvat(tmp_path, f'<skeleton label="vertebra">{points}</skeleton>'), "cvat")
    assert error.source == str(tmp_path / "a.png")
    assert error.fault == "has 30 x 20 px, its annotation is about 9 x 10 px"


def test_a_cvat_video_of_unknown_size(tmp_path):
    """Read without its pictures: they may lie there, and are not looked at."""
    film(tmp_path / "frame_000000.png")
    track = '<track id="0" label="L3"><points frame="0" keyframe="1" outside="0" points="1,2"/></track>'
    (tmp_path / "a.xml").write_text(f"<annotations>{track}</annotations>")
    with pytest.raises(InputError) as error:
        read_cvat(tmp_path / "a.xml")
    assert (error.value.source, error.value.fault) == (str(tmp_path / "a.xml"), "was read without its pictures")


# --- Label Studio ---


@pytest.mark.parametrize(
    ("kind", "value", "fault"),
    [
        ("brushlabels", {"brushlabels": ["L3"]}, "has no keypoint"),
        ("polygonlabels", {"polygonlabels": ["L3"], "points": None}, "polygon 'L3' has no corners"),
        ("polygonlabels", {"polygonlabels": ["L3"], "points": [[1, 2, 3]]}, "polygon 'L3' has no corners"),
        (
            "rectanglelabels",
            {"rectanglelabels": ["L3"], "x": 1, "y": 1, "width": 9, "height": 9, "rotation": 5},
            "has a turned box on a picture that is not square",
        ),
    ],
)
def test_label_studio_regions(tmp_path, kind, value, fault):
    region = {"type": kind, "value": value, "original_width": 9, "original_height": 10}
    task = {"id": 7, "data": {"image": "a.png"}, "annotations": [{"id": 1, "result": [region]}]}
    (tmp_path / "a.json").write_text(json.dumps([task]))
    error = refused(tmp_path / "a.json", "labelstudio")
    assert (error.source, error.fault) == (f"{tmp_path / 'a.json'}: task 7", fault)


# --- masks, YOLO ---


def test_notes_of_masks_are_tables(tmp_path):
    film(tmp_path / "sub-1/a.png")
    film(tmp_path / "sub-1/a_label.png")
    (tmp_path / "annotations.json").write_text('{"sub-1": [0.5, 0.5]}')
    error = refused(tmp_path, "masks")
    assert error.source == str(tmp_path / "annotations.json")
    assert error.fault == "field 'sub-1' is not a table of fields"


@pytest.mark.parametrize(
    ("name", "content", "file", "fault"),
    [
        ("data.yaml", None, "data.yaml", "cannot be read"),
        ("data.yaml", "names: [Wirbelkörper]".encode("latin-1"), "data.yaml", "is not valid YAML"),
        ("labels/a.txt", "# Wirbelkörper".encode("latin-1"), "labels/a.txt", "cannot be read"),
    ],
)
def test_yolo_files_that_are_no_text(tmp_path, name, content, file, fault):
    film(tmp_path / "images/a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("")
    if content is None:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / "data.yaml").write_text("kpt_shape: [1, 2]")
        (tmp_path / name).write_bytes(content)
    error = refused(tmp_path, "yolo")
    assert (error.source, error.fault) == (str(tmp_path / file), fault)


def test_yolo_points_without_names_that_lie_in_no_one_order(tmp_path):
    """One body counted from its upper left corner, one from its lower right: neither order is that of the set."""
    film(tmp_path / "images/a.png", 100, 100)
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text("kpt_shape: [4, 2]")
    lines = []
    for corners in ((0, 1, 2, 3), (3, 2, 0, 1)):
        places = np.array([[0.2, 0.2], [0.6, 0.2], [0.2, 0.4], [0.6, 0.4]])[list(corners)]
        lines.append("0 .4 .3 .4 .2 " + " ".join(f"{v}" for v in places.ravel()))
    (tmp_path / "labels/a.txt").write_text("\n".join(lines))
    error = refused(tmp_path, "yolo")
    assert (error.source, error.fault) == ("YOLO set", "does not name its points, and they lie in no one order")


# --- 3D Slicer ---


def markups(path, *controls):
    points = [{"label": label, "position": [x, y, 0]} for label, x, y in controls]
    path.write_text(json.dumps({"markups": [{"type": "Fiducial", "controlPoints": points}]}))
    return path


@pytest.mark.parametrize(
    ("controls", "fault"),
    [
        ([("L1 top_left", 1, 1), ("L1 top_left", 2, 2)], "has two points 'L1 top_left'"),
        ([("L1 top_left", 2e6, 1)], "point 'L1 top_left' lies far outside the picture"),
        ([("L1 top_left", 1, -2e6)], "point 'L1 top_left' lies far outside the picture"),
    ],
)
def test_points_of_slicer(tmp_path, controls, fault):
    film(tmp_path / "a.png")
    error = refused(markups(tmp_path / "a.mrk.json", *controls), "slicer")
    assert (error.source, error.fault) == (str(tmp_path / "a.mrk.json"), fault)


def test_a_point_list_beside_nothing(tmp_path):
    error = refused(markups(tmp_path / "a.mrk.json", ("L1 top_left", 1, 1)), "slicer")
    assert error.source == str(tmp_path / "a.mrk.json")
    assert error.fault == "has no picture a.dcm (or .png, .nii.gz, ...) or result a.json beside it"


def test_a_point_list_of_a_picture_that_is_gone(tmp_path):
    told = Reading(str(tmp_path / "a.png"), 10, 9, VERTEBRA6, [body(label="L1")])
    with pytest.raises(InputError) as error:
        format_named("slicer").write(tmp_path / "a.mrk.json", [told])
    assert (error.value.source, error.value.fault) == (str(tmp_path / "a.png"), "is no longer there")
    assert not list(tmp_path.iterdir())
