"""A reader who flips on while things are under way: what comes late belongs to the picture it was asked for."""

from __future__ import annotations

import pytest
from onpage import WIDE, Traffic, centre, ready, wait_for

from spinetk.cases.folder import CaseFolder, read_record


@pytest.fixture
def traffic(page_of) -> Traffic:
    return Traffic(page_of(WIDE))


@pytest.fixture
def page(traffic, case_folder, serve):
    ready(traffic.page, serve(case_folder))
    traffic.page.locator("#viewer").focus()
    return traffic.page


def on_page(page, title: str) -> None:
    page.wait_for_selector(f"#title:text-is('{title}')")
    wait_for(lambda: inside(page, "Boolean(store.current)"), f"{title} does not open")


def inside(page, what: str):
    return page.evaluate(f"import('/store.js').then(({{ store }}) => {what})")


def flip(page, key: str, title: str) -> None:
    page.keyboard.press(key)
    on_page(page, title)


def left_corner(page) -> float:
    return inside(page, "store.current.reading.vertebrae[0].points[0][1]")


def test_the_last_one_asked_for_stays(page, traffic):
    """The answers come in the other order."""
    held = traffic.hold("/pixels")
    page.keyboard.press("]")
    traffic.wait(held, 1)
    page.keyboard.press("]")
    traffic.wait(held, 2)
    held[1].continue_()
    on_page(page, "case 2")
    with page.expect_response(lambda response: response.url == held[0].request.url):
        held[0].continue_()
    page.wait_for_timeout(100)  # it would be opened by now
    assert page.inner_text("#title") == "case 2"
    assert inside(page, "store.current.id") == page.evaluate("location.hash.slice(1)")


def test_a_drag_is_of_the_picture_it_began_on(page):
    """The button is still down when the next picture comes."""
    start = left_corner(page)
    x, y = centre(page, 0, 0)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 12, steps=3)
    wait_for(lambda: left_corner(page) > start + 1, "the point does not move")
    flip(page, "]", "case 1")
    other = left_corner(page)
    page.mouse.move(x, y + 40, steps=3)
    page.mouse.up()
    assert left_corner(page) == other
    assert inside(page, "store.current.past.length") == 0
    flip(page, "[", "case 0")
    assert left_corner(page) > start + 1, "what was dragged is lost"
    page.keyboard.press("Control+z")
    assert left_corner(page) == start


def test_a_save_on_its_way_ends_where_it_began(page, traffic, case_folder):
    page.keyboard.press("j")
    page.keyboard.press("Shift+ArrowDown")
    moved = left_corner(page)
    held = traffic.hold("/save")
    page.keyboard.press("Control+s")
    traffic.wait(held)
    flip(page, "]", "case 1")
    held[0].continue_()
    page.wait_for_selector("#note:has-text('Saved: case 0')")
    assert page.inner_text("#state") != "corrected"
    assert page.inner_text("#last-save") == "Not saved yet"
    assert read_record(CaseFolder(case_folder).source("case 0"))["annotations"][0]["keypoints"][1] == moved
    flip(page, "[", "case 0")
    page.wait_for_selector("#state:text-is('corrected')")
    page.keyboard.press("j")
    page.keyboard.press("Shift+ArrowDown")
    page.wait_for_selector("#state:text-is('unsaved')")
    traffic.let_by("/save")
    page.keyboard.press("Control+s")  # begun on what was saved: nobody else has saved meanwhile
    page.wait_for_selector("#state:text-is('corrected')")
    assert page.locator("#conflict-dialog[open]").count() == 0


def test_order_and_names_are_of_the_picture_they_were_asked_for(page, traffic):
    """The answer about one picture waits while the next is asked about."""
    held = traffic.hold("/measure")
    page.evaluate("import('/store.js').then((s) => { s.recalculate(); s.recalculate({ sort: true }); })")
    traffic.wait(held)
    flip(page, "]", "case 1")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    held[0].continue_()
    traffic.wait(held, 2)
    asked = held[1].request.post_data_json
    assert not asked.get("sort")
    assert page.evaluate("location.hash.slice(1)") in held[1].request.url


def test_an_older_list_takes_nothing_back(page, traffic):
    """The list was asked for before a save, and comes after it."""
    held = traffic.hold("/api/worklist")
    page.evaluate("import('/list.js').then(({ list }) => { list.refresh(); })")
    traffic.wait(held)
    older = held[0].fetch()
    page.keyboard.press("j")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#state:text-is('corrected')")
    held[0].fulfill(response=older)
    traffic.wait(held, 2)  # it is asked for once more
    held[1].continue_()
    assert page.inner_text("#rows .row[aria-selected='true'] .mark").startswith("corrected")


def test_what_hung_beside_is_not_taken_over_by_the_next_picture(page, traffic):
    """The reading of another reader of the first picture hangs beside while the second one comes."""
    points = inside(page, "structuredClone(store.current.reading)")
    page.evaluate(
        """async (reading) => {
            const [{ store, emit }, api] = [await import('/store.js'), await import('/api.js')];
            const theirs = { reader: "Ben", status: "signed", when: "", reading, shown: store.current.shown };
            emit("beside", { title: "Ben", theirs });
        }""",
        points,
    )
    page.wait_for_selector("#beside-take:visible")
    held = traffic.hold("/companions")
    flip(page, "]", "case 1")
    traffic.wait(held)
    own = left_corner(page)
    assert not page.locator("#beside-take").is_visible()
    page.evaluate("document.getElementById('beside-take').click()")
    assert left_corner(page) == own
    assert inside(page, "store.current.past.length") == 0
    held[0].continue_()
