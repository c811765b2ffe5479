import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset

from spinetk.errors import InputError
from spinetk.formats.slicer import read_markups, write_markups
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.report import exchange
from spinetk.schema import VERTEBRA6


def body(x, y, **fields):
    points = np.array([[0, 12.125], [10, 12], [20, 12], [20, 0], [10, 0.5], [0, 0]]) + np.array([x, y])
    return Vertebra.from_points(points, **fields)


def reading(frame=None):
    vertebrae = [body(10.25, 20, label="L1", score=0.75), body(12, 50.5, label="L1"), body(13, 80, score=0.5)]
    vertebrae[1].visible[2] = False
    vertebrae[0].measures = {"heights_px": {"left": 12}}
    return Reading("a.png", 120, 90, VERTEBRA6, vertebrae, frame or Frame(), angles={"cobb_max": 3})


def source():
    data = Dataset()
    angle = np.deg2rad(20)
    data.ImagePositionPatient = [-12.5, 33.0, 410.25]
    data.ImageOrientationPatient = [0, np.cos(angle), -np.sin(angle), 0, -np.sin(angle), -np.cos(angle)]
    data.PixelSpacing = [0.75, 0.5]
    return data


CASES = [(Frame(), None), (Frame((0.75, 0.5), "PixelSpacing"), None), (Frame((0.75, 0.5), "PixelSpacing"), source())]


@pytest.mark.parametrize(("frame", "dicom"), CASES)
def test_round_trip(tmp_path, frame, dicom):
    wanted = reading(frame)
    write_markups(tmp_path / "a.mrk.json", wanted, source_dicom=dicom)
    found = read_markups(tmp_path / "a.mrk.json", wanted, source_dicom=dicom)
    assert (found.file, found.height, found.width, found.frame) == ("a.png", 120, 90, frame)
    assert [(v.label, v.score) for v in found.vertebrae] == [("L1", 0.75), ("L1", None), (None, 0.5)]
    for a, b in zip(found.vertebrae, wanted.vertebrae, strict=True):
        assert (a.visible == b.visible).all()
        assert a.points == pytest.approx(b.points, abs=1e-9)
    assert found.angles == {}
    assert found.vertebrae[0].measures == {}
    assert wanted.angles == {"cobb_max": 3}


@pytest.mark.parametrize("renamed", [False, True])
def test_what_was_said_of_the_networks_names_stays_as_long_as_they_do(tmp_path, renamed):
    base = replace(reading(), vertebrae=reading().vertebrae[::2], label_probability=0.97, remarks=["levels: counted"])
    write_markups(tmp_path / "a.mrk.json", base)
    if renamed:
        text = (tmp_path / "a.mrk.json").read_text()
        (tmp_path / "a.mrk.json").write_text(text.replace('"L1', '"L2'))
    found = read_markups(tmp_path / "a.mrk.json", base)
    assert [v.label for v in found.vertebrae] == ["L2" if renamed else "L1", None]
    assert (found.label_probability, found.remarks) == ((None, []) if renamed else (0.97, ["levels: counted"]))


def positions(path):
    (markup,) = json.loads(path.read_text())["markups"]
    assert (markup["type"], markup["coordinateSystem"]) == ("Fiducial", "LPS")
    return {control["label"]: control["position"] for control in markup["controlPoints"]}


def test_first_pixel_centre_is_the_origin_of_the_plane(tmp_path):
    one = Reading("a.png", 9, 9, VERTEBRA6, [Vertebra.from_points(np.full((6, 2), 0.5))], Frame((2.0, 3.0), "user"))
    one.vertebrae[0].points[5] = (1.5, 2.5)
    write_markups(tmp_path / "a.mrk.json", one)
    found = positions(tmp_path / "a.mrk.json")
    assert found["#1 bottom_left"] == [0, 0, 0]
    assert found["#1 top_left"] == [3.0, 4.0, 0.0]


def test_patient_positions_follow_the_dicom_equation(tmp_path):
    data, one = source(), reading()
    write_markups(tmp_path / "a.mrk.json", one, source_dicom=data)
    found = positions(tmp_path / "a.mrk.json")["#3 top_left"]
    # PS3.3 equation C.7.6.2.1-1 with column index i and row index j counted from the pixel centres.
    across, down = np.array(data.ImageOrientationPatient[:3]), np.array(data.ImageOrientationPatient[3:])
    i, j = 13 - 0.5, 80 - 0.5
    wanted = across * 0.5 * i + down * 0.75 * j + np.array(data.ImagePositionPatient, float)
    assert found == pytest.approx(wanted)


def test_points_moved_off_the_plane_and_saved_as_ras(tmp_path):
    wanted = reading()
    write_markups(tmp_path / "a.mrk.json", wanted)
    content = json.loads((tmp_path / "a.mrk.json").read_text())
    markup = content["markups"][0]
    markup["coordinateSystem"] = "RAS"
    for control in markup["controlPoints"]:
        x, y, _ = control["position"]
        control["position"] = [-x, -y, 3.0]
    (tmp_path / "b.mrk.json").write_text(json.dumps(content))
    found = read_markups(tmp_path / "b.mrk.json", wanted)
    assert found.vertebrae[0].points == pytest.approx(wanted.vertebrae[0].points)


@pytest.mark.parametrize(
    ("system", "sign"),
    [("RAS", -1), ("LPS", 1), ("0", -1), ("1", 1), (0, -1), (1, 1), (None, 1)],
)
def test_coordinate_systems_by_name_number_or_default(tmp_path, system, sign):
    """Slicer's schema has LPS as default; its older scenes counted RAS 0 and LPS 1."""
    wanted = reading()
    write_markups(tmp_path / "a.mrk.json", wanted)
    content = json.loads((tmp_path / "a.mrk.json").read_text())
    (markup,) = content["markups"]
    markup["coordinateSystem"] = system
    if system is None:
        del markup["coordinateSystem"]
    for control in markup["controlPoints"]:
        x, y, z = control["position"]
        control["position"] = [sign * x, sign * y, z]
    (tmp_path / "b.mrk.json").write_text(json.dumps(content))
    found = read_markups(tmp_path / "b.mrk.json", wanted)
    for a, b in zip(found.vertebrae, wanted.vertebrae, strict=True):
        np.testing.assert_allclose(a.points[a.visible], b.points[b.visible], atol=1e-9)


@pytest.mark.parametrize("system", ["IJK", "2", "", "a name longer than twenty letters"])
def test_coordinate_systems_of_another_name_are_refused(tmp_path, system):
    write_markups(tmp_path / "a.mrk.json", reading())
    content = json.loads((tmp_path / "a.mrk.json").read_text())
    content["markups"][0]["coordinateSystem"] = system
    (tmp_path / "a.mrk.json").write_text(json.dumps(content))
    with pytest.raises(InputError) as error:
        read_markups(tmp_path / "a.mrk.json", reading())
    assert error.value.fault == f"is in the coordinate system {system[:20]!r}"
    assert error.value.remedy == "save it in LPS or RAS"


def test_missing_points_may_lack_a_position(tmp_path):
    wanted = reading()
    write_markups(tmp_path / "a.mrk.json", wanted)
    content = json.loads((tmp_path / "a.mrk.json").read_text())
    for control in content["markups"][0]["controlPoints"]:
        if control["positionStatus"] == "missing":
            del control["position"]
    (tmp_path / "a.mrk.json").write_text(json.dumps(content))
    assert not read_markups(tmp_path / "a.mrk.json", wanted).vertebrae[1].visible[2]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"markups": [{}]}',
        '{"markups": [{"controlPoints": [{"label": "L1 nose", "position": [0, 0, 0]}]}]}',
        '{"markups": [{"controlPoints": [{"label": "L1 top_left", "position": [0, 0]}]}]}',
        '{"markups": [{"controlPoints": [{"label": "L1 top_left", "position": [0, 0, NaN]}]}]}',
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, text):
    (tmp_path / "a.mrk.json").write_text(text)
    with pytest.raises(InputError, match=r"a\.mrk\.json"):
        read_markups(tmp_path / "a.mrk.json", reading())


def test_sources_without_a_position_are_refused(tmp_path):
    data = source()
    del data.ImagePositionPatient
    with pytest.raises(InputError, match="no position"):
        write_markups(tmp_path / "a.mrk.json", reading(), source_dicom=data)
    with pytest.raises(InputError, match="no position"):
        write_markups(tmp_path / "a.mrk.json", reading(), source_dicom=tmp_path / "absent.dcm")


def test_points_on_a_volume_lie_where_its_voxels_do(tmp_path):
    """Voxel (i, j, k) is at origin + direction * spacing * (i, j, k), LPS: ITK's own arithmetic."""
    sitk = pytest.importorskip("SimpleITK")
    from spinetk.formats.registry import format_named, read
    from spinetk.images import read_picture

    image = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 99, (12, 10, 9)).astype(np.int16))
    image.SetSpacing((3.0, 2.0, 2.0))
    image.SetOrigin((-20.0, 30.0, -40.0))
    image.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1))
    sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
    picture = read_picture(tmp_path / "a.nii.gz")
    assert (picture.width, picture.height, picture.slice) == (10, 12, 4)
    # Row 2, column 3 of the picture: back on the right, feet below, so j = 10 - 1 - 3 and k = 12 - 1 - 2.
    points = np.tile([3.5, 2.5], (6, 1)) + BODY_OFFSETS
    body = Vertebra.from_points(points, label="L1")
    one = Reading(str(tmp_path / "a.nii.gz"), 12, 10, VERTEBRA6, [body], picture.frame)
    for name in ("slicer", "fcsv"):
        entry = format_named(name)
        entry.write(tmp_path / f"a{entry.suffix}", [one])
        (item,) = read(tmp_path / f"a{entry.suffix}")
        assert item.vertebrae[0].points == pytest.approx(points, abs=1e-4)
    place = positions(tmp_path / "a.mrk.json")["L1 bottom_left"]
    assert place == pytest.approx(image.TransformIndexToPhysicalPoint((4, 6, 9)), abs=1e-5)
    # Of another slice than the central one, each voxel is a step of 2 mm further to the left of the patient.
    for slice_, chosen in ((7, None), (1, 7)):
        other = replace(one, slice=slice_)
        format_named("slicer").write(tmp_path / "b.mrk.json", [other], chosen=chosen)
        place = positions(tmp_path / "b.mrk.json")["L1 bottom_left"]
        assert place == pytest.approx(image.TransformIndexToPhysicalPoint((7, 6, 9)), abs=1e-5)
    # Read without their result, points lie on the central slice: three slices of 3 mm beside where they were drawn.
    shutil.copy(tmp_path / "a.nii.gz", tmp_path / "b.nii.gz")
    (far,), (near,) = read(tmp_path / "b.mrk.json"), read(tmp_path / "a.mrk.json")
    assert any("up to 9.0 mm off the slice" in remark for remark in far.remarks)
    assert not any("off the slice" in remark for remark in near.remarks)


def test_a_level_beside_a_numbered_point_is_read(tmp_path):
    content = {"markups": [{"type": "Fiducial", "coordinateSystem": "LPS", "controlPoints": []}]}
    for name, (x, y) in zip(VERTEBRA6.keypoints, body(10, 20).points.tolist(), strict=True):
        control = {"label": f"#1 {name}", "description": " L2 ", "position": [x - 0.5, y - 0.5, 0]}
        content["markups"][0]["controlPoints"].append(control)
    (tmp_path / "a.mrk.json").write_text(json.dumps(content))
    (found,) = read_markups(tmp_path / "a.mrk.json", Reading("a.png", 120, 90, VERTEBRA6)).vertebrae
    assert found.label == "L2"
    assert found.points == pytest.approx(body(10, 20).points)


BODY_OFFSETS = np.array([[0, 0], [1, 2], [2, 2], [2, 0], [1, 0], [0, 1]], float)


def test_scripts_that_import_from_the_former_place_get_the_same():
    assert (exchange.read_markups, exchange.write_markups) == (read_markups, write_markups)
