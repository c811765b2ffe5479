"""Names: the server and the page call things alike; windows, and whose reading a blinded reader's points belong to."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from urllib.parse import quote

import numpy as np
import pytest
from conftest import HERE
from fastapi.testclient import TestClient
from onpage import WIDE, ready, wait_for

from spinetk.cases.folder import write_record
from spinetk.errors import InputError
from spinetk.formats.record import record_of
from spinetk.geometry import Frame
from spinetk.images.picture import Picture
from spinetk.landmark import Landmark
from spinetk.reading import Reading
from spinetk.review.app import STATIC, create_app
from spinetk.review.history import History
from spinetk.review.opened import Opened
from spinetk.review.serialization import SentReading, measured, receive, send, shown
from spinetk.review.session import ReviewSession
from spinetk.ruler import Ruler
from spinetk.schema import VERTEBRA6

DATA = {"columns", "ratios"}
"""Their keys are data, which the page shows as they come."""


def keys(content, found=None) -> set[str]:
    """All keys of an answer."""
    found = set() if found is None else found
    if isinstance(content, dict):
        for key, value in content.items():
            found.add(key)
            if key not in DATA:
                keys(value, found)
    elif isinstance(content, list):
        for value in content:
            keys(value, found)
    return found


@pytest.fixture
def page() -> set[str]:
    """Every word of the page's scripts."""
    return set(re.findall(r"\w+", " ".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.js"))))


@pytest.fixture
def full(tmp_path, drawn):
    """A case with all that a reading can have."""
    drawn.landmarks = [Landmark("s1", np.array([[30.0, 90.0], [50.0, 92.0]]))]
    drawn.rulers = [Ruler("length", np.array([[1.0, 2.0], [4.0, 6.0]]))]
    base = tmp_path / "full"
    path = base / "case" / "src" / "0" / "src-0.json"
    write_record(path, record_of(drawn, "case", case="case"), np.full((96, 80), 90, np.uint8))
    return base


def test_everything_the_server_says_has_a_name_that_the_page_knows(client, desk, full, save, page):
    desk.add(full)
    (key,) = desk.entries
    entry = client.get(f"/api/entries/{key}").json()
    reading = entry["reading"]
    said = [
        client.get("/api/session").json(),
        client.get("/api/worklist").json(),
        client.get("/api/prediction").json(),
        entry,
        client.post(f"/api/entries/{key}/measure", json={"reading": reading}).json(),
        save(client, key, reading, reader="Anna").json(),
        client.post(f"/api/entries/{key}/save", json={"began": "another", **reading}).json(),
        client.get(f"/api/entries/{key}/history").json(),
        client.get(f"/api/entries/{key}/history/0").json(),
        client.get(f"/api/entries/{key}/readers", headers={"x-reader": "Ben"}).json(),
        client.get("/api/entries/none").json(),
        client.get("/api/session", headers={"host": "elsewhere"}).json(),
    ]
    assert set().union(*map(keys, said)) <= page


def test_what_is_sent_and_comes_back_is_what_it_was(drawn):
    first, last = drawn.vertebrae[0], drawn.vertebrae[-1]
    first.score, first.point_sigma_px, first.bbox = 0.5, np.arange(1.0, 7.0), (1.0, 2.0, 60.0, 40.0)
    last.visible = np.array([True, True, False, True, True, True])
    drawn.landmarks = [
        Landmark("s1", np.array([[30.0, 90.0], [50.0, 92.0]]), score=0.8, sigma_px=1.5),
        Landmark("femoral_head", np.array([[60.0, 70.0]]), radius_px=9.0),
    ]
    drawn.rulers = [Ruler("length", np.array([[1.0, 2.0], [4.0, 6.0]]))]
    sent = send(drawn)
    assert [v["label"] for v in sent["vertebrae"]] == ["L1", "L2", "L3"]
    assert (sent["vertebrae"][0]["score"], sent["landmarks"][0]["score"]) == (0.5, 0.8)
    plain = SentReading.model_validate(sent)
    back = receive(plain, replace(drawn, vertebrae=[], landmarks=[], rulers=[]))
    for one, other in zip(back.vertebrae, drawn.vertebrae, strict=True):
        np.testing.assert_allclose(one.points, other.points, atol=5e-4)
        assert (one.label, one.score, list(one.visible)) == (other.label, other.score, list(other.visible))
    assert back.vertebrae[0].bbox == (1, 2, 60, 40)
    assert back.vertebrae[0].point_sigma_px.tolist() == [1, 2, 3, 4, 5, 6]
    assert [own.to_json() for own in back.landmarks] == [own.to_json() for own in drawn.landmarks]
    assert [own.to_json() for own in back.rulers] == [own.to_json() for own in drawn.rulers]
    # While a point moves the uncertainty is left out, and what is not sent stays.
    live = receive(plain.model_copy(update={"landmarks": None, "rulers": None}), drawn, sigmas=False)
    assert live.vertebrae[0].point_sigma_px is None
    assert (live.landmarks[1].radius_px, len(live.rulers)) == (9, 1)


def test_faults_are_said_under_error(client, desk, full):
    desk.add(full)
    (key,) = desk.entries
    gone = client.get("/api/entries/none")
    assert gone.json() == {"error": "is no longer in the list", "remedy": "reload the page", "source": "this picture"}
    wrong = client.post(f"/api/entries/{key}/measure", json={"reading": {"vertebrae": 3}})
    assert wrong.json() == {"error": "field 'reading.vertebrae' is not as expected", "remedy": "reload the page"}
    stranger = client.get("/api/session", headers={"host": "elsewhere"})
    assert stranger.json() == {"error": "this page answers to 127.0.0.1 and localhost only"}


def windows(pixels, **more):
    pixels = np.asarray(pixels, np.float32)
    picture = Picture(pixels, **more)
    return Opened(picture, np.zeros(pixels.shape, np.uint8), Reading("a", *pixels.shape, VERTEBRA6)).windows()


def test_windows_are_shares_of_the_values_and_none_is_offered_twice():
    ramp = np.arange(1001.0).reshape(11, 91)  # the value at p percent is 10 p
    names, *bounds = zip(*windows(ramp), strict=True)
    assert names == ("First window", "Whole range", "More contrast", "Bright parts", "Dark parts")
    assert bounds == [pytest.approx((5, 0, 50, 400, 20)), pytest.approx((995, 1000, 950, 999, 700))]
    (only,) = windows(np.full((10, 10), 7.0))
    assert only == ("First window", 7.0, pytest.approx(7.0, abs=1e-4))
    assert only[2] > only[1]
    halves = np.repeat([0.0, 1000.0], 500).reshape(25, 40)
    assert windows(halves) == [("First window", 0.0, 1000.0)]
    # Bone 1800 wide about 400, soft tissue 400 about 50, the canal 250 about 50.
    assert windows(halves, modality="CT")[1:] == [
        ("CT bone", -500.0, 1300.0), ("CT soft tissue", -150.0, 250.0), ("CT spinal canal", -75.0, 175.0),
    ]  # fmt: skip
    assert windows(np.full((4, 4), np.nan)) == [("Whole range", 0.0, 1.0)]


def test_a_blinded_readers_points_are_measured_on_that_readers_own_reading(case_folder, save):
    """Anna says that a px is half a mm: while Ben moves a point, his lengths are not hers."""
    with ReviewSession(case_folder, blinded=True) as desk:
        desk.add(case_folder / "case 0")
        client = TestClient(create_app(desk), base_url=HERE)
        (key,) = desk.entries

        def height(reader: str, **more) -> str:
            headers = {"x-reader": quote(reader)}
            reading = client.get(f"/api/entries/{key}", headers=headers).json()["reading"] | more
            body = {"reading": reading, "live": True}
            shown = client.post(f"/api/entries/{key}/measure", json=body, headers=headers).json()["shown"]
            return shown["rows"][0]["heights"][0]

        assert [height("Anna"), height("Ben")] == ["18.0", "18.0"]
        reading = client.get(f"/api/entries/{key}").json()["reading"]
        assert save(client, key, reading | {"spacing_mm": [0.5, 0.5]}, reader="Anna").status_code == 200
        assert [height("Anna"), height("Ben")] == ["9.0", "18.0"]
        entry = desk.entries[key]
        assert desk.base(entry, "given", "Anna").frame.spacing_mm == (0.5, 0.5)
        assert desk.base(entry, "given", "Ben").frame.spacing_mm == (1.0, 1.0)
        with pytest.raises(InputError, match="has not been predicted"):
            desk.base(entry, "predicted", "Anna")
        with pytest.raises(InputError, match="has no imported points"):
            desk.base(entry, "imported", "Anna")
        found = replace(desk.open(entry).reading, frame=Frame((2.0, 2.0), "user"))
        desk.imported[key] = found
        assert desk.base(entry, "imported", "Ben") is found


def test_ratios_are_told_once(client, opened):
    """The first body is raised by 2 px at its top left corner: 20 px on the left, 18 in the middle and on the right."""
    key, content = opened
    names = content["schema"]["points"]
    corner = content["reading"]["vertebrae"][0]["points"][names.index("top_left")]
    corner[1] -= 2.0
    rows = {}
    for front in (None, "left", "right"):
        body = {"reading": content["reading"] | {"anterior": front}}
        rows[front] = client.post(f"/api/entries/{key}/measure", json=body).json()["shown"]["rows"][0]["ratios"]
    assert rows[None]["left/right"] == 1.11
    assert "wedge" not in rows[None]
    assert (rows["left"]["wedge"], rows["right"]["wedge"]) == (1.11, 0.9)
    assert not {"left/right"} & (set(rows["left"]) | set(rows["right"]))


def test_a_version_that_there_is_not_is_said_of_its_case(cases):
    history = History(cases / "case 3" / "src" / "0" / "src-0.json")
    for number in (0, 1):
        with pytest.raises(InputError) as caught:
            history.record(number)
        assert (caught.value.source, caught.value.fault) == ("case 3", f"has no version {number}")


def test_a_blinded_scan_looks_at_every_readers_reading(case_folder, save):
    """A later session, before a picture is opened: the row of each reader is the reader's own."""
    with ReviewSession(case_folder, blinded=True) as desk:
        desk.add(case_folder / "case 0")
        client = TestClient(create_app(desk), base_url=HERE)
        (key,) = desk.entries
        reading = client.get(f"/api/entries/{key}").json()["reading"]
        assert save(client, key, reading, reader="Anna", sign=True).status_code == 200
    (case_folder / ".worklist.json").unlink(missing_ok=True)
    with ReviewSession(case_folder, blinded=True) as desk:
        (entry,) = desk.add(case_folder / "case 0")
        desk.worklist.scan()
        while desk.worklist.scanning:
            time.sleep(0.01)
        rows = {reader: desk.row(entry, reader) for reader in ("Anna", "Ben", "")}
    assert {reader: row["state"] for reader, row in rows.items()} == {"Anna": "signed", "Ben": "truth", "": "truth"}
    assert (rows["Anna"]["reader"], rows["Ben"]["reader"]) == ("Anna", "")


def test_read_blinded_a_case_that_was_read_before_begins_as_it_was(case_folder, tmp_path, picture_file, drawn, save):
    """Anna read in the open; Ben, blinded, begins with what the case held before her: its truth, or no body at all."""
    with ReviewSession(tmp_path / "target") as desk:
        case, picture = *desk.add(case_folder / "case 0"), *desk.add(picture_file)
        client = TestClient(create_app(desk), base_url=HERE)
        before = client.get(f"/api/entries/{case.id}").json()["reading"]
        moved = client.get(f"/api/entries/{case.id}").json()["reading"]
        moved["vertebrae"][0]["points"][0][1] += 3.0
        assert save(client, case.id, moved, reader="Anna").status_code == 200
        assert save(client, picture.id, send(drawn), reader="Anna").status_code == 200
    with ReviewSession(tmp_path / "target", blinded=True) as desk:
        case, picture = *desk.add(case_folder / "case 0"), *desk.add(picture_file)
        client = TestClient(create_app(desk), base_url=HERE)
        told = [client.get(f"/api/entries/{one.id}", headers={"x-reader": "Ben"}).json() for one in (case, picture)]
    assert told[0]["reading"]["vertebrae"] == before["vertebrae"]
    assert (told[1]["reading"]["vertebrae"], told[1]["reader"]) == ([], "")


def test_likely_names_are_marked_until_a_person_confirms_them_or_gives_others(drawn):
    seen = np.zeros((drawn.height, drawn.width), np.uint8)
    likely = replace(drawn, label_probability=0.85)
    told = shown(measured(likely, seen))
    assert told["unsure"]
    assert [row["level"] for row in told["rows"]] == [f"{vertebra.label} ?" for vertebra in drawn.vertebrae]
    assert [row["name"] for row in told["rows"]] == [vertebra.label for vertebra in drawn.vertebrae]
    confirmed, shorter = (SentReading.model_validate(send(likely)) for _ in range(2))
    confirmed.named = True
    assert not shown(measured(receive(confirmed, likely), seen))["unsure"]
    del shorter.vertebrae[0]  # which says nothing of the others
    assert shown(measured(receive(shorter, likely), seen))["unsure"]
    sent = SentReading.model_validate(send(likely))
    sent.vertebrae[0].label = "T12"
    assert not shown(measured(receive(sent, likely), seen))["unsure"]
    assert not shown(measured(replace(drawn, label_probability=0.95), seen))["unsure"]


def test_the_page_marks_names_that_the_server_calls_unsure(case_folder, serve, page_of):
    """Over the picture, in the table and beside the chosen vertebra."""
    page = page_of(WIDE)

    def unsure(route):
        answer = route.fetch()
        content = answer.json()
        if "shown" in content:
            content["shown"]["unsure"] = True
            for row in content["shown"]["rows"]:
                row["level"] += " ?"
        route.fulfill(response=answer, json=content)

    page.route(re.compile(r"/api/entries/[^/]+$"), unsure)
    ready(page, serve(case_folder))
    names = page.locator("#overlay .vertebra .name").all_text_contents()
    assert names[:2] == ["L1 ?", "L2 ?"]
    assert page.locator("#table tbody th > span").all_text_contents() == names
    page.locator("#table tbody tr").first.click()
    wait_for(lambda: page.locator("#detail-name").text_content() == "L1 ?", "the chosen vertebra is not marked")
    with page.expect_request(re.compile(r"/measure")) as asked:
        page.locator("#number").click()
    assert asked.value.post_data_json["reading"]["named"]
    wait_for(lambda: page.locator("#detail-name").text_content() == "L1", "names that are confirmed are still marked")
    page.unroute_all(behavior="ignoreErrors")  # what is still on its way through the route when the page is closed
