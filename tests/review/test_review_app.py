"""Routes: what the page gets and sends, against hand-computed figures."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from spinetk.facing import Facing
from spinetk.formats.record import reading_of
from spinetk.images.picture import Picture
from spinetk.measure import measure
from spinetk.reading import Reading
from spinetk.review.app import STATIC
from spinetk.review.opened import Opened
from spinetk.review.serialization import SentVertebra
from spinetk.schema import VERTEBRA6


def test_session_lists_by_random_ids(client, cases):
    content = client.get("/api/session").json()
    assert [row["name"] for row in content["entries"]] == [f"case {k}" for k in range(12)]
    assert {row["state"] for row in content["entries"]} == {""}, "no file is looked at before the first picture"
    assert not client.get("/api/worklist").json()["scanning"]
    found = client.post("/api/worklist").json()
    while found["scanning"]:
        found = client.get("/api/worklist").json()
    assert {row["state"] for row in found["entries"]} == {"truth"}
    assert all(len(row["id"]) == 16 and row["name"] not in row["id"] for row in content["entries"])
    assert [grade for grade, *_ in content["grades"]] == [None, 0, 1, 2, 3]


def test_entry_holds_points_and_figures(opened):
    _, content = opened
    assert content["size"] == [80, 96]
    assert [v["label"] for v in content["reading"]["vertebrae"]] == ["L1", "L2", "L3"]
    # The drawn bodies are 18 px high and one px is one mm.
    assert content["shown"]["rows"][0]["heights"] == ["18.0", "18.0", "18.0"]
    assert content["shown"]["unit"] == "mm"
    # Corners clockwise from the top left; the middles lie between them.
    names = content["schema"]["points"]
    assert [names[k] for k in content["schema"]["clicked"]] == ["top_left", "top_right", "bottom_right", "bottom_left"]
    assert [names[k] for k, *_ in content["schema"]["between"]] == ["top_middle", "bottom_middle"]


def test_pixels_are_the_picture(client, opened, cases):
    import cv2

    key, _ = opened
    answer = client.get(f"/api/entries/{key}/pixels")
    width, height, low, high = (float(v) for v in answer.headers["x-picture"].split())
    sent = np.frombuffer(answer.content, "<u2").reshape(int(height), int(width))
    stored = cv2.imread(str(cases / "case 0" / "src" / "0" / "src-0.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_allclose(low + sent / 65535 * (high - low), stored, atol=0.01)
    assert answer.headers["cache-control"] == "no-store"


def test_moving_a_point_changes_its_height(client, opened):
    key, content = opened
    reading = content["reading"]
    x, y = reading["vertebrae"][1]["points"][0]
    reading["vertebrae"][1]["points"][0] = [x + 8.0, y + 6.0]  # bottom left: 18 + 6 down, 8 to the right
    shown = client.post(f"/api/entries/{key}/measure", json={"reading": reading, "live": True}).json()["shown"]
    moved = dict(zip(shown["columns"], shown["rows"][1]["heights"], strict=True))
    assert moved["left"] == f"{np.hypot(8, 24):.1f}"
    assert moved["right"] == "18.0"


def test_spacing_and_facing_are_the_users_word(client, opened):
    key, content = opened
    reading = {**content["reading"], "spacing_mm": [0.5, 0.25], "anterior": "right"}
    shown = client.post(f"/api/entries/{key}/measure", json={"reading": reading}).json()["shown"]
    assert shown["rows"][0]["heights"] == ["9.0", "9.0", "9.0"]
    assert shown["anterior"] == "right"
    assert shown["columns"] == ["right", "middle", "left"]


def test_levels_are_numbered_from_one(client, opened):
    key, content = opened
    answer = client.post(f"/api/entries/{key}/measure", json={"reading": content["reading"], "anchor": "T12=2"}).json()
    assert answer["labels"] == ["T11", "T12", "L1"]


def test_an_added_vertebra_finds_its_place(client, opened):
    key, content = opened
    reading = content["reading"]
    reading["vertebrae"] = [reading["vertebrae"][k] for k in (1, 2, 0)]
    answer = client.post(f"/api/entries/{key}/measure", json={"reading": reading, "sort": True}).json()
    assert answer["order"] == [2, 0, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"points": [[1, 2]]},
        {"points": [[1e9, 0]] * 6},
        {"visible": [True]},
        {"label": "x" * 50},
        {"score": 7},
    ],
)
def test_nonsense_is_refused_in_a_sentence(client, opened, change):
    key, content = opened
    content["reading"]["vertebrae"][0] |= change
    answer = client.post(f"/api/entries/{key}/measure", json={"reading": content["reading"]})
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_numbers_that_are_none_are_refused(client, opened):
    key, _ = opened
    body = '{"reading": {"vertebrae": [{"points": [[NaN,1],[1,1],[1,1],[1,1],[1,1],[1,1]], "visible": [' + "true," * 5
    answer = client.post(f"/api/entries/{key}/measure", content=body + "true]}]}}")
    assert answer.status_code == 422


def test_too_many_vertebrae_are_refused(client, opened):
    key, content = opened
    content["reading"]["vertebrae"] *= 30
    assert client.post(f"/api/entries/{key}/measure", json={"reading": content["reading"]}).status_code == 422


@pytest.mark.parametrize("key", ["nobody", "..%2f..%2fetc%2fpasswd", "../../pyproject.toml"])
def test_ids_are_looked_up_never_opened(client, cases, key):
    answer = client.get(f"/api/entries/{key}")
    assert answer.status_code in (404, 422)
    assert "root:" not in answer.text


def test_static_files_only(client):
    assert "spinetk review" in client.get("/").text
    assert client.get("/main.js").headers["content-type"].startswith("text/javascript")
    for path in ("/../app.py", "/%2e%2e/app.py", "/..%5capp.py", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 404
    assert client.post("/main.js").status_code == 405


def test_static_files_are_sent_once(client):
    first = client.get("/review.css")
    again = client.get("/review.css", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/main.js", headers={"if-none-match": first.headers["etag"]}).status_code == 200


def test_the_page_asks_for_every_script_at_once(client):
    page = client.get("/").text
    scripts = {path.name for path in STATIC.glob("*.js")}
    assert {name for name in scripts if f'href="{name}"' in page or f'src="{name}"' in page} == scripts


def test_bad_file_is_a_sentence(client, desk, tmp_path):
    (tmp_path / "scan.dcm").write_bytes(b"nothing of a picture" * 20)
    desk.add(tmp_path / "scan.dcm")
    (key,) = desk.entries
    answer = client.get(f"/api/entries/{key}")
    assert answer.status_code == 422
    assert answer.json()["source"] == "scan.dcm"
    assert str(tmp_path) not in answer.text


def test_page_starts_without_the_networks():
    code = (
        "import sys, spinetk.review.server\n"
        "print([m for m in ('torch', 'lightning', 'scipy', 'pandas', 'matplotlib', 'SimpleITK') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_first_window_leaves_the_extremes_and_the_padding_out():
    pixels = np.linspace(0, 1000, 40_000, dtype=np.float32).reshape(200, 200)
    pixels[:20] = -2000  # padding
    picture = Picture(pixels, padding=pixels == -2000)
    _, low, high = Opened(picture, np.zeros((200, 200), np.uint8), Reading("a.dcm", 200, 200, VERTEBRA6)).windows()[0]
    # Rows 20 to 199 hold an even ramp from 100 to 1000: half a percent at each end are 4.5.
    assert (low, high) == (pytest.approx(104.5, abs=0.1), pytest.approx(995.5, abs=0.1))


@pytest.mark.parametrize(
    ("field", "most", "value"), [("label", 12, "x"), ("points", 64, [1.0, 1.0]), ("visible", 64, True)]
)
def test_fields_of_a_vertebra_have_a_limit(field, most, value):
    sound = {"points": [[1, 2]], "visible": [True]}
    SentVertebra.model_validate({**sound, field: value * most if field == "label" else [value] * most})
    with pytest.raises(ValidationError, match=field):
        SentVertebra.model_validate({**sound, field: value * (most + 1) if field == "label" else [value] * (most + 1)})


def test_naming_one_vertebra_keeps_the_front(client, desk, drawn, picture_file):
    """What was seen when the picture was predicted stands; only the user's flip turns it."""
    (entry,) = desk.add(picture_file)
    desk.predictions.readings[entry.id] = replace(
        drawn, model="net", view="lateral", facing=Facing("left", "picture", 0.9),
        vertebrae=[replace(v, label=None) for v in drawn.vertebrae], remarks=["levels: none are named, as ..."],
    )  # fmt: skip
    content = client.get(f"/api/entries/{entry.id}?origin=predicted").json()
    assert content["shown"]["anterior"] == "left"
    assert "levels: none are named, as ..." in content["shown"]["remarks"]
    reading = content["reading"]
    reading["vertebrae"][1]["label"] = "T7"
    reading["origin"] = "predicted"
    answer = client.post(f"/api/entries/{entry.id}/measure", json={"reading": reading}).json()
    assert answer["shown"]["anterior"] == "left"
    assert not any(remark.startswith("levels:") for remark in answer["shown"]["remarks"])
    reading["anterior"] = "right"
    answer = client.post(f"/api/entries/{entry.id}/measure", json={"reading": reading}).json()
    assert answer["shown"]["anterior"] == "right"


@pytest.mark.parametrize(("header", "turned"), [(None, False), (None, True), ("A", False), ("A", True)])
def test_the_front_that_the_user_gave_a_prediction_is_saved_unless_it_is_turned_here(
    client, desk, drawn, picture_file, tmp_path, save, header, turned
):
    """Left by the user's word, against the spine and, in two of four, the header, whose +x runs to the front."""
    frame = replace(drawn.frame, toward_right=header, toward_bottom=header and "F")
    told = replace(drawn, model="net", view="lateral", frame=frame, facing=Facing("left", "user", 1.0))
    (tmp_path / "column.json").write_text(json.dumps(told.to_json()))
    (entry,) = desk.add(tmp_path / "column.json")
    content = client.get(f"/api/entries/{entry.id}").json()
    assert content["shown"]["anterior"] == "left"
    if turned:
        content["reading"]["anterior"] = "right"
    wanted = "right" if turned else "left"
    answer = client.post(f"/api/entries/{entry.id}/measure", json={"reading": content["reading"]}).json()
    assert answer["shown"]["anterior"] == wanted
    assert save(client, entry.id, content["reading"]).status_code == 200
    assert client.get(f"/api/entries/{entry.id}").json()["shown"]["anterior"] == wanted
    (case,) = (tmp_path / "target").glob("*/src/0/src-0.json")
    assert measure(reading_of(json.loads(case.read_text()))).facing.side == wanted
    (past,) = client.get(f"/api/entries/{entry.id}/history").json()
    content = client.get(f"/api/entries/{entry.id}/history/{past['number']}").json()
    assert (content["reading"]["anterior"], content["shown"]["anterior"]) == (wanted, wanted)
    content["reading"]["anterior"] = "left" if turned else "right"
    assert save(client, entry.id, content["reading"]).status_code == 200
    assert client.get(f"/api/entries/{entry.id}").json()["shown"]["anterior"] == content["reading"]["anterior"]
