"""Entries: what a path of the command line stands for."""

from __future__ import annotations

import json
import os

import pytest

from spinetk.errors import InputError
from spinetk.phantoms import sagittal_mr, write_dicom
from spinetk.review.entry import entries_of
from spinetk.review.worklist import CACHE


def test_case_folder_and_single_case(case_folder):
    found = list(entries_of(case_folder))
    assert [entry.case for entry in found] == [f"case {k}" for k in range(12)]
    assert [entry.name for entry in entries_of(case_folder / "case 3")] == ["case 3"]


def test_results_are_taken_without_their_overlays(tmp_path, drawn, picture_file):
    out = tmp_path / "results"
    out.mkdir()
    (out / "column.json").write_text(json.dumps(drawn.to_json()))
    (out / "column.png").write_bytes(b"overlay")
    (out / "run.json").write_text("{}")
    assert [(e.kind, e.name) for e in entries_of(out)] == [("result", "column")]
    assert [(e.kind, e.name) for e in entries_of(out / "column.json")] == [("result", "column")]


def test_pictures_of_any_depth(tmp_path, picture_file):
    (tmp_path / "deep").mkdir()
    write_dicom(sagittal_mr(1), tmp_path / "deep" / "a.dcm")
    (tmp_path / "notes.txt").write_text("no picture")
    assert sorted(entry.name for entry in entries_of(tmp_path)) == ["column.png", "deep/a.dcm"]


def test_nothing_to_show_is_an_error(tmp_path):
    with pytest.raises(InputError, match="holds no picture"):
        list(entries_of(tmp_path))
    with pytest.raises(InputError, match="does not exist"):
        list(entries_of(tmp_path / "none"))


def test_ids_say_nothing_and_differ(case_folder):
    first, second = ([entry.id for entry in entries_of(case_folder)] for _ in range(2))
    assert not set(first) & set(second)


def test_two_thousand_cases_are_listed_at_once(client, desk, tmp_path, file_events):
    base = tmp_path / "many"
    for number in range(2000):
        os.makedirs(base / f"case-{number:04d}" / "src" / "0")
    with file_events() as seen:
        desk.add(base)  # not one of them has a picture
        rows = client.get("/api/session").json()["entries"]
    inside = [event for event, path in seen if path.startswith(str(base)) and not path.endswith(CACHE)]
    assert inside.count("open") == 0
    assert len(inside) < 3 * 2000
    assert [row["name"] for row in rows[:2]] == ["case-0000", "case-0001"]
    assert len(rows) == 2000
