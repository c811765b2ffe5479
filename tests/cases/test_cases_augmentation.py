from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from spinetk.cases.augmentation import augment, augmented, copy_seed, recipe
from spinetk.cases.folder import CaseFolder, read_pixels, read_record
from spinetk.cases.imgaug_compat import load_imgaug
from spinetk.errors import InputError
from spinetk.schema import VERTEBRA6


def prints(base: Path) -> dict[str, str]:
    files = (p for p in base.rglob("*") if p.is_file())
    return {str(p.relative_to(base)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def points_of(record: dict, n: int = 0) -> np.ndarray:
    return np.array(record["annotations"][n]["keypoints"]).reshape(-1, 3)


def test_the_shim_leaves_numpy_as_it_was():
    before = set(vars(np))
    assert load_imgaug().__version__
    assert set(vars(np)) == before


def test_a_flip_swaps_names_once_and_twice_is_the_identity(tmp_path, make_case):
    record = read_record(make_case(tmp_path, "a", orientation=["P", "F"]))
    pixels = read_pixels(record)
    flip = load_imgaug().augmenters.Fliplr(1.0)
    once, mirrored = augmented(record, pixels, flip, 1)
    np.testing.assert_array_equal(mirrored, pixels[:, ::-1])
    before, after = points_of(record), points_of(once)
    left, right = VERTEBRA6.index("bottom_left"), VERTEBRA6.index("bottom_right")
    np.testing.assert_allclose(after[left, :2], [64 - before[right, 0], before[right, 1]], atol=1e-5)
    assert after[left, 0] < after[right, 0]
    np.testing.assert_allclose(after[:, :2], VERTEBRA6.mirror(before[:, :2], 64), atol=1e-5)
    np.testing.assert_allclose(once["annotations"][0]["bbox"], [34, 11, 55, 31], atol=1e-5)
    assert once["orientation"] == ["A", "F"]
    twice, again = augmented(once, mirrored, flip, 1)
    np.testing.assert_array_equal(again, pixels)
    np.testing.assert_allclose(points_of(twice), before, atol=1e-5)


def test_a_flip_of_a_picture_that_exif_mirrors_stands_as_it_is(tmp_path, make_case):
    record = read_record(make_case(tmp_path, "a", exif_orientation=2))
    once, _ = augmented(record, read_pixels(record), load_imgaug().augmenters.Fliplr(1.0), 1)
    assert "exif_orientation" not in once


def test_points_follow_the_pixels(tmp_path):
    """Bright squares stay under their points through the geometric part of the recipe, to a fraction of a px."""
    centres = np.array([[60.5, 50.5], [240.5, 60.5], [230.5, 330.5], [70.5, 340.5]])
    pixels = np.zeros((400, 300), np.uint8)
    for x, y in centres.astype(int):
        pixels[y - 3 : y + 4, x - 3 : x + 4] = 255
    flat = [v for x, y in centres for v in (x, y, 2)]
    entry = {"bbox": [60, 50, 241, 341], "bbox_mode": 0, "category_id": 0, "keypoints": flat}
    record = {
        "file_name": "a",
        "height": 400,
        "width": 300,
        "image_id": "a",
        "schema": "vertebra4",
        "annotations": [entry],
    }
    iaa = load_imgaug().augmenters
    moves = iaa.Sequential([iaa.Fliplr(0.5), iaa.Crop(percent=(0, 0.1)), iaa.Affine(rotate=(-5, 5))], random_order=True)
    for seed in range(12):
        changed, picture = augmented(record, pixels, moves, seed)
        assert picture.shape == pixels.shape
        for x, y, v in points_of(changed):
            assert v == 2
            top, left = int(y) - 12, int(x) - 12
            rows, columns = np.mgrid[top : top + 25, left : left + 25]
            weight = picture[top : top + 25, left : left + 25].astype(float)
            found = [((columns + 0.5) * weight).sum() / weight.sum(), ((rows + 0.5) * weight).sum() / weight.sum()]
            np.testing.assert_allclose(found, [x, y], atol=0.15)
        own = points_of(changed)
        assert own[0, 0] < own[1, 0]


def test_scale_follows_a_crop(tmp_path, make_case):
    record = read_record(make_case(tmp_path, "a", spacing_mm=[0.5, 0.5], spacing_source="user"))
    iaa = load_imgaug().augmenters
    changed, _ = augmented(record, read_pixels(record), iaa.Crop(px=(6, 8, 6, 8)), 0)
    before, after = points_of(record), points_of(changed)
    # 48 of 64 columns and 36 of 48 rows... the same mm between two points as before.
    row, column = changed["spacing_mm"]
    assert column == pytest.approx(0.5 * (64 - 16) / 64)
    assert row == pytest.approx(0.5 * (48 - 12) / 48)
    mm = np.hypot(*((after[0] - after[2])[:2] * [column, row]))
    assert mm == pytest.approx(np.hypot(*((before[0] - before[2])[:2] * 0.5)), abs=1e-4)


def test_points_that_leave_the_picture(tmp_path, make_case):
    record = read_record(make_case(tmp_path, "a"))
    iaa = load_imgaug().augmenters
    shift = iaa.Affine(translate_px={"x": -20, "y": 0})
    changed, _ = augmented(record, read_pixels(record), shift, 0)
    after = points_of(changed)
    # x of the six points: 10.25, 20, 30, 29, 19.5, 9, moved by 20
    assert after[:, 2].tolist() == [0, 2, 2, 2, 0, 0]
    assert after[0].tolist() == [0, 0, 0]
    assert after[2, 0] == pytest.approx(10)
    np.testing.assert_allclose(changed["annotations"][0]["bbox"], [0, 11, 10, 31], atol=1e-4)
    gone, _ = augmented(record, read_pixels(record), iaa.Affine(translate_px={"x": -40, "y": 0}), 0)
    assert gone["annotations"] == []


def test_a_point_that_is_not_known_does_not_stretch_the_box(tmp_path, make_case):
    """It stands anywhere, mostly at 0, 0."""
    path = make_case(tmp_path, "a")
    content = json.loads(path.read_text())
    content["annotations"][0]["keypoints"][:3] = [0, 0, 0]
    path.write_text(json.dumps(content))
    record = read_record(path)
    known = points_of(record)[1:, :2]
    copy, _ = augmented(record, read_pixels(record), load_imgaug().augmenters.Identity(), 1)
    np.testing.assert_allclose(copy["annotations"][0]["bbox"], [*known.min(0), *known.max(0)], atol=1e-5)


def test_any_number_of_workers_gives_the_same_files(tmp_path, make_case):
    for base in ("one", "two"):
        for case in ("a", "b", "Fall Ü"):
            make_case(tmp_path / base, case)
    first = augment(tmp_path / "one", copies=4, progress=False)
    second = augment(tmp_path / "two", copies=4, workers=2, progress=False)
    assert (first.written, second.written) == (12, 12)
    assert prints(tmp_path / "one") == prints(tmp_path / "two")
    # The same picture in two cases is not changed in the same way, nor are the copies of a case.
    files = [h for name, h in prints(tmp_path / "one").items() if name.endswith(".png") and "augs" in name]
    assert len(set(files)) == 12


def test_copies_are_made_once_and_those_missing_made_again(tmp_path, make_case):
    make_case(tmp_path, "a")
    augment(tmp_path, copies=3, progress=False)
    before = prints(tmp_path)
    CaseFolder(tmp_path).copy("a", 2).unlink()
    again = augment(tmp_path, copies=3, progress=False)
    assert (again.written, again.kept) == (1, 2)
    assert prints(tmp_path) == before
    augment(tmp_path, copies=1, progress=False)
    assert len(CaseFolder(tmp_path).augmented("a")) == 1
    assert augment(tmp_path, copies=1, seed=1, progress=False).written == 1


def test_a_copy_bears_no_digest_of_what_its_source_was_made_of(tmp_path, make_case):
    """What else is known of the source holds for its copies."""
    make_case(tmp_path, "a", prepared_from="0" * 64, pixels_sha256="1" * 64, modality="MR", view="sagittal")
    augment(tmp_path, copies=1, progress=False)
    copy = json.loads(CaseFolder(tmp_path).copy("a", 1).read_text())
    assert not {"prepared_from", "pixels_sha256"} & set(copy)
    assert (copy["modality"], copy["view"], copy["case"], copy["augmentation"]) == ("MR", "sagittal", "a", 1)


def test_a_changed_source_gets_new_copies(tmp_path, make_case):
    path = make_case(tmp_path, "a")
    augment(tmp_path, copies=2, progress=False)
    cv2.imwrite(str(path.with_suffix(".png")), np.full((48, 64), 9, np.uint8))
    assert augment(tmp_path, copies=2, progress=False).written == 2


def test_hardware_and_other_flags(tmp_path, make_case):
    for case in "ab":
        make_case(tmp_path, case)
    (tmp_path / "metadata.json").write_text('{"a": {"Hardware": true, "rare": false}, "b": {"rare": true}}')
    folder = CaseFolder(tmp_path)
    augment(tmp_path, copies=1, hardware_copies=3, progress=False)
    assert [len(folder.augmented(case)) for case in "ab"] == [3, 1]
    augment(tmp_path, copies=1, hardware_copies=3, flag="rare", progress=False)
    assert [len(folder.augmented(case)) for case in "ab"] == [1, 3]
    with pytest.raises(InputError, match="hardwear"):
        augment(tmp_path, flag="hardwear", progress=False)


def test_the_defaults_are_ten_and_thirty():
    import inspect

    given = {name: p.default for name, p in inspect.signature(augment).parameters.items()}
    assert (given["copies"], given["hardware_copies"], given["flag"]) == (10, 30, "Hardware")


def test_a_bad_case_is_listed_and_the_rest_goes_on(tmp_path, make_case):
    make_case(tmp_path, "good")
    path = make_case(tmp_path, "bad")
    content = json.loads(path.read_text())
    content["annotations"][0]["bbox"] = [0, 0, 900, 5]
    path.write_text(json.dumps(content))
    make_case(tmp_path, "foreign")
    make_case(tmp_path, "foreign", copy=1)
    result = augment(tmp_path, copies=1, progress=False)
    assert result.written == 1
    assert [("bbox" in str(e), "other means" in str(e)) for e in result.failures] == [(True, False), (False, True)]
    assert read_record(tmp_path / "foreign/augs/1/aug-1.json")["image_id"] == "foreign-1"


def test_the_recipe_is_the_originals():
    """Half of the copies are mirrored, half cropped, half rotated by at most 5 degrees; five grey changes at most."""
    sequence = recipe()
    iaa = load_imgaug().augmenters
    assert sequence.random_order
    flip, crop, turn, some = sequence
    assert isinstance(flip, iaa.Fliplr)
    assert float(flip.p.p.value) == 0.5
    assert [float(s.p.p.value) for s in (crop, turn)] == [0.5, 0.5]
    assert isinstance(some, iaa.SomeOf)
    kinds = [type(child).__name__ for child in some]
    assert kinds[0] == "OneOf"
    assert kinds[1] == "Sharpen"
    assert kinds[-1] == "LinearContrast"
    assert len(kinds) == 5
    record = {"file_name": "a", "height": 40, "width": 40, "image_id": "a", "schema": "vertebra6", "annotations": []}
    flat = [v for x, y in [(5, 30), (20, 30), (35, 30), (35, 10), (20, 10), (5, 10)] for v in (x, y, 2)]
    entry = {"bbox": [5, 10, 35, 30], "bbox_mode": 0, "category_id": 0, "keypoints": flat, "label": "L3"}
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40)).astype(np.uint8)
    pixels[:, :20] //= 4
    mirrored = 0
    for n in range(100):
        changed, picture = augmented({**record, "annotations": [entry]}, pixels, sequence, copy_seed(0, "a", n))
        assert changed["annotations"][0]["label"] == "L3"
        points = points_of(changed)
        if points[:, 2].all():
            slope = np.degrees(np.arctan2(*(points[2] - points[0])[1::-1]))
            assert abs(slope) < 6.5
            assert points[0, 0] < points[1, 0] < points[2, 0]
        mirrored += picture[:, :20].mean() > picture[:, 20:].mean()
    assert 35 <= mirrored <= 65
