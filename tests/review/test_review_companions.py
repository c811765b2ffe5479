"""Companions: the patient's other films, in order of time, and no date anywhere."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pydicom

from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder
from spinetk.formats.files import read_json, write_metadata
from spinetk.phantoms import lateral_radiograph, write_dicom
from spinetk.review.companions import Companions
from spinetk.review.session import ReviewSession


def dated_film(path, seed: int, patient: str, study: str, acquired: str = "") -> Path:
    film = pydicom.dcmread(write_dicom(lateral_radiograph(seed, region="lumbar"), path))
    film.PatientID, film.StudyDate, film.AcquisitionDate = patient, study, acquired
    film.save_as(path)
    return path


def test_companions_by_group_and_by_patient(desk, cases, tmp_path):
    write_metadata(cases, {f"case {n}": {"group": "a" if n in (2, 10) else f"g{n}"} for n in range(12)})
    os.makedirs(tmp_path / "films")
    for number, patient in enumerate(("P17", "P17", "P18")):
        dated_film(tmp_path / "films" / f"{number}.dcm", number, patient, "")
    desk.add(tmp_path / "films")
    beside = Companions(lambda: list(desk.entries.values()))
    by_name = {entry.title: entry for entry in desk.entries.values()}
    assert [(one.title, days) for one, days in beside.of(by_name["case 2"])] == [("case 10", None)]
    assert beside.of(by_name["case 3"]) == []
    assert [(one.title, days) for one, days in beside.of(by_name["0.dcm"])] == [("1.dcm", None)]
    assert beside.of(by_name["2.dcm"]) == []


DATES = ("20240301", "20230301", "", "20240229", "20251231", "19000101")
APART = [("3", -1), ("1", -366), ("4", 670), ("2", None), ("5", None)]
"""2024 is a leap year: from 1 March 2023 to 1 March 2024 there are 366 days, to the end of 2025 another 670."""


def test_films_of_a_patient_come_by_their_distance_in_time(desk, client, tmp_path):
    (tmp_path / "films").mkdir()
    for number, day in enumerate(DATES):
        dated_film(tmp_path / "films" / f"{number}.dcm", number, "P17", *(("", day) if number == 1 else (day, "")))
    entries = {Path(entry.title).stem: entry for entry in desk.add(tmp_path / "films")}
    answer = client.get(f"/api/entries/{entries['0'].id}/companions")
    assert [(Path(row["name"]).stem, row["days"]) for row in answer.json()] == APART
    assert not any(day in answer.text for day in DATES if day)


def test_cases_keep_how_far_apart_films_are_and_no_date(desk, client, save, tmp_path):
    """Saved on the page, one patient's films tell their distances in a later session, too, and lead to no date."""
    (tmp_path / "films").mkdir()
    for number, day in enumerate(DATES[:2]):
        dated_film(tmp_path / "films" / f"{number}.dcm", number, "P17", day)
    desk.add(tmp_path / "films")
    for entry in list(desk.entries.values()):
        key = entry.id
        body = client.get(f"/api/entries/{key}").json()["reading"]
        assert save(client, key, body, empty=True).status_code == 200
    base = desk.target.base
    days = [read_json(CaseFolder(base).source(case))["day"] for case in CaseFolder(base).cases()]
    assert abs(days[0] - days[1]) == 366
    assert not {date(2024, 3, 1).toordinal(), date(2023, 3, 1).toordinal()} & set(days)
    for path in base.rglob("*.json"):
        assert not any(day in path.read_text() for day in DATES[:2])
    with ReviewSession(tmp_path / "other") as later:
        one, two = later.add(base)
        ((found, apart),) = Companions(lambda: list(later.entries.values())).of(one)
        assert (found.id, abs(apart)) == (two.id, 366)
    # Two numbers of one patient, put together by hand, count from different days: nothing is said of them.
    source = CaseFolder(base).source(CaseFolder(base).cases()[0])
    write_json(source, read_json(source) | {"origin": ["patient:another"]})
    write_metadata(base, {case: {"group": "both"} for case in CaseFolder(base).cases()})
    with ReviewSession(tmp_path / "other") as later:
        one, _ = later.add(base)
        assert [apart for _, apart in Companions(lambda: list(later.entries.values())).of(one)] == [None]
