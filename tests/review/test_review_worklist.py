"""Worklist: what each line says, from a cache that follows the files; lines; the words of the page."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from onpage import wait_for

from spinetk.cases.folder import CaseFolder
from spinetk.errors import InputError
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph
from spinetk.review.faults import in_words_of_the_page, line, plain
from spinetk.review.lines import lines_of
from spinetk.review.session import ReviewSession
from spinetk.review.worklist import CACHE


def rows(desk: ReviewSession, reader: str = "") -> dict[str, dict]:
    desk.worklist.scan()
    wait_for(lambda: not desk.worklist.scanning, "the scan does not end", 0.01)
    return {row["name"]: row for row in desk.rows(reader)}


def test_states_grades_and_the_cache_that_follows_the_files(desk, cases, file_events):
    found = rows(desk)
    assert {row["state"] for row in found.values()} == {"truth"}
    assert found["case 0"]["vertebrae"] == 3
    kept = json.loads((cases / CACHE).read_text())
    assert len(kept) == 12
    with ReviewSession(cases) as later:
        later.add(cases)
        assert later.rows()[0]["state"] == "truth"  # at once, from the cache
        with file_events() as seen:
            rows(later)
        assert [path for event, path in seen if event == "open" and path.endswith("src-0.json")] == []
        # A file that changed is read again; one that is spoilt is not taken for what it was.
        path = CaseFolder(cases).source("case 1")
        record = json.loads(path.read_text())
        record["review"] = {"status": "signed", "reader": "Anna", "when": "2026-01-01T00:00:00Z"}
        path.write_text(json.dumps(record))
        CaseFolder(cases).source("case 2").unlink()
        found = rows(later)
    assert (found["case 1"]["state"], found["case 1"]["reader"]) == ("signed", "Anna")
    assert found["case 2"]["state"] == ""


def test_a_cache_that_is_damaged_or_cannot_be_written_does_no_harm(desk, cases):
    (cases / CACHE).write_text('{"case 0/src/0/src-0.json": 5}')
    with ReviewSession(cases) as later:
        later.add(cases)
        assert rows(later)["case 0"]["state"] == "truth"


def test_predicted_and_nothing_found(desk, picture_file, drawn):
    (entry,) = desk.add(picture_file)
    assert desk.row(entry)["state"] == "new"
    sure = [replace(v, score=score) for v, score in zip(drawn.vertebrae, (0.9, 0.7, 0.8), strict=True)]
    desk.predictions.readings[entry.id] = replace(drawn, vertebrae=sure)
    assert (desk.row(entry)["state"], desk.row(entry)["score"]) == ("predicted", 0.7)
    desk.predictions.readings[entry.id] = replace(drawn, vertebrae=[])
    assert (desk.row(entry)["state"], desk.row(entry)["score"]) == ("nothing found", None)


def test_lines_run_through_the_ends_of_the_angles(drawn):
    ap = measure(replace(drawn, view="ap"))
    found = {one["key"]: one for one in lines_of(ap)}
    assert set(found) >= {"cobb_max"}
    assert found["cobb_max"]["text"].startswith("Cobb, largest")
    first, second = (np.array(segment) for segment in found["cobb_max"]["segments"])
    centres = [v.points.mean(axis=0) for v in ap.vertebrae]
    labels = [v.label for v in ap.vertebrae]
    upper, lower = (centres[labels.index(end)] for end in ap.angles["cobb_max_ends"])
    assert first.mean(axis=0) == pytest.approx(upper, abs=0.02)
    assert second.mean(axis=0) == pytest.approx(lower, abs=0.02)
    assert np.ptp(first[:, 0]) > 32  # it stands out of the body on both sides
    phantom = lateral_radiograph(4, region="lumbar")
    keys = {one["key"] for one in lines_of(measure(phantom.reading))}
    assert "lordosis_l1_l5" in keys


def test_the_page_speaks_of_what_it_has():
    said = in_words_of_the_page(InputError("/a/b.dcm", "the view is unknown", "give --view to read it all the same"))
    assert said == {"error": "the view is unknown", "remedy": "choose the view beside the picture", "source": "b.dcm"}
    assert line(InputError("x", "is broken", "run `spinetk prepare` again")) == "is broken"
    assert line(InputError("x", "is broken", "choose another")) == "is broken (choose another)"
    assert plain("no level names (give one with --anchor, e.g. L5=last).") == "no level names."
    assert plain("series 1 was read (CT) (--series chooses)") == "series 1 was read (CT)"
