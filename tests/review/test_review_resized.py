"""A case that another program writes at another size while it is open: nobody's points land on the wrong picture."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from spinetk.cases.folder import CaseFolder, read_record


def enlarge(folder, case="case 0"):
    """Twice the size, as a program that resamples cases writes it: picture and points."""
    path = CaseFolder(folder).source(case)
    record = json.loads(path.read_text())
    picture = Image.open(path.with_suffix(".png"))
    picture.resize((2 * record["width"], 2 * record["height"])).save(path.with_suffix(".png"))
    record["width"], record["height"] = 2 * record["width"], 2 * record["height"]
    for own in record["annotations"]:
        own["bbox"] = [2 * v for v in own["bbox"]]
        points = np.array(own["keypoints"], float).reshape(-1, 3) * (2, 2, 1)
        own["keypoints"] = points.ravel().tolist()
    record.pop("pixels_sha256", None)
    path.write_text(json.dumps(record))
    return path


def test_a_correction_of_the_smaller_picture_is_not_saved_over_the_larger_one(client, cases, opened):
    """It was, by *mine* of the two versions that are offered: a file of 80 x 96 px beside a picture of 160 x 192."""
    key, content = opened
    path = enlarge(cases)
    written = path.read_bytes()
    mine = {**content["reading"], "size": content["size"]}
    for began in (content["began"], client.get(f"/api/entries/{key}").json()["began"]):
        answer = client.post(f"/api/entries/{key}/save", json={**mine, "began": began})
        assert answer.status_code == 422
        assert "is 160 x 192 px by now: another program wrote it while it was open" in answer.json()["error"]
    assert path.read_bytes() == written


def test_the_page_gets_the_larger_picture_when_it_is_loaded_again(client, cases, opened):
    key, content = opened
    enlarge(cases)
    anew = client.get(f"/api/entries/{key}").json()
    assert anew["size"] == [2 * v for v in content["size"]] == [160, 192]
    assert client.get(f"/api/entries/{key}/pixels").headers["x-picture"].split()[:2] == ["160", "192"]
    old, new = (np.array(one["reading"]["vertebrae"][0]["points"]) for one in (content, anew))
    assert new == pytest.approx(2 * old, abs=0.002)
    answer = client.post(
        f"/api/entries/{key}/save", json={**anew["reading"], "began": anew["began"], "size": anew["size"]}
    )
    assert answer.status_code == 200
    assert read_record(CaseFolder(cases).source("case 0"))["width"] == 160


def test_a_film_whose_case_was_resized_is_begun_anew(client, desk, listed, tmp_path, save):
    """The film is as it was, the case it was saved as is not: the next save makes a case of its own."""
    Image.fromarray(np.arange(96 * 80, dtype=np.uint8).reshape(96, 80)).save(tmp_path / "film.png")
    desk.add(tmp_path / "film.png")
    key = listed()["film.png"]
    reading = client.get(f"/api/entries/{key}").json()["reading"]
    box = [[10.0, 40], [25, 40], [40, 40], [40, 10], [25, 10], [10, 10]]
    body = {"points": box, "visible": [True] * 6, "label": None, "score": None, "sigma": None, "box": [10, 10, 40, 40]}
    saved = save(client, key, {**reading, "vertebrae": [body]}).json()
    path = enlarge(desk.target.base, saved["case"])
    written = path.read_bytes()
    anew = client.get(f"/api/entries/{key}").json()
    assert (anew["size"], anew["began"], anew["reading"]["vertebrae"]) == ([80, 96], "", [])
    assert any("holds a picture of another size by now" in remark for remark in anew["shown"]["remarks"])
    again = save(client, key, {**reading, "vertebrae": [body]}, size=anew["size"]).json()
    assert again["case"] != saved["case"]
    assert path.read_bytes() == written
