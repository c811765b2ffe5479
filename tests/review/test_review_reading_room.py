"""The reading room in a real browser: worklist, readers, conflicts, history, tools on the film, accessibility."""

from __future__ import annotations

import json

import numpy as np
import pytest
from onpage import NARROW, WIDE, centre, drag, heights, ready, wait_for

from spinetk.cases.folder import CaseFolder, read_record
from spinetk.formats.files import write_metadata


def as_reader(page, name: str) -> None:
    page.click("#reader")
    page.fill("#reader-field", name)
    page.keyboard.press("Enter")
    wait_for(lambda: page.evaluate("document.querySelector('#reader').title").startswith(name), "the name is not taken")


def lower(page, down: float = 16.0) -> None:
    """Drag the lower left corner of the first body down."""
    drag(page, centre(page, 0, 0), (0, down))
    page.wait_for_selector("#state:text-is('unsaved')")


def first_y(cases, case: str = "case 0") -> float:
    return read_record(CaseFolder(cases).source(case))["annotations"][0]["keypoints"][1]


def test_two_tabs_are_offered_both_and_nothing_is_lost(case_folder, serve, page_of):
    address = serve(case_folder)
    one, two = page_of(WIDE), page_of(WIDE)
    for page, name in ((one, "Anna"), (two, "Ben")):
        ready(page, address)
        as_reader(page, name)
        lower(page, 16.0 if page is one else 32.0)
    start = first_y(case_folder)
    one.click("#save")
    one.wait_for_selector("#state:text-is('corrected')")
    annas = first_y(case_folder)
    two.click("#save")
    two.wait_for_selector("#conflict-dialog[open]")
    assert "Anna" in two.inner_text("#conflict-dialog")
    assert first_y(case_folder) == annas != start
    two.click("#conflict-dialog button[value='both']")  # Anna's hangs beside
    two.wait_for_selector("#beside:visible")
    wait_for(lambda: two.locator("#beside-overlay .theirs").count() == 3, "Anna's bodies are not drawn")
    two.click("#save")
    two.click("#conflict-dialog button[value='mine']")
    two.wait_for_selector("#state:text-is('corrected')")
    bens = first_y(case_folder)
    assert bens - start == pytest.approx(2 * (annas - start), rel=0.1)
    # Undo goes back over the page's steps, then into what was saved before.
    two.locator("#viewer").focus()
    two.keyboard.press("Control+z")  # the drag
    for reached in ("Anna", "before"):  # what Anna saved, then the first; one step at a time
        two.keyboard.press("Control+z")
        wait_for(lambda reached=reached: reached in two.inner_text("#note"), f"undo does not reach {reached}")
    two.click("#history-button")
    two.wait_for_selector("#history-dialog[open]")
    assert two.locator("#versions tbody tr").count() == 3


def test_a_worklist_is_read_to_its_end(case_folder, serve, page_of):
    """Filter, least work left, signed one after another by keys, nothing in the way."""
    for number in range(3, 12):
        import shutil

        shutil.rmtree(case_folder / f"case {number}")
    (case_folder / "metadata.json").unlink()
    page = page_of(WIDE)
    ready(page, serve(case_folder))
    as_reader(page, "Anna")
    page.select_option("#filter-state", "unread")
    page.select_option("#sort", "name")
    wait_for(lambda: "3 unread" in page.inner_text("#list-note"), "three are unread")
    for number in range(3):
        page.wait_for_selector(f"#title:text-is('case {number}')")
        page.keyboard.press("Control+Enter")
    wait_for(lambda: "All pictures are read" in page.inner_text("#note"), "the end is said")
    page.select_option("#filter-state", "signed")
    assert page.locator("#rows .row.signed").count() == 3
    assert {read_record(CaseFolder(case_folder).source(f"case {k}"))["review"]["status"] for k in range(3)} == {
        "signed"
    }


def test_the_last_vertebra_goes_only_after_a_question(case_folder, serve, page_of):
    page = page_of(WIDE)
    ready(page, serve(case_folder / "case 0"))
    page.locator("#viewer").focus()
    for _ in range(3):
        page.keyboard.press("j")
        page.keyboard.press("Delete")
    wait_for(lambda: page.locator(".vertebra").count() == 0, "all bodies are deleted")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#empty-dialog[open]")
    # Left, and asked for again before the browser has sent the event that says it closed: one task does both.
    page.evaluate("""async () => {
        document.querySelector("#empty-dialog").close();
        for (let i = 0; i < 20; i++) await null;
        const key = { key: "s", ctrlKey: true, bubbles: true };
        document.querySelector("#viewer").dispatchEvent(new KeyboardEvent("keydown", key));
    }""")
    assert len(read_record(CaseFolder(case_folder).source("case 0"))["annotations"]) == 3
    page.click("#empty-dialog button[value='ok']")
    page.wait_for_selector("#state:text-is('corrected')")
    assert read_record(CaseFolder(case_folder).source("case 0"))["annotations"] == []


def test_two_blinded_readers_then_side_by_side(case_folder, serve, page_of):
    address = serve(case_folder / "case 0", "--blinded")
    start = first_y(case_folder)
    one, two = page_of(WIDE), page_of(WIDE)
    before = {}
    for page, name, down in ((one, "Anna", 16.0), (two, "Ben", 40.0)):
        page.goto(address)
        page.fill("#reader-field", name)
        page.keyboard.press("Enter")
        page.wait_for_selector("body.ready")
        before[name] = heights(page, 1)
        page.click("#beside-toggle")
        assert page.locator("#beside").is_hidden()  # nothing may be seen yet
        lower(page, down)
        page.click("#sign")
        page.wait_for_selector("#state:text-is('signed')")
    assert before["Anna"] == before["Ben"]
    assert first_y(case_folder) == pytest.approx(start)
    two.click("#beside-toggle")
    two.wait_for_selector("#beside:visible")
    wait_for(lambda: two.locator("#beside-overlay .mine").count() == 3, "the own bodies are not drawn")
    assert "Anna" in two.inner_text("#beside-choice")
    two.click("#beside-settle")
    wait_for(lambda: "truth of this case" in two.inner_text("#note"), "it is not settled")
    anna = json.loads((case_folder / "readings" / "anna" / "case 0.json").read_text())
    assert first_y(case_folder) == pytest.approx(anna["vertebrae"][0]["keypoints"]["bottom_left"][1], abs=1e-2)
    two.click("#agreement")
    wait_for(lambda: "1 picture signed by both" in two.inner_text("#agreement-note"), "no agreement is shown")


def test_a_prior_film_hangs_beside_and_rulers_measure(case_folder, serve, page_of):
    write_metadata(case_folder, {f"case {n}": {"group": "g" if n < 2 else f"g{n}"} for n in range(12)})
    page = page_of(WIDE)
    ready(page, serve(case_folder))
    page.click("#beside-toggle")
    page.wait_for_selector("#beside:visible")
    assert page.locator("#beside-choice option").all_inner_texts() == ["case 1, sagittal"]
    wait_for(lambda: page.locator("#beside-table tbody tr").count() == 3, "the films are not compared")
    page.click("#beside-close")
    # A length of two corners of the first body, 1 mm a px: what the panel says of the height there.
    page.click("#measure-menu summary")
    page.click('[data-tool="length"]')
    page.keyboard.press("o")
    page.keyboard.press("o")  # off and on
    start, end = centre(page, 0, 0), centre(page, 0, 5)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.wait_for_selector("#loupe:visible")
    page.mouse.up()
    page.wait_for_selector("#loupe", state="hidden")
    text = page.locator("#rulers text").text_content()
    assert text.endswith(" mm")
    assert float(text.split()[0]) == pytest.approx(18.0, abs=0.4)
    # It is part of the reading: undone and redone like a point, saved, and there again after a reload.
    page.keyboard.press("Control+z")
    wait_for(lambda: page.locator("#rulers text").count() == 0, "the ruler is not undone")
    page.keyboard.press("Control+Shift+Z")
    wait_for(lambda: page.locator("#rulers text").count() == 1, "the ruler is not redone")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#state:text-is('corrected')")
    page.reload()
    page.wait_for_selector("body.ready")
    assert page.locator("#rulers text").text_content() == text
    # A right drag changes the window with every tool.
    width = float(page.input_value("#window-width"))
    page.mouse.move(500, 400)
    page.mouse.down(button="right")
    page.mouse.move(650, 400, steps=3)
    page.mouse.up(button="right")
    assert float(page.input_value("#window-width")) == pytest.approx(width * np.exp(150 / 300), rel=0.05)
    page.keyboard.press("2")  # the second named window
    assert float(page.input_value("#window-width")) != pytest.approx(width * np.exp(150 / 300), rel=0.01)


def test_figures_of_rulers(page_of, serve):
    """Hand-worked: a 3-4-5 triangle in px, with oblong px in mm, a right angle, and end plates 170 degrees apart."""
    page = page_of(WIDE)
    page.goto(serve())
    script = """async (drawings) => {
        const { figure } = await import("/rulers.js");
        return drawings.map(([drawing, spacing, square]) => figure(drawing, spacing, square ?? [1, 1]));
    }"""
    right, tilt = {"kind": "angle", "points": [[0, 9], [0, 0], [5, 0]]}, np.tan(np.radians(10))
    drawings = [
        [{"kind": "length", "points": [[1, 1], [4, 5]]}, None],
        [{"kind": "length", "points": [[1, 1], [4, 5]]}, [0.75, 1.0]],
        [right, None],
        [{"kind": "angle", "points": [[0, 2], [0, 0], [1, 1]]}, [0.5, 0.5 * np.sqrt(3)]],
        [{"kind": "cobb", "points": [[0, 0], [10, 0], [10, 5], [0, 5 + 10 * tilt]]}, None],
        # No spacing, but pixels that are higher than wide: the angle follows their shape, the length is in px.
        [{"kind": "angle", "points": [[0, 2], [0, 0], [1, 1]]}, None, [np.sqrt(3), 1.0]],
        [{"kind": "length", "points": [[1, 1], [4, 5]]}, None, [np.sqrt(3), 1.0]],
    ]
    assert page.evaluate(script, drawings) == ["5.0 px", "4.2 mm", "90.0°", "60.0°", "10.0°", "60.0°", "5.0 px"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_serious_for_axe(case_folder, serve, page_of, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = page_of(size, color_scheme=scheme, bypass_csp=True)
    ready(page, serve(case_folder))
    page.click("#table tbody tr:nth-child(1)")
    found = [one for one in axe.Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    page.click("#help-button")
    found += [one for one in axe.Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:90] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
