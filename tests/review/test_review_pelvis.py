"""The pelvis on the page, in a real browser: dragged, nudged, marked by hand; and the films of a patient by time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from onpage import NARROW, WIDE, drag, ready, wait_for

from spinetk.cases.folder import CaseFolder, read_record, write_record
from spinetk.formats.record import record_of
from spinetk.images import to_uint8
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph, write_dicom


def angle_shown(page, name: str) -> float:
    return float(page.locator(f"#angles tr:has(th:text-is('{name}')) td.n").inner_text().rstrip("\N{DEGREE SIGN}"))


def grip(page, landmark: int, point: int) -> tuple[float, float]:
    box = page.locator(f'.landmark[data-landmark="{landmark}"] .point[data-point="{point}"] .ring').bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.fixture
def pelvic(tmp_path):
    """(case folder, reading) of a lateral phantom with its pelvis: S1 first, then the heads."""
    phantom = lateral_radiograph(11, region="lumbar")
    reading = replace(phantom.reading, landmarks=sorted(phantom.reading.landmarks, key=lambda own: own.kind != "s1"))
    base = tmp_path / "pelvic"
    base.mkdir()
    write_record(CaseFolder(base).source("film"), record_of(reading, "film"), to_uint8(phantom.pixels))
    return base, reading


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_sacrum_and_the_hips_are_dragged(pelvic, serve, page_of, size):
    base, reading = pelvic
    page = page_of(size)
    ready(page, serve(base))
    right = measure(reading).angles
    assert angle_shown(page, "Sacral slope") == pytest.approx(right["sacral_slope"], abs=0.06)
    # The left end of S1, 15 px down: the slope it must have follows from where both ends are on the screen.
    left, other = grip(page, 0, 0), grip(page, 0, 1)
    drag(page, left, (0, 15))
    ahead = 1 if reading.frame.anterior == "left" else -1
    slope = ahead * np.degrees(np.arctan2(left[1] + 15 - other[1], other[0] - left[0]))
    wait_for(lambda: abs(angle_shown(page, "Sacral slope") - slope) < 0.7, f"the slope does not become {slope}")
    assert page.inner_text("#detail-name") == "S1 endplate"
    page.locator("#viewer").focus()
    page.keyboard.press("Control+z")
    wait_for(lambda: abs(angle_shown(page, "Sacral slope") - right["sacral_slope"]) < 0.06, "it is not undone")
    page.keyboard.press("Control+Shift+Z")
    wait_for(lambda: abs(angle_shown(page, "Sacral slope") - slope) < 0.7, "it is not redone")
    # A head wider by its rim, by keys: 0.5 px each.
    for _ in range(len(reading.vertebrae) + 2):
        page.keyboard.press("j")
    page.keyboard.press(",")  # the rim
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert page.inner_text("#detail-point").startswith("rim at")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#state:text-is('corrected')")
    saved = read_record(CaseFolder(base).source("film"))["landmarks"]
    scale = (other[0] - left[0]) / (reading.landmarks[0].points[1] - reading.landmarks[0].points[0])[0]
    assert saved[0]["left"][1] - reading.landmarks[0].points[0][1] == pytest.approx(15 / scale, abs=1.2 / scale)
    heads = [own["radius_px"] for own in saved[1:]]
    assert max(after - own.radius_px for after, own in zip(heads, reading.landmarks[1:], strict=True)) == pytest.approx(
        2, abs=0.01
    )
    page.reload()
    page.wait_for_selector("body.ready")
    assert angle_shown(page, "Sacral slope") == pytest.approx(slope, abs=0.7)


def test_the_pelvis_is_marked_by_hand(pelvic, serve, page_of):
    """What was not found is clicked: two ends of S1, centre and rim of a head; then all three pelvic angles stand."""
    base, reading = pelvic
    page = page_of(WIDE)
    ready(page, serve(base))
    places = {"s1": [grip(page, 0, 0), grip(page, 0, 1)], "femoral_head": [grip(page, 1, 0), grip(page, 1, 1)]}
    page.locator("#viewer").focus()
    while page.locator(".landmark").count():
        page.keyboard.press("k")  # the last is a landmark as long as there are any
        page.keyboard.press("Delete")
        page.wait_for_timeout(50)
    wait_for(lambda: page.locator("#angles th:text-is('Sacral slope')").count() == 0, "the slope stays")
    for tool, clicks in places.items():
        page.click("#measure-menu summary")
        page.click(f'[data-tool="{tool}"]')
        for x, y in clicks:
            page.mouse.click(x, y)
        page.keyboard.press("Escape")
    right = measure(replace(reading, landmarks=reading.landmarks[:2])).angles
    for name, key in (
        ("Sacral slope", "sacral_slope"),
        ("Pelvic tilt", "pelvic_tilt"),
        ("Pelvic incidence", "pelvic_incidence"),
    ):
        wait_for(
            lambda name=name, key=key: abs(angle_shown(page, name) - right[key]) < 1.5, f"{name} is not {right[key]}"
        )
    page.locator("#viewer").focus()
    page.keyboard.press("Control+z")
    wait_for(lambda: page.locator("#angles th:text-is('Pelvic tilt')").count() == 0, "the head is not undone")


def test_films_beside_come_nearest_in_time_first(tmp_path, serve, page_of):
    films = tmp_path / "films"
    films.mkdir()
    for number, day in enumerate(("20240301", "20200301", "", "20240101")):
        film = pydicom.dcmread(write_dicom(lateral_radiograph(number, region="lumbar"), films / f"{number}.dcm"))
        film.PatientID, film.StudyDate = "P17", day
        film.save_as(films / f"{number}.dcm")
    page = page_of(WIDE)
    ready(page, serve(films))
    page.click("#beside-toggle")
    page.wait_for_selector("#beside:visible")
    said = [text.rpartition(", ")[2] for text in page.locator("#beside-choice option").all_inner_texts()]
    assert said[:2] == ["60 days earlier", "4 years earlier"]
    assert page.locator("#beside-choice optgroup").last.get_attribute("label").endswith("no date: by name")
    assert "2024" not in page.inner_text("body")
