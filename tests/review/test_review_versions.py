"""Versions: no save is lost, whoever else saves meanwhile; two blinded readers do not see each other's work."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fastapi.testclient import TestClient

from spinetk.cases.folder import CaseFolder, read_record
from spinetk.review.app import create_app
from spinetk.review.changes import changes_of
from spinetk.review.serialization import send
from spinetk.review.session import ReviewSession

HERE = "http://127.0.0.1:8000"


def moved(content: dict, by: float) -> dict:
    reading = json.loads(json.dumps(content["reading"]))
    reading["vertebrae"][0]["points"][0][1] += by
    return {**reading, "began": content["began"]}


def first_y(path) -> float:
    return read_record(path)["annotations"][0]["keypoints"][1]


def test_of_two_tabs_the_second_is_told_and_offered_both(client, cases, opened):
    key, content = opened
    path = CaseFolder(cases).source("case 0")
    start = first_y(path)
    mine, theirs = moved(content, 1.0), moved(content, 2.0)
    assert client.post(f"/api/entries/{key}/save", json=theirs, headers={"x-reader": "Ben"}).status_code == 200
    refused = client.post(f"/api/entries/{key}/save", json=mine, headers={"x-reader": "Anna"})
    assert refused.status_code == 409
    there = refused.json()["theirs"]
    assert (there["reader"], there["status"]) == ("Ben", "corrected")
    assert there["reading"]["vertebrae"][0]["points"][0][1] == pytest.approx(start + 2, abs=1e-3)
    assert first_y(path) == pytest.approx(start + 2, abs=1e-3)
    # Told of theirs, Anna keeps hers.
    again = client.post(f"/api/entries/{key}/save", json={**mine, "began": there["began"]})
    assert again.status_code == 200
    assert first_y(path) == pytest.approx(start + 1, abs=1e-3)
    # Nothing is lost: the first version, Ben's and Anna's can be had.
    versions = client.get(f"/api/entries/{key}/history").json()
    assert [(v["number"], v["reader"], v["status"]) for v in versions] == [
        (2, "", "corrected"), (1, "Ben", "corrected"), (0, "", "given"),
    ]  # fmt: skip
    assert [v["changes"] for v in versions] == [["1 vertebra moved"], ["1 vertebra moved"], []]
    ys = [
        client.get(f"/api/entries/{key}/history/{k}").json()["reading"]["vertebrae"][0]["points"][0][1]
        for k in range(3)
    ]
    assert np.array(ys) - start == pytest.approx([0, 2, 1], abs=1e-3)


def test_of_many_tabs_that_save_at_once_one_wins(client, cases, opened):
    key, content = opened
    sent = [moved(content, by) for by in range(1, 9)]
    with ThreadPoolExecutor(len(sent)) as pool:
        codes = list(pool.map(lambda body: client.post(f"/api/entries/{key}/save", json=body).status_code, sent))
    assert sorted(codes) == [200, *[409] * 7]
    assert len(client.get(f"/api/entries/{key}/history").json()) == 2  # as it was given, and the one that won
    kept = client.get(f"/api/entries/{key}").json()["reading"]["vertebrae"][0]["points"]
    assert kept == sent[codes.index(200)]["vertebrae"][0]["points"]


def test_changes_in_words():
    def body(y: float, label: str | None = None, moved: float = 0.0) -> dict:
        return {"bbox": [0, y, 40, y + 20], "keypoints": [0, y, 2, 40, y + moved, 2], "label": label}

    before = {"annotations": [body(0, "L1"), body(30, "L2"), body(60)], "view": "lateral"}
    after = {"annotations": [body(0, "L1", 1.0), body(61, "L3"), body(90)], "view": "ap"}
    assert changes_of(before, after) == [
        "2 vertebrae moved", "1 vertebra added", "1 vertebra removed", "unnamed named L3", "view changed",
    ]  # fmt: skip
    assert changes_of(before, before) == []
    assert changes_of({"annotations": []}, before) == ["3 vertebrae added", "view changed"]


def test_two_servers_on_one_folder_refuse(client, cases, opened):
    key, content = opened
    with ReviewSession(cases) as other:
        (entry,) = other.add(cases / "case 0")
        there = TestClient(create_app(other), base_url=HERE)
        seen = there.get(f"/api/entries/{entry.id}").json()
        assert client.post(f"/api/entries/{key}/save", json=moved(content, 1.0)).status_code == 200
        assert there.post(f"/api/entries/{entry.id}/save", json=moved(seen, 2.0)).status_code == 409
        # Opened anew, it shows what the first server wrote.
        fresh = there.get(f"/api/entries/{entry.id}").json()
        wanted = content["reading"]["vertebrae"][0]["points"][0][1] + 1
        assert fresh["reading"]["vertebrae"][0]["points"][0][1] == pytest.approx(wanted, abs=1e-3)
        assert there.post(f"/api/entries/{entry.id}/save", json=moved(fresh, 2.0)).status_code == 200


def test_two_servers_make_one_case_of_a_picture(tmp_path, picture_file):
    points = [[10, 20], [15, 20], [20, 20], [20, 10], [15, 10], [10, 10]]
    reading = {"vertebrae": [{"points": points, "visible": [True] * 6}]}
    with ReviewSession(tmp_path / "t") as one, ReviewSession(tmp_path / "t") as two:
        keys = [desk.add(picture_file)[0].id for desk in (one, two)]
        clients = [TestClient(create_app(desk), base_url=HERE) for desk in (one, two)]
        answers = [c.post(f"/api/entries/{k}/save", json=reading) for c, k in zip(clients, keys, strict=True)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert CaseFolder(tmp_path / "t").cases() == ["column"]


def test_what_another_program_wrote_is_in_the_history(client, cases, opened, save):
    key, content = opened
    path = CaseFolder(cases).source("case 0")
    save(client, key, content["reading"])
    record = json.loads(path.read_text())
    record["annotations"] = record["annotations"][:1]
    path.write_text(json.dumps(record))
    assert client.post(f"/api/entries/{key}/save", json=moved(content, 1.0)).status_code == 409
    save(client, key, content["reading"])
    counts = [v["vertebrae"] for v in client.get(f"/api/entries/{key}/history").json()]
    assert counts == [3, 1, 3, 3]


def test_the_last_vertebra_goes_only_when_it_is_meant(client, cases, opened, save):
    key, content = opened
    none = {**content["reading"], "vertebrae": []}
    refused = save(client, key, none)
    assert refused.status_code == 422
    assert "3" in refused.json()["error"]
    assert len(read_record(CaseFolder(cases).source("case 0"))["annotations"]) == 3
    assert save(client, key, none, empty=True).json()["vertebrae"] == 0
    assert save(client, key, none).status_code == 200  # from none to none nothing is lost


@pytest.mark.parametrize("part", ["case 0", "case 0/src", "case 0/src/0", "case 0/src/0/src-0.json"])
def test_nothing_is_written_through_a_link(client, cases, opened, tmp_path, part):
    key, content = opened
    away = tmp_path / "elsewhere"
    os.rename(cases / part, away)
    (cases / part).symlink_to(away)
    path = away if away.is_file() else next(away.rglob("src-0.json"))
    before = path.read_bytes()
    refused = client.post(f"/api/entries/{key}/save", json=moved(content, 1.0))
    assert refused.status_code == 422
    assert "link" in refused.json()["error"]
    assert path.read_bytes() == before


def test_a_signed_case_says_who_and_when(client, cases, opened, save):
    key, content = opened
    answer = save(client, key, content["reading"], "Änne B.", sign=True).json()
    assert (answer["state"], answer["reader"]) == ("signed", "Änne B.")
    record = read_record(CaseFolder(cases).source("case 0"))
    assert record["review"] == {"status": "signed", "reader": "Änne B.", "when": answer["when"]}
    kept = json.loads((cases / "readings" / "änne b." / "case 0.json").read_text())
    assert (kept["status"], kept["file"]) == ("signed", "case 0.png")
    assert CaseFolder(cases).cases() == [f"case {k}" for k in range(12)]


@pytest.fixture
def blind(case_folder):
    with ReviewSession(case_folder, blinded=True) as desk:
        (entry,) = desk.add(case_folder / "case 0")
        yield TestClient(create_app(desk), base_url=HERE), entry.id, case_folder


def test_blinded_readers_see_their_own_until_both_have_signed(blind, save):
    client, key, cases = blind
    path = CaseFolder(cases).source("case 0")
    start = first_y(path)

    def seen(reader: str) -> tuple[float, str]:
        content = client.get(f"/api/entries/{key}", headers={"x-reader": reader}).json()
        return content["reading"]["vertebrae"][0]["points"][0][1] - start, content["state"]

    content = client.get(f"/api/entries/{key}", headers={"x-reader": "Anna"}).json()
    assert save(client, key, moved(content, 1.0)).status_code == 422  # nobody said who reads
    assert save(client, key, {**moved(content, 1.0)}, "Anna").status_code == 200
    assert seen("Anna") == (pytest.approx(1, abs=1e-2), "corrected")
    assert seen("Ben") == (pytest.approx(0, abs=1e-2), "truth")
    assert first_y(path) == pytest.approx(start, abs=1e-6)  # the truth waits for both
    assert client.get(f"/api/entries/{key}/history", headers={"x-reader": "Ben"}).json() == []
    again = {k: v for k, v in moved(content, 1.0).items() if k != "began"}  # on what was saved last
    assert save(client, key, again, "Anna", sign=True).status_code == 200
    assert client.get(f"/api/entries/{key}/readers", headers={"x-reader": "Ben"}).json() == []
    assert client.get(f"/api/entries/{key}/readers", headers={"x-reader": "Anna"}).json() == []
    assert save(client, key, {**moved(content, 3.0), "began": ""}, "Ben", settles=True).status_code == 422
    assert save(client, key, {**moved(content, 3.0), "began": ""}, "Ben", sign=True).status_code == 200
    assert first_y(path) == pytest.approx(start, abs=1e-6)
    (other,) = client.get(f"/api/entries/{key}/readers", headers={"x-reader": "Anna"}).json()
    assert other["reader"] == "Ben"
    assert other["reading"]["vertebrae"][0]["points"][0][1] - start == pytest.approx(3, abs=1e-2)
    whole = client.get(f"/api/entries/{key}/readers", headers={"x-reader": "Ben"}).json()
    assert [one["reader"] for one in whole] == ["Anna"]
    # Settled: Ben's becomes the truth, on top of what the truth is.
    settled = save(client, key, {**moved(content, 3.0), "began": other["truth"]}, "Anna", settles=True)
    assert settled.status_code == 200
    assert first_y(path) == pytest.approx(start + 3, abs=1e-3)


def test_a_blinded_reader_is_the_same_however_the_name_is_written(tmp_path, picture_file, drawn, save):
    """The picture had no truth: the first reading is it, and the reader may correct it."""
    with ReviewSession(tmp_path / "target", blinded=True) as desk:
        (entry,) = desk.add(picture_file)
        client = TestClient(create_app(desk), base_url=HERE)
        assert save(client, entry.id, send(drawn), "Anna").status_code == 200
        path = CaseFolder(tmp_path / "target").source(entry.case)
        start = first_y(path)
        content = client.get(f"/api/entries/{entry.id}", headers={"x-reader": "anna"}).json()
        again = {name: value for name, value in moved(content, 1.0).items() if name != "began"}
        assert save(client, entry.id, again, "anna").status_code == 200
        assert first_y(path) - start == pytest.approx(1, abs=1e-2)
        for reader, count in (("anna", 2), ("ANNA", 2), ("Ben", 0)):
            found = client.get(f"/api/entries/{entry.id}/history", headers={"x-reader": reader}).json()
            assert len(found) == count


def test_signed_readings_feed_agree(blind, save):
    client, key, cases = blind
    content = client.get(f"/api/entries/{key}", headers={"x-reader": "Anna"}).json()
    for reader, by, size in (("Anna", 0.0, 0.4), ("Ben", 2.0, 0.5)):
        body = {**moved(content, by), "began": "", "spacing_mm": [size, size]}
        assert save(client, key, body, reader, sign=True).status_code == 200
    table = client.get("/api/agreement", params={"first": "Anna", "second": "Ben"}).json()
    assert table["pictures"] == 1
    assert any("posterior" in row or "left" in row for row in table["lines"])
    from spinetk.report.agreement import agree

    found = agree(cases / "readings" / "anna", cases / "readings" / "ben")
    assert found.to_json()["pictures"] == 1
    # Each says another size of pixels: mm of the one are not those of the other.
    (doubt,) = table["doubts"]
    assert doubt.startswith(f"{content['name']}: the readings say pixels of 0.4 x 0.4 and 0.5 x 0.5 mm")
    few = client.get("/api/agreement", params={"first": "Anna", "second": "Cleo"})
    assert few.status_code == 422


def test_an_export_of_pictures_read_blinded_says_what_is_not_in_it(case_folder, save):
    """Two pictures are read by both: of one it is said whose reading is the truth."""
    with ReviewSession(case_folder, blinded=True) as desk:
        entries = [desk.add(case_folder / f"case {k}")[0] for k in range(3)]
        client = TestClient(create_app(desk), base_url=HERE)

        def export():
            return client.post("/api/export", json={"kind": "csv"})

        def sign(entry, reader: str, **more: object):
            content = client.get(f"/api/entries/{entry.id}", headers={"x-reader": reader}).json()
            body = {**moved(content, 1.0), "began": "", "sign": True, **more}
            return save(client, entry.id, body, reader)

        assert "nothing has been saved" in export().json()["error"]
        assert sign(entries[0], "Anna").status_code == 200
        assert "signed by two readers" in export().json()["error"]
        assert sign(entries[0], "ben").status_code == 200
        assert "no truth yet" in export().json()["error"]
        assert sign(entries[1], "Anna").status_code == 200
        asked = client.get(f"/api/entries/{entries[0].id}/readers", headers={"x-reader": "Anna"}).json()
        settled = sign(entries[0], "Anna", settles=True, began=asked[0]["truth"])
        assert settled.status_code == 200
        answer = export()
        assert answer.status_code == 200
        assert answer.headers["x-left-out"] == "1"
        assert "case 0" in answer.text
        assert "case 1" not in answer.text
        assert client.get("/api/readers").json() == ["Anna", "ben"]  # as they wrote themselves
