"""Draw the pictures of docs/how-to/review.md: the review page on phantoms, taken in headless Chromium.

Run from the repository root: python docs/pictures/draw_review.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from spinetk.cases.folder import CaseFolder, write_record
from spinetk.formats.files import write_metadata
from spinetk.formats.record import record_of
from spinetk.images import to_uint8
from spinetk.phantoms import lateral_radiograph

OUT = Path(__file__).parent
WIDE, NARROW = {"width": 1360, "height": 800}, {"width": 390, "height": 844}


def main() -> None:
    """Serve a wedged phantom and its prior film, and take a picture of each thing that the docs explain."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        _cases(Path(folder))
        command = [sys.executable, "-u", "-m", "spinetk", "serve", folder, "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[0]
            browser = play.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=300_000
            )
            page = _page(browser, address, WIDE, "dark")
            page.screenshot(path=OUT / "review.png")
            page.click("#beside-toggle")
            page.wait_for_selector("#beside-table tbody tr")
            page.wait_for_timeout(500)
            page.screenshot(path=OUT / "review-beside.png")
            page.click("#beside-close")
            page.wait_for_timeout(500)
            _measure(page)
            page.screenshot(path=OUT / "review-loupe.png")
            page.mouse.up()
            narrow = _page(browser, address, NARROW, "light")
            narrow.screenshot(path=OUT / "review-narrow.png")
            browser.close()
        finally:
            server.terminate()
            server.wait()


def _cases(base: Path) -> None:
    cases = CaseFolder(base)
    films = {"2026 film": {"L1": ("wedge", 31.0)}, "2021 film": {}}
    for number, (name, deformity) in enumerate(films.items()):
        phantom = lateral_radiograph(4, region="lumbar", deformity=deformity)
        record = record_of(phantom.reading, f"film-{number}", case=name, modality="CR")
        write_record(cases.source(name), record, to_uint8(phantom.pixels))
    write_metadata(base, {name: {"group": "one patient"} for name in films})


def _page(browser: Any, address: str, size: dict[str, int], scheme: str) -> Any:
    page = browser.new_page(viewport=size, color_scheme=scheme)
    page.goto(address)
    page.wait_for_selector("body.ready", timeout=300_000)
    if size is NARROW:
        page.click("#list-toggle")
    page.click("#rows .row[title='2026 film']")
    page.wait_for_selector("#title:text-is('2026 film')")
    page.click("#table tbody tr:has(th > span:text-is('L1'))")
    page.wait_for_timeout(500)
    return page


def _measure(page: Any) -> None:
    """A length along the front of the wedged body, the button still down."""
    ends = []
    for point in (0, 5):
        box = page.locator(f'.vertebra.selected .point[data-point="{point}"] .ring').bounding_box()
        ends.append((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    page.click("#measure-menu summary")
    page.click('[data-tool="length"]')
    page.mouse.move(*ends[0])
    page.mouse.down()
    page.mouse.move(*ends[1], steps=5)
    page.wait_for_timeout(300)


if __name__ == "__main__":
    main()
