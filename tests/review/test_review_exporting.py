"""Exporting: every format, read back by what reads such files."""

from __future__ import annotations

import csv
import io
import json

import pytest

from spinetk.phantoms import lateral_radiograph, write_dicom
from spinetk.reading import Reading
from spinetk.review.serialization import send


def export(client, kind, key=None, reading=None):
    return client.post("/api/export", json={"kind": kind, "id": key, "reading": reading})


def test_json_is_a_measured_result(client, opened):
    key, content = opened
    answer = export(client, "json", key, content["reading"])
    assert answer.headers["content-disposition"].endswith('.json"')
    reading = Reading.from_json(answer.json())
    assert [v.label for v in reading.vertebrae] == ["L1", "L2", "L3"]
    assert reading.vertebrae[0].measures["heights_mm"]["left"] == pytest.approx(18)


def test_csv_and_coco_of_what_is_shown(client, opened):
    key, content = opened
    rows = list(csv.DictReader(io.StringIO(export(client, "csv", key, content["reading"]).text)))
    assert [row["height_left_mm"] for row in rows] == ["18", "18", "18"]
    coco = export(client, "coco", key, content["reading"]).json()
    # COCO counts from pixel centres: half a px less than ours.
    x, y = content["reading"]["vertebrae"][0]["points"][0]
    assert coco["annotations"][0]["keypoints"][:3] == pytest.approx([x - 0.5, y - 0.5, 2], abs=1e-3)
    assert coco["images"][0]["file_name"] == "case 0.png"


def test_everything_saved(client, opened, save):
    key, content = opened
    assert export(client, "coco").status_code == 422
    save(client, key, content["reading"])
    coco = export(client, "coco").json()
    assert [image["case"] for image in coco["images"]] == ["case 0"]
    assert len(list(csv.DictReader(io.StringIO(export(client, "csv").text)))) == 3


def test_png_is_a_picture(client, opened):
    key, content = opened
    answer = export(client, "png", key, content["reading"])
    assert answer.content.startswith(b"\x89PNG")


def test_report_of_a_dicom_and_none_of_a_case(client, desk, tmp_path, opened):
    key, content = opened
    answer = export(client, "sr", key, content["reading"])
    assert answer.status_code == 422
    assert "DICOM" in answer.json()["error"]
    pytest.importorskip("highdicom")
    import pydicom

    phantom = lateral_radiograph(4, region="lumbar")
    write_dicom(phantom, tmp_path / "Doe_Jane.dcm")
    (entry,) = desk.add(tmp_path / "Doe_Jane.dcm")
    answer = export(client, "sr", entry.id, send(phantom.reading))
    assert answer.status_code == 200
    assert "Doe" not in answer.headers["content-disposition"]
    assert pydicom.dcmread(io.BytesIO(answer.content)).Modality == "SR"


def test_results_keep_their_model(client, desk, tmp_path, drawn, picture_file):
    drawn.model = "some-model"
    path = tmp_path / "column.json"
    path.write_text(json.dumps(drawn.to_json()))
    (entry,) = desk.add(path)
    content = client.get(f"/api/entries/{entry.id}").json()
    assert content["state"] == "predicted"
    assert export(client, "json", entry.id, content["reading"]).json()["model"] == "some-model"
