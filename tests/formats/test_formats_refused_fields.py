"""A field that is wrong is refused by name, in every format: what is wrong there, and in which file."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.formats.files import check_name, read_json
from spinetk.formats.record import check_record
from spinetk.formats.registry import read
from spinetk.formats.results import read_result
from spinetk.formats.slicer import read_markups
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6, KeypointSchema

POINTS = [2.0, 8.0, 2, 5.0, 8.0, 2, 8.0, 8.0, 2, 8.0, 2.0, 2, 5.0, 2.0, 2, 2.0, 2.0, 2]


def refused(source, name=None, schema=None):
    """The one refusal that a reader ends with, or hands over in place of a picture."""
    try:
        (found,) = read(source, name, schema)
    except InputError as error:
        return error
    assert isinstance(found, InputError)
    return found


def record(body=None, **fields):
    entry = {"bbox": [2, 2, 8, 8], "bbox_mode": 0, "category_id": 0, "keypoints": list(POINTS), **(body or {})}
    return {"file_name": "a.png", "height": 10, "width": 9, "image_id": "a", "annotations": [entry], **fields}


def test_the_record_that_the_others_are_made_from_is_right():
    assert len(check_record(record(), "a.json")["annotations"]) == 1
    assert check_record(record(height=10.0, day=3, origin=["a:1"], landmarks=[]), "a.json")["height"] == 10


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"height": 0}, "field 'height' is not a whole number of px"),
        ({"width": 9.5}, "field 'width' is not a whole number of px"),
        ({"width": True}, "field 'width' is not a whole number of px"),
        ({"image_id": None}, "field 'image_id' is missing"),
        ({"annotations": {}}, "field 'annotations' is missing or not a list"),
        ({"annotations": [3]}, "field 'annotations[0]' is not a table of fields"),
        ({"view": "upside down"}, "field 'view' is not one of"),
        ({"origin": "a:1"}, "field 'origin' is not a list of hashes"),
        ({"origin": ["a"]}, "field 'origin' is not a list of hashes"),
        ({"day": 1.5}, "field 'day' is not a whole number of days"),
        ({"landmarks": [3]}, "field 'landmarks' is not a list of tables"),
        ({"schema": "../x"}, "field 'schema' is unknown"),
    ],
)
def test_fields_of_a_record(fields, fault):
    with pytest.raises(InputError) as error:
        check_record(record(**fields), "a.json")
    assert error.value.source == "a.json"
    assert error.value.fault.startswith(fault)


def changed(place, value):
    return {"keypoints": [value if k == place else v for k, v in enumerate(POINTS)]}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"bbox": None}, "bbox' is missing or not a list"),
        ({"bbox": [1, 2, 3]}, "bbox' has 3 numbers instead of 4"),
        ({"bbox": [2, 2, 2, 8]}, "bbox' is empty or inverted"),
        ({"bbox": [2, 8, 8, 2]}, "bbox' is empty or inverted"),
        ({"bbox_mode": 1}, "bbox_mode' is not 0"),
        ({"category_id": 1}, "category_id' is not 0"),
        ({"label": 3}, "label' is not text"),
        ({"keypoints": POINTS[:-1]}, "numbers"),
        (changed(0, None), "holds something that is not a finite number"),
        (changed(1, float("inf")), "holds something that is not a finite number"),
        (changed(2, 7), "keypoints"),
        (changed(0, 90.0), "keypoints"),
    ],
)
def test_fields_of_a_body(body, fault):
    with pytest.raises(InputError) as error:
        check_record(record(body), "a.json")
    assert "annotations[0]" in error.value.fault
    assert fault in error.value.fault


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"{", "is not valid JSON (line 1)"),
        (b"\xff\xfe\x00", "is not valid JSON"),
        (None, "is missing"),
        ("folder", "cannot be read"),
    ],
)
def test_json_that_cannot_be_read(tmp_path, content, fault):
    path = tmp_path / "a.json"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_json(path)
    assert (error.value.source, error.value.fault) == (str(path), fault)


@pytest.mark.parametrize(
    ("text", "fault"), [("{", "is not valid JSON"), ("[]", "is not a spinetk result"), (None, "cannot be read")]
)
def test_results_that_cannot_be_read(tmp_path, text, fault):
    if text is not None:
        (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError) as error:
        read_result(tmp_path / "a.json")
    assert (error.value.source, error.value.fault) == (str(tmp_path / "a.json"), fault)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\0b"])
def test_names_that_no_folder_can_have(name):
    with pytest.raises(InputError, match="cannot be the name of a folder"):
        check_name(name)


# --- YOLO ---


@pytest.mark.parametrize(
    ("data", "line", "fault"),
    [
        ("a: [", "", "is not valid YAML (line 1)"),
        ("names: [a]", "", "has no data.yaml with 'kpt_shape'"),
        ("kpt_shape: [0, 3]", "", "field 'kpt_shape' is [0, 3]"),
        ("kpt_shape: [4, 5]", "", "field 'kpt_shape' is [4, 5]"),
        ("kpt_shape: [2, 2]\nnames: {a: b}", "", "field 'names' is not a table of classes"),
        ("kpt_shape: [1, 2]", "0 .5 .5 .2 .2 .5 .5", "has no picture film.png (or .jpg, ...)"),
    ],
)
def test_yolo_sets(tmp_path, data, line, fault):
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text(data)
    (tmp_path / "labels/film.txt").write_text(line)
    error = refused(tmp_path / "data.yaml", "yolo")
    assert error.fault == fault
    assert error.source.startswith(str(tmp_path))


def test_a_yolo_set_without_labels(tmp_path):
    (tmp_path / "data.yaml").write_text("kpt_shape: [1, 2]")
    with pytest.raises(InputError, match=r"has no labels/\*\.txt"):
        list(read(tmp_path, "yolo"))


# --- centres in volumes ---


@pytest.fixture
def volume(tmp_path):
    import nibabel

    voxels = np.random.default_rng(0).integers(0, 99, (8, 10, 12)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 2, 3, 1])), tmp_path / "sub-1_T2w.nii.gz")
    return tmp_path


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ([], "is not a list of centroids"),
        ([{"label": 20}], "is not a list of centroids"),
        ([{"direction": ["P", "I", "R"]}, {"label": 20, "X": 1, "Y": 1}], "entry 1 has no label, X, Y and Z"),
        ([{"direction": ["P", "I", "R"]}, {"label": 20, "X": "a", "Y": 1, "Z": 1}], "entry 1 has no label, X, Y and Z"),
    ],
)
def test_verse_centroids(volume, content, fault):
    (volume / "sub-1_ctd.json").write_text(json.dumps(content))
    (error,) = read(volume, "verse")
    assert error.fault == fault


def test_centroids_without_their_volume(volume):
    (volume / "sub-2_ctd.json").write_text(json.dumps([{"direction": ["P", "I", "R"]}]))
    (error,) = read(volume, "verse")
    assert (error.source, error.fault) == (str(volume / "sub-2_ctd.json"), "has no volume sub-2*.nii.gz beside it")


@pytest.mark.parametrize("name", ["verse", "sct"])
def test_a_folder_without_centres(tmp_path, name):
    with pytest.raises(InputError) as error:
        list(read(tmp_path, name))
    assert error.value.fault in ("holds no *_ctd.json", "holds no point labels")


def test_a_segmentation_is_no_set_of_point_labels(volume, monkeypatch):
    import nibabel

    labels = nibabel.Nifti1Image(np.ones((8, 10, 12), np.uint8), np.diag([1.0, 2, 3, 1]))
    nibabel.save(labels, volume / "sub-1_T2w_labels-disc.nii.gz")
    monkeypatch.setattr("spinetk.formats.centroids.MOST_LABEL_VOXELS", 959)
    assert refused(volume, "sct").fault == "has 960 labelled voxels"


# --- 3D Slicer, masks, CVAT ---


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.mrk.json", b"\xff\xfe\xff", "is not a text file"),
        ("a.mrk.json", None, "cannot be read"),
        ("a.fcsv", b"# columns = id,label\n1,L1 top_left\n", "has no columns x, y, z and label"),
        ("a.fcsv", b"1,a,2,3\n", "row 1 has no x, y and z"),
        ("a.fcsv", b"1,nan,2,3,0,0,0,1,1,1,0,L1 top_left\n", "row 1 has no x, y and z"),
    ],
)
def test_point_lists(tmp_path, name, text, fault):
    if text is not None:
        (tmp_path / name).write_bytes(text)
    with pytest.raises(InputError) as error:
        read_markups(tmp_path / name, Reading("a.png", 10, 9, VERTEBRA6))
    assert (error.value.source, error.value.fault) == (str(tmp_path / name), fault)


def test_masks_give_points_of_bodies_only(tmp_path):
    with pytest.raises(InputError, match="has points a mask does not give"):
        list(read(tmp_path, "masks", KeypointSchema("x", ("nose",))))


def test_a_cvat_track_needs_frames(tmp_path):
    size = "<meta><task><original_size><width>9</width><height>9</height></original_size></task></meta>"
    track = '<track id="7" label="v"><points keyframe="1" outside="0" points="1,2"/></track>'
    (tmp_path / "a.xml").write_text(f"<annotations>{size}{track}</annotations>")
    assert refused(tmp_path / "a.xml", "cvat").fault == "track '7' has a shape without a frame"
