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


def wait_for(true, what: str, every_s: float = 0.1) -> None:
    """Poll from here: the page's own policy forbids the text that Playwright would have it evaluate."""
    end = time.monotonic() + TIMEOUT_MS / 1000
    while not true():
        assert time.monotonic() < end, what
        time.sleep(every_s)


class Traffic:
    """The requests of a page that is not loaded yet, some of which are held until a test lets them go.

    A browser that is asked for the requests of a page that runs already lets the next ones by, and nothing is heard
    of them: so they are all asked for from the beginning.
    """

    def __init__(self, page) -> None:
        self.page = page
        self._held: dict[str, list] = {}
        page.route("**/*", self._pass)

    def hold(self, end: str) -> list:
        """From now on requests whose address ends so wait in the list."""
        return self._held.setdefault(end, [])

    def let_by(self, end: str) -> None:
        """Those that come from now on go their way again."""
        del self._held[end]

    def wait(self, held: list, count: int = 1) -> None:
        """Until so many are held."""
        wait_for(lambda: self.page.wait_for_timeout(20) or len(held) >= count, "nothing was asked for")

    def _pass(self, route) -> None:
        for end, held in self._held.items():
            if route.request.url.endswith(end):
                held.append(route)
                return
        route.continue_()
