from __future__ import annotations

import json
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from slices import slice_file

from spinetk.cases.augmentation import augment
from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.preparation import _Groups, prepare, resized
from spinetk.errors import InputError
from spinetk.formats.record import reading_of
from spinetk.formats.registry import read
from spinetk.images import to_uint8
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

MR = Path(__file__).parents[2].parent / "shared" / "data" / "mr_sagittal"
BODY = [[20.5, 60], [40, 58], [60, 61], [59, 30], [40, 31], [21, 29]]


def annotate(picture: Path, size: tuple[int, int] = (100, 80), **changes) -> None:
    flat = [v for x, y in BODY for v in (x, y, 2)]
    entry = {"bbox": [20, 29, 60, 61], "bbox_mode": 0, "category_id": 0, "keypoints": flat, "label": "L2"}
    content = {"file_name": "x", "width": size[0], "height": size[1], "image_id": "x", "annotations": [entry]}
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.with_suffix(".json").write_text(json.dumps({**content, **changes}))


def grey(seed: int = 0, size: tuple[int, int] = (100, 80)) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 4000, size[::-1]).astype(np.uint16)


@pytest.fixture
def source(tmp_path) -> Path:
    base = tmp_path / "in"
    for seed, name in enumerate(("a.png", "b/a.tif", "b/c.jpg")):
        annotate(base / name)
        pixels = grey(seed)
        cv2.imwrite(str(base / name), (pixels // 16).astype(np.uint8) if name.endswith("jpg") else pixels)
    return base


def test_pictures_of_three_kinds(source, tmp_path):
    result = prepare(source, tmp_path / "out", spacing_mm=(0.5, 0.4), progress=False)
    assert result.failures == []
    assert sorted(result.cases) == sorted(result.written) == ["a", "b_a", "b_c"]
    folder = CaseFolder(tmp_path / "out")
    records, failures = folder.records(folder.cases())
    assert failures == []
    for record in records:
        assert (record["spacing_mm"], record["spacing_source"]) == ([0.5, 0.4], "user")
        assert record["annotations"][0]["label"] == "L2"
        assert record["annotations"][0]["keypoints"][:3] == [20.5, 60, 2]
        assert read_pixels(record).dtype == np.uint8


def test_the_window_of_the_original(tmp_path):
    """Mean and SD of the non-zero pixels, clipped at 2.5 SD, least and greatest to 0 and 255."""
    pixels = grey()
    pixels[:20] = 0
    pixels[40, 40], pixels[41, 41] = 65000, 1
    annotate(tmp_path / "in/a.png")
    cv2.imwrite(str(tmp_path / "in/a.png"), pixels)
    prepare(tmp_path / "in", tmp_path / "out", progress=False)
    values = pixels.astype(np.float64)
    counted = values[values > 0]
    z = np.clip((values - counted.mean()) / counted.std(), -2.5, 2.5)
    expected = (z - z.min()) / (z.max() - z.min()) * 255
    found = read_pixels(CaseFolder(tmp_path / "out").records(["a"])[0][0])
    np.testing.assert_allclose(found, expected, atol=0.6)


def test_resizing_keeps_points_and_millimetres(source, tmp_path):
    prepare(source, tmp_path / "one", spacing_mm=(0.5, 0.4), progress=False)
    prepare(source, tmp_path / "two", spacing_mm=(0.5, 0.4), width=800, progress=False)
    before, after = (reading_of(CaseFolder(tmp_path / n).records(["a"])[0][0]) for n in ("one", "two"))
    assert (after.width, after.height) == (800, 640)
    first, second = before.vertebrae[0], after.vertebrae[0]
    np.testing.assert_allclose(second.points, first.points * 8)
    np.testing.assert_allclose(second.bbox, np.array(first.bbox) * 8)
    np.testing.assert_allclose(after.frame.to_mm(second.points), before.frame.to_mm(first.points))


def test_pixels_move_with_the_points_when_resized(source, tmp_path):
    """A bright square stays under the point at its centre when the picture is halved or tripled."""
    prepare(source, tmp_path / "one", progress=False)
    reading = reading_of(CaseFolder(tmp_path / "one").records(["a"])[0][0])
    pixels = np.zeros((80, 100), np.uint8)
    pixels[26:32, 18:24] = 255
    reading.vertebrae[0].points[5] = (21, 29)
    for width in (50, 300):
        picture, smaller = resized(pixels, reading, width)
        y, x = np.mgrid[: picture.shape[0], : picture.shape[1]] + 0.5
        weight = picture.astype(float)
        centre = [(x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()]
        np.testing.assert_allclose(centre, smaller.vertebrae[0].points[5], atol=0.05)


def test_running_again_keeps_what_is_there(source, tmp_path):
    out = tmp_path / "out"
    prepare(source, out, progress=False)
    folder = CaseFolder(out)
    augment(out, copies=1, progress=False)
    # Somebody corrects a point and flags the case.
    path = folder.source("a")
    content = json.loads(path.read_text())
    content["annotations"][0]["keypoints"][0] = 22.0
    path.write_text(json.dumps(content))
    (out / "metadata.json").write_text('{"a": {"Hardware": true}}')
    again = prepare(source, out, progress=False)
    assert again.written == []
    assert len(again.cases) == 3
    assert json.loads(path.read_text())["annotations"][0]["keypoints"][0] == 22.0
    assert folder.metadata()["a"] == {"Hardware": True}
    assert len(folder.augmented("a")) == 1
    # A changed picture is prepared anew, and its copies go with it; the others stay.
    cv2.imwrite(str(source / "a.png"), grey(9))
    assert prepare(source, out, progress=False).written == ["a"]
    assert folder.augmented("a") == []
    assert len(folder.augmented("b_a")) == 1


def test_a_batch_goes_on(source, tmp_path):
    (source / "empty.png").write_bytes(b"")
    annotate(source / "empty.png")
    (source / "noise.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    annotate(source / "noise.png")
    cv2.imwrite(str(source / "alone.png"), grey())
    cv2.imwrite(str(source / "other.png"), grey(size=(90, 80)))
    annotate(source / "other.png")
    cv2.imwrite(str(source / "nan.png"), grey())
    annotate(source / "nan.png", annotations=[{"bbox": [0, 0, 9, 9], "keypoints": [float("nan")] * 18}])
    cv2.imwrite(str(source / "dot.png"), grey(size=(1, 1)))
    annotate(source / "dot.png", size=(1, 1), annotations=[])
    result = prepare(source, tmp_path / "out", progress=False)
    assert sorted(result.cases) == ["a", "b_a", "b_c", "dot"]
    text = "\n".join(sorted(str(f) for f in result.failures))
    assert len(result.failures) == 5
    for name in ("alone.json: is missing", "empty.png", "noise.png", "annotation is about 100 x 80", "annotations[0]"):
        assert name in text


def test_equal_names_do_not_overwrite_each_other(tmp_path):
    for name in ("a_b.png", "a/b.png", "A_b.png"):
        annotate(tmp_path / "in" / name)
        cv2.imwrite(str(tmp_path / "in" / name), grey(len(name) + ord(name[0])))
    result = prepare(tmp_path / "in", tmp_path / "out", progress=False)
    assert len({case.casefold() for case in result.cases}) == 3


def test_dicom_names_give_nobody_away(tmp_path):
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
    dataset.PatientName, dataset.PatientID, dataset.Modality = "DOE^JANE", "4711", "CT"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 80, 100, 1
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelSpacing = [0.7, 0.6]
    dataset.BurnedInAnnotation = "YES"
    dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.PixelData = grey().tobytes()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = tmp_path / "in/Doe_Jane.dcm"
    annotate(path)
    dataset.save_as(path, enforce_file_format=True)
    result = prepare(tmp_path / "in", tmp_path / "out", progress=False)
    assert result.failures == []
    (case,) = result.cases
    assert "burned into the pixels" in result.remarks[0]
    record = CaseFolder(tmp_path / "out").records([case])[0][0]
    assert record["spacing_mm"] == [0.7, 0.6]
    assert record["spacing_source"] == "PixelSpacing"
    assert record["modality"] == "CT"
    assert record["orientation"] == ["P", "F"]
    for file in (tmp_path / "out").rglob("*"):
        assert "oe" not in file.name.replace("metadata.json", "")
        if file.is_file():
            content = file.read_bytes().lower()
            assert b"jane" not in content
            assert b"4711" not in content or file.suffix == ".png"
    assert prepare(tmp_path / "in", tmp_path / "out", progress=False).cases == [case]


def test_the_same_picture_under_two_patients_is_one_group(tmp_path):
    mask = np.zeros((80, 100), np.uint8)
    mask[30:60, 30:70] = 1
    for subject in ("sub-1", "sub-2", "sub-3"):
        folder = tmp_path / "in" / subject
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "s.png"), grey(int(subject == "sub-3")))
        cv2.imwrite(str(folder / "s_label.png"), mask)
    result = prepare(tmp_path / "in", tmp_path / "out", progress=False)
    groups = [entry["group"] for entry in CaseFolder(tmp_path / "out").metadata().values()]
    assert groups == ["sub-1", "sub-1", "sub-3"]
    assert "same picture" in result.remarks[0]


def test_sources_and_settings_that_cannot_be(source, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no annotated picture"):
        prepare(tmp_path / "empty", tmp_path / "out", progress=False)
    with pytest.raises(InputError, match="does not exist"):
        prepare(tmp_path / "none", tmp_path / "out", progress=False)
    with pytest.raises(InputError, match="format 'bids'"):
        prepare(source, tmp_path / "out", layout="bids", progress=False)
    with pytest.raises(InputError, match="width"):
        prepare(source, tmp_path / "out", width=0, progress=False)
    with pytest.raises(InputError, match="spacing"):
        prepare(source, tmp_path / "out", spacing_mm=(0, 1), progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.data("mr_sagittal")
def test_real_slices(tmp_path):
    for name, bodies in (("sub-vb102", 9), ("sub-vb317", 5)):
        result = prepare(MR / name, tmp_path / name, progress=False)
        assert result.failures == []
        records = CaseFolder(tmp_path / name).records(result.cases)[0]
        assert len(records) == 5
        assert all(len(record["annotations"]) == bodies for record in records)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_an_annotation_of_a_photographed_film_may_be_about_the_turned_picture(tmp_path, orientation):
    """Annotation tools show what EXIF turns: where the sizes tell, the case is in their px, else a remark says how."""
    film = Image.fromarray((grey() // 16).astype(np.uint8))  # 100 x 80 px as annotated
    back = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = film if orientation == 1 else film.transpose(back[orientation])
    exif = Image.Exif()
    exif[274] = orientation
    (tmp_path / "in").mkdir()
    stored.save(tmp_path / "in" / "film.png", exif=exif)
    annotate(tmp_path / "in" / "film.png")
    result = prepare(tmp_path / "in", tmp_path / "out", progress=False)
    assert result.failures == []
    record = CaseFolder(tmp_path / "out").records(["film"])[0][0]
    assert record["annotations"][0]["keypoints"][:3] == [20.5, 60, 2]
    said = any("as EXIF turns it" in remark for remark in result.remarks)
    if orientation == 3:
        assert record["exif_orientation"] == 3
        assert said
    else:
        np.testing.assert_array_equal(read_pixels(record), to_uint8(np.asarray(film)))
        assert "exif_orientation" not in record
        assert not said


def test_a_result_of_one_slice_of_a_volume_becomes_a_case_of_that_slice(tmp_path):
    """Sagittal slice i, counted from 0, is bright at k = i, which of 12 rows is row 11 - i."""
    values = np.random.default_rng(0).integers(50, 60, (9, 10, 12)).astype(np.int16)
    values[range(9), :, range(9)] = 200
    nib.save(nib.Nifti1Image(values, np.diag([2.0, 2.0, 2.0, 1.0])), tmp_path / "a.nii")
    body = Vertebra.from_points(np.array([[2, 8], [4, 8], [6, 8], [6, 3], [4, 3], [2, 3]], float), label="L3")
    made = []
    for place in (7, 2):
        one = Reading(str(tmp_path / "a.nii"), 12, 10, VERTEBRA6, [body], slice=place)
        (tmp_path / "a.json").write_text(json.dumps(one.to_json()))
        result = prepare(tmp_path / "a.json", tmp_path / "out", progress=False)
        assert (result.failures, result.written) == ([], ["a"])
        (record,), _ = CaseFolder(tmp_path / "out").records(["a"])
        made.append(int(read_pixels(record).mean(axis=1).argmax()))
        (item,) = read(tmp_path / "a.json")
        assert item.reading().slice == place
    assert made == [4, 9]


@pytest.mark.parametrize("by_user", [False, True])
def test_a_spacing_against_the_header_is_said(tmp_path, by_user):
    """What the annotation or the user says is believed; a factor of two in every height is not passed over."""
    slice_file(tmp_path / "in" / "a.dcm", grey(), "1.2.3", 0.0, PixelSpacing=[0.5, 0.5])
    annotate(tmp_path / "in" / "a.dcm", **({} if by_user else {"spacing_mm": [1.0, 1.0], "spacing_source": "user"}))
    result = prepare(tmp_path / "in", tmp_path / "out", spacing_mm=(1.0, 1.0) if by_user else None, progress=False)
    (record,), _ = CaseFolder(tmp_path / "out").records(result.cases)
    assert record["spacing_mm"] == [1.0, 1.0]
    (remark,) = [remark for remark in result.remarks if "was believed" in remark]
    assert "the spacing given, 1 x 1 mm, was believed; the file says 0.5 x 0.5 mm (PixelSpacing)" in remark


def test_the_users_spacing_wins_over_the_annotations(tmp_path):
    annotate(tmp_path / "in" / "a.png", spacing_mm=[0.3, 0.2], spacing_source="ruler")
    cv2.imwrite(str(tmp_path / "in" / "a.png"), grey())
    for given, wanted in ((None, ([0.3, 0.2], "ruler")), ((0.5, 0.4), ([0.5, 0.4], "user"))):
        prepare(tmp_path / "in", tmp_path / "out", spacing_mm=given, progress=False)
        (record,) = CaseFolder(tmp_path / "out").records(["a"])[0]
        assert (record["spacing_mm"], record["spacing_source"]) == wanted


def test_of_two_readings_of_a_picture_one_becomes_the_case(tmp_path):
    """A set that lists a picture twice, as exports of two annotators do."""
    flat = [v for x, y in BODY for v in (x, y, 2)]
    content = {
        "images": [{"id": k, "file_name": "a.png", "width": 100, "height": 80} for k in (1, 2)],
        "annotations": [
            {
                "id": k,
                "image_id": k,
                "category_id": 1,
                "keypoints": [v + k if i % 3 < 2 else v for i, v in enumerate(flat)],
            }
            for k in (1, 2)
        ],
        "categories": [{"id": 1, "name": "vertebra", "keypoints": list(VERTEBRA6.keypoints)}],
    }
    (tmp_path / "set.json").write_text(json.dumps(content))
    cv2.imwrite(str(tmp_path / "a.png"), grey())
    result = prepare(tmp_path / "set.json", tmp_path / "out", progress=False)
    assert result.cases == ["a"]
    assert result.remarks == ["a: a further reading was left out (see `spinetk agree`)"]
    assert CaseFolder(tmp_path / "out").cases() == ["a"]


def test_groups_that_share_pictures_by_way_of_others_are_one():
    groups = _Groups()
    for picture, group in (("p", "a"), ("q", "c"), ("p", "b"), ("q", "b"), ("r", "d"), ("r", "d")):
        groups.join(picture, group)
    assert len({groups.whole(name) for name in "abc"}) == 1
    assert groups.whole("d") == "d"


def test_a_body_that_stands_twice_in_a_case_counts_once(source, tmp_path):
    prepare(source, tmp_path / "out", progress=False)
    folder = CaseFolder(tmp_path / "out")
    path = folder.source("a")
    content = json.loads(path.read_text())
    content["annotations"] *= 2
    path.write_text(json.dumps(content))
    (record,), (failure,) = folder.records(["a"])
    assert len(record["annotations"]) == 1
    assert "field 'annotations[1]' is a copy of another of its bodies, and is left out" in str(failure)
