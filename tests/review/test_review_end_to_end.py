"""The page in a real browser: upload, click a vertebra, drag a point, save, reload, export; wide and narrow.

Every expected figure comes from the pixel spacing of the phantom and from how large the picture is on the screen,
which is counted in the screenshot, not taken from the page's own code.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from onpage import NARROW, WIDE, Traffic, centre, drag, heights, ready, wait_for

from spinetk.cases.folder import CaseFolder, read_record
from spinetk.images import to_uint8
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph, write_dicom
from spinetk.reading import Reading

PATIENT = "Secret^Patient"


def phantom_file(tmp_path: Path):
    phantom = lateral_radiograph(4, region="lumbar", deformity={"L1": ("wedge", 31.0)})
    return phantom, write_dicom(phantom, tmp_path / "radiograph.dcm", patient_name=PATIENT)


def picture_on_screen(page) -> tuple[float, float, float, float]:
    """(left, top, width, height) of the picture on the screen in CSS px, from a screenshot of it all white."""
    for field, value in (("#window-width", "10"), ("#window-level", "-1000")):
        page.fill(field, value)
        page.press(field, "Enter")
    parts = "#tools, .corner, .letter, .drawing"
    hide = "([parts, how]) => { for (const e of document.querySelectorAll(parts)) e.style.visibility = how; }"
    page.evaluate(hide, [parts, "hidden"])
    box = page.locator("#viewer").bounding_box()
    # Whole pixels of the window: a screenshot of the viewer alone would begin at a fraction of one.
    x0, y0 = (math.ceil(box[side]) + 3 for side in "xy")
    x1, y1 = (math.floor(box[side] + box[long]) - 3 for side, long in (("x", "width"), ("y", "height")))
    for _ in range(100):  # until the white picture has been painted
        shot = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)[y0:y1, x0:x1]
        white = shot > 128
        rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
        if len(rows) and white[rows[0] + 1 : rows[-1], columns[0] + 1 : columns[-1]].all():
            break
    else:
        raise AssertionError("the window does not reach the picture")
    down, across = shot[:, columns.mean().astype(int)] / 255.0, shot[rows.mean().astype(int)] / 255.0
    page.evaluate(hide, [parts, ""])
    page.locator("#viewer").focus()
    page.keyboard.press("r")
    (left, right), (top, bottom) = edges(across), edges(down)
    return x0 + left, y0 + top, right - left, bottom - top


def edges(line: np.ndarray) -> tuple[float, float]:
    """Where white begins and ends in a line of grey values 0 to 1; pixels at the ends are white by their share."""
    light = np.clip((line - line.min()) / (1.0 - line.min()), 0, 1)
    whole = np.flatnonzero(light > 0.99)
    before, after = light[: whole[0]][-1:].sum(), light[whole[-1] + 1 :][:1].sum()
    return float(whole[0] - before), float(whole[-1] + 1 + after)


def until(page, row: int, wanted: list[float]) -> None:
    """Wait for the figures of a row."""
    near = pytest.approx(wanted, abs=0.35)
    wait_for(lambda: heights(page, row) == near, f"row {row}: {heights(page, row)} does not become {wanted}")


def upload(page, address: str, file: Path, phantom) -> tuple[float, float, float]:
    """Upload and choose the tool that adds; returns (left, top, screen px per picture px)."""
    page.goto(address)
    page.wait_for_selector("#welcome:not([hidden])")
    page.set_input_files("#files", str(file))
    page.wait_for_selector("#none:not([hidden])")
    assert page.inner_text("#title") == "radiograph.dcm"
    left, top, width, _ = picture_on_screen(page)
    page.click('[data-tool="add"]')
    return left, top, width / phantom.reading.width


def click_corners(page, vertebra, schema, place: tuple[float, float, float]) -> None:
    """As a person does: click when the page asks for this corner, not before."""
    left, top, scale = place
    for done, name in enumerate(("top_left", "top_right", "bottom_right", "bottom_left")):
        wait_for(lambda done=done: f"({done + 1} of 4)" in page.inner_text("#hint"), f"the page asks for {name}")
        x, y = vertebra.points[schema.index(name)]
        page.mouse.click(left + x * scale, top + y * scale)


def upload_and_click(page, address: str, file: Path, phantom) -> tuple[float, float, float]:
    """Upload, click the true corners of two vertebrae; returns (left, top, screen px per picture px)."""
    place = upload(page, address, file, phantom)
    for vertebra in phantom.reading.vertebrae[1:3]:
        click_corners(page, vertebra, phantom.reading.schema, place)
    wait_for(lambda: page.locator("#table tbody tr").count() == 2, "the clicked bodies do not appear")
    page.keyboard.press("Escape")
    return place


def let_go(held: list) -> bool:
    while held:
        held.pop().continue_()
    return True


def test_a_png_is_predicted_without_a_question(tmp_path, serve, page_of):
    """Nothing in a PNG says its view: the server is asked all the same, and goes by what the picture looks like."""
    phantom, page = lateral_radiograph(4, region="lumbar"), page_of(WIDE)
    file = tmp_path / "radiograph.png"
    cv2.imwrite(str(file), to_uint8(phantom.pixels))
    traffic = Traffic(page)
    asked = traffic.hold("/api/prediction")
    page.goto(serve())
    page.wait_for_selector("#welcome:not([hidden])")
    page.set_input_files("#files", str(file))
    page.wait_for_selector("#none:not([hidden])")
    page.fill("#spacing", "0.3")
    page.press("#spacing", "Enter")
    page.keyboard.press("Escape")
    page.locator("#viewer").focus()
    page.keyboard.press("p")
    traffic.wait(asked)  # which lets the page's requests through; polling alone would hear of none
    assert asked[0].request.post_data_json["view"] == "unknown"
    # The points that come know nothing of the size that was typed in before.
    answers, measured = traffic.hold("?origin=predicted"), traffic.hold("/measure")
    asked.pop().fulfill(json={"running": False, "done": 1, "total": 1, "what": "done", "failures": []})
    traffic.wait(answers)
    (found,) = answers
    given = found.fetch(url=found.request.url.partition("?")[0]).json()
    assert "spacing_mm" not in given["reading"]
    found.fulfill(json=given)
    traffic.wait(measured)
    assert measured[0].request.post_data_json["reading"]["spacing_mm"] == [0.3, 0.3]
    measured.pop().abort()


def test_what_is_added_before_an_answer_comes_is_kept(tmp_path, serve, page_of):
    """The server is slow: three bodies are clicked, the lowest first, before it has said anything of the first."""
    phantom, file = phantom_file(tmp_path)
    page = page_of(WIDE)
    held = Traffic(page).hold("/measure")
    place = upload(page, serve(), file, phantom)
    for number in (3, 1, 2):
        click_corners(page, phantom.reading.vertebrae[number], phantom.reading.schema, place)
    wait_for(lambda: page.locator(".vertebra").count() == 3, "the clicked bodies are drawn")
    assert len(held) == 1
    wait_for(lambda: let_go(held) and page.locator("#table tbody tr").count() == 3, "the bodies do not appear")
    wait_for(lambda: np.all(np.diff([centre(page, k, 0)[1] for k in range(3)]) > 0), "the bodies are not sorted")


def test_levels_are_named_though_a_point_moves_before_the_answer(tmp_path, serve, page_of):
    """The server is slow: the levels are asked for while it still thinks of a point, and that is dragged again."""
    phantom, file = phantom_file(tmp_path)
    page = page_of(WIDE)
    traffic = Traffic(page)
    upload_and_click(page, serve(), file, phantom)
    page.click("#table tbody tr:nth-child(1)")
    page.select_option("#level", "L4")
    page.wait_for_selector("#number:enabled")
    held = traffic.hold("/measure")
    drag(page, centre(page, 0, 2), (0, 9))
    page.click("#number")
    drag(page, centre(page, 0, 2), (0, 9))
    traffic.wait(held)
    assert len(held) == 1
    lower = page.locator("#table tbody tr:nth-child(2) th > span:text-is('L5')")
    wait_for(lambda: let_go(held) and lower.count() == 1, "the lower body is not named")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_person_corrects_a_case(tmp_path, target, serve, page_of, size):
    phantom, file = phantom_file(tmp_path)
    page = page_of(size)
    _, _, scale = upload_and_click(page, serve(), file, phantom)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]  # nothing hangs over the side
    row_mm, column_mm = phantom.reading.frame.spacing_mm
    mm = np.array([column_mm, row_mm])

    # The clicked corners give the true outer heights, within what half a screen px can do.
    truth = phantom.reading.vertebrae[1].points * mm
    outer = [np.hypot(*(truth[5] - truth[0])), np.hypot(*(truth[3] - truth[2]))]
    anterior_first = outer if phantom.reading.frame.anterior == "left" else outer[::-1]
    before = heights(page, 1)
    assert [before[0], before[2]] == pytest.approx(anterior_first, abs=1.2 * row_mm / scale)

    # Drag the lower right corner of the first body 18 px down: its right height grows by 18 / scale * spacing.
    down = 18.0
    side = 2 if phantom.reading.frame.anterior == "left" else 0
    start = centre(page, 0, 2)
    drag(page, start, (0, down))
    vector = (phantom.reading.vertebrae[1].points[3] - phantom.reading.vertebrae[1].points[2]) * mm
    grown = np.hypot(vector[0], vector[1] - down / scale * row_mm)
    wanted = list(before)
    wanted[side] = before[side] + grown - np.hypot(*vector)
    until(page, 1, wanted)
    after = heights(page, 1)
    assert after[side] - before[side] == pytest.approx(down / scale * row_mm, rel=0.05, abs=0.11)
    assert [v for k, v in enumerate(after) if k != side] == [v for k, v in enumerate(before) if k != side]

    # Undo and redo.
    page.locator("#viewer").focus()
    page.keyboard.press("Control+z")
    until(page, 1, before)
    page.keyboard.press("Control+Shift+Z")
    until(page, 1, after)

    # Name the levels from one.
    page.click("#table tbody tr:nth-child(1)")
    page.select_option("#level", "L4")
    page.wait_for_selector("#number:enabled")
    page.click("#number")
    page.wait_for_selector("#table tbody tr:nth-child(2) th > span:text-is('L5')")

    # Save: the truth on disk has the dragged point, and no name of the patient anywhere.
    page.click("#save")
    page.wait_for_selector("#state:text-is('corrected')")
    (case,) = CaseFolder(target).cases()
    record = read_record(CaseFolder(target).source(case))
    points = np.array(record["annotations"][0]["keypoints"]).reshape(-1, 3)[:, :2]
    wished = phantom.reading.vertebrae[1].points[2] + (0, down / scale)
    assert points[2] == pytest.approx(wished, abs=1.2 / scale)
    assert [entry["label"] for entry in record["annotations"]] == ["L4", "L5"]
    for path in target.rglob("*"):
        assert "secret" not in path.name.lower()
        assert not path.is_file() or b"Secret" not in path.read_bytes()
    assert "Secret" not in page.url
    assert file.name not in page.url

    # Reload: what was saved is what is shown.
    page.reload()
    page.wait_for_selector("body.ready")
    until(page, 1, after)
    assert heights(page, 1) == after
    assert page.inner_text("#state") == "corrected"

    # Export: the figures of the file are those of the page, and those of Python.
    for kind in ("json", "csv", "coco", "png"):
        page.click("#export-menu summary")
        with page.expect_download() as download:
            page.click(f'[data-export="{kind}"]')
        content = Path(download.value.path()).read_bytes()
        assert case in download.value.suggested_filename
        if kind == "json":
            reading = Reading.from_json(json.loads(content))
            named = measure(reading).vertebrae[0].measures["heights_mm"]
            shown = [named[name] for name in ("anterior", "middle", "posterior")]
            assert after == pytest.approx(shown, abs=0.051)
    assert content.startswith(b"\x89PNG")


def test_the_original_is_kept_and_keys_do_all(tmp_path, case_folder, serve, page_of):
    page = page_of(WIDE)
    ready(page, serve(case_folder))
    source = CaseFolder(case_folder).source("case 0")
    before = read_record(source)
    page.locator("#viewer").focus()
    page.keyboard.press("j")  # the first vertebra
    page.keyboard.press(".")  # its first point, bottom left
    for _ in range(8):
        page.keyboard.press("ArrowDown")  # 0.5 px = 0.5 mm each
    until(
        page, 1, [18.0, 18.0, 22.0] if page.locator("#facing").inner_text().startswith("right") else [22.0, 18.0, 18.0]
    )
    page.keyboard.press("k")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#state:text-is('corrected')")
    moved, original = read_record(source), json.loads(source.with_name("src-0.original.json").read_text())
    assert moved["annotations"][0]["keypoints"][1] == pytest.approx(
        before["annotations"][0]["keypoints"][1] + 4, abs=1e-3
    )
    assert original["annotations"][0]["keypoints"] == before["annotations"][0]["keypoints"]
    page.keyboard.press("]")
    page.wait_for_selector("#title:text-is('case 1')")
    page.keyboard.press("j")
    page.keyboard.press("Delete")
    wait_for(lambda: page.locator("#table tbody tr").count() == 2, "the vertebra stays")
    page.keyboard.press("[")
    page.wait_for_selector("#title:text-is('case 0')")
    page.keyboard.press("]")
    page.wait_for_selector("#state:text-is('unsaved')")  # the draft is still there
    assert page.locator("#table tbody tr").count() == 2
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()


def test_a_picture_left_while_its_point_still_moves(case_folder, serve, page_of):
    """What the last press of an arrow set going ends when the next picture is only on its way."""
    page = page_of(WIDE)
    traffic = Traffic(page)
    ready(page, serve(case_folder))
    page.locator("#viewer").focus()
    page.keyboard.press("j")
    page.keyboard.press(".")
    steps = "async () => (await import('/store.js')).store.current.past.length"
    held = traffic.hold("/pixels")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("]")
    traffic.wait(held)
    page.wait_for_timeout(900)  # longer than presses are gathered
    traffic.let_by("/pixels")
    held[0].continue_()
    page.wait_for_selector("#title:text-is('case 1')")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("[")
    page.wait_for_selector("#title:text-is('case 0')")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")  # a step of undo of this picture, however close it follows that of the other
    assert page.evaluate(steps) == 2


def test_heights_of_the_page_are_those_of_python(page_of, serve):
    """The figure under the pointer is computed in the browser: checked against the package on odd bodies."""
    from spinetk.measure.heights import heights as python
    from spinetk.schema import VERTEBRA6

    page = page_of(WIDE)
    page.goto(serve())
    columns = {name: [VERTEBRA6.index(end) for end in pair] for name, pair in VERTEBRA6.columns.items()}
    random = np.random.default_rng(0)
    bodies = random.uniform(0, 40, (200, 6, 2))  # most of them crossed
    seen = random.random((200, 6)) > 0.15
    spacing = [0.7, 0.4]
    script = """async ([bodies, seen, columns, spacing]) => {
        const { heights } = await import("/heights.js");
        return bodies.map((points, k) => heights(points, seen[k], columns, spacing));
    }"""
    found = page.evaluate(script, [bodies.tolist(), seen.tolist(), columns, spacing])
    real = np.where(seen[..., None], bodies, np.nan) * (spacing[1], spacing[0])
    for one, points in zip(found, real, strict=True):
        expected = [None if np.isnan(v) else pytest.approx(v) for v in python(points, VERTEBRA6)]
        assert [one[name] for name in ("left", "middle", "right")] == expected


def test_bad_file_and_foreign_page(tmp_path, serve, page_of):
    address = serve()
    page = page_of(WIDE)
    page.goto(address)
    (tmp_path / "scan.dcm").write_bytes(b"no picture at all" * 30)
    page.set_input_files("#files", str(tmp_path / "scan.dcm"))
    wait_for(lambda: "scan.dcm" in page.inner_text("#alert"), "the fault is not said")
    assert str(tmp_path) not in page.inner_text("#alert")
    # Below the film, and nothing else: no part of the film is covered.
    film, message = page.locator("#viewer").bounding_box(), page.locator("#messages").bounding_box()
    assert message["y"] >= film["y"] + film["height"]
    page.click("#message-close")
    assert page.inner_text("#alert") == ""
    # A page of another origin gets nothing, not even an opaque success.
    other = page_of(WIDE)
    other.goto("about:blank")
    script = """async (address) => {
        try { const r = await fetch(address + "api/uploads", { method: "POST", mode: "no-cors" }); return r.type; }
        catch (error) { return "blocked"; }
    }"""
    assert other.evaluate(script, address) in ("opaque", "blocked")
    assert page.evaluate("fetch('api/session').then((r) => r.json()).then((s) => s.entries.length)") == 0
