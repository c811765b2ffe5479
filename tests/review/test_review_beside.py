"""What is compared with the film beside, and what is not: drawn columns of 18 px bodies, at 1 mm a pixel."""

from __future__ import annotations

import re

import pytest
from onpage import WIDE, ready, wait_for

from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder
from spinetk.formats.files import read_json, write_metadata


@pytest.fixture
def films(case_folder):
    """One patient's films: the one that is read, and others that may be compared with it in part."""
    folder = CaseFolder(case_folder)
    changes = {
        "case 1": {"spacing_mm": [0.5, 0.5], "spacing_source": "ImagerPixelSpacing"},
        "case 2": {"spacing_mm": None, "spacing_source": None},
        "case 3": {"view": "ap"},
        "case 4": {},
    }
    for case, change in changes.items():
        source = folder.source(case)
        content = read_json(source) | change
        if case == "case 4":
            content["annotations"] = [{k: v for k, v in one.items() if k != "label"} for one in content["annotations"]]
        write_json(source, {name: value for name, value in content.items() if value is not None})
    write_metadata(case_folder, {f"case {n}": {"group": "one" if n < 5 else f"g{n}"} for n in range(12)})
    return case_folder


def test_only_what_is_comparable_is_compared(films, serve, page_of):
    page = page_of(WIDE)
    ready(page, serve(films))
    page.click("#beside-toggle")
    page.wait_for_selector("#beside:visible")
    titles = page.locator("#beside-choice option").all_inner_texts()

    def beside(case):
        page.select_option("#beside-choice", label=next(title for title in titles if title.startswith(case)))

    def rows():
        return [row.locator("th, td").all_inner_texts() for row in page.locator("#beside-table tbody tr").all()]

    def says(text):
        wait_for(lambda: text in page.locator("#beside-unit").text_content(), f"not said: {text}")

    beside("case 1")  # half as large a pixel: 9 mm there, 18 mm here
    says("Scale there 0.5 mm at the detector plane, magnified (ImagerPixelSpacing), here 1 mm (user)")
    assert [(row[0], *row[1:4]) for row in rows()[:3]] == [(f"L{k}", "9.0", "18.0", "+9.0") for k in (1, 2, 3)]
    beside("case 2")  # 18 px there are no 18 mm
    says("A film has no scale: heights are not compared")
    assert not [row for row in rows() if row[0].startswith("L") and row[3] != "–"]
    beside("case 3")
    says("The films are of two views: heights are not compared")
    assert not [row for row in rows() if row[0] in ("L1", "L2", "L3")]
    beside("case 4")  # the third body there need not be the third one here
    wait_for(lambda: "two views" not in page.locator("#beside-unit").text_content(), "the next film is not compared")
    assert not [row for row in rows() if row[0].startswith("#")]


def test_bodies_without_names_of_two_films_are_not_compared(films, serve, page_of):
    """Both without names: #1 of the one is not #1 of the other."""
    folder = CaseFolder(films)
    content = read_json(folder.source("case 0"))
    content["annotations"] = [{k: v for k, v in one.items() if k != "label"} for one in content["annotations"]]
    write_json(folder.source("case 0"), content)
    write_metadata(films, {f"case {n}": {"group": "one" if n in (0, 4) else f"g{n}"} for n in range(12)})
    page = page_of(WIDE)
    ready(page, serve(films))
    page.click("#beside-toggle")
    page.wait_for_selector("#beside:visible")
    wait_for(lambda: "Least height" in page.locator("#beside-unit").text_content(), "nothing hangs beside")
    assert not [text for text in page.locator("#beside-table th[scope='row']").all_inner_texts() if text[0] == "#"]


def test_an_angle_between_likely_names_is_compared_with_that_between_sure_ones(films, serve, page_of):
    """The mark is no part of the name: the angle is found in both, and its ends are the same."""
    page = page_of(WIDE)

    def unsure(route):
        answer = route.fetch()
        content = answer.json()
        if "shown" in content:
            first = content["shown"]["spacing_mm"] == [0.5, 0.5]  # case 1
            name = f"L1\N{EN DASH}L5{' ?' if first else ''}"
            content["shown"]["angles"] = [[f"Lordosis {name}", f"{30 if first else 32}.0\N{DEGREE SIGN}", "", name]]
        route.fulfill(response=answer, json=content)

    page.route(re.compile(r"/api/entries/[^/]+$"), unsure)
    ready(page, serve(films))
    page.click("#beside-toggle")
    page.wait_for_selector("#beside:visible")
    titles = page.locator("#beside-choice option").all_inner_texts()
    page.select_option("#beside-choice", label=next(title for title in titles if title.startswith("case 1")))
    row = page.locator("#beside-table tbody tr", has_text="Lordosis")
    wait_for(lambda: row.count() == 1, "the angle is not compared")
    told = row.locator("th, td").all_inner_texts()
    assert told[0] == "Lordosis L1\N{EN DASH}L5"
    assert "?" not in "".join(told)
    assert "\N{RIGHTWARDS ARROW}" not in "".join(told)
    page.unroute_all(behavior="ignoreErrors")  # what is still on its way through the route when the page is closed
