"""Saving: corrections become truth that `train` reads; what was there is kept; nothing is half written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spinetk.cases.folder import CaseFolder, read_record
from spinetk.cases.splitting import make_split
from spinetk.phantoms import lateral_radiograph, write_dicom
from spinetk.review.app import create_app
from spinetk.review.session import ReviewSession
from spinetk.review.target import INDEX

PATIENT = "SECRET^NAME"


@pytest.fixture
def moved(opened):
    """The first case with a point of its first vertebra 2 px lower."""
    key, content = opened
    reading = content["reading"]
    reading["vertebrae"][0]["points"][0][1] += 2
    return key, reading


def test_correction_is_the_truth_and_the_original_stays(client, cases, moved, save):
    key, reading = moved
    path = CaseFolder(cases).source("case 0")
    before = path.read_bytes()
    answer = save(client, key, reading)
    assert answer.json()["case"] == "case 0"
    assert answer.json()["state"] == "corrected"
    after = read_record(path)
    assert after["annotations"][0]["keypoints"][1] == pytest.approx(reading["vertebrae"][0]["points"][0][1])
    assert after["annotations"][0]["label"] == "L1"
    assert after["spacing_mm"] == [1.0, 1.0]
    original = path.with_name("src-0.original.json")
    assert json.loads(original.read_text()) == json.loads(before)

    reading["vertebrae"][0]["points"][0][1] += 3
    save(client, key, reading)
    assert json.loads(original.read_text()) == json.loads(before)  # the first version, not the one before the last
    first = client.get(f"/api/entries/{key}/history/0").json()["reading"]["vertebrae"][0]["points"][0]
    assert first[1] == pytest.approx(json.loads(before)["annotations"][0]["keypoints"][1], abs=1e-3)


def test_other_fields_of_the_case_stay(client, cases, moved, save):
    key, reading = moved
    path = CaseFolder(cases).source("case 0")
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "prepared_from": "abc", "modality": "MR", "own": [1, 2]}))
    save(client, key, {**reading, "anterior": "left", "spacing_mm": [0.5, 0.25]})
    after = json.loads(path.read_text())
    assert (after["prepared_from"], after["modality"], after["own"]) == ("abc", "MR", [1, 2])
    assert after["image_id"] == content["image_id"]
    assert after["orientation"] == ["P", "F"]
    assert after["spacing_mm"] == [0.5, 0.25]
    assert after["spacing_source"] == "user"


def test_copies_of_the_old_points_are_set_aside(client, cases, moved, save):
    key, reading = moved
    augs = cases / "case 0" / "augs" / "1"
    augs.mkdir(parents=True)
    (augs / "aug-1.json").write_text("{}")
    answer = save(client, key, reading).json()
    assert "augs.old" in answer["remarks"][0]
    assert CaseFolder(cases).augmented("case 0") == []
    assert (cases / "case 0" / "augs.old" / "1" / "aug-1.json").exists()


def test_a_failed_write_leaves_the_truth(client, cases, moved, monkeypatch, save):
    key, reading = moved
    path = CaseFolder(cases).source("case 0")
    before = path.read_bytes()

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spinetk.atomic.os.replace", full)
    answer = save(client, key, reading)
    assert answer.status_code == 422
    assert "No space left" in answer.json()["error"]
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir() if p.name.startswith(".tmp")] == []


def test_deleted_and_hidden_points_are_saved_so(client, cases, opened, save):
    key, content = opened
    reading = content["reading"]
    del reading["vertebrae"][1]
    reading["vertebrae"][0]["visible"][2] = False
    assert save(client, key, reading).json()["vertebrae"] == 2
    points = read_record(CaseFolder(cases).source("case 0"))["annotations"][0]["keypoints"]
    assert points[6:9] == [0.0, 0.0, 0]


@pytest.fixture
def dicoms(tmp_path):
    """Three phantom radiographs with a patient's name in the header and in the folder's file names."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    made = [lateral_radiograph(seed, region="lumbar") for seed in (4, 5, 6)]
    for number, phantom in enumerate(made):
        write_dicom(phantom, folder / f"Secret_Name_{number}.dcm", patient_name=PATIENT)
    return folder, made


def truth_of(phantom) -> dict:
    from spinetk.review.serialization import send

    return send(phantom.reading)


def test_plain_pictures_make_a_case_folder_to_train_on(client, desk, dicoms, tmp_path, save):
    folder, phantoms = dicoms
    desk.add(folder)
    for entry, phantom in zip(list(desk.entries.values()), phantoms, strict=True):
        answer = save(client, entry.id, truth_of(phantom))
        assert answer.json()["vertebrae"] == len(phantom.reading.vertebrae)
    target = CaseFolder(tmp_path / "target")
    records, failures = target.records(target.cases())
    assert not failures
    by_count = sorted(len(record["annotations"]) for record in records)
    assert by_count == sorted(len(phantom.reading.vertebrae) for phantom in phantoms)
    x_train, *_ = make_split(target.base)
    assert len(x_train) == 1
    found = {len(r["annotations"]): r for r in records}
    phantom = phantoms[0]
    flat = np.array(found[len(phantom.reading.vertebrae)]["annotations"][0]["keypoints"]).reshape(-1, 3)[:, :2]
    candidates = [p.reading.vertebrae[0].points for p in phantoms]
    assert min(np.abs(flat - points).max() for points in candidates) < 1e-3
    for path in target.base.rglob("*"):
        assert "secret" not in path.name.lower()
        if path.is_file() and path.suffix == ".json":
            assert "secret" not in path.read_text().lower()


def test_a_later_session_knows_what_was_saved(client, desk, dicoms, tmp_path, save):
    folder, phantoms = dicoms
    first = desk.add(folder)[0]
    save(client, first.id, truth_of(phantoms[0]))
    assert (tmp_path / "target" / INDEX).exists()
    from fastapi.testclient import TestClient

    with ReviewSession(tmp_path / "target") as later:
        again = later.add(folder)
        assert [later.worklist.reviewed(entry) for entry in again] == [True, False, False]
        other = TestClient(create_app(later), base_url="http://127.0.0.1")
        reading = other.get(f"/api/entries/{again[0].id}").json()["reading"]
        assert [v["label"] for v in reading["vertebrae"]] == [v.label for v in phantoms[0].reading.vertebrae]
        # Without the index the picture is known by its pixels: no second case of it appears.
        (tmp_path / "target" / INDEX).unlink()
    with ReviewSession(tmp_path / "target") as third:
        entry = third.add(folder)[0]
        other = TestClient(create_app(third), base_url="http://127.0.0.1")
        save(other, entry.id, truth_of(phantoms[0]))
        assert len(CaseFolder(tmp_path / "target").cases()) == 1


@pytest.mark.parametrize("kind", ["other", "larger", "in another window"])
def test_another_picture_in_the_place_of_a_saved_one_does_not_get_its_points(client, desk, tmp_path, save, kind):
    import cv2
    from fastapi.testclient import TestClient

    path = tmp_path / "film.png"
    picture = cv2.GaussianBlur(np.random.default_rng(0).integers(1, 255, (40, 50), np.uint8), (5, 5), 2)
    cv2.imwrite(str(path), picture)
    (entry,) = desk.add(path)
    points = [[10, 20], [15, 20], [20, 20], [20, 10], [15, 10], [10, 10]]
    reading = {"vertebrae": [{"points": points, "visible": [True] * 6}]}
    assert save(client, entry.id, reading).json()["case"] == "film"
    before = CaseFolder(tmp_path / "target").source("film").read_bytes()
    changed = {"other": picture[::-1], "larger": np.vstack([picture, picture]), "in another window": picture // 2 + 20}
    cv2.imwrite(str(path), changed[kind])
    with ReviewSession(tmp_path / "target") as later:
        (again,) = later.add(path)
        other = TestClient(create_app(later), base_url="http://127.0.0.1")
        content = other.get(f"/api/entries/{again.id}").json()
        said = "another picture lay here when case film was saved: this one is begun anew"
        if kind == "in another window":
            assert len(content["reading"]["vertebrae"]) == 1
            assert said not in str(content)
            return
        assert content["reading"]["vertebrae"] == []
        assert said in str(content)
        assert save(other, again.id, reading).json()["case"] == "film-2"
    assert CaseFolder(tmp_path / "target").source("film").read_bytes() == before


def test_two_pictures_of_one_name_are_two_cases(client, desk, tmp_path, save):
    import cv2

    for number in range(2):
        (tmp_path / str(number)).mkdir()
        picture = np.random.default_rng(number).integers(1, 255, (40, 40), np.uint8)
        cv2.imwrite(str(tmp_path / str(number) / "slice.png"), picture)
        desk.add(tmp_path / str(number) / "slice.png")
    points = [[10, 20], [15, 20], [20, 20], [20, 10], [15, 10], [10, 10]]
    reading = {"vertebrae": [{"points": points, "visible": [True] * 6}]}
    names = [save(client, key, reading).json()["case"] for key in desk.entries]
    assert names == ["slice", "slice-2"]
