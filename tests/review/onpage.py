"""What tests of the page in a browser share: sizes, and what a hand does."""

from __future__ import annotations

import time

WIDE, NARROW = {"width": 1366, "height": 820}, {"width": 390, "height": 844}
TIMEOUT_MS = 120_000  # a busy machine


def ready(page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("body.ready")


def heights(page, row: int) -> list[float]:
    cells = page.locator(f"#table tbody tr:nth-child({row}) td.n > span").all_inner_texts()
    return [float(text) for text in cells]


def centre(page, vertebra: int, point: int) -> tuple[float, float]:
    box = page.locator(f'.vertebra[data-index="{vertebra}"] .point[data-point="{point}"] .ring').bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, start: tuple[float, float], by: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    for share in (0.3, 0.7, 1.0):
        page.mouse.move(start[0] + share * by[0], start[1] + share * by[1])
        page.wait_for_timeout(30)
    page.mouse.up()


def wait_for(true, what: str) -> None:
    """Poll from here: the page's own policy forbids the text that Playwright would have it evaluate."""
    end = time.monotonic() + TIMEOUT_MS / 1000
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)
