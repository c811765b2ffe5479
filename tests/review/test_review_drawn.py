"""What is drawn on the film besides vertebrae: rulers, the S1 endplate, femoral heads: saved, kept, exported."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from spinetk.cases.folder import CaseFolder, read_record, write_record
from spinetk.formats.record import record_of
from spinetk.images import to_uint8
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Reading
from spinetk.review.changes import changes_of

LENGTH = {"kind": "length", "points": [[3.0, 4.0], [9.0, 12.0]]}


@pytest.fixture
def pelvic(tmp_path):
    """(case folder, reading) of a lateral phantom with its pelvis."""
    phantom = lateral_radiograph(11, region="lumbar")
    assert {own.kind for own in phantom.reading.landmarks} == {"s1", "femoral_head"}
    base = tmp_path / "pelvic"
    base.mkdir()
    write_record(CaseFolder(base).source("film"), record_of(phantom.reading, "film"), to_uint8(phantom.pixels))
    return base, phantom.reading


def angles(answer) -> dict[str, float]:
    return {name: float(value[:-1]) for name, value, _, _ in answer["shown"]["angles"]}


def test_rulers_are_saved_with_the_case_and_in_its_history(client, opened, cases, save, listed):
    key, _ = opened
    reading = client.get(f"/api/entries/{key}").json()["reading"]
    assert reading["rulers"] == []
    assert save(client, key, reading | {"rulers": [LENGTH]}, reader="Anna").status_code == 200
    assert client.get(f"/api/entries/{key}").json()["reading"]["rulers"] == [LENGTH]
    assert read_record(CaseFolder(cases).source("case 0"))["rulers"] == [LENGTH]
    own = Reading.from_json(json.loads((cases / "readings" / "anna" / "case 0.json").read_text()))
    assert own.rulers[0].figure(own.frame) == (10.0, "mm")  # 1 mm a px
    content = {"kind": "json", "id": key, "reading": reading | {"rulers": [LENGTH]}}
    exported = client.post("/api/export", json=content).json()
    assert exported["rulers"] == [LENGTH | {"value": 10.0, "unit": "mm"}]
    # A page that says nothing of them leaves them; one that says there are none takes them away.
    silent = {name: value for name, value in reading.items() if name != "rulers"}
    assert save(client, key, silent).status_code == 200
    assert client.get(f"/api/entries/{key}").json()["reading"]["rulers"] == [LENGTH]
    assert save(client, key, reading).status_code == 200
    assert "rulers" not in read_record(CaseFolder(cases).source("case 0"))
    history = client.get(f"/api/entries/{key}/history").json()
    assert history[0]["changes"] == ["lengths and angles drawn changed"]
    assert client.get(f"/api/entries/{key}/history/1").json()["reading"]["rulers"] == [LENGTH]


def test_rulers_show_on_the_overlay(client, opened):
    key, content = opened
    pictures = []
    for rulers in ([], [LENGTH]):
        body = {"kind": "png", "id": key, "reading": content["reading"] | {"rulers": rulers}}
        pictures.append(cv2.imdecode(np.frombuffer(client.post("/api/export", json=body).content, np.uint8), 1))
    bare, drawn = pictures
    assert bare.shape == drawn.shape
    sand = np.abs(drawn.astype(int) - (164, 217, 243)).max(axis=2) < 12  # BGR
    assert 30 < sand.sum() < 3000
    assert not (np.abs(bare.astype(int) - (164, 217, 243)).max(axis=2) < 12).any()


def test_the_pelvis_can_be_moved_and_its_angles_follow(client, desk, pelvic, save):
    base, truth = pelvic
    (entry,) = desk.add(base)
    shown = client.get(f"/api/entries/{entry.id}").json()
    known = angles(shown)
    right = measure(truth).angles
    assert known["Pelvic incidence"] == pytest.approx(right["pelvic_incidence"], abs=0.06)
    # Points of a person have no interval; a network's have one, the same as in the result.
    assert {span for _, _, span, _ in shown["shown"]["angles"]} == {""}
    reading = json.loads(json.dumps(shown["reading"]))
    plate = next(own for own in reading["landmarks"] if own["kind"] == "s1")
    # The front end of the endplate goes down by a tenth of its length: the slope grows by what the tangent says.
    front = 0 if truth.frame.anterior == "left" else 1
    (x0, y0), (x1, y1) = plate["points"][front], plate["points"][1 - front]
    down = 0.1 * np.hypot(x1 - x0, y1 - y0)
    plate["points"][front] = [x0, y0 + down]
    slope = np.degrees(np.arctan2(y0 + down - y1, abs(x0 - x1)))
    answer = client.post(f"/api/entries/{entry.id}/measure", json={"reading": reading, "live": True}).json()
    assert angles(answer)["Sacral slope"] == pytest.approx(slope, abs=0.06)
    assert save(client, entry.id, reading).status_code == 200
    saved = read_record(CaseFolder(base).source("film"))["landmarks"]
    assert next(own for own in saved if own["kind"] == "s1")[("left", "right")[front]] == pytest.approx(
        [x0, y0 + down], abs=1e-3
    )
    assert client.get(f"/api/entries/{entry.id}/history").json()[0]["changes"] == ["S1 endplate moved"]
    # Taken away, they stay away, and the case says that somebody looked.
    assert save(client, entry.id, reading | {"landmarks": []}).status_code == 200
    assert read_record(CaseFolder(base).source("film"))["landmarks"] == []
    assert client.get(f"/api/entries/{entry.id}").json()["reading"]["landmarks"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"rulers": [{"kind": "length", "points": [[0, 0]]}]},
        {"rulers": [{"kind": "length", "points": [[0, 0], [1, 1e9]]}]},
        {"rulers": [{"kind": "knot", "points": [[0, 0], [1, 1]]}]},
        {"landmarks": [{"kind": "s1", "points": [[0, 0]]}]},
        {"landmarks": [{"kind": "femoral_head", "points": [[0, 0]], "radius": -1}]},
        {"landmarks": [{"kind": "femoral_head", "points": [[1e9, 0]], "radius": 5}]},
    ],
)
def test_what_is_no_drawing_is_refused(client, opened, wrong):
    key, content = opened
    answer = client.post(f"/api/entries/{key}/measure", json={"reading": content["reading"] | wrong})
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_changes_of_landmarks_in_words():
    head = {"kind": "femoral_head", "centre": [5.0, 5.0], "radius_px": 3.0}
    before = {"annotations": [], "landmarks": [head]}
    assert changes_of(before, before) == []
    assert changes_of(before, before | {"landmarks": [head, head]}) == ["femoral head added"]
    assert changes_of(before, before | {"landmarks": [head | {"radius_px": 4.0}]}) == ["femoral head moved"]
    assert changes_of(before, {"annotations": []}) == ["femoral head removed"]
